package sources

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

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

// port is a port of a service.
type port struct {
	corev1.ServicePort
	protocol model.Protocol
	// at is where it was written.
	at model.Ref
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

// carriedPorts are the TCP ports of a service that a cluster would take.
func carriedPorts(o *corev1.Service) ([]port, []model.Diagnostic) {
	var ports []port
	var diagnostics []model.Diagnostic
	var others []string
	if len(o.Spec.Ports) == 0 && !isHeadless(o) {
		diagnostics = append(diagnostics, model.Note(model.InvalidPort, refTo("Service", o).At("spec"),
			fmt.Sprintf("service %s has no ports", serviceID(o))).Did("it leads to nothing"))
	}
	for i, written := range o.Spec.Ports {
		at := refTo("Service", o).At(fmt.Sprintf("spec.ports[%d]", i))
		if !isTCP(written.Protocol) {
			others = append(others, fmt.Sprintf("%d/%s", written.Port, written.Protocol))
			continue
		}
		if field, why := portFault(written, ports); why != "" {
			diagnostics = append(diagnostics, model.Note(model.InvalidPort, at.At(at.Field+field),
				fmt.Sprintf("service %s: %s", serviceID(o), why)).Did("the port is left out"))
			continue
		}
		protocol, more := protocolOf(written, at)
		ports = append(ports, port{ServicePort: written, protocol: protocol, at: at})
		diagnostics = append(diagnostics, more...)
	}
	if len(others) > 0 {
		diagnostics = append(diagnostics, model.Note(model.NotTCP, refTo("Service", o).At("spec.ports"),
			fmt.Sprintf("service %s has ports that are not TCP: %v", serviceID(o), others)).Did("they pass by the mesh"))
	}
	return ports, diagnostics
}

// portFault says why a port cannot be used beside those before it, and which field is at fault.
func portFault(p corev1.ServicePort, before []port) (field, why string) {
	named := func(q port) bool { return q.Name == p.Name }
	numbered := func(q port) bool { return q.Port == p.Port }
	switch {
	case !isPort(p.Port):
		return ".port", fmt.Sprintf("port %d is not between 1 and 65535", p.Port)
	case p.TargetPort.Type == intstr.Int && p.TargetPort.IntVal != 0 && !isPort(p.TargetPort.IntVal):
		return ".targetPort", fmt.Sprintf("target port %d is not between 1 and 65535", p.TargetPort.IntVal)
	case slices.ContainsFunc(before, numbered):
		return ".port", fmt.Sprintf("port %d is written twice", p.Port)
	case slices.ContainsFunc(before, named):
		return ".name", fmt.Sprintf("two ports have the name %q", p.Name)
	default:
		return "", ""
	}
}

func isPort(number int32) bool { return 1 <= number && number <= 65535 }

func isTCP(protocol corev1.Protocol) bool {
	return cmp.Or(protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP
}

// withoutSidecarPorts leaves out the ports that lead to a port of the sidecar, at some pod or at some endpoint.
func withoutSidecarPorts(s *service, ports []port, diagnostics []model.Diagnostic) ([]port, []model.Diagnostic) {
	var safe []port
	for _, p := range ports {
		target, found := sidecarTarget(s, p)
		if !found {
			safe = append(safe, p)
			continue
		}
		diagnostics = append(diagnostics, model.Note(model.SidecarPort, p.at.At(p.at.Field+".targetPort"),
			fmt.Sprintf("port %d of service %s leads to port %d, which belongs to the sidecar", p.Port, s.id, target)).
			Did("the port is left out"))
	}
	return safe, diagnostics
}

func sidecarTarget(s *service, p port) (uint16, bool) {
	if target, ok := targetPort(&corev1.Pod{}, p.ServicePort); ok && isSidecarPort(target) {
		return target, true
	}
	for _, pod := range s.pods {
		if target, ok := targetPort(pod.object, p.ServicePort); ok && isSidecarPort(target) {
			return target, true
		}
	}
	for _, e := range s.endpoints {
		if e.port == p.Name && isSidecarPort(e.address.Port()) {
			return e.address.Port(), true
		}
	}
	return 0, false
}

// isSidecarPort says whether the port belongs to the sidecar: its administration, listeners and probes.
func isSidecarPort(number uint16) bool {
	return 15000 <= number && number <= 15010 || 15901 <= number && number <= 15904
}

// targetPort is the port of the pod that a service port leads to: a number, the service port's own when none is
// written, or the first container port of that name and protocol. Containers come first, then native sidecars, as in
// Kubernetes' endpoint controllers.
func targetPort(o *corev1.Pod, p corev1.ServicePort) (uint16, bool) {
	if p.TargetPort.Type == intstr.Int {
		number := cmp.Or(p.TargetPort.IntVal, p.Port)
		return uint16(number), isPort(number)
	}
	if p.TargetPort.StrVal == "" {
		return uint16(p.Port), isPort(p.Port)
	}
	for _, c := range slices.Concat(o.Spec.Containers, nativeSidecars(o)) {
		for _, q := range c.Ports {
			if q.Name == p.TargetPort.StrVal && cmp.Or(q.Protocol, corev1.ProtocolTCP) == cmp.Or(p.Protocol, corev1.ProtocolTCP) {
				return uint16(q.ContainerPort), isPort(q.ContainerPort)
			}
		}
	}
	return 0, false
}

// nativeSidecars are the init containers that run as long as the pod.
func nativeSidecars(o *corev1.Pod) []corev1.Container {
	return slices.DeleteFunc(slices.Clone(o.Spec.InitContainers), func(c corev1.Container) bool {
		return c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways
	})
}

// unnamedTargets tells of pods that a service selects and that have no port of the name it leads to.
func unnamedTargets(s *service) []model.Diagnostic {
	var diagnostics []model.Diagnostic
	for _, p := range s.ports {
		lacking := slices.DeleteFunc(slices.Clone(s.pods), func(pod *pod) bool {
			_, ok := targetPort(pod.object, p.ServicePort)
			return ok
		})
		if len(lacking) > 0 {
			diagnostics = append(diagnostics, model.Note(model.NoTargetPort, p.at.At(p.at.Field+".targetPort"),
				fmt.Sprintf("port %d of service %s leads to a port named %s, which %s does not have",
					p.Port, s.id, p.TargetPort.StrVal, some(lacking))).Did("no endpoint of this port"))
		}
	}
	return diagnostics
}

// number is the port that clients call.
func (p port) number() uint16 { return uint16(p.Port) }

// servicePort is the unit of routing that the port is.
func (s *service) servicePort(p port) model.ServicePort {
	return model.ServicePort{Service: s.id, Port: p.number()}
}
