package files

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// Events only say that it is time to look. What changed is found by reading, so that it does not matter how an editor
// writes, what is told twice, late or not at all, or which link was turned to where.

const (
	// quiet is how long nothing must happen before the files are read, and quietAfterLoss before a file is believed to be
	// removed: editors take a file away for a moment, and put another in its place.
	quiet, quietAfterLoss = 15 * time.Millisecond, 60 * time.Millisecond
	// longest bounds the wait when something happens all the time.
	longest = 250 * time.Millisecond
	// again is how long after a change of folders they are looked at once more: a folder that appears is not watched at once.
	again = 500 * time.Millisecond
	// interval is how often files are read that cannot be watched.
	interval = time.Second
)

// Watch reads when something changed, and calls changed with each result that differs from the last one that Read or Watch
// gave: in its objects, their places, or its diagnostics. It calls from one goroutine, its own, and waits for the call. If
// nothing was read before, the first result is told too.
//
// It returns when ctx ends, with nil, or when the first reading fails. Where the system cannot tell of changes, files are
// read every second; a diagnostic says so and why.
func (r *Reader) Watch(ctx context.Context, changed func(Result)) error {
	w := &watch{reader: r, changed: changed}
	w.told, w.any = r.lastRead()
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return w.poll(ctx, err)
	}
	defer func() { _ = watcher.Close() }()
	w.watcher = watcher
	return w.follow(ctx)
}

func (r *Reader) lastRead() (Result, bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.last, r.files != nil
}

// watch is one run of Watch.
type watch struct {
	reader  *Reader
	changed func(Result)
	watcher *fsnotify.Watcher
	folders folders
	// moved says that folders or links may not be where they were; later, that they are to be looked at once more.
	moved, later bool
	// told is what is known outside, if any was told.
	told Result
	any  bool
	// impossible is why the system cannot tell of changes; nil while it does.
	impossible error
	// polled says so.
	polled []model.Diagnostic
}

// follow waits for events and looks.
func (w *watch) follow(ctx context.Context) error {
	w.moved = true
	for {
		w.renew()
		result, err := w.settle(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case w.impossible != nil:
			return w.poll(ctx, w.impossible)
		}
		w.tell(result)
		if !w.wait(ctx, w.patience()) {
			return nil
		}
	}
}

// patience is how long to wait for an event: until something half written is taken as removed, or folders are to be looked
// at once more.
func (w *watch) patience() time.Duration {
	wait := time.Duration(1<<63 - 1)
	if w.later {
		wait = again
	}
	if due := w.reader.due(); !due.IsZero() {
		wait = min(wait, max(time.Until(due), 0)+time.Millisecond)
	}
	return wait
}

// wait returns when something happened, or when the time is over; false when ctx ended.
func (w *watch) wait(ctx context.Context, most time.Duration) bool {
	over := time.NewTimer(most)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over.C:
			w.moved, w.later = w.later, false
			return true
		case event := <-w.watcher.Events:
			if w.concerns(event) {
				return true
			}
		case err := <-w.watcher.Errors:
			w.missed(err)
			return true
		}
	}
}

// missed notes that events were lost, for whatever reason: everything may have happened.
func (w *watch) missed(error) { w.moved, w.later = true, true }

// settle reads when nothing has happened for a moment, and again if something happened while it read.
func (w *watch) settle(ctx context.Context) (Result, error) {
	began := time.Now()
	for calm := quiet; ; {
		stirred := w.calm(ctx, calm, began.Add(longest))
		w.renew()
		result, err := w.reader.Read()
		late := time.Since(began) >= longest
		switch {
		case err != nil || ctx.Err() != nil || late:
			return result, err
		case result.lacks(w.told) && (stirred || calm < quietAfterLoss):
			calm = quietAfterLoss
		case !w.stirs():
			return result, nil
		}
	}
}

// calm waits until nothing has happened for a time, but no longer than until a moment; it says whether anything happened.
func (w *watch) calm(ctx context.Context, calm time.Duration, until time.Time) bool {
	stirred := false
	for {
		over := time.NewTimer(min(calm, time.Until(until)))
		select {
		case <-ctx.Done():
		case <-over.C:
		case event := <-w.watcher.Events:
			over.Stop()
			stirred = w.concerns(event) || stirred
			continue
		case err := <-w.watcher.Errors:
			over.Stop()
			w.missed(err)
			stirred = true
			continue
		}
		over.Stop()
		return stirred
	}
}

// stirs says whether something happened that nobody looked at yet.
func (w *watch) stirs() bool {
	for {
		select {
		case event := <-w.watcher.Events:
			if w.concerns(event) {
				return true
			}
		default:
			return false
		}
	}
}

// lacks says whether a file is not there any more.
func (r Result) lacks(before Result) bool {
	names := map[string]bool{}
	for _, t := range r.Positions.texts {
		names[t.name] = true
	}
	return before.Positions != nil && slices.ContainsFunc(before.Positions.texts, func(t *text) bool { return !names[t.name] })
}

// tell tells a result that is not known yet.
func (w *watch) tell(result Result) {
	if len(w.polled) > 0 {
		result.Diagnostics = model.SortDiagnostics(slices.Concat(result.Diagnostics, w.polled))
	}
	if w.any && result.same(w.told) {
		return
	}
	w.told, w.any = result, true
	w.changed(result)
}

// same says whether two results say the same.
func (r Result) same(other Result) bool {
	return slices.Equal(r.Diagnostics, other.Diagnostics) && sources.Same(r.Objects, other.Objects) && r.Positions.same(other.Positions)
}

// poll reads at intervals.
func (w *watch) poll(ctx context.Context, why error) error {
	note := model.Note(model.PolledFiles, model.Ref{}, fmt.Sprintf("changes of files cannot be watched: %v", why)).
		Did(fmt.Sprintf("they are read every %s", interval))
	w.polled = []model.Diagnostic{note}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		result, err := w.reader.Read()
		if err != nil {
			return err
		}
		w.tell(result)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}
