package sinks

import (
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// ProxyStatus is how far a connected proxy is. Times are in UTC.
type ProxyStatus struct {
	ID       model.ProxyID  `json:"id"`
	Identity model.Identity `json:"identity"`
	// Class is the name of the class whose configuration it gets; empty when the mesh does not have the proxy.
	Class string `json:"class,omitempty"`
	// Protocol is delta or state-of-the-world.
	Protocol string    `json:"protocol"`
	Since    time.Time `json:"since"`
	// Settled says that it has acknowledged everything that it is to have.
	Settled bool         `json:"settled"`
	Types   []TypeStatus `json:"types"`
}

// TypeStatus is how far a proxy is with one type of resources.
type TypeStatus struct {
	// Type is clusters, endpoints, routes, listeners or secrets.
	Type string `json:"type"`
	// Differences are the resources that are not settled; all others are, Settled of them.
	Settled     int          `json:"settled"`
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is a resource of which the proxy has another version than it is to have. Versions are empty when there is
// none.
type Difference struct {
	Name         string `json:"name"`
	Wanted       string `json:"wanted,omitempty"`
	Sent         string `json:"sent,omitempty"`
	Acknowledged string `json:"acknowledged,omitempty"`
	// Rejected is what the proxy said when it did not take the version that was sent.
	Rejected string `json:"rejected,omitempty"`
	// From is where the resource was written.
	From []model.Ref `json:"from,omitempty"`
}

// CertificateStatus is a certificate in use, without its key.
type CertificateStatus struct {
	Identity  model.Identity `json:"identity"`
	URI       string         `json:"uri"`
	Serial    string         `json:"serial"`
	Issuer    string         `json:"issuer"`
	NotBefore time.Time      `json:"notBefore"`
	NotAfter  time.Time      `json:"notAfter"`
	// Renewal is when it will be renewed.
	Renewal time.Time `json:"renewal,omitzero"`
}
