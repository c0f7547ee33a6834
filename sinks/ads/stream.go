package ads

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// stream is the stream of one proxy. Nothing that is done for it waits: requests are taken down, what is to be sent is
// planned and handed to gRPC, under its lock, by whoever brings the news. Only a message that gRPC would not take at once
// has a goroutine of its own, so that a proxy that reads slowly is planned for when it has read, and holds up nobody.
type stream struct {
	*Server
	transport grpc.ServerStream
	protocol  protocol
	id        model.ProxyID
	identity  model.Identity
	since     time.Time
	// lease is when the stream ends because the certificate does that it was opened with; zero for never.
	lease time.Time

	// group is that of the proxy's class, place where the stream is in it; the server's lock guards both.
	group atomic.Pointer[group]
	place int

	admitted chan struct{} // closed when the stream is let in
	ending   chan error

	mu       sync.Mutex
	has      *target // what the progress is towards; the proxy may be of another class already
	gone     time.Time
	progress *progress
	purse    *purse
	// unread is how much was sent since nothing was under way.
	unread int
	// sending says that gRPC does not take more at the moment, and has until patience ends.
	sending  bool
	patience time.Time
	alarm    *time.Timer
	// done says that the stream has ended.
	done bool
}

// protocol is what differs between the incremental protocol and the state of the world.
type protocol interface {
	name() string
	whole() bool
	receive(grpc.ServerStream) (request, error)
	take(*progress, request, time.Time)
	response(*progress, message, func(*compiler.Resource) []byte) *response
}

// serve serves one stream to its end.
func (s *Server) serve(transport grpc.ServerStream, protocol protocol) error {
	st := &stream{
		Server: s, transport: transport, protocol: protocol, since: s.Now().UTC(),
		admitted: make(chan struct{}), ending: make(chan error, 1), progress: newProgress(protocol.whole()), purse: &purse{table: empty},
	}
	requests := make(chan request, 1)
	go st.listen(requests)
	first, err := st.first(requests)
	if err != nil {
		return st.closed(err)
	}
	if err := s.admit(transport.Context(), st, first); err != nil {
		return err
	}
	defer s.leave(st)
	defer st.finish()
	if !st.lease.IsZero() {
		defer time.AfterFunc(st.lease.Sub(s.Now()), func() { st.end(errOutlived) }).Stop()
	}
	st.begin()
	return st.closed(<-st.ending)
}

// listen takes down requests until the stream ends: the first when the stream was let in for it.
func (st *stream) listen(requests chan<- request) {
	r, err := st.protocol.receive(st.transport)
	if err != nil {
		st.end(err)
		return
	}
	requests <- r
	select {
	case <-st.admitted:
	case <-st.transport.Context().Done():
		return // it was not let in
	}
	for err == nil {
		if err = st.take(r); err == nil {
			r, err = st.protocol.receive(st.transport)
		}
	}
	st.end(err)
}

func (st *stream) first(requests <-chan request) (request, error) {
	timeout := time.NewTimer(st.Limits.FirstRequest)
	defer timeout.Stop()
	select {
	case r := <-requests:
		return r, nil
	case err := <-st.ending:
		return request{}, err
	case <-st.draining:
		return request{}, errDraining
	case <-timeout.C:
		return request{}, refuse(codes.DeadlineExceeded, "silent", "the stream has no request")
	}
}

// closed is what the other side is told at the end of a stream.
func (st *stream) closed(err error) error {
	var why *refusal
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, context.Canceled):
		return nil
	case errors.As(err, &why):
		if !errors.Is(err, errDraining) && !errors.Is(err, errOutlived) {
			st.refusals.note(why, st.identity, "node", st.id.String())
		}
		return why
	}
	return err
}

// begin lets requests be taken down.
func (st *stream) begin() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.alarm = time.AfterFunc(time.Hour, st.look)
	st.alarm.Stop()
	st.refresh(st.Now())
	close(st.admitted)
}

// finish lets nothing be sent any more.
func (st *stream) finish() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.done = true
	st.alarm.Stop()
}

// end ends the stream with a reason. The first reason counts.
func (st *stream) end(why error) {
	select {
	case st.ending <- why:
	default: // it ends already
	}
}

// take takes down a request, and sends what it asks for.
func (st *stream) take(r request) error {
	if n := len(r.subscribe) + len(r.unsubscribe) + len(r.names) + len(r.versions); n > st.Limits.Names {
		return refuse(codes.InvalidArgument, "names", "a request has %d names, and may have %d", n, st.Limits.Names)
	}
	if r.node != "" && r.node != st.id.String() {
		return refuse(codes.InvalidArgument, "node-id", "the stream is of %s and not of another", st.id)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.Now()
	if r.nonce > 0 {
		st.answered(r, now)
	}
	st.protocol.take(st.progress, r, now)
	if len(st.progress.kinds[r.kind].open) > st.Limits.Names+st.progress.kinds[r.kind].want.resources.Len() {
		return refuse(codes.InvalidArgument, "names", "the stream asks for too many names")
	}
	st.advance(now)
	return nil
}

// answered takes down what the proxy says to a message. What is not under way any more is nothing new.
func (st *stream) answered(r request, now time.Time) {
	m, ok := st.progress.flown(r.kind, r.nonce)
	if !ok {
		return
	}
	event := sinks.Event{Kind: sinks.Acknowledged, Type: r.kind.String(), Reason: m.reason, Resources: len(m.puts) + len(m.removes), Took: now.Sub(m.at)}
	if !r.failed {
		st.progress.acknowledge(m, now)
		st.Observe(event)
		return
	}
	reason := truncated(r.reason)
	event.Kind = sinks.Rejected
	st.Observe(event)
	if guilty := st.progress.reject(m, reason); guilty != nil {
		st.Log.Error("a proxy rejects a resource and keeps what it had", "proxy", st.id.String(), "type", r.kind.String(),
			"resource", guilty.Name, "version", guilty.Version, "from", slog.AnyValue(origins(guilty.From)), "reason", reason)
	}
}

// origins say where a resource was written.
func origins(from model.List[model.Ref]) string {
	var list []string
	for ref := range from.Values() {
		list = append(list, ref.String())
	}
	return strings.Join(list, ", ")
}

// target is what the proxy is to have; nil when the mesh does not have the proxy any more.
func (st *stream) target() *target { return st.group.Load().target.Load() }

// look has the stream see what is new, or what time has brought.
func (st *stream) look() {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.alarm == nil || st.done {
		return // it sees everything when it begins, and nothing any more
	}
	now := st.Now()
	st.refresh(now)
	st.advance(now)
}

// refresh brings the target and the secrets up to date.
func (st *stream) refresh(now time.Time) {
	t := st.target()
	if t == nil {
		if st.gone.IsZero() {
			st.gone = now
		}
		return
	}
	st.gone = time.Time{}
	if t.identity != st.identity {
		st.end(refuse(codes.PermissionDenied, "foreign-proxy", "proxy %s is not of identity %s any more", st.id, st.identity))
		return
	}
	st.retarget(t, now)
	if p := st.wallet.purse(t); !p.equal(st.purse.table) {
		st.progress.kinds[secrets].retarget(p.table, changed(st.purse.table, p.table), sinks.PushCertificate, now)
		st.purse = p
	}
}

func (st *stream) retarget(t *target, now time.Time) {
	if st.has == t {
		return
	}
	for k := range kinds {
		kp := &st.progress.kinds[k]
		if k == secrets || kp.want == t.tables[k] {
			continue
		}
		var names []string
		if !kp.started.IsZero() {
			names = t.changed(k, kp.want)
		}
		if kp.retarget(t.tables[k], names, sinks.PushSnapshot, now) {
			st.Observe(sinks.Event{Kind: sinks.Coalesced, Type: k.String()})
		}
	}
	st.has = t
}

// settled says whether the proxy has all that it is to have.
func (st *stream) settled() bool {
	t := st.target()
	st.mu.Lock()
	defer st.mu.Unlock()
	return t == nil || t == st.has && st.progress.settled() && st.wallet.purse(t).equal(st.purse.table)
}

// status is how far the proxy is.
func (st *stream) status() sinks.ProxyStatus {
	settled := st.settled()
	st.mu.Lock()
	defer st.mu.Unlock()
	s := sinks.ProxyStatus{ID: st.id, Identity: st.identity, Protocol: st.protocol.name(), Since: st.since, Settled: settled}
	if st.has != nil && st.gone.IsZero() {
		s.Class = st.has.name
	}
	for _, k := range []kind{clusters, endpoints, routes, listeners, secrets} {
		kp := &st.progress.kinds[k]
		ts := sinks.TypeStatus{Type: k.String(), Differences: kp.differences()}
		if kp.started.IsZero() {
			for r := range kp.want.resources.Values() {
				ts.Differences = append(ts.Differences, sinks.Difference{Name: r.Name, Wanted: r.Version, From: slices.Collect(r.From.Values())})
			}
		}
		unsettled := 0
		for r := range kp.want.resources.Values() {
			if _, open := kp.open[r.Name]; open || kp.started.IsZero() {
				unsettled++
			}
		}
		ts.Settled = kp.want.resources.Len() - unsettled
		s.Types = append(s.Types, ts)
	}
	return s
}
