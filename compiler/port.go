package compiler

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// servicePort is one port of one service, and who answers for it, ready or not. It is the same pointer as long as nothing
// about it changes.
type servicePort struct {
	id      model.ServicePort
	service *model.Service
	port    model.Port
	servers []server // in order
	// directChain is the name of the chain of calls to its pods by their addresses.
	directChain string
	// plain says that some endpoint has no sidecar.
	plain bool
	// doors are the addresses at which pods of the mesh have a door for this service, ready or not, in order: members by
	// selector, as others may list any pod. A headless service has none, as its endpoints are called themselves.
	doors []podDoor
}

// podDoor is an address at which a pod has a door, and whose it is.
type podDoor struct {
	address  netip.AddrPort
	identity model.Identity
}

func (d podDoor) compare(e podDoor) int {
	return cmp.Or(d.address.Compare(e.address), d.identity.Compare(e.identity))
}

// server is who answers at the door.
func (d podDoor) server() server { return server{d.identity, d.address.Port()} }

// equal compares two service ports, of which either may be nil. Services are equal if they are the same pointer.
func (p *servicePort) equal(q *servicePort) bool {
	if p == nil || q == nil {
		return p == q
	}
	return p.service == q.service && slices.Equal(p.servers, q.servers) && slices.Equal(p.doors, q.doors)
}

// calledLike says whether everything about a port is as before that the claims to addresses, names and routes depend on.
// Those of headless services depend on their endpoints.
func (p *servicePort) calledLike(q *servicePort) bool {
	s, t := p.service, q.service
	return !s.Headless && !t.Headless && s.Parent == t.Parent && s.From == t.From && s.Created.Equal(t.Created) &&
		p.port.Protocol == q.port.Protocol && model.Equal(s.Addresses, t.Addresses)
}

// identities are those that answer for the port, in order.
func (p *servicePort) identities() []model.Identity {
	if p == nil {
		return nil
	}
	return identitiesOf(p.servers)
}

// server is an identity that answers for a service port on a port of its pods.
type server struct {
	identity model.Identity
	target   uint16
}

func (s server) compare(t server) int {
	return cmp.Or(s.identity.Compare(t.identity), cmp.Compare(s.target, t.target))
}

// identitiesOf are the identities of servers, which are in order.
func identitiesOf(servers []server) []model.Identity {
	var ids []model.Identity
	for _, s := range servers {
		if len(ids) == 0 || ids[len(ids)-1] != s.identity {
			ids = append(ids, s.identity)
		}
	}
	return ids
}
