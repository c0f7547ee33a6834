package sources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// splitTopology is a mesh with these services, and their ports:
//
//	shop   api 80,81   v1 80,81   v2 80   db 3306(tcp)   db-next 3306(tcp)   mysql-0.mysql 3306(tcp)   alias (ExternalName)
//	back   api 80
func splitTopology() topology {
	t := topology{namespaces: map[string]bool{"shop": true, "back": true}, served: &memberIndex{}}
	add := func(namespace, name string, ports ...model.Port) *model.Service {
		service := &model.Service{ID: model.ServiceID{Namespace: namespace, Name: name}, Ports: model.ListOf(ports...)}
		t.services = append(t.services, service)
		return service
	}
	http, admin := model.Port{Number: 80, Protocol: model.HTTP}, model.Port{Number: 81, Protocol: model.GRPC}
	mysql := model.Port{Number: 3306, Protocol: model.TCP}
	add("shop", "api", http, admin)
	add("shop", "v1", http, admin)
	add("shop", "v2", http)
	add("shop", "db", mysql)
	add("shop", "db-next", mysql)
	add("shop", "mysql-0.mysql", mysql)
	add("back", "api", http)
	alias := *add("shop", "alias")
	alias.ExternalName = "example.com"
	t.services = append(t.services, &alias)
	return t
}

const splitRoutes = `
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: canary, namespace: shop}
spec: {matches: [{name: canary, headers: [{x-canary: "true"}]}]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: next, namespace: shop}
spec: {matches: [{name: next, pathRegex: /next/.*}]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: nothing, namespace: shop}
spec: {matches: [{name: bad, methods: [FETCH]}]}`

var splitRouteFindings = []string{"FSM2102 nothing spec.matches[0].methods[0]"}

// split is a manifest of a TrafficSplit v1alpha4 named s; an age is a creation time.
func split(name, spec, age string) string {
	if age != "" {
		age = ", creationTimestamp: '" + age + "'"
	}
	return fmt.Sprintf("apiVersion: split.smi-spec.io/v1alpha4\nkind: TrafficSplit\nmetadata: {name: %s, namespace: shop%s}\nspec: %s", name, age, spec)
}

func checkSplits(t *testing.T, objects Objects, want, found []string) []model.Diagnostic {
	t.Helper()
	topology := splitTopology()
	routes, routeNotes := freshRoutes(objects, topology)
	splits, notes := freshSplits(objects, topology, routes)
	var got []string
	for _, s := range splits {
		got = append(got, spelledSplit(s))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("splits (-want +got):\n%s", diff)
	}
	all := slices.Concat(routeNotes, notes)
	slices.Sort(found)
	if diff := cmp.Diff(found, noted(all)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	complete(t, all)
	return notes
}

func spelledSplit(s *model.Split) string {
	var backends []string
	for b := range s.Backends.Values() {
		backends = append(backends, fmt.Sprintf("%s %d", b.Service.Name, b.Weight))
	}
	return fmt.Sprintf("%s %s %s: %s", s.Name, s.Root, spelledRequests(s.Requests), strings.Join(backends, ", "))
}

func TestSplits(t *testing.T) {
	const both = "backends: [{service: v2, weight: 1}, {service: v1, weight: 3}]"
	tests := []struct {
		name  string
		spec  string
		want  string
		found []string
	}{
		{
			name:  "backends by name",
			spec:  "{service: back-end, backends: []}",
			found: []string{"FSM2201 s spec.service"},
		},
		{
			name:  "weights are relative; ports are matched one by one",
			spec:  "{service: api, " + both + "}",
			want:  "s shop/api [all]: v1 3, v2 1",
			found: []string{"FSM2203 s spec.backends[0].service"},
		},
		{
			name: "TCP",
			spec: "{service: db, backends: [{service: db, weight: 1}, {service: db-next, weight: 1}]}",
			want: "s shop/db [all]: db 1, db-next 1",
			found: []string{
				"FSM2209 s spec.backends[0].service",
			},
		},
		{
			name:  "a root and a backend spelled in full",
			spec:  "{service: api.shop.svc.cluster.local, backends: [{service: v1.shop, weight: 1}]}",
			want:  "s shop/api [all]: v1 1",
			found: nil,
		},
		{
			name: "a StatefulSet's host",
			spec: "{service: db, backends: [{service: mysql-0.mysql, weight: 1}]}",
			want: "s shop/db [all]: mysql-0.mysql 1",
		},
		{
			name: "a root with its only port",
			spec: "{service: 'db:3306', backends: [{service: db-next, weight: 1}]}",
			want: "s shop/db [all]: db-next 1",
		},
		{
			name:  "a root with one of its ports",
			spec:  "{service: 'api:80', backends: [{service: v1, weight: 1}]}",
			want:  "s shop/api [all]: v1 1",
			found: []string{"FSM3005 s spec.service"},
		},
		{
			name:  "a root with a port that it does not have",
			spec:  "{service: 'api:8080', backends: [{service: v1, weight: 1}]}",
			found: []string{"FSM2201 s spec.service"},
		},
		{
			name:  "a root with a port that is none",
			spec:  "{service: 'api:http', backends: [{service: v1, weight: 1}]}",
			found: []string{"FSM2201 s spec.service"},
		},
		{
			name:  "a root in another namespace",
			spec:  "{service: api.back, backends: [{service: v1, weight: 1}]}",
			found: []string{"FSM2207 s spec.service"},
		},
		{
			name:  "a root that the mesh does not route",
			spec:  "{service: alias, backends: [{service: v1, weight: 1}]}",
			found: []string{"FSM2201 s spec.service"},
		},
		{
			name:  "a backend in another namespace gets nothing",
			spec:  "{service: api, backends: [{service: v1, weight: 1}, {service: api.back, weight: 1}]}",
			want:  "s shop/api [all]: v1 1",
			found: []string{"FSM2202 s spec.backends[1].service"},
		},
		{
			name:  "backends that do not exist get nothing",
			spec:  "{service: api, backends: [{service: v3, weight: 1}, {service: v1, weight: 1}, {service: 'v2:80', weight: 1}, {service: a.b.c, weight: 1}, {service: alias, weight: 1}]}",
			want:  "s shop/api [all]: v1 1",
			found: []string{"FSM2202 s spec.backends[0].service", "FSM2202 s spec.backends[2].service", "FSM2202 s spec.backends[3].service", "FSM2202 s spec.backends[4].service"},
		},
		{
			name:  "only backends that do not exist: refused",
			spec:  "{service: api, backends: [{service: v3, weight: 1}]}",
			want:  "s shop/api [all]: ",
			found: []string{"FSM2202 s spec.backends[0].service", "FSM2204 s spec.backends"},
		},
		{
			name: "a backend without weight",
			spec: "{service: api, backends: [{service: v1, weight: 1}, {service: api, weight: 0}]}",
			want: "s shop/api [all]: api 0, v1 1",
			found: []string{
				"FSM2209 s spec.backends[1].service",
			},
		},
		{
			name:  "all weights 0: refused",
			spec:  "{service: api, backends: [{service: v1, weight: 0}]}",
			want:  "s shop/api [all]: v1 0",
			found: []string{"FSM2204 s spec.backends"},
		},
		{
			name:  "weight only where it cannot be used: refused",
			spec:  "{service: api, backends: [{service: v1, weight: 0}, {service: v3, weight: 1}]}",
			want:  "s shop/api [all]: v1 0",
			found: []string{"FSM2202 s spec.backends[1].service", "FSM2204 s spec.backends"},
		},
		{
			name:  "no backends: refused",
			spec:  "{service: api, backends: []}",
			want:  "s shop/api [all]: ",
			found: []string{"FSM2212 s spec.backends"},
		},
		{
			name:  "a backend twice: the first counts, however it is spelled",
			spec:  "{service: api, backends: [{service: v1, weight: 1}, {service: v1.shop, weight: 5}]}",
			want:  "s shop/api [all]: v1 1",
			found: []string{"FSM2211 s spec.backends[1].service"},
		},
		{
			name:  "invalid weights leave the split out",
			spec:  "{service: api, backends: [{service: v1, weight: 1}, {service: v2, weight: -1}, {service: v3, weight: 10000001}]}",
			found: []string{"FSM2205 s spec.backends[1].weight", "FSM2205 s spec.backends[2].weight"},
		},
		{
			name:  "matches",
			spec:  "{service: api, matches: [{kind: HTTPRouteGroup, name: canary}], backends: [{service: v1, weight: 1}]}",
			want:  "s shop/api [* .* x-canary=true]: v1 1",
			found: nil,
		},
		{
			name: "matches are merged, with the group's version, without it, and without the group",
			spec: `{service: api, backends: [{service: v1, weight: 1}], matches: [
				{kind: HTTPRouteGroup, name: next, apiGroup: specs.smi-spec.io/v1alpha4},
				{kind: HTTPRouteGroup, name: canary, apiGroup: specs.smi-spec.io}, {kind: HTTPRouteGroup, name: canary, apiGroup: ''}]}`,
			want: "s shop/api [* .* x-canary=true | * /next/.*]: v1 1",
		},
		{
			name: "a missing group splits nothing, the others stay",
			spec: "{service: api, backends: [{service: v1, weight: 1}], matches: [{kind: HTTPRouteGroup, name: canaries}, {kind: HTTPRouteGroup, name: next}]}",
			want: "s shop/api [* /next/.*]: v1 1",
			found: []string{
				"FSM2006 s spec.matches[0].name",
			},
		},
		{
			name: "only missing and foreign groups: nothing is split, not everything",
			spec: `{service: api, backends: [{service: v1, weight: 1}], matches: [
				{kind: HTTPRouteGroup, name: none}, {kind: TCPRoute, name: canary},
				{kind: HTTPRouteGroup, name: canary, apiGroup: example.com/v1}]}`,
			found: []string{"FSM2006 s spec.matches[0].name", "FSM2008 s spec.matches[1].kind", "FSM2008 s spec.matches[2].apiGroup"},
		},
		{
			name: "a group that admits nothing splits nothing",
			spec: "{service: api, backends: [{service: v1, weight: 1}], matches: [{kind: HTTPRouteGroup, name: nothing}]}",
		},
		{
			name:  "matches on TCP",
			spec:  "{service: db, backends: [{service: db-next, weight: 1}], matches: [{kind: HTTPRouteGroup, name: canary}]}",
			want:  "s shop/db [* .* x-canary=true]: db-next 1",
			found: []string{"FSM2210 s spec.matches"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			checkSplits(t, read(t, splitRoutes, split("s", test.spec, "")), want, append(slices.Clone(splitRouteFindings), test.found...))
		})
	}
}

func TestWeightsMustSumToWhatEnvoyTakes(t *testing.T) {
	backends := strings.Repeat("{service: v1, weight: 10000000}, ", 430)
	checkSplits(t, read(t, split("s", "{service: api, backends: ["+backends+"]}", "")), nil, []string{"FSM2205 s spec.backends"})
}

func TestForeignBackendIsAnError(t *testing.T) {
	notes := checkSplits(t, read(t, split("s", "{service: api, backends: [{service: v1, weight: 1}, {service: api.back, weight: 1}]}", "")),
		[]string{"s shop/api [all]: v1 1"}, []string{"FSM2202 s spec.backends[1].service"})
	if notes[0].Level != model.Error {
		t.Errorf("its level is %s", notes[0].Level)
	}
}

func TestBackendSuggestions(t *testing.T) {
	notes := checkSplits(t, read(t, split("s", "{service: apy, backends: []}", ""), split("t", "{service: api, backends: [{service: v22, weight: 1}]}", "")),
		[]string{"t shop/api [all]: "}, []string{"FSM2201 s spec.service", "FSM2202 t spec.backends[0].service", "FSM2204 t spec.backends"})
	if notes[0].Fix != "did you mean api?" || notes[1].Fix != "did you mean v2?" {
		t.Errorf("fixes are %q and %q", notes[0].Fix, notes[1].Fix)
	}
}

func TestSplitsOfOneRoot(t *testing.T) {
	all := "{service: api, backends: [{service: v1, weight: 1}]}"
	matching := func(group string) string {
		return "{service: api.shop, backends: [{service: v1, weight: 1}], matches: [{kind: HTTPRouteGroup, name: " + group + "}]}"
	}
	const older, younger = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"
	const every, canary, next = "shop/api [all]: v1 1", "shop/api [* .* x-canary=true]: v1 1", "shop/api [* /next/.*]: v1 1"
	tests := []struct {
		name   string
		splits []string
		want   []string
		found  []string
		ageing bool
	}{
		{
			name:   "with matches before the one without",
			splits: []string{split("a", all, older), split("b", matching("canary"), ""), split("c", matching("next"), younger)},
			want:   []string{"c " + next, "b " + canary, "a " + every},
		},
		{
			name:   "without an age, by name",
			splits: []string{split("a", matching("next"), ""), split("b", matching("canary"), ""), split("c", all, "")},
			want:   []string{"a " + next, "b " + canary, "c " + every},
		},
		{
			name:   "two without matches: the older",
			splits: []string{split("a", all, younger), split("b", all, older)},
			want:   []string{"b " + every},
			found:  []string{"FSM2206 a spec.service"},
		},
		{
			name:   "two without matches: one without an age is the younger",
			splits: []string{split("a", all, ""), split("b", all, older)},
			want:   []string{"b " + every},
			found:  []string{"FSM2206 a spec.service"},
			ageing: true,
		},
		{
			name:   "two without matches and age: the first by name",
			splits: []string{split("b", all, ""), split("a", all, ""), split("c", all, "")},
			want:   []string{"a " + every},
			found:  []string{"FSM2206 b spec.service", "FSM2206 c spec.service"},
			ageing: true,
		},
		{
			name:   "the same matches",
			splits: []string{split("a", matching("canary"), younger), split("b", matching("canary"), older), split("c", all, "")},
			want:   []string{"b " + canary, "c " + every},
			found:  []string{"FSM2206 a spec.service"},
		},
		{
			name:   "one that splits nothing is no rival",
			splits: []string{split("a", matching("nothing"), older), split("b", matching("nothing"), ""), split("c", all, "")},
			want:   []string{"c " + every},
		},
		{
			name:   "one that refuses is a rival",
			splits: []string{split("a", "{service: api, backends: []}", ""), split("b", all, "")},
			want:   []string{"a shop/api [all]: "},
			found:  []string{"FSM2206 b spec.service", "FSM2212 a spec.backends"},
			ageing: true,
		},
		{
			name:   "other roots have nothing to do with it",
			splits: []string{split("a", "{service: v2, backends: [{service: v1, weight: 1}]}", ""), split("b", all, "")},
			want:   []string{"b " + every, "a shop/v2 [all]: v1 1"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				notes := checkSplits(t, read(t, append([]string{splitRoutes}, test.splits...)...), test.want, append(slices.Clone(splitRouteFindings), test.found...))
				for _, d := range notes {
					if d.Code == model.SplitConflict && strings.Contains(d.Instead, "a cluster keeps") != test.ageing {
						t.Errorf("what is said of ages: %s", d.Instead)
					}
				}
				slices.Reverse(test.splits)
			}
		})
	}
}

func TestSplitsOutsideTheMesh(t *testing.T) {
	checkSplits(t, read(t, `
apiVersion: split.smi-spec.io/v1alpha2
kind: TrafficSplit
metadata: {name: s, namespace: outside}
spec: {service: x, backends: []}`), nil, nil)
}

func TestNamespacesOutsideTheMeshAreKnown(t *testing.T) {
	checkSplits(t, read(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: outside}", split("s", "{service: api.outside, backends: []}", "")),
		nil, []string{"FSM2207 s spec.service"})
}

func TestInvalidServicesAreNotMissing(t *testing.T) {
	objects := read(t, split("s", "{service: web, backends: []}", ""))
	objects.Broken = []model.Ref{{Kind: "Service", Namespace: "shop", Name: "web"}}
	notes := checkSplits(t, objects, nil, []string{"FSM2201 s spec.service"})
	if notes[0].Message != "service web is invalid" {
		t.Errorf("it says %q", notes[0].Message)
	}
}

func TestQuantitiesStayInProportion(t *testing.T) {
	checkSplits(t, read(t, `
apiVersion: split.smi-spec.io/v1alpha1
kind: TrafficSplit
metadata: {name: s, namespace: shop}
spec: {service: db, backends: [{service: db, weight: 1}, {service: db-next, weight: 500m}]}`),
		[]string{"s shop/db [all]: db 1000, db-next 500"}, []string{"FSM2209 s spec.backends[0].service"})
}
