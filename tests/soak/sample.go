package main

import (
	"context"
	"time"

	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// sample takes about a hundred samples.
func (b *bath) sample(ctx context.Context) []record.Sample {
	ticker := time.NewTicker(max(b.during/100, time.Second))
	defer ticker.Stop()
	var all []record.Sample
	for {
		select {
		case <-ctx.Done():
			return all
		case <-ticker.C:
		}
		if s := b.now(); s.Goroutines > 0 && ctx.Err() == nil && !b.storming.Load() {
			all = append(all, s)
		}
	}
}

// now is a sample.
func (b *bath) now() record.Sample {
	s := record.Sample{Second: time.Since(b.began).Seconds(), Use: b.use()}
	for node, since := range b.connected() {
		if b.fleet[node] != nil {
			s.Streams++
			continue
		}
		if b.since[node].IsZero() {
			b.since[node] = since
		}
		if b.since[node].Equal(since) { // or it was away
			s.Envoys++
		}
	}
	if b.shop != nil {
		s.Asked, s.Lost = b.shop.Totals()
	}
	return s
}
