package main

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/sources"
)

// follower brings the pods on this machine to what the manifests say, without losing a request: a pod that is new is no
// ready endpoint before its sidecar is, one that is gone serves until then (handover.go), and runs until every sidecar
// knows.
type follower struct {
	mesh *local.Mesh
	// settled says whether every sidecar has what it is to have.
	settled func() bool
	trouble func(string)
	// again asks for another round, as pods are ready now.
	again chan struct{}
	// news says that there is a newer plan.
	news chan struct{}

	mu sync.Mutex
	up map[string]model.Identity // the pods that run, by namespace/name
	// running is what runs, wanted what shall.
	running, wanted local.Plan
	// never are pods that will not run, and are not waited for.
	never []string
	// last are the objects of the round before.
	last sources.Objects
}

func newFollower(trouble func(string)) *follower {
	return &follower{trouble: trouble, news: make(chan struct{}, 1), up: map[string]model.Identity{}}
}

// begin says that the pods of the plan are up, which was made of some objects.
func (f *follower) begin(mesh *local.Mesh, plan local.Plan, from sources.Objects) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mesh, f.running, f.wanted, f.last = mesh, plan, plan, from
	f.mark(plan, nil)
}

// mark notes that the pods of a plan, and no others, are up, but for those that are broken. It says whether one is new.
func (f *follower) mark(plan local.Plan, broken []string) bool {
	before := f.up
	f.up = map[string]model.Identity{}
	fresh := false
	for _, p := range plan.Pods {
		if slices.Contains(broken, p.String()) {
			continue
		}
		f.up[p.String()] = p.Identity
		was, ran := before[p.String()]
		fresh = fresh || !ran || was != p.Identity
	}
	return fresh
}

// want asks for a plan; the newest counts. Pods that are left out of it are not waited for.
func (f *follower) want(plan local.Plan, leftOut []string) {
	f.mu.Lock()
	f.wanted, f.never = plan, leftOut
	f.mu.Unlock()
	poke(f.news)
}

// poke leaves a word in a channel that holds one.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// leaving are the pods that run and are not in a plan.
func (f *follower) leaving(plan local.Plan) []model.ProxyID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []model.ProxyID
	for _, p := range withGone(plan, f.running).Pods[len(plan.Pods):] {
		if p.Sidecar {
			ids = append(ids, model.ProxyID{Namespace: p.Namespace, Name: p.Name})
		}
	}
	return ids
}

// run follows until the context ends.
func (f *follower) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.news:
			f.approach(ctx)
		}
	}
}

// approach goes a step towards the plan that is wanted: first what is new comes up, and only when all sidecars know of
// it, and of what is gone, the latter ends. Each step is followed by another round.
func (f *follower) approach(ctx context.Context) {
	f.mu.Lock()
	wanted := f.wanted
	both := withGone(wanted, f.running)
	replaces := f.replaces(wanted)
	f.mu.Unlock()
	if replaces {
		f.await(ctx)
	}
	if fresh := f.apply(ctx, both); fresh {
		poke(f.again)
		return
	}
	if len(both.Pods) > len(wanted.Pods) {
		f.await(ctx)
		f.apply(ctx, wanted)
		poke(f.again)
	}
}

// replaces says whether a pod has to end before another can come in its place.
func (f *follower) replaces(plan local.Plan) bool {
	return slices.ContainsFunc(plan.Pods, func(p local.Pod) bool {
		identity, runs := f.up[p.String()]
		return runs && identity != p.Identity
	})
}

// apply brings the pods to a plan, and says whether one is up that was not. What does not work has been told by then.
func (f *follower) apply(ctx context.Context, plan local.Plan) bool {
	broken := local.Broken(f.mesh.Apply(ctx, plan))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = plan
	return f.mark(plan, broken)
}

// await gives sidecars time to learn what was published.
func (f *follower) await(ctx context.Context) {
	const most, every = 5 * time.Second, 20 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for deadline := time.Now().Add(most); !f.settled() && time.Now().Before(deadline); {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// withGone is a plan with the pods that run and are not in it, unless their addresses are taken.
func withGone(plan, running local.Plan) local.Plan {
	names, addresses := map[string]bool{}, map[string]bool{}
	for _, p := range plan.Pods {
		names[p.String()] = true
		for _, a := range p.Addresses {
			addresses[a.String()] = true
		}
	}
	both := plan
	both.Pods = slices.Clone(plan.Pods)
	for _, p := range running.Pods {
		taken := slices.ContainsFunc(p.Addresses, func(a netip.Addr) bool { return addresses[a.String()] })
		if !names[p.String()] && !taken {
			both.Pods = append(both.Pods, p)
		}
	}
	return both
}
