package sources

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
)

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
	n := &podNeeds{pods: in.written}
	if len(in.assumed) > 0 {
		n.pods = slices.Concat(in.written, in.assumed)
	}
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
	if len(in.needs.keys) == 0 {
		return &addressedPods{pods: in.needs.pods}
	}
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
