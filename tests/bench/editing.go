package main

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	accessv1alpha3 "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/access/v1alpha3"

	"github.com/flomesh-io/fsmc/sources"
)

// edit makes of objects others that differ in one thing: in the i-th edit it is another than in the one before.
// What is not changed is the same by pointer.
type edit struct {
	name string
	do   func(o sources.Objects, i int) sources.Objects
}

// editsOf are edits of the policy in the middle of a mesh, of the application that it is for, and of the settings.
func editsOf(o sources.Objects) []edit {
	return editsAt(o, o.TrafficTargets[len(o.TrafficTargets)/2])
}

// editsOfHub are the same edits, of the application that is called by the most.
func editsOfHub(o sources.Objects) []edit {
	return editsAt(o, slices.MaxFunc(o.TrafficTargets, func(a, b *sources.TrafficTarget) int {
		return len(a.Spec.Sources) - len(b.Spec.Sources)
	}))
}

func editsAt(o sources.Objects, t *sources.TrafficTarget) []edit {
	return []edit{
		{"endpoint", endpointEdit(o, t.Spec.Destination.Namespace, t.Spec.Destination.Name)},
		{"address", addressEdit(o, t.Spec.Destination.Namespace, t.Spec.Destination.Name)},
		{"policy", sourceEdit(o, t)},
		{"requests", requestsEdit(o, t)},
		{"limit", func(o sources.Objects, i int) sources.Objects {
			mesh := *o.MeshConfigs[0]
			mesh.Spec.Sidecar.MaxDataPlaneConnections = 10_000 + i
			o.MeshConfigs = replaced(o.MeshConfigs, 0, &mesh)
			return o
		}},
		{"egress", func(o sources.Objects, i int) sources.Objects {
			mesh := *o.MeshConfigs[0]
			mesh.Spec.Traffic.EnableEgress = i%2 == 0
			o.MeshConfigs = replaced(o.MeshConfigs, 0, &mesh)
			return o
		}},
	}
}

func replaced[T any](list []T, at int, with T) []T {
	next := slices.Clone(list)
	next[at] = with
	return next
}

// find is the first object with the wanted name.
func find[T metav1.Object](list []T, namespace, name string) int {
	at := slices.IndexFunc(list, func(o T) bool { return o.GetNamespace() == namespace && o.GetName() == name })
	if at < 0 {
		panic(fmt.Sprintf("bench: the mesh has no %s/%s", namespace, name))
	}
	return at
}

// endpointEdit has the first pod of an application become ready and stop being so: the pod says it, and its endpoint.
func endpointEdit(o sources.Objects, namespace, app string) func(sources.Objects, int) sources.Objects {
	slice := find(o.EndpointSlices, namespace, app+"-00000")
	pod := find(o.Pods, namespace, o.EndpointSlices[slice].Endpoints[0].TargetRef.Name)
	return func(o sources.Objects, i int) sources.Objects {
		ready := i%2 == 1
		s, p := o.EndpointSlices[slice].DeepCopy(), o.Pods[pod].DeepCopy()
		s.Endpoints[0].Conditions.Ready, s.Endpoints[0].Conditions.Serving = &ready, &ready
		p.Status.Conditions[0].Status = map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[ready]
		o.EndpointSlices, o.Pods = replaced(o.EndpointSlices, slice, s), replaced(o.Pods, pod, p)
		return o
	}
}

// addressEdit has the first pod of an application move to another address, as one that is replaced: its callers' listeners
// know it by that.
func addressEdit(o sources.Objects, namespace, app string) func(sources.Objects, int) sources.Objects {
	slice := find(o.EndpointSlices, namespace, app+"-00000")
	pod := find(o.Pods, namespace, o.EndpointSlices[slice].Endpoints[0].TargetRef.Name)
	return func(o sources.Objects, i int) sources.Objects {
		address := fmt.Sprintf("10.200.%d.%d", i>>8&0xff, i&0xff)
		s, p := o.EndpointSlices[slice].DeepCopy(), o.Pods[pod].DeepCopy()
		s.Endpoints[0].Addresses = []string{address}
		p.Status.PodIP, p.Status.PodIPs = address, []corev1.PodIP{{IP: address}}
		o.EndpointSlices, o.Pods = replaced(o.EndpointSlices, slice, s), replaced(o.Pods, pod, p)
		return o
	}
}

// sourceEdit admits one client more to an application, and takes it back.
func sourceEdit(o sources.Objects, t *sources.TrafficTarget) func(sources.Objects, int) sources.Objects {
	at := find(o.TrafficTargets, t.Namespace, t.Name)
	known := map[[2]string]bool{{t.Spec.Destination.Namespace, t.Spec.Destination.Name}: true}
	for _, s := range t.Spec.Sources {
		known[[2]string{s.Namespace, s.Name}] = true
	}
	other := o.ServiceAccounts[slices.IndexFunc(o.ServiceAccounts, func(a *corev1.ServiceAccount) bool {
		return !known[[2]string{a.Namespace, a.Name}]
	})]
	return func(o sources.Objects, i int) sources.Objects {
		next := *o.TrafficTargets[at]
		if i%2 == 0 {
			next.Spec.Sources = append(slices.Clone(next.Spec.Sources), accessv1alpha3.IdentityBindingSubject{
				Kind: "ServiceAccount", Namespace: other.Namespace, Name: other.Name,
			})
		}
		o.TrafficTargets = replaced(o.TrafficTargets, at, &next)
		return o
	}
}

// requestsEdit changes the path of a route group that a target refers to.
func requestsEdit(o sources.Objects, t *sources.TrafficTarget) func(sources.Objects, int) sources.Objects {
	at := find(o.HTTPRouteGroups, t.Namespace, t.Spec.Rules[0].Name)
	return func(o sources.Objects, i int) sources.Objects {
		next := *o.HTTPRouteGroups[at]
		next.Spec.Matches = slices.Clone(next.Spec.Matches)
		next.Spec.Matches[0].PathRegex = fmt.Sprintf("/edited/%d/.*", i)
		o.HTTPRouteGroups = replaced(o.HTTPRouteGroups, at, &next)
		return o
	}
}
