package calls_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/flomesh-io/fsmc/demo/internal/calls"
)

func TestVerdicts(t *testing.T) {
	for _, test := range []struct {
		name     string
		server   http.HandlerFunc
		expect   []int
		verdict  calls.Verdict
		status   int
		reason   string
		expected bool
	}{
		{name: "allowed", server: answer(200, "ok"), verdict: calls.Allowed, status: 200, expected: true},
		{name: "a redirect is an answer", server: answer(301, ""), verdict: calls.Allowed, status: 301, expected: true},
		{name: "another status than expected", server: answer(200, ""), expect: []int{403}, verdict: calls.Allowed, status: 200},
		{name: "denied", server: answer(403, "RBAC: access denied"), verdict: calls.Denied, status: 403, reason: "RBAC: access denied"},
		{name: "denied as expected", server: answer(403, "no\nmore"), expect: []int{403}, verdict: calls.Denied, status: 403, reason: "no", expected: true},
		{name: "denied without a word", server: answer(403, ""), verdict: calls.Denied, status: 403, reason: "Forbidden"},
		{name: "no healthy upstream", server: answer(503, "no healthy upstream"), verdict: calls.Failed, status: 503, reason: "no healthy upstream"},
		{name: "closed", server: hangUp, verdict: calls.Refused, reason: "connection closed without an answer"},
		{name: "closed as expected", server: hangUp, expect: []int{0}, verdict: calls.Refused, reason: "connection closed without an answer", expected: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.server)
			defer server.Close()
			var out bytes.Buffer
			call := calls.NewClient("bookbuyer", calls.NewJournal(&out, calls.JSON)).Do(get(t, server.URL+"/books-bought?a=b"), test.expect...)
			if call.Verdict != test.verdict || call.Status != test.status || call.Reason != test.reason || call.Expected != test.expected {
				t.Errorf("got %+v", call)
			}
			var line calls.Call
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if line.From != "bookbuyer" || line.To != strings.TrimPrefix(server.URL, "http://") || line.Request != "GET /books-bought" || line.Verdict != test.verdict {
				t.Errorf("the journal says %s", out.String())
			}
		})
	}
}

func TestRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	call := calls.NewClient("bookthief", calls.NewJournal(io.Discard, calls.None)).Do(get(t, "http://"+address), 0)
	if call.Verdict != calls.Refused || call.Status != 0 || call.Reason != "connection refused" || !call.Expected {
		t.Errorf("got %+v", call)
	}
}

func TestNameThatDoesNotResolve(t *testing.T) {
	err := fmt.Errorf("call: %w", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "bookstore.nowhere", IsNotFound: true}})
	if got := calls.Reason(err); got != "the name bookstore.nowhere does not resolve" {
		t.Error(got)
	}
	if got := calls.Judge(0, err); got != calls.Failed {
		t.Error(got)
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	journal := calls.NewJournal(&out, calls.Text)
	journal.Write(calls.Call{From: "bookthief", To: "bookstore.bookstore:14001", Request: "GET /books-bought", Verdict: calls.Refused, Milliseconds: 0.4,
		Reason: calls.Reason(syscall.ECONNRESET)})
	journal.Write(calls.Call{From: "bookbuyer", To: "bookstore.bookstore:14001", Request: "GET /", Verdict: calls.Allowed, Status: 200, Server: "bookstore-v1"})
	want := "00:00:00.000 refused   0  bookthief → bookstore.bookstore:14001  GET /books-bought  0.4 ms: connection reset\n" +
		"00:00:00.000 allowed 200  bookbuyer → bookstore.bookstore:14001  GET /  0.0 ms  by bookstore-v1\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hangUp closes the connection without an answer, as a sidecar does for a service that the caller may not know.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = connection.Close()
	}
}

func get(t *testing.T, url string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return request
}
