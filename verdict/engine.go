package verdict

import (
	"context"
	"net/netip"
)

// Engine answers requests in the name of pods of a mesh. It must be safe for use by several goroutines.
type Engine interface {
	// Ask makes one request. What the mesh answers, a refusal too, is an Answer; an error means that the question could
	// not be asked at all, such as an unknown pod.
	Ask(ctx context.Context, q Question) (Answer, error)
}

// Question is one request, or one connection, from one pod.
type Question struct {
	// Namespace and Pod are who asks.
	Namespace string
	Pod       string
	// Address and Port are what is connected to: a cluster IP, a pod, or something outside of the mesh.
	Address netip.AddrPort
	// Request is nil for a connection that is not HTTP: bytes are sent, and an answer is waited for.
	Request *Request
}

// Request is an HTTP request.
type Request struct {
	Protocol string // HTTP/1.1, HTTP/1.0, h2c, grpc or websocket
	Method   string
	Host     string
	// Path is sent byte for byte as it is written, query included.
	Path string
	// Headers are sent in order; a name may stand more than once.
	Headers []Header
	// Body is how many bytes of body are sent.
	Body int
}

// Header is one header line.
type Header struct{ Name, Value string }

// Answer is what came back.
type Answer struct {
	// Allowed says that the application behind the mesh answered. Everything else is a refusal.
	Allowed bool
	// Status is the HTTP status; 0 when there was no HTTP answer.
	Status int
	// Backend is the workload that answered, as it names itself; empty when none did.
	Backend string
	// Reason says in words why the request was refused, as far as that can be told.
	Reason string
	// Echo is what the application says it got, when it is the built-in echo server.
	Echo Echo
}

// Echo is what the built-in echo server says of itself and of what it got. It is the JSON body of its HTTP answers, and
// the line that it sends on other connections.
type Echo struct {
	Namespace string              `json:"namespace"`
	Pod       string              `json:"pod"`
	Workload  string              `json:"workload"`
	Port      int                 `json:"port"`
	Protocol  string              `json:"protocol"`
	Method    string              `json:"method,omitempty"`
	Host      string              `json:"host,omitempty"`
	Path      string              `json:"path,omitempty"`
	Headers   map[string][]string `json:"headers,omitempty"`
	Body      int                 `json:"body,omitempty"`
	Peer      string              `json:"peer"`
}
