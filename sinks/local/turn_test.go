package local

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
)

func TestTurns(t *testing.T) {
	var turns turn
	first, give, err := turns.take(t.Context())
	if err != nil || first.Err() != nil {
		t.Fatal(err, first.Err())
	}
	var others sync.WaitGroup
	var order []int
	for i := range 8 {
		ctx, cancel := context.WithCancel(t.Context())
		if i == 3 {
			cancel() // It does not want it any more.
		}
		before := turns.newest()
		others.Go(func() {
			defer cancel()
			_, giveBack, err := turns.take(ctx)
			if (err != nil) != (i == 3) {
				t.Errorf("%d: %v", i, err)
			}
			if err == nil {
				order = append(order, i) // The turn guards it.
				giveBack()
			}
		})
		for turns.newest() == before { // The next one comes after this one.
			runtime.Gosched()
		}
	}
	<-first.Done()
	give()
	others.Wait()
	if !slices.Equal(order, []int{0, 1, 2, 4, 5, 6, 7}) {
		t.Errorf("the order is %v", order)
	}
	last, give, err := turns.take(t.Context())
	if err != nil || last.Err() != nil {
		t.Errorf("the turn is not free: %v, %v", err, last.Err())
	}
	give()
}

// newest is who came last.
func (t *turn) newest() chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}
