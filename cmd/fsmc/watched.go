package main

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources/files"
)

// manifestSource is manifests that are watched.
type manifestSource struct {
	reader   *files.Reader
	meshName string
	took     time.Duration
	// newest is what was read last.
	newest atomic.Pointer[files.Result]
	// inputs has the newest state that nobody has taken yet.
	inputs chan live.Input
}

// newManifests reads manifests for the first time.
func newManifests(paths []string, meshName string) (*manifestSource, error) {
	s := &manifestSource{reader: files.NewReader(paths), meshName: meshName, inputs: make(chan live.Input, 1)}
	began := time.Now()
	result, err := s.reader.Read()
	s.took = time.Since(began)
	s.newest.Store(&result)
	return s, err
}

// last is what was read last.
func (s *manifestSource) last() files.Result { return *s.newest.Load() }

// line is a line of what was read last.
func (s *manifestSource) line(file string, number int) (string, bool) {
	return s.last().Positions.Line(file, number)
}

// input is what was read last, for the pipeline.
func (s *manifestSource) input() live.Input { return inputOf(s.last(), s.meshName, s.took) }

func inputOf(r files.Result, meshName string, took time.Duration) live.Input {
	r.Objects.MeshName = meshName
	return live.Input{Objects: r.Objects, Diagnostics: r.Diagnostics, Locate: r.Positions.Locate, Took: took}
}

// watch gives every state that the manifests come to. Whoever is slow gets the newest only.
func (c *control) watch(ctx context.Context, s *manifestSource) {
	err := s.reader.Watch(ctx, func(r files.Result) {
		c.metrics.Source("changed")
		s.newest.Store(&r)
		select {
		case <-s.inputs:
		default:
		}
		s.inputs <- inputOf(r, s.meshName, 0)
	})
	if err != nil && ctx.Err() == nil {
		c.metrics.Source("failed")
		c.log.Error("the manifests are not watched any more", "error", err)
	}
}

// refresh has certificates on the disk looked at now and then.
func (c *control) refresh(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for last := c.now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if c.now().Sub(last) >= rewriteAfter(cmp.Or(c.settings().CertificateValidity, validity)) {
			last = c.now()
			poke(c.again)
		}
	}
}

// pipeline is how rounds of manifests are made.
func (c *control) pipeline(w world, p *progress) live.Pipeline {
	return live.Pipeline{Now: w.now, Assume: true, Doing: p.doing, Spans: c.tracer.Spans}
}

// loop is a loop over manifests that publishes as it is told.
func (c *control) loop(w world, p *progress, publish func(context.Context, *live.Round)) *live.Loop {
	return &live.Loop{
		Pipeline: c.pipeline(w, p), HoldOff: c.flags.holdOff, Publish: publish, Queue: c.metrics.Queue,
		Resync: func(r *live.Round) time.Duration { return r.Mesh.Settings().ControlPlane.Resync },
	}
}

// remember says that findings have been told already.
func (c *control) remember(diagnostics []model.Diagnostic) {
	for _, d := range diagnostics {
		c.told[d] = true
	}
}

// complain logs what went wrong, if something did.
func (c *control) complain(what string, err error) {
	if err != nil {
		c.log.Error("cannot "+what, "error", err)
	}
}
