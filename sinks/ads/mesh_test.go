package ads

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

const trustDomain = "cluster.local"

var (
	buyer  = model.Identity{Namespace: "shop", ServiceAccount: "buyer"}
	seller = model.Identity{Namespace: "shop", ServiceAccount: "seller"}
	thief  = model.Identity{Namespace: "shop", ServiceAccount: "thief"}

	buyerProxy  = model.ProxyID{Namespace: "shop", Name: "buyer-0"}
	sellerProxy = model.ProxyID{Namespace: "shop", Name: "seller-0"}
	thiefProxy  = model.ProxyID{Namespace: "shop", Name: "thief-0"}
)

// shop is a small mesh: buyers call sellers by services, and a thief may call nobody.
type shop struct {
	// services are names of services in front of the sellers, with a port of their own each.
	services []string
	// admitted may call the sellers.
	admitted []model.Identity
	buyers   int
	sellers  int
	// absent is a proxy that is not there.
	absent     model.ProxyID
	maxProxies int
	paths      string
}

func newShop(services ...string) shop {
	return shop{services: services, admitted: []model.Identity{buyer}, buyers: 1, sellers: 1}
}

func (s shop) snapshot() sinks.Snapshot {
	mesh := s.mesh()
	output, diagnostics := compiler.Compile(mesh)
	return sinks.Snapshot{Mesh: mesh, Output: output, Diagnostics: model.SortDiagnostics(diagnostics)}
}

func (s shop) mesh() *model.Mesh {
	var members []model.Member
	for i, name := range s.services {
		members = append(members, model.Member{
			ServicePort: model.ServicePort{Service: model.ServiceID{Namespace: "shop", Name: name}, Port: 80},
			Target:      uint16(8080 + i), Protocol: model.HTTP,
		})
	}
	proxies := []*model.Proxy{proxyAt("thief-0", "100.64.3.1", thief)}
	for i := range s.buyers {
		proxies = append(proxies, proxyAt(fmt.Sprintf("buyer-%d", i), fmt.Sprintf("100.64.%d.%d", 10+i/250, 1+i%250), buyer))
	}
	var sellers []*model.Proxy
	for i := range s.sellers {
		sellers = append(sellers, proxyAt(fmt.Sprintf("seller-%d", i), fmt.Sprintf("100.64.2.%d", i+1), seller, members...))
	}
	proxies = slices.DeleteFunc(append(proxies, sellers...), func(p *model.Proxy) bool { return p.ID == s.absent })
	requests := model.AllRequests
	if s.paths != "" {
		requests = model.Requests{Matches: model.ListOf(model.Match{Path: s.paths, AnyMethod: true})}
	}
	var permissions []*model.Permission
	if len(s.admitted) > 0 {
		permissions = append(permissions, &model.Permission{
			Namespace: "shop", Name: "buying", Destination: seller, Sources: model.ListOf(s.admitted...),
			HTTP: model.HTTPGrant{Ports: model.AllPorts, Requests: requests},
			From: model.Ref{Kind: "TrafficTarget", Namespace: "shop", Name: "buying"},
		})
	}
	return model.New(model.Parts{
		Settings: model.Settings{
			MeshName: "fsm", TrustDomain: trustDomain, TLS: model.TLS{Minimum: "1.2", Maximum: "1.3"},
			ControlPlane: model.ControlPlane{MaxProxies: s.maxProxies},
		},
		Services: model.ListOf(s.catalogue(sellers)...), Proxies: model.ListOf(proxies...), Permissions: model.ListOf(permissions...),
	})
}

func (s shop) catalogue(sellers []*model.Proxy) []*model.Service {
	var services []*model.Service
	for i, name := range s.services {
		var list []model.Endpoint
		for _, p := range sellers {
			list = append(list, model.Endpoint{
				Address: netip.AddrPortFrom(p.Addresses.At(0), uint16(8080+i)), Proxy: p.ID, Identity: p.Identity, Sidecar: true,
			})
		}
		services = append(services, &model.Service{
			ID: model.ServiceID{Namespace: "shop", Name: name}, Addresses: model.ListOf(netip.MustParseAddr(fmt.Sprintf("198.18.%d.%d", i/250, i%250+1))),
			Ports: model.ListOf(model.Port{Number: 80, Protocol: model.HTTP, Endpoints: model.ListOf(list...)}),
			From:  model.Ref{Kind: "Service", Namespace: "shop", Name: name},
		})
	}
	return services
}

func proxyAt(name, address string, identity model.Identity, members ...model.Member) *model.Proxy {
	return &model.Proxy{
		ID: model.ProxyID{Namespace: identity.Namespace, Name: name}, Identity: identity,
		Addresses: model.ListOf(netip.MustParseAddr(address)), Members: model.ListOf(members...),
	}
}

// classOf is the class of a proxy in a snapshot.
func classOf(t testing.TB, s sinks.Snapshot, id model.ProxyID) *compiler.Class {
	t.Helper()
	class, ok := s.Output.ClassOf(id)
	if !ok {
		t.Fatalf("the mesh has no proxy %s", id)
	}
	return class
}
