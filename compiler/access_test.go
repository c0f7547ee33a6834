package compiler

import (
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	httprbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	networkrbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	mtlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/rbac/principals/mtls_authenticated/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// Without permissions nobody calls anybody: there is nothing to call with on one side, and no policy on the other.
func TestDenyByDefault(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		w.settings.Permissive, w.permissions = false, nil
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			l := c.listeners[outboundListener]
			if n := len(l.GetFilterChains()); n > 0 || l.GetFilterChainMatcher() != nil {
				t.Errorf("%s can call out by %d chains", c.Name, n)
			}
			if out := l.GetDefaultFilterChain(); (out != nil) != w.settings.Egress {
				t.Errorf("%s: egress is %t, and the default chain is %v", c.Name, w.settings.Egress, out)
			}
			if len(c.endpoints) > 0 {
				t.Errorf("%s knows endpoints: %v", c.Name, sortedKeys(c.endpoints))
			}
			if l := c.listeners[inboundListener]; l != nil && len(find[*tcpproxyv3.TcpProxy](l)) > 0 {
				t.Errorf("%s passes connections on", c.Name)
			}
			if admitted := sortedKeys(policiesIn(c.messages()...)); len(admitted) > 0 {
				t.Errorf("%s admits by %v", c.Name, admitted)
			}
			c.checkGuards(t)
		}
	})
}

// checkGuards wants a guard that denies by default before every way into the application, in SMI mode.
func (c configuration) checkGuards(t rapid.TB) {
	t.Helper()
	for _, chain := range c.listeners[inboundListener].GetFilterChains() {
		for _, m := range find[*hcmv3.HttpConnectionManager](chain) {
			c.checkHTTPGuard(t, m)
		}
		if len(find[*tcpproxyv3.TcpProxy](chain)) > 0 {
			c.checkTCPGuard(t, chain)
		}
	}
}

// checkHTTPGuard wants a filter that denies everything, and a route table that lifts that.
func (c configuration) checkHTTPGuard(t rapid.TB, m *hcmv3.HttpConnectionManager) {
	t.Helper()
	i := slices.IndexFunc(m.HttpFilters, func(f *hcmv3.HttpFilter) bool { return f.Name == httpRBACFilter })
	if i < 0 || i == len(m.HttpFilters)-1 {
		t.Errorf("%s: %s has no guard", c.Name, m.StatPrefix)
		return
	}
	guard := find[*httprbacv3.RBAC](m.HttpFilters[i])
	if len(guard) != 1 || guard[0].Rules == nil || len(guard[0].Rules.Policies) > 0 || guard[0].Rules.Action != rbacv3.RBAC_ALLOW {
		t.Errorf("%s: the guard of %s does not deny everything: %v", c.Name, m.StatPrefix, guard)
	}
	table := c.routes[m.GetRds().GetRouteConfigName()]
	if rules := find[*httprbacv3.RBACPerRoute](table); len(rules) != 1 || rules[0].Rbac.GetRules() == nil {
		t.Errorf("%s: route table %s has %d sets of rules", c.Name, table.GetName(), len(rules))
	}
}

// checkTCPGuard wants policies before connections are passed on, and a handshake that takes nobody but their principals:
// a server that speaks first has spoken before policies are asked.
func (c configuration) checkTCPGuard(t rapid.TB, chain *listenerv3.FilterChain) {
	t.Helper()
	guard := find[*networkrbacv3.RBAC](chain.Filters[0])
	if len(guard) != 1 || guard[0].Rules == nil || guard[0].Rules.Action != rbacv3.RBAC_ALLOW || len(guard[0].Rules.Policies) == 0 {
		t.Errorf("%s: the first filter of %s is not a guard: %v", c.Name, chain.Name, guard)
		return
	}
	var principals []string
	for _, p := range guard[0].Rules.Policies {
		principals = append(principals, names(p.Principals)...)
	}
	if diff := cmp.Diff(distinct(principals), accepted(find[*tlsv3.CommonTlsContext](chain.TransportSocket))); diff != "" {
		t.Errorf("%s: %s (-principals +clients of the handshake):\n%s", c.Name, chain.Name, diff)
	}
}

// Whoever a policy admits is a source of the permission that the policy is named after, and that permission is about
// the identity of the proxy that enforces it.
func TestPoliciesComeFromPermissions(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		mesh := w.mesh()
		output, _ := Compile(mesh)
		for _, c := range configurations(output) {
			allowed := map[string][]string{}
			for p := range mesh.PermissionsTo(c.Identity) {
				for source := range p.Sources.Values() {
					allowed[p.String()] = append(allowed[p.String()], source.URI(w.settings.TrustDomain))
				}
			}
			if w.settings.HTTPClosed {
				for name, table := range c.routes {
					if strings.HasPrefix(name, "rds-inbound.") && len(policiesIn(table)) > 0 {
						t.Errorf("%s: HTTP is closed, and %s admits by %v", c.Name, name, sortedKeys(policiesIn(table)))
					}
				}
			}
			policies := policiesIn(c.messages()...)
			if w.settings.Permissive {
				delete(policies, permissivePolicy)
				if len(policies) > 0 {
					t.Errorf("%s: policies in permissive mode: %v", c.Name, sortedKeys(policies))
				}
				continue
			}
			c.checkGuards(t)
			for name, policy := range policies {
				if diff := cmp.Diff(allowed[name], names(policy.Principals)); diff != "" {
					t.Errorf("%s: policy %s (-sources of the permission +principals):\n%s", c.Name, name, diff)
				}
				if len(policy.Permissions) == 0 {
					t.Errorf("%s: policy %s admits nothing; Envoy refuses that", c.Name, name)
				}
			}
		}
	})
}

// names are the exact names of principals; one that is anything else shows as a word that no name is.
func names(principals []*rbacv3.Principal) []string {
	var list []string
	for _, p := range principals {
		config := &mtlsv3.Config{}
		err := p.GetCustom().GetTypedConfig().UnmarshalTo(config)
		if name := config.SanMatcher; err == nil && name.GetSanType() == tlsv3.SubjectAltNameMatcher_URI && name.GetMatcher().GetExact() != "" {
			list = append(list, name.GetMatcher().GetExact())
		} else {
			list = append(list, "not a name: "+p.String())
		}
	}
	return list
}

// In SMI mode, every server that a client would accept is one that a permission lets it call.
func TestClientsKnowOnlyWhomTheyMayCall(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		w.settings.Permissive = false
		mesh := w.mesh()
		output, _ := Compile(mesh)
		identities := identitiesByEndpoint(mesh)
		for _, c := range configurations(output) {
			callable := map[string]bool{}
			for p := range mesh.PermissionsFrom(c.Identity) {
				callable[p.Destination.URI(w.settings.TrustDomain)] = !p.HTTP.Requests.IsZero() || !p.TCP.IsZero() || callable[p.Destination.URI(w.settings.TrustDomain)]
			}
			for name, cluster := range c.clusters {
				if strings.HasSuffix(name, "|local") || name == metricsCluster || name == passthroughCluster {
					continue
				}
				servers := accepted(find[*tlsv3.CommonTlsContext](cluster.TransportSocket))
				if len(servers) == 0 || len(cluster.TransportSocketMatches) > 0 {
					t.Errorf("%s: cluster %s does not say who must answer", c.Name, name)
				}
				for _, uri := range servers {
					if !callable[uri] {
						t.Errorf("%s: cluster %s accepts %s, whom no permission lets it call", c.Name, name, uri)
					}
				}
				for _, e := range find[*endpointv3.LbEndpoint](c.endpoints[name]) {
					uri := identities[addressOf(e)].URI(w.settings.TrustDomain)
					if !slices.Contains(servers, uri) || e.Metadata != nil {
						t.Errorf("%s: cluster %s sends calls to %s, which is %s", c.Name, name, addressOf(e), uri)
					}
				}
			}
		}
	})
}

// accepted are the identities of peers that TLS contexts take; anything but an exact URI shows as a word that no URI is.
func accepted(contexts []*tlsv3.CommonTlsContext) []string {
	var uris []string
	for _, c := range contexts {
		for _, m := range c.GetCombinedValidationContext().GetDefaultValidationContext().GetMatchTypedSubjectAltNames() {
			if m.SanType == tlsv3.SubjectAltNameMatcher_URI && m.Matcher.GetExact() != "" {
				uris = append(uris, m.Matcher.GetExact())
			} else {
				uris = append(uris, "not a URI: "+m.String())
			}
		}
	}
	return uris
}

// identitiesByEndpoint are the identities of the endpoints that have a sidecar.
func identitiesByEndpoint(mesh *model.Mesh) map[string]model.Identity {
	known := map[string]model.Identity{}
	for e := range meshEndpoints(mesh) {
		if e.Sidecar {
			known[e.Address.String()] = e.Identity
		}
	}
	return known
}

func meshEndpoints(mesh *model.Mesh) func(func(model.Endpoint) bool) {
	return func(yield func(model.Endpoint) bool) {
		for s := range mesh.Services() {
			for p := range s.Ports.Values() {
				for e := range p.Endpoints.Values() {
					if !yield(e) {
						return
					}
				}
			}
		}
	}
}

func addressOf(e *endpointv3.LbEndpoint) string {
	return socketOf(e.GetEndpoint().GetAddress())
}

// socketOf is an address as netip prints it.
func socketOf(a *corev3.Address) string {
	return printed(a.GetSocketAddress().GetAddress(), a.GetSocketAddress().GetPortValue())
}

// In permissive mode plaintext goes to endpoints without a sidecar, and to no other.
func TestPlaintextIsForStrangers(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		w.settings.Permissive = true
		mesh := w.mesh()
		output, _ := Compile(mesh)
		sidecars := identitiesByEndpoint(mesh)
		for _, c := range configurations(output) {
			for name, cluster := range c.clusters {
				secured := cluster.TransportSocket != nil
				if secured && len(accepted(find[*tlsv3.CommonTlsContext](cluster.TransportSocket))) == 0 {
					t.Errorf("%s: cluster %s takes any certificate of the mesh", c.Name, name)
				}
				for _, e := range find[*endpointv3.LbEndpoint](c.endpoints[name]) {
					_, sidecar := sidecars[addressOf(e)]
					if plain := e.Metadata != nil; plain == sidecar || sidecar && !secured {
						t.Errorf("%s: cluster %s: %s has a sidecar: %t; is called in plaintext: %t", c.Name, name, addressOf(e), sidecar, plain || !secured)
					}
				}
				if plain := len(cluster.TransportSocketMatches); plain > 0 && !secured {
					t.Errorf("%s: cluster %s lifts TLS that it does not have", c.Name, name)
				}
			}
		}
	})
}
