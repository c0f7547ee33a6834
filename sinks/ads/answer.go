package ads

import (
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// flown takes the message with this nonce out of those under way; false when there is none. A proxy that is sent the state
// of the world acknowledges only the newest, so that older ones are forgotten with it.
func (p *progress) flown(k kind, nonce int) (message, bool) {
	kp := &p.kinds[k]
	i := slices.IndexFunc(kp.flight, func(m message) bool { return m.nonce == nonce })
	if i < 0 {
		return message{}, false
	}
	m := kp.flight[i]
	if p.whole {
		for _, older := range kp.flight[:i] {
			m.puts = append(slices.Clone(older.puts), m.puts...)
			m.removes = append(slices.Clone(older.removes), m.removes...)
		}
		kp.flight = slices.Delete(kp.flight, 0, i)
		i = 0
	}
	kp.flight = slices.Delete(kp.flight, i, i+1)
	if len(kp.flight) == 0 {
		kp.flight = nil
	}
	return m, true
}

// idle says that no message is under way.
func (p *progress) idle() bool {
	for k := range p.kinds {
		if len(p.kinds[k].flight) > 0 {
			return false
		}
	}
	return true
}

// flying says whether a message is under way that brings or removes a resource.
func (k *kindProgress) flying(name string) bool {
	return slices.ContainsFunc(k.flight, func(m message) bool {
		return slices.Contains(m.removes, name) || slices.ContainsFunc(m.puts, func(r *compiler.Resource) bool { return r.Name == name })
	})
}

// acknowledge takes down that the proxy has what a message brought.
func (p *progress) acknowledge(m message, now time.Time) {
	k := &p.kinds[m.kind]
	for _, r := range m.puts {
		e := k.entry(r.Name)
		p.release(m.kind, e.has, r, now)
		e.has, e.batch, e.doubt = r, 0, nil
		if version(e.rejected) == r.Version || !e.refuses(k.want.find(r.Name)) {
			e.rejected, e.reason = nil, ""
		}
		k.settle(r.Name)
	}
	for _, name := range m.removes {
		e := k.entry(name)
		p.release(m.kind, e.has, nil, now)
		k.removed(name, e)
	}
}

// removed takes down that the proxy does not have a resource any more. Another version may be under way already.
func (k *kindProgress) removed(name string, e *entry) {
	e.has, e.doubt = nil, nil
	if e.sent == nil {
		e.asked = e.asked && !k.everything
	}
	k.settle(name)
}

// release notes when clusters that are to be removed lost a user.
func (p *progress) release(k kind, before, after *compiler.Resource, now time.Time) {
	if k != routes && k != listeners || version(before) == version(after) {
		return
	}
	for name, e := range p.kinds[clusters].open { //ordered: each entry is changed by itself
		if p.kinds[clusters].want.find(name) != nil {
			continue
		}
		if k == listeners || before == nil || unknown(before) || model.Contains(before.Uses, name) {
			e.idle = now
		}
	}
}

// reject takes down that the proxy did not take a message as a whole. A resource that was alone in it is the guilty one,
// which is given back; of several the proxy took the good ones, and they are sent in smaller messages until the guilty is
// alone.
func (p *progress) reject(m message, reason string) *compiler.Resource {
	k := &p.kinds[m.kind]
	for _, name := range m.removes {
		k.removed(name, k.entry(name))
	}
	var guilty *compiler.Resource
	for _, r := range m.puts {
		e := k.entry(r.Name)
		newest := !k.flying(r.Name)
		if newest {
			e.sent = e.has
		}
		switch {
		case len(m.puts) > 1:
			e.doubt = r
			if newest {
				e.batch, e.again = max(1, len(m.puts)/4), true
			}
		case newest:
			e.rejected, e.reason = r, reason
			guilty = r
			if version(e.doubt) == r.Version {
				e.doubt = nil
			}
			e.again = e.again || e.doubt != nil
		}
		k.settle(r.Name)
	}
	return guilty
}
