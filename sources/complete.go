package sources

import (
	"fmt"
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

// podLists are the pods that were written and those that were assumed.
type podLists struct{ written, assumed []*corev1.Pod }

// podNeeds are all pods, and which lack an address.
type podNeeds struct {
	pods []*corev1.Pod
	// names are the names by which pods ask for an address, one for each pod, empty for those that have one; keys are those
	// that are not empty.
	names lineup[*corev1.Pod, string]
	keys  []string
}

func needsOfPods(in podLists, before *podNeeds) *podNeeds {
	n := &podNeeds{pods: slices.Concat(in.written, in.assumed)}
	if before == nil {
		before = &podNeeds{}
	}
	n.names = before.names.again(n.pods, addressName)
	for _, name := range n.names.out {
		if name != "" {
			n.keys = append(n.keys, name)
		}
	}
	return n
}

// addressName is the name by which a pod asks for an address; empty when it has one, or gets none.
func addressName(p *corev1.Pod) string {
	if !lacksAddress(p) {
		return ""
	}
	return podKey(p)
}

// lacksAddress says whether no cluster has made the pod and nobody wrote its address.
func lacksAddress(p *corev1.Pod) bool {
	return !isMade(p) && !isFinished(p) && len(writtenAddresses(p)) == 0
}

func lacksClusterIP(s *corev1.Service) bool {
	return s.Spec.ClusterIP == "" && len(s.Spec.ClusterIPs) == 0 && !isExternalName(s)
}

// podKey is <kind>/<namespace>/<name>/<ordinal> of what made the pod; for a bare pod, its own without an ordinal.
func podKey(p *corev1.Pod) string {
	owner := controllerOf(p)
	if p.Annotations[AssumedAnnotation] != "pod" || owner.Kind == "" {
		return fmt.Sprintf("Pod/%s/%s", p.Namespace, p.Name)
	}
	ordinal := p.Name[strings.LastIndex(p.Name, "-")+1:]
	return fmt.Sprintf("%s/%s/%s/%s", owner.Kind, owner.Namespace, owner.Name, ordinal)
}

// serviceNeeds is what addresses a service has or needs.
type serviceNeeds struct {
	// name is the name by which it asks for addresses; empty when it lacks none.
	name string
	// ipv4 and ipv6 are the families that it is of.
	ipv4, ipv6 bool
}

func needsOf(s *corev1.Service) serviceNeeds {
	var n serviceNeeds
	for _, family := range families(s) {
		n.ipv6 = n.ipv6 || family == corev1.IPv6Protocol
		n.ipv4 = n.ipv4 || family != corev1.IPv6Protocol
	}
	if lacksClusterIP(s) {
		n.name = "Service/" + s.Namespace + "/" + s.Name
	}
	return n
}

// addressLists are the objects that can have addresses.
type addressLists struct {
	pods      []*corev1.Pod
	services  []*corev1.Service
	slices    []*discoveryv1.EndpointSlice
	endpoints []*corev1.Endpoints
}

// writtenIn are the addresses that the objects have already and that could be assumed ones, in order.
func writtenIn(in addressLists, _ []netip.Addr) []netip.Addr {
	var found []netip.Addr
	add := func(text string) {
		address, err := parseAddress(text)
		if err == nil && (podRange.Contains(address) || serviceRange.Contains(address) || ipv6Range.Contains(address)) {
			found = append(found, address)
		}
	}
	each := func(texts []string) {
		for _, text := range texts {
			add(text)
		}
	}
	for _, p := range in.pods {
		each(writtenAddresses(p))
	}
	for _, s := range in.services {
		add(s.Spec.ClusterIP)
		each(s.Spec.ClusterIPs)
	}
	for _, s := range in.slices {
		for _, e := range s.Endpoints {
			each(e.Addresses)
		}
	}
	for _, o := range in.endpoints {
		for _, subset := range o.Subsets {
			for _, a := range slices.Concat(subset.Addresses, subset.NotReadyAddresses) {
				add(a.IP)
			}
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	return slices.Compact(found)
}

// podAddressing is the pods and the addresses that were assigned.
type podAddressing struct {
	needs      *podNeeds
	ipv4, ipv6 map[string]netip.Addr
}

// addressedPods are all pods, with their addresses.
type addressedPods struct {
	pods []*corev1.Pod
	of   lineup[podAddress, *corev1.Pod]
}

func addressPods(in podAddressing, before *addressedPods) *addressedPods {
	if before == nil {
		before = &addressedPods{}
	}
	asked := make([]podAddress, 0, len(in.needs.pods))
	for i, p := range in.needs.pods {
		given := podAddress{pod: p}
		if name := in.needs.names.out[i]; name != "" {
			given.ipv4, given.ipv6 = in.ipv4[name], in.ipv6[name]
		}
		asked = append(asked, given)
	}
	of := before.of.again(asked, withPodAddresses)
	return &addressedPods{of.out, of}
}

// podAddress is a pod and the addresses that it is given.
type podAddress struct {
	pod        *corev1.Pod
	ipv4, ipv6 netip.Addr
}

// withPodAddresses is the pod with the addresses that it lacks, running and ready unless it says otherwise.
func withPodAddresses(given podAddress) *corev1.Pod {
	var ips []corev1.PodIP
	for _, address := range []netip.Addr{given.ipv4, given.ipv6} {
		if address.IsValid() {
			ips = append(ips, corev1.PodIP{IP: address.String()})
		}
	}
	if len(ips) == 0 {
		return given.pod
	}
	addressed := *given.pod
	addressed.Status = running(given.pod.Status)
	addressed.Status.PodIP, addressed.Status.PodIPs = ips[0].IP, ips
	if !isAssumed(given.pod) {
		addressed.Annotations = with(given.pod.Annotations, AssumedAnnotation, "address")
	}
	return &addressed
}

// serviceAddress is a service and the addresses that it is given.
type serviceAddress struct {
	service    *corev1.Service
	ipv4, ipv6 netip.Addr
}

// withClusterIPs is the service with the addresses that it lacks, in the order of its families.
func withClusterIPs(given serviceAddress) *corev1.Service {
	var ips []string
	for _, family := range families(given.service) {
		address := given.ipv4
		if family == corev1.IPv6Protocol {
			address = given.ipv6
		}
		if address.IsValid() {
			ips = append(ips, address.String())
		}
	}
	if len(ips) == 0 {
		return given.service
	}
	addressed := *given.service
	addressed.Spec.ClusterIP, addressed.Spec.ClusterIPs = ips[0], ips
	addressed.Annotations = with(given.service.Annotations, AssumedAnnotation, "clusterIP")
	return &addressed
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
