package compiler

import (
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// index is what every view asks of a mesh, computed once.
type index struct {
	mesh *model.Mesh
	// ports are all service ports, in order.
	ports  []*servicePort
	byPort map[model.ServicePort]*servicePort
	// served are the ports that a workload of the identity answers for, in order.
	served map[model.Identity][]*servicePort
	// roots are the ports that a split spreads over a backend port, in order.
	roots map[model.ServicePort][]*servicePort
}

// servicePort is one port of one service, and who answers for it, ready or not.
type servicePort struct {
	id      model.ServicePort
	service *model.Service
	port    model.Port
	servers []server
	// plain says that some endpoint has no sidecar.
	plain bool
	// doors are the endpoints whose pods have a door for this service: members by selector, as others may list any pod.
	doors []model.Endpoint
}

// server is an identity that answers for a service port on a port of its pods.
type server struct {
	identity model.Identity
	target   uint16
}

func (s server) compare(t server) int {
	if c := s.identity.Compare(t.identity); c != 0 {
		return c
	}
	return int(s.target) - int(t.target)
}

func newIndex(mesh *model.Mesh) *index {
	x := &index{
		mesh:   mesh,
		byPort: map[model.ServicePort]*servicePort{},
		served: map[model.Identity][]*servicePort{},
		roots:  map[model.ServicePort][]*servicePort{},
	}
	for service := range mesh.Services() {
		for port := range service.Ports.Values() {
			x.add(service, port)
		}
	}
	for proxy := range mesh.Proxies() {
		for member := range proxy.Members.Values() {
			if sp, ok := x.byPort[member.ServicePort]; ok {
				sp.servers = append(sp.servers, server{proxy.Identity, member.Target})
			}
		}
	}
	for _, sp := range x.ports {
		slices.SortFunc(sp.servers, server.compare)
		sp.servers = slices.Compact(sp.servers)
		x.serve(sp)
		sp.doors = x.doors(sp)
	}
	x.addRoots()
	return x
}

func (x *index) add(service *model.Service, port model.Port) {
	sp := &servicePort{id: model.ServicePort{Service: service.ID, Port: port.Number}, service: service, port: port}
	for e := range port.Endpoints.Values() {
		if !e.Sidecar {
			sp.plain = true
			continue
		}
		sp.servers = append(sp.servers, server{e.Identity, e.Address.Port()})
	}
	x.ports = append(x.ports, sp)
	x.byPort[sp.id] = sp
}

func (x *index) doors(sp *servicePort) []model.Endpoint {
	var list []model.Endpoint
	for e := range sp.port.Endpoints.Values() {
		proxy, ok := x.mesh.Proxy(e.Proxy)
		if !ok || !e.Sidecar {
			continue
		}
		for m := range proxy.Members.Values() {
			if m.ServicePort == sp.id && m.Target == e.Address.Port() {
				list = append(list, e)
				break
			}
		}
	}
	return list
}

// serve notes the port with each identity that answers for it; its servers are sorted by identity.
func (x *index) serve(sp *servicePort) {
	var last model.Identity
	for i, s := range sp.servers {
		if i == 0 || s.identity != last {
			x.served[s.identity] = append(x.served[s.identity], sp)
		}
		last = s.identity
	}
}

func (x *index) addRoots() {
	for split := range x.mesh.Splits() {
		root, ok := x.mesh.Service(split.Root)
		if !ok {
			continue
		}
		for port := range root.Ports.Values() {
			rootPort := x.byPort[model.ServicePort{Service: root.ID, Port: port.Number}]
			for b := range split.Backends.Values() {
				backend := model.ServicePort{Service: b.Service, Port: port.Number}
				if b.Weight > 0 && !slices.Contains(x.roots[backend], rootPort) {
					x.roots[backend] = append(x.roots[backend], rootPort)
				}
			}
		}
	}
}
