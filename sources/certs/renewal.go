package certs

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

const (
	// glance is how often Run looks at the clock, which may have been put forward.
	glance = 10 * time.Second
	// poll is how often Run asks for acknowledgements while it waits for them.
	poll = 200 * time.Millisecond
	// batch is how many certificates are renewed before somebody is told.
	batch = 64
)

// Run renews certificates and rotates roots, until the context ends.
func (k *Keeper) Run(ctx context.Context) {
	for ctx.Err() == nil {
		k.turn(ctx)
		k.renew(ctx)
		timer := time.NewTimer(k.pause())
		select {
		case <-ctx.Done():
		case <-k.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// renewal is when a certificate that is issued now is to be renewed: at two thirds of its life, give or take a tenth of
// the rest, so that certificates that were issued at once are not renewed at once. Jitter is from 0 up to 1.
func renewal(now, end time.Time, jitter float64) time.Time {
	life := end.Sub(now)
	rest := life / 3
	return now.Add(life - rest + time.Duration((2*jitter-1)*float64(rest)/10))
}

// renew issues anew every certificate whose time has come.
func (k *Keeper) renew(ctx context.Context) {
	for due := range slices.Chunk(k.due(), batch) {
		if ctx.Err() != nil {
			return
		}
		k.owe(1)
		renewed, failed, err := k.renewAll(ctx, due)
		if len(renewed) > 0 {
			k.options.Changed(renewed, false)
		}
		k.owe(-1)
		k.complain(failed, err)
	}
}

// complain logs a failure that is another one than the last.
func (k *Keeper) complain(failed int, err error) {
	var text string
	if err != nil {
		text = err.Error()
	}
	k.mu.Lock()
	known := k.complained == text
	k.complained = text
	k.mu.Unlock()
	if err != nil && !known {
		k.options.Log.Error("certificates not renewed", "number", failed, "error", err)
	}
}

// renewAll renews certificates, as many at once as there are processors. It says of which somebody is to be told, and how
// many have failed.
func (k *Keeper) renewAll(ctx context.Context, due []model.Identity) (renewed []model.Identity, failed int, err error) {
	flights := make([]*flight, len(due))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i, identity := range due {
		slots <- struct{}{}
		all.Go(func() {
			own := newFlight()
			own.quiet = true
			f := k.ask(ctx, identity, own)
			select {
			case <-f.done:
				flights[i] = f
			case <-ctx.Done():
			}
			<-slots
		})
	}
	all.Wait()
	for i, f := range flights {
		if f != nil && f.news && f.quiet {
			renewed = append(renewed, due[i])
		}
	}
	failed, err = k.failures(due)
	return renewed, failed, err
}

// failures counts who has failed the last time, and gives the reason of the first.
func (k *Keeper) failures(identities []model.Identity) (failed int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, identity := range identities {
		if l := k.leaves[identity]; l != nil && l.attempt.failures > 0 {
			failed++
			err = cmp.Or(err, l.attempt.err)
		}
	}
	return failed, err
}

// due are the identities whose certificates are to be renewed now, in order.
func (k *Keeper) due() []model.Identity {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []model.Identity
	for identity, l := range k.leaves {
		if l.wait(now, k.terms) == 0 {
			list = append(list, identity)
		}
	}
	slices.SortFunc(list, model.Identity.Compare)
	return list
}

// pause is how long there is nothing to do.
func (k *Keeper) pause() time.Duration {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	pause := glance
	if !k.isSteady() {
		pause = poll
	}
	for _, a := range k.attempts {
		pause = min(pause, max(a.rest(now), poll))
	}
	for _, l := range k.leaves {
		pause = min(pause, max(l.wait(now, k.terms), poll))
	}
	k.until = now.Add(pause)
	return pause
}

// early wakes Run if a certificate needs something before Run looks again.
func (k *Keeper) early(l *leaf) {
	now := k.now()
	k.mu.Lock()
	isEarly := now.Add(l.wait(now, k.terms)).Before(k.until)
	k.mu.Unlock()
	if isEarly {
		k.wake()
	}
}

// wait is for how long the certificate needs nothing: 0 is that it is to be renewed now.
func (l *leaf) wait(now time.Time, terms terms) time.Duration {
	switch {
	case l.held.isGood(now, terms):
		return l.held.renewal.Sub(now)
	case l.held == nil && l.attempt.failures == 0:
		// Somebody is asking for it at this moment.
		return glance
	default:
		return l.attempt.rest(now)
	}
}

// attempt is how often in a row something has failed, and when and why the last time. The zero value is not at all.
type attempt struct {
	failures int
	at       time.Time
	pause    time.Duration
	err      error
}

const (
	shortestPause = time.Second
	longestPause  = time.Minute
)

// failed is one failure more. The pause doubles each time, and is up to a quarter longer by jitter.
func (a attempt) failed(now time.Time, err error, jitter float64) attempt {
	pause := min(shortestPause<<min(a.failures, 10), longestPause)
	return attempt{failures: a.failures + 1, at: now, err: err, pause: pause + time.Duration(jitter*float64(pause)/4)}
}

// rest is how long not to try again; none if the clock was put back meanwhile.
func (a attempt) rest(now time.Time) time.Duration {
	passed := now.Sub(a.at)
	if a.failures == 0 || passed < 0 {
		return 0
	}
	return max(a.pause-passed, 0)
}
