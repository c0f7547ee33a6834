package compiler

import (
	"slices"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/flomesh-io/fsmc/model"
)

// Both sides set both bounds: left alone, the client's stops at TLS 1.2.
func TestTLSParametersOfBothSides(t *testing.T) {
	for _, row := range []struct {
		name string
		tls  model.TLS
		want string
	}{
		{"nothing is said", model.TLS{}, `tls_minimum_protocol_version: TLSv1_2 tls_maximum_protocol_version: TLSv1_3`},
		{"1.2 to 1.3", model.TLS{Minimum: "1.2", Maximum: "1.3"}, `tls_minimum_protocol_version: TLSv1_2 tls_maximum_protocol_version: TLSv1_3`},
		{"1.2 only", model.TLS{Minimum: "1.2", Maximum: "1.2"}, `tls_minimum_protocol_version: TLSv1_2 tls_maximum_protocol_version: TLSv1_2`},
		{"1.3 only", model.TLS{Minimum: "1.3", Maximum: "1.3"}, `tls_minimum_protocol_version: TLSv1_3 tls_maximum_protocol_version: TLSv1_3`},
		{"a version that is none", model.TLS{Minimum: "1.1", Maximum: "2"}, `tls_minimum_protocol_version: TLSv1_2 tls_maximum_protocol_version: TLSv1_3`},
		{
			"ciphers and curves", model.TLS{Minimum: "1.2", Maximum: "1.3", Ciphers: model.ListOf("A", "B"), Curves: model.ListOf("X")},
			`tls_minimum_protocol_version: TLSv1_2 tls_maximum_protocol_version: TLSv1_3 cipher_suites: "A" cipher_suites: "B" ecdh_curves: "X"`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := &tlsv3.TlsParameters{}
			if err := prototext.Unmarshal([]byte(row.want), want); err != nil {
				t.Fatal(err)
			}
			settings := smi()
			settings.TLS = row.tls
			mesh := shop(settings)
			contexts := map[string][]*tlsv3.CommonTlsContext{
				"client": find[*tlsv3.CommonTlsContext](compiled(t, mesh, theBuyer).messages()...),
				"server": find[*tlsv3.CommonTlsContext](compiled(t, mesh, theSeller).messages()...),
			}
			for side, list := range contexts {
				if len(list) == 0 {
					t.Errorf("the %s has no TLS", side)
				}
				for _, c := range list {
					if diff := cmp.Diff(want, c.TlsParams, protocmp.Transform()); diff != "" {
						t.Errorf("%s (-want +got):\n%s", side, diff)
					}
				}
			}
		})
	}
}

// The client offers the mesh's ALPN alone, names the service, and takes nobody but the identities behind it.
func TestClientTLS(t *testing.T) {
	s0, t0 := pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP)), pod("thief-0", thief, "100.64.0.66", serves("web", 80, 8080, model.HTTP))
	waiting := pod("waiting-0", model.Identity{Namespace: "shop", ServiceAccount: "waiting"}, "100.64.0.67", serves("web", 80, 8080, model.HTTP))
	const sellerURI, thiefURI, waitingURI = "spiffe://cluster.local/ns/shop/sa/seller", "spiffe://cluster.local/ns/shop/sa/thief", "spiffe://cluster.local/ns/shop/sa/waiting"
	narrow := admit("narrow", buyer, seller)
	narrow.HTTP.Ports = model.PortSet{Ports: model.ListOf[uint16](9999)}
	// Another client, which is compiled before and may call everybody, leaves nothing behind.
	hub := model.Identity{Namespace: "shop", ServiceAccount: "aaa"}
	before := []any{pod("aaa-0", hub, "100.64.0.2"), admit("h1", hub, seller), admit("h2", hub, thief), admit("h3", hub, waiting.Identity)}
	for _, row := range []struct {
		name      string
		settings  model.Settings
		things    []any
		want      []string
		plaintext bool // endpoints that are marked so are called in plaintext
		endpoints []string
	}{
		{"one identity", smi(), []any{admit("a", buyer, seller)}, []string{sellerURI}, false, []string{"100.64.0.10:8080"}},
		{"another", smi(), []any{admit("b", buyer, thief)}, []string{thiefURI}, false, []string{"100.64.0.66:8080"}},
		{"two", smi(), []any{admit("b", buyer, thief), admit("a", buyer, seller)}, []string{sellerURI, thiefURI}, false, []string{"100.64.0.10:8080", "100.64.0.66:8080"}},
		{
			"all, and still no stranger", smi(), []any{admit("a", buyer, seller), admit("b", buyer, thief), admit("w", buyer, waiting.Identity)},
			[]string{sellerURI, thiefURI, waitingURI}, false, []string{"100.64.0.10:8080", "100.64.0.66:8080"},
		},
		{"one that is not ready", smi(), []any{admit("w", buyer, waiting.Identity)}, []string{waitingURI}, false, nil},
		{"a permission for a port that nobody serves", smi(), []any{narrow}, nil, false, nil},
		{"somebody else's permission", smi(), []any{admit("x", thief, seller)}, nil, false, nil},
		{"permissive", permissive(), nil, []string{sellerURI, thiefURI, waitingURI}, true, []string{"100.64.0.10:8080", "100.64.0.66:8080", "192.0.2.1:8080 plaintext"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			things := append(slices.Concat(before, row.things), pod("buyer-0", buyer, "100.64.0.1"), s0, t0, waiting,
				clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s0, 8080), behind(t0, 8080), outside("192.0.2.1:8080"))))
			c := compiled(t, meshOf(row.settings, things...), theBuyer)
			cluster := c.clusters["shop/web|80"]
			if row.want == nil {
				if cluster != nil {
					t.Errorf("there is a cluster: %v", cluster)
				}
				return
			}
			contexts := find[*tlsv3.UpstreamTlsContext](cluster.TransportSocket)
			if diff := cmp.Diff(row.want, accepted(find[*tlsv3.CommonTlsContext](cluster.TransportSocket))); diff != "" {
				t.Errorf("servers (-want +got):\n%s", diff)
			}
			if got := contexts[0]; got.Sni != "web.shop.svc.cluster.local" || len(got.CommonTlsContext.AlpnProtocols) != 1 || got.CommonTlsContext.AlpnProtocols[0] != "fsm" {
				t.Errorf("SNI %q, ALPN %q", got.Sni, got.CommonTlsContext.AlpnProtocols)
			}
			if plaintext := len(cluster.TransportSocketMatches) > 0; plaintext != row.plaintext {
				t.Errorf("some endpoints may be called in plaintext: %t", plaintext)
			}
			if diff := cmp.Diff(row.endpoints, endpointsOf(c.endpoints["shop/web|80"])); diff != "" {
				t.Errorf("endpoints (-want +got):\n%s", diff)
			}
		})
	}
}

// Clients that may call all servers of a port share what leads to it; one that may call some gets something of its own.
func TestClientsShareWhatIsWhole(t *testing.T) {
	s0, t0 := pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP)), pod("thief-0", thief, "100.64.0.66", serves("web", 80, 8080, model.HTTP))
	account := func(name string) model.Identity { return model.Identity{Namespace: "shop", ServiceAccount: name} }
	// They are compiled in order of their names.
	first, second, last := account("aaa"), account("bbb"), account("zzz")
	output, _ := Compile(meshOf(smi(), s0, t0,
		clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s0, 8080), behind(t0, 8080))),
		pod("first", first, "100.64.0.1"), admit("f1", first, seller), admit("f2", first, thief),
		pod("second", second, "100.64.0.2"), admit("s", second, seller),
		pod("last", last, "100.64.0.3"), admit("l1", last, seller), admit("l2", last, thief)))
	type shared struct{ cluster, endpoints *Resource }
	of := func(name string) shared {
		class, _ := output.ClassOf(model.ProxyID{Namespace: "shop", Name: name})
		return shared{class.Clusters.At(0), class.Endpoints.At(0)}
	}
	if of("first") != of("last") {
		t.Error("two clients that may call everybody have clusters of their own")
	}
	some := of("second")
	if diff := cmp.Diff([]string{"spiffe://cluster.local/ns/shop/sa/seller"}, accepted(find[*tlsv3.CommonTlsContext](decode[proto.Message](some.cluster)))); diff != "" {
		t.Errorf("servers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"100.64.0.10:8080"}, endpointsOf(decode[*endpointv3.ClusterLoadAssignment](some.endpoints))); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
}

// Without anybody who could prove who it is there is no TLS, and in SMI mode nothing at all.
func TestServicesOfStrangers(t *testing.T) {
	old := clusterIP("old", "198.18.0.4", answers(80, model.TCP, outside("192.0.2.1:80")))
	c := compiled(t, meshOf(permissive(), old, pod("buyer-0", buyer, "100.64.0.1")), theBuyer)
	if cluster := c.clusters["shop/old|80"]; cluster == nil || cluster.TransportSocket != nil || len(cluster.TransportSocketMatches) > 0 {
		t.Errorf("permissive: %v", cluster)
	}
	if c.Secrets.Len() > 0 {
		t.Errorf("permissive: certificates for nothing: %v", c.slots())
	}
	c = compiled(t, meshOf(smi(), old, pod("buyer-0", buyer, "100.64.0.1"), admit("a", buyer, seller)), theBuyer)
	if len(c.resources()) > 0 {
		t.Errorf("SMI: %v", sortedKeys(c.clusters))
	}
}

func TestSlots(t *testing.T) {
	for _, row := range []struct {
		name   string
		things []any
		want   []Slot
	}{
		{"neither calls nor is called", []any{pod("seller-0", seller, "100.64.0.10")}, nil},
		{
			"is called", []any{pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP))},
			[]Slot{{"service-cert", CertificateSlot, seller}, {"root-cert-for-mtls-inbound", TrustSlot, model.Identity{}}},
		},
		{
			"calls", []any{
				pod("seller-0", seller, "100.64.0.10"), admit("a", seller, thief),
				clusterIP("x", "198.18.0.1", answers(80, model.TCP, behind(pod("t", thief, "100.64.0.3"), 80))),
			},
			[]Slot{{"service-cert", CertificateSlot, seller}, {"root-cert-for-mtls-outbound", TrustSlot, model.Identity{}}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := compiled(t, meshOf(smi(), row.things...), theSeller)
			var got []Slot
			for s := range c.Secrets.Values() {
				got = append(got, s)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
