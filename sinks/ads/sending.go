package ads

import (
	"time"

	"google.golang.org/grpc/codes"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sinks"
)

// atOnce is how much gRPC takes of a stream without waiting until it is written: SendMsg returns at once as long as less
// than that is on its way.
const atOnce = 64 << 10

// outgoing is a message in its wire form.
type outgoing struct {
	message
	response *response
}

// advance plans and sends, until there is nothing to be sent at the moment. The stream is locked.
func (st *stream) advance(now time.Time) {
	if st.done || st.expelled(now) {
		return
	}
	for !st.sending && !st.done {
		messages, look := st.next(now)
		if len(messages) == 0 {
			st.await(look, now)
			return
		}
		st.send(messages)
	}
	if st.sending && !time.Now().Before(st.patience) {
		st.end(refuse(codes.DeadlineExceeded, "slow", "proxy %s does not read what it is sent", st.id))
	}
}

// expelled says whether a proxy that the mesh does not have any more has had its time, and ends its stream.
func (st *stream) expelled(now time.Time) bool {
	if st.gone.IsZero() || now.Before(st.gone.Add(st.Limits.Gone)) {
		return false
	}
	st.end(refuse(codes.NotFound, "gone-proxy", "the mesh does not have the proxy %s any more", st.id))
	return true
}

// await sets the alarm; a zero moment is never.
func (st *stream) await(look, now time.Time) {
	if look.IsZero() {
		st.alarm.Stop()
		return
	}
	st.alarm.Reset(max(time.Millisecond, look.Sub(now)))
}

// next plans, and says when to look again if nothing happens before.
func (st *stream) next(now time.Time) ([]outgoing, time.Time) {
	if st.progress.idle() {
		st.unread = 0
	}
	messages, look := st.progress.plan(now, st.Limits.pace())
	if !st.gone.IsZero() {
		look = earlier(look, st.gone.Add(st.Limits.Gone))
	}
	if st.purse.missing {
		look = earlier(look, now.Add(fetchAgain))
	}
	list := make([]outgoing, 0, len(messages))
	for _, m := range messages {
		list = append(list, outgoing{m, st.protocol.response(st.progress, m, st.bytes)})
	}
	return list, look
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// bytes are the wire form of a resource: its own, or that of a secret.
func (st *stream) bytes(r *compiler.Resource) []byte {
	if r.Type == kindURLs[secrets] {
		return st.purse.wire(r.Name)
	}
	return r.Bytes
}

// send sends messages in order. What gRPC may not take at once is sent aside, and everything else has to wait for it.
func (st *stream) send(messages []outgoing) {
	for i, m := range messages {
		if st.unread >= atOnce {
			st.sending, st.patience = true, time.Now().Add(st.Limits.Send)
			st.alarm.Reset(st.Limits.Send)
			go st.sendAside(messages[i:])
			return
		}
		st.unread += m.response.size
		if err := st.hand(m); err != nil {
			st.done = true
			st.end(err)
			return
		}
	}
}

func (st *stream) sendAside(messages []outgoing) {
	size := 0
	for _, m := range messages {
		if err := st.hand(m); err != nil {
			st.end(err)
			return
		}
		size += m.response.size
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sending = false
	st.unread += size
	st.advance(st.Now())
}

// hand hands a message to gRPC.
func (st *stream) hand(m outgoing) error {
	st.Observe(sinks.Event{
		Kind: sinks.Pushed, Type: m.kind.String(), Reason: m.reason, Resources: len(m.puts) + len(m.removes), Bytes: m.response.size,
	})
	return st.transport.SendMsg(m.response)
}
