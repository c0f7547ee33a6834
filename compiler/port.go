package compiler

import (
	"cmp"
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
	// doors are the endpoints whose pods have a door for this service: members by selector, as others may list any pod.
	doors []model.Endpoint
}

// equal compares two service ports, of which either may be nil. Services are equal if they are the same pointer.
func (p *servicePort) equal(q *servicePort) bool {
	if p == nil || q == nil {
		return p == q
	}
	return p.service == q.service && slices.Equal(p.servers, q.servers) && slices.Equal(p.doors, q.doors)
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
