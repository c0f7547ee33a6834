package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/edits"
	"github.com/flomesh-io/fsmc/tests/faults/shop"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
	"github.com/flomesh-io/fsmc/tests/shapes"
	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// options are what is soaked, and for how long.
type options struct {
	during  time.Duration
	seed    uint64
	streams int
	rate    float64
	envoys  bool
	program string
	// profiles is where heap profiles of all rests are kept; empty for nowhere.
	profiles string
	// folder is where everything is kept.
	folder string
}

// bath is a mesh that is being soaked.
type bath struct {
	options
	*report
	began   time.Time
	place   controlplane.Place
	process *controlplane.Process
	paths   []string
	random  *edits.Folder
	calm    edits.State
	chance  *rand.Rand
	edited  *shop.Folder
	shop    *shop.Shop
	fleet   map[string]*sidecar.Sidecar
	// since is when the stream of each Envoy began, as was seen first.
	since map[string]time.Time
	// storming says that all streams are broken off, so that nobody counts them.
	storming atomic.Bool
}

// soak soaks a mesh. The error says that it could not be done; what went wrong in it is in the report.
func soak(ctx context.Context, o options) (*report, error) {
	b := &bath{
		options: o, report: newReport(o), began: time.Now(), fleet: map[string]*sidecar.Sidecar{}, since: map[string]time.Time{},
		chance: rand.New(rand.NewPCG(o.seed, 2)), // #nosec G404 -- it has to be the same each time
	}
	if err := b.fill(); err != nil {
		return nil, err
	}
	socket := filepath.Join(o.folder, "ads")
	b.place.Flags = []string{"--listen", "unix:" + socket, "--log-level", "warn"}
	var err error
	if b.process, err = b.place.Start(); err != nil {
		return nil, err
	}
	defer b.process.End(syscall.SIGTERM)
	defer b.empty()
	if err := b.begin(ctx, socket); err != nil {
		return nil, err
	}
	sampled := make(chan []record.Sample)
	sampling, stop := context.WithCancel(ctx)
	go func() { sampled <- b.sample(sampling) }()
	err = b.edit(ctx)
	stop()
	b.Samples = <-sampled
	if err != nil {
		return nil, err
	}
	b.finish()
	return b.report, nil
}

// fill writes the manifests.
func (b *bath) fill() error {
	for _, name := range []string{"random", "shop"} {
		path := filepath.Join(b.folder, name)
		if err := os.Mkdir(path, 0o750); err != nil {
			return err
		}
		b.paths = append(b.paths, path)
	}
	// Each application has two pods or so, one at least; a few do not suffice for chance to even out.
	services := b.streams*5/8 + 10
	var err error
	if b.random, err = edits.New(b.paths[0], shapes.PowerLaw(services), b.seed); err != nil {
		return err
	}
	const often = 20
	if err := b.random.Mix(often * services); err != nil {
		return err
	}
	b.calm = b.random.State()
	if b.edited, err = shop.New(b.paths[1], b.seed); err != nil {
		return err
	}
	b.place, err = controlplane.New(b.program, b.folder, b.paths...)
	return err
}

// begin starts the sidecars, and waits until all are served.
func (b *bath) begin(ctx context.Context, socket string) error {
	if b.envoys {
		var err error
		if b.shop, err = shop.Run(ctx, b.place, b.paths[1], socket); err != nil {
			return err
		}
		pods, err := b.shop.Pods(ctx)
		if err != nil {
			return err
		}
		b.Envoys = len(pods)
	}
	for _, node := range b.random.Nodes() {
		o := b.place.Sidecar(node)
		o.Pause = time.Second // most of the time, some of the pods are not there
		b.fleet[node] = sidecar.Start(o)
	}
	if err := b.whole(ctx); err != nil {
		return err
	}
	if b.shop != nil {
		b.shop.Load(ctx)
	}
	return nil
}

// patience is how long all may take to have the last state.
const patience = time.Minute

// whole waits until each sidecar has what a fresh compilation gives it, nothing less and nothing more.
func (b *bath) whole(ctx context.Context) error {
	r, err := controlplane.Compile(b.paths...)
	if err != nil {
		return err
	}
	want := b.simulated(controlplane.Whole(r))
	var lacking string
	err = await(ctx, patience, "all have the whole", func() bool {
		lacking = b.lacking(want, time.Time{})
		if lacking == "" && b.shop != nil {
			lacks, err := b.shop.Lacks(ctx, r)
			if lacking = lacks; err != nil {
				lacking = err.Error()
			}
		}
		return lacking == ""
	})
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%w: lacking: %s", err, lacking)
	}
	return err
}

// simulated are the sidecars of the random mesh.
func (b *bath) simulated(all map[string]map[string]string) map[string]map[string]string {
	maps.DeleteFunc(all, func(node string, _ map[string]string) bool { return strings.HasPrefix(node, "shop/") })
	return all
}

// lacking is a sidecar that does not have just what it is to have, or is not connected by a stream that has begun after a
// moment; empty if there is none.
func (b *bath) lacking(want map[string]map[string]string, since time.Time) string {
	streams := b.connected()
	for node, versions := range want {
		s := b.fleet[node]
		if s == nil || streams[node].Before(since) || streams[node].IsZero() || !maps.Equal(s.Has(), versions) {
			return node
		}
	}
	return ""
}

// connected is since when each proxy is connected, as the server sees it: who has everything is told nothing on a new stream.
func (b *bath) connected() map[string]time.Time {
	all := map[string]time.Time{}
	for _, p := range b.place.Proxies() {
		if p.Connected {
			all[p.ID.String()] = p.Since
		}
	}
	return all
}

// edit edits the manifests until the time is over, with rests.
func (b *bath) edit(ctx context.Context) error {
	rests := 5
	if b.during < time.Minute {
		rests = 2
	}
	each := b.during / time.Duration(rests)
	for range rests {
		if err := b.editing(ctx, each); err != nil {
			return err
		}
		if err := b.rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

// editing edits for a time. The edits keep their pace: what one takes longer, the next ones are sooner. At the beginning
// the root is replaced, which may take until the end.
func (b *bath) editing(ctx context.Context, during time.Duration) error {
	began := time.Now()
	defer func() { b.Seconds += time.Since(began).Seconds() }()
	if err := b.count(b.edited.Turn()); err != nil {
		return err
	}
	for made, hung := 1, 0; time.Since(began) < during; {
		if wait := time.Duration(float64(made)/b.rate*float64(time.Second)) - time.Since(began); wait > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-b.process.Exited():
				return errors.New("fsmc serve has ended: " + b.process.Said())
			case <-time.After(wait):
			}
		}
		if err := b.one(made); err != nil {
			return fmt.Errorf("edit %d: %w", b.Edits, err)
		}
		if made++; made/10 > hung {
			hung++
			b.hangUp()
		}
	}
	return nil
}

// one makes one edit, every fifth in the shop.
func (b *bath) one(n int) error {
	if n%5 == 0 {
		return b.count(b.edited.Edit())
	}
	return b.count(b.random.Edit())
}

// count counts an edit.
func (b *bath) count(what string, err error) error {
	b.Edits++
	b.Kinds[kindOf(what)]++
	return err
}

// hangUp breaks off the stream of a simulated sidecar that is connected.
func (b *bath) hangUp() {
	var nodes []string
	for node := range b.connected() {
		if b.fleet[node] != nil {
			nodes = append(nodes, node)
		}
	}
	if slices.Sort(nodes); len(nodes) > 0 {
		b.Reconnects++
		b.fleet[nodes[b.chance.IntN(len(nodes))]].HangUp()
	}
}

// finish ends the load and judges.
func (b *bath) finish() {
	b.Passed = time.Since(b.began).Seconds()
	if b.shop != nil {
		if err := b.shop.Rest(); err != nil {
			b.fault("a load ended: %v", err)
		}
		b.asked(b.shop.Asks())
	}
	for node, s := range b.fleet {
		c := s.Counts()
		b.Responses += c.Responses
		b.Resources += c.Resources
		b.Repeated += len(c.Repeated)
		b.Mangled += len(c.Mangled)
		if list := slices.Concat(c.Repeated, c.Mangled); len(list) > 0 {
			b.fault("%s was sent %d times what it had, and %d times what is not what its version says, such as %s", node, len(c.Repeated), len(c.Mangled), list[0])
		}
	}
	numbers := b.place.Numbers()
	b.Published = int(numbers[`fsm_step_seconds_count{step="publish"}`])
	for series, n := range numbers {
		if strings.HasPrefix(series, "fsm_proxy_rejections_total") {
			b.Rejected += int(n)
		}
	}
	if said := b.process.Said(); strings.Contains(said, "panic") {
		b.fault("fsmc serve panics: %s", said)
	}
	b.judge()
}

// empty ends the sidecars.
func (b *bath) empty() {
	if b.shop != nil {
		b.shop.End()
	}
	for _, s := range b.fleet {
		s.Stop()
	}
}

// await waits for a condition.
func await(ctx context.Context, patience time.Duration, what string, holds func() bool) error {
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s, it is not so: %s", patience, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}
