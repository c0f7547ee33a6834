package compiler

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// claim asks for every address that a service port is called at, for one chain: its cluster IPs, or, if it is
// headless, the addresses of its pods, at the service's port and at the pod's own. It is true if it got one.
func (v *client) claim(u *upstream, chain string) bool {
	claimed := false
	for address := range u.service.Addresses.Values() {
		if v.families.includes(address) {
			claimed = v.claimAt(netip.AddrPortFrom(address, u.id.Port), destination{chain, u.servicePort, clusterAddress}) || claimed
		}
	}
	if !u.service.Headless {
		return claimed
	}
	rank := headlessAddress
	if u.service.Parent != (model.ServiceID{}) {
		rank = hostAddress
	}
	for e := range v.endpoints(u) {
		if !e.Sidecar {
			continue // called as it is, see addPlainCalls
		}
		d := destination{chain, u.servicePort, rank}
		claimed = v.claimAt(netip.AddrPortFrom(e.Address.Addr(), u.id.Port), d) || claimed
		claimed = v.claimAt(e.Address, d) || claimed
	}
	return claimed
}

// claimAt asks for one address and port. The better rank has it; of equal ranks, the service that precedes; of one
// service, the port of that number.
func (v *client) claimAt(at netip.AddrPort, d destination) bool {
	other, taken := v.destinations[at]
	switch {
	case !taken, d.rank < other.rank:
	case other.chain == d.chain:
		if d.rank == other.rank && d.owner.service.Precedes(other.owner.service) {
			v.destinations[at] = d // the oldest speaks for the chain
		}
		return true
	case d.rank > other.rank:
		return false
	case d.rank == podAddress:
		return false // any of the services leads to this very pod
	case other.owner.service == d.owner.service:
		if d.owner.id.Port != at.Port() {
			return false // of the ports of one service, the one that is called by this number comes first
		}
	case other.owner.service.Precedes(d.owner.service):
		v.noteShared(at, other, d)
		return false
	default:
		v.noteShared(at, d, other)
	}
	v.destinations[at] = d
	return true
}

func (v *client) noteShared(at netip.AddrPort, winner, loser destination) {
	code, mend := model.SharedAddress, "let only one headless service select these pods on this port"
	if winner.rank == clusterAddress {
		code, mend = model.OverlappingChain, "give each service a cluster IP of its own"
	}
	v.found.note(model.Note(code, loser.owner.service.From,
		fmt.Sprintf("service %s and service %s are both reached at %s", loser.owner.id, winner.owner.id, at)).
		Did(fmt.Sprintf("connections to it are handled as calls of %s", winner.owner.id)).Mend(mend))
}

// matcher is the listener's choice of chains, by what was claimed.
func (v *client) matcher() *part {
	var spec matcherSpec
	var list destinationsSpec
	all := slices.SortedFunc(maps.Keys(v.destinations), compareDestinations)
	for i, at := range all {
		list.Destinations = append(list.Destinations, destinationMatch{at.Addr().String(), v.destinations[at].chain})
		if i+1 == len(all) || all[i+1].Port() != at.Port() {
			spec.Ports = append(spec.Ports, portMatch{at.Port(), partOf(v.memo, list, buildDestinations)})
			list.Destinations = nil
		}
	}
	return partOf(v.memo, spec, buildMatcher)
}

func compareDestinations(a, b netip.AddrPort) int {
	if a.Port() != b.Port() {
		return cmp.Compare(a.Port(), b.Port())
	}
	return a.Addr().Compare(b.Addr())
}

// includes says whether an address can be used by a pod of these families.
func (f families) includes(address netip.Addr) bool {
	if address.Is4() {
		return f.V4
	}
	return f.V6
}
