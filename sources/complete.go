package sources

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
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
	namespaces, namespaceDiagnostics := assumeNamespaces(objects)
	pods, podDiagnostics := assumePods(objects)
	objects.Namespaces = slices.Concat(objects.Namespaces, namespaces)
	objects.Pods = slices.Concat(objects.Pods, pods)
	assigned := assign(leases(objects), writtenIn(objects))
	objects.Pods = mapped(objects.Pods, func(p *corev1.Pod) *corev1.Pod { return withPodAddresses(p, assigned) })
	objects.Services = mapped(objects.Services, func(s *corev1.Service) *corev1.Service { return withClusterIPs(s, assigned) })
	assumed := assumeSlices(objects)
	objects.EndpointSlices = slices.Concat(objects.EndpointSlices, assumed)

	return objects, slices.Concat(namespaceDiagnostics, podDiagnostics, tally(len(pods), len(assigned), len(assumed)))
}

func mapped[T any](items []T, change func(T) T) []T {
	changed := slices.Grow([]T(nil), len(items))
	for _, item := range items {
		changed = append(changed, change(item))
	}
	return changed
}

// leases are the addresses that pods and services need. Pods get one of each family when some service is more than
// IPv4: whether a cluster is dual-stack is a property of the whole.
func leases(objects Objects) []lease {
	ranges := []netip.Prefix{podRange}
	if slices.ContainsFunc(objects.Services, wantsIPv6) {
		ranges = append(ranges, ipv6Range)
	}
	var asked []lease
	for _, p := range objects.Pods {
		if lacksAddress(p) {
			for _, from := range ranges {
				asked = append(asked, lease{from, podKey(p)})
			}
		}
	}
	for _, s := range objects.Services {
		if lacksClusterIP(s) {
			for _, family := range families(s) {
				asked = append(asked, clusterIPLease(s, family))
			}
		}
	}
	return asked
}

func wantsIPv6(s *corev1.Service) bool { return slices.Contains(families(s), corev1.IPv6Protocol) }

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

func clusterIPLease(s *corev1.Service, family corev1.IPFamily) lease {
	name := fmt.Sprintf("Service/%s/%s", s.Namespace, s.Name)
	if family == corev1.IPv6Protocol {
		return lease{ipv6Range, name}
	}
	return lease{serviceRange, name}
}

// writtenIn are the addresses that the objects have already.
func writtenIn(objects Objects) map[netip.Addr]bool {
	var texts []string
	for _, p := range objects.Pods {
		texts = append(texts, writtenAddresses(p)...)
	}
	for _, s := range objects.Services {
		texts = append(append(texts, s.Spec.ClusterIP), s.Spec.ClusterIPs...)
	}
	for _, s := range objects.EndpointSlices {
		for _, e := range s.Endpoints {
			texts = append(texts, e.Addresses...)
		}
	}
	for _, o := range objects.Endpoints {
		for _, subset := range o.Subsets {
			for _, a := range slices.Concat(subset.Addresses, subset.NotReadyAddresses) {
				texts = append(texts, a.IP)
			}
		}
	}
	taken := map[netip.Addr]bool{}
	for _, text := range texts {
		if address, err := parseAddress(text); err == nil {
			taken[address] = true
		}
	}
	return taken
}

// withPodAddresses is the pod with the addresses that it lacks, running and ready unless it says otherwise.
func withPodAddresses(p *corev1.Pod, assigned map[lease]netip.Addr) *corev1.Pod {
	if !lacksAddress(p) {
		return p
	}
	var ips []corev1.PodIP
	for _, from := range []netip.Prefix{podRange, ipv6Range} {
		if address, ok := assigned[lease{from, podKey(p)}]; ok {
			ips = append(ips, corev1.PodIP{IP: address.String()})
		}
	}
	if len(ips) == 0 {
		return p
	}
	addressed := *p
	addressed.Status = running(p.Status)
	addressed.Status.PodIP, addressed.Status.PodIPs = ips[0].IP, ips
	if !isAssumed(p) {
		addressed.Annotations = with(p.Annotations, AssumedAnnotation, "address")
	}
	return &addressed
}

// withClusterIPs is the service with the addresses that it lacks, in the order of its families.
func withClusterIPs(s *corev1.Service, assigned map[lease]netip.Addr) *corev1.Service {
	if !lacksClusterIP(s) {
		return s
	}
	var ips []string
	for _, family := range families(s) {
		if address, ok := assigned[clusterIPLease(s, family)]; ok {
			ips = append(ips, address.String())
		}
	}
	if len(ips) == 0 {
		return s
	}
	addressed := *s
	addressed.Spec.ClusterIP, addressed.Spec.ClusterIPs = ips[0], ips
	addressed.Annotations = with(s.Annotations, AssumedAnnotation, "clusterIP")
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
