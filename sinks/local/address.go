package local

import "net/netip"

// The fabric's own addresses, which pods see as their gateway and name server.
var (
	gateway4 = netip.MustParseAddr("169.254.1.1")
	gateway6 = netip.MustParseAddr("fd66:736d::1")
	// nextHop6 is where pods send IPv6: an address on the link, as a gateway has to be.
	nextHop6 = netip.MustParseAddr("fe80::1")
)
