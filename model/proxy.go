package model

import (
	"cmp"
	"net/netip"
)

// Proxy is one sidecar: a pod that has it, or that would get it.
type Proxy struct {
	ID        ProxyID          `json:"id"`
	Identity  Identity         `json:"identity"`
	Addresses List[netip.Addr] `json:"addresses"`
	// Members are the service ports that this pod serves, whether it is ready or not.
	Members List[Member] `json:"members,omitzero"`
	// Metrics opens the Prometheus listener (pod annotation prometheus.io/scrape).
	Metrics bool `json:"metrics,omitempty"`
	// Workload is what made the pod, e.g. Deployment bookstore/bookstore-v1; zero for a bare pod.
	Workload Ref `json:"workload,omitzero"`
	// Assumed is set when no cluster has made this pod yet.
	Assumed bool `json:"assumed,omitempty"`
	From    Ref  `json:"from"`
}

// Member says that a proxy serves a service port on a port of its pod. Services that StatefulSet hosts belong to stand
// for all their hosts, so that the ordinals of a StatefulSet have equal members.
type Member struct {
	ServicePort ServicePort `json:"servicePort"`
	Target      uint16      `json:"target"`
	Protocol    Protocol    `json:"protocol"`
	// Headless says that the pod also answers to names below the service's, such as mysql-0.mysql.
	Headless bool `json:"headless,omitempty"`
}

// Compare orders members by target port, then service port.
func (m Member) Compare(n Member) int {
	return cmp.Or(cmp.Compare(m.Target, n.Target), m.ServicePort.Compare(n.ServicePort))
}
