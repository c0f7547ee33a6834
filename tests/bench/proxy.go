package main

import (
	"context"
	"crypto/tls"
	"maps"
	"slices"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// proxy is a simulated Envoy: it asks for all clusters and listeners, for the endpoints, routes and secrets that those
// refer to, by name, and acknowledges whatever it gets.
type proxy struct {
	id, address string
	tls         *tls.Config
	known       *known
	conn        *grpc.ClientConn
	done        chan struct{}

	// mu guards what reports read.
	mu        sync.Mutex
	has       map[string]map[string]*resource // by type URL and name
	messages  int
	resources map[string]int
	removed   int
	bytes     int
	last      int64
	failed    error
}

// stream is one stream of a proxy.
type stream struct {
	*proxy
	discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
	// asked are the names that were asked for, by type; a type that was not asked for yet is not in it.
	asked map[string]map[string]bool
}

func (p *proxy) connect(ctx context.Context) (err error) {
	p.conn, err = dialed(ctx, p.address, p.tls)
	return err
}

// follow opens a stream and sends the first requests, with the versions that the proxy has from an earlier stream.
func (p *proxy) follow(ctx context.Context) error {
	ads, err := discoveryv3.NewAggregatedDiscoveryServiceClient(p.conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	s := &stream{p, ads, map[string]map[string]bool{}}
	p.done = make(chan struct{})
	again := p.has != nil
	if !again {
		p.has = map[string]map[string]*resource{}
	}
	first := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: clusterURL, Node: &corev3.Node{Id: p.id}, InitialResourceVersions: p.versions(clusterURL)}
	if err := ads.Send(first); err != nil {
		return err
	}
	if again {
		for _, url := range []string{endpointURL, secretURL, listenerURL, routeURL} {
			if err := s.ask(url); err != nil {
				return err
			}
		}
	}
	go func() {
		defer close(p.done)
		err := s.run()
		p.mu.Lock()
		defer p.mu.Unlock()
		p.failed = err
	}()
	return nil
}

// run takes what comes until the stream ends.
func (s *stream) run() error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		s.take(m)
		if err := s.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: m.TypeUrl, ResponseNonce: m.Nonce}); err != nil {
			return err
		}
		if len(m.Resources) > 0 {
			s.mu.Lock()
			s.last = time.Now().UnixNano()
			s.mu.Unlock()
		}
		if err := s.follows(m.TypeUrl); err != nil {
			return err
		}
	}
}

// take counts and keeps what a message brings.
func (s *stream) take(m *discoveryv3.DeltaDiscoveryResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages++
	s.bytes += proto.Size(m)
	s.count(m.TypeUrl, len(m.Resources))
	s.removed += len(m.RemovedResources)
	if s.has[m.TypeUrl] == nil {
		s.has[m.TypeUrl] = map[string]*resource{}
	}
	for _, r := range m.Resources {
		s.has[m.TypeUrl][r.Name] = s.known.resource(r)
	}
	for _, name := range m.RemovedResources {
		delete(s.has[m.TypeUrl], name)
	}
}

func (p *proxy) count(url string, n int) {
	if p.resources == nil {
		p.resources = map[string]int{}
	}
	p.resources[url] += n
}

// follows asks for what resources of a type lead to: endpoints before listeners, as Envoy does.
func (s *stream) follows(url string) error {
	var next []string
	switch url {
	case clusterURL:
		next = []string{endpointURL, secretURL, listenerURL}
	case listenerURL:
		next = []string{routeURL, secretURL}
	}
	for _, u := range next {
		if err := s.ask(u); err != nil {
			return err
		}
	}
	return nil
}

// ask asks for the names of a type that are not asked for yet, and forgets those that nothing refers to any more.
func (s *stream) ask(url string) error {
	asked, again := s.asked[url]
	if url == listenerURL {
		if again {
			return nil
		}
		s.asked[url] = map[string]bool{}
		return s.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: url, InitialResourceVersions: s.versions(url)})
	}
	wanted := s.wanted(url)
	request := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: url}
	if !again {
		request.InitialResourceVersions = s.versions(url)
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if !asked[name] {
			request.ResourceNamesSubscribe = append(request.ResourceNamesSubscribe, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		if !wanted[name] {
			request.ResourceNamesUnsubscribe = append(request.ResourceNamesUnsubscribe, name)
			s.forget(url, name)
		}
	}
	s.asked[url] = wanted
	if len(request.ResourceNamesSubscribe)+len(request.ResourceNamesUnsubscribe) == 0 {
		if !again {
			delete(s.asked, url)
		}
		return nil
	}
	return s.Send(request)
}

func (p *proxy) forget(url, name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.has[url], name)
}

// wanted are the names of a type that clusters and listeners refer to.
func (p *proxy) wanted(url string) map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := map[string]bool{}
	for _, parent := range []string{clusterURL, listenerURL} {
		for _, r := range p.has[parent] {
			for _, name := range r.refers[url] {
				names[name] = true
			}
		}
	}
	return names
}

func (p *proxy) versions(url string) map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.has[url]) == 0 {
		return nil
	}
	versions := make(map[string]string, len(p.has[url]))
	for name, r := range p.has[url] {
		versions[name] = r.version
	}
	return versions
}

func (p *proxy) mark() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages, p.removed, p.bytes, p.last, p.resources = 0, 0, 0, 0, nil
	return nil
}

// drop waits for the end of the stream, whose context has ended, and closes the connection.
func (p *proxy) drop() error {
	<-p.done
	p.mu.Lock()
	p.failed = nil
	p.mu.Unlock()
	return p.conn.Close()
}

func (p *proxy) add(r *report) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Messages += p.messages
	r.Bytes += p.bytes
	r.Removed += p.removed
	for url, n := range p.resources {
		r.Resources[url] += n
	}
	if p.last > 0 {
		r.Last = append(r.Last, p.last)
	}
	if p.failed != nil && r.Failed == "" {
		r.Failed = p.id + ": " + p.failed.Error()
	}
}
