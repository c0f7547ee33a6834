package compiler

import (
	"fmt"
	"slices"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// What a class refers to is in the class, and what is in the class is referred to.
func TestEveryReferenceResolves(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			same := func(what string, referred, there []string) {
				if diff := cmp.Diff(distinct(there), distinct(referred)); diff != "" {
					t.Errorf("%s: %s (-there +referred to):\n%s", c.Name, what, diff)
				}
			}
			within := func(what string, referred, there []string) {
				for _, name := range referred {
					if !slices.Contains(there, name) {
						t.Errorf("%s: there is no %s %s", c.Name, what, name)
					}
				}
			}
			all := flat(c.messages()...)
			within("route table", referredRoutes(all), sortedKeys(c.routes))
			within("cluster", clusterNames(all), sortedKeys(c.clusters))
			same("endpoints", c.referredEndpoints(), sortedKeys(c.endpoints))
			same("slots", referredSlots(all), c.slots())
			for _, l := range c.listeners {
				if l.FilterChainMatcher != nil {
					same("chains", referredChains(l), chainNames(l.FilterChains))
				}
			}
		}
	})
}

func distinct(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func referredRoutes(among []proto.Message) []string {
	var names []string
	for _, rds := range only[*hcmv3.Rds](among) {
		names = append(names, rds.RouteConfigName)
	}
	return names
}

func (c configuration) referredEndpoints() []string {
	var names []string
	for name, cluster := range c.clusters {
		if cluster.GetType() == clusterv3.Cluster_EDS {
			names = append(names, name)
		}
	}
	return names
}

func referredSlots(among []proto.Message) []string {
	var names []string
	for _, s := range only[*tlsv3.SdsSecretConfig](among) {
		names = append(names, s.Name)
	}
	return names
}

func (c configuration) slots() []string {
	var names []string
	for s := range c.Secrets.Values() {
		names = append(names, s.Name)
	}
	return names
}

func referredChains(l *listenerv3.Listener) []string {
	var names []string
	for _, chain := range destinationsOf(l) {
		names = append(names, chain)
	}
	return names
}

func chainNames(chains []*listenerv3.FilterChain) []string {
	var names []string
	for _, chain := range chains {
		names = append(names, chain.Name)
	}
	return names
}

// A request that reaches the chain of its port finds its service there, by whatever name it was called.
func TestNamesLeadWhereAddressesLead(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		mesh := w.mesh()
		output, diagnostics := Compile(mesh)
		if contested(diagnostics) {
			return // who has lost an address may have lost its place in the table, too
		}
		for _, c := range configurations(output) {
			destinations := destinationsOf(c.listeners[outboundListener])
			for s := range mesh.Services() {
				for p := range s.Ports.Values() {
					id := model.ServicePort{Service: s.ID, Port: p.Number}
					if c.clusters[upstreamCluster(id)] == nil || !p.Protocol.IsHTTP() || !c.reaches(destinations, s, id) {
						continue
					}
					hosts := c.routes[outboundRoutes(p.Number)].GetVirtualHosts()
					if !slices.ContainsFunc(hosts, func(h *routev3.VirtualHost) bool { return slices.Contains(h.Domains, fqdn(s.ID)) }) {
						t.Errorf("%s: connections to %s are understood, and its name is not", c.Name, id)
					}
				}
			}
		}
	})
}

func contested(diagnostics []model.Diagnostic) bool {
	return slices.ContainsFunc(diagnostics, func(d model.Diagnostic) bool {
		return d.Code == model.SharedAddress || d.Code == model.OverlappingChain
	})
}

// reaches says whether one of a service's addresses, or of its pods if it is headless, leads to the chain of its port.
func (c configuration) reaches(destinations map[string]string, s *model.Service, id model.ServicePort) bool {
	var addresses []string
	for a := range s.Addresses.Values() {
		addresses = append(addresses, a.String())
	}
	if s.Headless {
		for _, e := range find[*endpointv3.LbEndpoint](c.endpoints[upstreamCluster(id)]) {
			addresses = append(addresses, e.GetEndpoint().GetAddress().GetSocketAddress().GetAddress())
		}
	}
	return slices.ContainsFunc(addresses, func(a string) bool {
		return destinations[fmt.Sprintf("%s %d", a, id.Port)] == outboundHTTPChain(id.Port)
	})
}

// A standalone configuration has the listeners and clusters of its class, and asks nobody for anything.
func TestStandaloneIsWhole(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			id := c.Proxies.At(c.Proxies.Len() - 1)
			b := output.Standalone(id)
			if b.Node.Id != id.String() {
				t.Errorf("%s is told that it is %s", id, b.Node.Id)
			}
			all := flat(b)
			if n := len(only[*corev3.ConfigSource](all)); n > 0 {
				t.Errorf("%s asks somebody for %d things", id, n)
			}
			if secrets := referredSlots(all); len(secrets) > 0 {
				t.Errorf("%s waits for secrets: %v", id, secrets)
			}
			if diff := cmp.Diff(sizes(flat(c.messages()...)), sizes(all)); diff != "" {
				t.Errorf("%s has other parts than its class (-class +standalone):\n%s", id, diff)
			}
			for _, m := range only[*hcmv3.HttpConnectionManager](all) {
				if m.GetRouteConfig() == nil {
					t.Errorf("%s: %s has no routes", id, m.StatPrefix)
				}
			}
			for _, cluster := range b.StaticResources.Clusters {
				if want := c.endpoints[cluster.Name]; want != nil && !proto.Equal(want, cluster.LoadAssignment) {
					t.Errorf("%s: cluster %s has other endpoints than its class", id, cluster.Name)
				}
			}
		}
	})
}

// sizes counts what a class and its standalone form have alike.
func sizes(among []proto.Message) map[string]int {
	return map[string]int{
		"listeners":           len(only[*listenerv3.Listener](among)),
		"chains":              len(only[*listenerv3.FilterChain](among)),
		"clusters":            len(only[*clusterv3.Cluster](among)),
		"connection managers": len(only[*hcmv3.HttpConnectionManager](among)),
		"TLS contexts":        len(only[*tlsv3.CommonTlsContext](among)),
	}
}
