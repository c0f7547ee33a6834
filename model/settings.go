package model

import "net/netip"

// Settings are what a MeshConfig sets for the whole mesh. The zero value is the safest: SMI mode, no way out.
type Settings struct {
	MeshName string `json:"meshName"`
	// TrustDomain is the host part of every identity's URI.
	TrustDomain string `json:"trustDomain"`
	// Permissive lets every proxy call every service; TrafficTargets are then not looked at.
	Permissive bool `json:"permissive"`
	// Egress passes connections to addresses outside the mesh through, untouched.
	Egress bool `json:"egress"`
	TLS    TLS  `json:"tls"`
	// HTTPClosed refuses every HTTP request at the server: a check was asked for that cannot be made.
	HTTPClosed   bool         `json:"httpClosed,omitempty"`
	Interception Interception `json:"interception,omitzero"`
	// Roots are the certificate authorities that are trusted, by name; none means one that the control plane keeps.
	Roots List[Root] `json:"roots,omitzero"`
	// ControlPlane is about the control plane itself.
	ControlPlane ControlPlane `json:"controlPlane,omitzero"`
	From         Ref          `json:"from,omitzero"`
}

// TLS is what both sides of a mesh connection may negotiate.
type TLS struct {
	// Minimum and Maximum are TLS versions, "1.2" or "1.3".
	Minimum string       `json:"minimum"`
	Maximum string       `json:"maximum"`
	Ciphers List[string] `json:"ciphers,omitzero"`
	Curves  List[string] `json:"curves,omitzero"`
}

// Interception says which traffic of a pod does not go through its sidecar. It takes effect when a pod starts.
type Interception struct {
	OutboundExcludedRanges List[netip.Prefix] `json:"outboundExcludedRanges,omitzero"`
	OutboundIncludedRanges List[netip.Prefix] `json:"outboundIncludedRanges,omitzero"`
	OutboundExcludedPorts  List[uint16]       `json:"outboundExcludedPorts,omitzero"`
	InboundExcludedPorts   List[uint16]       `json:"inboundExcludedPorts,omitzero"`
	ExcludedInterfaces     List[string]       `json:"excludedInterfaces,omitzero"`
}
