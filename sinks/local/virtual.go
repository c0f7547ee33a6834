package local

import (
	"fmt"
	"net/netip"
	"strings"
)

// virtualRules are what iptables-restore and ip6tables-restore apply in the fabric: a connection to a virtual address
// goes to one of its endpoints, each with the same probability. What has no endpoint is not mentioned, and is refused by
// the fabric, whose own the address is.
func virtualRules(virtuals []Virtual) (ipv4, ipv6 string) {
	return virtualTable(virtuals, netip.Addr.Is4, gateway4), virtualTable(virtuals, netip.Addr.Is6, gateway6)
}

func virtualTable(virtuals []Virtual, family func(netip.Addr) bool, gateway netip.Addr) string {
	const chain, hairpin = "FSM_VIRTUAL", "FSM_HAIRPIN"
	var b strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&b, format+"\n", values...) }
	line("*nat")
	line(":%s - [0:0]", chain)
	line(":%s - [0:0]", hairpin)
	line("-A PREROUTING -j %s", chain)
	line("-A POSTROUTING -j %s", hairpin)
	seen := map[netip.Addr]bool{}
	var hairpins []netip.Addr
	for _, v := range virtuals {
		if !family(v.Address.Addr()) {
			continue
		}
		for i, e := range v.Endpoints {
			// The rules are asked in turn: the first takes 1 of n, the second 1 of the n-1 that are left, and so on.
			share := ""
			if left := len(v.Endpoints) - i; left > 1 {
				share = fmt.Sprintf(" -m statistic --mode random --probability %.10f", 1/float64(left))
			}
			line("-A %s -d %s -p tcp --dport %d%s -j DNAT --to-destination %s", chain, v.Address.Addr(), v.Address.Port(), share, e)
			if !seen[e.Addr()] {
				seen[e.Addr()] = true
				hairpins = append(hairpins, e.Addr())
			}
		}
	}
	// A pod that is led to itself would not take a packet that comes in from its own address.
	for _, address := range hairpins {
		line("-A %s -s %s -d %s -j SNAT --to-source %s", hairpin, address, address, gateway)
	}
	line("COMMIT")
	return b.String()
}
