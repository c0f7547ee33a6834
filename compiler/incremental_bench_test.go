package compiler

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// BenchmarkCompileFrom edits big meshes and compiles them, one small change after the other. "full/this" says how many such
// changes take as long as one full compilation of the mesh.
func BenchmarkCompileFrom(b *testing.B) {
	for _, shape := range shapes.Shapes {
		for _, services := range []int{100, 1000, 3000} {
			b.Run(fmt.Sprintf("%s/%d", shape.Name, services), func(b *testing.B) {
				mesh, _ := sources.Resolve(shape.Make(services).Dump(10, 10))
				full := leastOf(3, func() { Compile(mesh) })
				b.Run("full", func(b *testing.B) {
					for b.Loop() {
						Compile(mesh)
					}
				})
				for _, name := range sortedKeys(benchEdits) {
					b.Run(name, func(b *testing.B) { benchEdit(b, mesh, benchEdits[name], full) })
				}
			})
		}
	}
}

func leastOf(times int, do func()) time.Duration {
	var all []time.Duration
	for range times {
		began := time.Now()
		do()
		all = append(all, time.Since(began))
	}
	return slices.Min(all)
}

// benchEdit makes edit after edit of one thing, each another one.
func benchEdit(b *testing.B, mesh *model.Mesh, edit func(*model.Mesh, int) model.Edit, full time.Duration) {
	output, _ := Compile(mesh)
	i, now := 0, mesh
	for b.Loop() {
		i++
		now = now.With(edit(mesh, i))
		output, _ = CompileFrom(now, output)
	}
	each := b.Elapsed() / time.Duration(i)
	b.ReportMetric(float64(full)/float64(each), "full/this")
	b.ReportMetric(float64(output.Classes.Len()-output.Reused.Classes), "classes")
}

// benchEdits are small changes of a mesh.
var benchEdits = map[string]func(*model.Mesh, int) model.Edit{
	"nothing": func(*model.Mesh, int) model.Edit { return model.Edit{} },
	// An endpoint comes and goes.
	"ready": func(m *model.Mesh, i int) model.Edit {
		return model.Edit{Services: model.ListOf(withEndpoints(middle(m), func(list []model.Endpoint) []model.Endpoint { return list[i%2:] }))}
	},
	// A pod is replaced by another at another address.
	"pod": func(m *model.Mesh, i int) model.Edit {
		gone := middle(m).Ports.At(0).Endpoints.At(0)
		proxy, _ := m.Proxy(gone.Proxy)
		come := *proxy
		come.ID.Name = fmt.Sprintf("%s-%d", proxy.ID.Name, i)
		come.Addresses = model.ListOf(netip.AddrFrom4([4]byte{100, 127, byte(i >> 8), byte(i)}))
		service := withEndpoints(middle(m), func(list []model.Endpoint) []model.Endpoint {
			list[0].Address, list[0].Proxy = netip.AddrPortFrom(come.Addresses.At(0), gone.Address.Port()), come.ID
			return list
		})
		before := model.ProxyID{Namespace: proxy.ID.Namespace, Name: fmt.Sprintf("%s-%d", proxy.ID.Name, i-1)}
		return model.Edit{
			Services: model.ListOf(service), Proxies: model.ListOf(&come),
			Dropped: model.Dropped{Proxies: model.ListOf(proxy.ID, before)},
		}
	},
	// What a policy admits is another path.
	"requests": func(m *model.Mesh, i int) model.Edit {
		p := *permissionTo(m)
		p.HTTP.Requests = requests(model.Match{Path: fmt.Sprintf("/other/%d", i), AnyMethod: true})
		return model.Edit{Permissions: model.ListOf(&p)}
	},
	// A source of a policy comes and goes.
	"source": func(m *model.Mesh, i int) model.Edit {
		p := *permissionTo(m)
		p.Sources = model.ListOf(slices.Collect(p.Sources.Values())[i%2:]...)
		return model.Edit{Permissions: model.ListOf(&p)}
	},
	// The weights of a split move; in a mesh without splits, one comes and goes.
	"split": func(m *model.Mesh, i int) model.Edit {
		id := middle(m).ID
		s := &model.Split{Namespace: id.Namespace, Name: "bench", Root: id, Requests: model.AllRequests, Backends: model.ListOf(model.Backend{Service: id, Weight: uint32(i)})}
		for split := range m.Splits() {
			next := *split
			var backends []model.Backend
			for b := range split.Backends.Values() {
				b.Weight = uint32(i + len(backends))
				backends = append(backends, b)
			}
			s, next.Backends = &next, model.ListOf(backends...)
			break
		}
		return model.Edit{Splits: model.ListOf(s)}
	},
	"control plane": func(m *model.Mesh, i int) model.Edit {
		s := m.Settings()
		s.ControlPlane.MaxProxies = i
		return model.Edit{Settings: s, NewSettings: true}
	},
	"egress": func(m *model.Mesh, i int) model.Edit {
		s := m.Settings()
		s.Egress = i%2 == 1
		return model.Edit{Settings: s, NewSettings: true}
	},
}

// middle is a service in the middle that somebody may call.
func middle(m *model.Mesh) *model.Service {
	all := slices.Collect(m.Services())
	for i := range all {
		s := all[(len(all)/2+i)%len(all)]
		for p := range m.PermissionsTo(s.Ports.At(0).Endpoints.At(0).Identity) {
			if p.Sources.Len() > 0 {
				return s
			}
		}
	}
	panic("nobody may call anybody")
}

func permissionTo(m *model.Mesh) *model.Permission {
	for p := range m.PermissionsTo(middle(m).Ports.At(0).Endpoints.At(0).Identity) {
		return p
	}
	panic("nobody may call the middle")
}

func withEndpoints(s *model.Service, change func([]model.Endpoint) []model.Endpoint) *model.Service {
	next := *s
	var ports []model.Port
	for p := range s.Ports.Values() {
		p.Endpoints = model.ListOf(change(slices.Collect(p.Endpoints.Values()))...)
		ports = append(ports, p)
	}
	next.Ports = model.ListOf(ports...)
	return &next
}
