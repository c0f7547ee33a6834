package disk

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// shop is a small mesh: a client, a server with some replicas, and a permission between them.
func shop(t *testing.T, replicas int) sinks.Snapshot {
	t.Helper()
	client := model.Identity{Namespace: "shop", ServiceAccount: "client"}
	server := model.Identity{Namespace: "shop", ServiceAccount: "server"}
	web := model.ServiceID{Namespace: "shop", Name: "web"}
	member := model.Member{ServicePort: model.ServicePort{Service: web, Port: 80}, Target: 8080, Protocol: model.HTTP}

	proxies := []*model.Proxy{proxy("client-0", "100.64.0.1", client)}
	var endpoints []model.Endpoint
	for i := range replicas {
		p := proxy(fmt.Sprintf("server-%d", i), fmt.Sprintf("100.64.1.%d", i+1), server, member)
		proxies = append(proxies, p)
		endpoints = append(endpoints, model.Endpoint{Address: netip.AddrPortFrom(p.Addresses.At(0), 8080), Proxy: p.ID, Identity: server, Sidecar: true})
	}
	return snapshot(model.New(model.Parts{
		Settings: model.Settings{MeshName: "fsm", TrustDomain: "cluster.local", TLS: model.TLS{Minimum: "1.2", Maximum: "1.3"}},
		Services: model.ListOf(&model.Service{
			ID: web, Addresses: model.ListOf(netip.MustParseAddr("198.18.0.1")), From: model.Ref{Kind: "Service", Namespace: "shop", Name: "web"},
			Ports: model.ListOf(model.Port{Number: 80, Protocol: model.HTTP, Endpoints: model.ListOf(endpoints...)}),
		}),
		Proxies: model.ListOf(proxies...),
		Permissions: model.ListOf(&model.Permission{
			Namespace: "shop", Name: "client-calls", Destination: server, Sources: model.ListOf(client),
			HTTP: model.HTTPGrant{Ports: model.AllPorts, Requests: model.AllRequests},
			From: model.Ref{Kind: "TrafficTarget", Namespace: "shop", Name: "client-calls"},
		}),
	}))
}

func proxy(name, address string, identity model.Identity, members ...model.Member) *model.Proxy {
	return &model.Proxy{
		ID: model.ProxyID{Namespace: identity.Namespace, Name: name}, Identity: identity,
		Addresses: model.ListOf(netip.MustParseAddr(address)), Members: model.ListOf(members...),
	}
}

func snapshot(mesh *model.Mesh) sinks.Snapshot {
	output, diagnostics := compiler.Compile(mesh)
	return sinks.Snapshot{Mesh: mesh, Output: output, Diagnostics: model.SortDiagnostics(diagnostics)}
}
