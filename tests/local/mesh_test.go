//go:build linux

package local

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/parts"
	"github.com/flomesh-io/fsmc/verdict"
)

// mesh is a mesh that this process holds, so that a test can change it.
type mesh struct {
	*local.Mesh
	t    *testing.T
	plan local.Plan
	said *parts.Output
}

// start brings a plan to life until the end of the test. Sidecars pass everything on to where it was going, or to port
// 8080 of their application, unless the test has written other files.
func start(t *testing.T, plan local.Plan, options local.Options) *mesh {
	t.Helper()
	m, err := tryStart(t, plan, options)
	if err != nil {
		allowed(t, err.Error())
		t.Fatal(err)
	}
	return m
}

func tryStart(t *testing.T, plan local.Plan, options local.Options) (*mesh, error) {
	t.Helper()
	scratch, err := local.NewScratch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = scratch.Remove() })
	if options.Scratch, err = scratch.Make("etc"); err != nil {
		t.Fatal(err)
	}
	if options.Logs, err = scratch.Make("logs"); err != nil {
		t.Fatal(err)
	}
	if plan.Folder == "" {
		if plan.Folder, err = scratch.Make("tree"); err != nil {
			t.Fatal(err)
		}
	}
	plan.Envoy = parts.Envoy(t)
	m := &mesh{t: t, plan: plan, said: &parts.Output{}}
	m.writeTree(plan)
	options.Name = fmt.Sprintf("live-%d-%d", os.Getpid(), time.Now().UnixNano())
	options.Trouble = func(text string) { _, _ = fmt.Fprintln(m.said, text) }
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if m.Mesh, err = local.Start(ctx, plan, options); err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		m.Close()
		if t.Failed() {
			t.Logf("the mesh said:\n%s", m.said)
		}
	})
	return m, nil
}

// writeTree writes the files of sidecars that have none.
func (m *mesh) writeTree(plan local.Plan) {
	m.t.Helper()
	for _, p := range plan.Pods {
		if !p.Sidecar {
			continue
		}
		if _, err := os.Stat(m.file(p.String())); err != nil {
			m.write(p.String(), passOn)
		}
	}
}

// file is the configuration of a pod's sidecar.
func (m *mesh) file(pod string) string {
	return filepath.Join(m.plan.Folder, "proxies", filepath.FromSlash(pod), "envoy.yaml")
}

func (m *mesh) write(pod, configuration string) {
	m.t.Helper()
	file := m.file(pod)
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(configuration), 0o644)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// passOn is a sidecar without a policy.
const passOn = `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 15000}}}
static_resources:
  listeners:
  - name: outbound
    address: {socket_address: {address: 0.0.0.0, port_value: 15001}}
    listener_filters:
    - {name: dst, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst}}
    filter_chains:
    - filters: [{name: tcp, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: out, cluster: anywhere}}]
  - name: inbound
    address: {socket_address: {address: 0.0.0.0, port_value: 15003}}
    filter_chains:
    - filters: [{name: tcp, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: in, cluster: application}}]
  clusters:
  - {name: anywhere, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}
  - name: application
    type: STATIC
    load_assignment: {cluster_name: application, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}}]}]}
`

// podOf is a pod of namespace shop with an echo server on port 8080.
func podOf(name string, number byte, sidecar bool) local.Pod {
	return local.Pod{
		Namespace: "shop", Name: name, Workload: strings.SplitN(name, "-", 2)[0], Origin: "Pod shop/" + name,
		Identity:  model.Identity{Namespace: "shop", ServiceAccount: "default"},
		Addresses: []netip.Addr{netip.AddrFrom4([4]byte{100, 64, 0, number})},
		Sidecar:   sidecar, Ports: []local.Port{{Number: 8080, Protocol: model.HTTP}, {Number: 9000, Protocol: model.TCP}},
	}
}

// service gives pods a name and port 80 of a virtual address.
func service(name string, number byte, pods ...local.Pod) (local.Virtual, local.Name) {
	address := netip.AddrFrom4([4]byte{198, 18, 0, number})
	v := local.Virtual{Address: netip.AddrPortFrom(address, 80)}
	for _, p := range pods {
		v.Endpoints = append(v.Endpoints, netip.AddrPortFrom(p.Addresses[0], 8080))
	}
	return v, local.Name{Name: name + ".shop.svc.cluster.local", Addresses: []netip.Addr{address}}
}

// asks makes a request in the name of a pod of namespace shop.
func (m *mesh) asks(pod, to string, request *verdict.Request) verdict.Answer {
	m.t.Helper()
	if request != nil {
		request.Host = "web.shop"
	}
	answer, err := m.Ask(m.t.Context(), verdict.Question{Namespace: "shop", Pod: pod, Address: netip.MustParseAddrPort(to), Request: request})
	if err != nil {
		m.t.Fatal(err)
	}
	return answer
}

// runs runs a command in a pod of namespace shop, and returns what it wrote.
func (m *mesh) runs(pod string, command ...string) string {
	m.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		m.t.Fatal(err)
	}
	var wrote parts.Output
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = r.WriteTo(&wrote) })
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		m.t.Fatal(err)
	}
	_, err = m.Execute(m.t.Context(), local.Execution{Namespace: "shop", Pod: pod, Arguments: command, Environment: os.Environ(), Folder: "/"}, [3]*os.File{nothing, w, w}, nil)
	_, _ = w.Close(), nothing.Close()
	reading.Wait()
	_ = r.Close()
	if err != nil {
		m.t.Fatal(err)
	}
	return wrote.String()
}

// within waits for a condition.
func within(t *testing.T, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s, it is not so: %s", patience, what)
		}
	}
}

// outcomes are those of a load that is being made.
type outcomes struct {
	mu   sync.Mutex
	list []local.Outcome
}

func (o *outcomes) all() []local.Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.list)
}

// await waits for an outcome.
func (o *outcomes) await(t *testing.T, what string, wanted func(local.Outcome) bool) {
	t.Helper()
	within(t, 20*time.Second, what, func() bool { return slices.ContainsFunc(o.all(), wanted) })
}

// loads makes a load in the background. The function that is returned ends it, and sums it up.
func (m *mesh) loads(load local.Load) (*outcomes, func() local.Report) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(m.t.Context())
	o := &outcomes{}
	var report local.Report
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		report, err = m.Load(ctx, load, func(some []local.Outcome) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.list = append(o.list, some...)
		})
	}()
	return o, func() local.Report {
		m.t.Helper()
		cancel()
		<-ended
		if err != nil {
			m.t.Fatal(err)
		}
		return report
	}
}
