package sources

import (
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// asked are the names by which addresses are asked for.
type asked struct {
	pods, services []string
	// dual is set when some service is more than IPv4; both are then those that need an IPv6 address, pods and services.
	dual bool
	both []string
}

func (a *asked) add(n serviceNeeds) {
	a.dual = a.dual || n.ipv6
	if n.name != "" && n.ipv4 {
		a.services = append(a.services, n.name)
	}
	if n.name != "" && n.ipv6 {
		a.both = append(a.both, n.name)
	}
}

func (a asked) nothing() bool { return len(a.pods)+len(a.services)+len(a.both) == 0 }

// assignments are the addresses that were assigned, in each range by itself: addresses of two ranges never meet.
type assignments struct {
	pods, services, both stage[assignment, map[string]netip.Addr]
}

// assignment is what asks for addresses of a range, in any order, and what is taken there.
type assignment struct {
	from  netip.Prefix
	names []string
	taken []netip.Addr
}

func (a assignments) again(asked asked, taken []netip.Addr) assignments {
	both := asked.both
	if asked.dual {
		both = slices.Concat(asked.pods, asked.both)
	}
	return assignments{
		pods:     a.pods.again(assignment{podRange, asked.pods, inRange(podRange, taken)}, assignNames),
		services: a.services.again(assignment{serviceRange, asked.services, inRange(serviceRange, taken)}, assignNames),
		both:     a.both.again(assignment{ipv6Range, both, inRange(ipv6Range, taken)}, assignNames),
	}
}

// podsIn6 are the IPv6 addresses as pods get them.
func (a assignments) podsIn6(asked asked) map[string]netip.Addr {
	if !asked.dual {
		return nil
	}
	return a.both.out
}

// of is the service with its addresses.
func (a assignments) of(s *corev1.Service, n serviceNeeds) serviceAddress {
	given := serviceAddress{service: s}
	if n.name == "" {
		return given
	}
	if n.ipv4 {
		given.ipv4 = a.services.out[n.name]
	}
	if n.ipv6 {
		given.ipv6 = a.both.out[n.name]
	}
	return given
}

func inRange(from netip.Prefix, addresses []netip.Addr) []netip.Addr {
	var found []netip.Addr
	for _, address := range addresses {
		if from.Contains(address) {
			found = append(found, address)
		}
	}
	return found
}

// assignNames gives each name an address.
func assignNames(in assignment, _ map[string]netip.Addr) map[string]netip.Addr {
	taken := make(map[netip.Addr]bool, len(in.names)+len(in.taken))
	for _, address := range in.taken {
		taken[address] = true
	}
	return assign(in.from, in.names, taken)
}
