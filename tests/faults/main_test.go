package faults

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/edits"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
	"github.com/flomesh-io/fsmc/tests/parts"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// fsmc is the path of the program.
var fsmc string

func TestMain(m *testing.M) { os.Exit(parts.WithProgram(m, &fsmc)) }

// recovery is within how long everything is well again, on a slow machine that others use too.
const recovery = 30 * time.Second

// within waits for a condition.
func within(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s, it is not so: %s", patience, what)
		}
	}
}

// manifests is a folder of manifests of a small mesh, which can be edited.
func manifests(t *testing.T, services int, seed uint64) (string, *edits.Folder) {
	t.Helper()
	folder := t.TempDir()
	f, err := edits.New(folder, shapes.PowerLaw(services), seed)
	if err != nil {
		t.Fatal(err)
	}
	return folder, f
}

// place is where a test's control plane serves.
func place(t *testing.T, manifests ...string) controlplane.Place {
	t.Helper()
	p, err := controlplane.New(fsmc, t.TempDir(), manifests...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start starts a control plane, which ends with the test at the latest.
func start(t *testing.T, p controlplane.Place) *controlplane.Process {
	t.Helper()
	process, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	ends(t, process)
	return process
}

func ends(t *testing.T, process *controlplane.Process) {
	t.Helper()
	t.Cleanup(func() {
		process.End(syscall.SIGKILL)
		if t.Failed() {
			said := process.Said()
			t.Logf("fsmc serve said:\n%s", said[max(0, len(said)-8<<10):])
		}
	})
}

// fleet is simulated sidecars by their node ids.
type fleet map[string]*sidecar.Sidecar

// join starts sidecars, which end with the test at the latest.
func join(t *testing.T, nodes []string, options func(node string) sidecar.Options) fleet {
	t.Helper()
	f := fleet{}
	for _, node := range nodes {
		f[node] = sidecar.Start(options(node))
	}
	t.Cleanup(f.leave)
	return f
}

func (f fleet) leave() {
	for _, s := range f {
		s.Stop()
	}
}

// nodes are the node ids of all proxies of a folder of manifests.
func nodes(t *testing.T, paths ...string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(whole(t, paths...)))
}

// whole is what each sidecar is to have, by a fresh compilation.
func whole(t *testing.T, paths ...string) map[string]map[string]string {
	t.Helper()
	r, err := controlplane.Compile(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return controlplane.Whole(r)
}

// hasAll waits until every sidecar of a mesh is connected and has just what a fresh compilation gives it.
func (f fleet) hasAll(t *testing.T, paths ...string) {
	t.Helper()
	want := whole(t, paths...)
	for deadline := time.Now().Add(recovery); ; time.Sleep(5 * time.Millisecond) {
		lacking := f.lacks(want)
		if lacking == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s, not all have what they are to have: %s", recovery, lacking)
		}
	}
}

// lacks says which sidecar has not just what it is to have; empty if there is none.
func (f fleet) lacks(want map[string]map[string]string) string {
	for node, versions := range want {
		s := f[node]
		if s == nil {
			return node + " was not started"
		}
		if has := s.Has(); !s.Connected() || !maps.Equal(has, versions) {
			return fmt.Sprintf("%s: connected: %t, the last stream ended by %v\n%s", node, s.Connected(), s.Failure(), cmp.Diff(versions, has))
		}
	}
	return ""
}

// noRepeats wants that no sidecar was ever sent what it had.
func (f fleet) noRepeats(t *testing.T) {
	t.Helper()
	for node, s := range f {
		if again := s.Counts().Repeated; len(again) > 0 {
			t.Errorf("%s was sent %d resources that it had, such as %s", node, len(again), again[0])
		}
	}
}

// resources are how many resources all sidecars were sent.
func (f fleet) resources() int {
	n := 0
	for _, s := range f {
		n += s.Counts().Resources
	}
	return n
}

// room is what of this process may be left when a fault is over.
type room struct {
	goroutines int
	heap       uint64
}

// measured is what this process has now.
func measured() room {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go of in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return room{runtime.NumGoroutine(), m.HeapAlloc}
}

// back wants that goroutines, and the heap up to so many bytes, come to be what they were.
func (before room) back(t *testing.T, slack uint64) {
	t.Helper()
	within(t, recovery, "this process has no more goroutines and memory than before", func() bool {
		now := measured()
		return now.goroutines <= before.goroutines && now.heap <= before.heap+slack
	})
}

// returned wants that the goroutines of a control plane, and its heap up to so many bytes, come to be what they were.
func returned(t *testing.T, p controlplane.Place, before controlplane.Use, slack float64) {
	t.Helper()
	var now controlplane.Use
	defer func() {
		t.Logf("before: %+v, after: %+v", before, now)
	}()
	within(t, 2*recovery, "the control plane has no more goroutines, files and memory than before", func() bool {
		now = p.Use()
		const idle = 4 // connections of those who ask for metrics, and timers
		return now.Goroutines > 0 && now.Goroutines <= before.Goroutines+idle && now.OpenFiles <= before.OpenFiles+idle && now.HeapBytes <= before.HeapBytes+slack
	})
}

// edit edits manifests once.
func edit(t *testing.T, f *edits.Folder) string {
	t.Helper()
	what, err := f.Edit()
	if err != nil {
		t.Fatal(err)
	}
	return what
}

// text is a file.
func text(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(b)
}

// leftovers wants that a folder has no file that is not done: what is written is put in its place whole.
func leftovers(t *testing.T, folder string) {
	t.Helper()
	half := regexp.MustCompile(`\.fsmc-new$|\.[0-9]+$`) // of the sink, and of an authority
	within(t, recovery, "no half of a file is left over in "+folder, func() bool {
		found := false
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			found = found || half.MatchString(path)
			return err
		})
		return err == nil && !found // or something is being written
	})
}
