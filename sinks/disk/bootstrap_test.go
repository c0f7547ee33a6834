package disk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/tests/parts"
)

// With a control plane, a proxy starts with what leads there, and a real Envoy takes it, with certificates that are
// read once and with watched ones.
func TestBootstrapsThatLeadToAControlPlane(t *testing.T) {
	for name, from := range map[string]compiler.ControlPlane{
		"once":    {Host: "127.0.0.1", Port: compiler.ControlPlanePort, Identity: compiler.ControlPlaneIdentity},
		"socket":  {Socket: "/run/fsmc.sock", Identity: compiler.ControlPlaneIdentity},
		"watched": {Host: "fsm-controller.fsm-system.svc", Port: compiler.ControlPlanePort, Identity: compiler.ControlPlaneIdentity, Watched: true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			sink := &Sink{Folder: folder, Credentials: newCredentials(t), ControlPlane: &from}
			if err := sink.Publish(t.Context(), shop(t, 1)); err != nil {
				t.Fatal(err)
			}
			proxies, err := filepath.Glob(filepath.Join(folder, "proxies", "*", "*"))
			if err != nil || len(proxies) == 0 {
				t.Fatal("there are no proxies", err)
			}
			validate(t, proxies[0])
			text, err := os.ReadFile(filepath.Join(proxies[0], ConfigFile))
			if err != nil || !strings.Contains(string(text), "spiffe://cluster.local/ns/fsm-system/sa/fsm-controller") || strings.Contains(string(text), "listeners:") || strings.Contains(string(text), "class") {
				t.Errorf("%v\n%s", err, text)
			}
			_, err = os.Stat(filepath.Join(proxies[0], compiler.CertificateSecretFile))
			if (err == nil) != from.Watched {
				t.Errorf("the secret's file: %v", err)
			}
		})
	}
}

func validate(t *testing.T, folder string) {
	t.Helper()
	c := exec.Command(parts.Envoy(t), "--mode", "validate", "-c", "./"+ConfigFile)
	c.Dir = folder
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
