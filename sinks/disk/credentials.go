package disk

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// Credentials says where certificates come from.
type Credentials struct {
	Issuer sinks.Issuer
	// Trust is the trust bundle in PEM that is written: the issuer's, and those that are trusted beside it.
	Trust []byte
	// Signer is the issuer's own part of it; all of it if empty. A certificate of an earlier run is kept only if it leads
	// there.
	Signer []byte
	// Validity is how long a new certificate is valid.
	Validity time.Duration
	// Now is the clock.
	Now func() time.Time
}

// The files beside a proxy's configuration, which refers to them by these names.
var (
	certificateFile = path.Clean(compiler.CertificateFile)
	privateKeyFile  = path.Clean(compiler.PrivateKeyFile)
	trustFile       = path.Clean(compiler.TrustFile)
)

// credential is what one proxy needs to prove who it is.
type credential struct {
	folder      string
	identity    model.Identity
	trustDomain string
}

func credentialsOf(snapshot sinks.Snapshot, chosen func(model.ProxyID) bool) ([]credential, error) {
	var credentials []credential
	for class := range snapshot.Output.Classes.Values() {
		for id := range class.Proxies.Values() {
			if !chosen(id) {
				continue
			}
			folder, err := ProxyFolder(id)
			if err != nil {
				return nil, err
			}
			credentials = append(credentials, credential{folder, class.Identity, snapshot.Mesh.Settings().TrustDomain})
		}
	}
	return credentials, nil
}

func (c credential) file(name string) string { return path.Join(c.folder, name) }

func (c credential) files() []string {
	return []string{c.file(privateKeyFile), c.file(certificateFile), c.file(trustFile)}
}

// fill leaves credentials that are good for a while as they are, and replaces others as a whole.
func (c *Credentials) fill(ctx context.Context, t *tree, wanted credential) (issued bool, err error) {
	if c.keeps(t, wanted) {
		return false, nil
	}
	chain, key, _, err := c.Issuer.Issue(ctx, wanted.identity, wanted.trustDomain, c.Validity)
	if err != nil {
		return false, err
	}
	return true, errors.Join(
		t.put(wanted.file(privateKeyFile), key.PEM(), privateMode),
		t.put(wanted.file(certificateFile), chain, publicMode),
		t.put(wanted.file(trustFile), c.Trust, publicMode),
	)
}

// keeps says whether the files on the disk belong together, say who the proxy is, lead to the trust bundle of now, and
// have more than a third of their time left. Half of a pair, as an interrupted run can leave it, is not kept.
func (c *Credentials) keeps(t *tree, wanted credential) bool {
	trust, err := t.read(wanted.file(trustFile), publicMode)
	if err != nil || !bytes.Equal(trust, c.Trust) {
		return false
	}
	chain, err := t.read(wanted.file(certificateFile), publicMode)
	if err != nil {
		return false
	}
	key, err := t.read(wanted.file(privateKeyFile), privateMode)
	if err != nil {
		return false
	}
	pair, err := tls.X509KeyPair(chain, key)
	return err == nil && c.accepts(pair, wanted.identity.URI(wanted.trustDomain))
}

func (c *Credentials) accepts(pair tls.Certificate, uri string) bool {
	leaf, now := pair.Leaf, c.Now()
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != uri {
		return false
	}
	if left := leaf.NotAfter.Sub(now); left <= leaf.NotAfter.Sub(leaf.NotBefore)/3 {
		return false
	}
	return c.trusts(pair, now)
}

func (c *Credentials) trusts(pair tls.Certificate, now time.Time) bool {
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AppendCertsFromPEM(c.signer())
	for _, der := range pair.Certificate[1:] {
		if certificate, err := x509.ParseCertificate(der); err == nil {
			between.AddCert(certificate)
		}
	}
	_, err := pair.Leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}

func (c *Credentials) signer() []byte {
	if len(c.Signer) == 0 {
		return c.Trust
	}
	return c.Signer
}

// envoyUser is the user that a sidecar runs as.
const envoyUser = 1500

// giveToEnvoy makes a private file readable for sidecars, and for nobody else. Only root can; of an ordinary user the
// sidecars run as that user. A container without the right, or without that user, is left as it is.
func giveToEnvoy(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	err := f.Chown(envoyUser, -1)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
