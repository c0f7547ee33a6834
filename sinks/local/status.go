package local

import (
	"net/netip"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// Status is how a pod of a running mesh is.
type Status struct {
	Namespace string         `json:"namespace"`
	Pod       string         `json:"pod"`
	Workload  string         `json:"workload"`
	Identity  model.Identity `json:"identity"`
	Addresses []netip.Addr   `json:"addresses"`
	Ports     []uint16       `json:"ports,omitempty"`
	// Sidecar is none, ready, not ready, or how it ended.
	Sidecar string `json:"sidecar"`
	// Configured is when the sidecar last took configuration, from its file or from a control plane, as far as it says so;
	// zero when there is none.
	Configured time.Time `json:"configured,omitzero"`
	// Restarts is how often the sidecar was started again after it had ended by itself.
	Restarts int `json:"restarts,omitempty"`
	// Application is echo server, running, or how the command ended.
	Application string `json:"application"`
	// Log is the sidecar's log, ApplicationLog the command's; empty when there is none.
	Log            string `json:"log,omitempty"`
	ApplicationLog string `json:"applicationLog,omitempty"`
}

// The words of a Status.
const (
	NoSidecar  = "none"
	Ready      = "ready"
	NotReady   = "not ready"
	EchoServer = "echo server"
	Running    = "running"
)

// Execution is a program to run in a pod.
type Execution struct {
	Namespace, Pod string
	// Arguments begin with the program's name.
	Arguments []string
	// Environment is added to what the pod has.
	Environment []string
	// Folder is the working folder.
	Folder string
}
