package ads

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sinks"
)

// TestASlowProxyHoldsUpNobody: a proxy that does not read is passed by, and let go in the end; its neighbour gets
// everything at once.
func TestASlowProxyHoldsUpNobody(t *testing.T) {
	t.Parallel()
	a, counted := newAuthority(t), &events{}
	server, address := serving(t, a, Options{Observe: counted.observe, Limits: Limits{Send: 500 * time.Millisecond, Wait: time.Millisecond}})
	mesh := newShop(manyServices(200)...)
	mesh.buyers = 2
	publish(t, server, mesh.snapshot())
	slow, err := discoveryv3.NewAggregatedDiscoveryServiceClient(dial(t, address, a.client(a.of(buyer)))).DeltaAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// It asks again and again, for more than the windows of its connection take, and never reads.
	asked, names := make(chan struct{}), everyCluster(mesh)
	go func() {
		defer close(asked)
		node := &corev3.Node{Id: "shop/buyer-1"}
		for slow.Send(&discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: kindURLs[clusters], ResourceNamesSubscribe: names}) == nil {
			node = nil
		}
	}()
	f := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil)
	for i := range 3 {
		mesh.services = append(mesh.services, fmt.Sprintf("more-%d", i))
		publish(t, server, mesh.snapshot())
		eventually(t, "the neighbour has it", func() bool { return f.versions(clusters)[fmt.Sprintf("shop/more-%d|80", i)] != "" })
	}
	eventually(t, "the slow one is let go", func() bool { return counted.count(sinks.StreamRefused, "slow") == 1 })
	for err == nil {
		_, err = slow.Recv() // it reads again, and learns why
	}
	<-asked
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("it ends with %v", err)
	}
}

func manyServices(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("service-%03d", i))
	}
	return names
}

func everyCluster(mesh shop) []string {
	var names []string
	for _, s := range mesh.services {
		names = append(names, "shop/"+s+"|80")
	}
	return names
}

// TestBigAnswersAreSplit: what is too big for one message comes in several, and nothing is missing.
func TestBigAnswersAreSplit(t *testing.T) {
	t.Parallel()
	mesh := newShop(manyServices(100)...)
	_, _, f := served(t, mesh, buyerProxy, buyer, Options{Limits: Limits{MessageBytes: 20_000}})
	messages := 0
	for _, r := range f.heard() {
		if r.kind == clusters {
			messages++
		}
	}
	if n := len(f.versions(clusters)); n != classOf(t, mesh.snapshot(), buyerProxy).Clusters.Len() || messages < 3 {
		t.Errorf("%d clusters come in %d messages", n, messages)
	}
}

// TestGarbage ends the stream that it comes on, and no other.
func TestGarbage(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server, address := serving(t, a, Options{Limits: Limits{Names: 100}})
	publish(t, server, newShop("web").snapshot())
	neighbour := followAs(t, dial(t, address, a.client(a.of(seller))), sellerProxy, nil, nil)
	eventually(t, "the neighbour is settled", func() bool { return len(server.Proxies()) == 1 && server.Settled() })
	for _, row := range []struct {
		name string
		send []byte
		says string
	}{
		{"bytes that are no message", []byte{0xff, 0xff, 0xff}, "cannot be read"},
		{"a kind that does not exist", marshalled(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/envoy.Nothing"}), "no resources of type"},
		{"no kind", marshalled(t, &discoveryv3.DeltaDiscoveryRequest{}), "no resources of type"},
		{"a nonce of somebody else", marshalled(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[clusters], ResponseNonce: "x"}), "no nonce"},
		{"too many names", marshalled(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[endpoints], ResourceNamesSubscribe: manyServices(101)}), "has 101 names"},
		{"another node", marshalled(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[clusters], Node: &corev3.Node{Id: "shop/seller-0"}}), "is of shop/buyer-0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			conn := dial(t, address, a.client(a.of(buyer)))
			stream, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true},
				discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName, grpc.ForceCodecV2(rawCodec{}))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range [][]byte{
				marshalled(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: kindURLs[clusters], Node: &corev3.Node{Id: buyerProxy.String()}}), row.send,
			} {
				if err := stream.SendMsg(b); err != nil {
					t.Fatal(err)
				}
			}
			for err == nil {
				var b []byte
				err = stream.RecvMsg(&b)
			}
			if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), row.says) {
				t.Errorf("it ends with %v", err)
			}
		})
	}
	select {
	case <-neighbour.done:
		t.Errorf("the neighbour ends with %v", neighbour.err)
	default:
	}
}

// rawCodec sends and receives bytes as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func (rawCodec) Name() string { return "proto" }

// TestStreamsOfOneProxyAreBounded: the oldest makes room.
func TestStreamsOfOneProxyAreBounded(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server, address := serving(t, a, Options{Limits: Limits{Streams: 2}})
	publish(t, server, newShop("web").snapshot())
	var all []*follower
	for i := range 3 {
		all = append(all, followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil))
		eventually(t, "it is in", func() bool { return len(server.Proxies()) == min(i+1, 2) })
	}
	if err := all[0].ended(); status.Code(err) != codes.Aborted {
		t.Errorf("the oldest ends with %v", err)
	}
}

// TestASilentStreamEnds: who says nothing does not stay.
func TestASilentStreamEnds(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	_, address := serving(t, a, Options{Limits: Limits{FirstRequest: 20 * time.Millisecond}})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(dial(t, address, a.client(a.of(buyer)))).StreamAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = stream.Recv(); status.Code(err) != codes.DeadlineExceeded || !strings.Contains(err.Error(), "no request") {
		t.Errorf("it ends with %v", err)
	}
}

// TestTheServerIsItself: a control plane whose certificate is of somebody else does not serve.
func TestTheServerIsItself(t *testing.T) {
	t.Parallel()
	a, counted := newAuthority(t), &events{}
	a.pairs[compiler.ControlPlaneIdentity] = a.issue(thief.URI(trustDomain), time.Now().Add(time.Hour))
	_, address := serving(t, a, Options{Observe: counted.observe})
	if err := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil).ended(); status.Code(err) != codes.Unavailable {
		t.Errorf("it ends with %v", err)
	}
	eventually(t, "it is counted", func() bool { return counted.count(sinks.StreamRefused, "handshake") > 0 })
}

func marshalled(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestConnectionsOfOneAddressAreBounded: of ten that say nothing three stay, and the others are closed at once.
func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	const most = 3
	a := newAuthority(t)
	server, address := serving(t, a, Options{Limits: Limits{HandshakesOfOne: 1, WaitingOfOne: most}})
	publish(t, server, newShop("web").snapshot())
	var open []net.Conn
	for range 10 {
		c, err := net.Dial(address.Network(), address.String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		open = append(open, c)
	}
	eventually(t, "three are open", func() bool {
		open = slices.DeleteFunc(open, hasEnded)
		return len(open) == most
	})
	for _, c := range open {
		_ = c.Close()
	}
	f := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil)
	eventually(t, "who speaks is let in when they have gone", func() bool {
		select {
		case <-f.done: // they had not gone yet
			f = followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil)
		default:
		}
		return len(server.Proxies()) == 1
	})
}

// hasEnded says whether the other side has closed a connection.
func hasEnded(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}
