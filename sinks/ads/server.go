package ads

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// Options are what a server needs.
type Options struct {
	// Credentials fill the slots of classes: the certificate of the proxy's own identity, and the trust bundle.
	Credentials sinks.Credentials
	// Authenticate finds out who has opened a stream. Without, it is CertificateURI of the snapshot's trust domain.
	Authenticate Authenticator
	// TLS is how connections are taken; ServerTLS makes it. Without, they are in plaintext, for tests on loopback only.
	TLS *tls.Config
	// Observe, unless nil, is told of events.
	Observe sinks.Observer
	// Log, unless nil, takes refusals, rejections and failures.
	Log *slog.Logger
	// Now is the clock, which certificates of clients are verified by too; time.Now without.
	Now    func() time.Time
	Limits Limits
}

// Server serves the newest snapshot to every proxy that has a stream. It is a sinks.Sink.
type Server struct {
	Options
	grpc     *grpc.Server
	wallet   *wallet
	refusals *refusals

	mu      sync.Mutex
	world   *world
	arrival chan struct{} // closed when there is another world
	waiting int
	// streams are those of each proxy, in the order in which they came; peers are those of each identity, and groups those
	// of each class.
	streams  map[model.ProxyID][]*stream
	peers    map[model.Identity][]*stream
	groups   map[string]*group
	draining chan struct{} // closed when nobody is let in any more
	drain    sync.Once
}

// NewServer makes a server that has no snapshot yet: proxies wait for one.
func NewServer(options Options) *Server {
	s := &Server{
		Options: options, arrival: make(chan struct{}), draining: make(chan struct{}),
		streams: map[model.ProxyID][]*stream{}, peers: map[model.Identity][]*stream{}, groups: map[string]*group{},
	}
	s.Limits = options.Limits.filled()
	if s.Observe == nil {
		s.Observe = func(sinks.Event) {}
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Authenticate == nil {
		s.Authenticate = certificateURI(s.trustDomains)
	}
	s.refusals = newRefusals(s.Log, s.Observe)
	s.wallet = newWallet(s.Credentials, s.Now)
	s.wallet.arrived, s.wallet.failed = s.certificateArrived, s.certificateFailed
	s.grpc = grpc.NewServer(s.transport()...)
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s.grpc, service{s})
	return s
}

// service is the gRPC service, so that its methods are not the server's.
type service struct{ *Server }

// DeltaAggregatedResources serves the incremental protocol.
func (s service) DeltaAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	return s.serve(stream, delta{})
}

// StreamAggregatedResources serves the state of the world.
func (s service) StreamAggregatedResources(stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesServer) error {
	return s.serve(stream, state{})
}

// window is how much of a request may be on its way, record how big a TLS record can be.
const (
	window = 64 << 10
	record = 16 << 10
)

func (s *Server) transport() []grpc.ServerOption {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(codec{}),
		grpc.MaxRecvMsgSize(s.Limits.RequestBytes),
		// Requests are small and rare. Windows that adapt to the path cost a ping, and so two more packets and wake-ups,
		// for nearly each of them.
		grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(2 * window),
		// Each connection keeps a buffer to read, which need not be bigger than a record.
		grpc.ReadBufferSize(record),
		grpc.MaxConcurrentStreams(16),
		grpc.ConnectionTimeout(s.Limits.Handshake),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}
	if s.TLS != nil {
		options = append(options, grpc.Creds(boundedHandshakes{
			credentials.NewTLS(timed(s.TLS, s.Now)), make(chan struct{}, s.Limits.Handshakes), newQueues(s.Limits.HandshakesOfOne, s.Limits.WaitingOfOne), s.handshakeFailed,
		}))
	}
	return options
}

func (s *Server) handshakeFailed(reason string, err error) {
	s.refusals.note(&refusal{reason: reason, text: err.Error()}, model.Identity{})
}

// Serve takes connections until the listener is closed or the server is drained. It can be called for several listeners.
func (s *Server) Serve(l net.Listener) error {
	err := s.grpc.Serve(l)
	if err == nil || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("serve ADS: %w", err)
}

// Publish makes a snapshot the one that is served. It does not wait for any proxy.
func (s *Server) Publish(_ context.Context, snapshot sinks.Snapshot) error {
	s.mu.Lock()
	before := s.world
	s.mu.Unlock()
	w := newWorld(snapshot, before)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world = w
	close(s.arrival)
	s.arrival = make(chan struct{})
	tell(s.regroup(before))
	return nil
}

// current is the world of now, and a channel that is closed when there is another; the world is nil before the first.
func (s *Server) current() (*world, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world, s.arrival
}

func (s *Server) trustDomains() []string {
	w, _ := s.current()
	if w == nil {
		return nil
	}
	return []string{w.settings.TrustDomain}
}

// Renewed says that there are new certificates of identities. Their proxies are sent that secret and nothing else.
func (s *Server) Renewed(identities ...model.Identity) {
	for _, identity := range identities {
		s.wallet.renewed(identity)
	}
}

// TrustChanged says that there is another trust bundle.
func (s *Server) TrustChanged() {
	s.wallet.trustChanged()
	tell(s.connected())
}

func (s *Server) certificateArrived(identity model.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tell(s.peers[identity])
}

func (s *Server) certificateFailed(identity model.Identity, err error) {
	if s.refusals.first(cause{"certificate", identity, err.Error()}) {
		s.Log.Error("no certificate for a proxy", "identity", identity.String(), "error", err)
	}
}

// connected are the streams of now, in order of their proxies.
func (s *Server) connected() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*stream
	for _, id := range slices.SortedFunc(maps.Keys(s.streams), model.ProxyID.Compare) {
		list = append(list, s.streams[id]...)
	}
	return list
}

// Settled says whether every connected proxy has acknowledged, or rejected for good, all that it is to have. While a
// certificate is on its way it is not.
func (s *Server) Settled() bool {
	if s.wallet.busy() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	//ordered: one is enough
	for _, g := range s.groups {
		for _, st := range g.streams {
			if !st.settled() {
				return false
			}
		}
	}
	return true
}

// Proxies are the connected proxies, by id.
func (s *Server) Proxies() []sinks.ProxyStatus {
	var list []sinks.ProxyStatus
	for _, st := range s.connected() {
		list = append(list, st.status())
	}
	return list
}

// Drain ends the server: no new streams, and those that there are end one after another over the time that the context
// gives, so that their proxies spread to other replicas. Without a deadline they end at once.
func (s *Server) Drain(ctx context.Context) error {
	s.drain.Do(func() { close(s.draining) })
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	s.endStreams(ctx)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.grpc.Stop()
		<-done
		return fmt.Errorf("drain ADS: %w", ctx.Err())
	}
}

func (s *Server) endStreams(ctx context.Context) {
	list := s.connected()
	var each time.Duration
	if deadline, ok := ctx.Deadline(); ok && len(list) > 0 {
		each = time.Until(deadline) * 4 / 5 / time.Duration(len(list))
	}
	for i, st := range list {
		st.end(errDraining)
		if i == len(list)-1 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(each):
		}
	}
}
