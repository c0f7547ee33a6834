package main

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// What a rolling update does in a cluster is done here with the objects of a round: while a pod is starting, it is no
// ready endpoint, and the pods that the manifests do not have any more serve in its place.

// adjust makes endpoints not ready whose pods do not run yet, and keeps those that they replace. Before the mesh has
// begun, all are taken to run.
func (f *follower) adjust(o sources.Objects) sources.Objects {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mesh == nil {
		return o
	}
	h := handover{follower: f, pods: map[string]*corev1.Pod{}, addresses: map[string]bool{}}
	for _, p := range o.Pods {
		h.pods[p.Namespace+"/"+p.Name] = p
		for _, a := range podIPs(p) {
			h.addresses[a.String()] = true
		}
	}
	o.EndpointSlices = slices.Clone(o.EndpointSlices)
	for i, s := range o.EndpointSlices {
		o.EndpointSlices[i] = h.slice(s)
	}
	o.Pods = slices.Concat(o.Pods, h.kept)
	f.last = o
	return o
}

// handover is the change from the objects of the round before to those of the next.
type handover struct {
	*follower
	// pods and addresses are those of the next round.
	pods      map[string]*corev1.Pod
	addresses map[string]bool
	// kept are pods of the round before that serve for now.
	kept []*corev1.Pod
}

// slice is the slice itself if all its pods run.
func (h *handover) slice(s *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	if !slices.ContainsFunc(s.Endpoints, h.starts) {
		return s
	}
	changed := *s
	changed.Endpoints = slices.Clone(s.Endpoints)
	for i, e := range changed.Endpoints {
		if h.starts(e) {
			changed.Endpoints[i].Conditions = discoveryv1.EndpointConditions{Ready: new(false), Serving: new(false)}
		}
	}
	before := slices.IndexFunc(h.last.EndpointSlices, func(b *discoveryv1.EndpointSlice) bool { return b.Namespace == s.Namespace && b.Name == s.Name })
	if before >= 0 {
		for _, e := range h.last.EndpointSlices[before].Endpoints {
			if h.keeps(e) {
				changed.Endpoints = append(changed.Endpoints, e)
			}
		}
	}
	return &changed
}

// starts says whether the pod of an endpoint does not run yet as it shall.
func (h *handover) starts(e discoveryv1.Endpoint) bool {
	name := podOfEndpoint(e)
	if name == "" || slices.Contains(h.never, name) {
		return false
	}
	identity, runs := h.up[name]
	p := h.pods[name]
	return !runs || p != nil && identity != (model.Identity{Namespace: p.Namespace, ServiceAccount: cmp.Or(p.Spec.ServiceAccountName, "default")})
}

// keeps says whether an endpoint of the round before goes on serving: its pod is not there any more, but runs, and
// nobody else has its name or address.
func (h *handover) keeps(e discoveryv1.Endpoint) bool {
	name := podOfEndpoint(e)
	_, runs := h.up[name]
	if !runs || h.pods[name] != nil || slices.ContainsFunc(e.Addresses, func(a string) bool { return h.addresses[a] }) {
		return false
	}
	named := func(p *corev1.Pod) bool { return p.Namespace+"/"+p.Name == name }
	if !slices.ContainsFunc(h.kept, named) {
		i := slices.IndexFunc(h.last.Pods, named)
		if i < 0 {
			return false
		}
		h.kept = append(h.kept, h.last.Pods[i])
	}
	return true
}

// podOfEndpoint is the pod of an endpoint, by namespace/name; empty if it is none's.
func podOfEndpoint(e discoveryv1.Endpoint) string {
	if e.TargetRef == nil || e.TargetRef.Kind != "Pod" {
		return ""
	}
	return e.TargetRef.Namespace + "/" + e.TargetRef.Name
}
