package live

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sources"
)

// Input is the state of a source at one moment.
type Input struct {
	Objects sources.Objects
	// Diagnostics are what was found in reading.
	Diagnostics []model.Diagnostic
	// Locate fills in the positions of diagnostics; nil leaves them.
	Locate func([]model.Diagnostic) []model.Diagnostic
	// Took is how long reading took.
	Took time.Duration
}

// Pipeline is how rounds are made.
type Pipeline struct {
	// Now is the clock that steps are timed with.
	Now func() time.Time
	// Assume adds what a cluster would assign (sources.CompleteFrom). Without it the objects are taken as they are.
	Assume bool
	// Adjust, unless nil, changes the completed objects before they are resolved; what it does not change must stay the
	// same by pointer.
	Adjust func(sources.Objects) sources.Objects
	// Doing, unless nil, is told the step that begins.
	Doing func(string)
	// Spans, unless nil, traces steps.
	Spans Spans
}

// Spans begins a span of a trace; the function that it returns ends it.
type Spans func(ctx context.Context, name string) (context.Context, func(error))

// Round is one passage of an input through the pipeline. It never changes.
type Round struct {
	sinks.Snapshot
	Input Input
	// Objects are those that the mesh was made of, with what was assumed.
	Objects sources.Objects
	// Steps are what was done, in order.
	Steps []Step
	// Reuse is what was taken over from the round before.
	Reuse []Reuse

	completion *sources.Completion
	resolution *sources.Resolution
}

// Step is one step of a round, and how long it took.
type Step struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

// Next makes a round of an input. What did not change since the previous round (nil for none) is taken over from it; the
// result is the same as without.
func (p Pipeline) Next(ctx context.Context, in Input, previous *Round) *Round {
	if previous == nil {
		previous = &Round{}
	}
	r := &Round{Input: in, Objects: in.Objects}
	if in.Took > 0 {
		r.Steps = append(r.Steps, Step{"read", in.Took})
	}
	diagnostics := slices.Clone(in.Diagnostics)
	if p.Assume {
		p.step(ctx, r, "complete", "completing the objects", func() {
			r.completion = sources.CompleteFrom(in.Objects, previous.completion)
			r.Objects = r.completion.Objects
			diagnostics = append(diagnostics, r.completion.Diagnostics...)
		})
	}
	if p.Adjust != nil {
		r.Objects = p.Adjust(r.Objects)
	}
	p.step(ctx, r, "resolve", "resolving the objects", func() {
		r.resolution = sources.ResolveFrom(r.Objects, previous.resolution)
		r.Mesh = r.resolution.Mesh
		diagnostics = append(diagnostics, r.resolution.Diagnostics...)
	})
	p.step(ctx, r, "compile", fmt.Sprintf("compiling %d proxies", r.Mesh.Count().Proxies), func() {
		output, found := compiler.CompileFrom(r.Mesh, previous.Output)
		r.Output = output
		diagnostics = append(diagnostics, found...)
	})
	if in.Locate != nil {
		diagnostics = in.Locate(diagnostics)
	}
	r.Diagnostics = model.SortDiagnostics(diagnostics)
	r.Reuse = reuse(previous, r)
	return r
}

// step does a step and notes how long it took.
func (p Pipeline) step(ctx context.Context, r *Round, name, doing string, do func()) {
	if p.Doing != nil {
		p.Doing(doing)
	}
	end := func(error) {}
	if p.Spans != nil {
		_, end = p.Spans(ctx, name)
	}
	began := p.Now()
	do()
	r.Steps = append(r.Steps, Step{name, p.Now().Sub(began)})
	end(nil)
}
