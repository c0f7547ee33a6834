package main

import (
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// timing is the CPU time of several runs of one thing, in seconds, and what one run allocated.
type timing struct {
	Runs        int     `json:"runs"`
	Least       float64 `json:"least"`
	Median      float64 `json:"median"`
	Allocations uint64  `json:"allocations"`
	Allocated   uint64  `json:"allocatedBytes"`
}

// effort is how often things are run: at least and at most so many times, and enough is so many seconds of all.
type effort struct {
	least, most int
	enough      float64
}

// compare runs things in turn, so that what disturbs one disturbs the others, and without the garbage collector: how much
// of its work falls into a run depends on what else is in the heap.
func (e effort) compare(things ...func()) []timing {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	return e.time(things...)
}

// time runs things in turn and times each, with what the garbage collector does meanwhile.
func (e effort) time(things ...func()) []timing {
	seconds := make([][]float64, len(things))
	timings := make([]timing, len(things))
	total := 0.0
	for n := 0; n < e.least || n < e.most && total < e.enough; n++ {
		for i, run := range things {
			took, allocations, allocated := once(run)
			seconds[i] = append(seconds[i], took)
			timings[i].Allocations, timings[i].Allocated = allocations, allocated
			total += took
		}
	}
	for i := range timings {
		slices.Sort(seconds[i])
		timings[i].Runs, timings[i].Least, timings[i].Median = len(seconds[i]), seconds[i][0], seconds[i][len(seconds[i])/2]
	}
	return timings
}

// once runs with a heap that was just cleared of garbage.
func once(run func()) (seconds float64, allocations, allocated uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cpuTime()
	run()
	took := cpuTime() - start
	runtime.ReadMemStats(&after)
	return max(took, time.Microsecond).Seconds(), after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
}
