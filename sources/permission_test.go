package sources

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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

// checkPermissions resolves objects in shopTopology and compares what is admitted and what is found.
func checkPermissions(t *testing.T, objects Objects, settings model.Settings, want, found []string) {
	t.Helper()
	topology := shopTopology()
	routes, routeNotes := resolveRoutes(objects, topology)
	permissions, notes := resolvePermissions(objects, settings, topology, routes)
	var got []string
	for _, p := range permissions {
		got = append(got, spelled(p))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
	slices.Sort(found)
	all := slices.Concat(routeNotes, notes)
	if diff := cmp.Diff(found, noted(all)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	complete(t, all)
}

func TestSubjects(t *testing.T) {
	const server = "{kind: ServiceAccount, name: web, namespace: shop}"
	const client = "{kind: ServiceAccount, name: client, namespace: back}"
	tests := []struct {
		name                 string
		destination, sources string
		want                 string
		found                []string
	}{
		{
			name:        "sources in order, without repetition",
			destination: server,
			sources:     "[{kind: ServiceAccount, name: z, namespace: a}, {kind: ServiceAccount, name: client, namespace: back}, {kind: ServiceAccount, name: a, namespace: z}, " + client + "]",
			want:        "a/z,back/client,z/a → shop/web",
		},
		{
			name:        "destination without a namespace",
			destination: "{kind: ServiceAccount, name: web}",
			sources:     "[" + client + "]",
			want:        "back/client → shop/web",
			found:       []string{"FSM2005 t spec.destination"},
		},
		{
			name:        "source without a namespace is of the target's",
			destination: server,
			sources:     "[{kind: ServiceAccount, name: client}]",
			want:        "shop/client → shop/web",
			found:       []string{"FSM2005 t spec.sources[0]"},
		},
		{
			name:        "destination elsewhere",
			destination: "{kind: ServiceAccount, name: web, namespace: back}",
			sources:     "[" + client + "]",
			found:       []string{"FSM2001 t spec.destination.namespace"},
		},
		{
			name:        "destination of another kind",
			destination: "{kind: Group, name: web, namespace: shop}",
			sources:     "[" + client + "]",
			found:       []string{"FSM2004 t spec.destination.kind"},
		},
		{
			name:        "destination without a name",
			destination: "{kind: ServiceAccount, name: '', namespace: shop}",
			sources:     "[" + client + "]",
			found:       []string{"FSM2004 t spec.destination.name"},
		},
		{
			name:        "destination * is no wildcard",
			destination: "{kind: ServiceAccount, name: '*', namespace: shop}",
			sources:     "[" + client + "]",
			found:       []string{"FSM2004 t spec.destination.name"},
		},
		{
			name:        "destination namespace * is no wildcard",
			destination: "{kind: ServiceAccount, name: web, namespace: '*'}",
			sources:     "[" + client + "]",
			found:       []string{"FSM2004 t spec.destination.namespace"},
		},
		{
			name:        "destination that nobody runs as",
			destination: "{kind: ServiceAccount, name: wbe, namespace: shop}",
			sources:     "[" + client + "]",
			want:        "back/client → shop/wbe",
			found:       []string{"FSM2011 t spec.destination.name"},
		},
		{
			name:        "bad sources are left out, the others stay",
			destination: server,
			sources: "[{kind: Group, name: client, namespace: back}, {kind: ServiceAccount, name: '*', namespace: back}, {kind: ServiceAccount, name: '', namespace: back}, " +
				"{kind: ServiceAccount, name: client, namespace: '*'}, {kind: ServiceAccount, name: 'Client ', namespace: back}, " + client + "]",
			want: "back/client → shop/web",
			found: []string{
				"FSM2004 t spec.sources[0].kind", "FSM2004 t spec.sources[1].name", "FSM2004 t spec.sources[2].name",
				"FSM2004 t spec.sources[3].namespace", "FSM2004 t spec.sources[4].name",
			},
		},
		{
			name:        "only bad sources: nobody, not everybody",
			destination: server,
			sources:     "[{kind: Group, name: everyone}]",
			found:       []string{"FSM2004 t spec.sources[0].kind"},
		},
		{
			name:        "no sources: nobody",
			destination: server,
			sources:     "[]",
			found:       []string{"FSM2002 t spec.sources"},
		},
		{
			name:        "everything that is wrong is said at once",
			destination: "{kind: ServiceAccount, name: web, namespace: back}",
			sources:     "[]",
			found:       []string{"FSM2001 t spec.destination.namespace", "FSM2002 t spec.sources"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects := read(t, fmt.Sprintf(`
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: all, namespace: shop}
spec: {matches: [{name: all}]}
---
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: %s
  sources: %s
  rules: [{kind: HTTPRouteGroup, name: all}]`, test.destination, test.sources))
			var want []string
			if test.want != "" {
				want = []string{test.want + " http all [* .*]"}
			}
			checkPermissions(t, objects, model.Settings{}, want, test.found)
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

func TestFieldsOfV1alpha1(t *testing.T) {
	objects := read(t, `
apiVersion: access.smi-spec.io/v1alpha1
kind: TrafficTarget
metadata: {name: t, namespace: shop}
destination: {kind: ServiceAccount, name: server}
sources: [{kind: Group, name: client, namespace: back}]
specs: [{kind: HTTPRouteGroup, name: none}, {kind: Nothing, name: x}]
---
apiVersion: access.smi-spec.io/v1alpha1
kind: TrafficTarget
metadata: {name: u, namespace: shop}
destination: {kind: ServiceAccount, name: server, namespace: shop}
sources: []
specs: []`)
	checkPermissions(t, objects, model.Settings{}, nil, []string{
		"FSM2004 t sources[0].kind", "FSM2005 t destination", "FSM2006 t specs[0].name", "FSM2008 t specs[1].kind",
		"FSM2002 u sources", "FSM2003 u specs",
	})
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

func TestInvalidRoutesAreNotMissing(t *testing.T) {
	objects := read(t, `
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: web, namespace: shop}
  sources: [{kind: ServiceAccount, name: client, namespace: back}]
  rules: [{kind: HTTPRouteGroup, name: reads}, {kind: TCPRoute, name: web}]`)
	objects.Broken = []model.Ref{{Kind: "HTTPRouteGroup", Namespace: "shop", Name: "reads"}}
	topology := shopTopology()
	routes, _ := resolveRoutes(objects, topology)
	permissions, notes := resolvePermissions(objects, model.Settings{}, topology, routes)
	if len(permissions) > 0 {
		t.Errorf("admitted: %v", permissions)
	}
	var messages []string
	for _, d := range notes {
		messages = append(messages, d.Message+" | "+d.Instead+" | "+d.Fix)
	}
	want := []string{
		"HTTPRouteGroup reads is invalid | it admits no request | mend the errors reported for it",
		`namespace shop has no TCPRoute "web" | it admits no port | create it in namespace shop, the only one that is looked at`,
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
}

func TestSuggestions(t *testing.T) {
	objects := read(t, shopRoutes, `
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: wbe, namespace: shop}
  sources: [{kind: ServiceAccount, name: client, namespace: back}]
  rules:
  - {kind: HTTPRouteGroup, name: raeds}
  - {kind: HTTPRouteGroup, name: web}
  - {kind: HTTPRouteGroup, name: reads, matches: [book, "*", quite-another]}
  - {kind: TCPRoute, name: writes}
  - {kind: TcpRoute, name: web}
  - {kind: Gateway, name: web}`)
	topology := shopTopology()
	routes, _ := resolveRoutes(objects, topology)
	_, notes := resolvePermissions(objects, model.Settings{}, topology, routes)
	got := map[string]string{}
	for _, d := range notes {
		got[d.At.Field] = d.Fix
	}
	want := map[string]string{
		"spec.destination.name":    "did you mean web?",
		"spec.rules[0].name":       "did you mean reads?",
		"spec.rules[1].name":       "there is a TCPRoute of that name: correct the kind",
		"spec.rules[2].matches[0]": "did you mean books?",
		"spec.rules[2].matches[1]": "names are never wildcards: leave matches out to take the whole group",
		"spec.rules[2].matches[2]": "the matches that it has are books, pages",
		"spec.rules[3].name":       "there is a HTTPRouteGroup of that name: correct the kind",
		"spec.rules[4].kind":       "did you mean TCPRoute?",
		"spec.rules[5].kind":       "name an HTTPRouteGroup or a TCPRoute",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPermissiveMode(t *testing.T) {
	target := func(name string) string {
		return fmt.Sprintf(`
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: %s, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: web, namespace: shop}
  sources: [{kind: ServiceAccount, name: client, namespace: back}]
  rules: [{kind: TCPRoute, name: web}, {kind: UDPRoute, name: x}]`, name)
	}
	outside := `
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: a, namespace: outside}
spec: {}`
	permissive := model.Settings{Permissive: true}
	t.Run("is said once, and targets are checked all the same", func(t *testing.T) {
		admitted := "back/client → shop/web http 8080 [all] tcp 8080"
		checkPermissions(t, read(t, shopRoutes, target("t"), target("s"), outside), permissive, []string{admitted, admitted},
			append(slices.Clone(routeFindings), "FSM2012 s", "FSM2010 s spec.rules", "FSM2010 t spec.rules", "FSM2107 s spec.rules[1]", "FSM2107 t spec.rules[1]"))
	})
	t.Run("is not said when there is no target in the mesh", func(t *testing.T) {
		checkPermissions(t, read(t, outside), permissive, nil, nil)
	})
}

func TestOlderTargetOfOneNameCounts(t *testing.T) {
	target := func(source string, age time.Duration) *TrafficTarget {
		objects := read(t, fmt.Sprintf(`
apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: t, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: idle, namespace: shop}
  sources: [{kind: ServiceAccount, name: %s, namespace: back}]
  rules: [{kind: TCPRoute, name: db}]`, source))
		target := objects.TrafficTargets[0]
		if age > 0 {
			target.CreationTimestamp = metav1.NewTime(time.Unix(0, 0).Add(-age))
		}
		return target
	}
	objects := read(t, shopRoutes)
	for _, order := range [][]*TrafficTarget{
		{target("young", 1), target("old", time.Hour), target("ageless", 0)},
		{target("ageless", 0), target("old", time.Hour), target("young", 1)},
	} {
		objects.TrafficTargets = order
		checkPermissions(t, objects, model.Settings{}, []string{"back/old → shop/idle http 3306 [all] tcp 3306"}, slices.Clone(routeFindings))
	}
}
