package sinks

import (
	"context"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// Sink brings a snapshot to where it takes effect. Publishing the same snapshot again changes nothing.
type Sink interface {
	Publish(ctx context.Context, snapshot Snapshot) error
}

// Snapshot is the mesh at one moment, what it compiles to, and what was found on the way.
type Snapshot struct {
	Mesh   *model.Mesh
	Output *compiler.Output
	// Diagnostics are in their one order (model.SortDiagnostics).
	Diagnostics []model.Diagnostic
}

// Issuer certifies identities.
type Issuer interface {
	// Issue makes a new key for the identity and a certificate of it that is valid for the given time, or shorter
	// where the authority itself ends sooner. Its only name is identity.URI(trustDomain). The chain (leaf first) and
	// the trust bundle are PEM.
	Issue(ctx context.Context, identity model.Identity, trustDomain string, validity time.Duration) (chain []byte, key PrivateKey, trust []byte, err error)
}

// PrivateKey is a private key that shows itself only when asked to, by PEM (PKCS #8). It is an alias of an unnamed
// type, so that an issuer can return one without importing this package.
type PrivateKey = interface{ PEM() []byte }

// Credentials are the certificates of a mesh, as they are at this moment. They can be used from several goroutines.
type Credentials interface {
	// Certificate is the certificate of an identity in PEM, leaf first, and its key. It is issued when it is first asked
	// for, and the same until it is renewed.
	Certificate(ctx context.Context, identity model.Identity) (chain []byte, key PrivateKey, err error)
	// Trust is the trust bundle in PEM: one root or several.
	Trust() []byte
}
