package local

import "net/netip"

// The fabric's own addresses, which pods see as their gateway and name server.
var (
	gateway4 = netip.MustParseAddr("169.254.1.1")
	gateway6 = netip.MustParseAddr("fd66:736d::1")
	// nextHop6 is where pods send IPv6: an address on the link, as a gateway has to be.
	nextHop6 = netip.MustParseAddr("fe80::1")
)

// ControlPlanePort is where pods find the control plane, on either address of the fabric.
const ControlPlanePort = 15128

// ControlPlaneAddress is where sidecars find the control plane of Plan.ControlPlane; it is what their bootstraps have to
// name. Every pod has a way to the IPv4 address if it has an IPv4 address of its own.
func ControlPlaneAddress() netip.AddrPort { return netip.AddrPortFrom(gateway4, ControlPlanePort) }

// ControlPlaneAddress6 is ControlPlaneAddress for pods that have IPv6 addresses only.
func ControlPlaneAddress6() netip.AddrPort { return netip.AddrPortFrom(gateway6, ControlPlanePort) }
