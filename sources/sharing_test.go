package sources_test

import (
	"slices"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// TestSharing edits one object of a mesh, and says which entities are made again because of it: all others are the same by
// pointer, in the completed objects as well as in the mesh.
func TestSharing(t *testing.T) {
	graph := shapes.PowerLaw(60)
	for _, row := range []struct {
		name string
		dump bool
		edit func(o *sources.Objects)
		// objects are the pods, services and slices that are made again, mesh the services, proxies, permissions and splits.
		objects [3]int
		mesh    model.Counts
	}{
		{name: "nothing", edit: func(*sources.Objects) {}},
		{name: "a copy of each list", edit: func(o *sources.Objects) {
			o.Services, o.Deployments, o.TrafficTargets = slices.Clone(o.Services), slices.Clone(o.Deployments), slices.Clone(o.TrafficTargets)
		}},
		{name: "a label of a service", edit: func(o *sources.Objects) {
			s := *replaced(&o.Services, 3)
			s.Labels = map[string]string{"other": "label"}
			o.Services[3] = &s
		}, objects: [3]int{0, 1, 1}},
		{name: "a policy", edit: func(o *sources.Objects) {
			p := *replaced(&o.TrafficTargets, 5)
			p.Spec.Sources = append(slices.Clone(p.Spec.Sources), p.Spec.Destination)
			o.TrafficTargets[5] = &p
		}, mesh: model.Counts{Permissions: 1}},
		{name: "a policy written anew that says what it said", edit: func(o *sources.Objects) {
			p := *replaced(&o.TrafficTargets, 5)
			o.TrafficTargets[5] = &p
		}},
		{name: "the weights of a split", edit: func(o *sources.Objects) {
			s := *replaced(&o.TrafficSplits, 0)
			s.Spec.Backends = slices.Clone(s.Spec.Backends)
			s.Spec.Backends[0].Weight = 1
			o.TrafficSplits[0] = &s
		}, mesh: model.Counts{Splits: 1}},
		{name: "one replica more", edit: func(o *sources.Objects) {
			d := *replaced(&o.Deployments, 7)
			d.Spec.Replicas = new(int32(3))
			o.Deployments[7] = &d
		}, objects: [3]int{3, 0, 1}, mesh: model.Counts{Services: 1, Proxies: 1}},
		{name: "another image", edit: func(o *sources.Objects) {
			d := *replaced(&o.Deployments, 7)
			d.Spec.Template.Spec.Containers = slices.Clone(d.Spec.Template.Spec.Containers)
			d.Spec.Template.Spec.Containers[0].Image = "other"
			o.Deployments[7] = &d
		}, objects: [3]int{2, 0, 1}},
		{name: "a pod that is not ready any more", dump: true, edit: func(o *sources.Objects) {
			s := *replaced(&o.EndpointSlices, 9)
			s.Endpoints = slices.Clone(s.Endpoints)
			s.Endpoints[0].Conditions = discoveryv1.EndpointConditions{Ready: new(false), Serving: new(false)}
			o.EndpointSlices[9] = &s
		}, objects: [3]int{0, 0, 1}, mesh: model.Counts{Services: 1}},
		{name: "another address of a pod", dump: true, edit: func(o *sources.Objects) {
			p := *replaced(&o.Pods, 9)
			p.Status.PodIP, p.Status.PodIPs = "10.200.0.1", nil
			o.Pods[9] = &p
		}, objects: [3]int{1, 0, 0}, mesh: model.Counts{Proxies: 1}},
		{name: "a service goes", edit: func(o *sources.Objects) {
			o.Services = slices.Delete(slices.Clone(o.Services), 4, 5)
		}, mesh: model.Counts{Proxies: 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			objects := graph.Manifests(2)
			if row.dump {
				objects = graph.Dump(2, 2)
			}
			before := sources.CompleteFrom(objects, nil)
			resolved := sources.ResolveFrom(before.Objects, nil)
			row.edit(&objects)
			after := sources.CompleteFrom(objects, before)
			again := sources.ResolveFrom(after.Objects, resolved)

			got := [3]int{
				made(before.Objects.Pods, after.Objects.Pods), made(before.Objects.Services, after.Objects.Services),
				made(before.Objects.EndpointSlices, after.Objects.EndpointSlices),
			}
			if got != row.objects {
				t.Errorf("pods, services and slices made again: %v, want %v", got, row.objects)
			}
			mesh := model.Counts{
				Services:    made(slices.Collect(resolved.Mesh.Services()), slices.Collect(again.Mesh.Services())),
				Proxies:     made(slices.Collect(resolved.Mesh.Proxies()), slices.Collect(again.Mesh.Proxies())),
				Permissions: made(slices.Collect(resolved.Mesh.Permissions()), slices.Collect(again.Mesh.Permissions())),
				Splits:      made(slices.Collect(resolved.Mesh.Splits()), slices.Collect(again.Mesh.Splits())),
			}
			if mesh != row.mesh {
				t.Errorf("made again: %+v, want %+v", mesh, row.mesh)
			}
		})
	}
}

// replaced makes the list another one, and is an object of it.
func replaced[T any](list *[]*T, i int) *T {
	*list = slices.Clone(*list)
	return (*list)[i]
}

// made counts the things of now that were not there before.
func made[T comparable](before, now []T) int {
	there := map[T]bool{}
	for _, b := range before {
		there[b] = true
	}
	count := 0
	for _, n := range now {
		if !there[n] {
			count++
		}
	}
	return count
}
