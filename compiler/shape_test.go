package compiler

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/envoyproxy/go-control-plane/envoy/annotations"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"
)

func printed(address string, port uint32) string {
	return netip.AddrPortFrom(netip.MustParseAddr(address), uint16(port)).String()
}

// Every message keeps the rules that are written beside its fields, and uses no field that Envoy wants to drop.
func TestMessagesAreValid(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			for _, m := range c.messages() {
				for _, finding := range faults(m) {
					t.Errorf("%s: %s", c.Name, finding)
				}
			}
			for _, finding := range faults(output.Standalone(c.Proxies.At(0))) {
				t.Errorf("%s: standalone: %s", c.Name, finding)
			}
		}
	})
}

func faults(message proto.Message) []string {
	found := invalid(message)
	walk(message.ProtoReflect(), func(m protoreflect.Message) {
		if packed, ok := m.Interface().(*anypb.Any); ok {
			if inner, err := packed.UnmarshalNew(); err == nil {
				found = append(found, invalid(inner)...)
			}
			return
		}
		m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			if dropped(f.Options().(*descriptorpb.FieldOptions)) {
				found = append(found, "deprecated: "+string(f.FullName()))
			}
			if e := f.Enum(); e != nil && !f.IsList() {
				if value := e.Values().ByNumber(v.Enum()); value == nil || value.Options().(*descriptorpb.EnumValueOptions).GetDeprecated() {
					found = append(found, fmt.Sprintf("deprecated: %s %v", f.FullName(), v))
				}
			}
			return true
		})
	})
	return found
}

func invalid(m proto.Message) []string {
	if checked, ok := m.(interface{ ValidateAll() error }); ok {
		if err := checked.ValidateAll(); err != nil {
			return []string{err.Error()}
		}
	}
	return nil
}

func dropped(o *descriptorpb.FieldOptions) bool {
	return o.GetDeprecated() || proto.GetExtension(o, annotations.E_DisallowedByDefault).(bool)
}

// The check above can fail.
func TestFaultsAreFound(t *testing.T) {
	old := &routev3.HeaderMatcher{}
	if err := prototext.Unmarshal([]byte(`name: "x" exact_match: "y"`), old); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]proto.Message{
		"a rule":             &routev3.RouteConfiguration{VirtualHosts: []*routev3.VirtualHost{{Name: "no domains"}}},
		"a rule, packed":     filter("f", &tcpproxyv3.TcpProxy{}),
		"a deprecated field": old,
	} {
		if len(faults(m)) == 0 {
			t.Errorf("%s: nothing is found in %v", name, m)
		}
	}
}

// Envoy refuses a listener or a route table in which something stands twice.
func TestNothingStandsTwice(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			once := func(what string, list []string) {
				if len(distinct(list)) != len(list) {
					slices.Sort(list)
					t.Errorf("%s: %s twice in %q", c.Name, what, list)
				}
			}
			var resources, sockets []string
			for _, r := range c.resources() {
				resources = append(resources, r.Type+" "+r.Name)
			}
			once("a resource", resources)
			for name, l := range c.listeners {
				once("a chain of "+name, chainNames(chains(l)))
				once("a match of "+name, matches(l))
				sockets = append(sockets, socketsOf(l)...)
			}
			once("an address", sockets)
			for name, table := range c.routes {
				var hosts, domains []string
				for _, h := range table.VirtualHosts {
					hosts, domains = append(hosts, h.Name), append(domains, h.Domains...)
				}
				once("a virtual host of "+name, hosts)
				once("a domain of "+name, domains)
			}
		}
	})
}

// matches are what each chain asks of a connection, one for each name that it takes; a listener that has a matcher
// instead must not ask anything more.
func matches(l *listenerv3.Listener) []string {
	var list []string
	for _, chain := range l.FilterChains {
		m := chain.FilterChainMatch
		for _, name := range m.GetServerNames() {
			list = append(list, fmt.Sprintf("%d %s", m.GetDestinationPort().GetValue(), name))
		}
		if l.FilterChainMatcher != nil && m != nil {
			list = append(list, "chosen by match and by matcher", "chosen by match and by matcher")
		}
	}
	return list
}

func socketsOf(l *listenerv3.Listener) []string {
	list := []string{socketOf(l.Address)}
	for _, a := range l.AdditionalAddresses {
		list = append(list, socketOf(a.Address))
	}
	return list
}

// Envoy refuses weights that sum to nothing, or to more than 32 bits.
func TestWeightsCount(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			all := flat(c.messages()...)
			for _, weighted := range only[*routev3.WeightedCluster](all) {
				var sum uint64
				for _, each := range weighted.Clusters {
					sum += uint64(each.Weight.GetValue())
					if each.Weight.GetValue() == 0 {
						t.Errorf("%s: %s has no weight", c.Name, each.Name)
					}
				}
				if sum == 0 || sum > 1<<32-1 {
					t.Errorf("%s: weights sum to %d", c.Name, sum)
				}
			}
			for _, each := range only[*tcpproxyv3.TcpProxy_WeightedCluster_ClusterWeight](all) {
				if each.Weight == 0 {
					t.Errorf("%s: %s has no weight", c.Name, each.Name)
				}
			}
		}
	})
}

// Nothing enters but by mutual TLS with the mesh's ALPN and a name of a service; the statistics are the one exception.
func TestInboundIsMutualTLS(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			l, ok := c.listeners[inboundListener]
			if !ok {
				continue
			}
			if l.DefaultFilterChain != nil || l.FilterChainMatcher != nil {
				t.Errorf("%s: inbound takes what no chain asks for", c.Name)
			}
			for _, chain := range l.FilterChains {
				m := chain.FilterChainMatch
				if !slices.Equal(m.GetApplicationProtocols(), []string{"fsm"}) || m.GetTransportProtocol() != "tls" ||
					len(m.GetServerNames()) == 0 || m.GetDestinationPort().GetValue() == 0 {
					t.Errorf("%s: chain %s takes too much: %v", c.Name, chain.Name, m)
				}
				contexts := find[*tlsv3.DownstreamTlsContext](chain.TransportSocket)
				if len(contexts) != 1 || !contexts[0].RequireClientCertificate.GetValue() {
					t.Errorf("%s: chain %s asks for no certificate", c.Name, chain.Name)
					continue
				}
				common := contexts[0].CommonTlsContext
				trust := cmp.Or(common.GetValidationContextSdsSecretConfig(), common.GetCombinedValidationContext().GetValidationContextSdsSecretConfig())
				if len(common.AlpnProtocols) > 0 || trust.GetName() != inboundTrustSlot {
					t.Errorf("%s: chain %s: ALPN %v, trust %v", c.Name, chain.Name, common.AlpnProtocols, common.ValidationContextType)
				}
			}
		}
	})
}

// HTTP policy is not in the listener: a listener that does not change drains nothing.
func TestPermissionsLeaveHTTPListenersAlone(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		w.settings.Permissive = false
		for i := range w.services {
			for j := range w.services[i].ports {
				w.services[i].ports[j].protocol = "http"
			}
		}
		with, _ := Compile(w.mesh())
		w.permissions = nil
		without, _ := Compile(w.mesh())
		if want, got := inboundVersions(with), inboundVersions(without); !maps.Equal(want, got) {
			t.Errorf("permissions change inbound listeners: %v, without them %v", want, got)
		}
	})
}

func inboundVersions(o *Output) map[string]string {
	versions := map[string]string{}
	for c := range o.Classes.Values() {
		for l := range c.Listeners.Values() {
			if l.Name == inboundListener {
				versions[c.Name] = l.Version
			}
		}
	}
	return versions
}

// Local clusters lead to loopback, and only inbound listeners use them.
func TestLocalClustersStayLocal(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			for name, cluster := range c.clusters {
				for _, a := range find[*corev3.SocketAddress](cluster) {
					if a.Address != "127.0.0.1" {
						t.Errorf("%s: cluster %s leads to %s", c.Name, name, a.Address)
					}
				}
			}
			var outbound []proto.Message
			for _, r := range c.resources() {
				if r.Name == outboundListener || strings.HasPrefix(r.Name, "rds-outbound.") {
					outbound = append(outbound, decode[proto.Message](r))
				}
			}
			for _, name := range clusterNames(flat(outbound...)) {
				if strings.HasSuffix(name, "|local") || name == metricsCluster {
					t.Errorf("%s: outbound leads to %s", c.Name, name)
				}
			}
		}
	})
}

// Every request that a proxy understands passes the filters that are written for its direction, in that order.
func TestConnectionManagers(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		for _, c := range configurations(output) {
			for name, want := range map[string][]string{
				outboundListener: {httpRouterFilter}, inboundListener: {pathFilter, httpRBACFilter, httpRouterFilter}, prometheusListener: {httpRouterFilter},
			} {
				l, ok := c.listeners[name]
				if !ok {
					continue
				}
				for _, m := range find[*hcmv3.HttpConnectionManager](l) {
					var got []string
					for _, f := range m.HttpFilters {
						got = append(got, f.Name)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s: %s has the filters %v", c.Name, m.StatPrefix, got)
					}
				}
			}
		}
	})
}
