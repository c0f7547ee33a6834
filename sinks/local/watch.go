//go:build linux

package local

import (
	"context"
	"fmt"
	"time"
)

// watch follows what was started in a pod, to its end.
func (m *machine) watch(p *pod) {
	if s := p.sidecar.Load(); s != nil {
		go m.watchSidecar(p, s)
	}
	if c := p.command.Load(); c != nil {
		go m.watchCommand(p, c)
	}
}

// How long a sidecar that has ended stays so: each time twice as long, until it has run for a while.
const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	longEnough   = time.Minute
)

// pauseAfter is how long to wait before a sidecar is started again, which waited for so long the last time, and then
// lived.
func pauseAfter(last, lived time.Duration) time.Duration {
	if last == 0 || lived >= longEnough {
		return firstPause
	}
	return min(2*last, longestPause)
}

// watchSidecar tells of the end of a sidecar that nobody has asked for, and starts it again.
func (m *machine) watchSidecar(p *pod, s *sidecar) {
	for {
		select {
		case <-s.done:
		case <-p.stays.Done():
			return
		}
		if s.expected.Load() || m.stopping.Load() {
			return
		}
		pause := pauseAfter(s.paused, time.Since(s.since))
		if !s.told.Swap(true) {
			m.trouble(p, fmt.Errorf("its sidecar ended (%s): %s%s", ending(s.status), lastComplaint(s.log), m.prospect(pause)))
		}
		if !m.Restart {
			return
		}
		var err error
		if s, err = m.restartSidecar(p, s, pause); err != nil {
			return
		}
	}
}

// prospect says what comes next.
func (m *machine) prospect(pause time.Duration) string {
	if !m.Restart {
		return ""
	}
	return fmt.Sprintf(". It starts again in %s", pause)
}

// restartSidecar starts a sidecar that has ended again after a pause, until that works. The error is that it is of no use
// any more.
func (m *machine) restartSidecar(p *pod, ended *sidecar, pause time.Duration) (*sidecar, error) {
	for {
		select {
		case <-time.After(pause):
		case <-p.stays.Done():
			return nil, errPodGone
		}
		started, err := m.launchSidecar(p, ended)
		if err == nil || p.sidecar.Load() != ended || p.stays.Err() != nil {
			if started != nil {
				started.paused = pause
			}
			return started, err
		}
		m.trouble(p, err)
		pause = min(2*pause, longestPause)
	}
}

// watchCommand tells of the end of a command that nobody has asked for.
func (m *machine) watchCommand(p *pod, c *command) {
	select {
	case <-c.done:
	case <-p.stays.Done():
		return
	}
	if !m.stopping.Load() {
		m.trouble(p, fmt.Errorf("its command ended (%s). Its last lines:\n%s", ending(c.status), lastLines(c.log)))
	}
}

// trouble tells what happened to a pod.
func (m *machine) trouble(p *pod, err error) { m.tell(event{Trouble: of(p.Pod, err).Error()}) }

// bothEnd is a context that ends when the pod has to go, too.
func (p *pod) bothEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.stays, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
