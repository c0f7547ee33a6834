package disk

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

func TestCertificatesAreKeptAndRenewed(t *testing.T) {
	const validity = 24 * time.Hour
	lifetime := validity + testSkew
	tests := []struct {
		name  string
		later time.Duration
		edit  func(t *testing.T, folder string, c *Credentials)
		want  bool
	}{
		{name: "at once", want: false},
		{name: "just before a third is left", later: validity - lifetime/3 - time.Second, want: false},
		{name: "when a third is left", later: validity - lifetime/3, want: true},
		{name: "after the end", later: 30 * time.Hour, want: true},
		{name: "before the beginning", later: -time.Hour, want: true},
		{name: "another authority", want: true, edit: func(t *testing.T, _ string, c *Credentials) { *c = *newCredentials(t) }},
		{name: "the key is missing", want: true, edit: func(t *testing.T, folder string, _ *Credentials) { drop(t, folder, "tls.key") }},
		{name: "the certificate is missing", want: true, edit: func(t *testing.T, folder string, _ *Credentials) { drop(t, folder, "tls.crt") }},
		{name: "the trust bundle is missing", want: true, edit: func(t *testing.T, folder string, _ *Credentials) { drop(t, folder, "ca.crt") }},
		{name: "the key is another's", want: true, edit: func(t *testing.T, folder string, c *Credentials) {
			_, key, _, _ := c.Issuer.Issue(t.Context(), model.Identity{Namespace: "shop", ServiceAccount: "client"}, "cluster.local", validity)
			overwrite(t, folder, "tls.key", key.PEM(), 0o600)
		}},
		{name: "the certificate is another identity's", want: true, edit: func(t *testing.T, folder string, c *Credentials) {
			forge(t, folder, c, model.Identity{Namespace: "shop", ServiceAccount: "server"}, "cluster.local")
		}},
		{name: "the certificate is of another trust domain", want: true, edit: func(t *testing.T, folder string, c *Credentials) {
			forge(t, folder, c, model.Identity{Namespace: "shop", ServiceAccount: "client"}, "example.org")
		}},
		{name: "the certificate is another authority's", want: true, edit: func(t *testing.T, folder string, c *Credentials) {
			trust := c.Trust
			forge(t, folder, newCredentials(t), model.Identity{Namespace: "shop", ServiceAccount: "client"}, "cluster.local")
			overwrite(t, folder, "ca.crt", trust, 0o644)
		}},
		{name: "the certificate is no certificate", want: true, edit: func(t *testing.T, folder string, _ *Credentials) {
			overwrite(t, folder, "tls.crt", []byte("half a certi"), 0o644)
		}},
		{name: "others can read the key", want: true, edit: func(t *testing.T, folder string, _ *Credentials) {
			if err := os.Chmod(filepath.Join(folder, "tls.key"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
			sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
			sink.Credentials.Now = func() time.Time { return now }
			sink.Credentials.Issuer.(*testAuthority).now = sink.Credentials.Now
			sink.Chosen = func(id model.ProxyID) bool { return id.Name == "client-0" }
			if report := write(t, sink, shop(t, 1)); report.Issued != 1 {
				t.Fatalf("%d certificates were issued first", report.Issued)
			}
			if test.edit != nil {
				test.edit(t, filepath.Join(sink.Folder, "proxies/shop/client-0"), sink.Credentials)
				sink.Credentials.Now = func() time.Time { return now }
				sink.Credentials.Issuer.(*testAuthority).now = sink.Credentials.Now
			}
			now = now.Add(test.later)
			report := write(t, sink, shop(t, 1))
			if got := report.Issued == 1; got != test.want {
				t.Errorf("renewed: %v", got)
			}
			if want := 3 * report.Issued; report.Written > want {
				t.Errorf("%d files were written", report.Written)
			}
			assertPairs(t, sink, "client-0")
		})
	}
}

func TestKeysAreReadableForTheirProxyOnly(t *testing.T) {
	sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
	write(t, sink, shop(t, 1))
	stat, err := os.Stat(filepath.Join(sink.Folder, "proxies/shop/client-0/tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	if stat.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %s", stat.Mode())
	}
	owner := os.Geteuid()
	if owner == 0 {
		owner = envoyUser
	}
	if got := int(stat.Sys().(*syscall.Stat_t).Uid); got != owner {
		t.Errorf("the owner is %d, not %d", got, owner)
	}
}

func TestCertificatesThroughAnIntermediateAreKept(t *testing.T) {
	credentials := newCredentials(t)
	credentials.Issuer.(*testAuthority).below(t)
	sink := &Sink{Folder: t.TempDir(), Credentials: credentials}
	write(t, sink, shop(t, 1))
	if report := write(t, sink, shop(t, 1)); report.Issued != 0 {
		t.Errorf("%d were renewed", report.Issued)
	}
}

// assertPairs checks that the certificate of a proxy in namespace shop is good now.
func assertPairs(t *testing.T, sink *Sink, name string) {
	t.Helper()
	folder := filepath.Join(sink.Folder, "proxies/shop", name)
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !sink.Credentials.trusts(pair, sink.Credentials.Now()) {
		t.Errorf("%s: the certificate is not trusted", name)
	}
}

func forge(t *testing.T, folder string, c *Credentials, identity model.Identity, trustDomain string) {
	t.Helper()
	chain, key, trust, err := c.Issuer.Issue(t.Context(), identity, trustDomain, c.Validity)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, folder, "tls.crt", chain, 0o644)
	overwrite(t, folder, "tls.key", key.PEM(), 0o600)
	overwrite(t, folder, "ca.crt", trust, 0o644)
}

func drop(t *testing.T, folder, file string) {
	t.Helper()
	if err := os.Remove(filepath.Join(folder, file)); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, folder, file string, text []byte, mode os.FileMode) {
	t.Helper()
	drop(t, folder, file)
	if err := os.WriteFile(filepath.Join(folder, file), text, mode); err != nil {
		t.Fatal(err)
	}
}

// newCredentials makes an authority in memory.
func newCredentials(t testing.TB) *Credentials {
	t.Helper()
	authority := &testAuthority{now: time.Now}
	authority.certificate, authority.key = certify(t, nil, nil)
	authority.trust = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.certificate.Raw})
	return &Credentials{Issuer: authority, Trust: authority.trust, Validity: 24 * time.Hour, Now: time.Now}
}

const testSkew = 5 * time.Minute

// testAuthority is a sinks.Issuer.
type testAuthority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	// between are the certificates between the leaves and the root.
	between []byte
	trust   []byte
	now     func() time.Time
}

// below puts an intermediate authority between.
func (a *testAuthority) below(t *testing.T) {
	a.certificate, a.key = certify(t, a.certificate, a.key)
	a.between = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

func certify(t testing.TB, parent *x509.Certificate, signer crypto.Signer) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(20, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	template.Subject.CommonName = "root"
	if parent == nil {
		parent, signer = template, key
	} else {
		template.Subject.CommonName = "between"
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

type testKey []byte

func (k testKey) PEM() []byte { return k }

func (a *testAuthority) Issue(_ context.Context, identity model.Identity, trustDomain string, validity time.Duration) ([]byte, sinks.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, nil, err
	}
	uri, err := url.Parse(identity.URI(trustDomain))
	if err != nil {
		return nil, nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), URIs: []*url.URL{uri}, NotBefore: a.now().Add(-testSkew), NotAfter: a.now().Add(validity), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	chain := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), a.between...)
	return chain, testKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), a.trust, err
}

// brokenIssuer issues nothing.
type brokenIssuer struct{}

func (brokenIssuer) Issue(context.Context, model.Identity, string, time.Duration) ([]byte, sinks.PrivateKey, []byte, error) {
	return nil, nil, nil, errors.New("out of ink")
}
