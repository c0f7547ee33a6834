package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/sources/files"
)

// input is what commands that read manifests have in common.
type input struct {
	meshName string
	failOn   *choice
	verbose  bool
}

// addInput adds the flags of the input to a command.
func addInput(c *cobra.Command) *input {
	in := &input{failOn: choose(c, "fail-on", "the mildest findings that make the exit code 1", "error", "warning", "info", "never")}
	c.Flags().StringVar(&in.meshName, "mesh-name", sources.DefaultMeshName, "the mesh to compile; namespaces join it by the label flomesh.io/monitored-by")
	c.Flags().BoolVarP(&in.verbose, "verbose", "v", false, "show findings of level info one by one")
	return in
}

// compilation is what the manifests of a command line come to.
type compilation struct {
	sinks.Snapshot
	// read counts what was read; objects are completed by what a cluster would assign.
	read    files.Result
	objects sources.Objects
	steps   []live.Step
	reuse   []live.Reuse
}

// compile runs the whole pipeline on the manifests.
func (in *input) compile(ctx context.Context, paths []string, w world, p *progress) (compilation, error) {
	p.doing("reading")
	began := w.now()
	read, err := files.Read(paths, w.in)
	if err != nil {
		return compilation{}, err
	}
	pipeline := live.Pipeline{Now: w.now, Assume: true, Doing: p.doing}
	round := pipeline.Next(ctx, inputOf(read, in.meshName, w.now().Sub(began)), nil)
	return compilationOf(round, read), nil
}

// compilationOf is a round over manifests that were read.
func compilationOf(r *live.Round, read files.Result) compilation {
	return compilation{Snapshot: r.Snapshot, read: read, objects: r.Objects, steps: r.Steps, reuse: r.Reuse}
}

// verdict is errFindings if there is a finding at or above --fail-on.
func (in *input) verdict(diagnostics []model.Diagnostic) error {
	if in.failOn.value == "never" {
		return nil
	}
	limit := model.Level(in.failOn.value).Rank()
	if slices.ContainsFunc(diagnostics, func(d model.Diagnostic) bool { return d.Level.Rank() <= limit }) {
		return errFindings
	}
	return nil
}
