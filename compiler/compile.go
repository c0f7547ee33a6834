package compiler

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/flomesh-io/fsmc/model"
)

// Compile makes the configuration of every proxy of a mesh. It is a pure function: equal meshes give equal bytes, and
// the work grows with the classes of proxies and not with their replicas. The diagnostics are in no particular order.
func Compile(mesh *model.Mesh) (*Output, []model.Diagnostic) { return CompileFrom(mesh, nil) }

// CompileFrom is Compile, and takes over from a previous output (nil for none) what has not changed since: what differs
// between the two meshes is found by comparing the pointers of their entities, and only what depends on it is made
// anew. Resources and classes that are equal are the same pointers as before. The previous output is left as it is, and
// can be used again, also from several goroutines.
func CompileFrom(mesh *model.Mesh, previous *Output) (*Output, []model.Diagnostic) {
	c := newCompilation(mesh, previous)
	d := c.read()
	c.makeOutbound(d)
	c.makeInbound(d)
	c.makeClasses()
	return c.output()
}

// The types of resources, spelled once.
var (
	listenerType   = typeURL((*listenerv3.Listener)(nil))
	routesType     = typeURL((*routev3.RouteConfiguration)(nil))
	clusterType    = typeURL((*clusterv3.Cluster)(nil))
	assignmentType = typeURL((*endpointv3.ClusterLoadAssignment)(nil))
)

// compilation is one run of CompileFrom. It begins with a copy of what the previous output left, and edits it.
type compilation struct {
	state
	old      *state
	known    model.List[*Class] // of the previous output, unless everything is made anew
	owner    *owner
	settings model.Settings
	tls      tlsSpec
	memo     *memo

	// touched are the places that may become other classes, by their kinds; one without proxies is given up.
	touched map[*kind]*place
	// replaced are the outbound sides that are made anew or given up.
	replaced map[outboundKey]bool
	// balanced are the outbound sides that differ from the ones before in nothing but endpoints.
	balanced map[*calls]bool
	// disturbed are the roots of splits of which something else than endpoints changed.
	disturbed map[model.ServiceID]bool
	// views are those that are made now.
	views []*client
	// made counts what was not taken over.
	made struct{ classes, outbound, inbound int }
	// What depends on nothing but a whole service port is found without making its spec again.
	wholeClusters    map[wholeKey]*Resource
	wholeAssignments map[assignmentKey]*Resource
}

func newCompilation(mesh *model.Mesh, previous *Output) *compilation {
	c := &compilation{
		old: newState(), owner: &owner{}, settings: mesh.Settings(), tls: newTLSSpec(mesh.Settings().TLS),
		touched:          map[*kind]*place{},
		replaced:         map[outboundKey]bool{},
		balanced:         map[*calls]bool{},
		disturbed:        map[model.ServiceID]bool{},
		wholeClusters:    map[wholeKey]*Resource{},
		wholeAssignments: map[assignmentKey]*Resource{},
	}
	known := c.old.built
	if previous != nil && previous.state != nil {
		known = previous.state.built
		if sameForProxies(c.settings, previous.settings) {
			c.old, c.known = previous.state, previous.Classes
		}
	}
	c.state = *c.old
	c.mesh = mesh
	c.memo = &memo{built: known, owner: c.owner}
	return c
}

// sameForProxies says whether two settings give every proxy the same.
func sameForProxies(a, b model.Settings) bool {
	for _, s := range []*model.Settings{&a, &b} {
		s.ControlPlane, s.Roots = model.ControlPlane{}, model.List[model.Root]{}
	}
	return reflect.DeepEqual(a, b)
}

type wholeKey struct {
	port   *servicePort
	direct bool
}

type assignmentKey struct {
	port     *servicePort
	families families
}

// makeOutbound makes the outbound sides anew that depend on what differs, and those of new kinds.
func (c *compilation) makeOutbound(d difference) {
	c.followEverywhere(d)
	for _, key := range sortedBy(c.stale(d), outboundKey.compare) {
		c.replaced[key] = true
		users, _ := c.users.get(key)
		if len(users) == 0 {
			c.outbounds.drop(c.owner, key)
			continue
		}
		calls := c.callsOf(key)
		c.outbounds.put(c.owner, key, calls)
		c.made.outbound++
		for _, k := range users {
			c.touch(k).out = calls
		}
	}
	c.rebalance(d)
	for _, k := range d.born {
		c.touch(k).out, _ = c.outbounds.get(c.keyOf(k))
	}
}

// makeInbound makes the inbound sides anew that depend on what differs, and those of new kinds.
func (c *compilation) makeInbound(d difference) {
	for _, k := range sortedBy(c.judged(d), (*kind).compare) {
		in := c.inboundFor(k.spec, k.members)
		c.made.inbound++
		c.touch(k).in = &in
	}
}

// touch is a copy of the place of a kind that can be edited.
func (c *compilation) touch(k *kind) *place {
	p, ok := c.touched[k]
	if !ok {
		p = &place{kind: k}
		if old := c.old.place(k); old != nil {
			*p = *old
		}
		c.touched[k] = p
	}
	return p
}

// makeClasses makes the classes of what was touched.
func (c *compilation) makeClasses() {
	if len(c.touched) == 0 {
		return
	}
	next := make([]*place, 0, len(c.old.places)+len(c.touched))
	rest := c.old.places
	for _, k := range sortedBy(c.touched, (*kind).compare) {
		i, exists := slices.BinarySearchFunc(rest, k, (*place).compare)
		next = append(next, rest[:i]...)
		if exists {
			i++
		}
		rest = rest[i:]
		if p := c.touched[k]; len(p.proxies) > 0 {
			before := p.class
			p.class = c.class(p)
			if p.class != before {
				c.made.classes++
			}
			next = append(next, p)
		}
	}
	c.places = append(next, rest...)
}

// class is the class of a place; the one that it has already if that is equal.
func (c *compilation) class(p *place) *Class {
	if class := c.rebalancedClass(p); class != nil {
		return class
	}
	clusters := slices.Concat(p.out.clusters, p.in.clusters)
	listeners := []*Resource{p.out.listener, p.in.listener}
	if p.kind.spec.Metrics {
		from := []model.Ref{{Kind: "Pod", Field: "metadata.annotations[prometheus.io/scrape]"}}
		clusters = append(clusters, resourceOf(c.memo, clusterType,
			localClusterSpec{Name: metricsCluster, Port: AdminPort, HTTP: true, From: from}, buildLocalCluster))
		listeners = append(listeners, resourceOf(c.memo, listenerType,
			prometheusSpec{Families: p.kind.spec.Families, From: from}, buildPrometheusListener))
	}
	listeners = slices.DeleteFunc(listeners, func(r *Resource) bool { return r == nil })
	class := &Class{
		Name:      p.kind.name,
		Identity:  p.kind.identity(),
		Proxies:   model.ListOf(p.proxies...),
		Listeners: byName(listeners),
		Routes:    byName(slices.Concat(p.out.routes, p.in.routes)),
		Clusters:  byName(clusters),
		Endpoints: model.ListOf(p.out.endpoints...),
		Secrets:   slots(p.kind.identity(), p.out.tls, p.in.listener != nil),
	}
	if p.class != nil && p.class.equal(class) {
		return p.class
	}
	return class
}

// output closes the compilation: nothing of it is kept but what the next one begins with.
func (c *compilation) output() (*Output, []model.Diagnostic) {
	c.noisy = slices.DeleteFunc(slices.Clone(c.noisy), func(calls *calls) bool { return c.replaced[calls.key] })
	for _, key := range sortedBy(c.replaced, outboundKey.compare) {
		if calls, ok := c.outbounds.get(key); ok && calls.noisy() {
			c.noisy = append(c.noisy, calls)
		}
	}
	for _, view := range c.views {
		view.close()
	}
	c.memo.sweep(c.eachResource)
	c.built = c.memo.built
	next := c.state
	output := &Output{Classes: c.known, Counters: c.memo.counters, settings: c.settings, state: &next}
	if c.made.classes > 0 || len(c.places) != c.known.Len() {
		classes := make([]*Class, 0, len(c.places))
		for _, p := range c.places {
			classes = append(classes, p.class)
		}
		output.Classes = model.ListOf(classes...)
	}
	output.Reused = Reused{Classes: len(c.places) - c.made.classes, Views: c.outbounds.size - c.made.outbound + len(c.places) - c.made.inbound}
	return output, c.diagnostics()
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

func (c *compilation) settingsRefs() []model.Ref {
	if c.settings.From == (model.Ref{}) {
		return nil
	}
	return []model.Ref{c.settings.From}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// sortedBy are the keys of a map, in order.
func sortedBy[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	return slices.SortedFunc(maps.Keys(m), compare)
}
