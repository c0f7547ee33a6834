package compiler

import (
	"net/netip"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// client is the view of whoever calls: what the proxies of one identity, or in permissive mode all proxies, may reach, and
// what their outbound side is made of. Replicas and workloads of one identity share it.
type client struct {
	*compilation // nil once the view is closed
	families     families
	reached      []*upstream // in order
	// likePrior says that the routes are those of the view that the caller had before.
	likePrior bool

	destinations map[netip.AddrPort]destination
	chains       map[string]*part
	// tables are the HTTP services of each route table, by port; foreign the tables of namespaces that have none of them.
	tables  map[uint16][]*upstream
	foreign map[uint16]*table
	// plaintext says that pods without a sidecar are called by their addresses.
	plaintext bool

	result   outbound
	findings findings
	// found is where what is found is told: the findings of the view, or those of a namespace in it.
	found *findings
}

// outbound is the part of a configuration that is about calls the application makes.
type outbound struct {
	listener  *Resource   // nil when nothing can be called
	routes    []*Resource // in order of their ports
	clusters  []*Resource
	endpoints []*Resource
	// tls says that some cluster needs the proxy's certificate.
	tls bool
}

// destination is an address and port of the outbound listener, and whose it is.
type destination struct {
	chain string
	owner *servicePort
	rank  int
}

// The ranks of claims to one address: a better one takes it silently, as both lead to the same pod.
const (
	clusterAddress = iota
	hostAddress
	headlessAddress
	podAddress
)

// outboundFor makes the view of whoever reaches some ports. From the view that the caller had before, which may be nil, it
// takes what it can.
func (c *compilation) outboundFor(f families, reached []*upstream, prior *client) *client {
	c.memo.counters.Views++
	view := &client{
		compilation: c, families: f, reached: reached,
		destinations: make(map[netip.AddrPort]destination, addressesOf(reached)),
		chains:       map[string]*part{},
		tables:       map[uint16][]*upstream{},
		foreign:      map[uint16]*table{},
	}
	view.found = &view.findings
	c.views = append(c.views, view)
	view.takeFrom(prior)
	view.addClusters()
	view.addRouteTables()
	view.addTCPChains()
	view.addDirectCalls()
	view.addPassthrough()
	view.addListener()
	sortByName(view.result.clusters)
	sortByName(view.result.endpoints)
	return view
}

// addressesOf is about how many addresses are called.
func addressesOf(reached []*upstream) int {
	n := 0
	for _, u := range reached {
		n += u.service.Addresses.Len() + len(u.doors)
	}
	return n
}

func (v *client) addClusters() {
	for _, u := range v.reached {
		if u.routable() {
			if u.cluster == nil {
				u.cluster = v.cluster(u, false)
			}
			if u.assignment == nil {
				u.assignment = v.assignment(u)
			}
			v.result.clusters = append(v.result.clusters, u.cluster)
			v.result.endpoints = append(v.result.endpoints, u.assignment)
			v.result.tls = v.result.tls || len(u.allowed) > 0
		}
	}
}

func (v *client) cluster(u *upstream, direct bool) *Resource {
	key := wholeKey{u.servicePort, direct}
	if r, ok := v.wholeClusters[key]; ok && u.whole {
		return r
	}
	spec := clusterSpec{
		Name: upstreamCluster(u.id), Direct: direct, HTTP: u.port.Protocol.IsHTTP(),
		SNI: fqdn(u.id.Service), TLS: v.tls, Mixed: v.settings.Permissive && !direct,
		From: []model.Ref{u.service.From},
	}
	if direct {
		spec.Name = directCluster(u.id)
	}
	for _, identity := range u.identities() {
		spec.Identities = append(spec.Identities, identity.URI(v.settings.TrustDomain))
	}
	r := resourceOf(v.memo, clusterType, spec, buildCluster)
	if u.whole {
		v.wholeClusters[key] = r
	}
	return r
}

func (v *client) assignment(u *upstream) *Resource {
	key := assignmentKey{u.servicePort, v.families}
	if r, ok := v.wholeAssignments[key]; ok && u.whole {
		return r
	}
	spec := assignmentSpec{Cluster: upstreamCluster(u.id), From: []model.Ref{u.service.From}}
	for e := range v.endpoints(u) {
		spec.Endpoints = append(spec.Endpoints, endpointSpec{
			Address: e.Address.Addr().String(), Port: e.Address.Port(), Plaintext: !e.Sidecar,
		})
	}
	r := resourceOf(v.memo, assignmentType, spec, buildAssignment)
	if u.whole {
		v.wholeAssignments[key] = r
	}
	return r
}

// endpoints iterates over the endpoints of a service port that the client uses.
func (v *client) endpoints(u *upstream) func(func(model.Endpoint) bool) {
	return func(yield func(model.Endpoint) bool) {
		for e := range u.port.Endpoints.Values() {
			if v.families.includes(e.Address.Addr()) && u.uses(e) && !yield(e) {
				return
			}
		}
	}
}

// addTCPChains makes one chain for each service port that is not HTTP.
func (v *client) addTCPChains() {
	for _, u := range v.reached {
		if u.port.Protocol.IsHTTP() {
			continue
		}
		name := outboundTCPChain(u.id, u.port.Protocol)
		if v.claim(u, name) {
			v.chains[name] = v.tcpChain(name, v.connectionTargets(u)...)
		}
	}
}

// connectionTargets are where connections to a port that is not HTTP go. Splits with matches do not concern them.
func (v *client) connectionTargets(u *upstream) []targetSpec {
	for split := range v.mesh.SplitsOf(u.id.Service) {
		if split.Requests.All {
			return v.splitTargets(split, u)
		}
	}
	if u.service.Headless && u.service.Parent == (model.ServiceID{}) && u.routable() {
		u.direct = true // the client has chosen a pod by its address
		return []targetSpec{{Cluster: directCluster(u.id), Weight: 1}}
	}
	return v.ownTargets(u)
}

// ownTargets are the service port's own cluster, if the client can use it.
func (v *client) ownTargets(u *upstream) []targetSpec {
	if !u.routable() {
		return nil
	}
	return []targetSpec{{Cluster: upstreamCluster(u.id), Weight: 1}}
}

// splitTargets are the backends of a split that have weight and that the client can reach, port by port (SMI T4).
func (v *client) splitTargets(split *model.Split, root *upstream) []targetSpec {
	var targets []targetSpec
	for b := range split.Backends.Values() {
		id := model.ServicePort{Service: b.Service, Port: root.id.Port}
		backend := v.upstream(id)
		switch {
		case b.Weight == 0:
		case backend != nil && backend.routable():
			targets = append(targets, targetSpec{Cluster: upstreamCluster(id), Weight: b.Weight})
		default:
			v.noteUnreachable(split, b, id)
		}
	}
	return targets
}

// addDirectCalls lets the pods of services be called by their own addresses, with mutual TLS as by any other; those
// without a sidecar, in permissive mode, as they are.
func (v *client) addDirectCalls() {
	for _, u := range v.reached {
		if u.routable() && !u.service.Headless {
			v.addMeshCalls(u)
		}
		if u.routable() && u.plain {
			v.addPlainCalls(u)
		}
	}
	for _, u := range v.reached {
		if !u.direct {
			u.directCluster = nil // nobody has it, so that it may be forgotten
			continue
		}
		if u.directCluster == nil {
			u.directCluster = v.cluster(u, true)
		}
		v.result.clusters = append(v.result.clusters, u.directCluster)
	}
}

// addMeshCalls makes the chain of calls to the addresses of pods that have a door for the service. Whether a pod is ready
// does not matter: whoever has its address may call it, and the listener stays as it is when pods come to be ready.
func (v *client) addMeshCalls(u *upstream) {
	name := u.directChain
	for _, d := range u.doors {
		if v.families.includes(d.address.Addr()) && u.allows(d.server()) && v.claimAt(d.address, destination{name, u.servicePort, podAddress}) {
			u.direct = true
		}
	}
	if u.direct {
		if u.toPods == nil {
			u.toPods = partOf(v.memo, outboundTCPSpec{
				Name: name, StatPrefix: directConnections, Targets: []targetSpec{{Cluster: directCluster(u.id)}},
			}, buildOutboundTCPChain)
		}
		v.chains[name] = u.toPods
	}
}

// addPlainCalls passes calls to the addresses of pods without a sidecar through.
func (v *client) addPlainCalls(u *upstream) {
	for e := range v.endpoints(u) {
		if !e.Sidecar && v.claimAt(e.Address, destination{plaintextChain, u.servicePort, podAddress}) {
			v.plaintext = true
		}
	}
	if v.plaintext {
		v.chains[plaintextChain] = v.tcpChain(plaintextChain, targetSpec{Cluster: passthroughCluster})
	}
}

func (v *client) tcpChain(name string, targets ...targetSpec) *part {
	return partOf(v.memo, outboundTCPSpec{
		Name: name, StatPrefix: tcpConnections + name, Targets: targets,
	}, buildOutboundTCPChain)
}

func (v *client) addPassthrough() {
	if v.settings.Egress || v.plaintext {
		v.result.clusters = append(v.result.clusters,
			resourceOf(v.memo, clusterType, passthroughSpec{From: v.settingsRefs()}, buildPassthroughCluster))
	}
}

func (v *client) addListener() {
	spec := outboundSpec{Families: v.families, From: v.settingsRefs()}
	for _, u := range v.reached {
		spec.From = append(spec.From, u.service.From)
	}
	spec.From = slices.Compact(spec.From)
	used := map[string]*part{} // a chain may have lost all its addresses to a better claim
	//ordered: sorted below
	for _, d := range v.destinations {
		used[d.chain] = v.chains[d.chain]
	}
	for _, name := range sortedKeys(used) {
		spec.Chains = append(spec.Chains, used[name])
	}
	if len(spec.Chains) > 0 {
		spec.Matcher = v.matcher()
	}
	if v.settings.Egress {
		spec.Otherwise = partOf(v.memo, outboundTCPSpec{
			Name: passthroughChain, StatPrefix: "egress-tcp-proxy." + passthroughCluster,
			Targets: []targetSpec{{Cluster: passthroughCluster}},
		}, buildOutboundTCPChain)
	}
	if spec.Matcher != nil || spec.Otherwise != nil {
		v.result.listener = resourceOf(v.memo, listenerType, spec, buildOutboundListener)
	}
}
