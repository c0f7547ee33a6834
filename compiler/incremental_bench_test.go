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
func benchEdit(b *testing.B, mesh *model.Mesh, edit func(target, int) model.Edit, full time.Duration) {
	output, _ := Compile(mesh)
	i, now, t := 0, mesh, middle(mesh)
	for b.Loop() {
		i++
		now = now.With(edit(t, i))
		output, _ = CompileFrom(now, output)
	}
	each := b.Elapsed() / time.Duration(i)
	b.ReportMetric(float64(full)/float64(each), "full/this")
	b.ReportMetric(float64(output.Classes.Len()-output.Reused.Classes), "classes")
}

// benchEdits are small changes of a mesh.
var benchEdits = map[string]func(target, int) model.Edit{
	"nothing": func(target, int) model.Edit { return model.Edit{} },
	// An endpoint comes and goes.
	"ready": func(t target, i int) model.Edit {
		return model.Edit{Services: model.ListOf(withEndpoints(t.service, func(list []model.Endpoint) []model.Endpoint { return list[i%2:] }))}
	},
	// A pod is replaced by another at another address.
	"pod": func(t target, i int) model.Edit {
		gone := t.service.Ports.At(0).Endpoints.At(0)
		proxy, _ := t.mesh.Proxy(gone.Proxy)
		come := *proxy
		come.ID.Name = fmt.Sprintf("%s-%d", proxy.ID.Name, i)
		come.Addresses = model.ListOf(netip.AddrFrom4([4]byte{100, 127, byte(i >> 8), byte(i)}))
		service := withEndpoints(t.service, func(list []model.Endpoint) []model.Endpoint {
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
	"requests": func(t target, i int) model.Edit {
		p := *t.permission
		p.HTTP.Requests = requests(model.Match{Path: fmt.Sprintf("/other/%d", i), AnyMethod: true})
		return model.Edit{Permissions: model.ListOf(&p)}
	},
	// A source of a policy comes and goes.
	"source": func(t target, i int) model.Edit {
		p := *t.permission
		p.Sources = model.ListOf(slices.Collect(p.Sources.Values())[i%2:]...)
		return model.Edit{Permissions: model.ListOf(&p)}
	},
	// The weights of a split move; in a mesh without splits, one comes and goes.
	"split": func(t target, i int) model.Edit {
		id := t.service.ID
		s := &model.Split{Namespace: id.Namespace, Name: "bench", Root: id, Requests: model.AllRequests, Backends: model.ListOf(model.Backend{Service: id, Weight: uint32(i)})}
		if splits := slices.Collect(t.mesh.Splits()); len(splits) > 0 {
			next := *splits[len(splits)/2]
			var backends []model.Backend
			for b := range next.Backends.Values() {
				b.Weight = uint32(i + len(backends))
				backends = append(backends, b)
			}
			s, next.Backends = &next, model.ListOf(backends...)
		}
		return model.Edit{Splits: model.ListOf(s)}
	},
	"control plane": func(t target, i int) model.Edit {
		s := t.mesh.Settings()
		s.ControlPlane.MaxProxies = i
		return model.Edit{Settings: s, NewSettings: true}
	},
	"egress": func(t target, i int) model.Edit {
		s := t.mesh.Settings()
		s.Egress = i%2 == 1
		return model.Edit{Settings: s, NewSettings: true}
	},
}

// target is what the edits of a mesh are about.
type target struct {
	mesh       *model.Mesh
	service    *model.Service
	permission *model.Permission
}

// middle is a service in the middle that somebody may call.
func middle(m *model.Mesh) target {
	all := slices.Collect(m.Services())
	for i := range all {
		s := all[(len(all)/2+i)%len(all)]
		for p := range m.PermissionsTo(s.Ports.At(0).Endpoints.At(0).Identity) {
			if p.Sources.Len() > 0 {
				return target{m, s, p}
			}
		}
	}
	panic("nobody may call anybody")
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
