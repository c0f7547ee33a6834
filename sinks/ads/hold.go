package ads

import (
	"bytes"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// holder says what has to wait at one moment, and when to look again.
type holder struct {
	*progress
	now  time.Time
	pace pace
	look time.Time
}

// until has the planner look again at a moment, if that is to come, and says whether it is.
func (h *holder) until(moment time.Time) bool {
	if !h.now.Before(moment) {
		return false
	}
	if h.look.IsZero() || moment.Before(h.look) {
		h.look = moment
	}
	return true
}

// busy says whether a message of the kind is under way. Whoever keeps it for too long is sent the next nevertheless.
func (h *holder) busy(k kind) bool {
	flight := h.kinds[k].flight
	if len(flight) == 0 {
		return false
	}
	return h.until(flight[len(flight)-1].at.Add(h.pace.wait)) || len(flight) >= maxFlight
}

// holds says whether a resource has to wait for others. Clusters, endpoints and secrets never do. A route table or a
// listener waits for the clusters that it uses and no other, so that a cluster that never gets ready delays nothing but
// its own users; a listener waits for changed route tables that it leads to as well.
func (h *holder) holds(k kind, e *entry, want *compiler.Resource) bool {
	if k != routes && k != listeners {
		return false
	}
	return h.awaitsUsed(want, e) || k == listeners && h.awaitsTables(want, e)
}

func (h *holder) awaitsUsed(want *compiler.Resource, user *entry) bool {
	for name := range want.Uses.Values() {
		if h.awaits(clusters, name, user) {
			return true
		}
	}
	return false
}

// awaitsTables says whether a listener has to wait for a route table that it leads to. A table that the proxy does not
// have is asked for only when it has the listener, so that the listener waits for what the table uses instead.
func (h *holder) awaitsTables(want *compiler.Resource, user *entry) bool {
	tables := &h.kinds[routes]
	for _, name := range tables.names() {
		t, next := tables.open[name], tables.want.find(name)
		if next == nil || !leads(want, name) {
			continue
		}
		if t.has == nil && h.awaitsUsed(next, user) || t.has != nil && h.awaits(routes, name, user) {
			return true
		}
	}
	return false
}

// awaits says whether a user of a resource has to wait until the proxy has acknowledged it: the given time from when it
// was sent, or from when the user fell behind, and twice as long in all.
func (h *holder) awaits(k kind, name string, user *entry) bool {
	kp := &h.kinds[k]
	e, want := kp.open[name], kp.want.find(name)
	if kp.started.IsZero() {
		// A proxy that comes again while its clusters warm asks for them last.
		return want != nil && h.until(user.since.Add(h.pace.wait))
	}
	if e == nil || want == nil || e.refuses(want) || version(e.has) == want.Version && version(e.sent) == want.Version {
		return false
	}
	end := user.since.Add(2 * h.pace.wait)
	if version(e.sent) == want.Version {
		from := user.since
		if e.sentAt.After(from) {
			from = e.sentAt
		}
		if sent := from.Add(h.pace.wait); sent.Before(end) {
			end = sent
		}
	}
	return h.until(end)
}

// leads says whether a listener may refer to a route table: its wire form has the name in it.
func leads(listener *compiler.Resource, table string) bool {
	return bytes.Contains(listener.Bytes, []byte(table))
}

// keeps says whether a cluster that is to be removed stays for now: a route table or listener that the proxy has uses it,
// or used it until a moment ago.
func (h *holder) keeps(name string, e *entry) bool {
	if h.used(name, e) {
		return true
	}
	idle := e.idle
	if started := h.kinds[listeners].started; started.After(idle) && started.After(e.since) {
		idle = started // what a proxy of an earlier stream has is known little by little
	}
	return !idle.IsZero() && h.until(idle.Add(h.pace.linger))
}

// used says whether the proxy has something that uses a cluster. What is used by a last good state stays; what waits for
// an acknowledgement stays for a bounded time.
func (h *holder) used(cluster string, e *entry) bool {
	if h.kinds[listeners].started.IsZero() {
		return h.until(e.since.Add(h.pace.wait))
	}
	for _, k := range []kind{routes, listeners} {
		kp := &h.kinds[k]
		for _, name := range kp.names() {
			user, want := kp.open[name], kp.want.find(name)
			if want == nil && k == routes {
				continue // it goes with its listener
			}
			// While a new table is not there, the listener before is the one that works.
			awaited := k == routes && user.has == nil && !user.refuses(want)
			if !awaited && !h.uses(k, user.has, cluster) && !h.uses(k, user.sent, cluster) {
				continue
			}
			from := e.since
			if user.since.After(from) {
				from = user.since
			}
			if user.refuses(want) || h.until(from.Add(4*h.pace.wait)) {
				return true
			}
		}
	}
	return false
}

// uses says whether a resource sends traffic to a cluster, as far as is known. A listener does through a route table that
// goes with it.
func (h *holder) uses(k kind, r *compiler.Resource, cluster string) bool {
	if r == nil {
		return false
	}
	if unknown(r) || model.Contains(r.Uses, cluster) {
		return true
	}
	if k != listeners {
		return false
	}
	tables := &h.kinds[routes]
	for _, name := range tables.names() {
		t := tables.open[name]
		if tables.want.find(name) == nil && leads(r, name) && (h.uses(routes, t.has, cluster) || h.uses(routes, t.sent, cluster)) {
			return true
		}
	}
	return false
}

// unknown says that nothing is known of a resource but its version: the proxy has it from another stream.
func unknown(r *compiler.Resource) bool { return r.Bytes == nil }
