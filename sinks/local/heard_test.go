//go:build linux

package local

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

func TestWhatIsHeardIsJudged(t *testing.T) {
	for _, c := range []struct {
		name    string
		heard   heard
		allowed bool
		reason  string
	}{
		{"refused", heard{err: syscall.ECONNREFUSED}, false, "the connection was refused"},
		{"reset", heard{err: syscall.ECONNRESET}, false, "the connection was reset"},
		{"closed", heard{err: io.EOF}, false, "the connection was closed without an answer"},
		{"anything else", heard{err: errors.New("the dog ate it")}, false, "the dog ate it"},
		{"bytes of a program", heard{body: []byte("5.7.31 mysql")}, true, ""},
		{"a page of a program", heard{status: 200, body: []byte("hello")}, true, ""},
		{"a refusal by policy", heard{status: 403, body: []byte("RBAC: access denied")}, false, "403: RBAC: access denied"},
		{"a refusal of a gRPC call", heard{status: 200, header: http.Header{"Grpc-Message": {"RBAC: access denied"}}}, false, "200: RBAC: access denied"},
		{"nobody is there", heard{status: 503, body: []byte("no healthy upstream")}, false, "503: no healthy upstream"},
		{"a bare refusal", heard{status: 404}, false, "404 Not Found"},
		{"the echo server's refusal", heard{status: 403, header: http.Header{"X-Echo-Workload": {"web"}}}, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.heard.answer(); got.Allowed != c.allowed || got.Reason != c.reason {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestWhatSidecarsWriteIsRead(t *testing.T) {
	log := written(t, `[2030-01-01 00:00:00.000][1][warning][main] [source/server/server.cc:1] a warning
{"downstream_remote_address":"100.64.0.1:5000","response_code_details":"via_upstream","response_flags":"-"}
{"downstream_remote_address":"100.64.0.1:5001","response_code_details":"rbac_access_denied_matched_policy[none]","response_flags":"-","upstream_host":null}
{"downstream_remote_address":"100.64.0.1:5002","response_code_details":"upstream_reset","response_flags":"UF","upstream_transport_failure_reason":"TLS_error","upstream_host":"100.64.0.2:80"}
{"half a rec`)
	for port, want := range map[string]string{"5000": "", "5001": "rbac_access_denied_matched_policy[none]", "5002": "upstream_reset, TLS_error, flags UF"} {
		r, ok := lastRecord(log, func(r record) bool { return strings.HasSuffix(r.DownstreamAddress, port) })
		if !ok || r.words() != want {
			t.Errorf("%s: %v, %q", port, ok, r.words())
		}
	}
	if _, ok := lastRecord(log, func(record) bool { return false }); ok {
		t.Error("a record that nobody wants was found")
	}
}

func TestTheLastComplaintIsFound(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"an error of two lines", "[2030-01-01 00:00:00.000][1][critical][main] [source/server/server.cc:1] error 'x'\nat line 2\n[2030-01-01 00:00:00.000][1][info][main] [source/server/server.cc:1] exiting\n", "error 'x'\nat line 2"},
		{"no error", "starting\nbye\n", "bye"},
		{"nothing", "", "it said nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lastComplaint(written(t, c.log)); got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}
