package compiler

import (
	"cmp"
	"maps"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// balances says that nothing differs but which servers are ready: calls are spread otherwise, and all else is as it was.
func (c portChange) balances() bool {
	return c.was != nil && c.now != nil && !c.was.plain && !c.now.plain && c.now.calledLike(c.was) &&
		slices.Equal(c.was.servers, c.now.servers) && slices.Equal(c.was.doors, c.now.doors)
}

// rebalance follows ports whose servers have come to be ready, or are no more, in the outbound sides that lead there. Only
// assignments are made; the rest of a view is taken over as it is, however much it can reach.
func (c *compilation) rebalance(d difference) {
	if len(d.balanced) == 0 {
		return
	}
	for _, key := range sortedBy(c.usersOf(difference{ports: d.balanced}), outboundKey.compare) {
		before, _ := c.outbounds.get(key)
		if c.replaced[key] || before == nil {
			continue
		}
		calls := c.rebalancedCalls(before, d.balanced)
		if calls.view == before.view {
			continue
		}
		c.replaced[key], c.balanced[calls] = true, true
		c.outbounds.put(c.owner, key, calls)
		c.made.outbound++
		users, _ := c.users.get(key)
		for _, k := range users {
			c.touch(k).out = calls
		}
	}
}

// followEverywhere brings the views of whoever calls in permissive mode up to date, or gives them up.
func (c *compilation) followEverywhere(d difference) {
	if len(d.ports) > 0 || len(d.roots) > 0 {
		c.everywhere = [4]*client{} // also when nobody looks now: somebody may later
	}
	for rank, view := range c.everywhere {
		if view != nil {
			c.everywhere[rank] = view.rebalanced(c, d.balanced)
		}
	}
}

func (c *compilation) rebalancedCalls(before *calls, changes []portChange) *calls {
	next := *before
	if c.settings.Permissive {
		next.view = c.everywhere[before.key.families.rank()]
	} else {
		next.view = before.view.rebalanced(c, changes)
	}
	next.endpoints = next.view.result.endpoints
	return &next
}

// rebalanced is a closed view after some ports are balanced otherwise: itself if it reaches none of them.
func (v *client) rebalanced(c *compilation, changes []portChange) *client {
	changes = slices.DeleteFunc(slices.Clone(changes), func(p portChange) bool { return v.upstream(p.id) == nil })
	if len(changes) == 0 {
		return v
	}
	next := *v
	next.compilation = c
	next.reached, next.result.endpoints = slices.Clone(v.reached), slices.Clone(v.result.endpoints)
	next.tables = maps.Clone(v.tables)
	for _, p := range changes {
		next.rebalance(p.now)
	}
	next.compilation = nil
	return &next
}

func (v *client) rebalance(now *servicePort) {
	i, _ := slices.BinarySearchFunc(v.reached, now.id, (*upstream).compare)
	u := *v.reached[i]
	u.servicePort = now
	v.reached[i] = &u
	if i, ok := slices.BinarySearchFunc(v.tables[now.id.Port], now.id, (*upstream).compare); ok {
		v.tables[now.id.Port] = slices.Clone(v.tables[now.id.Port])
		v.tables[now.id.Port][i] = &u
	}
	if u.assignment == nil {
		return
	}
	u.assignment = v.assignment(&u)
	i, _ = slices.BinarySearchFunc(v.result.endpoints, u.assignment.Name, compareToName)
	v.result.endpoints[i] = u.assignment
}

func compareToName(r *Resource, name string) int { return cmp.Compare(r.Name, name) }

// rebalancedClass is the class of a place of which nothing differs but endpoints; nil when more may.
func (c *compilation) rebalancedClass(p *place) *Class {
	before := c.old.place(p.kind)
	if before == nil || before.in != p.in || !c.balanced[p.out] || !slices.Equal(before.proxies, p.proxies) {
		return nil
	}
	class := *before.class
	class.Endpoints = model.ListOf(p.out.endpoints...)
	if model.Equal(class.Endpoints, before.class.Endpoints) {
		return before.class
	}
	return &class
}
