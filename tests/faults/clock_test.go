package faults

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/ads"
	"github.com/flomesh-io/fsmc/sources/certs"
	"github.com/flomesh-io/fsmc/sources/certs/tresor"
	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// inside is a control plane in this process, whose clock can be put forward and back.
type inside struct {
	t         *testing.T
	folder    string
	authority string
	ahead     atomic.Int64
	issued    atomic.Int64
	keeper    *certs.Keeper
	server    *ads.Server
	address   string
}

func (c *inside) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// serveInside serves manifests, until the function that it returns is called.
func serveInside(t *testing.T, folder string) (*inside, func()) {
	t.Helper()
	c := &inside{t: t, folder: folder, authority: filepath.Join(t.TempDir(), "ca")}
	c.keeper = certs.NewKeeper(certs.Options{
		Open: func(_ context.Context, _ model.Root, keyBits int) (certs.Authority, error) {
			return tresor.Open(c.authority, keyBits, c.now)
		},
		Now: c.now, Settled: func() bool { return c.server.Settled() },
		Issued: func(i certs.Issued) {
			c.issued.Add(1)
			if i.Err != nil {
				t.Error(i.Err)
			}
		},
		Changed: func(identities []model.Identity, trust bool) {
			c.server.Renewed(identities...)
			if trust {
				c.server.TrustChanged()
			}
		},
	})
	c.server = ads.NewServer(ads.Options{Credentials: c.keeper, TLS: ads.ServerTLS(c.keeper, compiler.ControlPlaneIdentity, ""), Now: c.now})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.address = l.Addr().String()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{}, 2)
	c.publish()
	go func() {
		c.keeper.Run(ctx)
		ended <- struct{}{}
	}()
	go func() {
		if err := c.server.Serve(l); err != nil {
			t.Error(err)
		}
		ended <- struct{}{}
	}()
	return c, func() {
		stop()
		_ = c.server.Drain(ctx)
		within(t, recovery, "everything has ended", func() bool { return len(ended) == cap(ended) })
	}
}

// publish publishes the manifests as they are.
func (c *inside) publish() {
	c.t.Helper()
	r := c.round()
	c.keeper.Apply(c.t.Context(), r.Mesh.Settings(), append(identities(r), compiler.ControlPlaneIdentity))
	if err := c.server.Publish(c.t.Context(), r.Snapshot); err != nil {
		c.t.Fatal(err)
	}
}

func (c *inside) round() *live.Round {
	c.t.Helper()
	r, err := controlplane.Compile(c.folder)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func identities(r *live.Round) []model.Identity {
	all := map[model.Identity]bool{}
	for class := range r.Output.Classes.Values() {
		all[class.Identity] = true
	}
	return slices.Collect(maps.Keys(all))
}

// sidecar is how a sidecar finds the control plane. The certificates of both sides are issued and verified by the clock of the
// test.
func (c *inside) sidecar(node string) sidecar.Options {
	c.t.Helper()
	authority, err := tresor.Open(c.authority, 0, c.now)
	if err != nil {
		c.t.Fatal(err)
	}
	namespace, name, _ := strings.Cut(node, "/")
	class, ok := c.round().Output.ClassOf(model.ProxyID{Namespace: namespace, Name: name})
	if !ok {
		c.t.Fatalf("the mesh has no %s", node)
	}
	chain, key, trust, err := authority.Issue(c.t.Context(), class.Identity, "cluster.local", time.Hour)
	if err != nil {
		c.t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key.PEM())
	if err != nil {
		c.t.Fatal(err)
	}
	return sidecar.Options{
		Node: node,
		Dial: func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", c.address)
		},
		TLS: func() (*tls.Config, error) { return sidecar.Config(pair, trust, c.now), nil },
	}
}

// The clock jumps a year forward, and back. Each time all sidecars have certificates that are valid by the new time within
// 30 seconds, each identity is certified once, the control plane is idle afterwards (under a tenth of a processor), an edit arrives, who is connected
// stays so, and who comes anew is let in. In the end all goroutines are gone.
func TestTheClockJumps(t *testing.T) {
	folder, manifests := manifests(t, 10, 12)
	before := measured()
	c, end := serveInside(t, folder)
	known := nodes(t, folder)
	all := join(t, known, c.sidecar)
	all.hasAll(t, folder)
	people := int64(len(identities(c.round())) + 1)
	const year = 365 * 24 * time.Hour
	for _, ahead := range []time.Duration{year, 0} {
		t.Run(fmt.Sprint("to ", ahead), func(t *testing.T) {
			issued, old := c.issued.Load(), map[string]string{}
			for node, s := range all {
				old[node] = s.SecretVersions()["service-cert"]
			}
			c.ahead.Store(int64(ahead))
			within(t, recovery, "all have new certificates", func() bool {
				for node, s := range all {
					if s.SecretVersions()["service-cert"] == old[node] {
						return false
					}
				}
				return c.server.Settled()
			})
			if n := c.issued.Load() - issued; n > people {
				t.Errorf("%d certificates were issued for %d identities", n, people)
			}
			c.idle(t)
			edit(t, manifests)
			if err := manifests.Write(); err != nil {
				t.Fatal(err)
			}
			c.publish()
			served(t, all, "", folder)
			late := sidecar.Start(c.sidecar(known[0]))
			defer late.Stop()
			within(t, recovery, "who comes anew is let in", late.Connected)
		})
	}
	for node, s := range all {
		if n := s.Counts().Streams; n != 1 {
			t.Errorf("%s had %d streams", node, n)
		}
	}
	all.noRepeats(t)
	all.leave()
	end()
	before.back(t, 16<<20)
}

// idle wants that for two seconds nothing is issued and hardly any time of a processor is used.
func (c *inside) idle(t *testing.T) {
	t.Helper()
	issued, used := c.issued.Load(), processor(t)
	const watched = 2 * time.Second
	<-time.After(watched)
	if n := c.issued.Load() - issued; n > 0 {
		t.Errorf("%d certificates are issued while nothing happens", n)
	}
	if busy := processor(t) - used; busy > watched/10 {
		t.Errorf("in %s in which nothing happens, %s of a processor are used", watched, busy)
	}
}

// processor is how much time of processors this process has used.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
