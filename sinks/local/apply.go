//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

const (
	// switchWithin is how long new pods may keep the others waiting for their new addresses and names.
	switchWithin = 5 * time.Second
	// parting is how long a pod stays that nobody is led to any more: requests on their way come to their end.
	parting = time.Second
)

// apply brings the mesh to what is wanted, and leaves alone what is the same: new pods come first, then addresses and
// names lead to them, then old pods go. What does not work is told, and keeps nothing else from being done. The end of
// the context ends the waiting, and not the change once it has begun.
func (m *machine) apply(ctx context.Context, w wanted) (Failures, error) {
	ctx, give, err := m.turn.take(ctx)
	if err != nil {
		return nil, err
	}
	defer give()
	a := &application{machine: m, old: m.state.Load(), wanted: w, now: w}
	a.now.Addresses, a.now.Names = a.old.Addresses, a.old.Names
	a.change = changeOf(plansOf(a.old.pods), w.Pods)
	if err := m.forwarder.lead(w.ControlPlane, m.fabric.addresses()); err != nil {
		a.failed(Pod{}, fmt.Errorf("lead pods to the control plane: %w", err))
	}
	going := a.podsOf(a.change.gone)
	a.removeAll(a.podsOf(a.change.inTheWay))
	kept, fresh := a.keep(), a.make()
	a.publish(kept, fresh, going)
	started := a.start(ctx, slices.Concat(fresh, kept))
	select {
	case <-started:
	case <-time.After(switchWithin):
	}
	a.lead()
	a.publish(kept, fresh, going)
	a.part(going)
	a.publish(kept, fresh, nil)
	<-started
	return a.failures, nil
}

// application is one plan being applied.
type application struct {
	*machine
	old    *state
	wanted wanted
	change change
	// now is what is wanted, as far as it has been reached.
	now wanted

	mu       sync.Mutex
	failures Failures
}

// failed keeps what did not work in a pod, or in the mesh as a whole, and tells it.
func (a *application) failed(p Pod, err error) {
	if err == nil {
		return
	}
	a.tell(event{Trouble: a.fails(p, err)})
}

// fails keeps what does not work, and says it in words.
func (a *application) fails(p Pod, err error) string {
	f := Failure{Text: err.Error()}
	if p.Name != "" {
		f = Failure{p.String(), of(p, err).Error()}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failures = append(a.failures, f)
	return f.Text
}

// forEach does something with pods, several at a time.
func forEach[T any](list []T, do func(T)) {
	var workers sync.WaitGroup
	places := make(chan struct{}, several())
	for _, each := range list {
		places <- struct{}{}
		workers.Go(func() {
			defer func() { <-places }()
			do(each)
		})
	}
	workers.Wait()
}

func plansOf(pods []*pod) []Pod {
	plans := make([]Pod, len(pods))
	for i, p := range pods {
		plans[i] = p.Pod
	}
	return plans
}

// podsOf are the running pods of some plans.
func (a *application) podsOf(plans []Pod) []*pod {
	var pods []*pod
	for _, plan := range plans {
		pods = append(pods, a.old.byID[plan.id()])
	}
	return pods
}

func (a *application) removeAll(pods []*pod) {
	forEach(pods, func(p *pod) { a.failed(p.Pod, a.remove(p)) })
}

// keep brings pods that go on to what is new of them.
func (a *application) keep() []*pod {
	var kept []*pod
	for _, plan := range a.change.kept {
		kept = append(kept, &pod{plan, a.old.byID[plan.id()].home})
	}
	forEach(kept, func(p *pod) {
		if p.Sidecar && p.rules != a.wanted.Rules {
			a.failed(p.Pod, a.interceptor.renew(p, a.wanted.Rules))
		}
		if before := a.old.byID[p.id()]; !slices.Equal(before.Ports, p.Ports) && len(p.Command) == 0 {
			a.failed(p.Pod, p.echoes.listen(p))
		}
	})
	return kept
}

// make makes the pods that are new.
func (a *application) make() []*pod {
	made := make([]*pod, len(a.change.fresh))
	var indices []int
	for i := range made {
		indices = append(indices, i)
	}
	forEach(indices, func(i int) {
		p, err := a.makePod(a.change.fresh[i], a.wanted.Rules)
		a.failed(a.change.fresh[i], err)
		made[i] = p
	})
	return slices.DeleteFunc(made, func(p *pod) bool { return p == nil })
}

// publish makes it known what runs now, in the order of the plan.
func (a *application) publish(kept, fresh, going []*pod) {
	order := map[model.ProxyID]int{}
	for i, p := range a.wanted.Pods {
		order[p.id()] = i
	}
	pods := slices.Concat(kept, fresh)
	slices.SortFunc(pods, func(x, y *pod) int { return order[x.id()] - order[y.id()] })
	a.state.Store(newState(a.now, slices.Concat(pods, going)))
}

// start starts what does not run yet, and sidecars again whose file is another one. The channel is closed when all of
// them are ready, or were waited for in vain.
func (a *application) start(ctx context.Context, pods []*pod) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		forEach(pods, func(p *pod) {
			if p.Sidecar {
				a.freshen(ctx, p)
			}
			if len(p.Command) > 0 && p.command.Load() == nil {
				a.failed(p.Pod, a.startCommand(p))
				if c := p.command.Load(); c != nil {
					go a.watchCommand(p, c)
				}
			}
		})
	}()
	return done
}

// freshen makes sure that a sidecar runs that has read the file that is there.
func (a *application) freshen(ctx context.Context, p *pod) {
	s := p.sidecar.Load()
	stale, err := a.isStale(p, s)
	if err == nil && stale {
		if s, err = a.replaceSidecar(p); err == nil {
			defer func() { go a.watchSidecar(p, s) }()
		}
	}
	switch {
	case err != nil:
		a.failed(p.Pod, err)
	case !s.settled.Load():
		a.settle(ctx, p, s)
	case !s.works(ctx, p):
		a.fails(p.Pod, errNotReady) // It was told before.
	}
}

// works says whether a sidecar runs that has been ready once.
func (s *sidecar) works(ctx context.Context, p *pod) bool {
	if _, ended := s.ended(); ended {
		return false
	}
	if !s.worked.Load() && ready(ctx, p.adminClient()) {
		s.worked.Store(true)
	}
	return s.worked.Load()
}

var errNotReady = errors.New("its sidecar is not ready")

// settle waits for a sidecar. Its end may have been told already.
func (a *application) settle(ctx context.Context, p *pod, s *sidecar) {
	err := p.awaitSidecar(ctx, s)
	if _, ended := s.ended(); err != nil && ended && s.told.Swap(true) {
		a.fails(p.Pod, err)
		return
	}
	a.failed(p.Pod, err)
}

// isStale says whether the file of a sidecar is another one than it has read, or it has not been started.
func (a *application) isStale(p *pod, s *sidecar) (bool, error) {
	if s == nil {
		return true, nil
	}
	folder, err := a.sidecarFolder(p)
	if err != nil {
		return false, err
	}
	sum, err := sumOf(filepath.Join(folder, disk.ConfigFile))
	return sum != s.file, err
}

// replaceSidecar ends the sidecar that runs, if any, and starts another.
func (m *machine) replaceSidecar(p *pod) (*sidecar, error) {
	for {
		s := p.sidecar.Load()
		if s != nil {
			s.expected.Store(true)
			m.endProcess(s.process)
		}
		started, err := m.launchSidecar(p, s)
		if err == nil || p.sidecar.Load() == s {
			return started, err
		}
		// It was just started again by itself, from which file is not known.
	}
}

// lead leads to the pods that are wanted, by address and by name.
func (a *application) lead() {
	a.nameServer.know(a.wanted.Names)
	a.now.Names = a.wanted.Names
	oldIPv4, oldIPv6 := virtualRules(a.old.Addresses)
	ipv4, ipv6 := virtualRules(a.wanted.Addresses)
	if oldIPv4 != ipv4 || oldIPv6 != ipv6 || !sameAddresses(a.old.Addresses, a.wanted.Addresses) {
		if err := a.layVirtual(a.old.Addresses, a.wanted.Addresses, withoutJumps(ipv4), withoutJumps(ipv6)); err != nil {
			a.failed(Pod{}, fmt.Errorf("change the virtual addresses: %w", err))
			return
		}
	}
	a.now.Addresses = a.wanted.Addresses
}

// sameAddresses says whether two lists have the same virtual addresses, whatever is behind them.
func sameAddresses(a, b []Virtual) bool {
	return slices.EqualFunc(a, b, func(x, y Virtual) bool { return x.Address == y.Address })
}

// part lets pods go that nobody is led to any more.
func (a *application) part(going []*pod) {
	if len(going) == 0 {
		return
	}
	time.Sleep(parting)
	a.removeAll(going)
}
