package sources

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// Complete adds what a cluster would assign and the objects lack: namespaces, the pods of workloads, addresses, and
// the endpoints of services. What it makes up carries AssumedAnnotation, and is the same for the same objects in any
// order; completing twice adds nothing. The objects that are given are not written into; what is added may share
// memory with them.
//
// Objects that came from a cluster stay as they are: a workload has the pods that it has, and a pod that has no address
// yet gets none here.
func Complete(objects Objects) (Objects, []model.Diagnostic) {
	c := CompleteFrom(objects, nil)
	return c.Objects, c.Diagnostics
}

// Completion is what Complete makes of objects, with what it takes to make another one of objects that differ a little. It
// does not change.
type Completion struct {
	// Objects are those that were given, and those that were made up.
	Objects Objects
	// Diagnostics are in no particular order.
	Diagnostics []model.Diagnostic

	workloads  stage[workloadLists, *workloads]
	names      namespaceNames
	namespaces map[missingNamespace]*corev1.Namespace
	crew       stage[crewInput, *crew]
	podNeeds   stage[podLists, *podNeeds]
	needs      map[*corev1.Service]serviceNeeds
	written    stage[addressLists, []netip.Addr]
	assigned   assignments
	pods       stage[podAddressing, *addressedPods]
	services   map[serviceAddress]*corev1.Service
	order      stage[[]*corev1.Pod, *podOrder]
	selection  stage[selectionInput[*corev1.Pod], *selection[*corev1.Pod]]
	published  stage[publishedLists, map[model.ServiceID]bool]
	slices     family[model.ServiceID, sliceInput, []*discoveryv1.EndpointSlice]
}

// CompleteFrom is Complete, and takes from a previous completion, which may be nil, whatever is made of the same: objects that
// it would make up again are the same by pointer. The result says what Complete would.
func CompleteFrom(objects Objects, previous *Completion) *Completion {
	if previous == nil {
		previous = &Completion{}
	}
	c := &Completion{Objects: objects}
	c.workloads = previous.workloads.again(workloadListsOf(objects), readWorkloads)
	c.names = previous.names.again(objects, c.workloads.out)
	namespaces, namespaceDiagnostics := c.assumeNamespaces(previous)
	c.crew = previous.crew.again(crewInput{c.workloads.out, objects.Pods}, assumePods)
	addresses := c.address(previous)
	assumed := c.assumeSlices(previous)

	c.Objects.Namespaces = slices.Concat(objects.Namespaces, namespaces)
	c.Objects.EndpointSlices = slices.Concat(objects.EndpointSlices, assumed)
	c.Objects = Shared(c.Objects, previous.Objects)
	c.Diagnostics = slices.Concat(namespaceDiagnostics, c.crew.out.diagnostics, tally(len(c.crew.out.pods), addresses, len(assumed)))
	return c
}

func (c *Completion) assumeNamespaces(previous *Completion) ([]*corev1.Namespace, []model.Diagnostic) {
	made, assumed, diagnostics := assumeNamespaces(c.Objects, c.names.used(), previous.namespaces)
	c.namespaces = made
	return assumed, diagnostics
}

// address gives pods and services the addresses that they lack, and says how many it gave. Pods get one of each family when
// some service is more than IPv4: whether a cluster is dual-stack is a property of the whole.
func (c *Completion) address(previous *Completion) int {
	written := c.Objects
	c.podNeeds = previous.podNeeds.again(podLists{written.Pods, c.crew.out.pods}, needsOfPods)
	c.needs = make(map[*corev1.Service]serviceNeeds, len(written.Services))
	asked := asked{pods: c.podNeeds.out.keys}
	for _, s := range written.Services {
		asked.add(reused(c.needs, previous.needs, s, needsOf))
	}
	if !asked.nothing() {
		c.written = previous.written.again(addressLists{written.Pods, written.Services, written.EndpointSlices, written.Endpoints}, writtenIn)
	}
	c.assigned = previous.assigned.again(asked, c.written.out)
	c.pods = previous.pods.again(podAddressing{c.podNeeds.out, c.assigned.pods.out, c.assigned.podsIn6(asked)}, addressPods)
	c.Objects.Pods = nonEmpty(c.pods.out.pods)
	c.services = make(map[serviceAddress]*corev1.Service, len(written.Services))
	c.Objects.Services = slices.Grow([]*corev1.Service(nil), len(written.Services))
	for _, s := range written.Services {
		c.Objects.Services = append(c.Objects.Services, reused(c.services, previous.services, c.assigned.of(s, c.needs[s]), withClusterIPs))
	}
	shareList(&c.Objects.Services, previous.Objects.Services)
	return len(c.assigned.pods.out) + len(c.assigned.services.out) + len(c.assigned.both.out)
}

// nonEmpty is a list, or none at all.
func nonEmpty[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// tally tells how much was made up.
func tally(pods, addresses, endpointSlices int) []model.Diagnostic {
	var made []string
	add := func(n int, one, many string) {
		if n > 0 {
			made = append(made, count(n, one, many))
		}
	}
	add(pods, "pod", "pods")
	add(addresses, "address", "addresses")
	add(endpointSlices, "EndpointSlice", "EndpointSlices")
	if len(made) == 0 {
		return nil
	}
	return []model.Diagnostic{model.Note(model.AssumedObjects, model.Ref{}, "the input is not complete as a cluster would have it").
		Did("assumed " + strings.Join(made, ", "))}
}

// isAssumed says whether the object, or a part of it, was made up. What a cluster has made never is.
func isAssumed(o metav1.Object) bool {
	return o.GetAnnotations()[AssumedAnnotation] != "" && !isMade(o)
}

// isMade says whether a cluster has made the object.
func isMade(o metav1.Object) bool { return o.GetUID() != "" || o.GetResourceVersion() != "" }
