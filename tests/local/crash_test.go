//go:build linux

package local

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// Whatever ends a mesh, and whenever: nothing of it stays.
func TestNothingStays(t *testing.T) {
	parts.Envoy(t)
	before := machine(t)
	for i := range 15 {
		way := []string{"the front process is killed", "the inner process is killed", "Ctrl-C"}[i%3]
		wait := time.Duration(rand.IntN(900)) * time.Millisecond
		t.Run(fmt.Sprintf("%s after %s", way, wait), func(t *testing.T) {
			r := launch(t, bookstore, "--exec", "bookbuyer/bookbuyer=sleep 1000 & sleep 1000")
			time.Sleep(wait)
			switch way {
			case "Ctrl-C":
				_ = r.command.Process.Signal(syscall.SIGINT)
			case "the inner process is killed":
				for _, pid := range children(r.command.Process.Pid) {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
				time.AfterFunc(3*time.Second, func() { _ = r.command.Process.Kill() }) // It may not have had one yet.
			default:
				_ = r.command.Process.Kill()
			}
			<-r.exited
			allowed(t, r.output.String())
			tooEarly := r.command.ProcessState.ExitCode() == -1 && r.output.String() == "" // before the program could listen to signals
			if code := r.command.ProcessState.ExitCode(); way == "Ctrl-C" && code != 0 && !tooEarly && !strings.Contains(r.output.String(), "interrupted") {
				t.Errorf("%s\n%s", r.command.ProcessState, r.output)
			}
			gone(t, r.name)
		})
	}
	if after := machine(t); !slices.Equal(before, after) {
		t.Errorf("links and mounts before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// A process that was killed cannot clean up; the next one does it.
func TestLeftoversAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	killed := up(t, bookstore)
	_ = killed.command.Process.Kill()
	<-killed.exited
	left := leftovers(t)
	if len(left) != 1 {
		t.Fatalf("a killed process left %v", left)
	}
	if err := os.Chtimes(left[0], time.Time{}, time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	runs := up(t, bookstore)
	if left := leftovers(t); len(left) != 1 {
		t.Errorf("beside a mesh that runs there are %v", left)
	}
	runs.interrupt()
	if left := leftovers(t); len(left) != 0 {
		t.Errorf("Ctrl-C left %v", left)
	}
}

func leftovers(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(os.Getenv("TMPDIR") + "/fsmc-up-*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// gone wants every process of a mesh to be gone at once, and with them their namespaces: nothing else holds those.
func gone(t *testing.T, name string) {
	t.Helper()
	deadline := time.Now().Add(3 * time.Second)
	for left := members(name); len(left) > 0; left = members(name) {
		if time.Now().After(deadline) {
			t.Fatalf("these processes stay: %v", left)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// members are the processes of a mesh, found by their environment.
func members(name string) []string {
	var found []string
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environments {
		text, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(text), "\x00"), marker+"="+name) {
			continue
		}
		command, _ := os.ReadFile(filepath.Dir(file) + "/cmdline")
		found = append(found, filepath.Dir(file)+" "+strings.ReplaceAll(string(command), "\x00", " "))
	}
	return found
}

func children(pid int) []int {
	var found []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				found = append(found, child)
			}
		}
	}
	return found
}

// machine is what is outside of every namespace and must not change: links and mounts.
func machine(t *testing.T) []string {
	t.Helper()
	var found []string
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		found = append(found, "link "+l.Name)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		found = append(found, "mount "+strings.Fields(line)[4])
	}
	slices.Sort(found)
	return found
}
