package ads

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// follower is a proxy that asks for everything and acknowledges what it gets, but for what it is told to reject.
type follower struct {
	t      testing.TB
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	has      [kinds]map[string]*discoveryv3.Resource
	received []received
	err      error
	reject   func(*discoveryv3.Resource) string
}

// received is a message that came.
type received struct {
	kind    kind
	names   []string
	removed []string
}

func dial(t testing.TB, address net.Addr, c *tls.Config) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address.String(), grpc.WithTransportCredentials(credentials.NewTLS(c)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// followAs opens a stream as a proxy, with the versions that another follower has.
func followAs(t testing.TB, conn *grpc.ClientConn, id model.ProxyID, before *follower, reject func(*discoveryv3.Resource) string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{t: t, cancel: cancel, done: make(chan struct{}), reject: reject}
	t.Cleanup(f.stop)
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		f.err = err
		close(f.done)
		return f
	}
	f.stream = stream
	for k := range kinds {
		f.has[k] = map[string]*discoveryv3.Resource{}
		ask := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[k], ResourceNamesSubscribe: []string{anything}}
		if before != nil {
			ask.InitialResourceVersions = before.versions(k)
			f.has[k] = before.has[k]
		}
		if k == 0 {
			ask.Node = &corev3.Node{Id: id.String()}
		}
		if stream.Send(ask) != nil {
			break // and the reason is received
		}
	}
	go f.run()
	return f
}

func (f *follower) run() {
	defer close(f.done)
	for {
		m, err := f.stream.Recv()
		if err != nil {
			f.mu.Lock()
			f.err = err
			f.mu.Unlock()
			return
		}
		answer := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: m.TypeUrl, ResponseNonce: m.Nonce}
		if reason := f.take(m); reason != "" {
			answer.ErrorDetail = &rpcstatus.Status{Code: 3, Message: reason}
		}
		if f.stream.Send(answer) != nil {
			continue // and the reason is received
		}
	}
}

func (f *follower) take(m *discoveryv3.DeltaDiscoveryResponse) (reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, _ := kindOf(m.TypeUrl)
	r := received{kind: k, removed: m.RemovedResources}
	for _, x := range m.Resources {
		r.names = append(r.names, x.Name)
		if f.reject != nil {
			if why := f.reject(x); why != "" {
				reason = why
				continue
			}
		}
		f.has[k][x.Name] = x
	}
	for _, name := range m.RemovedResources {
		delete(f.has[k], name)
	}
	f.received = append(f.received, r)
	return reason
}

func (f *follower) stop() {
	f.cancel()
	<-f.done
}

func (f *follower) versions(k kind) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]string{}
	for name, r := range f.has[k] { //ordered: it becomes a map
		all[name] = r.Version
	}
	return all
}

// heard are the messages since the last call.
func (f *follower) heard() []received {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.received
	f.received = nil
	return list
}

// ended waits for the end of the stream, and is its reason.
func (f *follower) ended() error {
	f.t.Helper()
	select {
	case <-f.done:
	case <-time.After(30 * time.Second):
		f.t.Fatal("the stream does not end")
	}
	return f.err
}

// events collects what an observer is told.
type events struct {
	mu   sync.Mutex
	list []sinks.Event
}

func (e *events) observe(x sinks.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, x)
}

// count counts the events of a kind and reason.
func (e *events) count(kind sinks.EventKind, reason string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, x := range e.list {
		if x.Kind == kind && (reason == "" || x.Reason == reason) {
			n++
		}
	}
	return n
}

func contextFor(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
