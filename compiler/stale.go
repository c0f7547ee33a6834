package compiler

import "github.com/flomesh-io/fsmc/model"

// stale are the outbound sides that depend on what differs otherwise, those that new kinds need, and those that nobody
// has any more.
func (c *compilation) stale(d difference) map[outboundKey]bool {
	keys := c.usersOf(d)
	for _, k := range d.born {
		if _, ok := c.outbounds.get(c.keyOf(k)); !ok {
			keys[c.keyOf(k)] = true
		}
	}
	for _, k := range d.died {
		if users, _ := c.users.get(c.keyOf(k)); len(users) == 0 {
			keys[c.keyOf(k)] = true
		}
	}
	return keys
}

// usersOf are the outbound sides, of those that there were, that depend on ports, roots or permissions that differ.
func (c *compilation) usersOf(d difference) map[outboundKey]bool {
	keys := map[outboundKey]bool{}
	switch {
	case len(c.old.places) == 0: // everything is new
	case !c.settings.Permissive:
		//ordered: it fills a set
		for caller := range c.callers(d) {
			for _, f := range anyFamilies() {
				if _, ok := c.users.get(outboundKey{caller, f}); ok {
					keys[outboundKey{caller, f}] = true
				}
			}
		}
	case len(d.ports) > 0 || len(d.roots) > 0:
		c.users.each(func(key outboundKey, _ []*kind) { keys[key] = true })
	}
	return keys
}

// audience is a set of identities that may call.
type audience map[model.Identity]bool

// callers are, in SMI mode, the identities whose view depends on what differs: whoever may call a port that is or was
// otherwise; a root of a split is called by whoever may call a backend. It is better to name one too many.
func (c *compilation) callers(d difference) audience {
	callers := audience{}
	for _, p := range d.opening {
		callers.addSources(p)
	}
	for _, p := range d.ports {
		for _, sp := range []*servicePort{p.was, p.now} {
			c.addCallers(callers, sp)
		}
		for split := range c.mesh.SplitsOf(p.id.Service) {
			c.addCallersOfBackends(callers, split, p.id.Port)
		}
		if p.appears() { // whoever calls the root is told that it may not be reached, or is not there
			roots, _ := c.roots.get(p.id.Service)
			for _, root := range roots {
				c.addCallersOfRoot(callers, c.mesh, model.ServicePort{Service: root, Port: p.id.Port})
			}
		}
	}
	for _, root := range d.roots {
		for _, mesh := range []*model.Mesh{c.old.mesh, c.mesh} {
			if service, ok := mesh.Service(root); ok {
				for port := range service.Ports.Values() {
					c.addCallersOfRoot(callers, mesh, model.ServicePort{Service: root, Port: port.Number})
				}
			}
		}
	}
	return callers
}

// addCallersOfRoot adds who may call the root of splits, itself or by a backend.
func (c *compilation) addCallersOfRoot(callers audience, mesh *model.Mesh, root model.ServicePort) {
	c.addCallers(callers, c.port(root))
	for split := range mesh.SplitsOf(root.Service) {
		c.addCallersOfBackends(callers, split, root.Port)
	}
}

func (c *compilation) addCallersOfBackends(callers audience, split *model.Split, port uint16) {
	for b := range split.Backends.Values() {
		c.addCallers(callers, c.port(model.ServicePort{Service: b.Service, Port: port}))
	}
}

// addCallers adds who may call a port as it is, or as it was. Of the permissions, those that differ have been looked at.
func (c *compilation) addCallers(callers audience, sp *servicePort) {
	if sp == nil {
		return
	}
	for _, s := range sp.servers {
		for p := range c.mesh.PermissionsTo(s.identity) {
			if admits(p, sp.port.Protocol, s.target) {
				callers.addSources(p)
			}
		}
	}
}

func (a audience) addSources(p *model.Permission) {
	for source := range p.Sources.Values() {
		a[source] = true
	}
}

// judged are the kinds whose inbound side depends on what differs: a service that leads to a door, or a permission, which
// in permissive mode nobody looks at.
func (c *compilation) judged(d difference) map[*kind]bool {
	kinds := map[*kind]bool{}
	for _, k := range d.born {
		kinds[k] = true
	}
	for _, id := range d.renamed {
		serving, _ := c.serving.get(id)
		for _, k := range serving {
			kinds[k] = true
		}
	}
	if c.settings.Permissive {
		return kinds
	}
	for _, p := range d.permissions {
		for _, f := range anyFamilies() {
			users, _ := c.users.get(outboundKey{p.Destination, f})
			for _, k := range users {
				kinds[k] = true
			}
		}
	}
	return kinds
}
