//go:build linux

package local

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/parts"
)

func TestExec(t *testing.T) {
	r := up(t, bookstore)
	pod := "bookbuyer/bookbuyer-0"
	for _, c := range []struct {
		name    string
		command []string
		want    string
		code    int
	}{
		{"its output", []string{"echo", "hello"}, "hello\n", 0},
		{"its exit code", []string{"sh", "-c", "exit 7"}, "", 7},
		{"its end by a signal", []string{"sh", "-c", "kill -9 $$"}, "", 137},
		{"the host name", []string{"hostname"}, "bookbuyer-0\n", 0},
		{"flags are its own", []string{"echo", "--name", "--help"}, "--name --help\n", 0},
		{"no other processes are seen", []string{"sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' ' | cut -d' ' -f2"}, "inside\n", 0},
		{"a full name", []string{"sh", "-c", "getent ahostsv4 mysql-0.mysql.bookwarehouse.svc.cluster.local | cut -c1-4 | head -1"}, "100.\n", 0},
		{"a name of no service", []string{"getent", "hosts", "example.com"}, "", 2},
		{"no such program", []string{"no-such-program"}, "fsmc: exec: \"no-such-program\": executable file not found in $PATH\n", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, code := r.exec(pod, c.command...); got != c.want || code != c.code {
				t.Errorf("exit code %d, and it wrote %q", code, got)
			}
		})
	}
	t.Run("standard input", func(t *testing.T) {
		if got, _ := run(t, "one\ntwo\n", "exec", "--name", r.name, pod, "--", "wc", "-l"); strings.TrimSpace(got) != "2" {
			t.Errorf("it wrote %q", got)
		}
	})
	t.Run("no such pod", func(t *testing.T) {
		if got, code := r.exec("bookbuyer/nobody", "true"); code != 2 || !strings.Contains(got, "there is no pod bookbuyer/nobody") {
			t.Errorf("exit code %d, and it wrote %q", code, got)
		}
	})
	t.Run("Ctrl-C is for the command", func(t *testing.T) { r.passesOn(t, pod) })
	t.Run("a client that is killed takes its command along", func(t *testing.T) { r.takesAlong(t, pod) })
}

// passesOn wants a signal to reach the command, and the command's end to be the client's.
func (r *running) passesOn(t *testing.T, pod string) {
	c, out := r.background(t, pod, "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done")
	_ = c.Process.Signal(syscall.SIGINT)
	_ = c.Wait()
	if c.ProcessState.ExitCode() != 5 || !strings.Contains(out.String(), "caught") {
		t.Errorf("%s, and it wrote %q", c.ProcessState, out)
	}
}

func (r *running) takesAlong(t *testing.T, pod string) {
	c, _ := r.background(t, pod, "echo ready; exec -a "+r.name+"-sleep sleep 1000")
	_ = c.Process.Kill()
	_ = c.Wait()
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if out, _ := exec.Command("pgrep", "-f", r.name+"-sleep").Output(); len(out) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the command still runs")
		}
	}
}

// background runs a script in a pod, which writes ready when it is.
func (r *running) background(t *testing.T, pod, script string) (*exec.Cmd, *parts.Output) {
	t.Helper()
	c, out := exec.Command(fsmc, "exec", "--name", r.name, pod, "--", "bash", "-c", script), &parts.Output{}
	c.Stdout, c.Stderr = out, out
	c.WaitDelay = 5 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "ready"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is not ready: %s", out)
		}
	}
	return c, out
}

func TestPs(t *testing.T) {
	r := up(t, bookstore)
	text, code := run(t, "", "ps", "--name", r.name)
	if code != 0 || strings.Count(text, "✓ ready") != 6 || !strings.Contains(text, "bookwarehouse/mysql-0") {
		t.Errorf("exit code %d\n%s", code, text)
	}
	text, _ = run(t, "", "ps", "--name", r.name, "--format", "json")
	var pods []local.Status
	if err := json.Unmarshal([]byte(text), &pods); err != nil || len(pods) != 6 {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, p := range pods {
		if _, err := os.Stat(p.Log); err != nil || p.Sidecar != local.Ready || time.Since(p.Configured) > time.Minute {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if _, code := r.exec("bookstore/bookstore-v1-0", "pkill", "--oldest", "--euid", "1500"); code != 0 {
		t.Fatal("no sidecar to be killed")
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if text, code = run(t, "", "ps", "--name", r.name); code == 1 && strings.Contains(text, "✗ ended") && strings.Contains(r.output.String(), "trouble: pod book") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("exit code %d after the end of a sidecar\n%s\n%s", code, text, r.output)
		}
	}
}
