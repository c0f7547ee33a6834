package faults

import (
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// The control plane is killed at random points of its pushes: after any number of the messages that an edit makes it
// send. Whatever the sidecars had, they end with the whole, within 30 seconds of the last start, and are never sent what
// they have; and no half of a file is left over.
func TestKilledAtAnyPointOfAPush(t *testing.T) {
	const kills, seed = 12, 1
	random := rand.New(rand.NewPCG(seed, 0))
	folder, manifests := manifests(t, 20, seed)
	p := place(t, folder)
	process := start(t, p)
	var responses atomic.Int64
	all := join(t, manifests.Nodes(), func(node string) sidecar.Options {
		o := p.Sidecar(node)
		o.Took = func() { responses.Add(1) }
		return o
	})
	// The first time, it is killed while everybody is being sent everything.
	for kill := range kills {
		after := responses.Load() + int64(random.IntN(60))
		for range 5 {
			edit(t, manifests)
		}
		for deadline := time.Now().Add(2 * time.Second); responses.Load() < after && time.Now().Before(deadline); {
			time.Sleep(100 * time.Microsecond)
		}
		process.End(syscall.SIGKILL)
		t.Logf("kill %d, after %d responses", kill, responses.Load())
		process = start(t, p)
	}
	if err := manifests.Write(); err != nil {
		t.Fatal(err)
	}
	all.hasAll(t, folder)
	all.noRepeats(t)
	leftovers(t, p.Out)
	leftovers(t, p.Authority)
}

// A control plane that is killed and comes back finds that everybody has everything. It sends nobody anything but the
// certificates that it has made anew.
func TestRestartWithoutAChangePushesSecretsOnly(t *testing.T) {
	t.Parallel()
	folder, _ := manifests(t, 20, 2)
	p := place(t, folder)
	process := start(t, p)
	all := join(t, nodes(t, folder), p.Sidecar)
	all.hasAll(t, folder)
	before := map[string]map[string]int{}
	for node, s := range all {
		before[node] = s.Counts().ByKind
	}
	process.End(syscall.SIGKILL)
	start(t, p)
	within(t, recovery, "all have their second stream", func() bool {
		for _, s := range all {
			if s.Counts().Streams < 2 {
				return false
			}
		}
		return true
	})
	all.hasAll(t, folder)
	for node, s := range all {
		for kind, n := range s.Counts().ByKind {
			if kind != "secrets" && n != before[node][kind] {
				t.Errorf("%s was sent %d %s after the restart", node, n-before[node][kind], kind)
			}
		}
	}
	all.noRepeats(t)
}
