package compiler

import (
	"github.com/flomesh-io/fsmc/model"
)

// difference is what a mesh has otherwise than the one before, as far as views are concerned.
type difference struct {
	// born are kinds that had no proxies, died those that have none any more.
	born, died []*kind
	// ports are those that differ, but for those that are only balanced otherwise.
	ports, balanced []portChange
	// renamed are services that have come, have gone, or were written elsewhere.
	renamed []model.ServiceID
	// roots are those of which a split differs.
	roots []model.ServiceID
	// permissions are those that have gone and those that have come; opening are those of them that differ in who may
	// call which ports, and not only in the requests that are admitted.
	permissions, opening []*model.Permission
}

// read brings the index up to date, and says what differs.
func (c *compilation) read() difference {
	doors := map[model.ServicePort]bool{}
	var d difference
	d.born, d.died = c.readProxies(doors)
	for was, now := range c.mesh.ServicesSince(c.old.mesh) {
		switch {
		case was == nil:
			d.renamed = append(d.renamed, now.ID)
		case now == nil || was.From != now.From:
			d.renamed = append(d.renamed, was.ID)
		}
	}
	for _, p := range c.updatePorts(doors) {
		if p.balances() {
			d.balanced = append(d.balanced, p)
		} else {
			d.ports = append(d.ports, p)
		}
	}
	d.roots = c.updateRoots(c.owner, c.old.mesh)
	for was, now := range c.mesh.PermissionsSince(c.old.mesh) {
		for _, p := range []*model.Permission{was, now} {
			if p != nil {
				d.permissions = append(d.permissions, p)
			}
			if p != nil && !opensAlike(was, now) {
				d.opening = append(d.opening, p)
			}
		}
	}
	c.disturb(d)
	return d
}

// opensAlike says of two permissions, of which either may be nil, that views cannot tell them apart.
func opensAlike(p, q *model.Permission) bool {
	return p != nil && q != nil && p.Destination == q.Destination && model.Equal(p.Sources, q.Sources) &&
		samePorts(p.TCP, q.TCP) && samePorts(p.HTTP.Ports, q.HTTP.Ports) && p.HTTP.Requests.IsZero() == q.HTTP.Requests.IsZero()
}

func samePorts(p, q model.PortSet) bool { return p.All == q.All && model.Equal(p.Ports, q.Ports) }

// readProxies sorts the proxies that differ into their kinds. Proxies that become another kind may have doors elsewhere.
func (c *compilation) readProxies(doors map[model.ServicePort]bool) (born, died []*kind) {
	crowds := moves[*kind, model.ProxyID]{}
	fresh := kinds{known: c.old, made: map[specSum]*kind{}}
	for was, now := range c.mesh.ProxiesSince(c.old.mesh) {
		var before, after *kind
		if was != nil {
			before, _ = c.kinds.get(was.ID)
		}
		if now != nil {
			after = fresh.of(now)
		}
		if before == after {
			if before != nil && !model.Equal(was.Addresses, now.Addresses) {
				after.markDoors(doors)
			}
			continue
		}
		if before != nil {
			crowds.leave(before, was.ID)
			before.markDoors(doors)
			c.kinds.drop(c.owner, was.ID)
		}
		if after != nil {
			crowds.come(after, now.ID)
			after.markDoors(doors)
			c.kinds.put(c.owner, now.ID, after)
		}
	}
	return c.crowd(crowds)
}

// crowd gives the kinds their proxies.
func (c *compilation) crowd(crowds moves[*kind, model.ProxyID]) (born, died []*kind) {
	serving, users := moves[model.ServiceID, *kind]{}, moves[outboundKey, *kind]{}
	for _, k := range sortedBy(crowds, (*kind).compare) {
		p := c.touch(k)
		before := len(p.proxies)
		p.proxies = crowds[k].applied(p.proxies, model.ProxyID.Compare)
		switch {
		case before == 0:
			born = append(born, k)
			users.come(c.keyOf(k), k)
			for _, m := range k.members {
				serving.come(m.ServicePort.Service, k)
			}
		case len(p.proxies) == 0:
			died = append(died, k)
			users.leave(c.keyOf(k), k)
			for _, m := range k.members {
				serving.leave(m.ServicePort.Service, k)
			}
		}
	}
	move(&c.serving, c.owner, serving, (*kind).compare)
	move(&c.users, c.owner, users, (*kind).compare)
	return born, died
}

// kinds finds the kinds of proxies: those that there are already, or new ones.
type kinds struct {
	known *state
	made  map[specSum]*kind
	// last is the proxy that was asked for last, and its kind: replicas stand side by side.
	last *model.Proxy
	kind *kind
}

func (f *kinds) of(proxy *model.Proxy) *kind {
	if f.last != nil && alike(f.last, proxy) {
		return f.kind
	}
	k := newKind(proxy)
	if made, ok := f.made[k.sum]; ok {
		k = made
	} else if p := f.known.place(k); p != nil {
		k = p.kind
	}
	f.made[k.sum] = k
	f.last, f.kind = proxy, k
	return k
}

// alike says of two proxies that they are of one kind, without asking much.
func alike(a, b *model.Proxy) bool {
	return a.Identity == b.Identity && a.Metrics == b.Metrics && familiesOf(a) == familiesOf(b) && model.Equal(a.Members, b.Members)
}

func (k *kind) markDoors(doors map[model.ServicePort]bool) {
	for _, m := range k.members {
		doors[m.ServicePort] = true
	}
}

// disturb notes the roots whose routes may differ though their services do not: a split, or whether a backend is there.
func (c *compilation) disturb(d difference) {
	for _, root := range d.roots {
		c.disturbed[root] = true
	}
	for _, p := range d.ports {
		if p.appears() {
			roots, _ := c.roots.get(p.id.Service)
			for _, root := range roots {
				c.disturbed[root] = true
			}
		}
	}
}
