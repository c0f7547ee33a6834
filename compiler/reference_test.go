package compiler

import (
	"slices"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
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
			within("route table", c.referredRoutes(), sortedKeys(c.routes))
			within("cluster", clusterNames(c.messages()...), sortedKeys(c.clusters))
			same("endpoints", c.referredEndpoints(), sortedKeys(c.endpoints))
			same("slots", c.referredSlots(), c.slots())
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

func (c configuration) referredRoutes() []string {
	var names []string
	for _, l := range c.listeners {
		for _, rds := range find[*hcmv3.Rds](l) {
			names = append(names, rds.RouteConfigName)
		}
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

func (c configuration) referredSlots() []string {
	var names []string
	for _, s := range find[*tlsv3.SdsSecretConfig](c.messages()...) {
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

// A standalone configuration has the listeners and clusters of its class, and asks nobody for anything.
func TestStandaloneIsWhole(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			for id := range c.Proxies.Values() {
				b := output.Standalone(id)
				if b.Node.Id != id.String() {
					t.Errorf("%s is told that it is %s", id, b.Node.Id)
				}
				for _, s := range find[*corev3.ConfigSource](b) {
					t.Errorf("%s asks %v for something", id, s)
				}
				for _, s := range find[*tlsv3.SdsSecretConfig](b) {
					t.Errorf("%s waits for secret %s", id, s.Name)
				}
				counts := func(in ...proto.Message) []int {
					return []int{
						len(find[*listenerv3.Listener](in...)), len(find[*listenerv3.FilterChain](in...)),
						len(find[*clusterv3.Cluster](in...)), len(find[*hcmv3.HttpConnectionManager](in...)),
						len(find[*tlsv3.CommonTlsContext](in...)),
					}
				}
				if diff := cmp.Diff(counts(c.messages()...), counts(b)); diff != "" {
					t.Errorf("%s: listeners, chains, clusters, managers, TLS contexts (-class +standalone):\n%s", id, diff)
				}
				for _, m := range find[*hcmv3.HttpConnectionManager](b) {
					if m.GetRouteConfig() == nil {
						t.Errorf("%s: %s has no routes", id, m.StatPrefix)
					}
				}
				for _, cluster := range find[*clusterv3.Cluster](b) {
					if want := c.endpoints[cluster.Name]; want != nil && !proto.Equal(want, cluster.LoadAssignment) {
						t.Errorf("%s: cluster %s has other endpoints than its class", id, cluster.Name)
					}
				}
			}
		}
	})
}
