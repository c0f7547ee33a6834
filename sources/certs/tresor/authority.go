package tresor

import (
	"context"
	"crypto"
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
	signer  func() crypto.Signer
	keyBits int
	now     func() time.Time
}

func newAuthority(certificate *x509.Certificate, signer crypto.Signer, keyBits int, now func() time.Time) *Authority {
	return &Authority{
		certificate: certificate,
		trust:       pem.EncodeToMemory(&pem.Block{Type: certificateBlock, Bytes: certificate.Raw}),
		signer:      func() crypto.Signer { return signer },
		keyBits:     keyBits,
		now:         now,
	}
}

// Trust is the trust bundle in PEM: whoever holds it accepts every certificate that the authority issues.
func (a *Authority) Trust() []byte { return a.trust }

// skew is how much earlier than now certificates become valid, for clocks that are late.
const skew = 5 * time.Minute

// Issue makes a key, of the size that the authority was opened for, and a certificate for it whose only name is the identity's URI in the trust domain.
// It is valid for the given time from now on, but not longer than the authority. Everything returned is PEM.
func (a *Authority) Issue(_ context.Context, identity model.Identity, trustDomain string, validity time.Duration) (chain []byte, key interface{ PEM() []byte }, trust []byte, err error) {
	template, err := a.leaf(identity, trustDomain, validity)
	if err != nil {
		return nil, nil, nil, err
	}
	private, err := generate(a.keyBits)
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
		KeyUsage:     a.keyUsage(),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},

		BasicConstraintsValid: true,
	}, err
}

// keyUsage is what a leaf's key is used for. The suites of TLS 1.2 without Diffie-Hellman encrypt with an RSA key.
func (a *Authority) keyUsage() x509.KeyUsage {
	if a.keyBits == 0 {
		return x509.KeyUsageDigitalSignature
	}
	return x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
}
