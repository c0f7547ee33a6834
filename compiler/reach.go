package compiler

import (
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// upstream is a service port that a client may call, and what is made of it for this client.
type upstream struct {
	*servicePort
	// allowed are the servers that the client may reach; none for the root of a split of which only backends are.
	allowed []server
	// whole says that allowed are all servers of the port and every endpoint may be used, so that all clients of which
	// this is true share one cluster and one set of endpoints.
	whole bool

	cluster, assignment *Resource
	// direct says that pods of it are called by their own addresses; directCluster and the chain toPods are for that.
	direct        bool
	directCluster *Resource
	toPods        *part
}

// routable says whether calls can be sent to the port itself: somebody answers for it whose identity is known, or, in
// permissive mode, whoever is there.
func (u *upstream) routable() bool { return len(u.allowed) > 0 || u.whole && u.plain }

// identities are those that the client accepts as the server, in order.
func (u *upstream) identities() []model.Identity { return identitiesOf(u.allowed) }

// uses says whether an endpoint gets calls of the client.
func (u *upstream) uses(e model.Endpoint) bool {
	return u.whole || e.Sidecar && u.allows(server{e.Identity, e.Address.Port()})
}

// allows says whether the client may reach a server.
func (u *upstream) allows(s server) bool {
	if u.whole {
		return true
	}
	_, found := slices.BinarySearchFunc(u.allowed, s, server.compare)
	return found
}

// reachAll is what everybody may call in permissive mode, in order.
func (x *index) reachAll() []*upstream {
	var reached []*upstream
	for service := range x.mesh.Services() {
		for port := range service.Ports.Values() {
			sp := x.port(model.ServicePort{Service: service.ID, Port: port.Number})
			reached = append(reached, &upstream{servicePort: sp, allowed: sp.servers, whole: true})
		}
	}
	return x.reachable(reached)
}

// reachFrom is what an identity may call in SMI mode, in order: the service ports at which some server is the
// destination of a permission that lists the identity and admits something on the port where it answers.
func (x *index) reachFrom(source model.Identity) []*upstream {
	allowed := map[*servicePort][]server{}
	for permission := range x.mesh.PermissionsFrom(source) {
		served, _ := x.served.get(permission.Destination)
		for _, id := range served {
			sp := x.port(id)
			for _, s := range sp.servers {
				if s.identity == permission.Destination && admits(permission, sp.port.Protocol, s.target) {
					allowed[sp] = append(allowed[sp], s)
				}
			}
		}
	}
	var reached []*upstream
	//ordered: reachable sorts what is collected here
	for sp, servers := range allowed {
		slices.SortFunc(servers, server.compare)
		servers = slices.Compact(servers)
		reached = append(reached, &upstream{servicePort: sp, allowed: servers, whole: len(servers) == len(sp.servers) && !sp.plain})
	}
	return x.reachable(reached)
}

// admits says whether a permission opens a pod port for anything at all.
func admits(p *model.Permission, protocol model.Protocol, target uint16) bool {
	if protocol.IsHTTP() {
		return p.HTTP.Ports.Contains(target) && !p.HTTP.Requests.IsZero()
	}
	return p.TCP.Contains(target)
}

// reachable sorts what can be reached, adds the roots of splits over it, and leaves out what leads nowhere.
func (x *index) reachable(reached []*upstream) []*upstream {
	known := make(map[*servicePort]bool, len(reached))
	reached = slices.DeleteFunc(reached, func(u *upstream) bool { return !u.routable() })
	for _, u := range reached {
		known[u.servicePort] = true
	}
	for _, u := range slices.Clone(reached) {
		roots, _ := x.roots.get(u.id.Service)
		for _, id := range roots {
			root := x.port(model.ServicePort{Service: id, Port: u.id.Port})
			if root != nil && !known[root] {
				known[root] = true
				reached = append(reached, &upstream{servicePort: root})
			}
		}
	}
	slices.SortFunc(reached, func(a, b *upstream) int { return a.id.Compare(b.id) })
	return reached
}

// upstream is what the client reaches of a service port; nil when it does not.
func (v *client) upstream(id model.ServicePort) *upstream {
	i, ok := slices.BinarySearchFunc(v.reached, id, (*upstream).compare)
	if !ok {
		return nil
	}
	return v.reached[i]
}

func (u *upstream) compare(id model.ServicePort) int { return u.id.Compare(id) }
