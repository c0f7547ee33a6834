package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
)

// report is what came of a soak.
type report struct {
	Go       string  `json:"go"`
	Platform string  `json:"platform"`
	CPUs     int     `json:"cpus"`
	Seed     uint64  `json:"seed"`
	Seconds  float64 `json:"seconds"`
	Edits    int     `json:"edits"`
	// Envoys are real sidecars, Streams simulated ones at the end.
	Envoys  int `json:"envoys"`
	Streams int `json:"streams"`
	// WithoutEnvoys says why there were none.
	WithoutEnvoys string `json:"withoutEnvoys,omitempty"`
	// Published are states that were published, Responses and Resources what simulated sidecars were sent.
	Published int `json:"published"`
	Responses int `json:"responses"`
	Resources int `json:"resources"`
	Repeated  int `json:"repeated"`
	Rejected  int `json:"rejected"`
	// Settled is how many seconds after the last edit each sidecar had the last state.
	Settled float64 `json:"settledSeconds"`
	// Loads are the requests by load.
	Loads   map[string]*local.Report `json:"loads"`
	Samples []sample                 `json:"samples"`
	First   third                    `json:"firstThird"`
	Last    third                    `json:"lastThird"`
	// Faults are in words; none is a good soak.
	Faults []string `json:"faults"`
}

// sample is what the server needed at a moment.
type sample struct {
	Second  float64 `json:"second"`
	Proxies float64 `json:"proxies"`
	controlplane.Use
}

// third is the medians of a third of all samples.
type third struct {
	HeapBytes  float64 `json:"heapBytes"`
	Goroutines float64 `json:"goroutines"`
	OpenFiles  float64 `json:"openFiles"`
	Proxies    float64 `json:"proxies"`
}

func newReport(o options) *report {
	return &report{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Seed: o.seed, Loads: map[string]*local.Report{}}
}

func (r *report) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// What may differ between the thirds: sizes follow the number of proxies, which the edits change.
const (
	growth     = 1.25
	slackHeap  = 8 << 20
	slackCount = 20
)

// leaks compares the last third of the samples with the first.
func (r *report) leaks() {
	n := len(r.Samples) / 3
	if n == 0 {
		r.fault("there are only %d samples", len(r.Samples))
		return
	}
	r.First, r.Last = median(r.Samples[:n]), median(r.Samples[len(r.Samples)-n:])
	scale := growth * max(1, r.Last.Proxies/r.First.Proxies)
	for _, row := range []struct {
		what        string
		first, last float64
		slack       float64
	}{
		{"bytes of heap", r.First.HeapBytes, r.Last.HeapBytes, slackHeap},
		{"goroutines", r.First.Goroutines, r.Last.Goroutines, slackCount},
		{"open files", r.First.OpenFiles, r.Last.OpenFiles, slackCount},
	} {
		if row.first == 0 || row.last > row.first*scale+row.slack {
			r.fault("%.0f %s in the first third, and %.0f in the last", row.first, row.what, row.last)
		}
	}
}

func median(samples []sample) third {
	of := func(value func(sample) float64) float64 {
		var list []float64
		for _, s := range samples {
			list = append(list, value(s))
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	return third{
		of(func(s sample) float64 { return s.HeapBytes }), of(func(s sample) float64 { return s.Goroutines }),
		of(func(s sample) float64 { return s.OpenFiles }), of(func(s sample) float64 { return s.Proxies }),
	}
}

// lost looks for requests that were not answered although policy allowed them all the time.
func (r *report) lost() {
	for name, l := range r.Loads {
		if l.Allowed == 0 || l.Denied+l.Failed > 0 {
			r.fault("%s: %d allowed, %d denied, %d failed: %v", name, l.Allowed, l.Denied, l.Failed, l.Reasons)
		}
	}
}

// String is the report for people.
func (r *report) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%.0f s, %d edits, %d states published\n", r.Seconds, r.Edits, r.Published)
	fmt.Fprintf(&s, "%d simulated sidecars: %d responses with %d resources, %d of them repeated; all settled %.2f s after the last edit\n",
		r.Streams, r.Responses, r.Resources, r.Repeated, r.Settled)
	requests := 0
	for _, l := range r.Loads {
		requests += l.Total()
	}
	fmt.Fprintf(&s, "%d real Envoys: %d requests; %d rejections\n", r.Envoys, requests, r.Rejected)
	if r.WithoutEnvoys != "" {
		fmt.Fprintf(&s, "without real Envoys: %s\n", r.WithoutEnvoys)
	}
	row := func(what string, t third) {
		fmt.Fprintf(&s, "%s third: %.1f MiB of heap, %.0f goroutines, %.0f files, %.0f proxies\n", what, t.HeapBytes/(1<<20), t.Goroutines, t.OpenFiles, t.Proxies)
	}
	row("first", r.First)
	row("last", r.Last)
	for _, f := range r.Faults {
		fmt.Fprintf(&s, "FAULT: %s\n", f)
	}
	return s.String()
}
