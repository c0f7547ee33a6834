package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/edits"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// options are what is soaked, and for how long.
type options struct {
	during   time.Duration
	seed     uint64
	services int
	rate     float64
	envoys   bool
	program  string
	// folder is where everything is kept.
	folder string
}

// bath is a mesh that is being soaked.
type bath struct {
	options
	*report
	place   controlplane.Place
	process *controlplane.Process
	paths   []string
	random  *edits.Folder
	shop    *shop
	fleet   map[string]*sidecar.Sidecar
}

// soak soaks a mesh. The error says that it could not be done; what went wrong in it is in the report.
func soak(ctx context.Context, o options) (*report, error) {
	b := &bath{options: o, report: newReport(o), fleet: map[string]*sidecar.Sidecar{}}
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
	if err := b.edit(ctx); err != nil {
		return nil, err
	}
	return b.report, b.finish(ctx)
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
	var err error
	if b.random, err = edits.New(b.paths[0], shapes.PowerLaw(b.services), b.seed); err != nil {
		return err
	}
	if b.shop, err = newShop(b.paths[1], b.seed); err != nil {
		return err
	}
	b.place, err = controlplane.New(b.program, b.folder, b.paths...)
	return err
}

// begin starts the sidecars, and waits until all are served.
func (b *bath) begin(ctx context.Context, socket string) error {
	if b.envoys {
		if err := b.shop.run(ctx, b.options, b.place, socket); err != nil {
			if !strings.Contains(err.Error(), "namespaces") {
				return err
			}
			b.WithoutEnvoys = err.Error()
		} else {
			pods, err := b.shop.door.Pods(ctx)
			if err != nil {
				return err
			}
			b.Envoys = len(pods)
		}
	}
	for _, node := range b.random.Nodes() {
		o := b.place.Sidecar(node)
		o.Pause = time.Second // most of the time, some of the pods are not there
		b.fleet[node] = sidecar.Start(o)
	}
	return b.whole(ctx)
}

// patience is how long all may take to have the last state.
const patience = time.Minute

// whole waits until each simulated sidecar has what a fresh compilation gives it.
func (b *bath) whole(ctx context.Context) error {
	r, err := controlplane.Compile(b.paths...)
	if err != nil {
		return err
	}
	want := controlplane.Whole(r)
	maps.DeleteFunc(want, func(node string, _ map[string]string) bool { return strings.HasPrefix(node, "shop/") })
	b.Streams = len(want)
	var lacking string
	err = await(ctx, patience, "all have the whole", func() bool {
		for node, versions := range want {
			s := b.fleet[node]
			if s == nil || !s.Connected() || !maps.Equal(s.Has(), versions) {
				lacking = node
				return false
			}
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("%w: %s lacks something", err, lacking)
	}
	return nil
}

// edit edits the manifests until the time is over, while samples are taken.
func (b *bath) edit(ctx context.Context) error {
	began := time.Now()
	sampled := make(chan []sample)
	sampling, stop := context.WithCancel(ctx)
	go func() { sampled <- b.sample(sampling, began) }()
	err := b.editing(ctx, began)
	stop()
	b.Samples = <-sampled
	b.Seconds = time.Since(began).Seconds()
	return err
}

func (b *bath) editing(ctx context.Context, began time.Time) error {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / b.rate))
	defer ticker.Stop()
	for time.Since(began) < b.during {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.process.Exited():
			return errors.New("fsmc serve has ended: " + b.process.Said())
		case <-ticker.C:
		}
		if err := b.one(); err != nil {
			return fmt.Errorf("edit %d: %w", b.Edits, err)
		}
	}
	return nil
}

// one makes one edit, every fifth in the shop.
func (b *bath) one() error {
	b.Edits++
	if b.Edits%5 == 0 {
		return b.shop.edit()
	}
	_, err := b.random.Edit()
	return err
}

// sample takes about sixty samples of what the server needs.
func (b *bath) sample(ctx context.Context, began time.Time) []sample {
	ticker := time.NewTicker(max(b.during/60, time.Second))
	defer ticker.Stop()
	var all []sample
	for {
		select {
		case <-ctx.Done():
			return all
		case <-ticker.C:
		}
		use := b.place.Use()
		if use.Goroutines > 0 {
			all = append(all, sample{time.Since(began).Seconds(), b.place.Numbers()["fsm_proxies_connected"], use})
		}
	}
}

// finish makes the last edit, waits for it to arrive, and counts.
func (b *bath) finish(ctx context.Context) error {
	if err := b.random.Write(); err != nil {
		return err
	}
	began := time.Now()
	if err := b.whole(ctx); err != nil {
		b.fault("the final state: %v", err)
	}
	b.Settled = time.Since(began).Seconds()
	b.shop.rest(b.report)
	for node, s := range b.fleet {
		c := s.Counts()
		b.Responses += c.Responses
		b.Resources += c.Resources
		b.Repeated += len(c.Repeated)
		if len(c.Repeated) > 0 {
			b.fault("%s was sent %d times what it had, such as %s", node, len(c.Repeated), c.Repeated[0])
		}
	}
	numbers := b.place.Numbers()
	b.Published = int(numbers[`fsm_step_seconds_count{step="publish"}`])
	for series, n := range numbers {
		if strings.HasPrefix(series, "fsm_proxy_rejections_total") {
			b.Rejected += int(n)
		}
	}
	if b.Rejected > 0 {
		b.fault("%d responses were rejected", b.Rejected)
	}
	if said := b.process.Said(); strings.Contains(said, "panic") {
		b.fault("fsmc serve panics: %s", said)
	}
	b.leaks()
	return nil
}

// empty ends the sidecars.
func (b *bath) empty() {
	b.shop.end()
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
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
