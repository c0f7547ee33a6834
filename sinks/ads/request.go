package ads

import (
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sinks"
)

// request is what a proxy says, in either protocol.
type request struct {
	// node is the id that the proxy gives itself; empty when it was said before.
	node string
	kind kind
	// nonce is the message that is answered, 0 for none; failed says that it was not taken, and reason why.
	nonce  int
	failed bool
	reason string
	// subscribe and unsubscribe are names, in the incremental protocol; versions are those that the proxy has already.
	subscribe, unsubscribe []string
	versions               map[string]string
	// names are all that the proxy asks for, and version the state that it has, in the other protocol.
	names   []string
	version string
}

// anything is the name that stands for all resources.
const anything = "*"

// take takes down what a proxy of the incremental protocol asks for.
func (p *progress) take(r request, now time.Time) {
	k := &p.kinds[r.kind]
	first := k.started.IsZero()
	if first {
		k.started = now
		k.begin(r, now)
		k.owed = k.everything && len(r.versions) == 0
	}
	for _, name := range r.subscribe {
		if name == anything {
			k.everything = true
			continue
		}
		if !first {
			p.subscribe(r.kind, name, now)
		}
	}
	for _, name := range r.unsubscribe {
		p.unsubscribe(r.kind, name)
	}
	if first && r.kind == endpoints {
		p.repeatWarming()
	}
}

// repeatWarming has assignments sent again that a proxy says to have, but not for the clusters that it has now: those
// that it was sent a moment ago, and all when it does not ask for clusters, as it does while some still warm.
func (p *progress) repeatWarming() {
	if p.kinds[clusters].started.IsZero() {
		for r := range p.kinds[endpoints].want.resources.Values() {
			p.repeatEndpoints(r.Name)
		}
		for name, e := range p.kinds[endpoints].open { //ordered: each is changed by itself
			if p.kinds[endpoints].want.find(name) == nil {
				e.sent, e.has = nil, nil // it is told that there is none, and does not wait
			}
		}
		return
	}
	for _, m := range p.kinds[clusters].flight {
		for _, c := range m.puts {
			p.repeatEndpoints(c.Name)
		}
	}
}

// begin compares what a proxy has from an earlier stream with what it is to have.
func (k *kindProgress) begin(r request, now time.Time) {
	k.everything = r.kind.whole() && len(r.subscribe) == 0
	asked := make(map[string]bool, len(r.subscribe))
	for _, name := range r.subscribe {
		asked[name] = true
		k.everything = k.everything || name == anything
	}
	k.compare(r, asked, now)
	for _, name := range r.subscribe {
		if name != anything && k.want.find(name) == nil {
			k.entry(name).asked = true
		}
	}
	for name, v := range r.versions { //ordered: each entry is made by itself
		if k.want.find(name) == nil {
			e := k.entry(name)
			e.has = &compiler.Resource{Type: kindURLs[r.kind], Name: name, Version: v}
			e.sent, e.since = e.has, now
		}
	}
}

// compare opens the entries of what the proxy is to have and does not have in this version.
func (k *kindProgress) compare(r request, asked map[string]bool, now time.Time) {
	// Proxies that are new have nothing, and those that come again nearly everything.
	room := make([]entry, 0, max(0, k.want.resources.Len()-len(r.versions)))
	if k.open == nil && cap(room) > 0 {
		k.open = make(map[string]*entry, cap(room))
	}
	for want := range k.want.resources.Values() {
		v, known := r.versions[want.Name]
		known = known && (asked[want.Name] || k.everything)
		if known && v == want.Version {
			continue
		}
		if len(room) == cap(room) {
			room = make([]entry, 0, 8)
		}
		room = append(room, entry{asked: asked[want.Name], since: now, cause: sinks.PushSubscription})
		e := &room[len(room)-1]
		if known {
			e.has = &compiler.Resource{Type: kindURLs[r.kind], Name: want.Name, Version: v}
			e.sent = e.has
		}
		k.put(want.Name, e)
	}
}

// subscribe notes that the proxy asks for a name. Who asks again has forgotten what it had.
func (p *progress) subscribe(k kind, name string, now time.Time) {
	kp := &p.kinds[k]
	e := kp.entry(name)
	if e.asked || e.sent != nil {
		e.again = true
	}
	if e.since.IsZero() || !e.asked {
		e.since = now
	}
	e.asked, e.told, e.cause = true, false, sinks.PushSubscription
}

// unsubscribe notes that the proxy has forgotten a name.
func (p *progress) unsubscribe(k kind, name string) {
	kp := &p.kinds[k]
	if name == anything {
		kp.everything = false
		return
	}
	e := kp.entry(name)
	*e = entry{}
	kp.settle(name)
}
