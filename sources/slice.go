package sources

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/flomesh-io/fsmc/model"
)

// assumeSlices makes the EndpointSlices of services that have a selector and of whose endpoints nothing was written,
// as Kubernetes' endpoint controller does: one for each address family and set of pod ports.
func (c *Completion) assumeSlices(previous *Completion) []*discoveryv1.EndpointSlice {
	c.published = previous.published.again(publishedLists{c.Objects.EndpointSlices, c.Objects.Endpoints}, publishedFor)
	c.order = previous.order.again(c.Objects.Pods, orderPods)
	c.selection = previous.selection.again(selectionInput[*corev1.Pod]{c.Objects.Services, c.order.out.pods}, selectObjects)
	c.slices = make(family[model.ServiceID, sliceInput, []*discoveryv1.EndpointSlice], len(c.Objects.Services))
	var assumed []*discoveryv1.EndpointSlice
	for _, s := range inOrder(c.Objects.Services) {
		id := serviceID(s)
		if hasSelector(s) && !c.published.out[id] && !hasBrokenEndpoints(c.Objects, id) {
			assumed = append(assumed, c.slices.again(previous.slices, id, sliceInput{s, c.selection.out.of[id]}, slicesFor)...)
		}
	}
	return assumed
}

// publishedLists are the endpoints that were written.
type publishedLists struct {
	slices    []*discoveryv1.EndpointSlice
	endpoints []*corev1.Endpoints
}

// publishedFor are the services of whose endpoints something was written.
func publishedFor(in publishedLists, _ map[model.ServiceID]bool) map[model.ServiceID]bool {
	found := map[model.ServiceID]bool{}
	for _, o := range in.slices {
		found[sliceOf(o)] = true
	}
	for _, o := range in.endpoints {
		found[model.ServiceID{Namespace: o.Namespace, Name: o.Name}] = true
	}
	return found
}

// sliceInput is a service and the pods that it selects.
type sliceInput struct {
	service *corev1.Service
	pods    []*corev1.Pod
}

func slicesFor(in sliceInput, _ []*discoveryv1.EndpointSlice) []*discoveryv1.EndpointSlice {
	var all []*discoveryv1.EndpointSlice
	for _, family := range families(in.service) {
		all = append(all, slicesOf(in.service, in.pods, family)...)
	}
	return all
}

// hasBrokenEndpoints says whether endpoints were written that could not be read. A slice is named after its service.
func hasBrokenEndpoints(objects Objects, id model.ServiceID) bool {
	return isBroken(objects, "Endpoints", id.Namespace, id.Name) ||
		slices.ContainsFunc(objects.Broken, func(r model.Ref) bool {
			return r.Kind == "EndpointSlice" && r.Namespace == id.Namespace && strings.HasPrefix(r.Name, id.Name+"-")
		})
}

// families are the address families of a service: those that are written, and the other one for a dual-stack policy.
func families(s *corev1.Service) []corev1.IPFamily {
	found := slices.Clone(s.Spec.IPFamilies)
	if len(found) == 0 {
		for _, text := range append([]string{s.Spec.ClusterIP}, s.Spec.ClusterIPs...) {
			if address, err := netip.ParseAddr(text); err == nil {
				found = append(found, familyOf(address))
			}
		}
	}
	if len(found) == 0 {
		found = []corev1.IPFamily{corev1.IPv4Protocol}
	}
	if policy := value(s.Spec.IPFamilyPolicy); policy == corev1.IPFamilyPolicyPreferDualStack || policy == corev1.IPFamilyPolicyRequireDualStack {
		found = append(found, corev1.IPv4Protocol, corev1.IPv6Protocol)
	}
	var distinct []corev1.IPFamily
	for _, f := range found {
		if !slices.Contains(distinct, f) {
			distinct = append(distinct, f)
		}
	}
	return distinct
}

func familyOf(address netip.Addr) corev1.IPFamily {
	if address.Unmap().Is4() {
		return corev1.IPv4Protocol
	}
	return corev1.IPv6Protocol
}

// slicesOf are the slices of one address family.
func slicesOf(s *corev1.Service, pods []*corev1.Pod, family corev1.IPFamily) []*discoveryv1.EndpointSlice {
	endpoints := map[string][]discoveryv1.Endpoint{}
	ports := map[string][]discoveryv1.EndpointPort{}
	for _, p := range pods {
		resolved, text := podPorts(s, p)
		address, ok := addressIn(p, family)
		if !ok || isFinished(p) || len(resolved) == 0 {
			continue
		}
		ports[text] = resolved
		endpoints[text] = append(endpoints[text], podEndpoint(s, p, address))
	}
	var all []*discoveryv1.EndpointSlice
	for _, text := range slices.Sorted(maps.Keys(endpoints)) {
		all = append(all, assumedSlice(s, family, text, ports[text], endpoints[text]))
	}
	return all
}

// podPorts are the ports of the pod that a service leads to, and their text. One that the pod does not have is left out.
func podPorts(s *corev1.Service, p *corev1.Pod) ([]discoveryv1.EndpointPort, string) {
	var ports []discoveryv1.EndpointPort
	var text strings.Builder
	for _, sp := range s.Spec.Ports {
		target, ok := targetPort(p, sp)
		if !ok {
			continue
		}
		protocol := cmp.Or(sp.Protocol, corev1.ProtocolTCP)
		ports = append(ports, discoveryv1.EndpointPort{
			Name: new(sp.Name), Port: new(int32(target)), Protocol: &protocol, AppProtocol: sp.AppProtocol,
		})
		fmt.Fprintf(&text, "%s:%d/%s,", sp.Name, target, protocol)
	}
	return ports, text.String()
}

func addressIn(p *corev1.Pod, family corev1.IPFamily) (string, bool) {
	for _, text := range writtenAddresses(p) {
		if address, err := parseAddress(text); err == nil && familyOf(address) == family {
			return address.String(), true
		}
	}
	return "", false
}

// podEndpoint is the endpoint that a pod is. It is ready when the pod is and does not terminate, or when the service
// publishes pods that are not ready; it has a host name when the pod's subdomain is the service.
func podEndpoint(s *corev1.Service, p *corev1.Pod, address string) discoveryv1.Endpoint {
	serving, terminating := isReady(p), p.DeletionTimestamp != nil
	e := discoveryv1.Endpoint{
		Addresses: []string{address},
		Conditions: discoveryv1.EndpointConditions{
			Ready:       new(s.Spec.PublishNotReadyAddresses || serving && !terminating),
			Serving:     new(serving),
			Terminating: new(terminating),
		},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID},
	}
	if p.Spec.Hostname != "" && p.Spec.Subdomain == s.Name {
		e.Hostname = &p.Spec.Hostname
	}
	if p.Spec.NodeName != "" {
		e.NodeName = &p.Spec.NodeName
	}
	return e
}

// isReady says whether the pod's condition Ready holds. A kubelet always writes conditions: a pod without any was
// written by hand, and what a hand leaves out is taken to be well.
func isReady(p *corev1.Pod) bool {
	if len(p.Status.Conditions) == 0 && !isMade(p) {
		return true
	}
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// assumedSlice is named by its service, family and ports, whose text is hashed.
func assumedSlice(s *corev1.Service, family corev1.IPFamily, text string, ports []discoveryv1.EndpointPort, endpoints []discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	hash := sha256.Sum256([]byte(text))
	return &discoveryv1.EndpointSlice{
		TypeMeta: metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       s.Namespace,
			Name:            fmt.Sprintf("%s-%s-%x", s.Name, strings.ToLower(string(family)), hash[:4]),
			Labels:          map[string]string{discoveryv1.LabelServiceName: s.Name},
			Annotations:     map[string]string{AssumedAnnotation: "endpoints"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Service", Name: s.Name, Controller: new(true)}},
		},
		AddressType: discoveryv1.AddressType(family),
		Ports:       ports,
		Endpoints:   endpoints,
	}
}
