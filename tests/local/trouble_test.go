//go:build linux

package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// What goes wrong is said in words.
func TestTrouble(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(folder, "envoy")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho \"[2030-01-01 00:00:00.000][1][critical][main] [source/server/server.cc:1] error initializing configuration './envoy.yaml': no such field: patience\" >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(folder, "torn.yaml")
	if err := os.WriteFile(torn, []byte("kind: [Pod\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want []string
	}{
		{"manifests that cannot be read", []string{"up", torn}, []string{"error[FSM1001]", "torn.yaml:1", "there is no pod to run"}},
		{"no Envoy", []string{"up", bookstore, "--envoy", "/no/such/envoy"}, []string{"cannot run Envoy", "/no/such/envoy", "scripts/envoy.sh"}},
		{"a configuration that is refused", []string{"up", bookstore, "--envoy", broken}, []string{
			"pod book", "(", "testdata/bookstore/split/input.yaml:", "its sidecar ended (exit code 1): error initializing configuration './envoy.yaml': no such field: patience"}},
		{"no such workload", []string{"up", bookstore, "--exec", "bookstore/bookstore-v3=true"}, []string{`there is no workload "bookstore/bookstore-v3"`, "did you mean"}},
		{"no command", []string{"up", bookstore, "--exec", "bookstore/bookstore-v1="}, []string{"--exec takes NAMESPACE/WORKLOAD=COMMAND"}},
		{"no such mesh for exec", []string{"exec", "--name", "nobody", "a/b", "true"}, []string{`no mesh of yours runs here under the name "nobody": start one with 'fsmc up'`}},
		{"no such mesh for ps", []string{"ps", "--name", "nobody"}, []string{`no mesh of yours runs here`}},
		{"the inner process by hand", []string{"inside"}, []string{"it starts by itself"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if args[0] == "up" {
				args = append(args, "--name", fmt.Sprintf("trouble-%d", os.Getpid()))
			}
			out, code := run(t, "", args...)
			allowed(t, out)
			if code != 2 {
				t.Errorf("exit code %d", code)
			}
			for _, words := range c.want {
				if !strings.Contains(out, words) {
					t.Errorf("it does not say %q:\n%s", words, out)
				}
			}
		})
	}
}

func TestOneNameIsOneMesh(t *testing.T) {
	r := up(t, bookstore)
	out, code := run(t, "", "up", bookstore, "--name", r.name)
	if code != 2 || !strings.Contains(out, "a mesh runs already under the name") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	other := up(t, bookstore) // The same addresses, in namespaces of its own.
	for _, mesh := range []*running{r, other} {
		if answer := mesh.ask(t, "bookbuyer/bookbuyer-0", "bookstore-v1.bookstore:14001", get("/buy-a-book/new")); !answer.Allowed {
			t.Errorf("refused: %s", answer.Reason)
		}
	}
}

// Sidecars run as a user of their own, for whom no folder on the way has to be open, and no strict umask is in the way
// of what they may read.
func TestClosedFolders(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	up(t, bookstore, "-o", filepath.Join(closed, "tree"))
}

// Programs answer in place of the echo server, and are judged by what the sidecars say.
func TestPrograms(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := up(t, "testdata/protocols.yaml", "--exec", "shop/server="+program+" serve 8080", "--exec", "outside/stranger=echo my last words; exit 3")
	waiting := question{from: "shop/client-0", to: "server.shop:80", request: get("/")}
	for deadline := time.Now().Add(10 * time.Second); !r.ask(t, waiting.from, waiting.to, waiting.request).Allowed; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the program does not answer")
		}
	}
	r.askAll(t, []question{
		{name: "an answer", from: waiting.from, to: waiting.to, request: waiting.request, allowed: "server", status: 200},
		{name: "an answer that looks like a refusal", from: waiting.from, to: waiting.to, request: get("/missing"), allowed: "server", status: 404},
		{name: "over HTTP/2, which it does not speak", from: waiting.from, to: waiting.to, request: &verdict.Request{Protocol: "h2c", Path: "/"}, reason: "upstream"},
		{name: "nobody listens", from: waiting.from, to: "server.shop:81", request: get("/"), status: 503, reason: "upstream"},
		{name: "a program that has ended", from: waiting.from, to: "server.shop:9000", reason: "the connection was"},
	})
	for _, words := range []string{"trouble: pod outside/stranger-", "(Deployment outside/stranger, testdata/protocols.yaml:", "its command ended (exit code 3)", "my last words"} {
		r.says(t, words)
	}
}

// says waits until `fsmc up` has said something.
func (r *running) says(t *testing.T, words string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(r.output.String(), words); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not say %q:\n%s", words, r.output)
		}
	}
}
