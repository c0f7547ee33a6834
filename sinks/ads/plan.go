package ads

import (
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sinks"
)

// The planner decides what a proxy is sent next. It looks at the proxy's progress and at nothing else; the same progress
// at the same moment gives the same messages. A new service, for example, goes out as
//
//	clusters  + bookstore/bookstore|80       the proxy asks for its endpoints and certificates, and is answered at once
//	routes    ~ rds-outbound.80              once the proxy has acknowledged the cluster, which means that it is ready
//	listeners ~ outbound-listener            once the proxy has acknowledged the routes
//
// What is removed goes last. hold.go says what waits for what, and for how long at most.

// message is what is sent at once: resources of one kind, and names of those that go.
type message struct {
	kind    kind
	nonce   int
	puts    []*compiler.Resource
	removes []string
	// reason is why it is sent, one of the reasons of a push.
	reason string
	at     time.Time
}

// pace is how long the planner waits, and how much goes into a message.
type pace struct {
	// wait is how long something waits for something else that has been sent.
	wait time.Duration
	// linger is how long a cluster stays after its last user was replaced: a proxy acknowledges a listener before it
	// uses it.
	linger time.Duration
	// bytes is how big a message may be that can be split.
	bytes int
}

// maxFlight is how many messages of a kind may be under way: more than one burst only when a proxy keeps
// acknowledgements back for longer than pace.wait.
const maxFlight = 8

// plan takes down what is sent now, and gives it back with the moment to look again; zero when there is nothing to
// wait for but the proxy.
func (p *progress) plan(now time.Time, pace pace) (messages []message, look time.Time) {
	h := &holder{progress: p, now: now, pace: pace}
	for k := range kinds {
		kp := &p.kinds[k]
		if kp.started.IsZero() || kp.open == nil && !kp.owed {
			continue
		}
		if h.busy(k) {
			continue
		}
		for _, m := range p.messages(k, h) {
			kp.owed = false
			m.kind, m.at = k, now
			p.nonce++
			m.nonce = p.nonce
			p.send(m)
			messages = append(messages, m)
		}
	}
	return messages, h.look
}

// messages are what can be sent of a kind.
func (p *progress) messages(k kind, h *holder) []message {
	kp := &p.kinds[k]
	var puts []*compiler.Resource
	var removes []string
	for _, name := range kp.names() {
		e, want := kp.open[name], kp.want.find(name)
		switch {
		case e.again && e.asked && e.has != nil && !unknown(e.has) && (want == nil || e.refuses(want)):
			puts = append(puts, e.has) // the last good one, for a cluster that waits for it
		case want == nil:
			if p.removable(k, name, h) {
				removes = append(removes, name)
			}
		case kp.sendable(e, want) && !h.holds(k, e, want):
			puts = append(puts, want)
		}
	}
	puts, batched := kp.batch(puts)
	reason := kp.reason(puts, removes)
	if batched {
		return []message{{puts: puts, removes: removes, reason: sinks.PushRetry}}
	}
	// Who asked first awaits an answer even if there is nothing; but if there is something, it waits for that.
	if len(puts)+len(removes) == 0 && (!kp.owed || kp.want.resources.Len() > 0) {
		return nil
	}
	if p.whole {
		return []message{{puts: puts, removes: removes, reason: reason}} // it cannot be split
	}
	return split(puts, removes, reason, h.pace.bytes)
}

// sendable says whether the proxy asks for a resource and does not have it, and did not reject it.
func (k *kindProgress) sendable(e *entry, want *compiler.Resource) bool {
	return k.asks(e) && want.Version != "" && (version(e.sent) != want.Version || e.again) && !e.refuses(want)
}

// removable says whether the proxy is to be told that a resource is gone. Of kinds that others refer to by name there is
// nothing to tell: they go with what refers to them. Only who asks for what is not there learns it.
func (p *progress) removable(k kind, name string, h *holder) bool {
	e := p.kinds[k].open[name]
	if !k.whole() {
		unknown := e.asked && e.sent == nil && e.has == nil && !e.told
		return unknown && !p.whole
	}
	if e.sent == nil && e.has == nil && e.doubt == nil {
		return e.asked && !e.told && !p.whole
	}
	going := e.sent == nil && p.kinds[k].flying(name)
	return !going && (k == listeners || !h.keeps(name, e))
}

// batch leaves of the resources those that may go into one message. Those that were rejected together with others go in
// smaller and smaller messages, after all others.
func (k *kindProgress) batch(puts []*compiler.Resource) (now []*compiler.Resource, batched bool) {
	first := slices.IndexFunc(puts, func(r *compiler.Resource) bool { return k.open[r.Name].batch > 0 })
	if first < 0 {
		return puts, false
	}
	free := slices.DeleteFunc(slices.Clone(puts), func(r *compiler.Resource) bool { return k.open[r.Name].batch > 0 })
	if len(free) > 0 {
		return free, false
	}
	most := k.open[puts[first].Name].batch
	alike := slices.DeleteFunc(puts, func(r *compiler.Resource) bool { return k.open[r.Name].batch != most })
	return alike[:min(most, len(alike))], true
}

func (k *kindProgress) reason(puts []*compiler.Resource, removes []string) string {
	for _, r := range puts {
		if cause := k.open[r.Name].cause; cause != "" {
			return cause
		}
	}
	for _, name := range removes {
		if cause := k.open[name].cause; cause != "" {
			return cause
		}
	}
	return sinks.PushSubscription
}

// split makes several messages of what is too big for one. Removals are in the last.
func split(puts []*compiler.Resource, removes []string, reason string, most int) []message {
	var messages []message
	start, size := 0, 0
	for i, r := range puts {
		n := len(r.Bytes) + len(r.Name) + 256
		if i > start && size+n > most {
			messages = append(messages, message{puts: puts[start:i], reason: reason})
			start, size = i, 0
		}
		size += n
	}
	return append(messages, message{puts: puts[start:], removes: removes, reason: reason})
}

// send takes down that a message is sent.
func (p *progress) send(m message) {
	k := &p.kinds[m.kind]
	for _, r := range m.puts {
		e := k.open[r.Name]
		e.sent, e.sentAt, e.again = r, m.at, false
		if m.kind == clusters {
			p.repeatEndpoints(r.Name)
		}
	}
	for _, name := range m.removes {
		e := k.open[name]
		e.sent, e.sentAt, e.told = nil, m.at, true
	}
	k.flight = append(k.flight, m)
}

// repeatEndpoints has the assignment of a cluster sent again when the cluster is: a proxy that has an assignment of that
// name already does not ask for another, and the new cluster would wait for it.
func (p *progress) repeatEndpoints(cluster string) {
	k := &p.kinds[endpoints]
	if _, open := k.open[cluster]; k.started.IsZero() || !open && k.want.find(cluster) == nil {
		return
	}
	e := k.entry(cluster)
	if e.asked && e.sent != nil {
		e.again = true
		if e.cause == "" {
			e.cause = sinks.PushSnapshot
		}
	}
	k.settle(cluster)
}
