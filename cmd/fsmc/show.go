package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

// newShow makes `fsmc show`.
func newShow(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "show PATH...",
		Short: "Show the mesh that manifests describe: proxies, who may call whom, splits, findings",
		Long: `Show compiles manifests as 'fsmc compile' does and shows a person what came out. With -o it also writes the tree of files,
and with --validate it has a real Envoy load the configuration of every proxy.`,
		Example: `  fsmc show demo/bookstore/smi

  # write the files, and have Envoy check them
  fsmc show demo/bookstore/smi -o out --validate`,
		Args: somePaths,
	}
	command := &showCommand{w: w, input: addInput(c), tree: addTree(c)}
	c.Flags().BoolVar(&command.validate, "validate", false, "have Envoy load the configuration of every proxy")
	c.Flags().StringVar(&command.envoy, "envoy", "", "the Envoy `BINARY` for --validate (default: $FSMC_ENVOY, else envoy on PATH)")
	c.RunE = func(c *cobra.Command, args []string) error { return command.run(c, args) }
	return c
}

type showCommand struct {
	w        world
	input    *input
	tree     *treeFlags
	validate bool
	envoy    string
}

// shown is everything that a person gets to see.
type shown struct {
	compilation
	paths []string
	// verdicts are what Envoy said of each proxy; nil if it was not asked.
	verdicts map[model.ProxyID]error
	// tree is where the files are; empty if there are none.
	tree    string
	written disk.Report
}

func (command *showCommand) run(c *cobra.Command, paths []string) error {
	envoy, err := command.check(c, paths)
	if err != nil {
		return err
	}
	p := startProgress(command.w)
	result, err := command.produce(c.Context(), paths, envoy, p)
	p.end()
	if err != nil {
		return err
	}
	view := view{style: styleOf(command.w.out, command.w.getenv), shown: result, verbose: command.input.verbose}
	if err := say(command.w.out, view.text()); err != nil {
		return err
	}
	for _, verdict := range result.verdicts {
		if verdict != nil {
			return errFindings
		}
	}
	return command.input.verdict(result.Diagnostics)
}

// check finds Envoy, if it is wanted, and refuses what cannot work before anything is done.
func (command *showCommand) check(c *cobra.Command, paths []string) (envoyBinary, error) {
	if command.validate && command.tree.certs.value == "none" {
		return "", usage(c, "--validate needs certificates: leave out --certs none")
	}
	wanted, err := command.tree.wanted(c)
	if err == nil && wanted {
		err = command.tree.check(c, paths)
	}
	if err != nil {
		return "", err
	}
	if !command.validate {
		return "", nil
	}
	return findEnvoy(command.envoy, command.w.getenv("FSMC_ENVOY"))
}

// produce compiles, and writes and validates what was asked for.
func (command *showCommand) produce(ctx context.Context, paths []string, envoy envoyBinary, p *progress) (shown, error) {
	result, err := command.input.compile(ctx, paths, command.w, p)
	if err != nil {
		return shown{}, err
	}
	s := shown{compilation: result, paths: paths, tree: command.tree.out}
	tree := *command.tree
	if s.tree == "" {
		if !command.validate {
			return s, nil
		}
		scratch, err := os.MkdirTemp("", "fsmc-")
		if err != nil {
			return shown{}, err
		}
		defer func() { _ = os.RemoveAll(scratch) }()
		tree.out, tree.caDir = scratch+"/tree", scratch+"/ca"
	}
	everyProxy, err := chooseProxies(result.Mesh, nil)
	if err != nil {
		return shown{}, err
	}
	if s.written, err = tree.write(ctx, result.Snapshot, everyProxy, command.w, p); err != nil {
		return shown{}, err
	}
	if command.validate {
		ctx, stop := untilInterrupted(ctx)
		defer stop()
		s.verdicts, err = envoy.validateAll(ctx, tree.out, result.Mesh, p)
	}
	return s, err
}

// view makes the text of what is shown.
type view struct {
	style style
	shown
	verbose bool
}

// width is how wide the text is made.
const width = 100

func (v view) text() string {
	var b strings.Builder
	v.heading(&b)
	v.proxyTable(&b)
	v.calls(&b)
	v.splits(&b)
	v.findings(&b)
	v.files(&b)
	return b.String()
}

// section begins a part of the text.
func (v view) section(b *strings.Builder, title, remark string) {
	b.WriteString("\n" + v.style.blue(title))
	if remark != "" {
		b.WriteString("  " + v.style.dim(remark))
	}
	b.WriteString("\n")
}

// heading says what was read and what kind of mesh it is.
func (v view) heading(b *strings.Builder) {
	settings, count := v.Mesh.Settings(), v.Mesh.Count()
	mode := "SMI mode: only what a TrafficTarget admits"
	if settings.Permissive {
		mode = "permissive mode: everybody may call everybody"
	}
	way := "no way out of the mesh"
	if settings.Egress {
		way = "calls out of the mesh pass through"
	}
	b.WriteString(v.style.bold("mesh "+settings.MeshName) + ", " + mode + ", " + way + "\n")
	parts := []string{
		plural(count.Proxies, "proxy") + " in " + plural(v.Output.Classes.Len(), "class"), plural(count.Services, "service"),
		plural(count.Permissions, "TrafficTarget"), plural(count.Splits, "TrafficSplit"),
	}
	b.WriteString(v.style.dim(strings.Join(parts, ", ")) + "\n")
	for _, line := range wrap("from "+plural(v.read.Documents, "document")+" in "+strings.Join(v.paths, " "), width) {
		b.WriteString(v.style.dim(oneLine(line)) + "\n")
	}
}

func (v view) findings(b *strings.Builder) {
	v.section(b, "FINDINGS", "")
	if len(v.Diagnostics) == 0 {
		b.WriteString("  none\n")
		return
	}
	report := report{style: v.style, line: v.read.Positions.Line, verbose: v.verbose}
	for line := range strings.Lines(report.text(v.Diagnostics)) {
		if line != "\n" {
			line = "  " + line
		}
		b.WriteString(line)
	}
}

// files says where the files are, and how to run one.
func (v view) files(b *strings.Builder) {
	if v.tree == "" {
		return
	}
	v.section(b, "FILES", describe(v.written))
	rows := [][2]string{
		{"mesh.yaml", "the mesh, as it was understood"},
		{"diagnostics.yaml", "the findings"},
		{"classes/<class>/*.yaml", "what proxies of the class get over ADS"},
		{"proxies/<namespace>/<pod>/envoy.yaml", "the same as one file, certificate beside it"},
	}
	for _, row := range rows {
		b.WriteString("  " + pad(v.tree+"/"+row[0], len(v.tree)+len("/proxies/<namespace>/<pod>/envoy.yaml")) + "  " + v.style.dim(row[1]) + "\n")
	}
	for proxy := range v.Mesh.Proxies() {
		b.WriteString("  to run one: cd " + v.tree + "/proxies/" + oneLine(proxy.ID.String()) + " && envoy -c ./" + disk.ConfigFile + "\n")
		break
	}
}

// errNoEnvoy says how to come by an Envoy.
var errNoEnvoy = errors.New("there is no envoy on PATH: install Envoy " + envoyRelease + ", or name its binary with --envoy or FSMC_ENVOY")
