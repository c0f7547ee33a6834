package sources

import (
	"fmt"
	"iter"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// sharesInput is the services, in order, and all pods.
type sharesInput struct {
	services []*service
	pods     *pods
}

// shares are how the ports of pods are shared among services.
type shares struct {
	// of are the shares of all pods, in their order; nil for those that serve nothing.
	of []*portShare
	// lost are the pods, in order, that do not serve a port of a service although they are selected.
	lost  map[model.ServiceID][]loss
	notes []model.Diagnostic

	pods      []*pod
	services  []*service
	selecting [][]*service
}

type loss struct {
	port model.ServicePort
	pod  model.ProxyID
}

// sharePorts says which service ports each pod with a sidecar serves.
func sharePorts(in sharesInput, before *shares) *shares {
	if before == nil {
		before = &shares{}
	}
	all := &shares{
		of: make([]*portShare, len(in.pods.all)), lost: map[model.ServiceID][]loss{},
		pods: in.pods.all, services: in.services,
	}
	told := map[model.ServicePort]bool{}
	was := counterparts(before.pods, in.pods.all)
	all.selecting = before.selectingNow(in, was)
	for i, p := range in.pods.all {
		if !p.sidecar || len(all.selecting[i]) == 0 {
			continue
		}
		all.of[i] = before.share(int(was[i]), shareInput{p, all.selecting[i]})
		for _, c := range all.of[i].conflicts {
			all.lost[c.port.Service] = append(all.lost[c.port.Service], loss{c.port, p.id})
			if !told[c.port] {
				told[c.port] = true
				all.notes = append(all.notes, c.note)
			}
		}
	}
	return all
}

// share is what the pod at an index served before, if it was made of the same, else what is made now.
func (s *shares) share(was int, in shareInput) *portShare {
	if was < 0 || s.of[was] == nil {
		return sharePod(in, nil)
	}
	if slices.Equal(s.selecting[was], in.services) {
		return s.of[was]
	}
	return sharePod(in, s.of[was])
}

// selectingNow are the services that select each pod, in order; was says where pods stood before. A service that selects
// another pod than before is another service, so that only those pods are looked at which one of these has or had.
func (s *shares) selectingNow(in sharesInput, was []int32) [][]*service {
	gone, come := exchange(s.services, in.services)
	if s.selecting == nil || len(gone)+len(come) > few {
		return selectingServices(in)
	}
	selecting := make([][]*service, len(in.pods.all))
	for i, j := range was {
		if j >= 0 {
			selecting[i] = s.selecting[j]
		}
	}
	for _, other := range gone {
		for i := range in.pods.placesOf(other.pods) {
			selecting[i] = slices.DeleteFunc(slices.Clone(selecting[i]), func(s *service) bool { return s == other })
		}
	}
	for _, other := range come {
		for i := range in.pods.placesOf(other.pods) {
			at, _ := slices.BinarySearchFunc(selecting[i], other.id, func(s *service, id model.ServiceID) int { return s.id.Compare(id) })
			selecting[i] = slices.Insert(slices.Clip(selecting[i]), at, other)
		}
	}
	return selecting
}

// placesOf iterates over where some pods stand among all; those that are not there are passed over.
func (p *pods) placesOf(some []*pod) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, q := range some {
			i, _ := slices.BinarySearchFunc(p.all, q.id, func(p *pod, id model.ProxyID) int { return p.id.Compare(id) })
			if i < len(p.all) && p.all[i] == q && !yield(i) {
				return
			}
		}
	}
}

// selectingServices are the services that select each pod, in order, for each pod with a sidecar.
func selectingServices(in sharesInput) [][]*service {
	index := make(map[*pod]int, len(in.pods.all))
	for i, p := range in.pods.all {
		index[p] = i
	}
	counts, total := make([]int, len(in.pods.all)), 0
	for _, s := range in.services {
		for _, p := range s.pods {
			counts[index[p]]++
		}
		total += len(s.pods)
	}
	selecting, room := make([][]*service, len(in.pods.all)), make([]*service, total)
	for i, n := range counts {
		selecting[i], room = room[:0:n], room[n:]
	}
	for _, s := range in.services {
		for _, p := range s.pods {
			i := index[p]
			selecting[i] = append(selecting[i], s)
		}
	}
	return selecting
}

// shareInput is a pod with a sidecar and the services that select it, in order.
type shareInput struct {
	pod      *pod
	services []*service
}

// portShare is what a pod serves.
type portShare struct {
	// members are by target port, then service port.
	members   []model.Member
	conflicts []portConflict
}

// portConflict is a service port that the pod does not serve, although it is selected.
type portConflict struct {
	port model.ServicePort
	note model.Diagnostic
}

// sharePod says which service ports a pod serves, on which port of its own. A sidecar understands
// a port in one way: where services differ in whether it is HTTP, HTTP wins, so that its rules cannot be walked
// around through the other service.
func sharePod(in shareInput, before *portShare) *portShare {
	shared := &portShare{}
	asked := askForPorts(in)
	winners := httpByTarget(asked)
	for _, c := range asked {
		winner, contested := winners[c.Target]
		if !contested || c.Protocol.IsHTTP() {
			shared.members = append(shared.members, c.Member)
			continue
		}
		shared.conflicts = append(shared.conflicts, portConflict{c.ServicePort, protocolConflict(c, winner, in.pod.id)})
	}
	slices.SortFunc(shared.members, model.Member.Compare)
	return kept(before, shared)
}

// ask is a service port that wants a port of a pod.
type ask struct {
	model.Member
	at model.Ref
}

// askForPorts finds what services want of a pod, in order of the services.
func askForPorts(in shareInput) []ask {
	var asked []ask
	for _, s := range in.services {
		for _, p := range s.ports {
			if target, ok := targetPort(in.pod.object, p.ServicePort); ok {
				asked = append(asked, ask{model.Member{
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
