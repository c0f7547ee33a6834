package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// rest waits until all have what the edits have left, makes the mesh what it was at the beginning, has every stream come
// again, and measures.
func (b *bath) rest(ctx context.Context) error {
	r := record.Rest{Edits: b.Edits}
	if err := errors.Join(b.random.Write(), b.edited.Mend()); err != nil {
		return err
	}
	began := time.Now()
	if err := b.whole(ctx); err != nil {
		return b.unless(ctx, "what the edits have left", err)
	}
	r.Settled = time.Since(began).Seconds()
	if err := b.random.Return(b.calm); err != nil {
		return err
	}
	if err := b.edited.Return(); err != nil {
		return err
	}
	if err := b.whole(ctx); err != nil {
		return b.unless(ctx, "the mesh of the beginning", err)
	}
	if err := b.storm(ctx, &r); err != nil {
		return b.unless(ctx, "all streams anew", err)
	}
	r.Second = time.Since(b.began).Seconds()
	r.Use = b.least(ctx)
	if err := b.profile(); err != nil {
		return err
	}
	if b.shop != nil {
		var err error
		if r.EnvoyBytes, err = b.shop.Allocated(ctx); err != nil {
			return err
		}
	}
	b.Rests = append(b.Rests, r)
	return nil
}

// profile keeps what is on the heap, if there is a folder for that.
func (b *bath) profile() error {
	if b.profiles == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(b.profiles, fmt.Sprintf("heap-%d.pb.gz", len(b.Rests))), []byte(b.place.Get("/debug/pprof/heap")), 0o600)
}

// unless makes what was not reached a fault of the soak, which goes on, unless it was interrupted.
func (b *bath) unless(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	b.fault("%s: %v", what, err)
	return nil
}

// storm breaks all streams off at once, and waits until those that the mesh has are back and have everything, and those of
// pods that are gone are not.
func (b *bath) storm(ctx context.Context, r *record.Rest) error {
	fresh, err := controlplane.Compile(b.paths...)
	if err != nil {
		return err
	}
	want := b.simulated(controlplane.Whole(fresh))
	if err := await(ctx, patience, "the certificates are those of the root that signs", b.acknowledged); err != nil {
		return err
	}
	b.storming.Store(true)
	defer b.storming.Store(false)
	before, secrets, began := b.pushed(), b.secrets(), time.Now()
	for _, s := range b.fleet {
		s.HangUp()
	}
	b.Reconnects += len(want)
	err = await(ctx, patience, "all are back", func() bool {
		return b.lacking(want, began) == "" && len(b.connected()) == len(want)+b.Envoys
	})
	if err != nil {
		return fmt.Errorf("%w: lacking: %s; %d of %d are connected", err, b.lacking(want, began), len(b.connected()), len(want)+b.Envoys)
	}
	r.Again, r.Pushed = time.Since(began).Seconds(), b.pushed()-before
	if n := r.Pushed - (b.secrets() - secrets); n > 0 {
		b.fault("%d resources that are no certificates were sent to streams that came again", n)
	}
	return nil
}

// acknowledged says whether every proxy has everything, certificates included, and nothing waits.
func (b *bath) acknowledged() bool {
	if b.place.Numbers()["fsm_events_queued"] != 0 {
		return false
	}
	for _, p := range b.place.Proxies() {
		if p.Connected && !p.Settled {
			return false
		}
	}
	return true
}

// pushed is how many resources the simulated sidecars were sent.
func (b *bath) pushed() int {
	n := 0
	for _, s := range b.fleet {
		n += s.Counts().Resources
	}
	return n
}

// secrets is how many of them were certificates.
func (b *bath) secrets() int {
	n := 0
	for _, s := range b.fleet {
		n += s.Counts().ByKind["secrets"]
	}
	return n
}

// least is what the server needs at least, of some times that are measured: there is always something on its way, such as
// this question.
func (b *bath) least(ctx context.Context) record.Use {
	least := b.use()
	for range 5 {
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
		u := b.use()
		least.HeapBytes, least.Goroutines = min(least.HeapBytes, u.HeapBytes), min(least.Goroutines, u.Goroutines)
		least.OpenFiles, least.CPUSeconds = min(least.OpenFiles, u.OpenFiles), u.CPUSeconds
	}
	return least
}

func (b *bath) use() record.Use {
	u := b.place.Use()
	return record.Use{HeapBytes: u.HeapBytes, ResidentBytes: u.ResidentBytes, Goroutines: u.Goroutines, OpenFiles: u.OpenFiles, CPUSeconds: u.CPUSeconds}
}
