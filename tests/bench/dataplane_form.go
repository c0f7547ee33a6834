package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/ads"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// place is who calls whom: the client's sidecar takes connections to Service, the server's those to Pod, and the
// application listens on App. Elsewhere connections are redirected to the sidecars, which costs every form the same; here each
// listener is bound to the very address that is called.
type place struct {
	Service, Pod, App netip.AddrPort
	// Host and Path are what is asked for: a request that a policy admits.
	Host, Path string
}

// form is one way to configure the two sidecars: the folders in which they start.
type form struct {
	name    string
	folders [2]string
}

// forms are all three, with the servers that configure two of them.
type forms struct {
	place                 place
	ours, floor, ancestor form
	servers               []*served
	own                   *identities
}

func (f *forms) list() []form { return []form{f.ours, f.floor, f.ancestor} }

func (f *forms) stop() {
	for _, s := range f.servers {
		s.stop()
	}
}

// callers are the client and the server that is called, in a mesh in which the client sees all services.
type callers struct {
	snapshot       sinks.Snapshot
	client, server model.ProxyID
	own            *identities
	place          place
}

func newForms(dir string, services int) (*forms, error) {
	own, err := newIdentities(filepath.Join(dir, "authority"), "cluster.local")
	if err != nil {
		return nil, err
	}
	f := &forms{own: own}
	ours, err := newCallers(services, own)
	if err != nil {
		return nil, err
	}
	f.place = ours.place
	if err := ours.bind(); err != nil {
		return nil, err
	}
	if f.ours, err = f.serve(dir, "ours", ours, func(*bootstrapv3.Bootstrap) {}); err != nil {
		return f, err
	}
	ancestor, err := newCallers(services, own)
	if err != nil {
		return f, err
	}
	if err := errors.Join(ancestor.managerEach(), ancestor.bind()); err != nil {
		return f, err
	}
	f.ancestor, err = f.serve(dir, "ancestor", ancestor, allStatistics)
	if err != nil {
		return f, err
	}
	f.floor, err = ours.floor(dir)
	return f, err
}

// newCallers compiles a mesh in which one client may send the three requests of a policy to each service.
func newCallers(services int, own *identities) (*callers, error) {
	objects := shapes.Star(services).Dump(1, 1)
	mesh, _ := sources.Resolve(objects)
	output, _ := compiler.Compile(mesh)
	c := &callers{snapshot: sinks.Snapshot{Mesh: mesh, Output: output}, own: own}
	for p := range mesh.Proxies() {
		switch {
		case p.Identity.Namespace == "client":
			c.client = p.ID
		case p.Identity.ServiceAccount == "server-0":
			c.server = p.ID
			c.place.Pod = netip.AddrPortFrom(p.Addresses.At(0), 8080)
		}
	}
	for _, s := range objects.Services {
		if s.Name == "server-0" {
			address, err := netip.ParseAddr(s.Spec.ClusterIP)
			if err != nil {
				return nil, err
			}
			c.place.Service = netip.AddrPortFrom(address, 80)
		}
	}
	c.place.App = netip.MustParseAddrPort("127.0.0.1:8080")
	c.place.Host, c.place.Path = "server-0.servers", "/api/v1/resource-0/x"
	if c.client.Name == "" || c.server.Name == "" || !c.place.Service.IsValid() {
		return nil, fmt.Errorf("the mesh lacks the client or the server: %+v", c)
	}
	return c, nil
}

// bind has the listeners of both sidecars take what is called.
func (c *callers) bind() error {
	return errors.Join(
		c.relisten(c.client, "outbound-listener", func(l *listenerv3.Listener) error { l.Address = boundTo(c.place.Service); return nil }),
		c.relisten(c.server, "inbound-listener", func(l *listenerv3.Listener) error { l.Address = boundTo(c.place.Pod); return nil }))
}

func boundTo(a netip.AddrPort) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: a.Addr().String(), PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(a.Port())},
	}}}
}

// relisten changes a listener of a proxy's class.
func (c *callers) relisten(id model.ProxyID, name string, change func(*listenerv3.Listener) error) error {
	class, ok := c.snapshot.Output.ClassOf(id)
	if !ok {
		return fmt.Errorf("%s has no class", id)
	}
	var list []*compiler.Resource
	found := false
	for r := range class.Listeners.Values() {
		if r.Name == name {
			found = true
			message, err := r.Message()
			if err != nil {
				return err
			}
			if err := change(message.(*listenerv3.Listener)); err != nil {
				return err
			}
			if r, err = remade(r, message); err != nil {
				return err
			}
		}
		list = append(list, r)
	}
	class.Listeners = model.ListOf(list...)
	if !found {
		return fmt.Errorf("%s has no %s", id, name)
	}
	return nil
}

// remade is a resource with another content.
func remade(r *compiler.Resource, m proto.Message) (*compiler.Resource, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	c := *r
	c.Bytes, c.Version = b, hex.EncodeToString(sum[:])
	return &c, nil
}

// managerEach brings the client's outbound listener to the ancestor's form: a chain with a connection manager for each
// service, which its address chooses, over the same route table. Calls to the addresses of pods, which the ancestor did not
// have, go, and their clusters.
func (c *callers) managerEach() error {
	c.dropDirect()
	var addresses []netip.Addr
	for s := range c.snapshot.Mesh.Services() {
		for a := range s.Addresses.Values() {
			addresses = append(addresses, a)
		}
	}
	return c.relisten(c.client, "outbound-listener", func(l *listenerv3.Listener) error {
		var manager *listenerv3.FilterChain
		for _, chain := range l.FilterChains {
			if chain.Name == "outbound_80_http" {
				manager = chain
			}
		}
		if manager == nil {
			return errors.New("the client has no chain for HTTP")
		}
		l.FilterChains, l.FilterChainMatcher = nil, nil
		for _, a := range addresses {
			chain := proto.CloneOf(manager)
			chain.Name = "outbound_" + a.String() + "_80_http"
			chain.FilterChainMatch = &listenerv3.FilterChainMatch{
				DestinationPort: wrapperspb.UInt32(80),
				PrefixRanges:    []*corev3.CidrRange{{AddressPrefix: a.String(), PrefixLen: wrapperspb.UInt32(uint32(a.BitLen()))}},
			}
			l.FilterChains = append(l.FilterChains, chain)
		}
		return nil
	})
}

// dropDirect removes the clusters of calls to the addresses of pods.
func (c *callers) dropDirect() {
	class, _ := c.snapshot.Output.ClassOf(c.client)
	var clusters []*compiler.Resource
	for r := range class.Clusters.Values() {
		if !strings.HasSuffix(r.Name, "|direct") {
			clusters = append(clusters, r)
		}
	}
	class.Clusters = model.ListOf(clusters...)
}

// serve serves a snapshot at a socket, and writes what its two sidecars start with, changed as asked.
func (f *forms) serve(dir, name string, c *callers, change func(*bootstrapv3.Bootstrap)) (form, error) {
	at := form{name: name}
	trustDomain := c.snapshot.Mesh.Settings().TrustDomain
	server, err := newServed(c.snapshot, c.own, ads.ServerTLS(c.own, compiler.ControlPlaneIdentity, trustDomain))
	if err != nil {
		return at, err
	}
	socket := filepath.Join(dir, name+".socket")
	l, err := net.Listen("unix", socket)
	if err != nil {
		return at, err
	}
	go server.serve(l)
	f.servers = append(f.servers, server)
	for i, id := range []model.ProxyID{c.client, c.server} {
		b := c.snapshot.Output.Bootstrap(id, compiler.ControlPlane{Socket: socket, Identity: compiler.ControlPlaneIdentity})
		b.Admin.Address = boundTo(administration(i))
		change(b)
		text, err := proto.Marshal(b)
		if err != nil {
			return at, err
		}
		if at.folders[i], err = c.folder(dir, fmt.Sprintf("%s-%d", name, i), id, text, "envoy.pb"); err != nil {
			return at, err
		}
	}
	return at, nil
}

// administration is where a sidecar is asked for its memory.
func administration(sidecar int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(15000+100*sidecar))
}

// folder is where a sidecar starts: its configuration, its certificate and what it trusts.
func (c *callers) folder(dir, name string, id model.ProxyID, configuration []byte, file string) (string, error) {
	p, _ := c.snapshot.Mesh.Proxy(id)
	chain, key, err := c.own.Certificate(context.Background(), p.Identity)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(dir, name)
	err = os.Mkdir(folder, 0o755)
	for name, content := range map[string][]byte{
		file: configuration, compiler.CertificateFile: chain, compiler.PrivateKeyFile: key.PEM(), compiler.TrustFile: c.own.Trust(),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	return folder, err
}
