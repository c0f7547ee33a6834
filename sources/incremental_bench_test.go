package sources_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// BenchmarkEdit completes and resolves a mesh of which one object was edited, from what was made before; fresh is the same from
// nothing. Divide the one by the other.
func BenchmarkEdit(b *testing.B) {
	for _, n := range []int{100, 1000, 3000} {
		for _, form := range []struct {
			name    string
			objects sources.Objects
		}{
			{"manifests", shapes.PowerLaw(n).Manifests(10)},
			{"dump", shapes.PowerLaw(n).Dump(10, 10)},
		} {
			b.Run(fmt.Sprintf("%s/%d/fresh", form.name, n), func(b *testing.B) {
				for b.Loop() {
					sources.Resolve(sources.CompleteFrom(form.objects, nil).Objects)
				}
			})
			for _, e := range edits {
				if e.only != "" && e.only != form.name {
					continue
				}
				b.Run(fmt.Sprintf("%s/%d/%s", form.name, n, e.name), func(b *testing.B) { measureEdit(b, form.objects, e.edit) })
			}
		}
	}
}

func measureEdit(b *testing.B, objects sources.Objects, edit func(*sources.Objects, int)) {
	completion := sources.CompleteFrom(objects, nil)
	resolution := sources.ResolveFrom(completion.Objects, nil)
	i := 0
	for b.Loop() {
		i++
		edit(&objects, i)
		completion = sources.CompleteFrom(objects, completion)
		resolution = sources.ResolveFrom(completion.Objects, resolution)
	}
}

// edits put a copy in the place of an object, with another word or number in it.
var edits = []struct {
	name, only string
	edit       func(o *sources.Objects, i int)
}{
	{"target", "", func(o *sources.Objects, i int) {
		j := i % len(o.TrafficTargets)
		t := *replaced(&o.TrafficTargets, j)
		t.Spec.Sources = append(slices.Clone(t.Spec.Sources), t.Spec.Destination)
		o.TrafficTargets[j] = &t
	}},
	{"split", "", func(o *sources.Objects, i int) {
		j := i % len(o.TrafficSplits)
		s := *replaced(&o.TrafficSplits, j)
		s.Spec.Backends = slices.Clone(s.Spec.Backends)
		s.Spec.Backends[0].Weight = 1 + i%50
		o.TrafficSplits[j] = &s
	}},
	{"service", "", func(o *sources.Objects, i int) {
		j := i % len(o.Services)
		s := *replaced(&o.Services, j)
		s.Spec.Ports = slices.Clone(s.Spec.Ports)
		s.Spec.Ports[0].Port = int32(81 + i%50)
		o.Services[j] = &s
	}},
	{"deployment", "manifests", func(o *sources.Objects, i int) {
		j := i % len(o.Deployments)
		d := *replaced(&o.Deployments, j)
		d.Spec.Replicas = new(int32(9 + i%3))
		o.Deployments[j] = &d
	}},
	{"pod", "dump", func(o *sources.Objects, i int) {
		j := i % len(o.Pods)
		p := *replaced(&o.Pods, j)
		p.Status.PodIP, p.Status.PodIPs = fmt.Sprintf("10.200.%d.%d", i>>8&0xff, i&0xff), nil
		o.Pods[j] = &p
	}},
	{"slice", "dump", func(o *sources.Objects, i int) {
		j := i % len(o.EndpointSlices)
		s := *replaced(&o.EndpointSlices, j)
		s.Endpoints = slices.Clone(s.Endpoints)
		s.Endpoints[0].Conditions.Ready = new(i%2 == 0)
		o.EndpointSlices[j] = &s
	}},
}
