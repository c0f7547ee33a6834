package hostile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/parts"
)

// asks is the variable that makes this program ask questions instead of running tests.
const asks = "FSMC_HOSTILE_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(asks) != "" {
		if err := act(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// mesh is an `fsmc up` that runs.
type mesh struct {
	fsmc, name string
	folder     string
	pods       map[string]local.Status
	said       *output
	// settled is when the logs say everything that they will of what was asked.
	settled time.Time
	// port is the last one that somebody asked from.
	port int
}

// output is what a process writes, while it does.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// up brings the mesh of manifests.yaml up, until the end of the test.
func up(t *testing.T) *mesh {
	t.Helper()
	folder, err := os.MkdirTemp("", "fsmc-hostile-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	m := &mesh{fsmc: parts.Fsmc(t, folder), name: fmt.Sprintf("hostile-%d", os.Getpid()), folder: folder, said: &output{}, port: 20000}
	command := exec.Command(m.fsmc, "up", "manifests.yaml", "--name", m.name, "--for", "5m", "--fail-on", "never",
		"-o", m.path("tree"), "--ca-dir", m.path("ca"), "--logs", m.path("logs"))
	command.Env = append(os.Environ(), "FSMC_ENVOY="+parts.Envoy(t))
	command.Stdout, command.Stderr = m.said, m.said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(exited)
	}()
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			t.Error("fsmc up does not end")
			_ = command.Process.Kill()
			<-exited
		}
	})
	m.await(t, exited)
	m.list(t)
	return m
}

// await waits until the mesh is up.
func (m *mesh) await(t *testing.T, exited <-chan struct{}) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(m.said.String(), "up: "); time.Sleep(10 * time.Millisecond) {
		select {
		case <-exited:
			t.Fatalf("fsmc up has ended:\n%s", m.said)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("fsmc up takes too long:\n%s", m.said)
		}
	}
}

// list learns where the pods are.
func (m *mesh) list(t *testing.T) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), m.fsmc, "ps", "--name", m.name, "--format", "json").Output()
	if err != nil {
		t.Fatalf("fsmc ps: %v", err)
	}
	var pods []local.Status
	if err := json.Unmarshal(text, &pods); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	m.pods = map[string]local.Status{}
	for _, p := range pods {
		m.pods[p.Pod] = p
	}
}

func (m *mesh) path(parts ...string) string {
	return filepath.Join(append([]string{m.folder}, parts...)...)
}

// at is where a port of a pod is reached, by one family of addresses.
func (m *mesh) at(t *testing.T, pod string, family func(netip.Addr) bool, port int) string {
	t.Helper()
	for _, a := range m.pods[pod].Addresses {
		if family(a) {
			return netip.AddrPortFrom(a, uint16(port)).String()
		}
	}
	t.Fatalf("pod %s has no such address: %v", pod, m.pods[pod].Addresses)
	return ""
}

// ask asks questions from a pod, many at a time.
func (m *mesh) ask(t *testing.T, pod string, questions []question) (answers []answer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range questions {
		m.port++
		questions[i].Port = m.port
	}
	text, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, m.fsmc, "exec", "--name", m.name, "shop/"+pod, "--", self)
	command.Env = append(os.Environ(), asks+"=1")
	command.Stdin = bytes.NewReader(text)
	var trouble bytes.Buffer
	command.Stderr = &trouble
	said, err := command.Output()
	if err == nil {
		err = json.Unmarshal(said, &answers)
	}
	if err != nil || len(answers) != len(questions) {
		t.Fatalf("pod %s could not ask: %v\n%s%s", pod, err, said, &trouble)
	}
	m.settled = time.Now().Add(time.Second)
	return answers
}

// line is what a sidecar's log says of a connection or a request.
type line struct {
	Remote       string `json:"downstream_remote_address"`
	Flags        string `json:"response_flags"`
	Details      string `json:"response_code_details"`
	Termination  string `json:"connection_termination_details"`
	Failure      string `json:"downstream_transport_failure_reason"`
	UpstreamHost string `json:"upstream_host"`
}

// logged is what the sidecar of a pod wrote about a connection. A line may come a moment after the connection has ended.
func (m *mesh) logged(t *testing.T, pod, remote string) (lines []line) {
	t.Helper()
	for {
		last := time.Now().After(m.settled)
		text, err := os.ReadFile(m.path("logs", "shop", pod+".envoy.log"))
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			var l line
			if json.Unmarshal(s.Bytes(), &l) == nil && l.Remote == remote {
				lines = append(lines, l)
			}
		}
		if len(lines) > 0 || last {
			return lines
		}
		time.Sleep(20 * time.Millisecond)
	}
}
