package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// broadcaster is the floor of serving: a gRPC server that knows beforehand what bytes each class gets. It answers the
// first request of a type with them, sends the bytes of a change to whoever is of a class that it changes, all at once,
// and counts the answers. It looks nothing up, waits for nothing, and keeps nothing about a proxy.
type broadcaster struct {
	grpc   *grpc.Server
	first  map[string]map[string][]byte // by class and type URL
	output *compiler.Output
	// expected is how many answers or requests are awaited until everything is done.
	expected atomic.Int64
	got      atomic.Int64

	mu      sync.Mutex
	streams map[*listener]bool
}

// listener is one stream of the broadcaster.
type listener struct {
	class string
	out   chan []byte
}

func newBroadcaster(s sinks.Snapshot, own *identities, config *tls.Config) (*broadcaster, error) {
	b := &broadcaster{first: map[string]map[string][]byte{}, output: s.Output, streams: map[*listener]bool{}}
	b.grpc = grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{}), grpc.Creds(credentials.NewTLS(config)))
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(b.grpc, broadcastService{b, nil})
	for class := range s.Output.Classes.Values() {
		all := map[string][]byte{}
		for url, list := range listsOf(class) {
			if list.Len() > 0 {
				all[url] = responseOf(url, resourcesOf(list.Values()), nil)
			}
		}
		secrets, err := secretsOf(class, own)
		if err != nil {
			return nil, err
		}
		all[secretURL] = responseOf(secretURL, secrets, nil)
		b.first[class.Name] = all
	}
	return b, nil
}

// broadcastService is the gRPC service, so that its methods are not the broadcaster's.
type broadcastService struct {
	*broadcaster
	discoveryv3.AggregatedDiscoveryServiceServer
}

// DeltaAggregatedResources serves a stream.
func (b broadcastService) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	request, err := stream.Recv()
	if err != nil {
		return err
	}
	l, err := b.enter(request.GetNode().GetId())
	if err != nil {
		return err
	}
	defer b.leave(l)
	go func() {
		for text := range l.out {
			if stream.SendMsg(text) != nil {
				return // and the reason is received
			}
		}
	}()
	answered := map[string]bool{}
	for {
		b.hear(l, request, answered)
		if request, err = stream.Recv(); err != nil {
			return nil
		}
	}
}

func (b *broadcaster) hear(l *listener, r *discoveryv3.DeltaDiscoveryRequest, answered map[string]bool) {
	switch url := r.GetTypeUrl(); {
	case r.GetResponseNonce() != "":
		b.got.Add(1)
	case answered[url]:
	case len(r.GetInitialResourceVersions()) > 0:
		answered[url] = true
		b.got.Add(1)
	default:
		answered[url] = true
		if text := b.first[l.class][url]; text != nil {
			l.out <- text
		}
	}
}

func (b *broadcaster) enter(node string) (*listener, error) {
	id, err := proxyID(node)
	if err != nil {
		return nil, err
	}
	class, ok := b.output.ClassOf(id)
	if !ok {
		return nil, fmt.Errorf("there is no proxy %s", node)
	}
	l := &listener{class.Name, make(chan []byte, 16)}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams[l] = true
	return l, nil
}

func (b *broadcaster) leave(l *listener) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.streams, l)
	close(l.out)
}

// begin awaits the first answers, or the first requests of those who come again, of so many proxies of each class.
func (b *broadcaster) begin(proxies map[string]int, _ int) {
	n := 0
	for class, count := range proxies {
		n += count * len(b.first[class])
	}
	b.expected.Store(int64(n))
	b.got.Store(0)
}

// prepare makes what publish is to send; publish sends it.
func (b *broadcaster) prepare(c change) func() {
	messages := map[string][][]byte{}
	expected := 0
	for class, d := range c.classes {
		for url, list := range d.puts {
			messages[class] = append(messages[class], responseOf(url, resourcesOf(list.Values()), d.removes[url]))
		}
		expected += len(messages[class]) * d.proxies
	}
	b.expected.Store(int64(expected))
	b.got.Store(0)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for l := range b.streams {
			for _, text := range messages[l.class] {
				l.out <- text
			}
		}
	}
}

func (b *broadcaster) arrived() bool { return b.got.Load() >= b.expected.Load() }

func (b *broadcaster) settled() bool { return b.got.Load() >= b.expected.Load() }

func (b *broadcaster) serve(l net.Listener) { _ = b.grpc.Serve(l) }

func (b *broadcaster) stop() { b.grpc.Stop() }

// listsOf are the resources of a class by type.
func listsOf(c *compiler.Class) map[string]model.List[*compiler.Resource] {
	return map[string]model.List[*compiler.Resource]{clusterURL: c.Clusters, endpointURL: c.Endpoints, listenerURL: c.Listeners, routeURL: c.Routes}
}

// responseOf is the wire form of a response. Its nonce is always the same.
func responseOf(url string, resources []*discoveryv3.Resource, removed []string) []byte {
	return marshal(&discoveryv3.DeltaDiscoveryResponse{TypeUrl: url, Nonce: "1", Resources: resources, RemovedResources: removed})
}

// secretsOf fills the slots of a class.
func secretsOf(c *compiler.Class, own *identities) ([]*discoveryv3.Resource, error) {
	var list []*discoveryv3.Resource
	for slot := range c.Secrets.Values() {
		secret := &tlsv3.Secret{Name: slot.Name}
		if slot.Kind == compiler.TrustSlot {
			secret.Type = &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: inline(own.Trust())}}
		} else {
			chain, key, err := own.Certificate(context.Background(), slot.Identity)
			if err != nil {
				return nil, err
			}
			secret.Type = &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{CertificateChain: inline(chain), PrivateKey: inline(key.PEM())}}
		}
		text := marshal(secret)
		list = append(list, resourceOf(&compiler.Resource{Type: secretURL, Name: slot.Name, Version: version(text), Bytes: text}))
	}
	return list, nil
}

func inline(b []byte) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: b}}
}

// bytesCodec sends bytes as they are, and reads messages.
type bytesCodec struct{}

// Marshal implements encoding.CodecV2.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	text, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("a %T is not sent", v)
	}
	return mem.BufferSlice{mem.SliceBuffer(text)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return proto.Unmarshal(buffer.ReadOnlyData(), v.(proto.Message))
}

// Name implements encoding.CodecV2.
func (bytesCodec) Name() string { return "proto" }
