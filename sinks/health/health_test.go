package health

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPages(t *testing.T) {
	state := NewState("synced", "listening")
	handler := NewHandler(Options{
		State:   state,
		Version: Version{Version: "v1.2.3", Commit: "0123abc", Date: "2026-01-02"},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "numbers") }),
		SMI:     map[string]string{"TrafficSplit": "split.smi-spec.io/v1alpha4"},
	})
	ask := func(path string, code int, body string) {
		t.Helper()
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		if diff := cmp.Diff(body, strings.TrimSpace(answer.Body.String())); answer.Code != code || diff != "" {
			t.Errorf("%s gives %d: %s", path, answer.Code, diff)
		}
	}
	ask("/health/alive", 200, `{"status":"Service is alive"}`)
	ask("/healthz", 200, `{"status":"Service is alive"}`)
	ask("/version", 200, `{"version":"v1.2.3","commit":"0123abc","date":"2026-01-02"}`)
	ask("/smi/version", 200, `{"TrafficSplit":"split.smi-spec.io/v1alpha4"}`)
	ask("/metrics", 200, "numbers")
	ask("/", 404, "404 page not found")

	ask("/health/ready", 503, `{"status":"Service is not ready","conditions":[{"name":"synced","ok":false,"reason":"not yet"},{"name":"listening","ok":false,"reason":"not yet"}]}`)
	state.Set("synced", true, "")
	ask("/health/ready", 503, `{"status":"Service is not ready","conditions":[{"name":"synced","ok":true},{"name":"listening","ok":false,"reason":"not yet"}]}`)
	state.Set("listening", true, "on :15128")
	ask("/health/ready", 200, `{"status":"Service is ready","conditions":[{"name":"synced","ok":true},{"name":"listening","ok":true,"reason":"on :15128"}]}`)
	state.Set("draining", false, "shutting down")
	ask("/health/ready", 503, `{"status":"Service is not ready","conditions":[{"name":"synced","ok":true},{"name":"listening","ok":true,"reason":"on :15128"},{"name":"draining","ok":false,"reason":"shutting down"}]}`)
	ask("/health/alive", 200, `{"status":"Service is alive"}`)
}

func TestPagesThatWereNotAskedFor(t *testing.T) {
	handler := NewHandler(Options{State: NewState()})
	for path, code := range map[string]int{"/metrics": 404, "/smi/version": 404, "/health/ready": 200} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		if answer.Code != code {
			t.Errorf("%s gives %d", path, answer.Code)
		}
	}
}

func TestStateFromSeveralGoroutines(t *testing.T) {
	state := NewState("synced")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { state.Set("synced", true, "") })
		wait.Go(func() { state.Ready() })
	}
	wait.Wait()
	if _, ok := state.Ready(); !ok {
		t.Error("not ready")
	}
}

// TestARequestIsFinished ends the server while it answers: the answer still arrives, and then nobody listens any more.
func TestARequestIsFinished(t *testing.T) {
	listener := listen(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(entered)
			<-leave
			_, _ = io.WriteString(w, "all of it")
		}))
	}()
	answered := make(chan string, 1)
	go func() { answered <- get("http://" + listener.Addr().String()) }()
	<-entered
	cancel()
	close(leave)
	if got := <-answered; got != "all of it" {
		t.Errorf("the answer is %q", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got := get("http://" + listener.Addr().String()); !strings.Contains(got, "refused") {
		t.Errorf("afterwards the answer is %q", got)
	}
}

// TestARequestThatNeverEnds is cut off when the time of grace is over.
func TestARequestThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		listener := &oneConnection{conn: server, closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() {
			served <- Serve(ctx, listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			}))
		}()
		began := time.Now()
		go func() { _, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") }()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != graceTime {
			t.Errorf("it took %s", took)
		}
		_ = client.Close()
	})
}

// oneConnection is a listener that accepts one connection.
type oneConnection struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *oneConnection) Accept() (net.Conn, error) {
	if conn := l.conn; conn != nil {
		l.conn = nil
		return conn, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConnection) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *oneConnection) Addr() net.Addr { return &net.TCPAddr{} }

// TestALostListenerIsAnError: somebody must hear of it.
func TestALostListenerIsAnError(t *testing.T) {
	listener := listen(t)
	_ = listener.Close()
	if err := Serve(t.Context(), listener, http.NotFoundHandler()); err == nil {
		t.Error("a listener that is gone serves")
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// get is the body of an answer, or what went wrong.
func get(url string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}
