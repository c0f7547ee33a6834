package tresor

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// Authority is a certificate authority. It can be used from several goroutines.
type Authority struct {
	certificate *x509.Certificate
	trust       []byte
	// signer gives out the authority's private key. It is a function so that no printer can find the key in it.
	signer func() crypto.Signer
	now    func() time.Time
}

// Open reads the authority that is kept in a folder, as ca.crt and ca.key, and creates it there if there is none. The
// private key file is readable by its owner only. Several processes may open a new folder at once: they agree on one
// authority. What is there and cannot be used is an error, and is never replaced: every certificate in the mesh hangs
// on it.
func Open(folder string, now func() time.Time) (*Authority, error) {
	signer, err := openKey(folder)
	if err != nil {
		return nil, err
	}
	certificate, err := openCertificate(folder, signer, now())
	if err != nil {
		return nil, err
	}
	return &Authority{
		certificate: certificate,
		trust:       pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: certificate.Raw}),
		signer:      func() crypto.Signer { return signer },
		now:         now,
	}, nil
}

// Trust is the trust bundle in PEM: whoever holds it accepts every certificate that the authority issues.
func (a *Authority) Trust() []byte { return a.trust }

// skew is how much earlier than now certificates become valid, for clocks that are late.
const skew = 5 * time.Minute

// Issue makes an ECDSA P-256 key and a certificate for it whose only name is the identity's URI in the trust domain.
// It is valid for the given time from now on, but not longer than the authority. Everything returned is PEM.
func (a *Authority) Issue(_ context.Context, identity model.Identity, trustDomain string, validity time.Duration) (chain []byte, key interface{ PEM() []byte }, trust []byte, err error) {
	template, err := a.leaf(identity, trustDomain, validity)
	if err != nil {
		return nil, nil, nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make a key for %s: %w", identity, err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.signer())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("certify %s: %w", identity, err)
	}
	secret, err := keyOf(private)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("certify %s: %w", identity, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: der}), secret, a.trust, nil
}

// leaf is what a certificate says. It has neither subject nor DNS names: Envoy would compare policies with them too.
func (a *Authority) leaf(identity model.Identity, trustDomain string, validity time.Duration) (*x509.Certificate, error) {
	if identity.Namespace == "" || identity.ServiceAccount == "" || trustDomain == "" {
		return nil, fmt.Errorf("certify %q in trust domain %q: a name is missing", identity, trustDomain)
	}
	uri, err := url.Parse(identity.URI(trustDomain))
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", identity, err)
	}
	now := a.now()
	notAfter := now.Add(validity)
	if notAfter.After(a.certificate.NotAfter) {
		notAfter = a.certificate.NotAfter
	}
	if !notAfter.After(now) {
		return nil, fmt.Errorf("certify %s: the authority's own certificate expired at %s", identity, date(a.certificate.NotAfter))
	}
	serial, err := newSerial()
	return &x509.Certificate{
		SerialNumber: serial,
		URIs:         []*url.URL{uri},
		NotBefore:    now.Add(-skew),
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},

		BasicConstraintsValid: true,
	}, err
}
