//go:build linux

package faults

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/shop"
	"github.com/flomesh-io/fsmc/tests/parts"
)

// mall is the small mesh with real Envoys under load, and its control plane.
type mall struct {
	*shop.Shop
	place   controlplane.Place
	process *controlplane.Process
	folder  string
	edits   *shop.Folder
}

// openMall runs the mesh, and waits until every sidecar has everything. With a validity, certificates are valid for so long.
func openMall(t *testing.T, seed uint64, validity string) *mall {
	t.Helper()
	t.Setenv("FSMC_ENVOY", parts.Envoy(t))
	m := &mall{folder: t.TempDir()}
	var err error
	if m.edits, err = shop.New(m.folder, seed); err != nil {
		t.Fatal(err)
	}
	if validity != "" {
		if err := os.WriteFile(filepath.Join(m.folder, "config.yaml"), []byte(strings.Replace(shortLived, "4s", validity, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	near, err := os.MkdirTemp("", "fsmc-") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(near) })
	socket := filepath.Join(near, "ads")
	m.place = place(t, m.folder)
	m.place.Flags = []string{"--listen", "unix:" + socket}
	m.process = start(t, m.place)
	m.Shop, err = shop.Run(t.Context(), m.place, m.folder, socket)
	if errors.Is(err, shop.ErrForbidden) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.End)
	m.hasAll(t, 2*recovery) // they have to start first
	return m
}

// hasAll waits until every real sidecar, except those of some pods, has just what a fresh compilation gives it.
func (m *mall) hasAll(t *testing.T, patience time.Duration, except ...string) {
	t.Helper()
	began := time.Now()
	for {
		r, err := controlplane.Compile(m.folder)
		if err != nil {
			t.Fatal(err)
		}
		lacking, err := m.Lacks(t.Context(), r, except...)
		if err == nil && lacking == "" {
			t.Logf("all have everything after %s", time.Since(began))
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("after %s, not all have what they are to have: %s %v", patience, lacking, err)
		}
	}
}

// nothingLost wants that nobody has been refused what is allowed, nor let in where nothing is.
func (m *mall) nothingLost(t *testing.T) {
	t.Helper()
	asked := 0
	for name, a := range m.Asks() {
		asked += a.Total()
		if a.Lost() > 0 {
			t.Errorf("%s: %d allowed, %d denied, %d failed: %v", name, a.Allowed, a.Denied, a.Failed, a.Reasons)
		}
	}
	t.Logf("%d requests", asked)
}

// asking waits until everybody has asked some more.
func (m *mall) asking(t *testing.T) {
	t.Helper()
	before := m.Asks()
	within(t, recovery, "everybody asks", func() bool {
		for name, a := range m.Asks() {
			earlier := before[name]
			if a.Total() < earlier.Total()+10 {
				return false
			}
		}
		return true
	})
}

// The control plane of real sidecars under load is killed at random points of its pushes, and comes back each time. No
// request is lost, none is let through that must not be, and within 30 seconds of the last start every sidecar has just
// what a fresh compilation gives it.
func TestKilledDuringPushesToEnvoys(t *testing.T) {
	const kills, seed = 8, 20
	m := openMall(t, seed, "")
	random := rand.New(rand.NewPCG(seed, 0))
	m.Load(t.Context())
	m.asking(t)
	for kill := range kills {
		after := m.responses() + float64(random.IntN(12))
		for range 4 {
			if _, err := m.edits.Edit(); err != nil {
				t.Fatal(err)
			}
		}
		for deadline := time.Now().Add(2 * time.Second); m.responses() < after && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		m.process.End(syscall.SIGKILL)
		t.Logf("kill %d", kill)
		m.process = start(t, m.place)
	}
	began := time.Now()
	if err := m.edits.Return(); err != nil {
		t.Fatal(err)
	}
	m.hasAll(t, recovery)
	t.Logf("after the last start everything is there in %s", time.Since(began))
	m.asking(t)
	if err := m.Rest(); err != nil {
		t.Error(err)
	}
	m.nothingLost(t)
}

// responses is how many the control plane has sent.
func (m *mall) responses() float64 {
	var all float64
	for series, n := range m.place.Numbers() {
		if strings.HasPrefix(series, "fsm_proxy_responses_total") {
			all += n
		}
	}
	return all
}

// The certificates of real sidecars expire while the control plane is away. What is open stays open, and no request on it
// is lost; a new connection between pods is refused, as nobody can prove any more who he is. Within 30 seconds of the return
// new connections are made again.
func TestCertificatesOfEnvoysExpireDuringAnOutage(t *testing.T) {
	const validity = 20 * time.Second
	m := openMall(t, 21, validity.String())
	m.LoadOpen(t.Context())
	m.asking(t)
	connects := func(want bool) func() bool {
		return func() bool {
			got, err := m.Connects(t.Context())
			return err == nil && got == want
		}
	}
	within(t, recovery, "a new connection is made", connects(true))
	m.process.End(syscall.SIGKILL)
	m.asking(t)
	within(t, recovery+validity, "a new connection is refused", connects(false))
	m.asking(t)
	m.nothingLost(t)
	m.process = start(t, m.place)
	began := time.Now()
	within(t, recovery, "a new connection is made again", connects(true))
	t.Logf("new connections are made %s after the return", time.Since(began))
	m.hasAll(t, recovery)
	m.asking(t)
	if err := m.Rest(); err != nil {
		t.Error(err)
	}
	m.nothingLost(t)
}

// One real sidecar is stopped, as by a debugger, while the mesh is edited. The others have each edit within 30 seconds and
// lose nothing; and when it goes on it has everything within 30 seconds.
func TestAStoppedEnvoyHoldsUpNobody(t *testing.T) {
	m := openMall(t, 22, "")
	m.LoadOf(t.Context(), "client-0")
	m.asking(t)
	if err := m.Signal(t.Context(), "guest-0", "STOP"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Signal(t.Context(), "guest-0", "CONT") }()
	waits := false
	for range 10 {
		if _, err := m.edits.Edit(); err != nil {
			t.Fatal(err)
		}
		if err := m.edits.Mend(); err != nil {
			t.Fatal(err)
		}
		m.hasAll(t, recovery, "guest-0")
		for _, p := range m.place.Proxies() {
			waits = waits || p.ID.Name == "guest-0" && !p.Settled
		}
	}
	if !waits {
		t.Error("the sidecar that is stopped had everything at any time: it was not stopped")
	}
	m.asking(t)
	if err := m.Signal(t.Context(), "guest-0", "CONT"); err != nil {
		t.Fatal(err)
	}
	m.hasAll(t, recovery)
	if err := m.Rest(); err != nil {
		t.Error(err)
	}
	m.nothingLost(t)
}
