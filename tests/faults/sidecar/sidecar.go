package sidecar

import (
	"context"
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Options are how a sidecar finds its control plane.
type Options struct {
	// Node is <namespace>/<pod>.
	Node string
	// Dial opens a connection; each stream has one of its own.
	Dial func(context.Context) (net.Conn, error)
	// TLS is asked for before each connection.
	TLS func() (*tls.Config, error)
	// Pause is how long it waits after a stream has ended; 50 ms when it is 0.
	Pause time.Duration
	// Took, unless nil, is told of every response once it was taken.
	Took func()
}

// Sidecar is one that runs. Its methods can be called from several goroutines.
type Sidecar struct {
	options Options
	stop    context.CancelFunc
	ended   chan struct{}
	// again has a token when another stream is to be opened at once.
	again chan struct{}

	mu        sync.Mutex
	state     *state
	connected bool
	failure   error
	hangUp    context.CancelFunc
}

// Start starts a sidecar. It opens a stream, and another one whenever it ends, until Stop.
func Start(o Options) *Sidecar {
	if o.Pause == 0 {
		o.Pause = 50 * time.Millisecond
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Sidecar{
		options: o, stop: stop, ended: make(chan struct{}), again: make(chan struct{}, 1),
		state: newState(o.Node), hangUp: func() {},
	}
	go func() {
		defer close(s.ended)
		for ctx.Err() == nil {
			s.once(ctx)
			select {
			case <-ctx.Done():
			case <-s.again:
			case <-time.After(o.Pause):
			}
		}
	}()
	return s
}

// once opens a stream, and stays until it ends.
func (s *Sidecar) once(ctx context.Context) {
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	s.mu.Lock()
	s.hangUp = hangUp
	s.mu.Unlock()
	err := s.stream(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.failure = false, err
}

// HangUp breaks the stream and its connection off, and opens another one at once.
func (s *Sidecar) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangUp()
	select {
	case s.again <- struct{}{}:
	default: // it is in a hurry already
	}
}

// Stop ends the sidecar and waits until it has ended.
func (s *Sidecar) Stop() {
	s.stop()
	<-s.ended
}

// Connection opens a connection as the sidecar does. Nothing is dialled before its first call.
func (o Options) Connection() (*grpc.ClientConn, error) {
	config, err := o.TLS()
	if err != nil {
		return nil, err
	}
	const buffer = 4 << 10 // hundreds of sidecars are in one process
	return grpc.NewClient("passthrough:///control-plane",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return o.Dial(ctx) }),
		grpc.WithTransportCredentials(credentials.NewTLS(config)),
		grpc.WithReadBufferSize(buffer), grpc.WithWriteBufferSize(buffer),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(64<<20)),
	)
}

// stream is one stream, from its beginning to its end.
func (s *Sidecar) stream(ctx context.Context) error {
	connection, err := s.options.Connection()
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(connection).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	requests := s.state.begin()
	s.mu.Unlock()
	if err := send(stream, requests); err != nil {
		return err
	}
	for {
		r, err := stream.Recv()
		if err != nil {
			return err
		}
		s.mu.Lock()
		if !s.connected {
			s.connected = true
			s.state.counts.Streams++
		}
		requests := s.state.take(r)
		s.mu.Unlock()
		if s.options.Took != nil {
			s.options.Took()
		}
		if err := send(stream, requests); err != nil {
			return err
		}
	}
}

type deltaStream = discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient

// send sends requests. Why a stream has ended, only receiving tells.
func send(stream deltaStream, requests []*discoveryv3.DeltaDiscoveryRequest) error {
	for _, r := range requests {
		if err := stream.Send(r); err != nil {
			_, err = stream.Recv()
			return err
		}
	}
	return nil
}

// Has are the versions of what the sidecar has, by kind and name, such as "clusters shop/web|80". Secrets have no version
// here: theirs differ between control planes.
func (s *Sidecar) Has() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for k := range kinds {
		for name, version := range s.state.has[k] {
			if k == Secrets {
				version = ""
			}
			all[k.String()+" "+name] = version
		}
	}
	return all
}

// SecretVersions are the versions of its secrets.
func (s *Sidecar) SecretVersions() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.state.has[Secrets])
}

// Connected says whether there is a stream that was answered.
func (s *Sidecar) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected
}

// Failure is why the last stream has ended.
func (s *Sidecar) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Counts are what it was sent so far.
func (s *Sidecar) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.state.counts
	c.ByKind, c.Repeated, c.Mangled = maps.Clone(c.ByKind), slices.Clone(c.Repeated), slices.Clone(c.Mangled)
	return c
}
