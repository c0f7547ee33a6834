package compiler

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/flomesh-io/fsmc/model"
)

// Handmade meshes are about a namespace called shop, in which a buyer calls a seller.

var (
	buyer  = model.Identity{Namespace: "shop", ServiceAccount: "buyer"}
	seller = model.Identity{Namespace: "shop", ServiceAccount: "seller"}
	thief  = model.Identity{Namespace: "shop", ServiceAccount: "thief"}
)

// smi is a mesh in which permissions count.
func smi() model.Settings {
	return model.Settings{
		MeshName: "fsm", TrustDomain: "cluster.local", TLS: model.TLS{Minimum: "1.2", Maximum: "1.3"},
		From: model.Ref{Kind: "MeshConfig", Namespace: "fsm-system", Name: "fsm-mesh-config"},
	}
}

// permissive is a mesh in which everybody may call everybody.
func permissive() model.Settings {
	s := smi()
	s.Permissive = true
	return s
}

// meshOf is a mesh of services, proxies, permissions and splits.
func meshOf(settings model.Settings, things ...any) *model.Mesh {
	var services []*model.Service
	var proxies []*model.Proxy
	var permissions []*model.Permission
	var splits []*model.Split
	for _, thing := range things {
		switch thing := thing.(type) {
		case *model.Service:
			services = append(services, thing)
		case *model.Proxy:
			proxies = append(proxies, thing)
		case *model.Permission:
			permissions = append(permissions, thing)
		case *model.Split:
			splits = append(splits, thing)
		default:
			panic(fmt.Sprintf("a mesh has no %T", thing))
		}
	}
	return model.New(model.Parts{
		Settings: settings, Services: model.ListOf(services...), Proxies: model.ListOf(proxies...),
		Permissions: model.ListOf(permissions...), Splits: model.ListOf(splits...),
	})
}

func inShop(name string) model.ServiceID { return model.ServiceID{Namespace: "shop", Name: name} }

func ref(kind, name string) model.Ref { return model.Ref{Kind: kind, Namespace: "shop", Name: name} }

// pod is a proxy at an address; its name is unique.
func pod(name string, identity model.Identity, address string, members ...model.Member) *model.Proxy {
	return &model.Proxy{
		ID: model.ProxyID{Namespace: identity.Namespace, Name: name}, Identity: identity,
		Addresses: model.ListOf(netip.MustParseAddr(address)), Members: model.ListOf(members...), From: ref("Pod", name),
	}
}

func serves(service string, port, target uint16, protocol model.Protocol) model.Member {
	return model.Member{ServicePort: model.ServicePort{Service: inShop(service), Port: port}, Target: target, Protocol: protocol}
}

// clusterIP is a service at an address of its own.
func clusterIP(name, address string, ports ...model.Port) *model.Service {
	return &model.Service{
		ID: inShop(name), Addresses: model.ListOf(netip.MustParseAddr(address)), Ports: model.ListOf(ports...), From: ref("Service", name),
	}
}

// headless is a service that is called at the addresses of its pods.
func headless(name string, ports ...model.Port) *model.Service {
	return &model.Service{ID: inShop(name), Headless: true, Ports: model.ListOf(ports...), From: ref("Service", name)}
}

// hostOf is a host of a headless service.
func hostOf(parent, name string, ports ...model.Port) *model.Service {
	s := headless(name+"."+parent, ports...)
	s.Parent = inShop(parent)
	return s
}

func answers(number uint16, protocol model.Protocol, endpoints ...model.Endpoint) model.Port {
	return model.Port{Number: number, Protocol: protocol, Endpoints: model.ListOf(endpoints...)}
}

// behind is a pod with a sidecar.
func behind(p *model.Proxy, target uint16) model.Endpoint {
	return model.Endpoint{Address: netip.AddrPortFrom(p.Addresses.At(0), target), Proxy: p.ID, Identity: p.Identity, Sidecar: true}
}

// populated adds the pods that are behind services, with a door for each service that lists them.
func populated(things ...any) []any {
	members := map[model.ProxyID][]model.Member{}
	behind := map[model.ProxyID]model.Endpoint{}
	for _, thing := range things {
		s, ok := thing.(*model.Service)
		if !ok {
			continue
		}
		for p := range s.Ports.Values() {
			for e := range p.Endpoints.Values() {
				if e.Sidecar {
					behind[e.Proxy] = e
					members[e.Proxy] = append(members[e.Proxy], model.Member{
						ServicePort: model.ServicePort{Service: s.ID, Port: p.Number}, Target: e.Address.Port(), Protocol: p.Protocol,
					})
				}
			}
		}
	}
	for id, e := range behind {
		things = append(things, pod(id.Name, e.Identity, e.Address.Addr().String(), members[id]...))
	}
	return things
}

// outside is an endpoint without a sidecar.
func outside(address string) model.Endpoint {
	return model.Endpoint{Address: netip.MustParseAddrPort(address)}
}

// admit lets one identity call another by everything, until it is edited.
func admit(name string, from, to model.Identity) *model.Permission {
	return &model.Permission{
		Namespace: to.Namespace, Name: name, Destination: to, Sources: model.ListOf(from), From: ref("TrafficTarget", name),
		HTTP: model.HTTPGrant{Ports: model.AllPorts, Requests: model.AllRequests}, TCP: model.AllPorts,
	}
}

func spread(name, root string, backends ...model.Backend) *model.Split {
	return &model.Split{
		Namespace: "shop", Name: name, Root: inShop(root), Requests: model.AllRequests, Backends: model.ListOf(backends...),
		From: ref("TrafficSplit", name),
	}
}

func over(service string, weight uint32) model.Backend {
	return model.Backend{Service: inShop(service), Weight: weight, From: ref("TrafficSplit", "to "+service)}
}

func requests(matches ...model.Match) model.Requests {
	return model.Requests{Matches: model.ListOf(matches...)}
}

// shop is a mesh with something of everything.
func shop(settings model.Settings) *model.Mesh {
	stateful := serves("db", 3306, 3306, model.TCP)
	stateful.Headless = true
	s0 := pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP), serves("web-v1", 80, 8080, model.HTTP), stateful)
	s1 := pod("seller-1", seller, "100.64.0.11", serves("web", 80, 8080, model.HTTP), serves("web-v2", 80, 8080, model.HTTP), stateful)
	s0.Metrics = true
	buys := admit("buys", buyer, seller)
	buys.TCP = model.PortSet{}
	buys.HTTP.Requests = requests(
		model.Match{Path: "/buy/.*", Methods: model.ListOf("GET", "POST"), Headers: model.ListOf(model.Header{Name: "x-id", Value: "[0-9]+"})},
		model.Match{Path: ".*", Methods: model.ListOf("HEAD")},
	)
	stores := admit("stores", buyer, seller)
	stores.HTTP, stores.TCP = model.HTTPGrant{}, model.PortSet{Ports: model.ListOf[uint16](3306)}
	return meshOf(settings,
		pod("buyer-0", buyer, "100.64.0.1"), s0, s1,
		clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s0, 8080), behind(s1, 8080))),
		clusterIP("web-v1", "198.18.0.2", answers(80, model.HTTP, behind(s0, 8080))),
		clusterIP("web-v2", "198.18.0.3", answers(80, model.HTTP, behind(s1, 8080))),
		clusterIP("old", "198.18.0.4", answers(9000, model.TCP, outside("192.0.2.1:9000"))),
		headless("db", answers(3306, model.TCP, behind(s0, 3306), behind(s1, 3306))),
		hostOf("db", "seller-0", answers(3306, model.TCP, behind(s0, 3306))),
		buys, stores, spread("canary", "web", over("web-v1", 90), over("web-v2", 10)),
	)
}

var (
	theBuyer  = model.ProxyID{Namespace: "shop", Name: "buyer-0"}
	theSeller = model.ProxyID{Namespace: "shop", Name: "seller-0"}
)

// codes are the codes of diagnostics, in their order.
func codes(ds []model.Diagnostic) []model.Code {
	var list []model.Code
	for _, d := range model.SortDiagnostics(ds) {
		list = append(list, d.Code)
	}
	return list
}

// pairs are a map's entries as lines, in order: what a table of expectations can be compared with at a glance.
func pairs(m map[string]string) []string {
	var lines []string
	for _, key := range sortedKeys(m) {
		lines = append(lines, key+" -> "+m[key])
	}
	return lines
}

func TestShop(t *testing.T) {
	for name, settings := range map[string]model.Settings{"SMI": smi(), "permissive": permissive()} {
		_, diagnostics := Compile(shop(settings))
		if len(diagnostics) > 0 {
			t.Errorf("%s: the handmade mesh has faults: %v", name, diagnostics)
		}
	}
}
