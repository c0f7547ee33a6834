package ads

import (
	"strconv"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/flomesh-io/fsmc/compiler"
)

// delta is the incremental protocol.
type delta struct{}

func (delta) name() string { return "delta" }

func (delta) whole() bool { return false }

// receive waits for a request.
func (delta) receive(stream grpc.ServerStream) (request, error) { return read(stream, deltaRequest) }

// deltaRequest decodes a request.
func deltaRequest(b []byte) (request, error) {
	if r, ok := plainRequest(b); ok {
		return r, nil
	}
	return anyRequest(b)
}

// anyRequest decodes a request, whatever is in it.
func anyRequest(b []byte) (request, error) {
	m := &discoveryv3.DeltaDiscoveryRequest{}
	if err := decoded(b, m); err != nil {
		return request{}, err
	}
	r, err := newRequest(m.GetTypeUrl(), m.GetNode(), m.GetResponseNonce(), m.GetErrorDetail())
	r.subscribe, r.unsubscribe, r.versions = m.GetResourceNamesSubscribe(), m.GetResourceNamesUnsubscribe(), m.GetInitialResourceVersions()
	return r, err
}

// newRequest is what requests of both protocols have.
func newRequest(url string, node *corev3.Node, nonce string, failure *status.Status) (request, error) {
	k, ok := kindOf(url)
	if !ok {
		return request{}, refuse(codes.InvalidArgument, "type", "there are no resources of type %.100q", url)
	}
	r := request{node: node.GetId(), kind: k, failed: failure != nil, reason: failure.GetMessage()}
	if nonce != "" {
		n, err := strconv.Atoi(nonce)
		if err != nil || n <= 0 {
			return request{}, refuse(codes.InvalidArgument, "nonce", "%.100q is no nonce of this stream", nonce)
		}
		r.nonce = n
	}
	return r, nil
}

// take takes down a request.
func (delta) take(p *progress, r request, now time.Time) { p.take(r, now) }

// response is the wire form of a message.
func (delta) response(_ *progress, m message, bytes func(*compiler.Resource) []byte) *response {
	url := kindURLs[m.kind]
	head, names := len(url)+64, 0
	for _, name := range m.removes {
		head += len(name) + 8
	}
	for _, put := range m.puts {
		names += len(put.Name) + len(put.Version)
	}
	r := newResponse(url, head, len(m.puts), names)
	r.write(func(b []byte) []byte {
		b = appendString(appendString(b, deltaType, url), deltaNonce, strconv.Itoa(m.nonce))
		for _, name := range m.removes {
			b = appendString(b, deltaRemoved, name)
		}
		return b
	})
	for _, put := range m.puts {
		r.addResource(url, put.Name, put.Version, bytes(put))
	}
	return r
}
