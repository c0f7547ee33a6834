package faults

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// upgrade is two replicas over the same manifests and the same authority, one of which is ended and started after the
// other, and sidecars that are led to one of those that are there.
type upgrade struct {
	places    [2]controlplane.Place
	processes [2]*controlplane.Process
	turn      atomic.Int64
}

// dial opens a connection to one replica or the other, in turns, as a Service does.
func (u *upgrade) dial(ctx context.Context) (net.Conn, error) {
	first := u.turn.Add(1)
	c, err := u.places[first%2].Dial(ctx)
	if err == nil {
		return c, nil
	}
	c, again := u.places[(first+1)%2].Dial(ctx)
	return c, errors.Join(again)
}

// proxies is how many proxies a replica serves.
func (u *upgrade) proxies(replica int) float64 {
	return u.places[replica].Numbers()["fsm_proxies_connected"]
}

// Two replicas are upgraded one after the other. Whom the one lets go, the other serves within 30 seconds; nothing is pushed
// but the certificates that it has made itself, and all trust the same root. An edit while only one is there arrives, and
// the new replica, which has never seen the old state, sends nobody anything that he has.
func TestReplicasAreUpgradedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	folder, manifests := manifests(t, 20, 4)
	u := &upgrade{}
	for i := range u.places {
		u.places[i] = place(t, folder)
		u.places[i].Authority = filepath.Join(filepath.Dir(u.places[0].Out), "ca")
		u.places[i].Flags = []string{"--drain", "1s"}
		u.processes[i] = start(t, u.places[i])
	}
	if a, b := trust(t, u.places[0]), trust(t, u.places[1]); a != b {
		t.Fatal("the replicas do not have the same root")
	}
	all := join(t, manifests.Nodes(), func(node string) sidecar.Options {
		o := u.places[0].Sidecar(node)
		o.Dial = u.dial
		return o
	})
	all.hasAll(t, folder)
	for old := range 2 {
		before := all.exceptSecrets()
		if code := u.processes[old].End(syscall.SIGTERM); code != 0 {
			t.Errorf("the replica that is drained ends with %d", code)
		}
		count := float64(len(nodes(t, folder)))
		within(t, recovery, "the other replica serves all", func() bool { return u.proxies(1-old) == count })
		all.hasAll(t, folder)
		if n := all.exceptSecrets() - before; n != 0 {
			t.Errorf("%d resources were pushed that are no secrets", n)
		}
		edit(t, manifests)
		if err := manifests.Write(); err != nil {
			t.Fatal(err)
		}
		all.hasAll(t, folder)
		u.processes[old] = start(t, u.places[old])
	}
	all.noRepeats(t)
}

// exceptSecrets is how many resources all were sent that are no secrets.
func (f fleet) exceptSecrets() int {
	n := f.resources()
	for _, s := range f {
		n -= s.Counts().ByKind["secrets"]
	}
	return n
}

func trust(t *testing.T, p controlplane.Place) string {
	t.Helper()
	return string(text(t, filepath.Join(p.Authority, "ca.crt")))
}
