package compiler

import (
	"fmt"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tcpproxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// A split spreads what is for its root over the backends that can take it, and never sends it anywhere else.
func TestSplits(t *testing.T) {
	const http, tcp = model.HTTP, model.TCP
	s, other := pod("seller-0", seller, "100.64.0.10"), pod("thief-0", thief, "100.64.0.66")
	// The root and v1 are the seller's, v2 is the thief's; v1 has no port 81; nobody answers for idle.
	services := func(p model.Protocol) []any {
		return []any{
			pod("buyer-0", buyer, "100.64.0.1"),
			clusterIP("web", "198.18.0.1", answers(80, p, behind(s, 8080)), answers(81, p, behind(s, 8081))),
			clusterIP("v1", "198.18.0.2", answers(80, p, behind(s, 9090))),
			clusterIP("v2", "198.18.0.3", answers(80, p, behind(other, 8080)), answers(81, p, behind(other, 8081))),
			clusterIP("idle", "198.18.0.4", answers(80, p), answers(81, p)),
		}
	}
	beta := requests(model.Match{Path: "/beta.*", AnyMethod: true}, model.Match{Path: ".*", Methods: model.ListOf("PUT")})
	const self = "any: shop/web|80 1"
	for _, row := range []struct {
		name     string
		protocol model.Protocol
		things   []any
		want     []string
		on81     []string
		codes    []model.Code
	}{
		{
			name: "by weight", protocol: http, things: []any{admit("a", buyer, seller), admit("b", buyer, thief), spread("s", "web", over("v1", 1), over("v2", 3))},
			want:  []string{"shop/s any: shop/v1|80 1, shop/v2|80 3"},
			on81:  []string{"shop/s any: shop/v2|81 1"}, // v1 has no such port, which is told when the split is read
			codes: nil,
		},
		{
			name: "weight 0 gets nothing", protocol: http, things: []any{admit("a", buyer, seller), admit("b", buyer, thief), spread("s", "web", over("v1", 5), over("v2", 0))},
			want: []string{"shop/s any: shop/v1|80 1"}, on81: []string{"shop/s any: 503"},
		},
		{
			name: "no weight at all is refused", protocol: http, things: []any{admit("a", buyer, seller), spread("s", "web", over("v1", 0))},
			want: []string{"shop/s any: 503"}, on81: []string{"shop/s any: 503"},
		},
		{
			name: "no backends are refused", protocol: http, things: []any{admit("a", buyer, seller), spread("s", "web")},
			want: []string{"shop/s any: 503"}, on81: []string{"shop/s any: 503"},
		},
		{
			name: "a backend that does not exist", protocol: http, things: []any{admit("a", buyer, seller), spread("s", "web", over("v1", 1), over("nobody", 9))},
			want: []string{"shop/s any: shop/v1|80 1"}, on81: []string{"shop/s any: 503"},
		},
		{
			name: "a backend that the client may not call", protocol: http, things: []any{admit("a", buyer, seller), spread("s", "web", over("v1", 1), over("v2", 9))},
			want: []string{"shop/s any: shop/v1|80 1"}, on81: []string{"shop/s any: 503"},
			codes: []model.Code{model.BackendUnreachable, model.BackendUnreachable}, // for each port
		},
		{
			name: "a backend for which nobody answers", protocol: http, things: []any{admit("a", buyer, seller), spread("s", "web", over("v1", 1), over("idle", 9))},
			want: []string{"shop/s any: shop/v1|80 1"}, on81: []string{"shop/s any: 503"},
			codes: []model.Code{model.BackendUnreachable, model.BackendUnreachable},
		},
		{
			name: "a root that is its own backend", protocol: http, things: []any{admit("a", buyer, seller), spread("s", "web", over("web", 1), over("v1", 1))},
			want: []string{"shop/s any: shop/web|80 1, shop/v1|80 1"}, on81: []string{"shop/s any: shop/web|81 1"},
		},
		{
			name: "a root that the client may not call, of backends that it may", protocol: http,
			things: []any{admit("b", buyer, thief), spread("s", "web", over("v2", 1))},
			want:   []string{"shop/s any: shop/v2|80 1"}, on81: []string{"shop/s any: shop/v2|81 1"},
		},
		{
			name: "a backend that the client knows as a root alone", protocol: http,
			things: []any{admit("b", buyer, thief), spread("s", "web", over("v2", 1), over("v1", 1)), spread("t", "v1", over("v2", 1))},
			want:   []string{"shop/s any: shop/v2|80 1"}, on81: []string{"shop/s any: shop/v2|81 1"},
			codes: []model.Code{model.BackendUnreachable},
		},
		{
			name: "a root that the client may not call, of backends without weight", protocol: http,
			things: []any{admit("b", buyer, thief), spread("s", "web", over("v2", 0))},
		},
		{
			name: "matches, and the rest to the root", protocol: http,
			things: []any{admit("a", buyer, seller), matching(spread("s", "web", over("v1", 1)), beta)},
			want:   []string{"shop/s /beta.*: shop/v1|80 1", "shop/s any [:method]: shop/v1|80 1", self},
			on81:   []string{"shop/s /beta.*: 503", "shop/s any [:method]: 503", "any: shop/web|81 1"},
		},
		{
			name: "matches, and a root that the client may not call", protocol: http,
			things: []any{admit("b", buyer, thief), matching(spread("s", "web", over("v2", 1)), beta)},
			want:   []string{"shop/s /beta.*: shop/v2|80 1", "shop/s any [:method]: shop/v2|80 1", "any: 503"},
			on81:   []string{"shop/s /beta.*: shop/v2|81 1", "shop/s any [:method]: shop/v2|81 1", "any: 503"},
		},
		{
			name: "matches that accept nothing", protocol: http,
			things: []any{admit("a", buyer, seller), matching(spread("s", "web", over("v1", 1)), requests(model.Match{Path: ".*"}, model.Match{AnyMethod: true}))},
			want:   []string{self}, on81: []string{"any: shop/web|81 1"},
		},
		{
			name: "two splits, told apart by matches, in their order", protocol: http,
			things: []any{admit("a", buyer, seller), matching(spread("z", "web", over("v1", 1)), beta), spread("a", "web", over("web", 1))},
			want:   []string{"shop/z /beta.*: shop/v1|80 1", "shop/z any [:method]: shop/v1|80 1", "shop/a any: shop/web|80 1"},
			on81:   []string{"shop/z /beta.*: 503", "shop/z any [:method]: 503", "shop/a any: shop/web|81 1"},
		},
		{
			name: "a split that takes everything ends the list", protocol: http,
			things: []any{admit("a", buyer, seller), spread("a", "web", over("web", 1)), matching(spread("z", "web", over("v1", 1)), beta)},
			want:   []string{"shop/a any: shop/web|80 1"}, on81: []string{"shop/a any: shop/web|81 1"},
		},
		{
			name: "a backend's own split is not followed", protocol: http,
			things: []any{admit("a", buyer, seller), spread("s", "web", over("v1", 1)), spread("t", "v1", over("web", 1))},
			want:   []string{"shop/s any: shop/v1|80 1"}, on81: []string{"shop/s any: 503"},
		},
		{
			name: "TCP by weight", protocol: tcp, things: []any{admit("a", buyer, seller), admit("b", buyer, thief), spread("s", "web", over("v1", 1), over("v2", 3))},
			want: []string{"shop/v1|80 1, shop/v2|80 3"}, on81: []string{"shop/v2|81 1"},
		},
		{
			name: "TCP without a backend is closed", protocol: tcp, things: []any{admit("a", buyer, seller), spread("s", "web", over("v1", 0))},
			want: []string{"closed"}, on81: []string{"closed"},
		},
		{
			name: "matches do not concern TCP", protocol: tcp,
			things: []any{admit("a", buyer, seller), matching(spread("s", "web", over("v1", 1)), beta)},
			want:   []string{"shop/web|80 1"}, on81: []string{"shop/web|81 1"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			output, diagnostics := Compile(meshOf(smi(), append(services(row.protocol), row.things...)...))
			class, _ := output.ClassOf(theBuyer)
			c := configurationOf(class)
			for port, want := range map[uint16][]string{80: row.want, 81: row.on81} {
				if diff := cmp.Diff(want, routesTo(c, "web", port)); diff != "" {
					t.Errorf("port %d (-want +got):\n%s", port, diff)
				}
			}
			if diff := cmp.Diff(row.codes, codes(diagnostics)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s\n%v", diff, diagnostics)
			}
		})
	}
}

func matching(s *model.Split, r model.Requests) *model.Split {
	s.Requests = r
	return s
}

// routesTo says, line by line, what becomes of calls to a service port: what is asked, and the clusters with their weights.
func routesTo(c configuration, service string, port uint16) []string {
	for _, h := range c.routes[outboundRoutes(port)].GetVirtualHosts() {
		if h.Name != outboundVirtualHost(inShop(service)) {
			continue
		}
		var lines []string
		for _, r := range h.Routes {
			lines = append(lines, strings.TrimSpace(r.Name+" "+asked(r.Match)+": "+targetsOf(r)))
		}
		return lines
	}
	for _, chain := range c.listeners[outboundListener].GetFilterChains() {
		if strings.HasPrefix(chain.Name, fmt.Sprintf("outbound_shop/%s_%d_", service, port)) && !strings.HasSuffix(chain.Name, "_direct") {
			return connectionsOf(find[*tcpproxyv3.TcpProxy](chain))
		}
	}
	return nil
}

func asked(m *routev3.RouteMatch) string {
	text := "any"
	if regex := m.GetSafeRegex(); regex != nil {
		text = regex.Regex
	}
	var headers []string
	for _, h := range m.Headers {
		headers = append(headers, h.Name)
	}
	if len(headers) > 0 {
		text += fmt.Sprintf(" %v", headers)
	}
	return text
}

func targetsOf(r *routev3.Route) string {
	if answer := r.GetDirectResponse(); answer != nil {
		return fmt.Sprint(answer.Status)
	}
	if single := r.GetRoute().GetCluster(); single != "" {
		return single + " 1"
	}
	var parts []string
	for _, w := range r.GetRoute().GetWeightedClusters().GetClusters() {
		parts = append(parts, fmt.Sprintf("%s %d", w.Name, w.Weight.GetValue()))
	}
	return strings.Join(parts, ", ")
}

func connectionsOf(proxies []*tcpproxyv3.TcpProxy) []string {
	if len(proxies) == 0 {
		return []string{"closed"}
	}
	if single := proxies[0].GetCluster(); single != "" {
		return []string{single + " 1"}
	}
	var parts []string
	for _, w := range proxies[0].GetWeightedClusters().GetClusters() {
		parts = append(parts, fmt.Sprintf("%s %d", w.Name, w.Weight))
	}
	return []string{strings.Join(parts, ", ")}
}

// One diagnostic tells of all clients that cannot reach a backend; many are counted rather than named.
func TestUnreachableBackendsAreToldOnce(t *testing.T) {
	s, other := pod("seller-0", seller, "100.64.0.10"), pod("thief-0", thief, "100.64.0.66")
	things := []any{
		clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s, 8080))),
		clusterIP("v2", "198.18.0.3", answers(80, model.HTTP, behind(other, 8080))),
		spread("s", "web", over("web", 1), over("v2", 1)),
	}
	for i := range 5 {
		client := model.Identity{Namespace: "shop", ServiceAccount: fmt.Sprintf("client-%d", i)}
		things = append(things, pod(fmt.Sprintf("c-%d", i), client, fmt.Sprintf("100.64.1.%d", i)), admit(client.ServiceAccount, client, seller))
	}
	_, got := Compile(meshOf(smi(), things...))
	want := []model.Diagnostic{{
		Code: model.BackendUnreachable, Level: model.Warning,
		Message: "backend shop/v2:80 may not be reached by shop/client-0, shop/client-1, shop/client-2 and 2 more",
		Instead: "it gets no traffic from them",
		Fix:     "add a TrafficTarget whose destination is the ServiceAccount of shop/v2 and whose sources include these clients",
		At:      ref("TrafficSplit", "to v2"),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
