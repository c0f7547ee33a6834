package debug

import (
	"errors"
	"net/netip"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

// The mesh of these tests: a buyer calls a seller. The seller's proxy is connected and rejected a cluster, the buyer's is
// not connected, and a stranger is that the mesh does not have.

// markup is text that would be more than text if a page forgot to escape it.
const markup = `<script>alert("1")</script>'&{{.}}`

var (
	buyer    = model.ProxyID{Namespace: "shop", Name: "buyer-0"}
	seller   = model.ProxyID{Namespace: "shop", Name: "seller-0"}
	stranger = model.ProxyID{Namespace: "else/where?x=1", Name: "../" + markup}
	noon     = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

func shop() *model.Mesh {
	buys, sells := model.Identity{Namespace: "shop", ServiceAccount: "buyer"}, model.Identity{Namespace: "shop", ServiceAccount: "seller"}
	address := netip.MustParseAddr("10.0.0.2")
	service := model.ServiceID{Namespace: "shop", Name: "seller"}
	from := func(kind, name string) model.Ref { return model.Ref{Kind: kind, Namespace: "shop", Name: name} }
	return model.New(model.Parts{
		Settings: model.Settings{
			MeshName: markup, TrustDomain: "cluster.local", TLS: model.TLS{Minimum: "1.2", Maximum: "1.3"},
			ControlPlane: model.ControlPlane{LogLevel: "warn", Flags: model.ListOf("enableRetryPolicy")},
		},
		Services: model.ListOf(&model.Service{
			ID: service, Addresses: model.ListOf(netip.MustParseAddr("10.1.0.1")), From: from("Service", "seller"),
			Ports: model.ListOf(model.Port{Number: 80, Protocol: model.HTTP, Endpoints: model.ListOf(
				model.Endpoint{Address: netip.AddrPortFrom(address, 8080), Proxy: seller, Identity: sells, Sidecar: true})}),
		}),
		Proxies: model.ListOf(
			&model.Proxy{ID: buyer, Identity: buys, Addresses: model.ListOf(netip.MustParseAddr("10.0.0.1")), From: from("Pod", "buyer-0")},
			&model.Proxy{ID: seller, Identity: sells, Addresses: model.ListOf(address), From: from("Pod", "seller-0"), Members: model.ListOf(
				model.Member{ServicePort: model.ServicePort{Service: service, Port: 80}, Target: 8080, Protocol: model.HTTP})},
		),
		Permissions: model.ListOf(&model.Permission{
			Namespace: "shop", Name: "buy", Destination: sells, Sources: model.ListOf(buys), From: from("TrafficTarget", "buy"),
			HTTP: model.HTTPGrant{Ports: model.AllPorts, Requests: model.Requests{Matches: model.ListOf(
				model.Match{Path: "/" + markup, Methods: model.ListOf("GET", "PUT"), Headers: model.ListOf(model.Header{Name: "x", Value: markup})})}},
			TCP: model.PortSet{Ports: model.ListOf[uint16](9000, 9001)},
		}),
		Splits: model.ListOf(&model.Split{
			Namespace: "shop", Name: "half", Root: service, Requests: model.AllRequests, From: from("TrafficSplit", "half"),
			Backends: model.ListOf(model.Backend{Service: service, Weight: 50}),
		}),
	})
}

// options are those of a control plane that has this mesh.
func options() Options {
	mesh := shop()
	output, _ := compiler.Compile(mesh)
	level := &fixedLevel{name: "info"}
	return Options{
		Version: "v1.2.3" + markup,
		Snapshot: func() sinks.Snapshot {
			return sinks.Snapshot{Mesh: mesh, Output: output, Diagnostics: []model.Diagnostic{
				{Code: "FSM2004", Level: model.Info, Message: "mild"},
				{Code: "FSM2003", Level: model.Error, Message: markup, Instead: markup, Fix: markup, At: model.Ref{Kind: "TrafficTarget", Namespace: "shop", Name: markup},
					Position: model.Position{File: markup, Line: 3, Column: 7}},
			}}
		},
		Proxies: func() []sinks.ProxyStatus { return statuses(output) },
		Certificates: func() []sinks.CertificateStatus {
			return []sinks.CertificateStatus{
				{Identity: model.Identity{Namespace: "shop", ServiceAccount: "seller"}, URI: "spiffe://cluster.local/ns/shop/sa/seller", Serial: "2", Issuer: markup, NotBefore: noon, NotAfter: noon.Add(24 * time.Hour), Renewal: noon.Add(16 * time.Hour)},
				{Identity: model.Identity{Namespace: "shop", ServiceAccount: "buyer"}, URI: "spiffe://cluster.local/ns/shop/sa/buyer", Serial: "1", Issuer: "CN=ca", NotBefore: noon, NotAfter: noon.Add(time.Hour)},
			}
		},
		Timings: func() any { return map[string]string{"compile": "2ms" + markup} },
		Level:   level, Levels: []string{"info", "debug"},
		JSON: disk.JSON, YAML: disk.YAML,
	}
}

func statuses(output *compiler.Output) []sinks.ProxyStatus {
	class, _ := output.ClassOf(seller)
	cluster := class.Clusters.At(0)
	return []sinks.ProxyStatus{
		{ID: stranger, Identity: model.Identity{Namespace: markup, ServiceAccount: markup}, Protocol: markup, Since: noon, Settled: true},
		{ID: seller, Identity: class.Identity, Class: class.Name, Protocol: "delta", Since: noon, Types: []sinks.TypeStatus{
			{Type: "routes", Settled: 1},
			{Type: "clusters", Differences: []sinks.Difference{
				{Name: cluster.Name, Wanted: cluster.Version, Sent: cluster.Version, Rejected: markup, From: []model.Ref{{Kind: "Service", Namespace: "shop", Name: markup}}},
				{Name: "gone", Acknowledged: "1", Sent: "1"},
			}},
		}},
	}
}

// fixedLevel is a level that knows two names.
type fixedLevel struct{ name string }

func (l *fixedLevel) String() string { return l.name }

func (l *fixedLevel) Set(name string) error {
	if name != "info" && name != "debug" {
		return errors.New("no such level: " + name)
	}
	l.name = name
	return nil
}
