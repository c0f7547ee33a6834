package faults

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// One proxy sends what no proxy sends, hundreds of times: random bytes before and after its handshake, random and mutilated
// messages, answers to what was not sent, names without end. Only its own streams end. Its neighbours keep their one stream
// and are served an edit within 30 seconds; goroutines and files of the control plane come back to what they were,
// and its heap to within 8 MiB.
func TestGarbageIsNobodyElsesTrouble(t *testing.T) {
	const seed = 8
	random := rand.New(rand.NewPCG(seed, 0))
	folder, manifests := manifests(t, 20, seed)
	p := place(t, folder)
	process := start(t, p)
	known := nodes(t, folder)
	all := join(t, known[1:], p.Sidecar)
	hostile := p.Sidecar(known[0])
	delete(all, known[0])
	settled := func() bool { return p.Settled(len(known) - 1) }
	within(t, recovery, "the neighbours are served", settled)
	before := p.Use()

	for _, fault := range []struct {
		name   string
		rounds int
		do     func(*garbage, context.Context) error
	}{
		{"bytes instead of a handshake", 40, (*garbage).onTCP},
		{"bytes instead of HTTP/2", 40, (*garbage).onTLS},
		{"a preface, and bytes instead of frames", 40, (*garbage).afterPreface},
		{"bytes instead of messages", 40, (*garbage).messages},
		{"messages with some bytes changed", 40, (*garbage).mutilated},
		{"answers to what was not sent", 40, (*garbage).answers},
		{"names without end", 8, (*garbage).names},
		{"a message that is too big", 4, (*garbage).big},
		{"everything out of order", 40, (*garbage).order},
	} {
		t.Run(fault.name, func(t *testing.T) {
			for range fault.rounds {
				ctx, cancel := context.WithTimeout(t.Context(), recovery)
				if err := fault.do(&garbage{hostile, known[0], random}, ctx); err != nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	defer func() {
		if t.Failed() {
			t.Logf("connected: %v of %d, waiting: %v; of the hostile one: %s", p.Numbers()["fsm_proxies_connected"], len(known)-1, p.Numbers()["fsm_events_queued"],
				p.Get("/debug/proxies/"+hostile.Node+"?format=json"))
		}
	}()
	within(t, recovery, "its streams have ended", settled)
	returned(t, p, before, 8<<20)
	edit(t, manifests)
	if err := manifests.Write(); err != nil {
		t.Fatal(err)
	}
	known = nodes(t, folder)
	served(t, all, hostile.Node, folder)
	for node, s := range all {
		if n := s.Counts().Streams; n > 1 {
			t.Errorf("%s had %d streams", node, n)
		}
	}
	all.noRepeats(t)
	if strings.Contains(process.Said(), "panic") {
		t.Error("it panics")
	}
}

// served waits until all but one proxy have all.
func served(t *testing.T, all fleet, except, folder string) {
	t.Helper()
	want := whole(t, folder)
	delete(want, except)
	for node := range want {
		if all[node] == nil {
			delete(want, node) // the edit has made it
		}
	}
	within(t, recovery, "the neighbours have what was edited", func() bool { return all.lacks(want) == "" })
}

// garbage is a proxy that sends it.
type garbage struct {
	sidecar.Options
	node   string
	random *rand.Rand
}

func (g *garbage) bytes() []byte {
	b := make([]byte, 1+g.random.IntN(4096))
	for i := range b {
		b[i] = byte(g.random.Uint32())
	}
	return b
}

// send sends bytes on a connection and waits for its end, or half a second at most: some garbage is the beginning of something
// that may go on.
func send(c net.Conn, b []byte) error {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(500 * time.Millisecond))
	_, _ = c.Write(b)
	buffer := make([]byte, 4096)
	for {
		if _, err := c.Read(buffer); err != nil {
			return nil
		}
	}
}

func (g *garbage) onTCP(ctx context.Context) error {
	c, err := g.Dial(ctx)
	if err != nil {
		return err
	}
	return send(c, g.bytes())
}

func (g *garbage) onTLS(ctx context.Context) error { return g.shaken(ctx, nil) }
func (g *garbage) afterPreface(ctx context.Context) error {
	return g.shaken(ctx, []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
}

func (g *garbage) shaken(ctx context.Context, first []byte) error {
	c, err := g.Dial(ctx)
	if err != nil {
		return err
	}
	config, err := g.TLS()
	if err != nil {
		return err
	}
	return send(tls.Client(c, config), append(first, g.bytes()...))
}

// stream sends messages on one stream, after a good one, and wants the server to end it or to go on answering.
func (g *garbage) stream(ctx context.Context, messages ...[]byte) error {
	connection, err := g.Connection()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	stream, err := connection.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
		discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName, grpc.ForceCodecV2(raw{}))
	if err != nil {
		return err
	}
	for _, b := range append([][]byte{g.request(sidecar.Clusters)}, messages...) {
		if stream.SendMsg(b) != nil {
			return nil // it has ended
		}
	}
	var b []byte
	if err := stream.RecvMsg(&b); errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return fmt.Errorf("the stream neither ends nor is answered: %w", err)
	}
	return nil
}

func (g *garbage) request(k sidecar.Kind, edit ...func(*discoveryv3.DeltaDiscoveryRequest)) []byte {
	r := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: k.URL(), Node: &corev3.Node{Id: g.node}}
	for _, e := range edit {
		e(r)
	}
	b, err := proto.Marshal(r)
	if err != nil {
		panic(err)
	}
	return b
}

func (g *garbage) kind() sidecar.Kind { return sidecar.Kind(g.random.IntN(5)) }

func (g *garbage) messages(ctx context.Context) error { return g.stream(ctx, g.bytes(), g.bytes()) }

func (g *garbage) mutilated(ctx context.Context) error {
	b := g.request(g.kind(), func(r *discoveryv3.DeltaDiscoveryRequest) {
		r.ResourceNamesSubscribe, r.InitialResourceVersions = []string{"a", "*", ""}, map[string]string{"b": "1"}
		r.ResponseNonce = "1"
	})
	for range 1 + g.random.IntN(8) {
		b[g.random.IntN(len(b))] = byte(g.random.Uint32())
	}
	return g.stream(ctx, b, b[:g.random.IntN(len(b))])
}

func (g *garbage) answers(ctx context.Context) error {
	var list [][]byte
	for range 20 {
		list = append(list, g.request(g.kind(), func(r *discoveryv3.DeltaDiscoveryRequest) {
			r.ResponseNonce = []string{"1", "2", "7", "1000000", "9223372036854775807"}[g.random.IntN(5)]
			if g.random.IntN(2) == 0 {
				r.ErrorDetail = &status.Status{Message: strings.Repeat("no ", g.random.IntN(10_000))}
			}
		}))
	}
	return g.stream(ctx, append(list, g.request(sidecar.Clusters, func(r *discoveryv3.DeltaDiscoveryRequest) { r.ResponseNonce = "-1" }))...)
}

func (g *garbage) names(ctx context.Context) error {
	many := g.request(g.kind(), func(r *discoveryv3.DeltaDiscoveryRequest) {
		for i := range 60_000 {
			r.ResourceNamesSubscribe = append(r.ResourceNamesSubscribe, fmt.Sprint(g.random.IntN(1_000_000_000), i))
		}
	})
	long := g.request(g.kind(), func(r *discoveryv3.DeltaDiscoveryRequest) {
		r.ResourceNamesSubscribe = []string{strings.Repeat("x", 1<<20)}
	})
	return g.stream(ctx, long, many, many)
}

// big sends a message that is bigger than a request may be, which has to end the stream.
func (g *garbage) big(ctx context.Context) error {
	const most = 16 << 20
	return g.stream(ctx, g.request(g.kind(), func(r *discoveryv3.DeltaDiscoveryRequest) {
		r.ResourceNamesSubscribe = []string{strings.Repeat("x", most+1)}
	}))
}

func (g *garbage) order(ctx context.Context) error {
	var list [][]byte
	for range 30 {
		list = append(list, g.request(g.kind(), func(r *discoveryv3.DeltaDiscoveryRequest) {
			names := []string{"*", "", "service-cert", "rds-outbound.80", "no/such|80"}
			for _, name := range names[:g.random.IntN(len(names))] {
				if g.random.IntN(2) == 0 {
					r.ResourceNamesUnsubscribe = append(r.ResourceNamesUnsubscribe, name)
				}
				if g.random.IntN(2) == 0 {
					r.ResourceNamesSubscribe = append(r.ResourceNamesSubscribe, name)
				}
			}
			r.InitialResourceVersions = map[string]string{"no/such|80": "1"}
		}))
	}
	return g.stream(ctx, list...)
}

// raw sends and receives bytes as they are.
type raw struct{}

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func (raw) Name() string { return "proto" }
