package ads

import (
	"context"
	"crypto/x509"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"github.com/flomesh-io/fsmc/model"
)

// Authenticator finds out who has opened a stream, from the connection and the metadata that are in the context of the
// call. What it says bounds which proxies the stream may be for. An error refuses the stream, and its text is told to the
// other side.
type Authenticator interface {
	Authenticate(ctx context.Context) (model.Identity, error)
}

// CertificateURI authenticates by the client certificate of the connection, which TLS has verified: it has one URI and no
// other, which names an identity of one of the trust domains.
func CertificateURI(trustDomains ...string) Authenticator {
	return certificateURI(func() []string { return trustDomains })
}

type certificateURI func() []string

// Authenticate implements Authenticator.
func (domains certificateURI) Authenticate(ctx context.Context) (model.Identity, error) {
	leaf := peerCertificate(ctx)
	if leaf == nil {
		return model.Identity{}, refuse(codes.Unauthenticated, "no-certificate", "the connection has no verified client certificate")
	}
	if len(leaf.URIs) != 1 {
		return model.Identity{}, refuse(codes.Unauthenticated, "certificate-names", "the client certificate has %d URIs and must have one", len(leaf.URIs))
	}
	uri := leaf.URIs[0].String()
	for _, domain := range domains() {
		if identity, ok := identityOf(uri, domain); ok {
			return identity, nil
		}
	}
	return model.Identity{}, refuse(codes.Unauthenticated, "trust-domain", "%q is no identity of the trust domain %s", uri, strings.Join(domains(), ", "))
}

// identityOf is the identity that a URI names; it is the inverse of Identity.URI and accepts nothing else.
func identityOf(uri, trustDomain string) (model.Identity, bool) {
	path, ok := strings.CutPrefix(uri, "spiffe://"+trustDomain+"/ns/")
	if !ok {
		return model.Identity{}, false
	}
	namespace, account, ok := strings.Cut(path, "/sa/")
	identity := model.Identity{Namespace: namespace, ServiceAccount: account}
	if !ok || namespace == "" || account == "" || strings.Contains(namespace+account, "/") || identity.URI(trustDomain) != uri {
		return model.Identity{}, false
	}
	return identity, true
}

// peerCertificate is the client certificate that TLS has verified; nil if there is none.
func peerCertificate(ctx context.Context) *x509.Certificate {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 || len(info.State.VerifiedChains[0]) == 0 {
		return nil
	}
	return info.State.VerifiedChains[0][0]
}

// proxyOf is the proxy that a node id names.
func proxyOf(node string) (model.ProxyID, error) {
	namespace, name, ok := strings.Cut(node, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") || len(node) > 512 {
		return model.ProxyID{}, refuse(codes.InvalidArgument, "node-id", "the node id has to be <namespace>/<pod>")
	}
	return model.ProxyID{Namespace: namespace, Name: name}, nil
}
