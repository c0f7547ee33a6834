package debug

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// switchable is a server on a free port, which is off in the end.
func switchable(t *testing.T, handler http.Handler) *Server {
	t.Helper()
	s := NewServer("127.0.0.1:0", handler, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { turn(t, s, false) })
	return s
}

func turn(t *testing.T, s *Server, on bool) {
	t.Helper()
	if err := s.SetEnabled(on); err != nil {
		t.Error(err)
	}
}

// TestSwitching turns the server on and off, more often than needed.
func TestSwitching(t *testing.T) {
	s := switchable(t, NewHandler(options()))
	if s.Addr() != nil {
		t.Error("it is on at first")
	}
	turn(t, s, false)
	for range 3 {
		turn(t, s, true)
		at := s.Addr().String()
		turn(t, s, true)
		if s.Addr().String() != at {
			t.Errorf("switching it on again moves it from %s to %s", at, s.Addr())
		}
		if code, body := fetch(t.Context(), "http://"+at+"/debug/namespaces"); code != 200 || !strings.Contains(body, "shop") {
			t.Errorf("it answers %d %s", code, body)
		}
		turn(t, s, false)
		turn(t, s, false)
		if _, err := net.Dial("tcp", at); err == nil || s.Addr() != nil {
			t.Error("it is off and listens")
		}
	}
}

// TestSwitchingOffEndsRequests: a profile of a minute ends at once, whoever gets it is told, and the next can begin.
func TestSwitchingOffEndsRequests(t *testing.T) {
	s := switchable(t, NewHandler(options()))
	for range 2 {
		turn(t, s, true)
		url := "http://" + s.Addr().String() + "/debug/pprof/"
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			fetch(t.Context(), url+"profile?seconds=60")
		}()
		eventually(t, func() bool {
			_, stacks := fetch(t.Context(), url+"goroutine?debug=2")
			return strings.Contains(stacks, "pprof.Profile(")
		})
		began := time.Now()
		turn(t, s, false)
		<-ended
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %s", took)
		}
		if stacks := stacks(); strings.Contains(stacks, "pprof.Profile(") {
			t.Errorf("the profile goes on:\n%s", stacks)
		}
	}
}

// TestSwitchingFromSeveralGoroutines leaves nothing running, whoever came last.
func TestSwitchingFromSeveralGoroutines(t *testing.T) {
	s := switchable(t, NewHandler(options()))
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 20 {
				turn(t, s, i%2 == 0)
				if at := s.Addr(); at != nil {
					fetch(t.Context(), "http://"+at.String()+"/debug/namespaces")
				}
			}
		})
	}
	wait.Wait()
	turn(t, s, false)
	eventually(t, func() bool { return !strings.Contains(stacks(), "sinks/debug.(*") })
}

// TestAnAddressInUse is an error now, and none when the address is free.
func TestAnAddressInUse(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(other.Addr().String(), NewHandler(options()), slog.New(slog.DiscardHandler))
	if err := s.SetEnabled(true); err == nil || s.Addr() != nil {
		t.Errorf("two servers have one address: %v", err)
	}
	_ = other.Close()
	turn(t, s, true)
	turn(t, s, false)
}

// TestAServerThatDied is started again when it is wanted again.
func TestAServerThatDied(t *testing.T) {
	s := switchable(t, NewHandler(options()))
	turn(t, s, true)
	first := s.on
	_ = first.listener.Close()
	<-first.ended
	turn(t, s, true)
	if code, _ := fetch(t.Context(), "http://"+s.Addr().String()+"/debug/"); code != 200 {
		t.Errorf("it answers %d", code)
	}
}

// TestNamesOfOthers: a web page whose name resolves to this machine is not let in.
func TestNamesOfOthers(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:9091": true, "LOCALHOST:9091": true, "127.0.0.1:9092": true, "[::1]:9092": true, "[::1]": true, "10.1.2.3:80": true,
		"evil.example": false, "evil.example:9092": false, "localhost.evil.example": false, "127.0.0.1.evil.example:9092": false, "": false,
	} {
		if got := isAddress(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
	s := switchable(t, NewHandler(options()))
	turn(t, s, true)
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.Addr().String()+"/debug/mesh", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "evil.example"
	if code, body := do(request); code != http.StatusForbidden || strings.Contains(body, "shop") {
		t.Errorf("it answers %d %s", code, body)
	}
	open := onlyByAddress(&net.TCPAddr{IP: net.IPv4zero, Port: 1}, http.NotFoundHandler())
	recorder := httptest.NewRecorder()
	open.ServeHTTP(recorder, httptest.NewRequest("GET", "http://fsm-controller.fsm-system:9092/", nil))
	if recorder.Code != http.StatusNotFound {
		t.Errorf("a server for everybody answers %d", recorder.Code)
	}
}

// TestTheCommandLineWithoutSecrets hides what flags hand over in secret.
func TestTheCommandLineWithoutSecrets(t *testing.T) {
	got := withoutSecrets([]string{"fsm-controller", "--vault-token=s.abc", "--vault-token", "s.abc", "-v", "info", "--VAULT-PASSWORD", "-x", "--mesh-name", "token"})
	want := []string{"fsm-controller", "--vault-token=…", "--vault-token", "…", "-v", "info", "--VAULT-PASSWORD", "…", "--mesh-name", "token"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if page := get(t, NewHandler(options()), "/debug/pprof/cmdline", "*/*"); page.code != 200 || !strings.Contains(page.body, "debug.test") {
		t.Errorf("the page is %v", page)
	}
}

func fetch(ctx context.Context, url string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return 0, err.Error()
	}
	return do(request)
}

// do sends a request over a connection of its own. The code is 0 when there is no answer.
func do(request *http.Request) (int, string) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, string(body)
}

// eventually waits until something is so, for a minute at most.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !so(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("it is still not so:\n%s", stacks())
		}
	}
}

// stacks are those of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
