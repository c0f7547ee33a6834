package main

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/debug"
	"github.com/flomesh-io/fsmc/sinks/disk"
	"github.com/flomesh-io/fsmc/sinks/health"
	"github.com/flomesh-io/fsmc/sinks/logs"
)

// tell counts a round, and logs the findings that are new.
func (c *control) tell(r *live.Round, last live.Step) {
	for _, s := range append(slices.Clone(r.Steps), last) {
		c.metrics.Step(s.Name, s.Took)
	}
	for _, u := range r.Reuse {
		c.metrics.Reuse(u.Kind, u.Reused, u.Total)
	}
	counts := r.Mesh.Count()
	for kind, count := range map[string]int{
		"services": counts.Services, "proxies": counts.Proxies, "permissions": counts.Permissions, "splits": counts.Splits,
		"classes": r.Output.Classes.Len(),
	} {
		c.metrics.Mesh(kind, count)
	}
	c.tellFindings(r.Diagnostics)
	c.log.Info("published", "proxies", counts.Proxies, "built", r.Output.Counters.Builds, "took", took(append(slices.Clone(r.Steps), last)))
	c.health.Set(synced, true, "")
}

func took(steps []live.Step) time.Duration {
	var sum time.Duration
	for _, s := range steps {
		sum += s.Took
	}
	return sum.Round(time.Microsecond)
}

// tellFindings logs findings that were not there before, and counts all.
func (c *control) tellFindings(diagnostics []model.Diagnostic) {
	levels := map[model.Level]int{}
	now := map[model.Diagnostic]bool{}
	for _, d := range diagnostics {
		levels[d.Level]++
		now[d] = true
		if !c.told[d] {
			c.logFinding(d)
		}
	}
	c.told = now
	for _, level := range []model.Level{model.Error, model.Warning, model.Info} {
		c.metrics.Diagnostics(string(level), levels[level])
	}
}

func (c *control) logFinding(d model.Diagnostic) {
	level := map[model.Level]slog.Level{model.Error: slog.LevelError, model.Warning: slog.LevelWarn, model.Info: slog.LevelDebug}[d.Level]
	c.log.Log(context.Background(), level, printable(d.Message), "code", string(d.Code), "at", printable(place(d)), "instead", printable(d.Instead), "fix", printable(d.Fix))
}

// place is where a finding is, in a word.
func place(d model.Diagnostic) string {
	if d.Position.File != "" {
		return position(d.Position)
	}
	return d.At.String()
}

// firstExpiry is when the first of the certificates in use ends.
func (c *control) firstExpiry() time.Time {
	var first time.Time
	for _, s := range c.keeper.Certificates() {
		if first.IsZero() || s.NotAfter.Before(first) {
			first = s.NotAfter
		}
	}
	return first
}

// serveHealth answers whether this process is well, if there is an address for that.
func (c *control) serveHealth(ctx context.Context) error {
	if c.flags.metrics == "" {
		return nil
	}
	listener, err := net.Listen("tcp", c.flags.metrics)
	if err != nil {
		return err
	}
	handler := health.NewHandler(health.Options{State: c.health, Version: health.Version{Version: version}, Metrics: c.metrics.Handler()})
	c.running.Go(func() { _ = health.Serve(ctx, listener, handler) })
	return nil
}

func (c *control) debugOptions() debug.Options {
	return debug.Options{
		Version:      version,
		Snapshot:     c.snapshot,
		Proxies:      func() []sinks.ProxyStatus { return c.server.Proxies() },
		Certificates: c.certificates,
		Timings:      c.timings,
		Level:        c.level, Levels: logs.Names(), Metrics: c.metrics.Handler(), Log: c.log,
		JSON: disk.JSON, YAML: disk.YAML,
	}
}

func (c *control) snapshot() sinks.Snapshot {
	if r := c.round.Load(); r != nil {
		return r.Snapshot
	}
	return sinks.Snapshot{}
}

// timings are how long the steps of the newest round took, and what it took over.
func (c *control) timings() any {
	r := c.round.Load()
	if r == nil {
		return nil
	}
	return struct {
		Steps    []live.Step       `json:"steps"`
		Reuse    []live.Reuse      `json:"reuse"`
		Counters compiler.Counters `json:"counters"`
	}{r.Steps, r.Reuse, r.Output.Counters}
}

// certificates are those in use, as sinks speak of them.
func (c *control) certificates() []sinks.CertificateStatus {
	var all []sinks.CertificateStatus
	for _, s := range c.keeper.Certificates() {
		all = append(all, sinks.CertificateStatus(s))
	}
	return all
}
