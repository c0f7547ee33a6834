package model

import (
	"cmp"
	"net/netip"
	"time"
)

// Service is a name that clients in the mesh call.
type Service struct {
	ID ServiceID `json:"id"`
	// Parent is the headless service that this StatefulSet host belongs to; zero for every other service.
	Parent ServiceID `json:"parent,omitzero"`
	// Addresses are the cluster IPs; empty for a headless service, whose endpoints are called by their own addresses.
	Addresses List[netip.Addr] `json:"addresses,omitzero"`
	Headless  bool             `json:"headless,omitempty"`
	// ExternalName is the DNS name that this service is an alias of (Service type ExternalName). Such a service has no
	// addresses and no endpoints; the mesh does not route it.
	ExternalName string     `json:"externalName,omitempty"`
	Ports        List[Port] `json:"ports,omitzero"`
	// Assumed is set when the addresses were made up because no cluster has assigned them yet.
	Assumed bool `json:"assumed,omitempty"`
	// Created is when the cluster made the service, to the second in UTC; zero when no cluster has.
	Created time.Time `json:"created,omitzero"`
	From    Ref       `json:"from"`
}

// Precedes says which of two services wins a conflict: the older one, where no time counts as youngest, then the first
// by namespace and name.
func (s *Service) Precedes(t *Service) bool {
	return precedence(s.Created, t.Created, s.ID.Compare(t.ID)) < 0
}

// precedence is negative when the first of two wins; names decides between equal times.
func precedence(first, second time.Time, names int) int {
	switch {
	case first.IsZero() != second.IsZero():
		return cmp.Compare(boolRank(first.IsZero()), boolRank(second.IsZero()))
	default:
		return cmp.Or(first.Compare(second), names)
	}
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Port finds a port by its number.
func (s *Service) Port(number uint16) (Port, bool) {
	for p := range s.Ports.Values() {
		if p.Number == number {
			return p, true
		}
	}
	return Port{}, false
}

// Port is one port of a service, with what answers behind it.
type Port struct {
	Number    uint16         `json:"number"`
	Name      string         `json:"name,omitempty"`
	Protocol  Protocol       `json:"protocol"`
	Endpoints List[Endpoint] `json:"endpoints,omitzero"`
}

// Endpoint is one address that answers for a service port now: ready as Kubernetes defines it. The port is the
// endpoint's own, for named target ports differ between pods.
type Endpoint struct {
	Address netip.AddrPort `json:"address"`
	// Proxy is the pod behind the address; zero when it is not known to be a pod.
	Proxy ProxyID `json:"pod,omitzero"`
	// Identity is the pod's; zero when unknown.
	Identity Identity `json:"identity,omitzero"`
	// Sidecar says that the pod has our sidecar, and is therefore always called with mTLS.
	Sidecar bool   `json:"sidecar,omitempty"`
	Zone    string `json:"zone,omitempty"`
}

// Protocol is what is spoken on a service port.
type Protocol string

// The protocols that a port can have. All of the HTTP family are carried alike; the names tell what was written.
const (
	HTTP           Protocol = "http"
	H2C            Protocol = "h2c"
	GRPC           Protocol = "grpc"
	TCP            Protocol = "tcp"
	TCPServerFirst Protocol = "tcp-server-first"
	// TLSPassthrough is the application's own TLS, passed through untouched inside the mesh's mTLS.
	TLSPassthrough Protocol = "tls"
)

// IsHTTP says whether requests on the port are understood, routed and checked one by one.
func (p Protocol) IsHTTP() bool { return p == HTTP || p == H2C || p == GRPC }
