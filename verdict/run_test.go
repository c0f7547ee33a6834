package verdict

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const file = `
- name: may buy
  from: bookbuyer/bookbuyer
  to: bookstore.bookstore:14001
  request: {method: POST, path: "/buy?x=1", headers: {b: [two, one], a: x}, body: 3}
  want: allow
  status: [200, 201]
- name: by pod and address
  from: bookbuyer/bookbuyer-1
  to: "[2001:db8::1]:3306"
  want: deny
  repeat: 2
- name: split
  from: bookbuyer/bookbuyer
  to: bookstore:80
  request: {}
  want: allow
  repeat: 10
  backends: {v1: 50, v2: 50}
`

func TestParse(t *testing.T) {
	cases, err := Parse("access.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []Case{
		{
			Name: "may buy", From: "bookbuyer/bookbuyer", To: "bookstore.bookstore:14001", Want: Allow, Statuses: []int{200, 201},
			Repeat: 1, File: "access.yaml", Line: 2,
			Request: &Request{Protocol: "HTTP/1.1", Method: "POST", Path: "/buy?x=1", Body: 3, Headers: []Header{{"a", "x"}, {"b", "two"}, {"b", "one"}}},
		},
		{Name: "by pod and address", From: "bookbuyer/bookbuyer-1", To: "[2001:db8::1]:3306", Want: Deny, Repeat: 2, File: "access.yaml", Line: 8},
		{
			Name: "split", From: "bookbuyer/bookbuyer", To: "bookstore:80", Want: Allow, Repeat: 10, File: "access.yaml", Line: 13,
			Request: &Request{Protocol: "HTTP/1.1", Method: "GET", Path: "/"}, Backends: []Share{{"v1", 50}, {"v2", 50}},
		},
	}
	if diff := cmp.Diff(want, cases); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not a list":      {"name: x", "access.yaml:1: a case file is a list"},
		"unknown key":     {"- name: x\n  form: a/b", `access.yaml:2: a case has no "form"`},
		"unknown request": {"- name: x\n  request: {methods: GET}", `a request has no "methods"`},
		"no name":         {"- from: a/b\n  to: c:1\n  want: allow", "a case needs a name"},
		"bad from":        {"- {name: x, from: b, to: 'c:1', want: allow}", "from is namespace/serviceaccount"},
		"bad to":          {"- {name: x, from: a/b, to: c, want: allow}", "to is service"},
		"bad want":        {"- {name: x, from: a/b, to: 'c:1', want: maybe}", "want is allow or deny"},
		"status of TCP":   {"- {name: x, from: a/b, to: 'c:1', want: allow, status: 200}", "has no status"},
		"wrong type":      {"- {name: x, from: a/b, to: 'c:1', want: allow, repeat: often}", "access.yaml:1"},
		"not YAML":        {"- {", "access.yaml"},
	} {
		if _, err := Parse("access.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want an error with %q, got %v", name, c.want, err)
		}
	}
	if cases, err := Parse("access.yaml", nil); err != nil || len(cases) != 0 {
		t.Errorf("an empty file: %v, %v", cases, err)
	}
}

// scripted answers in turn, and remembers what it was asked.
type scripted struct {
	mu      sync.Mutex
	answers []Answer
	asked   []Question
	err     error
}

func (s *scripted) Ask(_ context.Context, q Question) (Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer := s.answers[len(s.asked)%len(s.answers)]
	s.asked = append(s.asked, q)
	return answer, s.err
}

var directory = Directory{
	Pods: []Pod{{"bookbuyer", "bookbuyer-1", "bookbuyer"}, {"bookbuyer", "bookbuyer-0", "bookbuyer"}},
	Names: map[string][]netip.Addr{
		"bookstore.bookstore.svc.cluster.local": {netip.MustParseAddr("198.18.0.1")},
		"bookstore.bookbuyer.svc.cluster.local": {netip.MustParseAddr("198.18.0.2")},
	},
}

func TestRun(t *testing.T) {
	allowed := func(backend string) Answer { return Answer{Allowed: true, Status: 200, Backend: backend} }
	refused := Answer{Status: 403, Reason: "RBAC: access denied"}
	get := &Request{Method: "GET", Path: "/"}
	for _, c := range []struct {
		name    string
		case_   Case
		answers []Answer
		err     error
		want    string
	}{
		{"allowed as wanted", Case{Want: Allow, Request: get}, []Answer{allowed("v1")}, nil, ""},
		{"refused as wanted", Case{Want: Deny, Request: get, Statuses: []int{403}}, []Answer{refused}, nil, ""},
		{"refused", Case{Want: Allow, Request: get}, []Answer{refused}, nil, "want allow, got deny (status 403, RBAC: access denied)"},
		{"allowed", Case{Want: Deny, Request: get}, []Answer{allowed("v1")}, nil, "want deny, got allow (status 200, from v1)"},
		{"other status", Case{Want: Deny, Request: get, Statuses: []int{404, 503}}, []Answer{refused}, nil, "want status 404 or 503, got 403 (status 403, RBAC: access denied)"},
		{"second of two", Case{Want: Allow, Request: get, Repeat: 2}, []Answer{allowed("v1"), refused}, nil, "answer 2 of 2: want allow, got deny (status 403, RBAC: access denied)"},
		{"shares", Case{Want: Allow, Request: get, Repeat: 10, Backends: []Share{{"v1", 55}, {"v2", 45}}}, []Answer{allowed("v1"), allowed("v2")}, nil, ""},
		{"shares off", Case{Want: Allow, Request: get, Repeat: 10, Backends: []Share{{"v1", 80}, {"v2", 20}}}, []Answer{allowed("v1"), allowed("v2")}, nil, "want 80 % from v1, got 50 %"},
		{"nothing is exactly nothing", Case{Want: Allow, Request: get, Repeat: 20, Backends: []Share{{"v2", 0}}}, slicesRepeat(allowed("v1"), 19, allowed("v2")), nil, "want 0 % from v2, got 5 %"},
		{"a stranger", Case{Want: Allow, Request: get, Backends: []Share{{"v1", 5}}}, []Answer{allowed("v3")}, nil, `an answer came from "v3", which is not among the backends`},
		{"cannot ask", Case{Want: Allow, Request: get}, []Answer{{}}, errors.New("no such pod"), "no such pod"},
		{"unknown name", Case{Want: Allow, To: "nobody:80"}, []Answer{{}}, nil, "the name nobody leads nowhere"},
		{"unknown pod", Case{Want: Allow, From: "bookbuyer/nobody"}, []Answer{{}}, nil, "no pod or service account bookbuyer/nobody: there are bookbuyer/bookbuyer-0, bookbuyer/bookbuyer-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.case_.From == "" {
				c.case_.From = "bookbuyer/bookbuyer"
			}
			if c.case_.To == "" {
				c.case_.To = "bookstore.bookstore:14001"
			}
			c.case_.Repeat = max(1, c.case_.Repeat)
			got := Run(t.Context(), &scripted{answers: c.answers, err: c.err}, directory, []Case{c.case_}, 10)
			if got[0].Failure != c.want || got[0].Passed != (c.want == "") {
				t.Errorf("want %q, got %q", c.want, got[0].Failure)
			}
		})
	}
}

func slicesRepeat(a Answer, n int, rest ...Answer) []Answer {
	var list []Answer
	for range n {
		list = append(list, a)
	}
	return append(list, rest...)
}

func TestQuestion(t *testing.T) {
	for _, c := range []struct {
		name, from, to, host string
		want                 Question
	}{
		{"service of another namespace", "bookbuyer/bookbuyer", "bookstore.bookstore:14001", "", Question{Namespace: "bookbuyer", Pod: "bookbuyer-0", Address: netip.MustParseAddrPort("198.18.0.1:14001"), Request: &Request{Host: "bookstore.bookstore:14001"}}},
		{"service of the own namespace", "bookbuyer/bookbuyer-1", "bookstore:80", "shop.example", Question{Namespace: "bookbuyer", Pod: "bookbuyer-1", Address: netip.MustParseAddrPort("198.18.0.2:80"), Request: &Request{Host: "shop.example"}}},
		{"address", "bookbuyer/bookbuyer", "[2001:db8::1]:80", "", Question{Namespace: "bookbuyer", Pod: "bookbuyer-0", Address: netip.MustParseAddrPort("[2001:db8::1]:80"), Request: &Request{Host: "[2001:db8::1]:80"}}},
	} {
		got, err := directory.question(Case{From: c.from, To: c.to, Request: &Request{Host: c.host}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if _, err := directory.question(Case{From: "bookbuyer/bookbuyer", To: "bookstore:port"}); err == nil {
		t.Error("a port that is no number was taken")
	}
}

func TestReports(t *testing.T) {
	results := []Result{
		{Case: Case{Name: "a", From: "x/y", To: "z:1", Want: Allow, File: "f", Line: 3}, Passed: true},
		{Case: Case{Name: "b", From: "x/y", To: "z:1", Want: Deny, File: "f", Line: 9}, Failure: "want deny, got allow"},
	}
	for name, c := range map[string]struct {
		render func() ([]byte, error)
		want   []string
	}{
		"text":  {func() ([]byte, error) { return []byte(Text(results)), nil }, []string{"ok    allow  a  (x/y → z:1)", "FAIL  deny   b", "f:9: want deny, got allow", "1 of 2 requests"}},
		"json":  {func() ([]byte, error) { return JSON(results) }, []string{`"passed": true`, `"failure": "want deny, got allow"`}},
		"junit": {func() ([]byte, error) { return JUnit(results) }, []string{`tests="2" failures="1"`, `<failure message="want deny, got allow">`}},
	} {
		text, err := c.render()
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
	}
}
