package local

import (
	"net/netip"

	"github.com/flomesh-io/fsmc/model"
)

// Plan is what shall run: plain data, made by whoever knows the manifests.
type Plan struct {
	// Folder is the tree that the disk sink wrote: sidecars run in proxies/<namespace>/<pod>.
	Folder string
	// Envoy is the path of the Envoy binary.
	Envoy string
	Pods  []Pod
	// Addresses are virtual: connections to one go to one of its endpoints, as kube-proxy would do it.
	Addresses []Virtual
	// Names are what DNS answers: a full name, such as web.shop.svc.cluster.local, and its addresses.
	Names []Name
	// Interception is which traffic of every pod does not go through its sidecar.
	Interception model.Interception
	// ControlPlane is the path of a Unix socket of this machine at which somebody serves ADS; empty for none. Pods reach
	// it at ControlPlaneAddress. Nobody has to be there all the time.
	ControlPlane string
}

// Pod is one pod. Its first address of each family is the one that it calls others from.
type Pod struct {
	Namespace string
	Name      string
	// Workload is the name that the pod answers with: its Deployment's, StatefulSet's and so on, or its own.
	Workload string
	// Origin is where the pod was written, in words, such as Deployment bookstore/bookstore-v1, apps.yaml:129.
	Origin    string
	Identity  model.Identity
	Addresses []netip.Addr
	// Sidecar says that an Envoy runs beside the application.
	Sidecar bool
	// Ports are those on which the built-in echo server listens, unless there is a Command.
	Ports []Port
	// Command runs in place of the echo server, with Environment added to what it gets; empty for none.
	Command     []string
	Environment []string
}

// String is <namespace>/<name>.
func (p Pod) String() string { return p.Namespace + "/" + p.Name }

// id tells pods apart.
func (p Pod) id() model.ProxyID { return model.ProxyID{Namespace: p.Namespace, Name: p.Name} }

// Port is a port of the application and what is spoken on it.
type Port struct {
	Number   uint16
	Protocol model.Protocol
}

// Virtual is a cluster IP and port, and what is behind it.
type Virtual struct {
	Address   netip.AddrPort
	Endpoints []netip.AddrPort
}

// Name is a DNS name and its addresses.
type Name struct {
	Name      string
	Addresses []netip.Addr
}
