package tresor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

var (
	noon     = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	bookshop = model.Identity{Namespace: "bookstore", ServiceAccount: "bookstore-v1"}
)

func at(moment time.Time) func() time.Time { return func() time.Time { return moment } }

func TestALeafIsOneURIAndNothingElse(t *testing.T) {
	authority := open(t, t.TempDir(), noon)
	leaf, trust := issue(t, authority, 24*time.Hour)

	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != "spiffe://cluster.local/ns/bookstore/sa/bookstore-v1" {
		t.Errorf("URIs are %v", leaf.URIs)
	}
	if names := leaf.Subject.String(); names != "" || len(leaf.DNSNames)+len(leaf.IPAddresses)+len(leaf.EmailAddresses) > 0 {
		t.Errorf("it has other names: %q %v %v %v", names, leaf.DNSNames, leaf.IPAddresses, leaf.EmailAddresses)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("CA %v, key usage %b", leaf.IsCA, leaf.KeyUsage)
	}
	if key, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("the key is a %T", leaf.PublicKey)
	}
	if !leaf.NotBefore.Equal(noon.Add(-skew)) || !leaf.NotAfter.Equal(noon.Add(24*time.Hour)) {
		t.Errorf("it is valid from %s to %s", leaf.NotBefore, leaf.NotAfter)
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: trust, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
			t.Errorf("usage %d: %v", usage, err)
		}
	}
}

func TestRSAKeysHaveTheSizeThatIsSet(t *testing.T) {
	folder := t.TempDir()
	for _, bits := range []int{2048, 3072} {
		authority, err := Open(folder, bits, at(noon))
		if err != nil {
			t.Fatal(err)
		}
		leaf, trust := issue(t, authority, time.Hour)
		if key, ok := leaf.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() != bits {
			t.Errorf("with %d bits, the leaf's key is a %T", bits, leaf.PublicKey)
		}
		if leaf.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment {
			t.Errorf("key usage %b", leaf.KeyUsage)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: trust, CurrentTime: noon}); err != nil {
			t.Error(err)
		}
		if root, ok := authority.certificate.PublicKey.(*rsa.PublicKey); !ok || root.N.BitLen() != 2048 {
			t.Error("a new authority has the size that is set, and one that is there stays")
		}
	}
	leaf, _ := issue(t, open(t, folder, noon), time.Hour)
	if _, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok {
		t.Errorf("of an RSA authority, the leaf's key is a %T", leaf.PublicKey)
	}
}

func TestSerialsAreNeverTheSame(t *testing.T) {
	authority := open(t, t.TempDir(), noon)
	seen := map[string]bool{}
	for range 50 {
		leaf, _ := issue(t, authority, time.Hour)
		if serial := leaf.SerialNumber.Text(16); seen[serial] || leaf.SerialNumber.BitLen() < 64 {
			t.Errorf("serial %s", serial)
		} else {
			seen[serial] = true
		}
	}
}

func TestNoLeafOutlivesTheAuthority(t *testing.T) {
	folder := t.TempDir()
	end := open(t, folder, noon).certificate.NotAfter
	authority := open(t, folder, end.Add(-time.Hour))
	leaf, _ := issue(t, authority, 24*time.Hour)
	if !leaf.NotAfter.Equal(end) {
		t.Errorf("the leaf ends at %s, the authority at %s", leaf.NotAfter, end)
	}
	authority.now = at(end)
	_, _, _, err := authority.Issue(t.Context(), bookshop, "cluster.local", time.Hour)
	assertError(t, err, "expired at 20")
}

func TestNamesMustBeThere(t *testing.T) {
	authority := open(t, t.TempDir(), noon)
	for _, identity := range []model.Identity{{}, {Namespace: "a"}, {ServiceAccount: "b"}} {
		_, _, _, err := authority.Issue(t.Context(), identity, "cluster.local", time.Hour)
		assertError(t, err, "a name is missing")
	}
	_, _, _, err := authority.Issue(t.Context(), bookshop, "", time.Hour)
	assertError(t, err, "a name is missing")
}

func TestTheAuthorityStays(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "ca")
	first := open(t, folder, noon)
	second := open(t, folder, noon.AddDate(9, 0, 0))
	if !bytes.Equal(first.Trust(), second.Trust()) {
		t.Error("the second is another authority")
	}
	stat, err := os.Stat(filepath.Join(folder, keyFile))
	if err != nil || stat.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %s, %v", stat.Mode(), err)
	}
	names, err := os.ReadDir(folder)
	if err != nil || len(names) != 2 {
		t.Errorf("the folder holds %v, %v", names, err)
	}
	if c := first.certificate; !c.IsCA || !c.MaxPathLenZero || !c.NotAfter.Equal(noon.Add(lifetime)) {
		t.Errorf("the certificate is %+v", c)
	}
}

func TestProcessesAgreeOnOneAuthority(t *testing.T) {
	for range 20 {
		folder := filepath.Join(t.TempDir(), "ca")
		var mu sync.Mutex
		trusts := map[string]bool{}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				authority, err := Open(folder, 0, at(noon))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				trusts[string(authority.Trust())] = true
			})
		}
		all.Wait()
		if len(trusts) != 1 {
			t.Fatalf("there are %d authorities", len(trusts))
		}
	}
}

func TestAnInterruptedStartIsFinished(t *testing.T) {
	folder := t.TempDir()
	if _, err := openKey(folder, 0); err != nil {
		t.Fatal(err)
	}
	open(t, folder, noon)
}

func TestWhatCannotBeUsedIsSaidAndKept(t *testing.T) {
	other := t.TempDir()
	open(t, other, noon)
	tests := []struct {
		name string
		edit func(folder string) error
		when time.Time
		want string
	}{
		{"no key", func(f string) error { return os.Remove(filepath.Join(f, keyFile)) }, noon, "ca.key: no such file"},
		{"key is not PEM", overwrite(keyFile, "secret"), noon, "ca.key: it is not PEM"},
		{"key is a certificate", moveIn(other, certificateFile, keyFile), noon, `a PEM block of type "CERTIFICATE"`},
		{"key is broken", overwrite(keyFile, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"), noon, "not a private key that can sign"},
		{"key is another's", moveIn(other, keyFile, keyFile), noon, "ca.crt: it does not belong to ca.key"},
		{"certificate is another's", moveIn(other, certificateFile, certificateFile), noon, "it does not belong to ca.key"},
		{"certificate is not PEM", overwrite(certificateFile, "hello"), noon, "not a certificate in PEM"},
		{"certificate is broken", overwrite(certificateFile, "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n"), noon, "cannot be used: ca.crt"},
		{"expired", nil, noon.Add(lifetime), "it expired at 2039-12-31T12:00:00Z"},
		{"not yet valid", nil, noon.AddDate(-1, 0, 0), "it is not valid before"},
		{"a folder for a key", func(f string) error {
			return errors.Join(os.Remove(filepath.Join(f, keyFile)), os.Mkdir(filepath.Join(f, keyFile), 0o755))
		}, noon, "is a directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			open(t, folder, noon)
			if test.edit != nil {
				if err := test.edit(folder); err != nil {
					t.Fatal(err)
				}
			}
			before := fingerprint(t, folder)
			_, err := Open(folder, 0, at(test.when))
			assertError(t, err, test.want)
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "c2VjcmV0") {
				t.Errorf("the error tells the key: %v", err)
			}
			if after := fingerprint(t, folder); after != before {
				t.Errorf("the folder was changed:\n%s\n%s", before, after)
			}
		})
	}
}

func TestALeafCannotBeAnAuthority(t *testing.T) {
	folder, authority := t.TempDir(), open(t, t.TempDir(), noon)
	chain, key, _, err := authority.Issue(t.Context(), bookshop, "cluster.local", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(overwrite(certificateFile, string(chain))(folder), overwrite(keyFile, string(key.PEM()))(folder)); err != nil {
		t.Fatal(err)
	}
	_, err = Open(folder, 0, at(noon))
	assertError(t, err, "not the certificate of an authority")
}

func TestAnAuthorityOfOnesOwn(t *testing.T) {
	folder := t.TempDir()
	open(t, folder, noon)
	signer, err := openKey(folder, 0)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(signer.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: ecKeyBlock, Bytes: der})
	if err := overwrite(keyFile, string(text))(folder); err != nil {
		t.Fatal(err)
	}
	issue(t, open(t, folder, noon), time.Hour)
}

func TestAFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, 0, at(noon)); err == nil {
		t.Error("a file is taken for a folder")
	}
	if _, err := Open(filepath.Join(file, "ca"), 0, at(noon)); err == nil {
		t.Error("a file is taken for a folder")
	}
}

func open(t *testing.T, folder string, now time.Time) *Authority {
	t.Helper()
	authority, err := Open(folder, 0, at(now))
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

// issue makes a leaf that fits its key.
func issue(t *testing.T, authority *Authority, validity time.Duration) (leaf *x509.Certificate, trust *x509.CertPool) {
	t.Helper()
	chain, key, bundle, err := authority.Issue(t.Context(), bookshop, "cluster.local", validity)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key.PEM())
	if err != nil {
		t.Fatal(err)
	}
	trust = x509.NewCertPool()
	if !trust.AppendCertsFromPEM(bundle) {
		t.Fatal("the trust bundle is empty")
	}
	return pair.Leaf, trust
}

func overwrite(file, text string) func(folder string) error {
	return func(folder string) error { return os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600) }
}

func moveIn(from, source, file string) func(folder string) error {
	return func(folder string) error {
		text, err := os.ReadFile(filepath.Join(from, source))
		return errors.Join(err, overwrite(file, string(text))(folder))
	}
}

func fingerprint(t *testing.T, folder string) string {
	t.Helper()
	names, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range names {
		text, _ := os.ReadFile(filepath.Join(folder, name.Name()))
		b.WriteString(name.Name() + ": " + string(text) + "\n")
	}
	return b.String()
}

func assertError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("the error is %v, and should say %q", err, want)
	}
}
