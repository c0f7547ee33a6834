package faults

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// shortLived has the mesh's certificates be valid for a moment only.
const shortLived = `apiVersion: config.flomesh.io/v1alpha2
kind: MeshConfig
metadata: {name: fsm-mesh-config, namespace: fsm-system}
spec: {certificate: {serviceCertValidityDuration: 4s}}
`

// The certificate of a stream expires while the control plane is away. When it is back, the old certificate is refused with
// that reason, told once and counted; the new one, which lies on the disk by then, lets the sidecar in within 30 seconds.
func TestCertificateExpiresDuringAnOutage(t *testing.T) {
	t.Parallel()
	folder, _ := manifests(t, 10, 3)
	config := filepath.Join(folder, "fsm-system.fsm-mesh-config.yaml")
	if err := os.WriteFile(config, []byte(shortLived), 0o600); err != nil {
		t.Fatal(err)
	}
	p := place(t, folder)
	process := start(t, p)
	node := nodes(t, folder)[0]
	stale, err := p.Sidecar(node).TLS()
	if err != nil {
		t.Fatal(err)
	}
	all := join(t, []string{node}, p.Sidecar)
	within(t, recovery, "the sidecar is served", all[node].Connected)
	process.End(syscall.SIGKILL)
	expires := leaf(t, stale).NotAfter
	within(t, recovery, "the certificate has expired", func() bool { return time.Now().After(expires) })

	process = start(t, p)
	o := p.Sidecar(node)
	o.TLS = func() (*tls.Config, error) { return stale, nil }
	outdated := sidecar.Start(o)
	defer outdated.Stop()
	within(t, recovery, "the old certificate is refused as expired", func() bool {
		return outdated.Failure() != nil && strings.Contains(outdated.Failure().Error(), "expired certificate")
	})
	within(t, recovery, "the refusal is told", func() bool { return strings.Contains(process.Said(), "reason=certificate-expired") })
	within(t, recovery, "the refusal is counted", func() bool {
		return strings.Contains(p.Get("/metrics"), `cause="certificate-expired"`)
	})
	before := all[node].Counts().Streams
	within(t, recovery, "the new certificate lets the sidecar in", func() bool {
		return all[node].Connected() && all[node].Counts().Streams >= max(2, before)
	})
	if outdated.Counts().Streams != 0 {
		t.Error("the old certificate was let in")
	}
	if n := strings.Count(process.Said(), "reason=certificate-expired"); n != 1 {
		t.Errorf("the refusal is told %d times", n)
	}
}

// leaf is the certificate that a TLS configuration presents.
func leaf(t *testing.T, c *tls.Config) *x509.Certificate {
	t.Helper()
	parsed, err := x509.ParseCertificate(c.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
