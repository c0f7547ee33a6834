package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/live"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/ads"
	"github.com/flomesh-io/fsmc/sinks/debug"
	"github.com/flomesh-io/fsmc/sinks/health"
	"github.com/flomesh-io/fsmc/sinks/logs"
	"github.com/flomesh-io/fsmc/sinks/metrics"
	"github.com/flomesh-io/fsmc/sinks/trace"

	"github.com/flomesh-io/fsmc/sources/certs"
	"github.com/flomesh-io/fsmc/sources/certs/tresor"
)

// controlFlags are the flags of commands that are a control plane.
type controlFlags struct {
	logLevel  string
	logFormat *choice
	metrics   string
	debug     bool
	debugAt   string
	traces    string
	holdOff   live.HoldOff
}

// addControl adds the flags of a control plane to a command. The address of metrics is empty where nobody expects a port
// to be open, and the level is where somebody reads on a terminal what matters.
func addControl(c *cobra.Command, metricsAddress, level string) *controlFlags {
	f := &controlFlags{}
	c.Flags().StringVar(&f.logLevel, "log-level", level, "what the control plane logs: trace, debug, info, warn, error; empty for what the MeshConfig says")
	f.logFormat = choose(c, "log-format", "how it logs", "text", "json")
	c.Flags().StringVar(&f.metrics, "metrics-address", metricsAddress, "serve /metrics, /health and /version at `ADDRESS`; empty for not at all")
	c.Flags().BoolVar(&f.debug, "enable-debug-server", false, "open the debug server, also when the MeshConfig does not")
	c.Flags().StringVar(&f.debugAt, "debug-address", "127.0.0.1:9092", "the `ADDRESS` of the debug server")
	c.Flags().StringVar(&f.traces, "trace-endpoint", "", "send traces of compilation and push to `HOST:PORT` by OTLP (default: nowhere)")
	c.Flags().DurationVar(&f.holdOff.Quiet, "hold-off", live.DefaultHoldOff.Quiet, "how long nothing must have changed before a change takes effect")
	c.Flags().DurationVar(&f.holdOff.Most, "hold-off-most", live.DefaultHoldOff.Most, "how long a change is held off at most")
	return f
}

// control is a control plane in this process: it certifies, serves ADS, and tells of itself.
type control struct {
	flags *controlFlags
	// folder is where the authorities are kept.
	folder  string
	now     func() time.Time
	log     *slog.Logger
	level   *logs.Level
	keeper  *certs.Keeper
	server  *ads.Server
	metrics *metrics.Metrics
	debug   *debug.Server
	health  *health.State
	tracer  *trace.Tracer
	// round is the newest that was published.
	round atomic.Pointer[live.Round]
	// rotation is where roots are replaced.
	rotation *rotation
	// told are the findings that were logged.
	told map[model.Diagnostic]bool
	// again asks for another round without a change of the manifests.
	again chan struct{}

	stop    context.CancelFunc
	running sync.WaitGroup
}

// The conditions of readiness.
const (
	synced    = "synced"
	listening = "listening"
)

// newControl makes a control plane and starts it. Its authority is kept in a folder, those of MeshRootCertificates in
// folders below it. It serves once serve is called.
func newControl(ctx context.Context, flags *controlFlags, authorities string, w world) (*control, error) {
	ctx, stop := context.WithCancel(ctx)
	c := &control{
		flags: flags, level: &logs.Level{}, metrics: metrics.New(), health: health.NewState(synced, listening),
		folder: authorities, rotation: &rotation{file: filepath.Join(authorities, "rotation.json")}, now: w.now, told: map[model.Diagnostic]bool{}, again: make(chan struct{}, 1), stop: stop,
	}
	if err := c.begin(ctx, w); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *control) begin(ctx context.Context, w world) (err error) {
	if c.log, err = logs.New(w.err, c.flags.logFormat.value, c.level); err != nil {
		return err
	}
	if err := c.level.Set(c.flags.logLevel); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	if c.tracer, err = trace.New(ctx, trace.Options{Endpoint: c.flags.traces, Service: "fsmc", Version: version, Log: c.log}); err != nil {
		return fmt.Errorf("--trace-endpoint: %w", err)
	}
	c.metrics.Build(version, "", "")
	c.keeper = certs.NewKeeper(certs.Options{
		Open: func(_ context.Context, root model.Root, keyBits int) (certs.Authority, error) {
			return c.open(root, keyBits)
		},
		Now: w.now, Changed: c.renew, Settled: func() bool { return c.server.Settled() },
		Issued: func(i certs.Issued) { c.metrics.Certificate(i.Took, i.Err) }, Log: c.log,
		Rotated: func(certs.Step) { c.complain("keep the state of the rotation", c.rotation.save(c.keeper.State())) }, Resume: c.rotation.read(),
	})
	c.server = ads.NewServer(ads.Options{
		Credentials: c.keeper, TLS: ads.ServerTLS(c.keeper, compiler.ControlPlaneIdentity, ""),
		Observe: c.observe, Log: c.log, Now: w.now,
	})
	c.metrics.Proxies(func() int { return len(c.server.Proxies()) })
	c.metrics.CertificateExpiry(c.firstExpiry)
	c.debug = debug.NewServer(c.flags.debugAt, debug.NewHandler(c.debugOptions()), c.log)
	if err := c.serveHealth(ctx); err != nil {
		return err
	}
	c.running.Go(func() { c.keeper.Run(ctx) })
	return nil
}

// observe counts and traces what happens to streams.
func (c *control) observe(e sinks.Event) {
	c.metrics.Observe(e)
	c.tracer.Observe(e)
}

// open opens the authority that a root is.
func (c *control) open(root model.Root, keyBits int) (*tresor.Authority, error) {
	return tresor.Open(authorityFolder(c.folder, root), keyBits, c.now)
}

// authorityFolder is where an authority is kept: that of a MeshRootCertificate in a folder named after its Secret.
func authorityFolder(folder string, root model.Root) string {
	if root == (model.Root{}) {
		return folder
	}
	return filepath.Join(folder, filepath.Base(root.SecretNamespace), filepath.Base(root.SecretName))
}

// renew brings new certificates to the proxies that have them, and to the disk.
func (c *control) renew(identities []model.Identity, trust bool) {
	c.server.Renewed(identities...)
	if trust {
		c.server.TrustChanged()
	}
	poke(c.again)
}

// publish brings a round to the proxies, and what its settings say of the control plane into effect.
func (c *control) publish(ctx context.Context, r *live.Round) error {
	settings := r.Mesh.Settings()
	c.round.Store(r)
	began := time.Now()
	spanned, end := c.tracer.Spans(ctx, "publish")
	c.keeper.Apply(spanned, settings, identitiesOf(r))
	err := c.server.Publish(spanned, r.Snapshot)
	end(err)
	c.tell(r, live.Step{Name: "publish", Took: time.Since(began)})
	return errors.Join(err, c.follow(settings.ControlPlane))
}

// follow brings settings of the control plane itself into effect.
func (c *control) follow(settings model.ControlPlane) error {
	var err error
	if c.flags.logLevel == "" {
		err = c.level.Follow(settings.LogLevel)
	}
	c.metrics.FeatureFlags(slices.Collect(settings.Flags.Values()))
	return errors.Join(err, c.debug.SetEnabled(c.flags.debug || settings.DebugServer))
}

// identitiesOf are all who need a certificate: the proxies' identities and the control plane's.
func identitiesOf(r *live.Round) []model.Identity {
	identities := []model.Identity{compiler.ControlPlaneIdentity}
	for class := range r.Output.Classes.Values() {
		identities = append(identities, class.Identity)
	}
	return identities
}

// serve serves ADS on listeners until the control plane is closed.
func (c *control) serve(listeners ...net.Listener) {
	for _, l := range listeners {
		c.running.Go(func() {
			if err := c.server.Serve(l); err != nil {
				c.log.Error("cannot serve ADS any more", "address", l.Addr().String(), "error", err)
				c.health.Set(listening, false, err.Error())
			}
		})
	}
	c.health.Set(listening, true, "")
}

// drain ends the streams of proxies over a time, so that they find another replica.
func (c *control) drain(over time.Duration) {
	c.health.Set(listening, false, "draining")
	ctx, cancel := context.WithTimeout(context.Background(), over)
	defer cancel()
	if err := c.server.Drain(ctx); err != nil {
		c.log.Warn("not all streams ended in time", "error", err)
	}
}

// close ends everything.
func (c *control) close() {
	c.stop()
	if c.debug != nil {
		_ = c.debug.SetEnabled(false)
	}
	if c.server != nil {
		now, cancel := context.WithTimeout(context.Background(), 0)
		defer cancel()
		_ = c.server.Drain(now)
	}
	c.running.Wait()
	last, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.tracer.Shutdown(last)
}

// trust is the trust bundle, and the part of it that signs now.
func (c *control) trust() (bundle, signer []byte, err error) {
	bundle, signer = c.keeper.Trust(), c.keeper.Signer()
	if len(bundle) == 0 || len(signer) == 0 {
		return nil, nil, errors.New("there is no root certificate that can be used")
	}
	return bundle, signer, nil
}

// bootstraps are what sidecars start with that this control plane serves.
func (c *control) bootstraps(folder string, from compiler.ControlPlane) *bootstraps {
	const unwatched = 365 * 24 * time.Hour // they are read once, when the sidecar starts
	validity := func() time.Duration {
		if !from.Watched {
			return unwatched
		}
		return cmp.Or(c.settings().CertificateValidity, validity)
	}
	return &bootstraps{folder: folder, from: from, issuer: c.keeper, trust: c.trust, validity: validity, now: c.now, again: func() { poke(c.again) }}
}

// settings are those of the control plane itself, as they were published last.
func (c *control) settings() model.ControlPlane {
	if r := c.round.Load(); r != nil {
		return r.Mesh.Settings().ControlPlane
	}
	return model.ControlPlane{}
}
