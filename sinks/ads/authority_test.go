package ads

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// authority is a certificate authority and its certificates, for one test.
type authority struct {
	t    testing.TB
	root *x509.Certificate
	key  *ecdsa.PrivateKey

	mu    sync.Mutex
	trust []byte
	pairs map[model.Identity]pair
	// asked counts how often a certificate was asked for; broken is what is said instead of one.
	asked  map[model.Identity]int
	broken map[model.Identity]error
}

type pair struct {
	chain []byte
	key   testKey
}

// testKey shows itself only when asked to.
type testKey struct{ pem func() []byte }

// PEM implements sinks.PrivateKey.
func (k testKey) PEM() []byte { return k.pem() }

var _ sinks.Credentials = (*authority)(nil)

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{
		t: t, root: root, key: key, trust: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pairs: map[model.Identity]pair{}, asked: map[model.Identity]int{}, broken: map[model.Identity]error{},
	}
}

// Certificate implements sinks.Credentials.
func (a *authority) Certificate(_ context.Context, identity model.Identity) ([]byte, sinks.PrivateKey, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[identity]++
	if err := a.broken[identity]; err != nil {
		return nil, nil, err
	}
	p, ok := a.pairs[identity]
	if !ok {
		p = a.issue(identity.URI(trustDomain), time.Now().Add(time.Hour))
		a.pairs[identity] = p
	}
	return p.chain, p.key, nil
}

// Trust implements sinks.Credentials.
func (a *authority) Trust() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.trust
}

// renew has the identity get another certificate.
func (a *authority) renew(identity model.Identity) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pairs, identity)
	delete(a.broken, identity)
}

func (a *authority) issue(uri string, until time.Time) pair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Error(err)
		return pair{}
	}
	name, err := url.Parse(uri)
	if err != nil {
		a.t.Error(err)
		return pair{}
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), URIs: []*url.URL{name}, NotBefore: until.Add(-2 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.root, &key.PublicKey, a.key)
	if err != nil {
		a.t.Error(err)
		return pair{}
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Error(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return pair{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), testKey{func() []byte { return text }}}
}

// client is the TLS configuration of a proxy with a certificate.
func (a *authority) client(p pair) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(a.Trust())
	c := &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots,
		// The server's name is a URI, which is compared by hand.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots})
			return err
		},
	}
	if p.chain != nil {
		certificate, err := tls.X509KeyPair(p.chain, p.key.PEM())
		if err != nil {
			a.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{certificate}
	}
	return c
}

// of is the certificate of an identity.
func (a *authority) of(identity model.Identity) pair {
	chain, key, err := a.Certificate(context.Background(), identity)
	if err != nil {
		a.t.Fatal(err)
	}
	return pair{chain, key.(testKey)}
}
