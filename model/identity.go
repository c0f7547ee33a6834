package model

import (
	"cmp"
	"fmt"
	"net/url"
)

// Identity is who a workload is: its Kubernetes ServiceAccount (SMI requirement A4).
// The zero value is nobody and matches nothing.
type Identity struct {
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
}

// URI is the SPIFFE ID that a certificate of this identity carries, and the only name that policy compares:
// spiffe://<trust domain>/ns/<namespace>/sa/<service account>.
func (i Identity) URI(trustDomain string) string {
	u := url.URL{Scheme: "spiffe", Host: trustDomain, Path: "/ns/" + i.Namespace + "/sa/" + i.ServiceAccount}
	return u.String()
}

// String is <namespace>/<service account>.
func (i Identity) String() string { return i.Namespace + "/" + i.ServiceAccount }

// Compare orders identities by namespace, then service account.
func (i Identity) Compare(j Identity) int {
	return cmp.Or(cmp.Compare(i.Namespace, j.Namespace), cmp.Compare(i.ServiceAccount, j.ServiceAccount))
}

// ServiceID names a service. A StatefulSet host is a service of its own, named <host>.<service>.
type ServiceID struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String is <namespace>/<name>.
func (s ServiceID) String() string { return s.Namespace + "/" + s.Name }

// Compare orders services by namespace, then name.
func (s ServiceID) Compare(t ServiceID) int {
	return cmp.Or(cmp.Compare(s.Namespace, t.Namespace), cmp.Compare(s.Name, t.Name))
}

// ServicePort is the unit of routing, splits and names: a service and the port number that clients call.
type ServicePort struct {
	Service ServiceID `json:"service"`
	Port    uint16    `json:"port"`
}

// String is <namespace>/<name>:<port>.
func (p ServicePort) String() string { return fmt.Sprintf("%s:%d", p.Service, p.Port) }

// Compare orders by service, then port.
func (p ServicePort) Compare(q ServicePort) int {
	return cmp.Or(p.Service.Compare(q.Service), cmp.Compare(p.Port, q.Port))
}

// ProxyID names a sidecar by its pod.
type ProxyID struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String is <namespace>/<pod>, which is also the node id of the Envoy.
func (p ProxyID) String() string { return p.Namespace + "/" + p.Name }

// Compare orders by namespace, then name.
func (p ProxyID) Compare(q ProxyID) int {
	return cmp.Or(cmp.Compare(p.Namespace, q.Namespace), cmp.Compare(p.Name, q.Name))
}
