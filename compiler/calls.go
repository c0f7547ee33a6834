package compiler

import (
	"maps"
	"slices"
)

// calls is the outbound side that the proxies of an identity, or in permissive mode of a namespace, have in common.
type calls struct {
	outbound
	key  outboundKey
	view *client
	// routing is what was found in making its route tables.
	routing []*findings
}

// noisy says whether there is anything to tell.
func (c *calls) noisy() bool {
	return slices.ContainsFunc(c.found(), func(f *findings) bool { return len(f.notes) > 0 || len(f.unreachable) > 0 })
}

// found is what there is to tell of the view and of the routes.
func (c *calls) found() []*findings { return append(slices.Clip(c.routing), &c.view.findings) }

// callsOf makes the outbound side of a key. The one that it had before may have the same routes.
func (c *compilation) callsOf(key outboundKey) *calls {
	prior, _ := c.old.outbounds.get(key)
	made := &calls{key: key}
	if c.settings.Permissive {
		made.view = c.viewOfAll(key.families)
	} else {
		var view *client
		if prior != nil {
			view = prior.view
		}
		made.view = c.outboundFor(key.families, c.reachFrom(key.caller), view)
	}
	made.outbound = made.view.result
	if prior != nil && made.view.likePrior {
		made.routes, made.routing = prior.routes, prior.routing
	} else {
		made.routes, made.routing = made.view.within(key.caller.Namespace)
	}
	return made
}

// viewOfAll is the view of whoever calls in permissive mode.
func (c *compilation) viewOfAll(f families) *client {
	view := c.everywhere[f.rank()]
	switch {
	case view == nil:
		view = c.outboundFor(f, c.reachAll(), c.old.everywhere[f.rank()])
	case view.compilation == nil:
		view = view.opened(c)
	}
	c.everywhere[f.rank()] = view
	return view
}

// opened is a closed view that can be used again.
func (v *client) opened(c *compilation) *client {
	next := *v
	next.compilation, next.likePrior = c, false
	next.foreign = maps.Clone(v.foreign)
	next.found = &next.findings
	c.views = append(c.views, &next)
	return &next
}

// close lets go of all that was needed to make the view.
func (v *client) close() {
	v.compilation, v.destinations, v.chains, v.found = nil, nil, nil, nil
}

// takeFrom takes from a prior view of the same families what was made for upstreams that are as they were, and finds
// out whether the routes are too.
func (v *client) takeFrom(prior *client) {
	if prior == nil {
		return
	}
	v.likePrior = len(v.reached) == len(prior.reached)
	rest := prior.reached
	for _, u := range v.reached {
		for len(rest) > 0 && rest[0].id.Compare(u.id) < 0 {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0].id != u.id {
			v.likePrior = false
			continue
		}
		u.takeFrom(rest[0])
		v.likePrior = v.likePrior && u.routedLike(rest[0]) && !v.disturbed[u.id.Service]
	}
	if v.likePrior {
		v.foreign = maps.Clone(prior.foreign)
	}
}

func (u *upstream) takeFrom(prior *upstream) {
	u.toPods = prior.toPods
	if u.servicePort == prior.servicePort && u.whole == prior.whole && slices.Equal(u.allowed, prior.allowed) {
		u.cluster, u.assignment, u.directCluster = prior.cluster, prior.assignment, prior.directCluster
	}
}

// routedLike says whether everything about an upstream is as before that claims, names and routes depend on. Those of
// headless services depend on their pods.
func (u *upstream) routedLike(prior *upstream) bool {
	if u.routable() != prior.routable() {
		return false
	}
	if u.servicePort == prior.servicePort && !u.service.Headless {
		return true
	}
	if u.servicePort == prior.servicePort {
		return u.whole == prior.whole && slices.Equal(u.allowed, prior.allowed)
	}
	return u.calledLike(prior.servicePort)
}
