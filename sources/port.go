package sources

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/flomesh-io/fsmc/model"
)

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

// port is a port of a service.
type port struct {
	corev1.ServicePort
	protocol model.Protocol
	// at is where it was written.
	at model.Ref
}

// number is the port that clients call.
func (p port) number() uint16 { return uint16(p.Port) }

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
