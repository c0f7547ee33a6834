package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// editRow is what small changes of one mesh cost, beside what it costs from scratch.
type editRow struct {
	Mesh     string     `json:"mesh"`
	Services int        `json:"services"`
	Proxies  int        `json:"proxies"`
	Classes  int        `json:"classes"`
	Full     stages     `json:"full"`
	Edits    []editCost `json:"edits"`
}

// stages are the three pure functions that objects go through, and their sum, each without the garbage collector.
type stages struct {
	Complete timing `json:"complete"`
	Resolve  timing `json:"resolve"`
	Compile  timing `json:"compile"`
	Whole    timing `json:"whole"`
}

// editCost is what one kind of edit costs.
type editCost struct {
	Edit string `json:"edit"`
	stages
	// CompileShare and WholeShare are what an edit costs (the median) of what is done from scratch (the least).
	CompileShare float64 `json:"compileShare"`
	WholeShare   float64 `json:"wholeShare"`
	// Classes is how many classes the edit changed, and the counters are those of its compilation.
	Classes  int               `json:"changedClasses"`
	Counters compiler.Counters `json:"counters"`
}

// passage is one way of objects through the pipeline.
type passage struct {
	completion *sources.Completion
	resolution *sources.Resolution
	output     *compiler.Output
}

// next takes over from the passage before, and returns how long each stage took.
func (p passage) next(o sources.Objects, s *samples) passage {
	var next passage
	s.sample(func() { next.completion = sources.CompleteFrom(o, p.completion) })
	s.sample(func() { next.resolution = sources.ResolveFrom(next.completion.Objects, p.resolution) })
	s.sample(func() { next.output, _ = compiler.CompileFrom(next.resolution.Mesh, p.output) })
	s.close()
	return next
}

// samples are costs of the stages of several passages.
type samples struct {
	stages [3][]sample
	whole  []sample
	at     int
}

type sample struct {
	seconds                float64
	allocations, allocated uint64
}

func (s *samples) sample(run func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := cpuTime()
	run()
	took := cpuTime() - began
	runtime.ReadMemStats(&after)
	s.stages[s.at] = append(s.stages[s.at], sample{took.Seconds(), after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc})
	s.at++
}

// close ends a passage.
func (s *samples) close() {
	var sum sample
	for i := range s.stages {
		last := s.stages[i][len(s.stages[i])-1]
		sum = sample{sum.seconds + last.seconds, sum.allocations + last.allocations, sum.allocated + last.allocated}
	}
	s.whole, s.at = append(s.whole, sum), 0
}

func (s *samples) seconds() float64 {
	total := 0.0
	for _, x := range s.whole {
		total += x.seconds
	}
	return total
}

func (s *samples) costs() stages {
	return stages{timingOf(s.stages[0]), timingOf(s.stages[1]), timingOf(s.stages[2]), timingOf(s.whole)}
}

// timingOf is the least and the median of samples, and what the median one allocated.
func timingOf(list []sample) timing {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b sample) int {
		switch {
		case a.seconds < b.seconds:
			return -1
		case a.seconds > b.seconds:
			return 1
		}
		return 0
	})
	middle := sorted[len(sorted)/2]
	return timing{len(sorted), sorted[0].seconds, middle.seconds, middle.allocations, middle.allocated}
}

// measureEdits measures a mesh from scratch, and then edit after edit of each kind, each over what the one before left.
func measureEdits(g shapes.Graph, pods int, e effort, profiles string) (editRow, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	objects := g.Dump(pods, pods)
	var full samples
	var base passage
	for n := 0; n < e.least || n < e.most && full.seconds() < e.enough; n++ {
		runtime.GC()
		base = passage{}.next(objects, &full)
	}
	count := base.resolution.Mesh.Count()
	r := editRow{Mesh: g.Name, Services: count.Services, Proxies: count.Proxies, Classes: base.output.Classes.Len(), Full: full.costs()}
	profile := profiler(profiles, "edit/"+g.Name)
	for _, kind := range editsOf(objects) {
		r.Edits = append(r.Edits, measureEdit(r, base, objects, kind, e))
		now, i := base, 0
		err := profile(kind.name, func() {
			i++
			now = now.next(kind.do(objects, i), &samples{})
		})
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// collectEvery is after how many edits garbage is collected, between measurements.
const collectEvery = 50

func measureEdit(r editRow, base passage, objects sources.Objects, kind edit, e effort) editCost {
	const warm = 2 // the first edits find caches of another form
	var cost samples
	now := base
	for i := range warm {
		now = now.next(kind.do(objects, i), &samples{})
	}
	for n := 0; n < e.least || n < 20*e.most && cost.seconds() < e.enough/4; n++ {
		if n%collectEvery == 0 {
			runtime.GC()
		}
		now = now.next(kind.do(objects, warm+n), &cost)
	}
	c := editCost{
		Edit: kind.name, stages: cost.costs(),
		Classes: now.output.Classes.Len() - now.output.Reused.Classes, Counters: now.output.Counters,
	}
	c.CompileShare = c.Compile.Median / r.Full.Compile.Least
	c.WholeShare = c.Whole.Median / r.Full.Whole.Least
	return c
}

const editLegend = `Objects of a cluster are changed as a cluster does it, and completed, resolved and compiled over what was there before.
Microseconds are CPU time of the process on one processor, the median of many changes, without garbage collection.
share     of the same from scratch: 1/n
classes   that the change has changed, of all
`

func (r editRow) String() string {
	lines := []string{fmt.Sprintf("%-15s %-16s %10.0f %10.0f %10.0f %10.0f %11s %11s %9s %9d",
		r.Mesh, "from scratch", r.Full.Complete.Least*1e6, r.Full.Resolve.Least*1e6, r.Full.Compile.Least*1e6, r.Full.Whole.Least*1e6,
		"", "", fmt.Sprint(r.Classes), r.Full.Compile.Allocations)}
	for _, e := range r.Edits {
		lines = append(lines, fmt.Sprintf("%-15s %-16s %10.0f %10.0f %10.0f %10.0f %11s %11s %9d %9d",
			"", e.Edit, e.Complete.Median*1e6, e.Resolve.Median*1e6, e.Compile.Median*1e6, e.Whole.Median*1e6,
			fraction(e.CompileShare), fraction(e.WholeShare), e.Classes, e.Compile.Allocations))
	}
	return strings.Join(lines, "\n")
}

// fraction writes a share as people say it.
func fraction(share float64) string {
	if share > 0.5 {
		return fmt.Sprintf("%.2f", share)
	}
	return fmt.Sprintf("1/%.0f", 1/share)
}

func editHeader() string {
	return fmt.Sprintf("%-15s %-16s %10s %10s %10s %10s %11s %11s %9s %9s",
		"mesh", "change", "complete", "resolve", "compile", "whole", "share comp.", "share whole", "classes", "allocs")
}
