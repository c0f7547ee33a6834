package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/verdict"
)

// manifestsOfShop are the small mesh whose sidecars are real.
//
//go:embed shop
var manifestsOfShop embed.FS

// shop is the small mesh. All that client asks for, and /public for guest, is allowed whatever is edited.
type shop struct {
	folder string
	random *rand.Rand
	files  map[string]string
	up     *controlplane.Process
	door   *local.Door
	stop   context.CancelFunc
	loads  sync.WaitGroup

	mu    sync.Mutex
	asked map[string]*local.Report
	ends  []error
}

// newShop writes the manifests.
func newShop(folder string, seed uint64) (*shop, error) {
	s := &shop{
		folder: folder, files: map[string]string{}, asked: map[string]*local.Report{}, stop: func() {},
		random: rand.New(rand.NewPCG(seed, 1)), // #nosec G404 -- it has to be the same each time
	}
	inside, err := fs.Sub(manifestsOfShop, "shop")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(folder, inside); err != nil {
		return nil, fmt.Errorf("write the shop: %w", err)
	}
	for _, name := range []string{"split.yaml", "policy.yaml", "servers.yaml"} {
		text, err := fs.ReadFile(inside, name)
		if err != nil {
			return nil, err
		}
		s.files[name] = string(text)
	}
	return s, nil
}

// The documents that come and go.
const (
	guestMayMore = `
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: guest-web-too, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: web, namespace: shop}
  sources: [{kind: ServiceAccount, name: guest, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: web, matches: [everything]}]
`
	anotherService = `
---
apiVersion: v1
kind: Service
metadata: {name: web-too, namespace: shop}
spec: {clusterIP: 198.18.0.9, selector: {app: web}, ports: [{port: 81, targetPort: 8080, appProtocol: http}]}
`
)

// edit makes a random edit that takes nothing from those who are under load.
func (s *shop) edit() error {
	extra := func(text string) string { return []string{"", text}[s.random.IntN(2)] }
	switch s.random.IntN(3) {
	case 0:
		weight := fmt.Sprint("web-v1, weight: ", s.random.IntN(100))
		return s.write("split.yaml", strings.Replace(s.files["split.yaml"], "web-v1, weight: 50", weight, 1))
	case 1:
		return s.write("policy.yaml", s.files["policy.yaml"]+extra(guestMayMore))
	}
	return s.write("servers.yaml", s.files["servers.yaml"]+extra(anotherService))
}

func (s *shop) write(name, text string) error {
	whole := filepath.Join(s.folder, name)
	if err := os.WriteFile(whole+"~", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(whole+"~", whole)
}

// run runs the sidecars, served at a socket, and loads them.
func (s *shop) run(ctx context.Context, o options, p controlplane.Place, socket string) error {
	name := fmt.Sprintf("soak-%d", os.Getpid())
	c := exec.Command(o.program, "up", s.folder, "--name", name, "--ca-dir", p.Authority, "--server", socket)
	var err error
	if s.up, err = controlplane.Begin(p, c); err != nil {
		return err
	}
	if err := await(ctx, time.Minute, "the shop runs", func() bool { return strings.Contains(s.up.Said(), "up: ") || exited(s.up) }); err != nil {
		return err
	}
	if exited(s.up) {
		return fmt.Errorf("fsmc up has ended: %s", s.up.Said())
	}
	if s.door, err = local.Open(name); err != nil {
		return err
	}
	loading, stop := context.WithCancel(ctx)
	s.stop = stop
	web, lines := netip.MustParseAddrPort("198.18.0.1:80"), netip.MustParseAddrPort("198.18.0.4:9000")
	for _, kind := range []local.LoadKind{local.HTTP1Requests, local.HTTP2Requests, local.FreshConnections} {
		s.load(loading, o, local.Load{Pod: "client-0", Address: web, Kind: kind, Request: &verdict.Request{Method: "GET", Path: "/"}})
	}
	s.load(loading, o, local.Load{Pod: "client-0", Address: lines, Kind: local.TCPLines})
	s.load(loading, o, local.Load{Pod: "guest-0", Address: web, Kind: local.HTTP1Requests, Request: &verdict.Request{Method: "GET", Path: "/public"}})
	return nil
}

func exited(p *controlplane.Process) bool {
	select {
	case <-p.Exited():
		return true
	default:
		return false
	}
}

func (s *shop) load(ctx context.Context, o options, l local.Load) {
	l.Namespace, l.Connections, l.Every, l.For = "shop", 2, 20*time.Millisecond, o.during+10*time.Minute
	r := &local.Report{}
	s.asked[fmt.Sprint(l.Pod, " ", l.Kind)] = r
	s.loads.Go(func() {
		_, err := s.door.Load(ctx, l, func(some []local.Outcome) {
			s.mu.Lock()
			defer s.mu.Unlock()
			r.Add(some...)
		})
		if err != nil && ctx.Err() == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ends = append(s.ends, err)
		}
	})
}

// rest ends the load and says what came of it.
func (s *shop) rest(r *report) {
	s.stop()
	s.loads.Wait()
	r.Loads = s.asked
	for _, err := range s.ends {
		r.fault("a load ended: %v", err)
	}
	r.lost()
}

// end ends the sidecars.
func (s *shop) end() {
	s.stop()
	if s.up != nil {
		s.up.End(syscall.SIGINT)
	}
}
