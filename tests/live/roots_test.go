//go:build linux

package live

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// root is the manifest of a root certificate.
func root(name, role string) string {
	return fmt.Sprintf(`---
apiVersion: config.flomesh.io/v1alpha2
kind: MeshRootCertificate
metadata: {name: %[1]s, namespace: fsm-system}
spec:
  role: %[2]s
  provider: {tresor: {ca: {secretRef: {namespace: fsm-system, name: %[1]s-ca}}}}
`, name, role)
}

// TestRootsRotate replaces the root of trust under load, step by step and at once.
func TestRootsRotate(t *testing.T) {
	t.Parallel()
	m := &mesh{manifests: copied(t, "shop"), control: control(freeAddress(t))}
	m.write(t, "roots.yaml", root("oak", "active"))
	authorities := t.TempDir()
	m.run(t, "--ca-dir", authorities, "--enable-debug-server", "--debug-address", string(m.control))
	m.settle(t, 0)
	m.awaitRoots(t, authorities, "oak", "oak")
	served, refused := m.background(t)
	served = append(served, m.frequent(t)...)
	goOn(t, time.Now(), served...)
	began := time.Now()
	c := change{edited: began, settled: began}
	for _, step := range []struct {
		name, manifests, signs string
		trusted                []string
	}{
		{"both are trusted", root("oak", "active") + root("birch", "passive"), "oak", []string{"birch", "oak"}},
		{"the new one signs", root("oak", "passive") + root("birch", "active"), "birch", []string{"birch", "oak"}},
		{"the old one is dropped", root("birch", "active"), "birch", []string{"birch"}},
		{"another one in its place, in one edit", root("elm", "active"), "elm", []string{"elm"}},
		{"and back", root("oak", "active"), "oak", []string{"oak"}},
	} {
		edited := time.Now()
		m.write(t, "roots.yaml", step.manifests)
		m.awaitRoots(t, authorities, step.signs, step.trusted...)
		t.Logf("%s: every sidecar has its certificates after %d ms", step.name, time.Since(edited).Milliseconds())
		goOn(t, time.Now(), served...)
		c.always(t, served...)
		c.undisturbed(t, served...)
		c.never(t, refused...)
	}
}

// frequent are loads with a connection and a handshake for each request.
func (m *mesh) frequent(t *testing.T) []*flow {
	t.Helper()
	// A client's sidecar keeps its connections to servers, whatever its client does. Those of TCP are made one for one.
	return m.flows(t, "client-0", linesAddress, "", local.FreshConnections, local.FreshConnections)
}

// awaitRoots waits until every sidecar has a certificate that one root has signed, and trusts some roots and no others,
// to pods and to the control plane.
func (m *mesh) awaitRoots(t *testing.T, authorities, signs string, trusted ...string) {
	t.Helper()
	wrong := ""
	defer func() {
		if t.Failed() {
			t.Log(wrong)
		}
	}()
	within(t, 30*time.Second, fmt.Sprintf("%s signs, and %v are trusted", signs, trusted), func() bool {
		issued, others := m.issued(signs)
		if wrong = "some certificates are not signed by " + signs; others || !m.settled() {
			return false
		}
		roots := map[string]bool{}
		for _, name := range trusted {
			roots[serialOf(t, authorities, name)] = true
		}
		return !slices.ContainsFunc(m.pods(t), func(pod string) bool {
			wrong = m.uncertified(t, pod, issued, roots)
			return wrong != ""
		})
	})
}

// issued are the serials of the certificates in use, and whether others than one root have signed some.
func (m *mesh) issued(root string) (serials map[string]bool, others bool) {
	var all []struct{ Issuer, Serial string }
	if json.Unmarshal(m.ask("/debug/certificates?format=json"), &all) != nil || len(all) == 0 {
		return nil, true
	}
	serials = map[string]bool{}
	for _, c := range all {
		serials[number(c.Serial)] = true
		others = others || c.Issuer != root
	}
	return serials, others
}

// uncertified is empty if a sidecar has the certificates that it is to have, one for its stream and one for its pod, and
// trusts the roots that it is to trust. Otherwise it says what is wrong.
func (m *mesh) uncertified(t *testing.T, pod string, issued, roots map[string]bool) string {
	t.Helper()
	type certificate struct {
		Serial string `json:"serial_number"`
	}
	var page struct {
		Certificates []struct {
			Trusted []certificate `json:"ca_cert"`
			Own     []certificate `json:"cert_chain"`
		} `json:"certificates"`
	}
	text := m.runs(t, pod, "curl", "-s", "localhost:15000/certs")
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		return err.Error()
	}
	others := map[string]bool{}
	for _, context := range page.Certificates {
		for _, c := range context.Own {
			if serial := number(c.Serial); !issued[serial] {
				others[serial] = true
			}
		}
		trusted := map[string]bool{}
		for _, c := range context.Trusted {
			trusted[number(c.Serial)] = true
		}
		if len(context.Trusted) > 0 && !maps.Equal(trusted, roots) {
			return fmt.Sprintf("%s trusts %v and not %v", pod, trusted, roots)
		}
	}
	if len(page.Certificates) == 0 || len(others) > 1 {
		return fmt.Sprintf("%s uses certificates that are not in use any more, beside that of its stream: %v", pod, others)
	}
	return ""
}

// serialOf is the serial of a root certificate; empty as long as there is none.
func serialOf(t *testing.T, authorities, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(authorities, "fsm-system", name+"-ca", "ca.crt"))
	if err != nil {
		return ""
	}
	block, _ := pem.Decode(text)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return certificate.SerialNumber.Text(16)
}

// number is a serial without zeros before it: some write them, others do not.
func number(serial string) string { return strings.TrimLeft(serial, "0") }
