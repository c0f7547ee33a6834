package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

// newCompile makes `fsmc compile`.
func newCompile(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "compile PATH...",
		Short: "Compile manifests into the Envoy configuration of every proxy",
		Long: `Compile reads manifests (files, folders with everything below them, - for standard input) and compiles the mesh that they
describe. What a cluster would assign and the manifests lack (pods, addresses, endpoints) is assumed, the same every time.

Without -o, one stage of the result is written to standard output. With -o, DIR becomes a tree of files: mesh.yaml,
diagnostics.yaml, classes/<class>/{listeners,routes,clusters,endpoints,secrets}.yaml for reading and comparing, and
proxies/<namespace>/<pod>/envoy.yaml, which an Envoy runs from that folder, with its certificate beside it. Files there
are replaced one by one, each in one step; files that no proxy needs any more are removed; files that fsmc has not
written are never touched. The same input gives the same bytes, certificates aside.

Findings go to standard error, with the line that each is about. 'fsmc explain CODE' says more.

It takes up to 192 MiB of memory more than it needs, which saves a quarter of the time; not if GOGC or GOMEMLIMIT is set in
its environment.`,
		Example: `  # the configuration of every proxy, as one stream of documents
  fsmc compile demo/bookstore/smi

  # a tree of files, and an Envoy that runs from it
  fsmc compile demo/bookstore/smi -o out
  cd out/proxies/bookbuyer/* && envoy -c ./envoy.yaml

  # what the manifests mean, before Envoy comes in
  fsmc compile demo/bookstore/smi --stage mesh

  # in CI: findings as JSON; warnings fail the build too
  kustomize build . | fsmc compile - --stage diagnostics --format json --fail-on warning`,
		Args: somePaths,
	}
	command := &compileCommand{w: w, input: addInput(c)}
	command.stage = choose(c, "stage", "what goes to standard output", "envoy", "objects", "mesh", "diagnostics")
	command.format = choose(c, "format", "how it is written to standard output", "yaml", "json")
	command.tree = addTree(c)
	c.Flags().BoolVar(&command.timings, "timings", false, "tell on standard error how long each step took, what was reused, and how much was made")
	c.Flags().StringArrayVar(&command.proxies, "proxy", nil, "only this proxy, as `NAMESPACE/NAME`, in the stage envoy and with -o; can be repeated")
	c.RunE = func(c *cobra.Command, args []string) error {
		defer runtime.KeepAlive(w.reserve())
		return command.run(c, args)
	}
	return c
}

type compileCommand struct {
	w       world
	input   *input
	tree    *treeFlags
	stage   *choice
	format  *choice
	proxies []string
	timings bool
}

func (command *compileCommand) run(c *cobra.Command, paths []string) error {
	if err := command.check(c, paths); err != nil {
		return err
	}
	p := startProgress(command.w)
	result, report, err := command.produce(c.Context(), paths, p)
	p.end()
	if err != nil {
		return err
	}
	if err := command.tell(result, report); err != nil {
		return err
	}
	if command.timings {
		if _, err := io.WriteString(command.w.err, timings(result)); err != nil {
			return err
		}
	}
	return command.input.verdict(result.Diagnostics)
}

// check refuses what cannot go together, and a folder that cannot be written, before anything is done.
func (command *compileCommand) check(c *cobra.Command, paths []string) error {
	if wanted, err := command.tree.wanted(c); err != nil || !wanted {
		return err
	}
	for _, name := range []string{"stage", "format"} {
		if c.Flags().Changed(name) {
			return usage(c, "--%s is for standard output, and -o writes all stages as YAML", name)
		}
	}
	return command.tree.check(c, paths)
}

// produce compiles, and writes what was asked for. The report is empty without -o.
func (command *compileCommand) produce(ctx context.Context, paths []string, p *progress) (result compilation, report disk.Report, err error) {
	result, err = command.input.compile(ctx, paths, command.w, p)
	if err != nil {
		return compilation{}, disk.Report{}, err
	}
	chosen, err := chooseProxies(result.Mesh, command.proxies)
	if err != nil {
		return compilation{}, disk.Report{}, err
	}
	began := command.w.now()
	defer func() {
		result.steps = append(result.steps, live.Step{Name: "write", Took: command.w.now().Sub(began)})
	}()
	if command.tree.out != "" {
		report, err = command.tree.write(ctx, result.Snapshot, chosen, command.w, p)
		return result, report, err
	}
	p.doing("writing")
	out := bufio.NewWriterSize(command.w.out, 1<<16)
	if err := writeStage(out, command.stage.value, command.format.value, result, chosen); err != nil {
		return compilation{}, disk.Report{}, fmt.Errorf("write to standard output: %w", err)
	}
	if err := out.Flush(); err != nil {
		return compilation{}, disk.Report{}, fmt.Errorf("write to standard output: %w", err)
	}
	return result, disk.Report{}, nil
}

// tell tells a person about the findings and about the tree.
func (command *compileCommand) tell(result compilation, written disk.Report) error {
	if command.tree.out == "" && command.stage.value == "diagnostics" {
		return nil // They are on standard output already.
	}
	report := report{style: styleOf(command.w.err, command.w.getenv), line: result.read.Positions.Line, verbose: command.input.verbose}
	text := report.text(result.Diagnostics)
	if command.tree.out != "" {
		text += fmt.Sprintf("%s: %s\n", command.tree.out, describe(written))
	}
	_, err := io.WriteString(command.w.err, text)
	return err
}

// describe says in a line what a run did to a tree.
func describe(r disk.Report) string {
	text := fmt.Sprintf("%s, %d written", plural(r.Files, "file"), r.Written)
	if r.Removed > 0 {
		text += fmt.Sprintf(", %d removed", r.Removed)
	}
	if r.Issued > 0 {
		text += ", " + plural(r.Issued, "certificate") + " issued"
	}
	return text
}

// chooseProxies chooses the proxies that were named, or all of them. A name that no proxy has is an error.
func chooseProxies(mesh *model.Mesh, names []string) (func(model.ProxyID) bool, error) {
	chosen := map[string]bool{}
	var known []string
	for proxy := range mesh.Proxies() {
		known = append(known, proxy.ID.String())
		chosen[proxy.ID.String()] = len(names) == 0
	}
	for _, name := range names {
		if _, ok := chosen[name]; !ok {
			return nil, fmt.Errorf("there is no proxy %q%s", name, didYouMean(name, known))
		}
		chosen[name] = true
	}
	return func(id model.ProxyID) bool { return chosen[id.String()] }, nil
}

// validity of the certificates that are written beside a proxy's configuration.
const validity = 24 * time.Hour
