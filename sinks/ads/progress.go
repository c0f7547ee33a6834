package ads

import (
	"maps"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sinks"
)

// progress is how far a proxy is: plain data that changes by what the proxy says (request.go, answer.go), by a new
// target, and by what is sent (plan.go). It holds only where the proxy differs from its target: what is not open is asked
// for, sent, and acknowledged just as the target has it, so that a settled proxy costs next to nothing.
type progress struct {
	kinds [kinds]kindProgress
	// whole says that messages of whole kinds have everything in them (state of the world).
	whole bool
	nonce int
}

// kindProgress is how far a proxy is with one kind of resources.
type kindProgress struct {
	want *table
	// started is when the proxy asked for the kind first; zero before.
	started time.Time
	// everything says that the proxy asks for whatever there is.
	everything bool
	// owed says that the proxy awaits an answer, even if there is nothing.
	owed bool
	open map[string]*entry
	// flight are the messages that are not acknowledged yet.
	flight []message
}

// entry is the state of one resource at the proxy.
type entry struct {
	// asked says that the proxy asked for it by name.
	asked bool
	// sent was sent last, has is what the proxy is known to have: it was acknowledged.
	sent, has *compiler.Resource
	// rejected is what the proxy did not take, and reason what it said.
	rejected *compiler.Resource
	reason   string
	// again says that it has to be sent although the proxy may have this version.
	again bool
	// told says that the proxy knows that there is no such resource.
	told bool
	// doubt is what the proxy may have: it rejected a message that brought this with others.
	doubt *compiler.Resource
	// batch, unless 0, is how many resources a message with it may have at most.
	batch int
	// since is when the proxy fell behind, sentAt when the resource was sent last, idle when the last user of a cluster
	// that is to be removed let go of it.
	since, sentAt, idle time.Time
	// cause is why it is sent, one of the reasons of a push.
	cause string
}

func newProgress(whole bool) *progress {
	p := &progress{whole: whole}
	for k := range p.kinds {
		p.kinds[k].want = empty
	}
	return p
}

// entry is the state of a resource, to be changed. settle closes it again.
func (k *kindProgress) entry(name string) *entry {
	if e, ok := k.open[name]; ok {
		return e
	}
	e := &entry{}
	if r := k.want.find(name); r != nil && !k.started.IsZero() {
		e.asked, e.sent, e.has = true, r, r
	}
	k.put(name, e)
	return e
}

func (k *kindProgress) put(name string, e *entry) {
	if k.open == nil {
		k.open = map[string]*entry{}
	}
	k.open[name] = e
}

// asks says whether the proxy asks for the resource.
func (k *kindProgress) asks(e *entry) bool { return e.asked || k.everything }

// settle closes an entry that is as the target has it.
func (k *kindProgress) settle(name string) {
	e, ok := k.open[name]
	if !ok {
		return
	}
	want := version(k.want.find(name))
	gone := want == "" && k.want.find(name) == nil && !e.asked && e.sent == nil && e.has == nil && e.doubt == nil
	there := want != "" && k.asks(e) && version(e.sent) == want && version(e.has) == want && !e.again && e.doubt == nil && version(e.rejected) != want
	if !gone && !there {
		return
	}
	delete(k.open, name)
	if len(k.open) == 0 {
		k.open = nil // the memory of a map does not shrink
	}
}

// retarget makes a table the one that the proxy is to have, which differs in these names from the one before. It says
// whether a state was passed over that the proxy was never sent.
func (k *kindProgress) retarget(want *table, names []string, cause string, now time.Time) (coalesced bool) {
	if k.started.IsZero() {
		k.want = want
		return false
	}
	for _, name := range names {
		before := k.want.find(name)
		_, behind := k.open[name]
		e := k.entry(name)
		if behind && k.asks(e) && version(before) != "" && version(e.sent) != version(before) && e.rejected == nil {
			coalesced = true
		}
		if !behind || e.rejected != nil || e.since.IsZero() {
			e.since = now
		}
		e.batch, e.told, e.cause = 0, false, cause
	}
	k.want = want
	for _, name := range names {
		k.settle(name)
	}
	return coalesced
}

// names are those of the open entries, in order.
func (k *kindProgress) names() []string {
	list := slices.AppendSeq(make([]string, 0, len(k.open)), maps.Keys(k.open))
	slices.Sort(list)
	return list
}

// refuses says whether the proxy rejected the version that it is to have.
func (e *entry) refuses(want *compiler.Resource) bool {
	return e.rejected != nil && want != nil && e.rejected.Version == want.Version
}

// settled says whether the proxy has, or rejected for good, all that it is to have.
func (p *progress) settled() bool {
	for k := range kinds {
		if !p.settledIn(k) {
			return false
		}
	}
	return true
}

func (p *progress) settledIn(k kind) bool {
	kp := &p.kinds[k]
	if kp.started.IsZero() {
		return !k.whole() && (kp.want.resources.Len() == 0 || p.refusals(k.parents()))
	}
	for name, e := range kp.open { //ordered: the answer is the same in any order
		want := kp.want.find(name)
		switch {
		case e.refuses(want):
		case want == nil && !k.whole():
		case want == nil && p.refusals([]kind{routes, listeners}): // a last good state may use the cluster
		case want != nil && !kp.asks(e) && p.refusals(k.parents()):
		default:
			return false
		}
	}
	return !kp.owed && len(kp.flight) == 0
}

// refusals says whether the proxy rejected something of these kinds.
func (p *progress) refusals(of []kind) bool {
	for _, k := range of {
		for name, e := range p.kinds[k].open { //ordered: the answer is the same in any order
			if e.refuses(p.kinds[k].want.find(name)) {
				return true
			}
		}
	}
	return false
}

// differences are the open resources of a kind, by name.
func (k *kindProgress) differences() []sinks.Difference {
	var list []sinks.Difference
	for _, name := range k.names() {
		e, want := k.open[name], k.want.find(name)
		if want == nil && e.sent == nil && e.has == nil {
			continue // it was asked for, and there is no such resource
		}
		d := sinks.Difference{Name: name, Wanted: version(want), Sent: version(e.sent), Acknowledged: version(e.has)}
		if want != nil {
			d.From = slices.Collect(want.From.Values())
		}
		if e.refuses(want) {
			d.Rejected, d.Sent = e.reason, e.rejected.Version
		}
		list = append(list, d)
	}
	return list
}
