package verdict

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Case is one question of a case file, and the answer that is wanted.
//
//   - name: bookbuyer may buy
//     from: bookbuyer/bookbuyer
//     to: bookstore.bookstore:14001
//     request: {method: GET, path: /buy-a-book/new, headers: {client-app: bookbuyer}}
//     want: allow
//     status: 200
type Case struct {
	Name string
	// From is namespace/serviceaccount or namespace/pod.
	From string
	// To is service[.namespace]:port, a pod's address and port, or host:port outside of the mesh.
	To string
	// Request is nil for a connection that is not HTTP.
	Request *Request
	Want    Verdict
	// Statuses are the HTTP statuses that are fine; empty means any.
	Statuses []int
	// Repeat is how many times the question is asked in a row, at least once.
	Repeat int
	// Backends are shares in percent by workload.
	Backends []Share
	// File and Line are where the case is written.
	File string
	Line int
}

// Verdict is allow or deny.
type Verdict string

// The verdicts.
const (
	Allow Verdict = "allow"
	Deny  Verdict = "deny"
)

// Share is a backend's part of the answers, in percent.
type Share struct {
	Workload string
	Percent  float64
}

// Parse reads a case file. What is wrong in it is one error that names every place.
func Parse(file string, text []byte) ([]Case, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if document.Kind == 0 {
		return nil, nil
	}
	list := document.Content[0]
	if list.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%s:%d: a case file is a list of cases", file, list.Line)
	}
	var cases []Case
	var failures []error
	for _, node := range list.Content {
		c, err := parseCase(file, node)
		cases, failures = append(cases, c), append(failures, err)
	}
	return cases, errors.Join(failures...)
}

// written is the form of a case in a file.
type written struct {
	Name     string             `yaml:"name"`
	From     string             `yaml:"from"`
	To       string             `yaml:"to"`
	Request  *writtenRequest    `yaml:"request"`
	Want     Verdict            `yaml:"want"`
	Status   oneOrMore[int]     `yaml:"status"`
	Repeat   int                `yaml:"repeat"`
	Backends map[string]float64 `yaml:"backends"`
}

type writtenRequest struct {
	Protocol string                       `yaml:"protocol"`
	Method   string                       `yaml:"method"`
	Path     string                       `yaml:"path"`
	Host     string                       `yaml:"host"`
	Headers  map[string]oneOrMore[string] `yaml:"headers"`
	Body     int                          `yaml:"body"`
}

// oneOrMore is a list, or a value that stands for a list of one.
type oneOrMore[T any] []T

// UnmarshalYAML reads either form.
func (o *oneOrMore[T]) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode((*[]T)(o))
	}
	var one T
	if err := node.Decode(&one); err != nil {
		return err
	}
	*o = oneOrMore[T]{one}
	return nil
}

func parseCase(file string, node *yaml.Node) (Case, error) {
	wrong := func(at *yaml.Node, format string, values ...any) error {
		return fmt.Errorf("%s:%d: %s", file, at.Line, fmt.Sprintf(format, values...))
	}
	if err := unknownKeys(node, caseKeys, "case"); err != nil {
		return Case{}, fmt.Errorf("%s:%w", file, err)
	}
	var w written
	if err := node.Decode(&w); err != nil {
		return Case{}, wrong(node, "%v", err)
	}
	c := Case{
		Name: w.Name, From: w.From, To: w.To, Want: w.Want, Statuses: w.Status, Repeat: max(1, w.Repeat),
		Request: w.Request.request(), File: file, Line: node.Line,
	}
	for workload, percent := range w.Backends {
		c.Backends = append(c.Backends, Share{workload, percent})
	}
	slices.SortFunc(c.Backends, func(a, b Share) int { return strings.Compare(a.Workload, b.Workload) })
	switch {
	case w.Name == "":
		return c, wrong(node, "a case needs a name")
	case strings.Count(w.From, "/") != 1:
		return c, wrong(node, "from is namespace/serviceaccount or namespace/pod, not %q", w.From)
	case !strings.Contains(w.To, ":"):
		return c, wrong(node, "to is service[.namespace]:port or address:port, not %q", w.To)
	case w.Want != Allow && w.Want != Deny:
		return c, wrong(node, "want is allow or deny, not %q", w.Want)
	case w.Request == nil && len(w.Status) > 0:
		return c, wrong(node, "a case without a request is a TCP connection, and has no status")
	}
	return c, nil
}

var (
	caseKeys    = []string{"name", "from", "to", "request", "want", "status", "repeat", "backends"}
	requestKeys = []string{"protocol", "method", "path", "host", "headers", "body"}
)

// unknownKeys refuses a mapping with a key that nobody reads: a typing mistake would change what is asked.
func unknownKeys(node *yaml.Node, known []string, what string) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("%d: a %s is a mapping", node.Line, what)
	}
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i]
		if !slices.Contains(known, key.Value) {
			return fmt.Errorf("%d: a %s has no %q; it has %s", key.Line, what, key.Value, strings.Join(known, ", "))
		}
		if key.Value == "request" {
			if err := unknownKeys(node.Content[i+1], requestKeys, "request"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writtenRequest) request() *Request {
	if w == nil {
		return nil
	}
	r := &Request{Protocol: w.Protocol, Method: w.Method, Path: w.Path, Host: w.Host, Body: w.Body}
	if r.Protocol == "" {
		r.Protocol = "HTTP/1.1"
	}
	if r.Method == "" {
		r.Method = "GET"
	}
	if r.Path == "" {
		r.Path = "/"
	}
	for name, values := range w.Headers {
		for _, value := range values {
			r.Headers = append(r.Headers, Header{name, value})
		}
	}
	slices.SortStableFunc(r.Headers, func(a, b Header) int { return strings.Compare(a.Name, b.Name) })
	return r
}
