package local

import (
	"context"
	"sync"
)

// turn is whose turn it is to make another state of the mesh: one after another, in the order in which they came.
type turn struct {
	mu sync.Mutex
	// last is closed when the one who came last has had the turn; nil before anybody came.
	last chan struct{}
	// hurry tells who has the turn not to wait for anything any more; nil before anybody had it.
	hurry context.CancelFunc
}

// take waits for the turn, unless the context ends before it comes. The context that is returned ends when somebody else
// waits for the turn, which the function gives back.
func (t *turn) take(ctx context.Context) (context.Context, func(), error) {
	before, mine := t.queue()
	select {
	case <-before:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		go func() {
			<-before
			close(mine)
		}()
		return nil, nil, ctx.Err()
	}
	ctx, hurry := context.WithCancel(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hurry = hurry; t.last != mine {
		hurry()
	}
	return ctx, func() {
		hurry()
		close(mine)
	}, nil
}

// queue puts somebody at the end of the queue, and hurries who has the turn.
func (t *turn) queue() (before <-chan struct{}, mine chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hurry != nil {
		t.hurry()
	}
	mine = make(chan struct{})
	before, t.last = t.last, mine
	if before == nil {
		nobody := make(chan struct{})
		close(nobody)
		before = nobody
	}
	return before, mine
}
