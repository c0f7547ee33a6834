//go:build linux

package local

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/verdict"
)

// Every kind of load is made on one connection to the echo server, without a mesh between them.
func TestConnectionsAreKept(t *testing.T) {
	for _, c := range []struct {
		kind   LoadKind
		port   model.Protocol
		grpc   bool
		status int
	}{
		{HTTP1Requests, model.HTTP, false, 200},
		{HTTP2Requests, model.H2C, false, 200},
		{HTTP2Requests, model.GRPC, true, 200},
		{HTTP2Stream, model.HTTP, false, 200},
		{WebsocketMessages, model.HTTP, false, 101},
		{TCPLines, model.TCP, false, 0},
		{TCPLines, model.TCPServerFirst, false, 0},
	} {
		t.Run(string(c.kind)+" to "+string(c.port), func(t *testing.T) {
			l := Load{Kind: c.kind, Count: 1, Every: time.Millisecond, Request: &verdict.Request{Path: "/a?b=c", Body: 3}}
			if c.grpc {
				l.Request.Protocol = "grpc"
			}
			s := kept(t, l, echoed(t, c.port))
			for i := range 5 {
				h, last := s.speak(t.Context())
				o := h.outcome(time.Now(), 1, true)
				if o.Result != Allowed || o.Status != c.status || o.Backend != "web" || last {
					t.Fatalf("%d: got %+v, last %v", i, o, last)
				}
			}
			s.close()
		})
	}
}

// A server that goes away is noticed, on each kind of connection.
func TestBrokenConnectionsAreNoticed(t *testing.T) {
	for _, kind := range []LoadKind{HTTP1Requests, HTTP2Requests, HTTP2Stream, WebsocketMessages, TCPLines} {
		t.Run(string(kind), func(t *testing.T) {
			port := model.HTTP
			if kind == TCPLines {
				port = model.TCP
			}
			relay := relayed(t, echoed(t, port))
			s := kept(t, Load{Kind: kind, Count: 1, Every: time.Millisecond}, relay.Addr().String())
			if h, _ := s.speak(t.Context()); h.err != nil {
				t.Fatal(h.err)
			}
			relay.cut()
			for deadline := time.Now().Add(5 * time.Second); ; { // A few lines may be on their way.
				h, last := s.speak(t.Context())
				if h.err != nil {
					if o := h.outcome(time.Now(), 1, true); !last || o.Result != Failed || o.Reason == "" {
						t.Errorf("got %+v, last %v", o, last)
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("it was not noticed")
				}
			}
			s.close()
		})
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name  string
		heard heard
		want  Result
	}{
		{"an answer", heard{body: []byte(`{"workload":"web"}`)}, Allowed},
		{"a refusal by policy", heard{status: 403, body: []byte("RBAC: access denied")}, Denied},
		{"a refusal by policy in gRPC", heard{status: 200, header: map[string][]string{"Grpc-Message": {"RBAC: access denied"}}}, Denied},
		{"a refusal of the application", heard{status: 403, header: map[string][]string{workloadHeader: {"web"}}}, Allowed},
		{"an answer of somebody else", heard{status: 200, body: []byte("hello")}, Failed},
		{"nobody is there", heard{status: 503, body: []byte("no healthy upstream")}, Failed},
		{"half an answer", heard{status: 200, header: map[string][]string{workloadHeader: {"web"}}, err: io.ErrUnexpectedEOF}, Failed},
		{"the end", heard{err: io.EOF}, Failed},
	} {
		if o := c.heard.outcome(time.Now(), 1, true); o.Result != c.want {
			t.Errorf("%s: got %+v", c.name, o)
		}
	}
}

func TestReportsAddUp(t *testing.T) {
	var r Report
	r.Add(Outcome{Result: Allowed, Backend: "web", Connection: 1, Took: 3}, Outcome{Result: Denied, Reason: "403", Connection: 2, Took: 2})
	r.Add(Outcome{Result: Failed, Reason: "reset"}, Outcome{Result: Allowed, Backend: "web"})
	if r.Allowed != 2 || r.Denied != 1 || r.Failed != 1 || r.Total() != 4 || r.Connections != 2 || r.Longest != 3 || r.Backends["web"] != 2 || r.Reasons["403"] != 1 || r.Reasons["reset"] != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestImpossibleLoads(t *testing.T) {
	for want, l := range map[string]Load{
		"without an end":     {Kind: TCPLines, Address: netip.MustParseAddrPort("127.0.0.1:1")},
		"without an address": {Kind: TCPLines, Count: 1},
		`of kind "x"`:        {Kind: "x", Count: 1},
	} {
		if _, err := l.whole(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// kept is a connection on which a load is made.
func kept(t *testing.T, l Load, to string) speaker {
	t.Helper()
	l.Address = netip.MustParseAddrPort(to)
	l, err := l.whole()
	if err != nil {
		t.Fatal(err)
	}
	s, h := (&loader{Load: l}).on(t.Context(), dialed(t, to))
	if s == nil {
		t.Fatalf("heard %+v", h)
	}
	return s
}

// relay passes connections on until it is cut.
type relay struct {
	net.Listener
	cut func()
}

func relayed(t *testing.T, to string) relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	there := dialed(t, to)
	cut := make(chan struct{})
	go func() {
		here, err := listener.Accept()
		if err != nil {
			return
		}
		go join(here.(*net.TCPConn), there)
		<-cut
		_, _ = here.Close(), there.Close()
	}()
	return relay{listener, func() { close(cut) }}
}
