package disk

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// BenchmarkWrite writes a mesh of 200 services with 10 pods each, in which each service calls the next four.
func BenchmarkWrite(b *testing.B) {
	s := chain(200, 10, 4)
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			sink := &Sink{Folder: filepath.Join(b.TempDir(), "out"), Credentials: newCredentials(b)}
			b.StartTimer()
			report, err := sink.Write(b.Context(), s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(report.Files), "files/op")
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		sink := &Sink{Folder: b.TempDir(), Credentials: newCredentials(b)}
		for b.Loop() {
			if _, err := sink.Write(b.Context(), s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("text", func(b *testing.B) {
		for b.Loop() {
			files, err := Files(s.Mesh, s.Output, s.Diagnostics)
			if err != nil {
				b.Fatal(err)
			}
			bytes := 0
			for _, file := range files {
				bytes += len(file.Bytes)
			}
			b.ReportMetric(float64(bytes), "bytes/op")
		}
	})
}

// chain is a mesh in which each service calls the next few.
func chain(services, pods, calls int) sinks.Snapshot {
	identity := func(i int) model.Identity {
		return model.Identity{Namespace: "chain", ServiceAccount: fmt.Sprintf("web-%d", i%services)}
	}
	var parts struct {
		services    []*model.Service
		proxies     []*model.Proxy
		permissions []*model.Permission
	}
	for i := range services {
		id := model.ServiceID{Namespace: "chain", Name: identity(i).ServiceAccount}
		member := model.Member{ServicePort: model.ServicePort{Service: id, Port: 80}, Target: 8080, Protocol: model.HTTP}
		var endpoints []model.Endpoint
		for j := range pods {
			address := netip.AddrFrom4([4]byte{100, 64 + byte(j), byte(i >> 8), byte(i)})
			p := proxy(fmt.Sprintf("%s-%d", id.Name, j), address.String(), identity(i), member)
			parts.proxies = append(parts.proxies, p)
			endpoints = append(endpoints, model.Endpoint{Address: netip.AddrPortFrom(address, 8080), Proxy: p.ID, Identity: identity(i), Sidecar: true})
		}
		parts.services = append(parts.services, &model.Service{
			ID: id, Addresses: model.ListOf(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})), From: model.Ref{Kind: "Service", Namespace: id.Namespace, Name: id.Name},
			Ports: model.ListOf(model.Port{Number: 80, Protocol: model.HTTP, Endpoints: model.ListOf(endpoints...)}),
		})
		var sources []model.Identity
		for j := range calls {
			sources = append(sources, identity(i+services-1-j))
		}
		parts.permissions = append(parts.permissions, &model.Permission{
			Namespace: "chain", Name: id.Name, Destination: identity(i), Sources: model.ListOf(sources...),
			HTTP: model.HTTPGrant{Ports: model.AllPorts, Requests: model.AllRequests}, From: model.Ref{Kind: "TrafficTarget", Namespace: "chain", Name: id.Name},
		})
	}
	return snapshot(model.New(model.Parts{
		Settings: model.Settings{MeshName: "fsm", TrustDomain: "cluster.local", TLS: model.TLS{Minimum: "1.2", Maximum: "1.3"}},
		Services: model.ListOf(parts.services...), Proxies: model.ListOf(parts.proxies...), Permissions: model.ListOf(parts.permissions...),
	}))
}
