package sources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

func TestWhatAGroupAccepts(t *testing.T) {
	tests := []struct {
		name    string
		matches string
		want    []string
		found   []string
	}{
		{
			name:    "path, methods and headers",
			matches: "- {name: a, pathRegex: /a.*, methods: [PUT, GET, GET], headers: [{X-B: b.*}, {a: x}]}",
			want:    []string{"GET,PUT /a.* a=x x-b=b.*"},
		},
		{
			name:    "no path is any path, no methods are all",
			matches: "- {name: a, headers: [{a: x}]}",
			want:    []string{"* .* a=x"},
		},
		{
			name:    "a name alone is every request",
			matches: "- {name: a}",
			want:    []string{"* .*"},
		},
		{
			name:    "* among methods is all of them",
			matches: "- {name: a, pathRegex: /.*, methods: [GET, '*']}",
			want:    []string{"* /.*"},
		},
		{
			name:    "unknown methods are left out",
			matches: "- {name: a, pathRegex: /.*, methods: [get, GET, FETCH]}",
			want:    []string{"GET /.*"},
			found:   []string{"FSM2102 g spec.matches[0].methods[0]", "FSM2102 g spec.matches[0].methods[2]"},
		},
		{
			name:    "only unknown methods: none, not all",
			matches: "- {name: a, pathRegex: /.*, methods: [get, '']}",
			found:   []string{"FSM2102 g spec.matches[0].methods[0]", "FSM2102 g spec.matches[0].methods[1]"},
		},
		{
			name:    "a bad path costs its match",
			matches: "- {name: a, pathRegex: '/(?=x)'}\n- {name: b, pathRegex: /b$}",
			want:    []string{"* /b$"},
			found:   []string{"FSM2101 g spec.matches[0].pathRegex"},
		},
		{
			name:    "a bad header costs its match, not itself",
			matches: "- {name: a, headers: [{good: x}, {bad: '('}]}",
			found:   []string{"FSM2101 g spec.matches[0].headers[bad]"},
		},
		{
			name:    "an empty expression for a header is nothing that can be meant",
			matches: "- {name: a, headers: [{x: ''}]}",
			found:   []string{"FSM2101 g spec.matches[0].headers[x]"},
		},
		{
			name:    "host is the authority",
			matches: "- {name: a, headers: [{Host: shop.*}]}\n- {name: b, headers: [{':authority': shop.*}]}",
			want:    []string{"* .* :authority=shop.*", "* .* :authority=shop.*"},
		},
		{
			name:    "headers that differ in case must both hold",
			matches: "- {name: a, headers: [{x-a: b.*}, {X-A: .*c}]}",
			want:    []string{"* .* x-a=.*c x-a=b.*"},
		},
		{
			name:    "names that no header can have",
			matches: "- {name: a, headers: [{':path': x}]}\n- {name: b, headers: [{'a b': x}]}\n- {name: c, headers: [{'': x}]}\n- {name: d, headers: [{'ä': x}]}",
			found: []string{
				"FSM2108 g spec.matches[0].headers[:path]", "FSM2108 g spec.matches[1].headers[a b]",
				"FSM2108 g spec.matches[2].headers[]", "FSM2108 g spec.matches[3].headers[ä]",
			},
		},
		{
			name:    "two matches of one name admit nothing",
			matches: "- {name: a, pathRegex: /a$}\n- {name: b, pathRegex: /b$}\n- {name: a, pathRegex: /c$}\n- {name: a, pathRegex: /d$}",
			want:    []string{"* /b$"},
			found:   []string{"FSM2103 g spec.matches[2].name", "FSM2103 g spec.matches[3].name"},
		},
		{
			name:    "matches without a name count in the whole group",
			matches: "- {pathRegex: /a$}\n- {pathRegex: /b$}",
			want:    []string{"* /a$", "* /b$"},
			found:   []string{"FSM2109 g spec.matches[0]", "FSM2109 g spec.matches[1]"},
		},
		{
			name:    "matching in full is told once",
			matches: "- {name: a, pathRegex: /a.*}\n- {name: b, pathRegex: /b}\n- {name: c, pathRegex: /}",
			want:    []string{"* /a.*", "* /b", "* /"},
			found:   []string{"FSM2105 g spec.matches[1].pathRegex"},
		},
		{
			name:  "an empty group accepts nothing",
			found: []string{"FSM2104 g spec.matches"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			objects := read(t, fmt.Sprintf(`
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: g, namespace: shop}
spec:
  matches:
  %s`, indented(test.matches)))
			group, notes := resolveGroup(objects.HTTPRouteGroups[0], expressions{})
			var got []string
			for _, m := range group.all {
				got = append(got, spelledMatch(m))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("matches (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.found, noted(notes)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			complete(t, notes)
		})
	}
}

func TestNamesOfAGroup(t *testing.T) {
	objects := read(t, `
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: g, namespace: shop}
spec:
  matches:
  - {name: good}
  - {name: bad, pathRegex: "("}
  - {name: twice}
  - {name: twice}
  - {pathRegex: /nameless$}`)
	group, _ := resolveGroup(objects.HTTPRouteGroups[0], expressions{})
	for _, test := range []struct {
		name    string
		known   bool
		matches int
	}{{"good", true, 1}, {"bad", true, 0}, {"twice", true, 0}, {"", false, 0}, {"other", false, 0}} {
		matches, known := group.byName[test.name]
		if known != test.known || len(matches) != test.matches {
			t.Errorf("%q: known %v with %d matches, want %v with %d", test.name, known, len(matches), test.known, test.matches)
		}
	}
	if diff := cmp.Diff([]string{"good", "bad", "twice"}, group.names); diff != "" {
		t.Error(diff)
	}
}

func TestFieldsOfGroupsInEachVersion(t *testing.T) {
	for version, want := range map[string]string{
		"v1alpha1": "matches[0].pathRegex", "v1alpha2": "matches[0].pathRegex",
		"v1alpha3": "spec.matches[0].pathRegex", "v1alpha4": "spec.matches[0].pathRegex",
	} {
		matches := "matches: [{name: a, pathRegex: '(', methods: [GET]}]"
		if strings.HasPrefix(want, "spec.") {
			matches = "spec: {" + matches + "}"
		}
		objects := read(t, fmt.Sprintf("apiVersion: specs.smi-spec.io/%s\nkind: HTTPRouteGroup\nmetadata: {name: g, namespace: shop}\n%s", version, matches))
		_, notes := resolveGroup(objects.HTTPRouteGroups[0], expressions{})
		if diff := cmp.Diff([]string{"FSM2101 g " + want}, noted(notes)); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
	}
}

func TestGroupsAreReportedOnce(t *testing.T) {
	objects := read(t, `
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: unused, namespace: shop}
spec: {matches: [{name: a, pathRegex: "("}]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: HTTPRouteGroup
metadata: {name: outside, namespace: elsewhere}
spec: {matches: [{name: a, pathRegex: "("}]}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: UDPRoute
metadata: {name: dns, namespace: shop}
spec: {matches: {ports: [53]}}
---
apiVersion: specs.smi-spec.io/v1alpha4
kind: UDPRoute
metadata: {name: dns, namespace: elsewhere}`)
	_, notes := freshRoutes(objects, shopTopology())
	if diff := cmp.Diff([]string{"FSM2101 unused spec.matches[0].pathRegex", "FSM2107 dns"}, noted(notes)); diff != "" {
		t.Error(diff)
	}
	complete(t, notes)
}

func TestRequestsAreASet(t *testing.T) {
	match := func(path string, headers []model.Header, methods ...string) model.Match {
		return model.Match{Path: path, Methods: model.ListOf(methods...), AnyMethod: len(methods) == 0, Headers: model.ListOf(headers...)}
	}
	header := []model.Header{{Name: "a", Value: "b"}}
	all := []model.Match{
		match("/b", nil), match("/a", nil, "PUT"), match("/a", header, "GET"), match("/a", nil, "GET", "PUT"),
		match("/a", nil, "GET"), match("/a", nil), match("/a", nil, "GET"), match("/a", header, "GET"),
	}
	want := "[* /a | GET /a | GET /a a=b | GET,PUT /a | PUT /a | * /b]"
	for range 2 {
		if got := spelledRequests(requests(all)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		slices.Reverse(all)
	}
	if got := requests(nil); !got.IsZero() {
		t.Errorf("no matches are %+v", got)
	}
}
