package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
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
//
// A paced one is the floor of what ADS can be: it answers each request for secrets by those that were asked for, as Envoy
// asks for those of clusters before it has a listener; and of a change it sends what uses other changed things when those
// were acknowledged, and what is to be removed last.
type broadcaster struct {
	grpc   *grpc.Server
	paced  bool
	output *compiler.Output
	first  map[string]map[string][]byte // by class and type URL
	// secrets are those of a class, by its name, some are messages with some of them, by class and names.
	secrets map[string][]*discoveryv3.Resource
	some    map[string][]byte
	// expected is how many resources are to be acknowledged, or requests to be got, until everything is done.
	expected atomic.Int64
	got      atomic.Int64

	mu      sync.Mutex
	streams map[*listener]bool
}

// listener is one stream of the broadcaster.
type listener struct {
	class string
	out   chan []byte

	// mu guards the messages that wait until so many others were acknowledged.
	mu      sync.Mutex
	waiting [][][]byte
	awaited int
}

// newPaced makes a broadcaster that waits as ADS has to.
func newPaced(s sinks.Snapshot, own *identities, config *tls.Config) (*broadcaster, error) {
	b, err := newBroadcaster(s, own, config)
	if err != nil {
		return nil, err
	}
	b.paced = true
	return b, nil
}

func newBroadcaster(s sinks.Snapshot, own *identities, config *tls.Config) (*broadcaster, error) {
	b := &broadcaster{
		output: s.Output, first: map[string]map[string][]byte{}, secrets: map[string][]*discoveryv3.Resource{}, some: map[string][]byte{},
		streams: map[*listener]bool{},
	}
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
		b.first[class.Name], b.secrets[class.Name] = all, secrets
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
	url := r.GetTypeUrl()
	if nonce := r.GetResponseNonce(); nonce != "" {
		l.acknowledged()
		n, _ := strconv.ParseInt(nonce, 10, 64) // it is of responseOf
		b.got.Add(n)
		return
	}
	if answered[url] && (!b.paced || url != secretURL) {
		return
	}
	answered[url] = true
	switch {
	case len(r.GetInitialResourceVersions()) > 0:
		b.got.Add(1)
	case b.paced && url == secretURL:
		l.out <- b.someSecrets(l.class, r.GetResourceNamesSubscribe())
	case b.first[l.class][url] != nil:
		l.out <- b.first[l.class][url]
	}
}

// someSecrets is a message with the secrets that are asked for.
func (b *broadcaster) someSecrets(class string, names []string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := class + " " + strings.Join(names, " ")
	text, ok := b.some[key]
	if !ok {
		var list []*discoveryv3.Resource
		for _, r := range b.secrets[class] {
			if slices.Contains(names, r.GetName()) {
				list = append(list, r)
			}
		}
		text = responseOf(secretURL, list, nil)
		b.some[key] = text
	}
	return text
}

// send sends groups of messages, each when that before it was acknowledged.
func (l *listener) send(groups [][][]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, groups...)
	l.next()
}

func (l *listener) acknowledged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awaited = max(0, l.awaited-1) // the first of all were not sent as a group
	l.next()
}

func (l *listener) next() {
	if l.awaited > 0 || len(l.waiting) == 0 {
		return
	}
	for _, text := range l.waiting[0] {
		l.out <- text
	}
	l.awaited, l.waiting = len(l.waiting[0]), l.waiting[1:]
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
	l := &listener{class: class.Name, out: make(chan []byte, 16)}
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

// begin awaits so many resources, or, if there are none, the requests of so many proxies of each class that come again.
func (b *broadcaster) begin(proxies map[string]int, resources int) {
	n := resources
	for class, count := range proxies {
		if resources == 0 {
			n += count * len(b.first[class])
		}
	}
	b.expected.Store(int64(n))
	b.got.Store(0)
}

// prepare makes what publish is to send; publish sends it.
func (b *broadcaster) prepare(c change, _ sinks.Snapshot) func() {
	messages := map[string][][][]byte{}
	for class, d := range c.classes {
		messages[class] = [][][]byte{d.atOnce()}
		if b.paced {
			messages[class] = d.inOrder()
		}
	}
	b.expected.Store(int64(c.resources))
	b.got.Store(0)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for l := range b.streams {
			if groups, ok := messages[l.class]; ok {
				l.send(groups)
			}
		}
	}
}

// atOnce is a message for each type.
func (d difference) atOnce() [][]byte {
	var all [][]byte
	for url, list := range d.puts {
		all = append(all, responseOf(url, resourcesOf(list.Values()), d.removes[url]))
	}
	return all
}

// inOrder is what makes before it breaks: endpoints go with clusters, what routes to them waits for new or changed
// clusters, listeners for route tables, and all for the removal of clusters.
func (d difference) inOrder() [][][]byte {
	var groups [][][]byte
	var group [][]byte
	add := func(url string, removed []string) (added bool) {
		list := d.puts[url]
		if list.Len()+len(removed) == 0 {
			return false
		}
		group = append(group, responseOf(url, resourcesOf(list.Values()), removed))
		return true
	}
	wait := func() {
		if len(group) > 0 {
			groups, group = append(groups, group), nil
		}
	}
	clusters := add(clusterURL, nil)
	add(endpointURL, nil)
	if clusters {
		wait()
	}
	if add(routeURL, nil) {
		wait()
	}
	add(listenerURL, d.removes[listenerURL])
	wait()
	if gone := d.removes[clusterURL]; len(gone) > 0 {
		groups = append(groups, [][]byte{responseOf(clusterURL, nil, gone)})
	}
	return groups
}

func (b *broadcaster) arrived() bool { return b.got.Load() >= b.expected.Load() }

func (b *broadcaster) settled() bool { return b.got.Load() >= b.expected.Load() }

func (b *broadcaster) serve(l net.Listener) { _ = b.grpc.Serve(l) }

func (b *broadcaster) stop() { b.grpc.Stop() }

// listsOf are the resources of a class by type.
func listsOf(c *compiler.Class) map[string]model.List[*compiler.Resource] {
	return map[string]model.List[*compiler.Resource]{clusterURL: c.Clusters, endpointURL: c.Endpoints, listenerURL: c.Listeners, routeURL: c.Routes}
}

// responseOf is the wire form of a response. Its nonce is how much it brings.
func responseOf(url string, resources []*discoveryv3.Resource, removed []string) []byte {
	nonce := strconv.Itoa(len(resources) + len(removed))
	return marshal(&discoveryv3.DeltaDiscoveryResponse{TypeUrl: url, Nonce: nonce, Resources: resources, RemovedResources: removed})
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
