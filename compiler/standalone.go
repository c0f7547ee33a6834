package compiler

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"

	"github.com/flomesh-io/fsmc/model"
)

// The names of the files that a standalone configuration expects in its working folder.
const (
	CertificateFile = "./tls.crt"
	PrivateKeyFile  = "./tls.key"
	TrustFile       = "./ca.crt"
)

// Standalone is one proxy's whole configuration as one static bootstrap: routes and endpoints are in it, certificates
// are files beside it (CertificateFile, PrivateKeyFile, TrustFile). Nothing in it is watched. It is nil for a proxy
// that the output does not have.
func (o *Output) Standalone(id model.ProxyID) *bootstrapv3.Bootstrap {
	return nil
}
