package main

import (
	"fmt"
	"sync"
	"time"
)

// progress tells on a terminal what is being done, once it has taken longer than a second. It wipes itself out at the
// end. The nil progress tells nothing.
type progress struct {
	w       world
	started time.Time
	stop    chan struct{}
	gone    sync.WaitGroup

	mu          sync.Mutex
	what        string
	done, total int
}

const (
	patience  = time.Second
	heartbeat = 100 * time.Millisecond
)

// startProgress begins to tell on standard error, if that is a terminal.
func startProgress(w world) *progress {
	if !isTerminal(w.err) {
		return nil
	}
	return newProgress(w)
}

func newProgress(w world) *progress {
	p := &progress{w: w, started: w.now(), stop: make(chan struct{})}
	p.gone.Go(p.run)
	return p
}

// doing names the step that begins now.
func (p *progress) doing(what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.done, p.total = what, 0, 0
}

// count says how far the step is. It may be called from several goroutines.
func (p *progress) count(done, total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total = max(p.done, done), total
}

// end wipes the line out.
func (p *progress) end() {
	if p == nil {
		return
	}
	close(p.stop)
	p.gone.Wait()
}

func (p *progress) run() {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	told := false
	for {
		select {
		case <-p.stop:
			if told {
				_, _ = fmt.Fprint(p.w.err, "\r\x1b[K")
			}
			return
		case <-ticker.C:
			if elapsed := p.w.now().Sub(p.started); elapsed > patience {
				told = true
				_, _ = fmt.Fprint(p.w.err, "\r\x1b[K"+p.line(elapsed))
			}
		}
	}
}

func (p *progress) line(elapsed time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := fmt.Sprintf("%s, %.0f s", p.what, elapsed.Seconds())
	if p.total > 0 {
		text += fmt.Sprintf(", %d of %d", p.done, p.total)
	}
	return text
}
