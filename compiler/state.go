package compiler

import (
	"cmp"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// state is what a compilation leaves for the next one. It never changes afterwards, and refers to no state before it.
type state struct {
	index
	built
	// places are the classes, in order.
	places []*place
	// outbounds are the outbound sides that some class has.
	outbounds trie[outboundKey, *calls]
	// everywhere is, in permissive mode, the view of whoever calls, by the rank of its families.
	everywhere [4]*client
	// noisy are the outbound sides of which there is something to tell.
	noisy []*calls
}

func newState() *state {
	s := &state{index: newIndex(), built: newBuilt()}
	s.outbounds = newTrie[outboundKey, *calls](s.users.hash)
	return s
}

// outboundKey is what an outbound side depends on: in SMI mode the identity, in permissive mode the namespace alone.
type outboundKey struct {
	caller   model.Identity
	families families
}

func (k outboundKey) compare(l outboundKey) int {
	return cmp.Or(k.caller.Compare(l.caller), cmp.Compare(k.families.rank(), l.families.rank()))
}

// keyOf is the key of the outbound side of a kind.
func (c *compilation) keyOf(k *kind) outboundKey {
	key := outboundKey{k.identity(), k.spec.Families}
	if c.settings.Permissive {
		key.caller.ServiceAccount = ""
	}
	return key
}

// place is the place of a kind; nil when it has none.
func (s *state) place(k *kind) *place {
	if i, ok := slices.BinarySearchFunc(s.places, k, (*place).compare); ok {
		return s.places[i]
	}
	return nil
}

func (p *place) compare(k *kind) int { return p.kind.compare(k) }

// eachResource visits every resource that some class has, or that a view may give to one.
func (s *state) eachResource(visit func(*Resource)) {
	for _, p := range s.places {
		for _, list := range []model.List[*Resource]{p.class.Listeners, p.class.Routes, p.class.Clusters, p.class.Endpoints} {
			for r := range list.Values() {
				visit(r)
			}
		}
	}
	for _, view := range s.everywhere {
		if view != nil {
			view.eachResource(visit)
		}
	}
}

func (v *client) eachResource(visit func(*Resource)) {
	for _, r := range slices.Concat(v.result.clusters, v.result.endpoints) {
		visit(r)
	}
	if v.result.listener != nil {
		visit(v.result.listener)
	}
	//ordered: whoever visits puts them into a trie
	for _, t := range v.foreign {
		visit(t.resource)
	}
}
