package sources

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flomesh-io/fsmc/model"
)

// shopRoutes are what the rules of the tests below name.
const shopRoutes = `
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: reads, namespace: shop}
spec:
  matches:
  - {name: books, pathRegex: /books/.*, methods: [GET, HEAD]}
  - {name: pages, pathRegex: /pages/.*, methods: [GET]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: writes, namespace: shop}
spec:
  matches:
  - {name: orders, pathRegex: /orders/.*, methods: [POST]}
  - {name: bad, pathRegex: "/(?!x).*"}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: elsewhere, namespace: back}
spec:
  matches:
  - {name: all}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: every, namespace: shop}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: web, namespace: shop}
spec: {matches: {ports: [8080]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: db, namespace: shop}
spec: {matches: {ports: [3306, 3306]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: service-port, namespace: shop}
spec: {matches: {ports: [80]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: named, namespace: shop}
spec: {matches: {name: mysql, ports: [3306]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: none-valid, namespace: shop}
spec: {matches: {ports: [0, 70000, -1]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: one-valid, namespace: shop}
spec: {matches: {ports: [70000, 3306]}}
`

// routeFindings are what shopRoutes themselves are reported for, in every test.
var routeFindings = []string{
	"FSM1201 none-valid spec.matches.ports[0]",
	"FSM1201 none-valid spec.matches.ports[1]",
	"FSM1201 none-valid spec.matches.ports[2]",
	"FSM1201 one-valid spec.matches.ports[0]",
	"FSM2101 writes spec.matches[1].pathRegex",
}

func TestWhatRulesAdmit(t *testing.T) {
	tests := []struct {
		name  string
		rules string
		want  string
		found []string
	}{
		{
			name:  "group alone: its requests on every port",
			rules: "- {kind: HTTPRouteGroup, name: reads}",
			want:  "http all [GET,HEAD /books/.* | GET /pages/.*]",
			found: []string{"FSM2013 t spec.rules"},
		},
		{
			name:  "some matches of a group",
			rules: "- {kind: HTTPRouteGroup, name: reads, matches: [pages]}",
			want:  "http all [GET /pages/.*]",
			found: []string{"FSM2013 t spec.rules"},
		},
		{
			name: "groups are a union without repetition",
			rules: `
- {kind: HTTPRouteGroup, name: writes}
- {kind: HTTPRouteGroup, name: reads, matches: [pages]}
- {kind: HTTPRouteGroup, name: reads, matches: [pages, books]}`,
			want:  "http all [GET,HEAD /books/.* | POST /orders/.* | GET /pages/.*]",
			found: []string{"FSM2013 t spec.rules"},
		},
		{
			name:  "group and route: the group's requests on the route's ports",
			rules: "- {kind: HTTPRouteGroup, name: reads, matches: [pages]}\n- {kind: TCPRoute, name: web}",
			want:  "http 8080 [GET /pages/.*]",
		},
		{
			name:  "group and routes: the routes are a union",
			rules: "- {kind: TCPRoute, name: db}\n- {kind: HTTPRouteGroup, name: reads, matches: [pages]}\n- {kind: TCPRoute, name: web}",
			want:  "http 3306, 8080 [GET /pages/.*]",
			found: []string{"FSM2013 t spec.rules"},
		},
		{
			name:  "group and route of all ports",
			rules: "- {kind: HTTPRouteGroup, name: reads, matches: [pages]}\n- {kind: TCPRoute, name: web}\n- {kind: TCPRoute, name: every}",
			want:  "http all [GET /pages/.*]",
			found: []string{"FSM2013 t spec.rules"},
		},
		{
			name:  "route alone: everything on its ports",
			rules: "- {kind: TCPRoute, name: web}",
			want:  "http 8080 [all] tcp 8080",
			found: []string{"FSM2010 t spec.rules"},
		},
		{
			name:  "route alone on a port that is not HTTP",
			rules: "- {kind: TCPRoute, name: db}",
			want:  "http 3306 [all] tcp 3306",
		},
		{
			name:  "route without ports: all of them",
			rules: "- {kind: TCPRoute, name: every}\n- {kind: TCPRoute, name: db}",
			want:  "http all [all] tcp all",
			found: []string{"FSM2010 t spec.rules"},
		},
		{
			name:  "missing group admits no request",
			rules: "- {kind: HTTPRouteGroup, name: raeds}",
			found: []string{"FSM2006 t spec.rules[0].name"},
		},
		{
			name:  "missing group beside another",
			rules: "- {kind: HTTPRouteGroup, name: raeds}\n- {kind: HTTPRouteGroup, name: reads, matches: [pages]}\n- {kind: TCPRoute, name: web}",
			want:  "http 8080 [GET /pages/.*]",
			found: []string{"FSM2006 t spec.rules[0].name"},
		},
		{
			name:  "missing group beside a route does not leave the route alone",
			rules: "- {kind: HTTPRouteGroup, name: raeds}\n- {kind: TCPRoute, name: web}",
			found: []string{"FSM2006 t spec.rules[0].name"},
		},
		{
			name:  "group of another namespace",
			rules: "- {kind: HTTPRouteGroup, name: elsewhere}",
			found: []string{"FSM2006 t spec.rules[0].name"},
		},
		{
			name:  "missing route restricts to no port",
			rules: "- {kind: HTTPRouteGroup, name: reads}\n- {kind: TCPRoute, name: wbe}",
			found: []string{"FSM2006 t spec.rules[1].name"},
		},
		{
			name:  "missing route alone admits no port",
			rules: "- {kind: TCPRoute, name: reads}",
			found: []string{"FSM2006 t spec.rules[0].name"},
		},
		{
			name:  "route whose ports are all invalid admits no port",
			rules: "- {kind: TCPRoute, name: none-valid}",
		},
		{
			name:  "route whose ports are all invalid restricts to no port",
			rules: "- {kind: HTTPRouteGroup, name: reads}\n- {kind: TCPRoute, name: none-valid}",
		},
		{
			name:  "route with one valid port",
			rules: "- {kind: TCPRoute, name: one-valid}",
			want:  "http 3306 [all] tcp 3306",
		},
		{
			name:  "unknown match among known ones",
			rules: "- {kind: HTTPRouteGroup, name: reads, matches: [boks, pages]}\n- {kind: TCPRoute, name: web}",
			want:  "http 8080 [GET /pages/.*]",
			found: []string{"FSM2007 t spec.rules[0].matches[0]"},
		},
		{
			name:  "only unknown matches: nothing, not everything",
			rules: `- {kind: HTTPRouteGroup, name: reads, matches: ["*", ""]}`,
			found: []string{"FSM2007 t spec.rules[0].matches[0]", "FSM2007 t spec.rules[0].matches[1]"},
		},
		{
			name:  "match that is there and invalid",
			rules: "- {kind: HTTPRouteGroup, name: writes, matches: [bad]}",
		},
		{
			name:  "UDP route alone admits nothing",
			rules: "- {kind: UDPRoute, name: dns}",
			found: []string{"FSM2107 t spec.rules[0]"},
		},
		{
			name:  "UDP route leaves the TCP route its meaning",
			rules: "- {kind: TCPRoute, name: db}\n- {kind: UDPRoute, name: dns}",
			want:  "http 3306 [all] tcp 3306",
			found: []string{"FSM2107 t spec.rules[1]"},
		},
		{
			name:  "UDP route leaves the group its meaning",
			rules: "- {kind: UDPRoute, name: dns}\n- {kind: HTTPRouteGroup, name: reads, matches: [pages]}\n- {kind: TCPRoute, name: web}",
			want:  "http 8080 [GET /pages/.*]",
			found: []string{"FSM2107 t spec.rules[0]"},
		},
		{
			name:  "unknown kind alone admits nothing",
			rules: "- {kind: GRPCRoute, name: x}",
			found: []string{"FSM2008 t spec.rules[0].kind"},
		},
		{
			name:  "unknown kind beside a group",
			rules: "- {kind: GRPCRoute, name: x}\n- {kind: HTTPRouteGroup, name: reads, matches: [pages]}",
			want:  "http all [GET /pages/.*]",
			found: []string{"FSM2008 t spec.rules[0].kind", "FSM2013 t spec.rules"},
		},
		{
			name:  "unknown kind beside a route: it may have restricted the requests",
			rules: "- {kind: HTTPRoute, name: x}\n- {kind: TCPRoute, name: web}",
			found: []string{"FSM2008 t spec.rules[0].kind"},
		},
		{
			name:  "misspelled TCPRoute beside a group restricts to no port",
			rules: "- {kind: TcpRoute, name: web}\n- {kind: HTTPRouteGroup, name: reads}",
			found: []string{"FSM2008 t spec.rules[0].kind"},
		},
		{
			name:  "misspelled TCPRoute alone admits nothing",
			rules: "- {kind: TCPRoutes, name: web}",
			found: []string{"FSM2008 t spec.rules[0].kind"},
		},
		{
			name:  "misspelled HTTPRouteGroup beside a route",
			rules: "- {kind: HTTPRouteGroups, name: reads}\n- {kind: TCPRoute, name: web}",
			found: []string{"FSM2008 t spec.rules[0].kind"},
		},
		{
			name:  "misspelled UDPRoute says nothing about TCP",
			rules: "- {kind: udproute, name: dns}\n- {kind: TCPRoute, name: db}",
			want:  "http 3306 [all] tcp 3306",
			found: []string{"FSM2008 t spec.rules[0].kind"},
		},
		{
			name:  "a Service's port is no pod port",
			rules: "- {kind: TCPRoute, name: service-port}",
			want:  "http 80 [all] tcp 80",
			found: []string{"FSM2009 service-port spec.matches.ports[0]"},
		},
		{
			name:  "matches of a TCPRoute without a name are not looked at",
			rules: "- {kind: TCPRoute, name: db, matches: [mysql]}",
			want:  "http 3306 [all] tcp 3306",
		},
		{
			name:  "matches of a TCPRoute name its one match",
			rules: "- {kind: TCPRoute, name: named, matches: [other, mysql]}",
			want:  "http 3306 [all] tcp 3306",
		},
		{
			name:  "matches of a TCPRoute name another match: no port",
			rules: "- {kind: TCPRoute, name: named, matches: [mysq]}",
			found: []string{"FSM2007 t spec.rules[0].matches[0]"},
		},
		{
			name:  "no rules",
			rules: "",
			found: []string{"FSM2003 t spec.rules"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects := read(t, shopRoutes, fmt.Sprintf(`
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: server, namespace: shop}
  sources: [{kind: ServiceAccount, name: client, namespace: back}]
  rules:
  %s`, indented(test.rules)))
			var want []string
			if test.want != "" {
				want = []string{"back/client → shop/server " + test.want}
			}
			checkPermissions(t, objects, model.Settings{}, want, append(slices.Clone(routeFindings), test.found...))
		})
	}
}

func TestDestinationPort(t *testing.T) {
	tests := []struct {
		name    string
		version string
		port    string
		rules   string
		want    string
		found   []string
	}{
		{"restricts a group", "v1alpha1", "8080", "[{kind: HTTPRouteGroup, name: reads, matches: [pages]}]", "http 8080 [GET /pages/.*]", nil},
		{"restricts a route of all ports", "v1alpha2", "3306", "[{kind: TCPRoute, name: every}]", "http 3306 [all] tcp 3306", nil},
		{"is met with a route's ports", "v1alpha2", "3306", "[{kind: TCPRoute, name: web}, {kind: TCPRoute, name: db}]", "http 3306 [all] tcp 3306", nil},
		{"and a route without it are no port", "v1alpha2", "3306", "[{kind: TCPRoute, name: web}]", "", nil},
		{"and group and route", "v1alpha2", "8080", "[{kind: HTTPRouteGroup, name: reads, matches: [pages]}, {kind: TCPRoute, name: every}]", "http 8080 [GET /pages/.*]", nil},
		{"not written is all ports", "v1alpha2", "", "[{kind: TCPRoute, name: every}]", "http all [all] tcp all", []string{"FSM2010 t spec.rules"}},
		{"out of range is no port", "v1alpha2", "70000", "[{kind: TCPRoute, name: every}]", "", []string{"FSM1201 t spec.destination.port"}},
		{"zero is no port", "v1alpha2", "0", "[{kind: HTTPRouteGroup, name: reads}]", "", []string{"FSM1201 t spec.destination.port"}},
		{"out of range in v1alpha1", "v1alpha1", "70000", "[{kind: HTTPRouteGroup, name: reads}]", "", []string{"FSM1201 t destination.port"}},
		{"of a Service", "v1alpha1", "80", "[{kind: HTTPRouteGroup, name: reads, matches: [pages]}]", "http 80 [GET /pages/.*]", []string{"FSM2009 t destination.port"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []string
			if test.want != "" {
				want = []string{"back/client → shop/server " + test.want}
			}
			objects := read(t, shopRoutes, oldTarget(test.version, test.port, test.rules))
			checkPermissions(t, objects, model.Settings{}, want, append(slices.Clone(routeFindings), test.found...))
		})
	}
}

func oldTarget(version, port, rules string) string {
	if port != "" {
		port = ", port: " + port
	}
	if version == "v1alpha1" {
		return fmt.Sprintf(`
apiVersion: access.smi-spec.io/v1alpha1
kind: TrafficTarget
metadata: {name: t, namespace: shop}
destination: {kind: ServiceAccount, name: server, namespace: shop%s}
sources: [{kind: ServiceAccount, name: client, namespace: back}]
specs: %s`, port, rules)
	}
	return fmt.Sprintf(`
apiVersion: access.smi-spec.io/v1alpha2
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: server, namespace: shop%s}
  sources: [{kind: ServiceAccount, name: client, namespace: back}]
  rules: %s`, port, rules)
}

func TestClosedDoorIsOpenedByAnotherTarget(t *testing.T) {
	target := func(name, sources, rules string) string {
		return fmt.Sprintf(`
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: %s, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: server, namespace: shop}
  sources: %s
  rules: %s`, name, sources, rules)
	}
	const one, two = "{kind: ServiceAccount, name: one, namespace: back}", "{kind: ServiceAccount, name: two, namespace: back}"
	const group, route = "[{kind: HTTPRouteGroup, name: reads, matches: [pages]}]", "[{kind: TCPRoute, name: db}]"
	t.Run("to all", func(t *testing.T) {
		objects := read(t, shopRoutes, target("http", "["+one+"]", group), target("tcp", "["+one+","+two+"]", route))
		checkPermissions(t, objects, model.Settings{},
			[]string{"back/one → shop/server http all [GET /pages/.*]", "back/one,back/two → shop/server http 3306 [all] tcp 3306"}, slices.Clone(routeFindings))
	})
	t.Run("to some", func(t *testing.T) {
		objects := read(t, shopRoutes, target("http", "["+one+","+two+"]", group), target("tcp", "["+one+"]", route))
		checkPermissions(t, objects, model.Settings{},
			[]string{"back/one,back/two → shop/server http all [GET /pages/.*]", "back/one → shop/server http 3306 [all] tcp 3306"},
			append(slices.Clone(routeFindings), "FSM2013 http spec.rules"))
	})
}
