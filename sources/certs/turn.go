package certs

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// opened is an authority, and the size of keys that it was opened for.
type opened struct {
	Authority
	keyBits int
}

// turn brings the rotation as far as it can go at this moment.
func (k *Keeper) turn(ctx context.Context) {
	for k.turnOnce(ctx) {
	}
}

// turnOnce makes one step, and says whether there may be another one.
func (k *Keeper) turnOnce(ctx context.Context) bool {
	step, ok := k.step(ctx)
	if !ok {
		return false
	}
	if step.Forced {
		k.options.Log.Warn("proxies have not acknowledged certificates in time", "step", string(step.Kind))
	}
	if step.Moved() {
		k.options.Log.Info("root certificates", "step", string(step.Kind))
	}
	if step.Moved() || step.Forced {
		k.options.Rotated(step)
	}
	if step.changesTrust() {
		k.options.Changed(nil, true)
		k.owe(-1)
	}
	return step.Moved()
}

// step makes a step towards what is declared; ok is false when there is no authority yet.
func (k *Keeper) step(ctx context.Context) (step Step, ok bool) {
	k.turning.Lock()
	defer k.turning.Unlock()
	declared, keyBits, applied := k.wanted()
	if !applied {
		return Step{}, false
	}
	if step, ok := k.resume(ctx, keyBits); ok {
		return step, true
	}
	usable, ok := k.open(ctx, declared, keyBits)
	if !ok {
		return Step{}, false
	}
	return k.advance(usable), true
}

// resume begins where the rotation stood, unless there has been a beginning, or the root that signed cannot be opened.
func (k *Keeper) resume(ctx context.Context, keyBits int) (Step, bool) {
	from := k.options.Resume
	if k.hasBegun() || len(from.Trusts) == 0 || !k.openOne(ctx, from.Signs, keyBits) {
		return Step{}, false
	}
	var trusts []Trusted
	for _, t := range from.Trusts {
		if k.openOne(ctx, t.Root, keyBits) {
			trusts = append(trusts, t)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.begin(State{Signs: from.Signs, Trusts: trusts}), true
}

// begin takes the first state on.
func (k *Keeper) begin(state State) Step {
	k.begun = true
	k.untold++
	k.enter(state, k.options.Now())
	return Step{Kind: Begins}
}

// wanted are the roots that there shall be, and the size of their keys; applied is false when that is not known yet.
func (k *Keeper) wanted() (declared []model.Root, keyBits int, applied bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.declared) == 0 {
		return []model.Root{{Signs: true}}, k.terms.keyBits, k.applied
	}
	return k.declared, k.terms.keyBits, k.applied
}

// open opens what is declared, and gives what there is of it. As long as the root that is to sign cannot be opened, the
// one that signs goes on; ok is false when there is none.
func (k *Keeper) open(ctx context.Context, declared []model.Root, keyBits int) (usable []model.Root, ok bool) {
	signs := signing(declared)
	for _, root := range declared {
		if k.openOne(ctx, key(root), keyBits) {
			root.Signs = key(root) == signs
			usable = append(usable, root)
		}
	}
	if slices.ContainsFunc(usable, func(r model.Root) bool { return r.Signs }) {
		return usable, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.state.Signs
	now.Signs = true
	return append(usable, now), k.begun
}

// openOne opens an authority unless it is open, or has failed a moment ago. One whose keys have another size stays if it
// cannot be opened again.
func (k *Keeper) openOne(ctx context.Context, root model.Root, keyBits int) bool {
	now := k.now()
	k.mu.Lock()
	have, isOpen := k.authorities[root]
	attempt := k.attempts[root]
	k.mu.Unlock()
	if isOpen && have.keyBits == keyBits || attempt.rest(now) > 0 {
		return isOpen
	}
	authority, err := k.openNew(ctx, root, keyBits)
	if err != nil && (attempt.err == nil || attempt.err.Error() != err.Error()) {
		k.options.Log.Error("authority not opened", "error", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.attempts[root] = attempt.failed(now, err, k.options.Jitter())
		return isOpen
	}
	delete(k.attempts, root)
	k.authorities[root] = opened{authority, keyBits}
	return true
}

func (k *Keeper) openNew(ctx context.Context, root model.Root, keyBits int) (Authority, error) {
	if root.Name != "" && root.Provider == "" {
		return nil, fmt.Errorf("open the authority %s: it cannot be used", root.Name)
	}
	authority, err := k.options.Open(ctx, root, keyBits)
	if err != nil {
		return nil, fmt.Errorf("open the authority %s: %w", nameOf(root), err)
	}
	return authority, nil
}

func nameOf(root model.Root) string {
	if root.Name == "" {
		return "of the control plane"
	}
	return root.Name
}

// calm is for how long everything has to be acknowledged: who was told of a change may need a moment to look at it.
const calm = time.Second

// advance makes a step towards the roots that can be used.
func (k *Keeper) advance(usable []model.Root) Step {
	settled := k.options.Settled()
	now := k.options.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.begun {
		return k.begin(Begin(usable))
	}
	if k.hasStale() {
		settled, k.since = false, now
	}
	if !settled {
		k.restless = now
	}
	settled = settled && now.Sub(k.restless) >= calm
	next, step := Next(k.state, usable, Heard{Settled: settled, Waited: now.Sub(k.since), Patience: k.options.Patience})
	k.state = next
	if step.Moved() {
		k.enter(next, now)
	}
	if step.changesTrust() {
		k.untold++
	}
	return step
}

// enter takes a state on. What no state needs is forgotten: if it is declared again, it is opened again.
func (k *Keeper) enter(state State, now time.Time) {
	k.state, k.terms.root = state, state.Signs
	k.since, k.restless = now, now
	open := map[model.Root]opened{}
	var bundle [][]byte
	for _, t := range state.Trusts {
		open[t.Root] = k.authorities[t.Root]
		bundle = append(bundle, open[t.Root].Trust())
	}
	k.authorities = open
	k.trust = bytes.Join(unique(bundle), nil)
}

// unique keeps the first of what is there several times: two roots can be kept in one place.
func unique(texts [][]byte) [][]byte {
	var kept [][]byte
	for _, text := range texts {
		if !slices.ContainsFunc(kept, func(k []byte) bool { return bytes.Equal(k, text) }) {
			kept = append(kept, text)
		}
	}
	return kept
}

// hasStale says whether somebody has, or is about to get, a certificate that another root has signed, or has not been
// told of a new one.
func (k *Keeper) hasStale() bool {
	now := k.now()
	for _, l := range k.leaves {
		if l.held.isValid(now) && l.held.terms.root != k.terms.root || l.flight != nil && l.flight.terms.root != k.terms.root {
			return true
		}
	}
	return k.untold > 0
}

// isSteady says whether no rotation is going on.
func (k *Keeper) isSteady() bool {
	for _, t := range k.state.Trusts {
		if t.Unknown || t.Used != (t.Root == k.state.Signs) {
			return false
		}
	}
	return true
}
