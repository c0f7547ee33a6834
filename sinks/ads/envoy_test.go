package ads

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/tests/parts"
)

// realEnvoy is an Envoy that runs on this machine and gets its configuration from a server of the test.
type realEnvoy struct {
	t     *testing.T
	admin int
	log   string
	ports map[string]uint32 // of listeners, by name: those of the mesh are taken by other tests
}

// newRealEnvoy finds ports for an Envoy.
func newRealEnvoy(t *testing.T) *realEnvoy {
	e := &realEnvoy{t: t, admin: freePort(t), ports: map[string]uint32{}}
	for _, name := range []string{"inbound-listener", "outbound-listener"} {
		e.ports[name] = uint32(freePort(t))
	}
	return e
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// moved gives the listeners of a proxy's class ports of their own.
func (e *realEnvoy) moved(s sinks.Snapshot, id model.ProxyID) sinks.Snapshot {
	class := classOf(e.t, s, id)
	var list []*compiler.Resource
	for r := range class.Listeners.Values() {
		message, err := r.Message()
		if err != nil {
			e.t.Fatal(err)
		}
		l := message.(*listenerv3.Listener)
		l.Address.GetSocketAddress().PortSpecifier = &corev3.SocketAddress_PortValue{PortValue: e.ports[l.Name]}
		l.AdditionalAddresses = nil
		list = append(list, remade(e.t, r, l))
	}
	class.Listeners = model.ListOf(list...)
	return s
}

// remade is a resource with another content.
func remade(t testing.TB, r *compiler.Resource, m proto.Message) *compiler.Resource {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	c := *r
	c.Bytes, c.Version = b, hash(b)
	return &c
}

// start starts the Envoy as a proxy, with a certificate.
func (e *realEnvoy) start(s sinks.Snapshot, id model.ProxyID, certificate pair, trust []byte, server net.Addr, whole bool) {
	e.t.Helper()
	b := s.Output.Bootstrap(id, compiler.ControlPlane{
		Host: "127.0.0.1", Port: uint16(server.(*net.TCPAddr).Port), Identity: compiler.ControlPlaneIdentity,
	})
	if whole {
		b.DynamicResources.AdsConfig.ApiType = corev3.ApiConfigSource_GRPC
	}
	b.Admin.Address.GetSocketAddress().PortSpecifier = &corev3.SocketAddress_PortValue{PortValue: uint32(e.admin)}
	text, err := proto.Marshal(b)
	if err != nil {
		e.t.Fatal(err)
	}
	folder := e.t.TempDir()
	for name, content := range map[string][]byte{
		"envoy.pb": text, compiler.CertificateFile: certificate.chain, compiler.PrivateKeyFile: certificate.key.PEM(), compiler.TrustFile: trust,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			e.t.Fatal(err)
		}
	}
	e.log = filepath.Join(folder, "envoy.log")
	command := exec.Command(parts.Envoy(e.t), "-c", "./envoy.pb", "--concurrency", "1", "--disable-hot-restart",
		"--reject-unknown-dynamic-fields", "--log-path", e.log, "--log-level", "warning")
	command.Dir = folder
	if err := command.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if e.t.Failed() {
			log, _ := os.ReadFile(e.log)
			e.t.Logf("%s", log)
		}
	})
}

// get asks the Envoy's administration; empty when it does not answer.
func (e *realEnvoy) get(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", e.admin, path), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	b, _ := io.ReadAll(response.Body)
	return string(b)
}

func (e *realEnvoy) ready() bool { return strings.TrimSpace(e.get("/ready")) == "LIVE" }

// dump is what of a configuration dump is looked at.
type dump struct {
	Configs []struct {
		Clusters  []dumped `json:"dynamic_active_clusters"`
		Listeners []dumped `json:"dynamic_listeners"`
		Routes    []dumped `json:"dynamic_route_configs"`
		Secrets   []dumped `json:"dynamic_active_secrets"`
	} `json:"configs"`
}

type dumped struct {
	Name        string `json:"name"`
	VersionInfo string `json:"version_info"`
	Cluster     named  `json:"cluster"`
	RouteConfig named  `json:"route_config"`
	Active      *struct {
		Listener struct {
			FilterChains []named `json:"filter_chains"`
		} `json:"listener"`
	} `json:"active_state"`
}

type named struct {
	Name string `json:"name"`
}

// versions are what the Envoy has: by kind and name, the version. Of listeners it is the names of their chains: the dump
// of a listener that was replaced in place has the version of the one before.
func (e *realEnvoy) versions() map[string]string {
	found := map[string]string{}
	var d dump
	if json.Unmarshal([]byte(e.get("/config_dump")), &d) != nil {
		return found
	}
	for _, c := range d.Configs {
		for _, x := range c.Clusters {
			found["clusters "+x.Cluster.Name] = x.VersionInfo
		}
		for _, x := range c.Listeners {
			if x.Active != nil {
				var chains []string
				for _, c := range x.Active.Listener.FilterChains {
					chains = append(chains, c.Name)
				}
				found["listeners "+x.Name] = fmt.Sprint(chains)
			}
		}
		for _, x := range c.Routes {
			found["routes "+x.RouteConfig.Name] = x.VersionInfo
		}
		for _, x := range c.Secrets {
			found["secrets "+x.Name] = x.VersionInfo
		}
	}
	return found
}

// wanted are the versions of a class, secrets left out.
func wanted(class *compiler.Class) map[string]string {
	all := map[string]string{}
	for kind, list := range map[string]model.List[*compiler.Resource]{
		"clusters": class.Clusters, "routes": class.Routes,
	} {
		for r := range list.Values() {
			all[kind+" "+r.Name] = r.Version
		}
	}
	for r := range class.Listeners.Values() {
		var chains []string
		if message, err := r.Message(); err == nil {
			for _, c := range message.(*listenerv3.Listener).FilterChains {
				chains = append(chains, c.Name)
			}
		}
		all["listeners "+r.Name] = fmt.Sprint(chains)
	}
	return all
}

// serving starts a server on loopback, over TLS with client certificates.
func serving(t testing.TB, a *authority, options Options) (*Server, net.Addr) {
	t.Helper()
	options.Credentials = a
	options.TLS = ServerTLS(a, compiler.ControlPlaneIdentity, trustDomain)
	s := NewServer(options)
	return s, listening(t, s, "127.0.0.1:0")
}

func listening(t testing.TB, s *Server, address string) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Drain(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr()
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(end) {
			t.Fatalf("in 30 seconds it does not come that %s", what)
		}
		<-tick.C
	}
}

func publish(t testing.TB, s *Server, snapshot sinks.Snapshot) {
	t.Helper()
	if err := s.Publish(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
}

// TestEnvoyGetsItsClass has real Envoys get all of their configuration from the server, and nothing else, and follow
// what changes.
func TestEnvoyGetsItsClass(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		id       model.ProxyID
		identity model.Identity
		whole    bool
	}{
		{"buyer", buyerProxy, buyer, false},
		{"seller", sellerProxy, seller, false},
		{"buyer-whole", buyerProxy, buyer, true},
		{"seller-whole", sellerProxy, seller, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a, e := newAuthority(t), newRealEnvoy(t)
			server, address := serving(t, a, Options{Limits: Limits{Linger: 100 * time.Millisecond}})
			mesh := newShop("web", "books")
			snapshot := e.moved(mesh.snapshot(), row.id)
			publish(t, server, snapshot)
			e.start(snapshot, row.id, a.of(row.identity), a.Trust(), address, row.whole)
			e.follows(server, snapshot, row.id, row.whole)

			mesh.services = []string{"web", "music"}
			mesh.paths = "/only"
			snapshot = e.moved(mesh.snapshot(), row.id)
			publish(t, server, snapshot)
			e.follows(server, snapshot, row.id, row.whole)
			if e.stat("cluster_manager.cds.update_rejected")+e.stat("listener_manager.lds.update_rejected") > 0 {
				t.Error("something was rejected")
			}
		})
	}
}

// follows waits until an Envoy is settled, and compares.
func (e *realEnvoy) follows(server *Server, s sinks.Snapshot, id model.ProxyID, whole bool) {
	e.t.Helper()
	eventually(e.t, "Envoy is ready", e.ready)
	eventually(e.t, "the server knows", func() bool { return len(server.Proxies()) == 1 && server.Settled() })
	class := classOf(e.t, s, id)
	// A listener is acknowledged before it is active.
	difference := ""
	defer func() {
		if difference != "" {
			e.t.Errorf("Envoy differs from its class: %s", difference)
		}
	}()
	eventually(e.t, "Envoy has its class", func() bool {
		difference = e.differ(class, whole)
		return difference == ""
	})
}

// differ says how an Envoy differs from a class; empty when it has just that. In the state of the world, versions are
// those of the state.
func (e *realEnvoy) differ(class *compiler.Class, whole bool) string {
	has, want := e.versions(), wanted(class)
	for name := range has { //ordered: each is looked at by itself
		if strings.HasPrefix(name, "secrets ") {
			delete(has, name)
		}
	}
	if whole {
		for _, m := range []map[string]string{has, want} {
			for name := range m { //ordered: each is looked at by itself
				m[name] = ""
			}
		}
	}
	return cmp.Diff(want, has)
}

// stat is a counter of the Envoy.
func (e *realEnvoy) stat(name string) int {
	var n int
	_, text, _ := strings.Cut(e.get("/stats?filter=^"+name+"$"), ": ")
	_, _ = fmt.Sscan(text, &n)
	return n
}

// TestEnvoyKeepsTheGood: a resource that Envoy rejects holds up none of the others, and the status tells why.
func TestEnvoyKeepsTheGood(t *testing.T) {
	t.Parallel()
	a, e := newAuthority(t), newRealEnvoy(t)
	server, address := serving(t, a, Options{})
	mesh := newShop("web")
	snapshot := e.moved(mesh.snapshot(), buyerProxy)
	publish(t, server, snapshot)
	e.start(snapshot, buyerProxy, a.of(buyer), a.Trust(), address, false)
	e.follows(server, snapshot, buyerProxy, false)

	mesh.services = []string{"web", "books", "music"}
	snapshot = e.moved(mesh.snapshot(), buyerProxy)
	class := classOf(t, snapshot, buyerProxy)
	var list []*compiler.Resource
	for r := range class.Clusters.Values() {
		if r.Name == "shop/books|80" {
			r = remade(t, r, &clusterv3.Cluster{Name: r.Name, ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_LOGICAL_DNS}})
		}
		list = append(list, r)
	}
	class.Clusters = model.ListOf(list...)
	publish(t, server, snapshot)
	eventually(t, "the server knows", server.Settled)
	want := wanted(class)
	delete(want, "clusters shop/books|80")
	eventually(t, "Envoy has all but the bad one", func() bool {
		has := e.versions()
		for name, version := range want { //ordered: the answer is the same in any order
			if has[name] != version {
				return false
			}
		}
		return has["clusters shop/books|80"] == ""
	})
	d := server.Proxies()[0].Types[0].Differences
	if len(d) != 1 || d[0].Name != "shop/books|80" || !strings.Contains(d[0].Rejected, "LOGICAL_DNS") || d[0].From[0].Name != "books" {
		t.Errorf("the status is %+v", d)
	}
}

// TestEnvoySurvivesARestart: the server is killed and comes back with nothing but its input. Envoy is sent its new
// certificate, and nothing else.
func TestEnvoySurvivesARestart(t *testing.T) {
	t.Parallel()
	a, e := newAuthority(t), newRealEnvoy(t)
	server, address := serving(t, a, Options{})
	snapshot := e.moved(newShop("web", "books").snapshot(), buyerProxy)
	publish(t, server, snapshot)
	e.start(snapshot, buyerProxy, a.of(buyer), a.Trust(), address, false)
	e.follows(server, snapshot, buyerProxy, false)

	server.grpc.Stop()
	a.renew(buyer)
	counted := &events{}
	again := NewServer(Options{Credentials: a, TLS: ServerTLS(a, compiler.ControlPlaneIdentity, trustDomain), Observe: counted.observe})
	publish(t, again, snapshot)
	listening(t, again, address.String())
	e.follows(again, snapshot, buyerProxy, false)
	counted.mu.Lock()
	defer counted.mu.Unlock()
	pushed := map[string]int{}
	for _, x := range counted.list {
		if x.Kind == sinks.Pushed {
			pushed[x.Type] += x.Resources
		}
	}
	if difference := cmp.Diff(map[string]int{"secrets": 1}, pushed); difference != "" {
		t.Errorf("it is sent %s", difference)
	}
}
