package inject

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// SidecarUser is the uid that the sidecar runs as: its own connections are not intercepted again. No application may
// use it.
const SidecarUser = 1500

// Rules are what iptables-restore --noflush and ip6tables-restore --noflush apply in a pod's network namespace. They
// bring what the application sends to the sidecar's outbound port, and what comes in to its inbound port. UDP is not
// touched.
type Rules struct {
	IPv4 string
	IPv6 string
	// DropIPv6 is for machines that cannot redirect IPv6: inbound TCP over IPv6 is then dropped, as it would reach the
	// application past its sidecar.
	DropIPv6 string
}

// Interception makes the rules of a pod.
func Interception(settings model.Interception) Rules {
	return Rules{
		IPv4:     table(settings, netip.Addr.Is4, "127.0.0.1/32"),
		IPv6:     table(settings, netip.Addr.Is6, "::1/128"),
		DropIPv6: dropInbound,
	}
}

const dropInbound = `*filter
-A INPUT ! -i lo -p tcp -j DROP
COMMIT
`

// The chains that the rules live in, beside those of the kernel.
const (
	inbound          = "FSM_PROXY_INBOUND"
	inboundRedirect  = "FSM_PROXY_IN_REDIRECT"
	outbound         = "FSM_PROXY_OUTBOUND"
	outboundRedirect = "FSM_PROXY_OUT_REDIRECT"
)

// ownPorts are reached past the sidecar's inbound listener: statistics and probes.
var ownPorts = []uint16{compiler.PrometheusPort, 15901, 15902, 15903, 15904}

func table(settings model.Interception, family func(netip.Addr) bool, loopback string) string {
	var b strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&b, format+"\n", values...) }
	line("*nat")
	for _, chain := range []string{inbound, inboundRedirect, outbound, outboundRedirect} {
		line(":%s - [0:0]", chain)
	}

	line("-A %s -p tcp -j REDIRECT --to-port %d", inboundRedirect, compiler.InboundPort)
	line("-A PREROUTING -p tcp -j %s", inbound)
	for i := range settings.ExcludedInterfaces.Values() {
		line("-A %s -i %s -j RETURN", inbound, i)
	}
	returnPorts(line, inbound, slices.Concat(ownPorts, slices.Collect(settings.InboundExcludedPorts.Values())))
	line("-A %s -p tcp -j %s", inbound, inboundRedirect)

	line("-A %s -p tcp -j REDIRECT --to-port %d", outboundRedirect, compiler.OutboundPort)
	line("-A OUTPUT -p tcp -j %s", outbound)
	// The sidecar calls its own pod by its address: that is a call like any other, and comes in through the front door.
	line("-A %s -o lo ! -d %s -m owner --uid-owner %d -j %s", outbound, loopback, SidecarUser, inboundRedirect)
	line("-A %s -o lo -m owner ! --uid-owner %d -j RETURN", outbound, SidecarUser)
	line("-A %s -m owner --uid-owner %d -j RETURN", outbound, SidecarUser)
	line("-A %s -d %s -j RETURN", outbound, loopback)
	for i := range settings.ExcludedInterfaces.Values() {
		line("-A %s -o %s -j RETURN", outbound, i)
	}
	for _, r := range ranges(settings.OutboundExcludedRanges, family) {
		line("-A %s -d %s -j RETURN", outbound, r)
	}
	returnPorts(line, outbound, slices.Collect(settings.OutboundExcludedPorts.Values()))
	if settings.OutboundIncludedRanges.Len() > 0 {
		for _, r := range ranges(settings.OutboundIncludedRanges, family) {
			line("-A %s -d %s -j %s", outbound, r, outboundRedirect)
		}
		line("-A %s -j RETURN", outbound)
	} else {
		line("-A %s -j %s", outbound, outboundRedirect)
	}
	line("COMMIT")
	return b.String()
}

// returnPorts leaves ports alone, in groups, as one multiport match takes at most 15.
func returnPorts(line func(string, ...any), chain string, ports []uint16) {
	const most = 15
	for group := range slices.Chunk(ports, most) {
		words := make([]string, len(group))
		for i, p := range group {
			words[i] = fmt.Sprint(p)
		}
		line("-A %s -p tcp -m multiport --dports %s -j RETURN", chain, strings.Join(words, ","))
	}
}

func ranges(list model.List[netip.Prefix], family func(netip.Addr) bool) []netip.Prefix {
	var kept []netip.Prefix
	for p := range list.Values() {
		if family(p.Addr()) {
			kept = append(kept, p)
		}
	}
	return kept
}
