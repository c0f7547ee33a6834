//go:build linux

package live

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/verdict"
)

// The addresses of the services of testdata/shop.
const (
	webAddress   = "198.18.0.1:80"
	linesAddress = "198.18.0.4:9000"
)

// connections are those of each load.
const connections = 2

// flow is a load that is being made.
type flow struct {
	name string
	kind local.LoadKind
	stop func()

	mu       sync.Mutex
	outcomes []local.Outcome
}

// flows makes loads of several kinds from a pod to one address, until the test ends. Without a path they are not HTTP.
func (m *mesh) flows(t *testing.T, pod, address, path string, kinds ...local.LoadKind) []*flow {
	t.Helper()
	var all []*flow
	for _, kind := range kinds {
		load := local.Load{
			Namespace: "shop", Pod: pod, Address: netip.MustParseAddrPort(address), Kind: kind,
			Connections: connections, Every: 50 * time.Millisecond, For: 5 * time.Minute,
		}
		if path != "" {
			load.Request = &verdict.Request{Method: "GET", Path: path}
		}
		all = append(all, m.flow(t, fmt.Sprint(pod, " ", kind, " ", address, path), load))
	}
	return all
}

// flow makes a load until the test ends.
func (m *mesh) flow(t *testing.T, name string, load local.Load) *flow {
	ctx, cancel := context.WithCancel(context.Background())
	f := &flow{name: name, kind: load.Kind}
	ended := make(chan error, 1)
	go func() {
		_, err := m.Load(ctx, load, f.keep)
		ended <- err
	}()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

func (f *flow) keep(some []local.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcomes = append(f.outcomes, some...)
}

// all are the outcomes up to now.
func (f *flow) all() []local.Outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.outcomes)
}

// asked are the outcomes of what was asked after a moment.
func (f *flow) asked(moment time.Time) []local.Outcome {
	return slices.DeleteFunc(f.all(), func(o local.Outcome) bool { return !o.At.After(moment) })
}

// ended are the outcomes of what had ended before a moment.
func (f *flow) ended(moment time.Time) []local.Outcome {
	return slices.DeleteFunc(f.all(), func(o local.Outcome) bool { return !o.At.Add(o.Took).Before(moment) })
}

// goOn waits until every flow has outcomes of what was asked after a moment.
func goOn(t *testing.T, moment time.Time, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		within(t, 20*time.Second, f.name+" goes on", func() bool { return len(f.asked(moment)) >= 8 })
	}
}

// await waits for an outcome.
func (f *flow) await(t *testing.T, what string, wanted func(local.Outcome) bool) {
	t.Helper()
	within(t, 20*time.Second, f.name+": "+what, func() bool { return slices.ContainsFunc(f.all(), wanted) })
}

// change is an edit under load.
type change struct {
	// edited is when the file was there, settled when all sidecars had acknowledged.
	edited, settled time.Time
}

// edits makes an edit under load, waits until all sidecars have acknowledged, and lets the load go on for a while.
func (m *mesh) edits(t *testing.T, flows []*flow, edit func()) change {
	t.Helper()
	goOn(t, time.Now(), flows...)
	rounds := m.rounds()
	edit()
	c := change{edited: time.Now()}
	c.settled = m.settle(t, rounds)
	t.Logf("all sidecars have acknowledged %s", c.when(c.settled))
	goOn(t, c.settled, flows...)
	return c
}

// when says when something was.
func (c change) when(moment time.Time) string {
	return fmt.Sprintf("%d ms after the edit", moment.Sub(c.edited).Milliseconds())
}

// promptly bounds how long an edit may take until it is seen. Without others on the machine it is a quarter of a second.
const promptly = 5 * time.Second

// prompt wants that an edit was seen in time.
func (c change) prompt(t *testing.T, what string, moment time.Time) {
	t.Helper()
	t.Logf("%s %s", what, c.when(moment))
	if moment.Sub(c.edited) > promptly {
		t.Errorf("%s only %s", what, c.when(moment))
	}
}

// always wants that everything was answered, at any time.
func (c change) always(t *testing.T, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		c.all(t, f.name+" is answered", f.all(), isAnswered)
	}
}

// never wants that nothing was answered, at any time.
func (c change) never(t *testing.T, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		c.all(t, f.name+" is refused", f.all(), isRefused)
	}
}

// admits wants that nothing was answered before the edit, and everything since it was acknowledged.
func (c change) admits(t *testing.T, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		c.all(t, f.name+" is refused before the edit", f.ended(c.edited), isRefused)
		c.all(t, f.name+" is answered after the edit", f.asked(c.settled), isAnswered)
		if i := slices.IndexFunc(f.all(), isAnswered); i >= 0 {
			first := f.all()[i]
			c.prompt(t, f.name+" is answered", first.At.Add(first.Took))
		}
	}
}

// shutsOut wants that everything was answered before the edit, and nothing since it was acknowledged.
func (c change) shutsOut(t *testing.T, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		c.all(t, f.name+" is answered before the edit", f.ended(c.edited), isAnswered)
		c.all(t, f.name+" is refused after the edit", f.asked(c.settled), isRefused)
		answered := slices.DeleteFunc(f.all(), isRefused)
		if len(answered) > 0 {
			last := answered[len(answered)-1]
			c.prompt(t, f.name+" is answered for the last time", last.At.Add(last.Took))
		}
	}
}

// all wants something of each outcome.
func (c change) all(t *testing.T, what string, outcomes []local.Outcome, holds func(local.Outcome) bool) {
	t.Helper()
	const shown = 5
	wrong := slices.DeleteFunc(outcomes, holds)
	if len(wrong) == 0 {
		return
	}
	t.Errorf("%s: %d times it was not so", what, len(wrong))
	for _, o := range wrong[:min(shown, len(wrong))] {
		t.Logf("  %s, on connection %d, took %s: %s %d %s %s", c.when(o.At), o.Connection, o.Took.Round(time.Millisecond), o.Result, o.Status, o.Backend, o.Reason)
	}
}

func isAnswered(o local.Outcome) bool { return o.Result == local.Allowed }
func isRefused(o local.Outcome) bool  { return o.Result != local.Allowed }
