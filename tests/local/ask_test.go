//go:build linux

package local

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/verdict"
)

// question is a row of a table: who asks whom for what, and what shall come of it.
type question struct {
	name    string
	from    string // namespace/pod
	to      string // host:port
	request *verdict.Request
	// allowed is the workload that shall answer; empty when nobody shall.
	allowed string
	status  int
	// reason is a part of the reason of a refusal.
	reason string
	check  func(t *testing.T, said verdict.Echo)
}

// askAll asks the questions of a mesh, all at once.
func (r *running) askAll(t *testing.T, questions []question) {
	t.Helper()
	for _, q := range questions {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			answer := r.ask(t, q.from, q.to, q.request)
			if answer.Allowed != (q.allowed != "") || answer.Backend != q.allowed || q.status != 0 && answer.Status != q.status {
				t.Errorf("got %+v", answer)
			}
			if !strings.Contains(answer.Reason, q.reason) {
				t.Errorf("the reason is %q, and lacks %q", answer.Reason, q.reason)
			}
			if !answer.Allowed && answer.Reason == "" {
				t.Error("a refusal without a reason")
			}
			if q.check != nil {
				q.check(t, answer.Echo)
			}
		})
	}
}

func (r *running) ask(t *testing.T, from, to string, request *verdict.Request) verdict.Answer {
	t.Helper()
	namespace, pod, _ := strings.Cut(from, "/")
	q := verdict.Question{Namespace: namespace, Pod: pod, Address: r.resolve(t, from, to)}
	if request != nil {
		whole := *request
		if whole.Host == "" {
			whole.Host = to
		}
		q.Request = &whole
	}
	answer, err := r.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// resolve finds the address of a host and port as a program in the pod would.
func (r *running) resolve(t *testing.T, from, to string) netip.AddrPort {
	t.Helper()
	if at, err := netip.ParseAddrPort(to); err == nil {
		return at
	}
	i := strings.LastIndex(to, ":")
	out, code := r.exec(from, "getent", "ahostsv4", to[:i])
	fields := strings.Fields(out)
	if code != 0 || len(fields) == 0 {
		t.Fatalf("%s does not resolve in %s: %s", to, from, out)
	}
	return netip.MustParseAddrPort(fields[0] + to[i:])
}

func get(path string) *verdict.Request {
	return &verdict.Request{Protocol: "HTTP/1.1", Method: "GET", Path: path}
}
