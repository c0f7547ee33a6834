package compiler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/flomesh-io/fsmc/model"
)

// Compile makes the configuration of every proxy of a mesh. It is a pure function: equal meshes give equal bytes, and
// the work grows with the classes of proxies and not with their replicas. The diagnostics are in no particular order.
func Compile(mesh *model.Mesh) (*Output, []model.Diagnostic) { return CompileFrom(mesh, nil) }

// CompileFrom is Compile, and takes over from a previous output what has not changed. The previous output is left as it
// is and can be used again.
func CompileFrom(mesh *model.Mesh, previous *Output) (*Output, []model.Diagnostic) {
	c := newCompilation(mesh)
	output := &Output{settings: c.settings, proxies: map[model.ProxyID]placed{}}
	var classes []*Class
	for _, g := range groups(mesh) {
		class := c.class(g)
		classes = append(classes, class)
		for _, p := range g.proxies {
			output.proxies[p.ID] = placed{p, class}
		}
	}
	output.Classes = model.ListOf(classes...)
	output.Counters = c.memo.counters
	return output, append(c.diagnostics, c.unreachableBackends()...)
}

// The types of resources, spelled once.
var (
	listenerType   = typeURL((*listenerv3.Listener)(nil))
	routesType     = typeURL((*routev3.RouteConfiguration)(nil))
	clusterType    = typeURL((*clusterv3.Cluster)(nil))
	assignmentType = typeURL((*endpointv3.ClusterLoadAssignment)(nil))
)

// compilation is the state of one run of Compile.
type compilation struct {
	*index
	settings model.Settings
	tls      tlsSpec
	memo     *memo

	outbounds  map[outboundKey]outbound
	permissive map[families]*client
	// What depends on nothing but a whole service port is found without making its spec again.
	wholeClusters    map[wholeKey]*Resource
	wholeAssignments map[assignmentKey]*Resource

	diagnostics []model.Diagnostic
	unreachable map[unreachableKey][]model.Identity
	// caller is whose outbound side is being made, for diagnostics.
	caller model.Identity
}

func newCompilation(mesh *model.Mesh) *compilation {
	return &compilation{
		index: newIndex(mesh), settings: mesh.Settings(), tls: newTLSSpec(mesh.Settings().TLS), memo: newMemo(),
		outbounds:        map[outboundKey]outbound{},
		permissive:       map[families]*client{},
		wholeClusters:    map[wholeKey]*Resource{},
		wholeAssignments: map[assignmentKey]*Resource{},
		unreachable:      map[unreachableKey][]model.Identity{},
	}
}

// outboundKey is what an outbound side depends on: in SMI mode the identity, in permissive mode the namespace alone.
type outboundKey struct {
	caller   model.Identity
	families families
}

type wholeKey struct {
	port   *servicePort
	direct bool
}

type assignmentKey struct {
	port     *servicePort
	families families
}

type unreachableKey struct {
	split   *model.Split
	backend model.Backend
	port    uint16
}

func (c *compilation) class(g *group) *Class {
	out := c.outbound(g)
	in := c.inboundFor(g.spec, g.members)
	clusters := slices.Concat(out.clusters, in.clusters)
	listeners := []*Resource{out.listener, in.listener}
	if g.spec.Metrics {
		from := []model.Ref{{Kind: "Pod", Field: "metadata.annotations[prometheus.io/scrape]"}}
		clusters = append(clusters, resourceOf(c.memo, clusterType,
			localClusterSpec{Name: metricsCluster, Port: AdminPort, HTTP: true, From: from}, buildLocalCluster))
		listeners = append(listeners, resourceOf(c.memo, listenerType,
			prometheusSpec{Families: g.spec.Families, From: from}, buildPrometheusListener))
	}
	listeners = slices.DeleteFunc(listeners, func(r *Resource) bool { return r == nil })
	class := &Class{
		Name:      g.name,
		Identity:  model.Identity{Namespace: g.spec.Namespace, ServiceAccount: g.spec.ServiceAccount},
		Listeners: byName(listeners),
		Routes:    byName(slices.Concat(out.routes, in.routes)),
		Clusters:  byName(clusters),
		Endpoints: model.ListOf(out.endpoints...),
	}
	class.Secrets = slots(class.Identity, out.tls, in.listener != nil)
	var ids []model.ProxyID
	for _, p := range g.proxies {
		ids = append(ids, p.ID)
	}
	class.Proxies = model.ListOf(ids...)
	return class
}

func (c *compilation) outbound(g *group) outbound {
	c.caller = model.Identity{Namespace: g.spec.Namespace, ServiceAccount: g.spec.ServiceAccount}
	key := outboundKey{c.caller, g.spec.Families}
	if c.settings.Permissive {
		key.caller.ServiceAccount = ""
	}
	if result, ok := c.outbounds[key]; ok {
		return result
	}
	view := c.view(g.spec.Families)
	c.outbounds[key] = view.within(c.caller.Namespace)
	return c.outbounds[key]
}

func (c *compilation) view(f families) *client {
	if c.settings.Permissive {
		return c.everywhere(f)
	}
	return c.outboundFor(f, c.reachFrom(c.caller))
}

// everywhere is the view of whoever calls in permissive mode.
func (c *compilation) everywhere(f families) *client {
	view, ok := c.permissive[f]
	if !ok {
		view = c.outboundFor(f, c.reachAll())
		c.permissive[f] = view
	}
	return view
}

func slots(identity model.Identity, client, server bool) model.List[Slot] {
	var list []Slot
	if client || server {
		list = append(list, Slot{Name: certificateSlot, Kind: CertificateSlot, Identity: identity})
	}
	if server {
		list = append(list, Slot{Name: inboundTrustSlot, Kind: TrustSlot})
	}
	if client {
		list = append(list, Slot{Name: outboundTrustSlot, Kind: TrustSlot})
	}
	return model.ListOf(list...)
}

func sortByName(resources []*Resource) {
	slices.SortFunc(resources, func(a, b *Resource) int { return cmp.Compare(a.Name, b.Name) })
}

func byName(resources []*Resource) model.List[*Resource] {
	sortByName(resources)
	return model.ListOf(resources...)
}

func (c *compilation) note(d model.Diagnostic) { c.diagnostics = append(c.diagnostics, d) }

// noteUnreachable remembers that a backend gets no traffic from the caller; one diagnostic is made for all callers.
func (c *compilation) noteUnreachable(split *model.Split, b model.Backend, id model.ServicePort) {
	if _, exists := c.byPort[id]; !exists {
		return // a backend that has no such service or port was diagnosed when it was read
	}
	key := unreachableKey{split, b, id.Port}
	if callers := c.unreachable[key]; !slices.Contains(callers, c.caller) {
		c.unreachable[key] = append(callers, c.caller)
	}
}

func (c *compilation) unreachableBackends() []model.Diagnostic {
	var list []model.Diagnostic
	//ordered: whoever prints diagnostics sorts them
	for key, callers := range c.unreachable {
		slices.SortFunc(callers, model.Identity.Compare)
		id := model.ServicePort{Service: key.backend.Service, Port: key.port}
		d := model.Note(model.BackendUnreachable, key.backend.From,
			fmt.Sprintf("backend %s may not be reached by %s", id, someOf(callers))).
			Did("it gets no traffic from them").
			Mend(fmt.Sprintf("add a TrafficTarget whose destination is the ServiceAccount of %s and whose sources include these clients", key.backend.Service))
		if len(c.byPort[id].servers) == 0 {
			d = model.Note(model.BackendUnreachable, key.backend.From, fmt.Sprintf("backend %s has no workloads", id)).
				Did("it gets no traffic")
		}
		list = append(list, d)
	}
	return list
}

// someOf names up to three identities, and counts the rest.
func someOf(identities []model.Identity) string {
	const shown = 3
	var names []string
	for _, i := range identities[:min(shown, len(identities))] {
		names = append(names, i.String())
	}
	text := strings.Join(names, ", ")
	if rest := len(identities) - shown; rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

func (c *compilation) settingsRefs() []model.Ref {
	if c.settings.From == (model.Ref{}) {
		return nil
	}
	return []model.Ref{c.settings.From}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
