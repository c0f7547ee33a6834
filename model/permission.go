package model

import "slices"

// Permission is what one TrafficTarget allows. Permissions are a union: a request is allowed if one of them allows it.
type Permission struct {
	// Namespace and Name are the TrafficTarget's; RBAC policies are named <namespace>/<name>.
	Namespace   string         `json:"namespace"`
	Name        string         `json:"name"`
	Destination Identity       `json:"destination"`
	Sources     List[Identity] `json:"sources"`
	// HTTP is what is admitted at ports that speak HTTP.
	HTTP HTTPGrant `json:"http,omitzero"`
	// TCP is the set of pod ports that do not speak HTTP at which connections are admitted.
	TCP  PortSet `json:"tcp,omitzero"`
	From Ref     `json:"from"`
}

// String is <namespace>/<name>.
func (p *Permission) String() string { return p.Namespace + "/" + p.Name }

// HTTPGrant admits requests at pod ports: both must hold. The zero value admits nothing.
type HTTPGrant struct {
	Ports    PortSet  `json:"ports,omitzero"`
	Requests Requests `json:"requests,omitzero"`
}

// PortSet is a set of pod ports. The zero value is no port; all ports are written out as All.
type PortSet struct {
	All   bool         `json:"all,omitempty"`
	Ports List[uint16] `json:"ports,omitzero"`
}

// AllPorts is the set of every port.
var AllPorts = PortSet{All: true}

// Contains says whether the port is in the set.
func (s PortSet) Contains(port uint16) bool { return s.All || Contains(s.Ports, port) }

// IsZero says whether no port is in the set.
func (s PortSet) IsZero() bool { return !s.All && s.Ports.Len() == 0 }

// Requests is a set of HTTP requests: every one (All), or those that one of Matches accepts. The zero value is none.
type Requests struct {
	All     bool        `json:"all,omitempty"`
	Matches List[Match] `json:"matches,omitzero"`
}

// AllRequests is the set of every request.
var AllRequests = Requests{All: true}

// IsZero says whether no request is in the set.
func (r Requests) IsZero() bool {
	return !r.All && !slices.ContainsFunc(r.Matches.items, func(m Match) bool { return !m.IsZero() })
}

// Match accepts a request whose path, method and headers all fit (SMI S5). The zero value accepts none.
type Match struct {
	// Path is an RE2 expression for the whole path without the query; ".*" is any path.
	Path string `json:"path"`
	// Methods are upper-case HTTP methods; AnyMethod says that all are accepted.
	Methods   List[string] `json:"methods,omitzero"`
	AnyMethod bool         `json:"anyMethod,omitempty"`
	// Headers must all be there, with one value that fits.
	Headers List[Header] `json:"headers,omitzero"`
}

// IsZero says whether no request fits: each has a path and a method.
func (m Match) IsZero() bool { return m.Path == "" || !m.AnyMethod && m.Methods.Len() == 0 }

// Header accepts a request that has the header with a value that Value, an RE2 expression, matches in full. Name is
// lower case; the pseudo header :authority stands for Host.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}
