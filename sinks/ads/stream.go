package ads

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// stream is the stream of one proxy. Its own goroutine does everything but wait for requests, and for a message to be
// taken; so that a proxy that reads slowly is planned for when it has read, and holds up nobody.
type stream struct {
	*Server
	transport grpc.ServerStream
	protocol  protocol
	id        model.ProxyID
	identity  model.Identity
	since     time.Time

	wake   chan struct{}
	ending chan error

	// mu guards what statuses read.
	mu       sync.Mutex
	target   *target // nil when the mesh does not have the proxy any more
	gone     time.Time
	progress *progress
	purse    purse
}

// protocol is what differs between the incremental protocol and the state of the world.
type protocol interface {
	name() string
	whole() bool
	receive(grpc.ServerStream) (request, error)
	take(*progress, request, time.Time)
	response(*progress, message, func(kind, string, []byte) []byte) *response
}

// serve serves one stream to its end.
func (s *Server) serve(transport grpc.ServerStream, protocol protocol) error {
	st := &stream{
		Server: s, transport: transport, protocol: protocol, since: s.Now().UTC(),
		wake: make(chan struct{}, 1), ending: make(chan error, 1), progress: newProgress(protocol.whole()), purse: purse{table: empty},
	}
	requests, broken := st.listen()
	first, err := st.first(requests, broken)
	if err != nil {
		return st.closed(err)
	}
	if err := s.admit(transport.Context(), st, first); err != nil {
		return err
	}
	defer s.leave(st)
	st.refresh()
	if err := st.take(first); err != nil {
		return st.closed(err)
	}
	return st.closed(st.run(requests, broken))
}

// listen receives requests until the stream ends.
func (st *stream) listen() (<-chan request, <-chan error) {
	requests, broken := make(chan request), make(chan error, 1)
	go func() {
		for {
			r, err := st.protocol.receive(st.transport)
			if err != nil {
				broken <- err
				return
			}
			select {
			case requests <- r:
			case <-st.transport.Context().Done():
				broken <- st.transport.Context().Err() // or nobody would know that the stream has ended
				return
			}
		}
	}()
	return requests, broken
}

func (st *stream) first(requests <-chan request, broken <-chan error) (request, error) {
	timeout := time.NewTimer(st.Limits.FirstRequest)
	defer timeout.Stop()
	select {
	case r := <-requests:
		return r, nil
	case err := <-broken:
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
		if !errors.Is(err, errDraining) {
			st.refusals.note(why, st.identity, "node", st.id.String())
		}
		return why
	}
	return err
}

// run serves the stream until it ends. It is the only place that plans and sends.
func (st *stream) run(requests <-chan request, broken <-chan error) error {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	var sent chan error // nil when nothing is being sent
	var patience time.Time
	for {
		var look time.Duration
		if sent == nil {
			var messages []outgoing
			messages, look = st.next()
			if len(messages) > 0 {
				sent, patience = st.send(messages), time.Now().Add(st.Limits.Send)
			}
		}
		if sent != nil {
			look = time.Until(patience)
		}
		alarm.Reset(look)
		select {
		case r := <-requests:
			if err := st.take(r); err != nil {
				return err
			}
		case err := <-broken:
			return err
		case err := <-sent:
			if sent = nil; err != nil {
				return err
			}
		case err := <-st.ending:
			return err
		case <-st.wake:
			st.refresh()
		case <-alarm.C:
			if sent != nil {
				return refuse(codes.DeadlineExceeded, "slow", "proxy %s does not read what it is sent", st.id)
			}
			st.refresh()
		}
		if err := st.expelled(); err != nil {
			return err
		}
	}
}

// outgoing is a message in its wire form.
type outgoing struct {
	message
	response *response
}

// next plans, and says how long nothing else is to be done.
func (st *stream) next() ([]outgoing, time.Duration) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.Now()
	messages, look := st.progress.plan(now, st.Limits.pace())
	if !st.gone.IsZero() {
		look = earlier(look, st.gone.Add(st.Limits.Gone))
	}
	if st.purse.missing() {
		look = earlier(look, now.Add(fetchAgain))
	}
	var list []outgoing
	for _, m := range messages {
		list = append(list, outgoing{m, st.protocol.response(st.progress, m, st.bytes)})
	}
	if look.IsZero() {
		return list, time.Hour
	}
	return list, max(time.Millisecond, look.Sub(now))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// bytes are the wire form of a resource: its own, or that of a secret, which is made when it is sent.
func (st *stream) bytes(k kind, name string, own []byte) []byte {
	if k == secrets {
		return st.purse.wire(name)
	}
	return own
}

// send sends messages in order, and tells when the last was taken by the transport.
func (st *stream) send(messages []outgoing) chan error {
	done := make(chan error, 1)
	go func() {
		for _, m := range messages {
			st.Observe(sinks.Event{
				Kind: sinks.Pushed, Type: m.kind.String(), Reason: m.reason, Resources: len(m.puts) + len(m.removes), Bytes: m.response.size,
			})
			if err := st.transport.SendMsg(m.response); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	return done
}

// take takes down a request.
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

// refresh brings the target and the secrets up to date.
func (st *stream) refresh() {
	w, _ := st.current()
	t := w.targetOf(st.id)
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.Now()
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
	st.retarget(w, t, now)
	if p := st.wallet.purse(t); !p.equal(st.purse.table) {
		st.progress.kinds[secrets].retarget(p.table, changed(st.purse.table, p.table), sinks.PushCertificate, now)
		st.purse = p
	}
}

func (st *stream) retarget(w *world, t *target, now time.Time) {
	if st.target == t {
		return
	}
	for k := range kinds {
		kp := &st.progress.kinds[k]
		if k == secrets || kp.want == t.tables[k] {
			continue
		}
		var names []string
		if !kp.started.IsZero() {
			names = w.changed(kp.want, t.tables[k])
		}
		if kp.retarget(t.tables[k], names, sinks.PushSnapshot, now) {
			st.Observe(sinks.Event{Kind: sinks.Coalesced, Type: k.String()})
		}
	}
	st.target = t
}

// expelled says whether a proxy that the mesh does not have any more has had its time.
func (st *stream) expelled() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.gone.IsZero() || st.Now().Before(st.gone.Add(st.Limits.Gone)) {
		return nil
	}
	return refuse(codes.NotFound, "gone-proxy", "the mesh does not have the proxy %s any more", st.id)
}

// tell has the stream look at what is new.
func (st *stream) tell() {
	select {
	case st.wake <- struct{}{}:
	default: // it has been told already
	}
}

// end ends the stream with a reason.
func (st *stream) end(why error) {
	select {
	case st.ending <- why:
	default: // it ends already
	}
}

// settled says whether the proxy has all that it is to have in a world.
func (st *stream) settled(w *world) bool {
	t := w.targetOf(st.id)
	st.mu.Lock()
	defer st.mu.Unlock()
	return t == nil || t == st.target && st.progress.settled() && st.wallet.purse(t).equal(st.purse.table)
}

// status is how far the proxy is.
func (st *stream) status(w *world) sinks.ProxyStatus {
	settled := st.settled(w)
	st.mu.Lock()
	defer st.mu.Unlock()
	s := sinks.ProxyStatus{ID: st.id, Identity: st.identity, Protocol: st.protocol.name(), Since: st.since, Settled: settled}
	if st.target != nil && st.gone.IsZero() {
		s.Class = st.target.name
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
