package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/local"
)

// following keeps a mesh on this machine the way its manifests are: it is the source, the control plane unless somebody
// else is, and the follower of pods.
type following struct {
	command    *upCommand
	source     *manifestSource
	control    *control
	follower   *follower
	bootstraps *bootstraps
	first      *live.Round
	plan       local.Plan

	stop    context.CancelFunc
	running sync.WaitGroup
}

// prepareLive compiles the manifests for the first time and serves them.
func (command *upCommand) prepareLive(ctx context.Context, paths []string, s *local.Scratch, p *progress, r *running) (*following, error) {
	p.doing("reading")
	source, err := newManifests(paths, command.input.meshName)
	if err != nil {
		return nil, err
	}
	f := &following{command: command, source: source, follower: newFollower(command.trouble())}
	f.first = live.Pipeline{Now: command.w.now, Assume: true, Doing: p.doing}.Next(ctx, source.input(), nil)
	r.result = compilationOf(f.first, source.last()) // its findings are told whatever comes next
	if err := command.planFor(r); err != nil {
		return nil, err
	}
	if f.control, err = newControl(context.WithoutCancel(ctx), command.control, command.tree.authority(), command.w); err != nil {
		return nil, err
	}
	f.control.remember(f.first.Diagnostics)
	if err := f.serve(ctx, s, r); err != nil {
		f.close()
		return nil, err
	}
	f.plan = r.plan
	return f, nil
}

// serve serves the first round, and writes what sidecars start with.
func (f *following) serve(ctx context.Context, s *local.Scratch, r *running) error {
	from := compiler.ControlPlane{
		Host: local.ControlPlaneAddress().Addr().String(), Host6: local.ControlPlaneAddress6().Addr().String(), Port: local.ControlPlanePort,
		Identity: compiler.ControlPlaneIdentity, Watched: canWatch(r.plan),
	}
	f.bootstraps = f.control.bootstraps(f.command.tree.out, from)
	r.plan.ControlPlane = f.command.server
	if f.command.server == "" {
		r.plan.ControlPlane = filepath.Join(s.Folder, "ads.sock")
		listener, err := net.Listen("unix", r.plan.ControlPlane)
		if err != nil {
			return fmt.Errorf("serve the sidecars: %w", err)
		}
		f.control.serve(listener)
	}
	return errors.Join(f.control.publish(ctx, f.first), f.bootstraps.write(ctx, f.first.Snapshot, nil))
}

// canWatch says whether the sidecars of a plan may watch the files of their certificates: each takes five inotify
// instances, of which one user has 128 on most systems.
func canWatch(plan local.Plan) bool {
	const most = 20
	sidecars := 0
	for _, p := range plan.Pods {
		if p.Sidecar {
			sidecars++
		}
	}
	return sidecars <= most
}

// begin follows edits from now on.
func (f *following) begin(mesh *local.Mesh, plan local.Plan) {
	ctx, stop := context.WithCancel(context.Background())
	f.stop, f.plan = stop, plan
	f.follower.settled, f.follower.again = f.settled, f.control.again
	f.follower.begin(mesh, plan, f.first.Objects)
	loop := f.control.loop(f.command.w, nil, f.publish)
	loop.Previous, loop.Pipeline.Adjust = f.first, f.follower.adjust
	f.running.Go(func() { f.control.watch(ctx, f.source) })
	f.running.Go(func() { f.follower.run(ctx) })
	f.running.Go(func() { loop.Run(ctx, f.source.inputs, f.control.again) })
	f.running.Go(func() { f.control.refresh(ctx) })
}

// settled says whether the sidecars know what there is to know. Of those that somebody else serves, nothing is known.
func (f *following) settled() bool { return f.command.server != "" || f.control.server.Settled() }

// publish brings a round to the sidecars, and to the pods.
func (f *following) publish(ctx context.Context, r *live.Round) {
	plan, leftOut := planOf(compilationOf(r, f.source.last()))
	plan, err := withCommands(plan, f.command.commands)
	if err != nil {
		f.command.trouble()(err.Error())
	}
	plan.Folder, plan.Envoy, plan.ControlPlane = f.plan.Folder, f.plan.Envoy, f.plan.ControlPlane
	f.tell(r)
	f.control.complain("publish", errors.Join(f.bootstraps.write(ctx, r.Snapshot, f.follower.leaving(plan)), f.control.publish(ctx, r)))
	f.follower.want(plan, leftOut)
}

// tell shows the findings that an edit has brought, and what it came to.
func (f *following) tell(r *live.Round) {
	var fresh []model.Diagnostic
	for _, d := range r.Diagnostics {
		if !f.control.told[d] && (d.Level != model.Info || f.command.input.verbose) {
			fresh = append(fresh, d)
		}
	}
	f.control.remember(fresh)
	style := styleOf(f.command.w.err, f.command.w.getenv)
	text := ""
	if len(fresh) > 0 {
		findings := report{style: style, line: f.source.line, verbose: f.command.input.verbose}
		text = findings.text(fresh)
	}
	if n := r.Output.Counters.Builds; n > 0 {
		text += fmt.Sprintf("%s %s, after %s\n", style.green("edited:"), plural(n, "new resource"), took(r.Steps))
	}
	_ = say(f.command.w.err, text)
}

// close ends it.
func (f *following) close() {
	if f.stop != nil {
		f.stop()
	}
	f.running.Wait()
	if f.control != nil {
		f.control.close()
	}
}
