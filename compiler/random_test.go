package compiler

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// world is a small mesh as a cluster would have it: workloads, services that select them, and policies. It is what the
// random tests draw, rather than a mesh, because it can be run at another scale, without permissions, in another order.
//
// Names, ports and addresses come from small alphabets, so that services of one name, one address or one target port,
// and hosts that are called like a service of another namespace, are common.
type world struct {
	settings    model.Settings
	workloads   []workload
	services    []catalogued
	permissions []*model.Permission
	splits      []*model.Split
}

// workload makes pods that are alike.
type workload struct {
	name     string
	identity model.Identity
	// stateful pods have a host name each, below the name of a headless service that selects them.
	stateful bool
	sidecar  bool
	metrics  bool
	families families
	// ready says of each pod whether it is.
	ready []bool
	// shift is added to target ports that are named, which differ between workloads.
	shift uint16
	// network is the part of its pods' addresses that no other workload has.
	network byte
}

// catalogued is a service, and the workloads that it selects.
type catalogued struct {
	id        model.ServiceID
	headless  bool
	addresses []netip.Addr
	created   time.Time
	ports     []cataloguedPort
	selected  []int
	// strangers is the number of endpoints that are no pods of the mesh.
	strangers int
}

type cataloguedPort struct {
	number, target uint16
	named          bool
	protocol       model.Protocol
}

func (p cataloguedPort) targetOn(w workload) uint16 {
	if p.named {
		return p.target + w.shift
	}
	return p.target
}

var (
	namespaces   = []string{"a", "a", "b", "svc"}
	accounts     = []string{"a", "b"}
	serviceNames = []string{"a", "b", "a-0", "web"}
	portNumbers  = []uint16{80, 90, 3306}
	targetPorts  = []uint16{80, 8080, 3306, 9000}
	protocols    = []model.Protocol{model.HTTP, model.H2C, model.GRPC, model.TCP, model.TCPServerFirst, model.TLSPassthrough}
	births       = []time.Time{{}, time.Unix(1e9, 0).UTC(), time.Unix(2e9, 0).UTC()}
)

// worlds draws worlds.
var worlds = rapid.Custom(func(t *rapid.T) world {
	w := world{settings: drawSettings(t)}
	for i := range rapid.IntRange(1, 5).Draw(t, "workloads") {
		w.workloads = append(w.workloads, drawWorkload(t, i, w.workloads))
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "services") {
		s := drawService(t, i, w.workloads)
		if !slices.ContainsFunc(w.services, func(other catalogued) bool { return other.id == s.id }) {
			w.services = append(w.services, s)
		}
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "permissions") {
		w.permissions = append(w.permissions, drawPermission(t, i))
	}
	names := append(w.serviceIDs(), model.ServiceID{Namespace: "a", Name: "missing"})
	for i := range rapid.IntRange(0, 3).Draw(t, "splits") {
		w.splits = append(w.splits, drawSplit(t, i, names))
	}
	return w
})

// checkWorlds checks a property of random worlds.
func checkWorlds(t *testing.T, property func(t *rapid.T, w world)) {
	t.Helper()
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { property(t, worlds.Draw(t, "mesh")) })
}

func pick[T any](t *rapid.T, label string, from []T) T { return rapid.SampledFrom(from).Draw(t, label) }

func chance(t *rapid.T, label string) bool { return rapid.Bool().Draw(t, label) }

// rarely is true one time in eight.
func rarely(t *rapid.T, label string) bool { return rapid.IntRange(0, 7).Draw(t, label) == 7 }

func drawSettings(t *rapid.T) model.Settings {
	s := model.Settings{MeshName: "fsm", TrustDomain: pick(t, "trust domain", []string{"cluster.local", "mesh.example"})}
	s.Permissive = chance(t, "permissive")
	s.Egress = chance(t, "egress")
	s.HTTPClosed = rarely(t, "HTTP closed")
	versions := pick(t, "TLS", [][2]string{{"1.2", "1.3"}, {"1.2", "1.2"}, {"1.3", "1.3"}, {"", ""}})
	s.TLS.Minimum, s.TLS.Maximum = versions[0], versions[1]
	if rarely(t, "ciphers") {
		s.TLS.Ciphers = model.ListOf("ECDHE-ECDSA-AES128-GCM-SHA256")
		s.TLS.Curves = model.ListOf("X25519", "P-256")
	}
	if s.Permissive || s.Egress || s.HTTPClosed || chance(t, "configured") { // only a MeshConfig switches something on
		s.From = model.Ref{Kind: "MeshConfig", Namespace: "fsm-system", Name: "fsm-mesh-config"}
	}
	return s
}

func drawWorkload(t *rapid.T, i int, others []workload) workload {
	w := workload{
		name:     pick(t, "workload", []string{"a", "b"}),
		identity: drawIdentity(t),
		stateful: chance(t, "stateful"),
		sidecar:  !rarely(t, "no sidecar"),
		metrics:  chance(t, "metrics"),
		families: pick(t, "families", []families{{V4: true}, {V4: true}, {V6: true}, {V4: true, V6: true}}),
		shift:    uint16(i % 2),
		network:  byte(i + 1),
	}
	taken := func(o workload) bool { return o.name == w.name && o.identity.Namespace == w.identity.Namespace }
	if slices.ContainsFunc(others, taken) {
		w.name = fmt.Sprintf("%s%d", w.name, i)
	}
	for range rapid.IntRange(1, 3).Draw(t, "replicas") {
		w.ready = append(w.ready, !rarely(t, "not ready"))
	}
	return w
}

func drawIdentity(t *rapid.T) model.Identity {
	return model.Identity{Namespace: pick(t, "namespace", namespaces), ServiceAccount: pick(t, "account", accounts)}
}

func drawService(t *rapid.T, i int, workloads []workload) catalogued {
	s := catalogued{
		id:       model.ServiceID{Namespace: pick(t, "namespace", namespaces), Name: pick(t, "service", serviceNames)},
		headless: chance(t, "headless"),
		created:  pick(t, "created", births),
	}
	if !s.headless {
		s.addresses = drawClusterIPs(t, i)
	}
	if rapid.IntRange(0, 3).Draw(t, "strangers") == 3 {
		s.strangers = rapid.IntRange(1, 2).Draw(t, "how many")
	}
	for j, w := range workloads {
		if w.identity.Namespace == s.id.Namespace && !rarely(t, "not selected") {
			s.selected = append(s.selected, j)
		}
	}
	numbers := rapid.SliceOfNDistinct(rapid.SampledFrom(portNumbers), 1, 3, rapid.ID).Draw(t, "ports")
	for _, number := range numbers {
		s.ports = append(s.ports, cataloguedPort{
			number: number, target: pick(t, "target", targetPorts), named: rarely(t, "named target"),
			protocol: pick(t, "protocol", protocols),
		})
	}
	return s
}

// drawClusterIPs rarely gives two services one address: dumps of two clusters in one directory do.
func drawClusterIPs(t *rapid.T, i int) []netip.Addr {
	last := byte(i + 1)
	if rarely(t, "shared cluster IP") {
		last = 1
	}
	v4, v6 := netip.AddrFrom4([4]byte{198, 18, 0, last}), netip.MustParseAddr(fmt.Sprintf("2001:db8:f::%x", last))
	return pick(t, "cluster IPs", [][]netip.Addr{{v4}, {v4}, {v4, v6}, {v6}})
}

func drawPermission(t *rapid.T, i int) *model.Permission {
	destination := drawIdentity(t)
	p := &model.Permission{
		Namespace: destination.Namespace, Name: fmt.Sprintf("p%d", i), Destination: destination,
		Sources: model.ListOf(rapid.SliceOfNDistinct(rapid.Custom(drawIdentity), 0, 3, rapid.ID).Draw(t, "sources")...),
	}
	p.From = model.Ref{Kind: "TrafficTarget", Namespace: p.Namespace, Name: p.Name}
	switch ports := drawPorts(t); pick(t, "shape", []string{"requests", "requests on ports", "ports", "everything", "nothing"}) {
	case "requests":
		p.HTTP = model.HTTPGrant{Ports: model.AllPorts, Requests: drawRequests(t)}
	case "requests on ports":
		p.HTTP = model.HTTPGrant{Ports: ports, Requests: drawRequests(t)}
	case "ports":
		p.HTTP, p.TCP = model.HTTPGrant{Ports: ports, Requests: model.AllRequests}, ports
	case "everything":
		p.HTTP, p.TCP = model.HTTPGrant{Ports: model.AllPorts, Requests: model.AllRequests}, model.AllPorts
	}
	return p
}

func drawPorts(t *rapid.T) model.PortSet {
	ports := rapid.SliceOfNDistinct(rapid.SampledFrom(targetPorts), 0, 3, rapid.ID).Draw(t, "ports")
	return model.PortSet{Ports: model.ListOf(ports...)}
}

func drawRequests(t *rapid.T) model.Requests {
	return model.Requests{Matches: model.ListOf(rapid.SliceOfN(rapid.Custom(drawMatch), 0, 3).Draw(t, "matches")...)}
}

func drawMatch(t *rapid.T) model.Match {
	m := model.Match{Path: pick(t, "path", []string{".*", "/a", "/b/[0-9]+", "/(c|d)/.*", `/e\.html`, "/" + strings.Repeat("long", 100)})}
	m.AnyMethod = chance(t, "any method")
	if !m.AnyMethod {
		m.Methods = model.ListOf(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"GET", "POST", "PUT"}), 0, 3, rapid.ID).Draw(t, "methods")...)
	}
	headers := []model.Header{{Name: ":authority", Value: "a.*"}, {Name: "user-agent", Value: ".*"}, {Name: "x-id", Value: "[0-9]+"}}
	m.Headers = model.ListOf(rapid.SliceOfNDistinct(rapid.SampledFrom(headers), 0, 2, rapid.ID).Draw(t, "headers")...)
	return m
}

func drawSplit(t *rapid.T, i int, names []model.ServiceID) *model.Split {
	s := &model.Split{Name: fmt.Sprintf("s%d", i), Root: pick(t, "root", names), Requests: model.AllRequests}
	s.Namespace = s.Root.Namespace
	s.From = model.Ref{Kind: "TrafficSplit", Namespace: s.Namespace, Name: s.Name}
	if chance(t, "matches") {
		s.Requests = drawRequests(t)
	}
	var backends []model.Backend
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID).Draw(t, "backends") {
		weight := pick(t, "weight", []uint32{0, 1, 50, 10_000_000})
		backends = append(backends, model.Backend{Service: id, Weight: weight, From: s.From.At("spec.backends")})
	}
	s.Backends = model.ListOf(backends...)
	return s
}

// serviceIDs are the names of all services, hosts included.
func (w world) serviceIDs() []model.ServiceID {
	var ids []model.ServiceID
	for s := range w.parts(w.asDrawn()).Services.Values() {
		ids = append(ids, s.ID)
	}
	return ids
}

// replicas says of each workload which of its pods are ready.
type replicas func(workload) []bool

func (w world) asDrawn() replicas { return func(w workload) []bool { return w.ready } }

func (w world) mesh() *model.Mesh { return model.New(w.parts(w.asDrawn())) }

// parts is the world as the cluster states it, at a scale.
func (w world) parts(scale replicas) model.Parts {
	parts := model.Parts{
		Settings: w.settings, Permissions: model.ListOf(w.permissions...), Splits: model.ListOf(w.splits...),
	}
	var proxies []*model.Proxy
	for i, load := range w.workloads {
		if !load.sidecar {
			continue
		}
		members := model.ListOf(w.members(i)...)
		for ordinal := range scale(load) {
			proxies = append(proxies, &model.Proxy{
				ID: load.pod(ordinal), Identity: load.identity, Addresses: model.ListOf(load.addresses(ordinal)...),
				Members: members, Metrics: load.metrics, Workload: model.Ref{Kind: "Deployment", Name: load.name},
				From: model.Ref{Kind: "Pod", Namespace: load.identity.Namespace, Name: load.pod(ordinal).Name},
			})
		}
	}
	parts.Proxies = model.ListOf(proxies...)
	var services []*model.Service
	for i := range w.services {
		services = append(services, w.published(i, scale)...)
	}
	parts.Services = model.ListOf(services...)
	return parts
}

// members are the service ports that a workload serves.
func (w world) members(load int) []model.Member {
	var members []model.Member
	for _, s := range w.services {
		if !slices.Contains(s.selected, load) {
			continue
		}
		for _, p := range s.ports {
			members = append(members, model.Member{
				ServicePort: model.ServicePort{Service: s.id, Port: p.number}, Target: p.targetOn(w.workloads[load]),
				Protocol: p.protocol, Headless: s.headless,
			})
		}
	}
	return members
}

// published is a service, and a service for each host that it has.
func (w world) published(i int, scale replicas) []*model.Service {
	s := w.services[i]
	everybody := func(model.Endpoint) bool { return true }
	services := []*model.Service{w.service(i, s.id, scale, everybody)}
	if !s.headless {
		return services
	}
	for _, j := range s.selected {
		load := w.workloads[j]
		for ordinal := range scale(load) {
			if load.stateful {
				pod := load.pod(ordinal)
				id := model.ServiceID{Namespace: s.id.Namespace, Name: pod.Name + "." + s.id.Name}
				host := w.service(i, id, scale, func(e model.Endpoint) bool { return e.Proxy == pod })
				host.Parent = s.id
				services = append(services, host)
			}
		}
	}
	return services
}

func (w world) service(i int, id model.ServiceID, scale replicas, which func(model.Endpoint) bool) *model.Service {
	s := w.services[i]
	var ports []model.Port
	for _, p := range s.ports {
		var endpoints []model.Endpoint
		for _, e := range w.endpoints(i, p, scale) {
			if which(e) {
				endpoints = append(endpoints, e)
			}
		}
		ports = append(ports, model.Port{Number: p.number, Protocol: p.protocol, Endpoints: model.ListOf(endpoints...)})
	}
	return &model.Service{
		ID: id, Addresses: model.ListOf(s.addresses...), Headless: s.headless, Ports: model.ListOf(ports...), Created: s.created,
		From: model.Ref{Kind: "Service", Namespace: s.id.Namespace, Name: s.id.Name},
	}
}

func (w world) endpoints(i int, p cataloguedPort, scale replicas) []model.Endpoint {
	s := w.services[i]
	var endpoints []model.Endpoint
	for _, j := range s.selected {
		load := w.workloads[j]
		for ordinal, ready := range scale(load) {
			if !ready {
				continue
			}
			for _, address := range load.addresses(ordinal) {
				endpoints = append(endpoints, model.Endpoint{
					Address: netip.AddrPortFrom(address, p.targetOn(load)), Proxy: load.pod(ordinal),
					Identity: load.identity, Sidecar: load.sidecar,
				})
			}
		}
	}
	for n := range s.strangers {
		endpoints = append(endpoints, model.Endpoint{
			Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(10*i + n)}), p.target),
		})
	}
	return endpoints
}

func (w workload) pod(ordinal int) model.ProxyID {
	return model.ProxyID{Namespace: w.identity.Namespace, Name: fmt.Sprintf("%s-%d", w.name, ordinal)}
}

func (w workload) addresses(ordinal int) []netip.Addr {
	var list []netip.Addr
	if w.families.V4 {
		list = append(list, netip.AddrFrom4([4]byte{100, 64, w.network, byte(ordinal + 1)}))
	}
	if w.families.V6 {
		list = append(list, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x:%x", w.network, ordinal+1)))
	}
	return list
}

// GoString is how a failed check prints a world: as the mesh that it makes.
func (w world) GoString() string {
	text, err := json.MarshalIndent(w.mesh(), "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}
