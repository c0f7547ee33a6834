package sources

import (
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// resolveServices finds the services of the mesh with the pods that they select and the endpoints that are published
// for them.
func resolveServices(objects Objects, namespaces namespaces, pods pods) ([]*service, []model.Diagnostic) {
	var live []*corev1.Pod
	for _, p := range pods.all {
		live = append(live, p.object)
	}
	selected := selectPods(objects.Services, live)
	published := publish(objects)
	var services []*service
	var diagnostics []model.Diagnostic
	for _, o := range inOrder(objects.Services) {
		if !namespaces.has(o.Namespace) {
			continue
		}
		s, more := resolveService(o, published, selected[serviceID(o)], pods)
		services = append(services, s)
		diagnostics = append(diagnostics, more...)
	}
	return services, diagnostics
}

// service is a Service of the mesh.
type service struct {
	object    *corev1.Service
	id        model.ServiceID
	addresses []netip.Addr
	// ports are those that the mesh carries.
	ports []port
	// pods are those that the selector matches, ready or not, by name.
	pods []*pod
	// endpoints are those that are published, ready or not.
	endpoints []endpoint
}

func resolveService(o *corev1.Service, published published, selected []*corev1.Pod, pods pods) (*service, []model.Diagnostic) {
	s := &service{object: o, id: serviceID(o)}
	if isExternalName(o) {
		return s, []model.Diagnostic{model.Note(model.ExternalNameService, refTo("Service", o).At("spec.externalName"),
			fmt.Sprintf("service %s is an alias for %s", s.id, o.Spec.ExternalName)).Did("the mesh does not route it")}
	}
	for _, p := range selected {
		s.pods = append(s.pods, pods.byID[idOf(p)])
	}
	addresses, addressDiagnostics := clusterIPs(o)
	endpoints, endpointDiagnostics := published.endpoints(o, pods)
	ports, portDiagnostics := carriedPorts(o)
	s.addresses, s.endpoints = addresses, endpoints
	s.ports, endpointDiagnostics = withoutSidecarPorts(s, ports, endpointDiagnostics)
	return s, slices.Concat(addressDiagnostics, endpointDiagnostics, portDiagnostics, unnamedTargets(s))
}

func isExternalName(o *corev1.Service) bool { return o.Spec.Type == corev1.ServiceTypeExternalName }

// isHeadless says whether clients call the endpoints of the service by their own addresses.
func isHeadless(o *corev1.Service) bool { return o.Spec.ClusterIP == corev1.ClusterIPNone }

// clusterIPs are the addresses of a service, IPv4 first.
func clusterIPs(o *corev1.Service) ([]netip.Addr, []model.Diagnostic) {
	var addresses []netip.Addr
	var diagnostics []model.Diagnostic
	for _, text := range slices.Concat([]string{o.Spec.ClusterIP}, o.Spec.ClusterIPs) {
		if text == "" || text == corev1.ClusterIPNone {
			continue
		}
		address, err := parseAddress(text)
		if err != nil {
			diagnostics = append(diagnostics, model.Note(model.InvalidAddress, refTo("Service", o).At("spec.clusterIP"), err.Error()).
				Did("the service is not reached there"))
			continue
		}
		addresses = append(addresses, address)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses), diagnostics
}

// servicePort is the unit of routing that the port is.
func (s *service) servicePort(p port) model.ServicePort {
	return model.ServicePort{Service: s.id, Port: p.number()}
}
