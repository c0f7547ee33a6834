package ads

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// How streams end that nothing is wrong with.
var (
	errDraining = refuse(codes.Unavailable, "draining", "this replica of the control plane is going away")
	errOutlived = refuse(codes.Unauthenticated, "certificate-expired", "the certificate that the stream was opened with ends: come again with the next one")
)

// admit lets a stream in: who has opened it is asked of the connection, and its first request picks a proxy of that
// identity. What is refused is counted, and logged once.
func (s *Server) admit(ctx context.Context, st *stream, first request) error {
	err := s.examine(ctx, st, first)
	var why *refusal
	if errors.As(err, &why) {
		s.refusals.note(why, st.identity, "node", truncated(first.node))
	}
	return err
}

func (s *Server) examine(ctx context.Context, st *stream, first request) error {
	id, err := proxyOf(first.node)
	if err != nil {
		return err
	}
	st.id = id
	end := time.NewTimer(s.Limits.Unknown)
	defer end.Stop()
	if err := s.awaitSnapshot(ctx, end.C); err != nil {
		return err
	}
	identity, err := s.Authenticate.Authenticate(ctx)
	if err != nil {
		return refusalOf(err)
	}
	st.identity = identity
	if leaf := peerCertificate(ctx); leaf != nil {
		st.lease = lease(leaf, id, s.Now())
	}
	t, err := s.awaitProxy(ctx, id, end.C)
	if err != nil {
		return err
	}
	if t.identity != identity {
		return refuse(codes.PermissionDenied, "foreign-proxy", "proxy %s is not of identity %s", id, identity)
	}
	return s.enter(st)
}

// awaitSnapshot waits for the first snapshot.
func (s *Server) awaitSnapshot(ctx context.Context, end <-chan time.Time) error {
	_, err := s.await(ctx, end, func(*world) *target { return &target{} }, "no-snapshot", "the control plane has no mesh yet")
	return err
}

// awaitProxy waits until the mesh has the proxy: a pod may start before the control plane has heard of it.
func (s *Server) awaitProxy(ctx context.Context, id model.ProxyID, end <-chan time.Time) (*target, error) {
	return s.await(ctx, end, func(w *world) *target { return w.targetOf(id) }, "unknown-proxy", "the mesh has no proxy "+id.String())
}

func (s *Server) await(ctx context.Context, end <-chan time.Time, find func(*world) *target, reason, text string) (*target, error) {
	look := func() (*target, <-chan struct{}) {
		w, arrival := s.current()
		if w == nil {
			return nil, arrival
		}
		return find(w), arrival
	}
	if t, _ := look(); t != nil {
		return t, nil
	}
	if !s.wait(1) {
		return nil, refuse(codes.ResourceExhausted, "too-many-waiting", "too many proxies wait to become known")
	}
	defer s.wait(-1)
	for {
		t, arrival := look()
		if t != nil {
			return t, nil
		}
		select {
		case <-arrival:
		case <-end:
			return nil, refuse(codes.NotFound, reason, "%s", text)
		case <-s.draining:
			return nil, errDraining
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Server) wait(change int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change > 0 && s.waiting >= s.Limits.Waiting {
		return false
	}
	s.waiting += change
	return true
}

// enter adds a stream, if there is room for its proxy. Of too many streams of one proxy the oldest ends.
func (s *Server) enter(st *stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.draining:
		return errDraining
	default:
	}
	own := s.streams[st.id]
	most := s.world.settings.ControlPlane.MaxProxies
	if most > 0 && len(own) == 0 && len(s.streams) >= most {
		return refuse(codes.ResourceExhausted, "too-many-proxies", "the mesh has its maximum of %d connected proxies", most)
	}
	if len(own) >= s.Limits.Streams {
		own[0].end(refuse(codes.Aborted, "superseded", "proxy %s has opened too many streams", st.id))
	}
	s.join(st)
	s.streams[st.id] = append(own, st)
	s.peers[st.identity] = append(s.peers[st.identity], st)
	s.Observe(sinks.Event{Kind: sinks.StreamOpened, Reason: st.protocol.name()})
	return nil
}

// leave removes a stream, and forgets the certificate that nobody uses any more.
func (s *Server) leave(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.group.Load().remove(st)
	remove(s.streams, st.id, st)
	remove(s.peers, st.identity, st)
	if s.peers[st.identity] == nil {
		s.wallet.forget(st.identity)
	}
	s.Observe(sinks.Event{Kind: sinks.StreamClosed, Reason: st.protocol.name()})
}

func remove[K comparable](m map[K][]*stream, key K, st *stream) {
	left := slices.DeleteFunc(m[key], func(other *stream) bool { return other == st })
	if len(left) == 0 {
		delete(m, key)
		return
	}
	m[key] = left
}

// truncated is the beginning of a text that came from outside.
func truncated(text string) string {
	const most = 4096
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
