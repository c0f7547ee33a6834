package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// openSoak reads what is kept of a soak; nil if there is nothing.
func openSoak(folder string) (*record.Report, error) {
	text, err := os.ReadFile(filepath.Join(folder, "soak.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &record.Report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("results of the soak: %w", err)
	}
	return r, nil
}

// soakAims are what a soak has to show.
func (b book) soakAims() []aimed {
	r := b.soak
	if r == nil || len(r.Rests) == 0 || len(r.Samples) == 0 {
		return nil
	}
	first, last := r.Rests[0], r.Rests[len(r.Rests)-1]
	none := func(what string, n int) aimed { return aimed{"soak: " + what, "0", fmt.Sprint(n), n == 0} }
	least := slices.MinFunc(r.Samples, func(a, b record.Sample) int { return a.Streams - b.Streams })
	return []aimed{
		{"soak: minutes of edits", "≥ 30", fmt.Sprintf("%.1f", r.Seconds/60), r.Seconds >= 1800},
		{"soak: edits a second", fmt.Sprintf("≥ %.0f", r.Rate), fmt.Sprintf("%.1f", float64(r.Edits)/r.Seconds), float64(r.Edits) >= 0.99*r.Rate*r.Seconds},
		{"soak: simulated sidecars that are connected, at the least", fmt.Sprintf("≥ %d", r.Wanted), fmt.Sprint(least.Streams), least.Streams >= r.Wanted},
		{"soak: real Envoys under load", "5", fmt.Sprint(r.Envoys), r.Envoys >= 5},
		none(fmt.Sprintf("lost requests, of %d", r.Asked), r.Lost),
		{"soak: heap in the first third and in the last, median", "flat", fmt.Sprintf("%.1f and %.1f MiB", r.HeapFirst/(1<<20), r.HeapLast/(1<<20)), r.HeapLast <= r.HeapFirst+r.HeapMore},
		{"soak: goroutines and open files at the first rest and at the last", "flat", fmt.Sprintf("%.0f, %.0f and %.0f, %.0f", first.Goroutines, first.OpenFiles, last.Goroutines, last.OpenFiles), !complains(r, "goroutines") && !complains(r, "open files")},
		none("what else was not as it has to be, such as a state that differs from a fresh compilation", len(r.Faults)),
	}
}

// complains says whether one of the faults is about something.
func complains(r *record.Report, of string) bool {
	return slices.ContainsFunc(r.Faults, func(f string) bool { return strings.Contains(f, of) })
}

func (b book) soakSection(p *strings.Builder, pictures string) {
	r := b.soak
	if r == nil {
		return
	}
	fmt.Fprintf(p, `
## Soak

One `+"`fsmc serve`"+` over a random mesh, whose sidecars are simulated, and a small one, whose %d sidecars are real Envoys under load. Both are
edited at random %.0f times a second. At each rest every sidecar has just what a fresh compilation of the manifests gives it, and so it has
when the mesh is made what it was in the beginning; then all streams are broken off at once; and what the server needs when they are
back is compared between the rests. Streams are broken off in between as well, one a second. The heap rises and falls by a third, as the
compiler sweeps what it keeps for the next round only now and then.

*%s, commit %s, `+"`make soak FOR=%.0fm SEED=%d`"+`: %s, %d processors, %s, %s.*

![heap, goroutines and lost requests over time](%s/soak.svg)

`, r.Envoys, r.Rate, r.Date, r.Commit, r.Seconds/60, r.Seed, r.Processor, r.CPUs, r.Platform, r.Go, pictures)
	p.WriteString("| rest | edits | heap MiB | goroutines | files | Envoys MiB | settled s | all again s | resources pushed |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for i, x := range r.Rests {
		var envoys float64
		for _, bytes := range x.EnvoyBytes {
			envoys += bytes
		}
		fmt.Fprintf(p, "| %d | %d | %.2f | %.0f | %.0f | %.2f | %.1f | %.1f | %d |\n", i+1, x.Edits, x.HeapBytes/(1<<20), x.Goroutines, x.OpenFiles, envoys/(1<<20), x.Settled, x.Again, x.Pushed)
	}
	p.WriteString("\n| who asks whom, and how | allowed | denied | failed | connections | longest s |\n|---|--:|--:|--:|--:|--:|\n")
	for _, name := range slices.Sorted(maps.Keys(r.Asks)) {
		a := r.Asks[name]
		if a.Refused {
			name += ", which is never allowed"
		}
		fmt.Fprintf(p, "| %s | %d | %d | %d | %d | %.2f |\n", name, a.Allowed, a.Denied, a.Failed, a.Connections, a.Longest)
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		kinds = append(kinds, fmt.Sprintf("%s %d", kind, r.Kinds[kind]))
	}
	fmt.Fprintf(p, "\nEdits by kind: %s.\n%d states were published, %d resources were sent to simulated sidecars in %d responses, %d of which they had; %d streams were broken off.\n",
		strings.Join(kinds, ", "), r.Published, r.Resources, r.Responses, r.Repeated, r.Reconnects)
	for _, f := range r.Faults {
		fmt.Fprintf(p, "\n**Fault**: %s\n", strings.ReplaceAll(f, "\n", " "))
	}
}

// curve is one line of a picture over time.
type curve struct {
	title  string
	points [][2]float64
	// marks are points of which each is drawn for itself.
	marks [][2]float64
	text  func(float64) string
}

// soakPicture draws heap, goroutines and lost requests, one below the other.
func soakPicture(r *record.Report) string {
	mebibytes := func(v float64) string { return fmt.Sprintf("%.0f MiB", v/(1<<20)) }
	whole := func(v float64) string { return fmt.Sprintf("%.0f", v) }
	heap := curve{title: "heap of the server; dots: at rest, with the same mesh", text: mebibytes}
	routines := curve{title: "goroutines of the server; dots: at rest", text: whole}
	lost := curve{title: "lost requests", text: whole}
	for _, s := range r.Samples {
		heap.points = append(heap.points, [2]float64{s.Second, s.HeapBytes})
		routines.points = append(routines.points, [2]float64{s.Second, s.Goroutines})
		lost.points = append(lost.points, [2]float64{s.Second, float64(s.Lost)})
	}
	for _, x := range r.Rests {
		heap.marks = append(heap.marks, [2]float64{x.Second, x.HeapBytes})
		routines.marks = append(routines.marks, [2]float64{x.Second, x.Goroutines})
	}
	const left, width, height, gap = 90, 600, 90, 50
	var b strings.Builder
	y := 0
	for _, c := range []curve{heap, routines, lost} {
		y += gap
		c.draw(&b, r.Passed, left, y, width, height)
		y += height
	}
	fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.0f min</text>\n", left+width, y+18, r.Passed/60)
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n%s%s%s</svg>\n",
		left+width+20, y+30, left+width+20, y+30, style, soakStyle, b.String())
}

const soakStyle = `<style>
.curve { fill: none; stroke: #0969da; stroke-width: 1.5 }
.ground { stroke: #8c959f }
@media (prefers-color-scheme: dark) { .curve { stroke: #4493f8 } .ground { stroke: #6e7681 } }
</style>
`

// draw draws a curve from nothing up to the greatest value.
func (c curve) draw(b *strings.Builder, seconds float64, left, top, width, height int) {
	most := 1.0
	for _, p := range slices.Concat(c.points, c.marks) {
		most = max(most, p[1])
	}
	at := func(p [2]float64) (x, y float64) {
		return float64(left) + float64(width)*p[0]/max(1, seconds), float64(top+height) - float64(height)*p[1]/most
	}
	var list []string
	for _, p := range c.points {
		x, y := at(p)
		list = append(list, fmt.Sprintf("%.1f,%.1f", x, y))
	}
	fmt.Fprintf(b, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", left, top-8, escaped(c.title))
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">0</text>\n", left-8, top+10, escaped(c.text(most)), left-8, top+height)
	fmt.Fprintf(b, "<line class=\"ground\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n<polyline class=\"curve\" points=\"%s\"/>\n", left, top+height, left+width, top+height, strings.Join(list, " "))
	for _, p := range c.marks {
		x, y := at(p)
		fmt.Fprintf(b, "<circle class=\"bar\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", x, y)
	}
}
