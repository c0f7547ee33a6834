package files

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each does one thing to every item, several at a time, and returns the results in the order of the items.
func each[T, R any](items []T, do func(T) R) []R {
	results := make([]R, len(items))
	workers := min(runtime.GOMAXPROCS(0), len(items))
	if workers < 2 {
		for i, item := range items {
			results[i] = do(item)
		}
		return results
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(items)); i = next.Add(1) - 1 {
				results[i] = do(items[i])
			}
		})
	}
	group.Wait()
	return results
}
