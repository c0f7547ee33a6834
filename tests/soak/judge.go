package main

import (
	"slices"

	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// judge finds what must not be.
func (r *report) judge() {
	r.atItsPace()
	r.alwaysConnected()
	r.allAnswered()
	r.nothingLeft()
	if r.Rejected > 0 {
		r.fault("%d responses were rejected", r.Rejected)
	}
}

// atItsPace wants the edits to be as many a second as they are to be, but for a tenth. Some seconds say nothing of it.
func (r *report) atItsPace() {
	if r.Seconds < 60 {
		return
	}
	if least := 0.9 * r.Rate * r.Seconds; float64(r.Edits) < least {
		r.fault("%d edits in %.0f s are fewer than %.0f", r.Edits, r.Seconds, least)
	}
}

// alwaysConnected wants all sidecars to be connected all the time, the real ones on one stream.
func (r *report) alwaysConnected() {
	if n := fewest(r.Samples, func(s record.Sample) int { return s.Streams }); n < r.Wanted {
		r.fault("only %d simulated sidecars were connected, of %d", n, r.Wanted)
	}
	if n := fewest(r.Samples, func(s record.Sample) int { return s.Envoys }); n < r.Envoys {
		r.fault("only %d of %d Envoys were connected on the stream that they began with", n, r.Envoys)
	}
}

// allAnswered looks for outcomes that must not be, and for somebody who has hardly asked: in ten times as long as an answer usually
// takes, there is one.
func (r *report) allAnswered() {
	for name, a := range r.Asks {
		lost, asked := a.Denied+a.Failed, a.Allowed
		if a.Refused {
			lost, asked = a.Allowed, a.Denied+a.Failed
		}
		if lost > 0 || float64(asked) < r.Seconds {
			r.fault("%s: %d allowed, %d denied, %d failed: %v", name, a.Allowed, a.Denied, a.Failed, a.Reasons)
		}
	}
}

// What may be more in the end: what half an hour of edits would leave over, if only 1 KiB each, is three times as much of the
// heap.
const (
	moreHeap      = 6 << 20
	moreCount     = 8
	moreOfAnEnvoy = 4 << 20
)

// nothingLeft compares the last rest with the first: goroutines and files are just as many, as the mesh and the streams are the
// same. The heap is compared over many samples, as what the compiler keeps for the next round is swept now and then, and
// is half as much again before.
func (r *report) nothingLeft() {
	if len(r.Rests) < 2 || len(r.Samples) < 4 {
		r.fault("there are only %d rests and %d samples", len(r.Rests), len(r.Samples))
		return
	}
	first, last := r.Rests[0], r.Rests[len(r.Rests)-1]
	r.more("goroutines", first.Goroutines, last.Goroutines, moreCount)
	r.more("open files", first.OpenFiles, last.OpenFiles, moreCount)
	for pod, bytes := range last.EnvoyBytes {
		r.more("bytes of the Envoy of "+pod, first.EnvoyBytes[pod], bytes, moreOfAnEnvoy)
	}
	r.HeapFirst, r.HeapLast, r.HeapMore = r.heaps()
	r.more("bytes of heap", r.HeapFirst, r.HeapLast, r.HeapMore)
}

// heaps are the medians of the first and the last third of the samples, and how much more the last may be. The first minute
// does not count: buffers and tables grow to the size that they keep. In a soak that is not much longer than that they
// still do in the first third.
func (r *report) heaps() (first, last, more float64) {
	const warm, short = 60, 600
	samples, more := r.Samples, 4.0*moreHeap
	if r.Seconds > short {
		more = moreHeap
		samples = slices.DeleteFunc(slices.Clone(samples), func(s record.Sample) bool { return s.Second < warm })
	}
	third := max(1, len(samples)/3)
	return median(samples[:third]), median(samples[len(samples)-third:]), more
}

func median(samples []record.Sample) float64 {
	var list []float64
	for _, s := range samples {
		list = append(list, s.HeapBytes)
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// more is a fault if there was more in the end than in the beginning.
func (r *report) more(what string, first, last, most float64) {
	if first == 0 || last > first+most {
		r.fault("%.0f %s in the beginning, and %.0f in the end", first, what, last)
	}
}
