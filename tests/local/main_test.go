//go:build linux

package local

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/parts"
)

// fsmc is the path of the program: $FSMC_TEST_PROGRAM, for users who cannot build it, or one that TestMain builds.
var fsmc string

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		serve(os.Args[2])
		return
	}
	if len(os.Args) == 2 && os.Args[1] == local.InsideArgument {
		if err := local.Inside(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(parts.WithProgram(m, &fsmc))
}

// serve is a program for --exec: it knows nothing of a mesh.
func serve(port string) {
	_ = http.ListenAndServe(":"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprintln(w, "a program of mine")
	}))
}

// running is an `fsmc up` that runs.
type running struct {
	*local.Door
	t       *testing.T
	name    string
	command *exec.Cmd
	output  *parts.Output
	exited  chan struct{}
}

// launch starts `fsmc up` under a name of its own, and does not wait.
func launch(t *testing.T, args ...string) *running {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == ' ' {
			return '-'
		}
		return r
	}, t.Name()) + fmt.Sprint(time.Now().UnixNano())
	r := &running{t: t, name: name[max(0, len(name)-50):], output: &parts.Output{}, exited: make(chan struct{})}
	r.command = exec.Command(fsmc, append([]string{"up", "--name", r.name}, args...)...)
	r.command.Stdout, r.command.Stderr = r.output, r.output
	r.command.Env = append(os.Environ(), "FSMC_ENVOY="+parts.Envoy(t), marker+"="+r.name)
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.command.Wait()
		close(r.exited)
	}()
	t.Cleanup(func() {
		_ = r.command.Process.Kill()
		<-r.exited
	})
	return r
}

// marker is in the environment of every process of a mesh, and says which.
const marker = "FSMC_TEST_MESH"

// up starts a mesh and waits until it is up. At the end of the test, Ctrl-C must end it well.
func up(t *testing.T, args ...string) *running {
	t.Helper()
	r := launch(t, args...)
	for deadline := time.Now().Add(time.Minute); !strings.Contains(r.output.String(), "up: "); time.Sleep(10 * time.Millisecond) {
		select {
		case <-r.exited:
			allowed(t, r.output.String())
			t.Fatalf("fsmc up: %s\n%s", r.command.ProcessState, r.output)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("fsmc up takes more than a minute:\n%s", r.output)
		}
	}
	door, err := local.Open(r.name)
	if err != nil {
		t.Fatal(err)
	}
	r.Door = door
	t.Cleanup(func() {
		select {
		case <-r.exited:
			return // The test has ended it.
		default:
		}
		if r.interrupt() != 0 {
			t.Errorf("Ctrl-C: %s\n%s", r.command.ProcessState, r.output)
		}
		if t.Failed() {
			t.Logf("fsmc up said:\n%s", r.output)
		}
	})
	return r
}

// interrupt presses Ctrl-C and returns the exit code.
func (r *running) interrupt() int {
	_ = r.command.Process.Signal(syscall.SIGINT)
	<-r.exited
	return r.command.ProcessState.ExitCode()
}

// allowed skips a test on a system that does not let this user make namespaces. What can be installed is no excuse for
// the superuser.
func allowed(t *testing.T, said string) {
	t.Helper()
	for _, words := range []string{"may not make namespaces", "does not let ordinary users make namespaces"} {
		if strings.Contains(said, words) {
			t.Skip(said)
		}
	}
	if os.Geteuid() != 0 && strings.Contains(said, "or run it as root") {
		t.Skip(said)
	}
}

// run runs fsmc to its end and returns what it wrote, and its exit code.
func run(t *testing.T, in string, args ...string) (string, int) {
	t.Helper()
	c := exec.Command(fsmc, args...)
	c.Stdin = strings.NewReader(in)
	c.Env = append(os.Environ(), "FSMC_ENVOY="+parts.Envoy(t))
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

// exec runs a command in a pod.
func (r *running) exec(pod string, command ...string) (string, int) {
	r.t.Helper()
	return run(r.t, "", append([]string{"exec", "--name", r.name, pod, "--"}, command...)...)
}
