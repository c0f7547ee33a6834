package parts

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Root is the folder of the module, above the package that is tested.
func Root(t testing.TB) string {
	t.Helper()
	folder, err := root()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

var root = sync.OnceValues(func() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
	}
	return "", errors.New("there is no go.mod above this test")
})

// Envoy is the path of the real Envoy: FSMC_ENVOY, or what scripts/envoy.sh finds or fetches. Tests that need it are never
// skipped: without one they fail.
func Envoy(t testing.TB) string {
	t.Helper()
	path, err := envoy()
	if err != nil {
		t.Fatalf("there is no Envoy, and scripts/envoy.sh could not get one: %v", err)
	}
	return path
}

var envoy = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("FSMC_ENVOY"); path != "" {
		return path, nil
	}
	folder, err := root()
	if err != nil {
		return "", err
	}
	path, err := exec.Command(filepath.Join(folder, "scripts", "envoy.sh")).Output()
	return strings.TrimSpace(string(path)), err
})

// Fsmc builds the fsmc command into a folder, and is its path.
func Fsmc(t testing.TB, folder string) string {
	t.Helper()
	binary := filepath.Join(folder, "fsmc")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/fsmc")
	command.Dir = Root(t)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// Validate has the real Envoy load a configuration, and gives back what it said if it refused, or warned of something
// deprecated. The folder is one that Certified has made; the suffix, such as yaml or pb, says what the text is.
func Validate(t testing.TB, folder string, configuration []byte, suffix string) string {
	t.Helper()
	f, err := os.CreateTemp(folder, "envoy-*."+suffix)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(configuration); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, Envoy(t), "--mode", "validate", "--config-path", f.Name(), "--log-level", "warning")
	command.Dir = folder // certificates are named relative to where Envoy runs
	output, err := command.CombinedOutput()
	switch {
	case err != nil:
		return fmt.Sprintf("%v\n%s", err, output)
	case bytes.Contains(bytes.ToLower(output), []byte("deprecated")):
		return string(output)
	}
	return ""
}

// Certified is a folder with a throw-away certificate under the names that standalone configurations use.
func Certified(t testing.TB) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		URIs: []*url.URL{{Scheme: "spiffe", Host: "cluster.local", Path: "/ns/test/sa/test"}},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: certificate},
		"ca.crt":  {Type: "CERTIFICATE", Bytes: certificate},
		"tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(folder, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
