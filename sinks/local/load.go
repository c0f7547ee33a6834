package local

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// Load is a steady load from one pod to one address, of which every single outcome is told.
type Load struct {
	// Namespace and Pod are who asks, Address is what is connected to.
	Namespace, Pod string
	Address        netip.AddrPort
	Kind           LoadKind
	// Request is what is asked for; GET / when it is nil. The address is its host when it has none. Kinds but FreshConnections
	// choose the protocol themselves.
	Request *verdict.Request
	// Connections are open at a time, each with its own requests; 1 when it is 0. Parallel is how many requests are under
	// way on each, for HTTP2Requests only; 1 when it is 0.
	Connections, Parallel int
	// Every is the time from the beginning of a request to that of the next one; when it is 0, or an answer takes longer,
	// the next request follows the answer at once. A connection that is refused is made again after 10 ms at least.
	Every time.Duration
	// Count ends the load after so many outcomes, For after so much time. One of them has to be given.
	Count int
	For   time.Duration
}

// LoadKind is what is done with a connection.
type LoadKind string

// The kinds of a load. A connection that ends is made again, which Outcome.Connection shows. What they need of the other
// side, the echo server has.
const (
	// HTTP1Requests asks one request of HTTP/1.1 after another.
	HTTP1Requests LoadKind = "http1"
	// HTTP2Requests asks many requests of HTTP/2, with prior knowledge; those of gRPC if the Request's protocol is grpc.
	HTTP2Requests LoadKind = "http2"
	// HTTP2Stream asks one request of HTTP/2, the answer of which does not end. Each of its lines is an outcome; the server
	// sends one Every, or every 100 ms.
	HTTP2Stream LoadKind = "http2-stream"
	// WebsocketMessages sends one message after another on a websocket, and waits for each to come back.
	WebsocketMessages LoadKind = "websocket"
	// TCPLines sends one line after another, without HTTP, and waits for each to come back.
	TCPLines LoadKind = "tcp"
	// FreshConnections makes a connection for each request, as Ask does; without HTTP when Request is nil.
	FreshConnections LoadKind = "fresh"
)

// Outcome is what came of one request, line or message.
type Outcome struct {
	// At is when it was asked, Took how long it took.
	At   time.Time
	Took time.Duration
	// Connection counts the connections of the load, from 1.
	Connection int
	Result     Result
	// Status is the HTTP status; 0 when there was none. Backend is the workload that answered.
	Status  int
	Backend string
	// Reason says in words why it was not allowed.
	Reason string
}

// Result is how a request ended.
type Result string

const (
	// Allowed says that the application answered, and has proved it if every application of the mesh is the echo server.
	Allowed Result = "allowed"
	// Denied says that a sidecar answered that it is forbidden (403, or the same in gRPC).
	Denied Result = "denied"
	// Failed is anything else, such as a connection that was refused or has ended, or a 503. For what is no HTTP this is also
	// how a sidecar forbids.
	Failed Result = "failed"
)

// Report sums outcomes up.
type Report struct {
	Allowed, Denied, Failed int
	// Connections is the highest number of a connection.
	Connections int
	// Backends and Reasons count outcomes by the workload that answered, and by why they were not allowed.
	Backends, Reasons map[string]int
	// Longest is the longest time that one took.
	Longest time.Duration
}

// Add counts outcomes.
func (r *Report) Add(outcomes ...Outcome) {
	if r.Backends == nil {
		r.Backends, r.Reasons = map[string]int{}, map[string]int{}
	}
	for _, o := range outcomes {
		switch o.Result {
		case Allowed:
			r.Allowed++
		case Denied:
			r.Denied++
		default:
			r.Failed++
		}
		if o.Backend != "" {
			r.Backends[o.Backend]++
		}
		if o.Reason != "" {
			r.Reasons[o.Reason]++
		}
		r.Connections, r.Longest = max(r.Connections, o.Connection), max(r.Longest, o.Took)
	}
}

// Total is how many outcomes there were.
func (r *Report) Total() int { return r.Allowed + r.Denied + r.Failed }

// whole is the load with its defaults, or what makes it impossible.
func (l Load) whole() (Load, error) {
	kinds := []LoadKind{HTTP1Requests, HTTP2Requests, HTTP2Stream, WebsocketMessages, TCPLines, FreshConnections}
	if !slices.Contains(kinds, l.Kind) {
		return l, fmt.Errorf("there is no load of kind %q", l.Kind)
	}
	if !l.Address.IsValid() {
		return l, errors.New("a load without an address")
	}
	if l.Count <= 0 && l.For <= 0 {
		return l, errors.New("a load without an end: it needs a count or a time")
	}
	l.Connections = max(l.Connections, 1)
	if l.Parallel = max(l.Parallel, 1); l.Kind != HTTP2Requests {
		l.Parallel = 1
	}
	if l.Request == nil && l.Kind != FreshConnections {
		l.Request = &verdict.Request{}
	}
	if l.Request != nil && l.Request.Host == "" {
		request := *l.Request
		request.Host = l.Address.String()
		l.Request = &request
	}
	return l, nil
}
