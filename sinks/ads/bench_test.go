package ads

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"google.golang.org/grpc"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// silent is the transport of a proxy that acknowledges everything at once. It has no connection.
type silent struct {
	grpc.ServerStream
	ctx      context.Context
	requests chan request
	bytes    int
}

// Context implements grpc.ServerStream.
func (s *silent) Context() context.Context { return s.ctx }

// SendMsg implements grpc.ServerStream.
func (s *silent) SendMsg(any) error { return nil }

// acknowledging is the incremental protocol without a wire.
type acknowledging struct {
	delta
	*silent
}

func (a acknowledging) receive(grpc.ServerStream) (request, error) {
	select {
	case r := <-a.requests:
		return r, nil
	case <-a.ctx.Done():
		return request{}, a.ctx.Err()
	}
}

func (a acknowledging) response(p *progress, m message, bytes func(*compiler.Resource) []byte) *response {
	r := a.delta.response(p, m, bytes)
	a.bytes += r.size
	a.requests <- request{kind: m.kind, nonce: m.nonce}
	return r
}

// anybody is every proxy's identity.
type anybody struct{ model.Identity }

// Authenticate implements Authenticator.
func (a anybody) Authenticate(context.Context) (model.Identity, error) { return a.Identity, nil }

// BenchmarkPublish moves a permission of 100 services back and forth for 1,000 streams of one class: from Publish until
// all have acknowledged. It tells the memory of an idle stream, without gRPC's own.
func BenchmarkPublish(b *testing.B) {
	const streams = 1000
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server := NewServer(Options{Credentials: newAuthority(b), Authenticate: anybody{buyer}})
	mesh := newShop(manyServices(100)...)
	mesh.buyers = streams
	first := mesh.snapshot()
	mesh.services = append(mesh.services[:99:99], "another")
	second := mesh.snapshot()
	publish(b, server, first)
	before := heap()
	for i := range streams {
		s := &silent{ctx: ctx, requests: make(chan request, 64)}
		for k := range kinds {
			r := request{kind: k, subscribe: []string{anything}}
			if k == 0 {
				r.node = fmt.Sprintf("shop/buyer-%d", i)
			}
			s.requests <- r
		}
		go func() { _ = server.serve(s, acknowledging{silent: s}) }()
	}
	eventually(b, "all are in", func() bool {
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.streams) == streams
	})
	eventually(b, "all are settled", server.Settled)
	idle := float64(heap()-before) / streams
	b.ReportAllocs()
	for b.Loop() {
		publish(b, server, second)
		first, second = second, first
		settleRoutes(b, server)
	}
	b.ReportMetric(idle, "B/idle-stream")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/streams, "ns/stream")
}

// settleRoutes waits until every stream has been sent the newest routes and has acknowledged them.
func settleRoutes(b *testing.B, s *Server) {
	for _, st := range s.connected() {
		eventually(b, "the routes are there", func() bool {
			st.mu.Lock()
			defer st.mu.Unlock()
			return st.has == st.target() && st.progress.settledIn(routes)
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
