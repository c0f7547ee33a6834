//go:build linux

package local

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// How often outcomes are sent to the client, and how long a connection that has failed is not made again.
const (
	tellEvery  = 50 * time.Millisecond
	retryAfter = 10 * time.Millisecond
)

// load makes a load, and tells of its outcomes in batches until it ends, or a signal ends it.
func (m *machine) load(ctx context.Context, wanted Load, signals <-chan syscall.Signal, tell func(reply) error) ([]Outcome, error) {
	wanted, err := wanted.whole()
	if err != nil {
		return nil, err
	}
	p, err := m.pod(wanted.Namespace, wanted.Pod)
	if err != nil {
		return nil, err
	}
	ctx, cancel := p.bothEnd(ctx)
	defer cancel()
	if wanted.For > 0 {
		ended := time.AfterFunc(wanted.For, cancel)
		defer ended.Stop()
	}
	l := &loader{pod: p, Load: wanted, proved: m.echoesOnly()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	for tick := time.NewTicker(tellEvery); ; {
		select {
		case <-tick.C:
			if tell(reply{Outcomes: l.collect()}) != nil {
				cancel() // The client has gone.
			}
		case <-signals:
			cancel()
		case <-done:
			tick.Stop()
			if p.stays.Err() != nil {
				err = errPodGone
			}
			return l.collect(), err
		}
	}
}

// loader is a load that is being made.
type loader struct {
	Load
	pod *pod
	// proved says that an answer counts only if the echo server has given it.
	proved bool
	// taken counts the requests that were begun, connections the connections.
	taken, connections atomic.Int64

	mu       sync.Mutex
	outcomes []Outcome
}

// collect takes the outcomes that have not been told.
func (l *loader) collect() []Outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	collected := l.outcomes
	l.outcomes = nil
	return collected
}

// run runs the load to its end.
func (l *loader) run(ctx context.Context) {
	var workers sync.WaitGroup
	lines := make([]line, l.Connections)
	for i := range lines {
		lines[i].loader = l
		for range l.Parallel {
			workers.Go(func() { l.work(ctx, &lines[i]) })
		}
	}
	workers.Wait()
	for i := range lines {
		lines[i].hangUp(lines[i].now)
	}
}

// take says whether there is one more request to make.
func (l *loader) take(ctx context.Context) bool {
	return ctx.Err() == nil && (l.Count <= 0 || l.taken.Add(1) <= int64(l.Count))
}

// work makes one request after another on a line.
func (l *loader) work(ctx context.Context, on *line) {
	every := l.Every
	if l.Kind == HTTP2Stream {
		every = 0 // The server says when.
	}
	for next := time.Now(); l.take(ctx); {
		began := time.Now()
		h, number, broken := on.ask(ctx)
		if h.err != nil && ctx.Err() != nil {
			return // It was not left to come to its end.
		}
		l.keep(h.outcome(began, number, l.proved))
		if next = next.Add(every); broken && next.Before(time.Now().Add(retryAfter)) {
			next = time.Now().Add(retryAfter)
		}
		if pause := time.Until(next); pause <= 0 {
			next = time.Now()
		} else if !slept(ctx, pause) {
			return
		}
	}
}

// slept waits, and says whether the context has not ended.
func slept(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (l *loader) keep(o Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes = append(l.outcomes, o)
}

// outcome judges what was heard.
func (h heard) outcome(began time.Time, connection int, proved bool) Outcome {
	answer := h.answer()
	o := Outcome{
		At: began, Took: time.Since(began), Connection: connection, Result: Failed,
		Status: answer.Status, Backend: answer.Backend, Reason: answer.Reason,
	}
	switch {
	case h.err != nil:
		o.Backend, o.Reason = "", words(h.err) // A part of an answer is none.
	case answer.Allowed && (answer.Backend != "" || !proved):
		o.Result = Allowed
	case h.status == http.StatusForbidden || strings.Contains(answer.Reason, "RBAC: access denied"):
		o.Result = Denied
	}
	if o.Result != Allowed && o.Reason == "" {
		o.Reason = "somebody else answered: " + strconv.Itoa(h.status)
	}
	return o
}

// speaker is a connection on which one thing after another can be said.
type speaker interface {
	// speak says it and waits for what comes of it. The connection is of no use any more after an error, or if last is true.
	speak(ctx context.Context) (h heard, last bool)
	// close closes the connection, when what is under way on it has ended.
	close()
}

// line is one connection at a time, which is made again when it has ended.
type line struct {
	loader *loader

	mu     sync.Mutex
	now    speaker
	number int
}

// ask makes one request on the connection. The number says on which, and broken that it has not come to a good end.
func (l *line) ask(ctx context.Context) (h heard, number int, broken bool) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s, number, h := l.open(ctx)
	if s == nil {
		return h, number, true
	}
	h, last := s.speak(ctx)
	if last || h.err != nil {
		l.hangUp(s)
	}
	return h, number, h.err != nil
}

// open is the connection, or what was heard instead of one.
func (l *line) open(ctx context.Context) (speaker, int, heard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now != nil {
		return l.now, l.number, heard{}
	}
	number := int(l.loader.connections.Add(1))
	s, h := l.loader.connect(ctx)
	l.now, l.number = s, number
	return s, number, h
}

// hangUp closes the connection, if it is still that one.
func (l *line) hangUp(s speaker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now != nil && l.now == s {
		l.now.close()
		l.now = nil
	}
}

// connect makes a connection. Without one it says what was heard.
func (l *loader) connect(ctx context.Context) (speaker, heard) {
	if l.Kind == FreshConnections {
		return fresh{l}, heard{}
	}
	connecting, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	c, err := l.pod.dial(connecting, "tcp", l.Address.String())
	if err != nil {
		return nil, heard{err: err}
	}
	return l.on(ctx, c)
}

// on makes of a connection what is spoken on.
func (l *loader) on(ctx context.Context, c net.Conn) (speaker, heard) {
	switch l.Kind {
	case HTTP2Requests:
		return multiplexed(ctx, c, *l.Request)
	case HTTP2Stream:
		return streamed(ctx, c, *l.Request, l.Every)
	case WebsocketMessages:
		return messages(ctx, c, *l.Request)
	case TCPLines:
		return newLines(c), heard{}
	default:
		return newRequests(c, *l.Request), heard{}
	}
}

// fresh makes a connection for each request.
type fresh struct{ loader *loader }

func (f fresh) speak(ctx context.Context) (heard, bool) {
	q := verdict.Question{Address: f.loader.Address, Request: f.loader.Request}
	return f.loader.pod.exchange(ctx, q), true
}

func (fresh) close() {}
