//go:build linux

package live

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// fsmc is the path of the program.
var fsmc string

func TestMain(m *testing.M) { os.Exit(parts.WithProgram(m, &fsmc)) }

// process is an fsmc that runs, until the test ends at the latest.
type process struct {
	t       *testing.T
	command *exec.Cmd
	exited  chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
}

// begin starts fsmc and waits until it says the words.
func begin(t *testing.T, words string, arguments ...string) *process {
	t.Helper()
	p := &process{t: t, command: exec.Command(fsmc, arguments...), exited: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = p, p
	p.command.Env = append(os.Environ(), "FSMC_ENVOY="+parts.Envoy(t))
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.end(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("fsmc %s said:\n%s", arguments[0], p)
		}
	})
	within(t, time.Minute, "fsmc "+arguments[0]+" has begun", func() bool {
		select {
		case <-p.exited:
			skipWhereForbidden(t, p.String())
			t.Fatalf("fsmc %s: %s", strings.Join(arguments, " "), p.command.ProcessState)
		default:
		}
		return strings.Contains(p.String(), words)
	})
	return p
}

// Write takes what the process says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// end sends a signal, unless it has ended, and waits for the end.
func (p *process) end(signal syscall.Signal) {
	_ = p.command.Process.Signal(signal)
	<-p.exited
}

// skipWhereForbidden skips a test on a system that does not let this user make namespaces.
func skipWhereForbidden(t *testing.T, said string) {
	t.Helper()
	forbidden := strings.Contains(said, "may not make namespaces") || strings.Contains(said, "does not let ordinary users make namespaces")
	if forbidden || os.Geteuid() != 0 && strings.Contains(said, "or run it as root") {
		t.Skip(said)
	}
}

// within waits for a condition.
func within(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s, it is not so: %s", patience, what)
		}
	}
}

// freeAddress is an address of this machine at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
