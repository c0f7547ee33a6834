package live

import (
	"context"
	"time"

	"github.com/flomesh-io/fsmc/sources"
)

// Loop makes a round of each state of a source and publishes it.
type Loop struct {
	Pipeline Pipeline
	HoldOff  HoldOff
	// Previous, unless nil, is a round that was made and published already.
	Previous *Round
	// Publish brings a round to the sinks. The loop waits for it.
	Publish func(context.Context, *Round)
	// Queue, unless nil, is told how many states came while others were held off or worked on.
	Queue func(waiting int)

	// Resync, unless nil, says how often a round is made without a reason; 0 is never. It is asked after every round.
	Resync func(*Round) time.Duration
}

// Run works until the context ends or the inputs do. Whatever is sent on again makes another round of the newest input,
// for when something else changed that the pipeline looks at.
func (l *Loop) Run(ctx context.Context, inputs <-chan Input, again <-chan struct{}) {
	w := worker{Loop: l, round: l.Previous}
	if w.round != nil {
		w.newest = &w.round.Input
	}
	for {
		select {
		case <-ctx.Done():
			return
		case in, ok := <-inputs:
			if !ok {
				w.finish(ctx)
				return
			}
			w.take(in)
		case <-again:
			w.repeat()
		case <-w.alarm():
			w.work(ctx)
		}
	}
}

// worker is the state of a loop that runs.
type worker struct {
	*Loop
	round  *Round
	newest *Input
	// first and last are when the changes came that wait; first is zero when none does.
	first, last time.Time
	waiting     int
	urgent      bool
	next        time.Time // of the resync
}

// take notes a new state. It is urgent if only endpoints differ from the one before.
func (w *worker) take(in Input) {
	before := w.objects()
	w.urgent = (w.first.IsZero() || w.urgent) && before != nil && endpointsOnly(*before, in.Objects)
	w.newest = &in
	w.note()
}

// repeat makes another round of the newest state, at once unless others wait.
func (w *worker) repeat() {
	if w.newest == nil {
		return
	}
	w.urgent = w.urgent || w.first.IsZero()
	w.note()
}

// objects are those of the newest state; nil before there is one.
func (w *worker) objects() *sources.Objects {
	if w.newest == nil {
		return nil
	}
	return &w.newest.Objects
}

func (w *worker) note() {
	now := w.Pipeline.Now()
	if w.first.IsZero() {
		w.first = now
	}
	w.last = now
	w.waiting++
	w.tell()
}

func (w *worker) tell() {
	if w.Queue != nil {
		w.Queue(w.waiting)
	}
}

// alarm fires when it is time to work; it is nil when there is nothing to do.
func (w *worker) alarm() <-chan time.Time {
	due := w.next
	if !w.first.IsZero() {
		due = w.HoldOff.due(w.first, w.last)
		if w.urgent || w.round == nil {
			due = w.first
		}
	}
	if due.IsZero() {
		return nil
	}
	return time.After(max(0, due.Sub(w.Pipeline.Now())))
}

// work makes a round of the newest state and publishes it.
func (w *worker) work(ctx context.Context) {
	w.first, w.urgent, w.waiting = time.Time{}, false, 0
	w.tell()
	end := func(error) {}
	if w.Pipeline.Spans != nil {
		ctx, end = w.Pipeline.Spans(ctx, "snapshot")
	}
	w.round = w.Pipeline.Next(ctx, *w.newest, w.round)
	w.Publish(ctx, w.round)
	end(nil)
	w.next = time.Time{}
	if w.Resync != nil {
		if every := w.Resync(w.round); every > 0 {
			w.next = w.Pipeline.Now().Add(every)
		}
	}
}

// finish works on what waits still.
func (w *worker) finish(ctx context.Context) {
	if !w.first.IsZero() {
		w.work(ctx)
	}
}
