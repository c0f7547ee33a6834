package sources

import (
	"fmt"
	"maps"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// sharePorts says which service ports each pod with a sidecar serves, on which port of its own. A sidecar understands
// a port in one way: where services differ in whether it is HTTP, HTTP wins, so that its rules cannot be walked
// around through the other service.
func sharePorts(services []*service) (shares, []model.Diagnostic) {
	all := shares{members: map[model.ProxyID][]model.Member{}, lost: map[loss]bool{}}
	var diagnostics []model.Diagnostic
	told := map[model.ServicePort]bool{}
	asked := askForPorts(services)
	for _, id := range slices.SortedFunc(maps.Keys(asked), model.ProxyID.Compare) {
		winners := httpByTarget(asked[id])
		for _, c := range asked[id] {
			winner, contested := winners[c.Target]
			if !contested || c.Protocol.IsHTTP() {
				all.members[id] = append(all.members[id], c.Member)
				continue
			}
			all.lost[loss{c.ServicePort, id}] = true
			if !told[c.ServicePort] {
				told[c.ServicePort] = true
				diagnostics = append(diagnostics, protocolConflict(c, winner, id))
			}
		}
		slices.SortFunc(all.members[id], model.Member.Compare)
	}
	return all, diagnostics
}

// shares are how the ports of pods are shared among services.
type shares struct {
	// members are by target port, then service port.
	members map[model.ProxyID][]model.Member
	// lost are the service ports that a pod does not serve, although it is selected.
	lost map[loss]bool
}

type loss struct {
	port model.ServicePort
	pod  model.ProxyID
}

// ask is a service port that wants a port of a pod.
type ask struct {
	model.Member
	at model.Ref
}

// askForPorts finds what services want of each pod with a sidecar, in order of the services.
func askForPorts(services []*service) map[model.ProxyID][]ask {
	asked := map[model.ProxyID][]ask{}
	for _, s := range services {
		for _, p := range s.ports {
			for _, pod := range s.pods {
				target, ok := targetPort(pod.object, p.ServicePort)
				if !ok || !pod.sidecar {
					continue
				}
				asked[pod.id] = append(asked[pod.id], ask{model.Member{
					ServicePort: s.servicePort(p), Target: target, Protocol: p.protocol, Headless: isHeadless(s.object),
				}, p.at})
			}
		}
	}
	return asked
}

// httpByTarget is the first HTTP service port at each port of a pod.
func httpByTarget(asked []ask) map[uint16]ask {
	first := map[uint16]ask{}
	for _, a := range asked {
		if _, ok := first[a.Target]; !ok && a.Protocol.IsHTTP() {
			first[a.Target] = a
		}
	}
	return first
}

func protocolConflict(loser, winner ask, pod model.ProxyID) model.Diagnostic {
	return model.Note(model.ProtocolConflict, loser.at,
		fmt.Sprintf("%s is %s and %s is %s, and both lead to port %d of pod %s",
			loser.ServicePort, loser.Protocol, winner.ServicePort, winner.Protocol, loser.Target, pod)).
		Did(fmt.Sprintf("HTTP wins: %s does not reach pods that also serve HTTP there", loser.ServicePort)).
		Mend("give both ports the same appProtocol, or different target ports")
}
