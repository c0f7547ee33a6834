//go:build linux

package local

import (
	"cmp"
	"context"
	"net"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/verdict"
)

// Every protocol of the engine is spoken to the echo server, without a mesh between them.
func TestEverySpeechIsEchoed(t *testing.T) {
	for _, c := range []struct {
		name     string
		port     model.Protocol
		request  *verdict.Request
		status   int
		protocol string
		body     int
	}{
		{"HTTP/1.1", model.HTTP, &verdict.Request{Protocol: "HTTP/1.1", Method: "GET"}, 200, "HTTP/1.1", 0},
		{"HTTP/1.1 with a body", model.HTTP, &verdict.Request{Protocol: "HTTP/1.1", Method: "POST", Body: 3 << 20}, 200, "HTTP/1.1", 3 << 20},
		{"HTTP/1.0", model.HTTP, &verdict.Request{Protocol: "HTTP/1.0", Method: "GET"}, 200, "HTTP/1.0", 0},
		{"HEAD", model.HTTP, &verdict.Request{Method: "HEAD"}, 200, "HTTP/1.1", 0},
		{"h2c", model.H2C, &verdict.Request{Protocol: "h2c", Method: "GET"}, 200, "HTTP/2.0", 0},
		{"h2c with a body beyond the windows", model.HTTP, &verdict.Request{Protocol: "h2c", Method: "PUT", Body: 3 << 20}, 200, "HTTP/2.0", 3 << 20},
		{"gRPC", model.GRPC, &verdict.Request{Protocol: "grpc"}, 200, "grpc", 0},
		{"gRPC with a message", model.GRPC, &verdict.Request{Protocol: "grpc", Body: 100_000}, 200, "grpc", 0},
		{"a websocket", model.HTTP, &verdict.Request{Protocol: "websocket", Method: "GET"}, 101, "websocket", 0},
		{"TCP", model.TCP, nil, 0, "tcp", 5},
		{"TCP, the server first", model.TCPServerFirst, nil, 0, "tcp-server-first", 0},
		{"HTTP to a TCP port", model.TCP, &verdict.Request{Protocol: "HTTP/1.1", Method: "GET"}, 0, "tcp", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := speakTo(t, c.port, c.request).answer()
			said := answer.Echo
			if !answer.Allowed || answer.Status != c.status || answer.Backend != "web" || said.Protocol != c.protocol || said.Pod != "web-0" || said.Peer != "127.0.0.1" {
				t.Errorf("got %+v", answer)
			}
			if c.body > 0 && said.Body != c.body {
				t.Errorf("%d bytes of the body came through", said.Body)
			}
		})
	}
}

func TestRequestsAreSentAsTheyAreWritten(t *testing.T) {
	headers := []verdict.Header{{Name: "x-twice", Value: "good"}, {Name: "x-twice", Value: "evil"}}
	for _, protocol := range []string{"HTTP/1.1", "h2c"} {
		t.Run(protocol, func(t *testing.T) {
			said := speakTo(t, model.HTTP, &verdict.Request{Protocol: protocol, Method: "PATCH", Host: "web.shop:80", Path: "//a/./b/../%2e%2F;x?q=//", Headers: headers}).answer().Echo
			if said.Path != "//a/./b/../%2e%2F;x?q=//" || said.Method != "PATCH" || said.Host != "web.shop:80" || strings.Join(said.Headers["x-twice"], "+") != "good+evil" {
				t.Errorf("the server got %+v", said)
			}
		})
	}
}

func TestTheStatusIsChosen(t *testing.T) {
	for status, want := range map[string]int{"418": 418, "503": 503, "99": 200, "x": 200} {
		answer := speakTo(t, model.HTTP, &verdict.Request{Method: "GET", Headers: []verdict.Header{{Name: "x-echo-status", Value: status}}}).answer()
		if !answer.Allowed || answer.Status != want {
			t.Errorf("%s: got %+v", status, answer)
		}
	}
}

// echoed is the address of an echo server.
func echoed(t *testing.T, protocol model.Protocol) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go echo{Pod{Namespace: "shop", Name: "web-0", Workload: "web"}, Port{8080, protocol}}.serve(listener)
	return listener.Addr().String()
}

// speakTo makes a request to an echo server.
func speakTo(t *testing.T, protocol model.Protocol, request *verdict.Request) heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), answerWithin)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", echoed(t, protocol))
	if err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	if request != nil {
		whole := *request
		whole.Host = cmp.Or(whole.Host, "web")
		request = &whole
	}
	return speak(c, request)
}
