package compiler

import (
	"slices"
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	httprbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	networkrbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/flomesh-io/fsmc/model"
)

// What each shape of permission opens at a door that speaks HTTP (8080) and at one that does not (3306).
func TestPoliciesOfDoors(t *testing.T) {
	const uri = "spiffe://cluster.local/ns/shop/sa/buyer"
	get := model.Match{Path: "/a", Methods: model.ListOf("GET")}
	ports := func(numbers ...uint16) model.PortSet { return model.PortSet{Ports: model.ListOf(numbers...)} }
	everything := policySpec{Name: "shop/p", Principals: []string{uri}, Everything: true}
	restricted := policySpec{Name: "shop/p", Principals: []string{uri}, Matches: []matchSpec{{Path: "/a", Methods: []string{"GET"}}}}
	for _, row := range []struct {
		name      string
		http      model.HTTPGrant
		tcp       model.PortSet
		web, data []policySpec
	}{
		{name: "nothing"},
		{
			name: "requests",
			http: model.HTTPGrant{Ports: model.AllPorts, Requests: requests(get)},
			web:  []policySpec{restricted},
		},
		{
			name: "requests on a port",
			http: model.HTTPGrant{Ports: ports(8080), Requests: requests(get)},
			web:  []policySpec{restricted},
		},
		{name: "requests on another port", http: model.HTTPGrant{Ports: ports(3306), Requests: requests(get)}},
		{name: "requests on no port", http: model.HTTPGrant{Requests: requests(get)}},
		{name: "no requests on every port", http: model.HTTPGrant{Ports: model.AllPorts}},
		{
			name: "requests that no request is",
			http: model.HTTPGrant{Ports: model.AllPorts, Requests: requests(model.Match{Path: ".*"}, model.Match{AnyMethod: true})},
		},
		{
			name: "requests that no request is, beside one that some are",
			http: model.HTTPGrant{Ports: model.AllPorts, Requests: requests(model.Match{Path: ".*"}, get)},
			web:  []policySpec{restricted},
		},
		{
			name: "everything on a port that is HTTP",
			http: model.HTTPGrant{Ports: ports(8080), Requests: model.AllRequests}, tcp: ports(8080),
			web: []policySpec{everything},
		},
		{
			name: "everything on a port that is not",
			http: model.HTTPGrant{Ports: ports(3306), Requests: model.AllRequests}, tcp: ports(3306),
			data: []policySpec{everything},
		},
		{
			name: "everything",
			http: model.HTTPGrant{Ports: model.AllPorts, Requests: model.AllRequests}, tcp: model.AllPorts,
			web: []policySpec{everything}, data: []policySpec{everything},
		},
		{
			name: "connections alone do not open a port that is HTTP",
			tcp:  model.AllPorts,
			data: []policySpec{everything},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := admit("p", buyer, seller)
			p.HTTP, p.TCP = row.http, row.tcp
			c := newCompilation(meshOf(smi(), p), nil)
			for target, want := range map[uint16][]policySpec{8080: row.web, 3306: row.data} {
				got, refs := c.policies(seller, door{target: target, http: target == 8080})
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("door %d (-want +got):\n%s", target, diff)
				}
				if len(refs) != len(want) {
					t.Errorf("door %d: %d policies come from %v", target, len(want), refs)
				}
			}
		})
	}
}

func TestPoliciesAreAUnion(t *testing.T) {
	nobody, toOthers := admit("nobody", buyer, seller), admit("to-others", buyer, thief)
	nobody.Sources = model.List[model.Identity]{}
	both := admit("both", buyer, seller)
	both.Sources = model.ListOf(buyer, thief)
	for _, row := range []struct {
		name     string
		settings model.Settings
		want     []policySpec
	}{
		{"SMI: one for each permission to this identity that lists somebody", smi(), []policySpec{
			{Name: "shop/both", Principals: []string{"spiffe://cluster.local/ns/shop/sa/buyer", "spiffe://cluster.local/ns/shop/sa/thief"}, Everything: true},
			{Name: "shop/one", Principals: []string{"spiffe://cluster.local/ns/shop/sa/buyer"}, Everything: true},
		}},
		{"permissive: whoever is of the mesh", permissive(), []policySpec{{Name: "permissive", Anyone: true, Everything: true}}},
		{"HTTP is closed: nobody, also in permissive mode", closed(permissive()), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCompilation(meshOf(row.settings, nobody, toOthers, both, admit("one", buyer, seller)), nil)
			got, _ := c.policies(seller, door{target: 8080, http: true})
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func closed(s model.Settings) model.Settings {
	s.HTTPClosed = true
	return s
}

// How a policy is written for Envoy.
func TestRules(t *testing.T) {
	named := func(uri string) string {
		return `principals { custom { name: "envoy.rbac.principals.mtls_authenticated" typed_config {
			[type.googleapis.com/envoy.extensions.rbac.principals.mtls_authenticated.v3.Config] {
				san_matcher { san_type: URI matcher { exact: "` + uri + `" } }
			}
		} } }`
	}
	principal := named("spiffe://d/ns/n/sa/a")
	principals := []string{"spiffe://d/ns/n/sa/a"}
	for _, row := range []struct {
		name   string
		policy policySpec
		want   string
	}{
		{
			"everything", policySpec{Principals: principals, Everything: true},
			principal + `permissions { any: true }`,
		},
		{
			"anyone", policySpec{Anyone: true, Everything: true},
			`principals { any: true } permissions { any: true }`,
		},
		{
			"two principals", policySpec{Principals: []string{"spiffe://d/ns/n/sa/a", "spiffe://d/ns/n/sa/b"}, Everything: true},
			principal + named("spiffe://d/ns/n/sa/b") + `permissions { any: true }`,
		},
		{
			"a path", policySpec{Principals: principals, Matches: []matchSpec{{Path: "/a.*"}}},
			principal + `permissions { url_path { path { safe_regex { regex: "/a.*" } } } }`,
		},
		{
			"a method", policySpec{Principals: principals, Matches: []matchSpec{{Methods: []string{"GET"}}}},
			principal + `permissions { header { name: ":method" string_match { exact: "GET" } } }`,
		},
		{
			"methods", policySpec{Principals: principals, Matches: []matchSpec{{Methods: []string{"GET", "PUT"}}}},
			principal + `permissions { header { name: ":method" string_match { safe_regex { regex: "GET|PUT" } } } }`,
		},
		{
			"any request", policySpec{Principals: principals, Matches: []matchSpec{{}}},
			principal + `permissions { any: true }`,
		},
		{
			"path, method and headers must all fit",
			policySpec{Principals: principals, Matches: []matchSpec{{Path: "/a", Methods: []string{"GET"}, Headers: []headerSpec{{"x", "1"}, {"y", "2"}}}}},
			principal + `permissions { and_rules {
				rules { url_path { path { safe_regex { regex: "/a" } } } }
				rules { header { name: ":method" string_match { exact: "GET" } } }
				rules { header { name: "x" string_match { safe_regex { regex: "1" } } } }
				rules { header { name: "y" string_match { safe_regex { regex: "2" } } } }
			} }`,
		},
		{
			"one of two matches must accept", policySpec{Principals: principals, Matches: []matchSpec{{Path: "/a"}, {Path: "/b"}}},
			principal + `permissions { url_path { path { safe_regex { regex: "/a" } } } } permissions { url_path { path { safe_regex { regex: "/b" } } } }`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := &rbacv3.Policy{}
			if err := prototext.Unmarshal([]byte(row.want), want); err != nil {
				t.Fatal(err)
			}
			row.policy.Name = "shop/p"
			got := rules([]policySpec{row.policy})
			if diff := cmp.Diff(map[string]*rbacv3.Policy{"shop/p": want}, got.Policies, protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
			if got.Action != rbacv3.RBAC_ALLOW {
				t.Errorf("the action is %s", got.Action)
			}
		})
	}
}

// A match of the model, with its marks for any, as the compiler sees it.
func TestMatchesAreRead(t *testing.T) {
	for _, row := range []struct {
		name  string
		match model.Match
		want  []matchSpec
	}{
		{"anything", model.Match{Path: ".*", AnyMethod: true}, []matchSpec{{}}},
		{"a path", model.Match{Path: "/a", AnyMethod: true}, []matchSpec{{Path: "/a"}}},
		{"any method beats methods", model.Match{Path: ".*", AnyMethod: true, Methods: model.ListOf("GET")}, []matchSpec{{}}},
		{"a method", model.Match{Path: ".*", Methods: model.ListOf("GET")}, []matchSpec{{Methods: []string{"GET"}}}},
		{"headers", model.Match{Path: ".*", AnyMethod: true, Headers: model.ListOf(model.Header{Name: "x", Value: "1"})}, []matchSpec{{Headers: []headerSpec{{"x", "1"}}}}},
		{"no method is not any method", model.Match{Path: "/a"}, nil},
		{"no path is not any path", model.Match{AnyMethod: true}, nil},
		{"nothing", model.Match{}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, newMatchSpecs(requests(row.match))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A door is one port of the application: one way to understand it, a chain for each service that leads to it.
func TestDoors(t *testing.T) {
	for _, row := range []struct {
		name    string
		members []model.Member
		chains  []string
		tables  []string
		tcp     []string // the clusters that connections go to unread
	}{
		{"nothing is served", nil, nil, nil, nil},
		{
			"HTTP", []model.Member{serves("web", 80, 8080, model.HTTP)},
			[]string{"inbound_shop/web_8080_http: web.shop.svc.cluster.local"}, []string{"rds-inbound.8080"}, nil,
		},
		{
			"TCP", []model.Member{serves("db", 3306, 3307, model.TCP)},
			[]string{"inbound_shop/db_3307_tcp: db.shop.svc.cluster.local"}, nil, []string{"3307|local"},
		},
		{
			"a headless service answers for its hosts", []model.Member{func() model.Member {
				m := serves("db", 3306, 3306, model.TCP)
				m.Headless = true
				return m
			}()},
			[]string{"inbound_shop/db_3306_tcp: db.shop.svc.cluster.local *.db.shop.svc.cluster.local"}, nil, []string{"3306|local"},
		},
		{
			"two services, one door", []model.Member{serves("web-v1", 80, 8080, model.HTTP), serves("web", 80, 8080, model.GRPC)},
			[]string{"inbound_shop/web_8080_grpc: web.shop.svc.cluster.local", "inbound_shop/web-v1_8080_http: web-v1.shop.svc.cluster.local"},
			[]string{"rds-inbound.8080", "rds-inbound.8080"}, nil,
		},
		{
			"two ports of one service, one door", []model.Member{serves("web", 80, 8080, model.HTTP), serves("web", 81, 8080, model.HTTP)},
			[]string{"inbound_shop/web_8080_http: web.shop.svc.cluster.local"}, []string{"rds-inbound.8080"}, nil,
		},
		{
			"two doors", []model.Member{serves("web", 80, 8080, model.HTTP), serves("web", 81, 8081, model.TCP)},
			[]string{"inbound_shop/web_8080_http: web.shop.svc.cluster.local", "inbound_shop/web_8081_tcp: web.shop.svc.cluster.local"},
			[]string{"rds-inbound.8080"}, []string{"8081|local"},
		},
		{
			"what is HTTP for one is HTTP for all",
			[]model.Member{serves("a", 80, 8080, model.TCP), serves("b", 80, 8080, model.HTTP), serves("c", 80, 8080, model.TCP)},
			[]string{
				"inbound_shop/a_8080_tcp: a.shop.svc.cluster.local", "inbound_shop/b_8080_http: b.shop.svc.cluster.local",
				"inbound_shop/c_8080_tcp: c.shop.svc.cluster.local",
			},
			[]string{"rds-inbound.8080", "rds-inbound.8080", "rds-inbound.8080"}, nil,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			things := []any{pod("seller-0", seller, "100.64.0.10", row.members...)}
			for _, m := range row.members {
				things = append(things, clusterIP(m.ServicePort.Service.Name, "198.18.0.1"))
			}
			c := compiled(t, meshOf(permissive(), things...), theSeller)
			l := c.listeners[inboundListener]
			var chains, tcp []string
			for _, chain := range l.GetFilterChains() {
				chains = append(chains, chain.Name+": "+serverNames(chain))
				for _, p := range find[*tcpproxyv3.TcpProxy](chain) {
					tcp = append(tcp, p.GetCluster())
				}
			}
			if diff := cmp.Diff(row.chains, chains); diff != "" {
				t.Errorf("chains (-want +got):\n%s", diff)
			}
			var tables []string
			if l != nil {
				tables = referredRoutes(flat(l))
			}
			if diff := cmp.Diff(row.tables, tables); diff != "" {
				t.Errorf("route tables (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.tcp, tcp); diff != "" {
				t.Errorf("clusters of connections (-want +got):\n%s", diff)
			}
		})
	}
}

func serverNames(c *listenerv3.FilterChain) string {
	text := ""
	for i, name := range c.FilterChainMatch.GetServerNames() {
		if i > 0 {
			text += " "
		}
		text += name
	}
	return text
}

// HTTP policy is the route table's and counted for each TrafficTarget; its one virtual host takes every Host.
func TestPolicyOfHTTPIsInTheRouteTable(t *testing.T) {
	c := compiled(t, shop(smi()), theSeller)
	table := c.routes["rds-inbound.8080"]
	if len(table.VirtualHosts) != 1 || !slices.Equal(table.VirtualHosts[0].Domains, []string{"*"}) || len(table.VirtualHosts[0].Routes) != 1 {
		t.Errorf("the table looks at the Host: %v", table.VirtualHosts)
	}
	if len(table.TypedPerFilterConfig) != 1 || table.TypedPerFilterConfig[httpRBACFilter] == nil {
		t.Errorf("the table configures %v", sortedKeys(table.TypedPerFilterConfig))
	}
	for _, r := range find[*httprbacv3.RBACPerRoute](table) {
		if !r.Rbac.TrackPerRuleStats {
			t.Error("policies are not counted")
		}
	}
	if diff := cmp.Diff([]string{"shop/buys"}, sortedKeys(policiesIn(table))); diff != "" {
		t.Errorf("policies of the table (-want +got):\n%s", diff)
	}
	for _, h := range table.VirtualHosts {
		if len(h.TypedPerFilterConfig) > 0 || len(h.Routes[0].TypedPerFilterConfig) > 0 {
			t.Error("a virtual host or route lifts what the table says")
		}
	}
}

// The policy of connections is in the chain, before they are passed on; in permissive mode the certificate is enough.
func TestPolicyOfTCPIsInTheChain(t *testing.T) {
	steals := admit("steals", buyer, seller)
	steals.Sources = model.ListOf(buyer, thief)
	for name, row := range map[string]struct {
		mesh     *model.Mesh
		filters  []string
		policies []string
		clients  []string
	}{
		"SMI": {
			shop(smi()), []string{networkRBACFilter, tcpProxyFilter}, []string{"shop/stores"}, []string{"spiffe://cluster.local/ns/shop/sa/buyer"},
		},
		"SMI, two policies": {
			with(shop(smi()), steals, admit("buys-again", buyer, seller)), []string{networkRBACFilter, tcpProxyFilter},
			[]string{"shop/buys-again", "shop/steals", "shop/stores"}, []string{"spiffe://cluster.local/ns/shop/sa/buyer", "spiffe://cluster.local/ns/shop/sa/thief"},
		},
		"SMI, no policy": {meshOf(smi(), pod("seller-0", seller, "100.64.0.10", serves("db", 3306, 3306, model.TCP))), []string{directResponseFilter}, nil, nil},
		"permissive":     {shop(permissive()), []string{tcpProxyFilter}, nil, nil},
		"HTTP is closed": {shop(closed(permissive())), []string{tcpProxyFilter}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := compiled(t, row.mesh, theSeller).listeners[inboundListener]
			i := slices.IndexFunc(l.FilterChains, func(c *listenerv3.FilterChain) bool { return c.Name == "inbound_shop/db_3306_tcp" })
			var filters []string
			for _, f := range l.FilterChains[i].Filters {
				filters = append(filters, f.Name)
			}
			if diff := cmp.Diff(row.filters, filters); diff != "" {
				t.Errorf("filters (-want +got):\n%s", diff)
			}
			var policies []string
			for _, r := range find[*networkrbacv3.RBAC](l) {
				policies = append(policies, sortedKeys(r.Rules.Policies)...)
			}
			if diff := cmp.Diff(row.policies, policies); diff != "" {
				t.Errorf("policies (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.clients, accepted(find[*tlsv3.CommonTlsContext](l.FilterChains[i].TransportSocket))); diff != "" {
				t.Errorf("clients of the handshake (-want +got):\n%s", diff)
			}
		})
	}
}
