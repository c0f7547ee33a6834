package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
)

// newServe makes `fsmc serve`.
func newServe(w world) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve PATH... -o DIR",
		Short: "Serve the mesh that manifests describe to its sidecars, and push every edit",
		Long: `Serve is a control plane over manifests: it watches them and serves every proxy over ADS, with certificates that it issues
and renews. DIR gets what each sidecar starts with: proxies/<namespace>/<pod>/envoy.yaml, which leads back here, and the
certificate of its stream. An Envoy that runs from such a folder is a proxy of the mesh.

An edit takes effect after a tenth of a second without another; a file that cannot be read counts as it was. Metrics,
health and version are at --metrics-address. When it is interrupted, streams end one after another within --drain.`,
		Example: `  fsmc serve manifests/ -o out
  cd out/proxies/shop/client-0 && envoy -c ./envoy.yaml

  # for a mesh of 'fsmc up --server', which outlives the server
  fsmc serve manifests/ -o out --listen unix:/run/fsmc.sock

  # in containers: where they find it
  fsmc serve manifests/ -o out --listen 0.0.0.0:15128 --advertise fsm-controller:15128`,
		Args: somePaths,
	}
	command := &serveCommand{w: w, input: addInput(c), control: addControl(c, "127.0.0.1:9091", "")}
	c.Flags().StringVarP(&command.out, "output", "o", "", "write the sidecars' bootstraps and certificates into `DIR`")
	c.Flags().StringVar(&command.caDir, "ca-dir", "", "keep the certificate authority in `DIR` (default: the folder of -o with -ca added)")
	c.Flags().StringArrayVar(&command.listen, "listen", []string{fmt.Sprintf("127.0.0.1:%d", compiler.ControlPlanePort)}, "serve ADS at `ADDRESS`, HOST:PORT or unix:PATH; can be repeated")
	c.Flags().StringVar(&command.advertise, "advertise", "", "where bootstraps lead, as `ADDRESS` (default: the first --listen)")
	c.Flags().DurationVar(&command.drain, "drain", 5*time.Second, "how long the end of all streams takes, so that proxies spread to other replicas")
	c.RunE = func(c *cobra.Command, args []string) error { return command.run(c, args) }
	return c
}

type serveCommand struct {
	w         world
	input     *input
	control   *controlFlags
	out       string
	caDir     string
	listen    []string
	advertise string
	drain     time.Duration
}

func (command *serveCommand) run(c *cobra.Command, paths []string) error {
	tree := &treeFlags{out: command.out, caDir: command.caDir}
	if command.out == "" {
		return usage(c, "serve needs -o DIR: the folder for the sidecars' bootstraps and certificates")
	}
	if err := tree.check(c, paths); err != nil {
		return err
	}
	from, err := command.leadsHere()
	if err != nil {
		return usage(c, "%s", err)
	}
	ctx, stop := untilInterrupted(c.Context())
	defer stop()
	listeners, err := command.open()
	if err != nil {
		return err
	}
	defer closeListeners(listeners)
	control, err := newControl(ctx, command.control, tree.authority(), command.w)
	if err != nil {
		return err
	}
	defer control.close()
	return command.serve(ctx, paths, control, listeners, control.bootstraps(command.out, from))
}

// leadsHere is where bootstraps lead.
func (command *serveCommand) leadsHere() (from compiler.ControlPlane, err error) {
	from = compiler.ControlPlane{Identity: compiler.ControlPlaneIdentity, Watched: true}
	address := cmp.Or(command.advertise, command.listen[0])
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		from.Socket, err = filepath.Abs(path)
		return from, err
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return from, fmt.Errorf("%q is neither HOST:PORT nor unix:PATH", address)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 || host == "" {
		return from, fmt.Errorf("%q is not where a sidecar can call: name a host and a port with --advertise", address)
	}
	from.Host, from.Port = host, uint16(port)
	return from, nil
}

// open opens all addresses.
func (command *serveCommand) open() ([]net.Listener, error) {
	var all []net.Listener
	for _, address := range command.listen {
		l, err := listen(address)
		if err != nil {
			closeListeners(all)
			return nil, fmt.Errorf("serve at %s: %w", address, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// listen opens HOST:PORT or unix:PATH. A socket that nobody answers at is replaced.
func listen(address string) (net.Listener, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return net.Listen("tcp", address)
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return nil, errors.New("somebody else serves there")
	}
	if stat, err := os.Lstat(path); err == nil && stat.Mode()&fs.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

func closeListeners(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

// serve reads the manifests, serves them, and follows their edits until the context ends.
func (command *serveCommand) serve(ctx context.Context, paths []string, control *control, listeners []net.Listener, b *bootstraps) error {
	source, err := newManifests(paths, command.input.meshName)
	if err != nil {
		return err
	}
	first := control.pipeline(command.w, nil).Next(ctx, source.input(), nil)
	findings := report{style: styleOf(command.w.err, command.w.getenv), line: source.line, verbose: command.input.verbose}
	if _, err := io.WriteString(command.w.err, findings.text(first.Diagnostics)); err != nil {
		return err
	}
	control.remember(first.Diagnostics)
	if err := errors.Join(control.publish(ctx, first), b.write(ctx, first.Snapshot, nil)); err != nil {
		return err
	}
	control.serve(listeners...)
	if err := command.greet(first, listeners, b); err != nil {
		return err
	}
	loop := control.loop(command.w, nil, func(ctx context.Context, r *live.Round) {
		control.complain("publish", errors.Join(control.publish(ctx, r), b.write(ctx, r.Snapshot, nil)))
	})
	loop.Previous = first
	command.follow(ctx, source, control, loop)
	control.drain(command.drain)
	return command.input.verdict(control.round.Load().Diagnostics)
}

// follow follows edits, and keeps the certificates on the disk fresh.
func (command *serveCommand) follow(ctx context.Context, source *manifestSource, control *control, loop *live.Loop) {
	go control.refresh(ctx)
	go control.watch(ctx, source)
	loop.Run(ctx, source.inputs, control.again)
}

func (command *serveCommand) greet(r *live.Round, listeners []net.Listener, b *bootstraps) error {
	style := styleOf(command.w.out, command.w.getenv)
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s at %s\n", style.green("serving:"), plural(r.Mesh.Count().Proxies, "proxy"), addresses(listeners))
	folder, err := filepath.Abs(b.folder)
	if err != nil {
		return err
	}
	fmt.Fprintf(&s, "  %s\n      %s\n", filepath.Join(folder, "proxies", "NAMESPACE", "POD"), style.dim("what each sidecar starts with: envoy -c ./envoy.yaml there"))
	if command.control.metrics != "" {
		fmt.Fprintf(&s, "  http://%s/metrics\n      %s\n", command.control.metrics, style.dim("and /health/ready, /health/alive, /version"))
	}
	s.WriteString("Ctrl-C ends it.\n")
	return say(command.w.out, s.String())
}

func addresses(listeners []net.Listener) string {
	var all []string
	for _, l := range listeners {
		all = append(all, l.Addr().String())
	}
	return strings.Join(all, ", ")
}
