package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// newUp makes `fsmc up`.
func newUp(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "up PATH...",
		Short: "Run the mesh that manifests describe on this machine, with real sidecars and without a cluster",
		Long: `Up runs manifests as a living mesh on one Linux machine: each pod is a network namespace with its address, its sidecar is
a real Envoy, traffic is redirected by the rules of a cluster's init container, and cluster IPs and service names
resolve. Images are not run: a built-in server answers on the ports of the containers and on those that services lead
to, in HTTP/1, HTTP/2, gRPC, websockets or TCP, and says who it is and what it got. --exec runs a program instead.

The manifests are watched: an edit is pushed to the sidecars over ADS, and pods come and go with it. With --config-from
disk, sidecars run from files and stay as they are. With --server, somebody else serves them (fsmc serve).

There is no way out of the mesh, and everything is gone when the command ends, however it ends. It runs as root, and as
an ordinary user where the system lets one make namespaces.`,
		Example: `  fsmc up demo/bookstore/smi
  fsmc ps
  fsmc exec bookbuyer/bookbuyer-0 -- curl -i bookstore.bookstore:14001/buy-a-book/new

  # one workload is a program of yours
  fsmc up demo/bookstore/smi --exec 'bookstore/bookstore-v1=python3 -m http.server 14001'

  # the control plane is a process of its own, which can be stopped and started
  fsmc serve demo/bookstore/smi -o out --ca-dir ca --listen unix:/tmp/fsmc.sock
  fsmc up demo/bookstore/smi --ca-dir ca --server /tmp/fsmc.sock`,
		Args: somePaths,
	}
	command := &upCommand{w: w, input: addInput(c), tree: addTree(c), control: addControl(c, "", "warn")}
	c.Flags().Lookup("output").Usage = "keep the files that sidecars start with in `DIR` (default: a folder that is removed at the end)"
	c.Flags().DurationVar(&command.duration, "for", 0, "end after this `DURATION` (default: on Ctrl-C)")
	c.Flags().StringArrayVar(&command.commands, "exec", nil, "run a command line in the pods of a workload, as `NAMESPACE/WORKLOAD=COMMAND`; can be repeated")
	c.Flags().StringVar(&command.envoy, "envoy", "", "the Envoy `BINARY` (default: $FSMC_ENVOY, else envoy on PATH)")
	c.Flags().StringVar(&command.level, "envoy-log-level", "warning", "what Envoys log beside requests: trace, debug, info, warning, error, off")
	c.Flags().StringVar(&command.logs, "logs", "", "keep the logs of sidecars and commands in `DIR` (default: a folder that is removed at the end)")
	command.from = choose(c, "config-from", "how sidecars get their configuration: pushed, or from files that stay as they are", fromADS, fromDisk)
	c.Flags().StringVar(&command.server, "server", "", "sidecars are served by an 'fsmc serve' at this `SOCKET`, of the same --ca-dir")
	addMeshName(c, &command.name)
	c.RunE = func(c *cobra.Command, args []string) error { return command.run(c, args) }
	return c
}

// The ways in which sidecars get their configuration.
const (
	fromADS  = "ads"
	fromDisk = "disk"
)

// addMeshName adds the flag that tells the local meshes of a user apart.
func addMeshName(c *cobra.Command, name *string) {
	c.Flags().StringVar(name, "name", local.DefaultName, "the `NAME` of the local mesh: one user can run several under different names")
}

type upCommand struct {
	w        world
	input    *input
	tree     *treeFlags
	control  *controlFlags
	from     *choice
	server   string
	duration time.Duration
	commands []string
	envoy    string
	level    string
	logs     string
	name     string
}

func (command *upCommand) run(c *cobra.Command, paths []string) error {
	return command.during(c, paths, func(ctx context.Context, r running) error {
		if err := command.greet(r); err != nil {
			return err
		}
		if err := command.wait(ctx, r.mesh); err != nil {
			return err
		}
		return command.input.verdict(r.result.Diagnostics)
	})
}

// during brings the mesh up, does something while it runs, and takes it down again. The context of what is done ends
// when the user interrupts.
func (command *upCommand) during(c *cobra.Command, paths []string, do func(context.Context, running) error) error {
	envoy, err := findEnvoy(command.envoy, command.w.getenv("FSMC_ENVOY"))
	if err != nil {
		return fmt.Errorf("%w\nIn the repository of fsmc, scripts/envoy.sh fetches one", err)
	}
	ctx, stop := untilInterrupted(c.Context())
	defer stop()
	scratch, err := local.NewScratch()
	if err != nil {
		return fmt.Errorf("make a folder for the mesh: %w", err)
	}
	defer func() { _ = scratch.Remove() }()
	if err := command.place(c, paths, scratch); err != nil {
		return err
	}
	p := startProgress(command.w)
	r, err := command.start(ctx, paths, envoy, scratch, p)
	p.end()
	if told := command.findings(r); told != nil {
		err = errors.Join(err, told)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	defer r.close()
	return do(ctx, r)
}

// interrupted leaves out the error of somebody who did not want to wait for the end of the start.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted before the mesh was up")
	}
	return err
}

// place chooses where the tree goes, and refuses what cannot be written.
func (command *upCommand) place(c *cobra.Command, paths []string, s *local.Scratch) error {
	if command.tree.certs.value == "none" {
		return usage(c, "sidecars need certificates: leave out --certs none")
	}
	if command.server != "" && (command.tree.caDir == "" || command.from.value == fromDisk) {
		return usage(c, "--server needs the --ca-dir of the server, and sidecars that are served")
	}
	if err := command.reachServer(); err != nil {
		return err
	}
	if command.tree.out != "" {
		return command.tree.check(c, paths)
	}
	s.Open()
	command.tree.out = filepath.Join(s.Folder, "tree")
	if command.tree.caDir == "" {
		command.tree.caDir = filepath.Join(s.Folder, "ca")
	}
	return nil
}

// reachServer finds out before anything is started whether somebody serves: the sidecars would wait for a minute.
func (command *upCommand) reachServer() error {
	if command.server == "" {
		return nil
	}
	c, err := net.Dial("unix", command.server)
	if err != nil {
		return fmt.Errorf("nobody serves at %s (start 'fsmc serve' with --listen unix:%s first): %w", command.server, command.server, err)
	}
	return c.Close()
}

// running is a mesh that runs.
type running struct {
	mesh   *local.Mesh
	plan   local.Plan
	result compilation
	// leftOut are the pods that do not run, because they would share an address.
	leftOut []string
	logs    string
	took    time.Duration
	// following keeps the mesh the way the manifests are; nil when it stays as it is.
	following *following
}

// close ends the mesh and what follows it.
func (r running) close() {
	if r.following != nil {
		r.following.close()
	}
	r.mesh.Close()
}

// findings tells what was found in the manifests, if they could be read: also when the mesh does not come up, for then
// they often say why.
func (command *upCommand) findings(r running) error {
	if r.result.Mesh == nil {
		return nil
	}
	findings := report{style: styleOf(command.w.err, command.w.getenv), line: r.result.read.Positions.Line, verbose: command.input.verbose}
	_, err := io.WriteString(command.w.err, findings.text(r.result.Diagnostics))
	return err
}

// start brings the mesh up.
func (command *upCommand) start(ctx context.Context, paths []string, envoy envoyBinary, s *local.Scratch, p *progress) (r running, err error) {
	began := command.w.now()
	r.following, err = command.prepare(ctx, paths, s, p, &r)
	if err != nil {
		return r, err
	}
	defer func() {
		if err != nil && r.following != nil {
			r.following.close()
		}
	}()
	r.plan.Envoy = string(envoy)
	options := local.Options{Name: command.name, Level: command.level, Restart: true, Trouble: command.trouble(), Progress: func(doing string, done, total int) {
		p.doing("starting " + doing)
		p.count(done, total)
	}}
	if options.Logs, err = command.logFolder(s); err != nil {
		return r, err
	}
	if options.Scratch, err = s.Make("etc"); err != nil {
		return r, err
	}
	r.logs = options.Logs
	if r.mesh, err = local.Start(ctx, r.plan, options); err != nil {
		return r, err
	}
	if r.following != nil {
		r.following.begin(r.mesh, r.plan)
	}
	r.took = command.w.now().Sub(began)
	return r, nil
}

// prepare compiles the manifests, plans what shall run, and sees to it that sidecars find their configuration.
func (command *upCommand) prepare(ctx context.Context, paths []string, s *local.Scratch, p *progress, r *running) (*following, error) {
	if command.from.value == fromADS {
		return command.prepareLive(ctx, paths, s, p, r)
	}
	var err error
	if r.result, err = command.input.compile(ctx, paths, command.w, p); err != nil {
		return nil, err
	}
	if err := command.planFor(r); err != nil {
		return nil, err
	}
	everyProxy, err := chooseProxies(r.result.Mesh, nil)
	if err != nil {
		return nil, err
	}
	_, err = command.tree.write(ctx, r.result.Snapshot, everyProxy, command.w, p)
	return nil, err
}

// planFor plans what runs of a compilation.
func (command *upCommand) planFor(r *running) (err error) {
	r.plan, r.leftOut = planOf(r.result)
	if r.plan, err = withCommands(r.plan, command.commands); err != nil {
		return err
	}
	r.plan.Folder, err = filepath.Abs(command.tree.out)
	return err
}

// logFolder is where logs go: the folder that was asked for, or one that is removed at the end.
func (command *upCommand) logFolder(s *local.Scratch) (string, error) {
	if command.logs == "" {
		return s.Make("logs")
	}
	folder, err := filepath.Abs(command.logs)
	if err != nil {
		return "", err
	}
	return folder, os.MkdirAll(folder, 0o755)
}

// trouble tells of what goes wrong in pods while the mesh runs.
func (command *upCommand) trouble() func(string) {
	var mu sync.Mutex
	style := styleOf(command.w.err, command.w.getenv)
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintf(command.w.err, "%s %s\n", style.yellow("trouble:"), printable(text))
	}
}

// greet says what runs, and how to reach it.
func (command *upCommand) greet(r running) error {
	style := styleOf(command.w.out, command.w.getenv)
	sidecars, example := 0, r.plan.Pods[0].String()
	for _, p := range r.plan.Pods {
		if p.Sidecar {
			if sidecars == 0 {
				example = p.String()
			}
			sidecars++
		}
	}
	name := ""
	if command.name != local.DefaultName {
		name = " --name " + command.name
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s with %s, after %.1f s\n", style.green("up:"), plural(len(r.plan.Pods), "pod"), plural(sidecars, "sidecar"), r.took.Seconds())
	for _, pod := range r.leftOut {
		fmt.Fprintf(&b, "%s does not run: another pod has its address\n", oneLine(pod))
	}
	for _, row := range [][2]string{
		{"fsmc ps" + name, "what runs, and whether it is ready"},
		{"fsmc exec" + name + " " + example + " -- COMMAND", "a command in a pod, such as curl"},
		{"fsmc exec" + name + " " + example + " -- curl -s localhost:15000/stats", "the administration of its sidecar"},
		{r.logs, "the logs of sidecars and commands, by namespace and pod"},
		{r.plan.Folder, "what the sidecars run"},
	} {
		fmt.Fprintf(&b, "  %s\n      %s\n", row[0], style.dim(row[1]))
	}
	if command.duration == 0 {
		b.WriteString("Ctrl-C ends it.\n")
	}
	return say(command.w.out, b.String())
}

// wait waits until the mesh is to end, or has.
func (command *upCommand) wait(ctx context.Context, mesh *local.Mesh) error {
	var end <-chan time.Time
	if command.duration > 0 {
		end = time.After(command.duration)
	}
	select {
	case <-ctx.Done():
	case <-end:
	case <-mesh.Ended():
		return mesh.Err()
	}
	return nil
}
