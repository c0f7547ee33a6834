package compiler

import (
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// index is what views ask of a mesh. It is made of the index of the previous mesh, by what differs between the two.
type index struct {
	mesh *model.Mesh
	// kinds are the kinds of all proxies.
	kinds trie[model.ProxyID, *kind]
	// serving are the kinds that have a door for a service, whether there is such a service or not.
	serving trie[model.ServiceID, []*kind]
	// users are the kinds that have one outbound side.
	users trie[outboundKey, []*kind]
	ports trie[model.ServicePort, *servicePort]
	// served are the ports that a workload of the identity answers for, in order.
	served trie[model.Identity, []model.ServicePort]
	// roots are the services that a split spreads over a backend, in order.
	roots trie[model.ServiceID, []model.ServiceID]
}

func newIndex() index {
	return index{
		mesh:    model.New(model.Parts{}),
		kinds:   newTrie[model.ProxyID, *kind](func(id model.ProxyID) uint64 { return hashOf(0, id.Namespace, id.Name) }),
		serving: newTrie[model.ServiceID, []*kind](hashOfService),
		users: newTrie[outboundKey, []*kind](func(k outboundKey) uint64 {
			return hashOf(k.families.rank(), k.caller.Namespace, k.caller.ServiceAccount)
		}),
		ports: newTrie[model.ServicePort, *servicePort](func(p model.ServicePort) uint64 {
			return hashOf(uint64(p.Port), p.Service.Namespace, p.Service.Name)
		}),
		served: newTrie[model.Identity, []model.ServicePort](func(i model.Identity) uint64 {
			return hashOf(0, i.Namespace, i.ServiceAccount)
		}),
		roots: newTrie[model.ServiceID, []model.ServiceID](hashOfService),
	}
}

func hashOfService(id model.ServiceID) uint64 { return hashOf(0, id.Namespace, id.Name) }

// port is a service port; nil when there is none.
func (x *index) port(id model.ServicePort) *servicePort {
	sp, _ := x.ports.get(id)
	return sp
}

// portChange is a service port that differs from what it was; nil is one that does not exist.
type portChange struct {
	id       model.ServicePort
	was, now *servicePort
}

// appears says whether the port exists only before or only after.
func (c portChange) appears() bool { return (c.was == nil) != (c.now == nil) }

// updatePorts makes the ports anew that something about changed: those of services that differ, and those that the
// proxies have doors for that differ.
func (c *compilation) updatePorts(doors map[model.ServicePort]bool) []portChange {
	for was, now := range c.mesh.ServicesSince(c.old.mesh) {
		for _, service := range []*model.Service{was, now} {
			if service == nil {
				continue
			}
			for port := range service.Ports.Values() {
				doors[model.ServicePort{Service: service.ID, Port: port.Number}] = true
			}
		}
	}
	var changes []portChange
	identities := moves[model.Identity, model.ServicePort]{}
	for _, id := range sortedBy(doors, model.ServicePort.Compare) {
		p := portChange{id, c.port(id), c.newPort(id)}
		if p.was.equal(p.now) {
			continue
		}
		if p.now == nil {
			c.ports.drop(c.owner, id)
		} else {
			c.ports.put(c.owner, id, p.now)
		}
		for _, i := range p.was.identities() {
			identities.leave(i, id)
		}
		for _, i := range p.now.identities() {
			identities.come(i, id)
		}
		changes = append(changes, p)
	}
	move(&c.served, c.owner, identities, model.ServicePort.Compare)
	return changes
}

// newPort makes a service port of what the mesh says of it now.
func (c *compilation) newPort(id model.ServicePort) *servicePort {
	service, ok := c.mesh.Service(id.Service)
	if !ok {
		return nil
	}
	port, ok := service.Port(id.Port)
	if !ok {
		return nil
	}
	sp := &servicePort{id: id, service: service, port: port, directChain: outboundDirectChain(id)}
	for e := range port.Endpoints.Values() {
		if !e.Sidecar {
			sp.plain = true
			continue
		}
		sp.servers = append(sp.servers, server{e.Identity, e.Address.Port()})
	}
	kinds, _ := c.serving.get(id.Service)
	for _, k := range kinds {
		for _, m := range k.members {
			if m.ServicePort == id {
				sp.servers = append(sp.servers, server{k.identity(), m.Target})
				sp.doors = c.appendDoors(sp.doors, k, m.Target)
			}
		}
	}
	slices.SortFunc(sp.servers, server.compare)
	sp.servers = slices.Compact(sp.servers)
	if service.Headless {
		sp.doors = nil
	}
	slices.SortFunc(sp.doors, podDoor.compare)
	sp.doors = slices.Compact(sp.doors)
	return sp
}

// appendDoors appends where the proxies of a kind have a door at a port of their pods.
func (c *compilation) appendDoors(doors []podDoor, k *kind, target uint16) []podDoor {
	for _, id := range c.proxiesOf(k) {
		proxy, _ := c.mesh.Proxy(id)
		for address := range proxy.Addresses.Values() {
			doors = append(doors, podDoor{netip.AddrPortFrom(address, target), k.identity()})
		}
	}
	return doors
}

// proxiesOf are the proxies of a kind, in order.
func (c *compilation) proxiesOf(k *kind) []model.ProxyID {
	if p, ok := c.touched[k]; ok {
		return p.proxies
	}
	return c.place(k).proxies
}

// updateRoots follows the splits, and gives the roots of which a split differs.
func (x *index) updateRoots(o *owner, previous *model.Mesh) []model.ServiceID {
	changed := slices.Collect(x.mesh.SplitRootsSince(previous))
	roots := moves[model.ServiceID, model.ServiceID]{}
	for _, root := range changed {
		for _, backend := range backendsOf(previous, root) {
			roots.leave(backend, root)
		}
		for _, backend := range backendsOf(x.mesh, root) {
			roots.come(backend, root)
		}
	}
	move(&x.roots, o, roots, model.ServiceID.Compare)
	return changed
}

// backendsOf are the services that the splits of a root spread over.
func backendsOf(mesh *model.Mesh, root model.ServiceID) []model.ServiceID {
	var list []model.ServiceID
	for split := range mesh.SplitsOf(root) {
		for b := range split.Backends.Values() {
			if b.Weight > 0 && !slices.Contains(list, b.Service) {
				list = append(list, b.Service)
			}
		}
	}
	return list
}

// moves are what leaves the lists of a trie, and what comes to them.
type moves[K comparable, V any] map[K]*moved[V]

type moved[V any] struct{ gone, come []V }

func (m moves[K, V]) of(key K) *moved[V] {
	if m[key] == nil {
		m[key] = &moved[V]{}
	}
	return m[key]
}

func (m moves[K, V]) leave(key K, value V) { m.of(key).gone = append(m.of(key).gone, value) }

func (m moves[K, V]) come(key K, value V) { m.of(key).come = append(m.of(key).come, value) }

// move makes the lists anew, in order and each value once. What leaves and comes stays.
func move[K comparable, V any](t *trie[K, []V], o *owner, all moves[K, V], compare func(a, b V) int) {
	//ordered: what a trie holds does not depend on the order in which it came
	for key, m := range all {
		list, _ := t.get(key)
		if next := m.applied(list, compare); len(next) > 0 {
			t.put(o, key, next)
		} else {
			t.drop(o, key)
		}
	}
}

func (m *moved[V]) applied(list []V, compare func(a, b V) int) []V {
	slices.SortFunc(m.gone, compare)
	next := slices.Clone(m.come)
	for _, value := range list {
		if _, gone := slices.BinarySearchFunc(m.gone, value, compare); !gone {
			next = append(next, value)
		}
	}
	slices.SortFunc(next, compare)
	return slices.CompactFunc(next, func(a, b V) bool { return compare(a, b) == 0 })
}
