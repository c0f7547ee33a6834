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
func (e *realEnvoy) start(s sinks.Snapshot, id model.ProxyID, certificate pair, trust []byte, server net.Addr) {
	e.t.Helper()
	b := s.Output.Bootstrap(id, compiler.ControlPlane{
		Host: "127.0.0.1", Port: uint16(server.(*net.TCPAddr).Port), Identity: compiler.ControlPlaneIdentity,
	})
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
		"--reject-unknown-dynamic-fields", "--log-path", e.log, "--log-level", "info")
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
		VersionInfo string `json:"version_info"`
	} `json:"active_state"`
}

type named struct {
	Name string `json:"name"`
}

// versions are what the Envoy has: by kind and name, the version.
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
				found["listeners "+x.Name] = x.Active.VersionInfo
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
		"clusters": class.Clusters, "routes": class.Routes, "listeners": class.Listeners,
	} {
		for r := range list.Values() {
			all[kind+" "+r.Name] = r.Version
		}
	}
	return all
}

// differ says how an Envoy differs from a class; empty when it has just that.
func (e *realEnvoy) differ(class *compiler.Class) string {
	has := e.versions()
	for name := range has { //ordered: each is looked at by itself
		if strings.HasPrefix(name, "secrets ") {
			delete(has, name)
		}
	}
	return cmp.Diff(wanted(class), has)
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

// TestEnvoyGetsItsClass has real Envoys get all of their configuration from the server, and nothing else.
func TestEnvoyGetsItsClass(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server, address := serving(t, a, Options{})
	for _, row := range []struct {
		id       model.ProxyID
		identity model.Identity
	}{{buyerProxy, buyer}, {sellerProxy, seller}} {
		t.Run(row.id.Name, func(t *testing.T) {
			e := newRealEnvoy(t)
			snapshot := e.moved(newShop("web", "books").snapshot(), row.id)
			publish(t, server, snapshot)
			began := time.Now()
			e.start(snapshot, row.id, a.of(row.identity), a.Trust(), address)
			eventually(t, "Envoy is ready", e.ready)
			eventually(t, "the server knows", server.Settled)
			t.Logf("ready after %s", time.Since(began))
			if difference := e.differ(classOf(t, snapshot, row.id)); difference != "" {
				t.Errorf("Envoy differs from its class: %s", difference)
			}
		})
	}
}
