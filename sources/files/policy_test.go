package files

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPolicy says for policies of SMI what is read, and what costs the object rather than widening access.
func TestPolicy(t *testing.T) {
	tests := []struct {
		name, version, kind, text string
		want                      []string
	}{
		{"v1alpha1 has its fields at the top", "access.smi-spec.io/v1alpha1", "TrafficTarget", "destination: {kind: ServiceAccount, name: a, port: 80}\nsources: []\nspecs: [{kind: TCPRoute, name: r}]\n", nil},
		{"v1alpha1 with spec", "access.smi-spec.io/v1alpha1", "TrafficTarget", "spec: {sources: []}\n", []string{"in.yaml:4:1 error FSM1008 TrafficTarget default/a spec"}},
		{"v1alpha1 with rules", "access.smi-spec.io/v1alpha1", "TrafficTarget", "rules: [{kind: TCPRoute, name: r}]\n", []string{"in.yaml:4:1 error FSM1008 TrafficTarget default/a rules"}},
		{"v1alpha2 with specs", "access.smi-spec.io/v1alpha2", "TrafficTarget", "spec: {specs: [{kind: TCPRoute, name: r}]}\n", []string{"in.yaml:4:8 error FSM1008 TrafficTarget default/a spec.specs"}},
		{"v1alpha2 with sources at the top", "access.smi-spec.io/v1alpha2", "TrafficTarget", "sources: [{kind: ServiceAccount, name: s}]\n", []string{"in.yaml:4:1 error FSM1008 TrafficTarget default/a sources"}},
		{"v1alpha2 with a port", "access.smi-spec.io/v1alpha2", "TrafficTarget", "spec: {destination: {port: 80}}\n", nil},
		{"v1alpha2 with a port in quotes", "access.smi-spec.io/v1alpha2", "TrafficTarget", "spec: {destination: {port: \"80\"}}\n", []string{"in.yaml:4:28 error FSM1002 TrafficTarget default/a spec.destination.port"}},
		{"v1alpha3 with a port", "access.smi-spec.io/v1alpha3", "TrafficTarget", "spec: {destination: {port: 80}}\n", []string{"in.yaml:4:22 error FSM1008 TrafficTarget default/a spec.destination.port"}},
		{"v1alpha3 with a misspelt restriction", "access.smi-spec.io/v1alpha3", "TrafficTarget", "spec: {rules: [{kind: HTTPRouteGroup, name: g, match: [m]}]}\n", []string{"in.yaml:4:48 error FSM1003 TrafficTarget default/a spec.rules[0].match"}},
		{"a field of nothing", "access.smi-spec.io/v1alpha3", "TrafficTarget", "spec: {colour: blue}\n", []string{"in.yaml:4:8 error FSM1003 TrafficTarget default/a spec.colour"}},
		{"a misplaced field that says nothing", "access.smi-spec.io/v1alpha3", "TrafficTarget", "sources: []\nrules: null\n", []string{"in.yaml:4:1 warning FSM1003 TrafficTarget default/a sources", "in.yaml:5:1 warning FSM1003 TrafficTarget default/a rules"}},
		{"metadata and status restrict nothing", "access.smi-spec.io/v1alpha3", "TrafficTarget", "status: {phase: x}\n", []string{"in.yaml:4:1 warning FSM1003 TrafficTarget default/a status"}},

		{"v1alpha2 group", "specs.smi-spec.io/v1alpha2", "HTTPRouteGroup", "matches: [{name: m, headers: [{x: a}]}]\n", nil},
		{"v1alpha1 group with headers", "specs.smi-spec.io/v1alpha1", "HTTPRouteGroup", "matches: [{name: m, headers: {x: a}}]\n", []string{"in.yaml:4:21 error FSM1008 HTTPRouteGroup default/a matches[0].headers"}},
		{"v1alpha2 group with spec", "specs.smi-spec.io/v1alpha2", "HTTPRouteGroup", "spec: {matches: [{name: m}]}\n", []string{"in.yaml:4:1 error FSM1008 HTTPRouteGroup default/a spec"}},
		{"v1alpha4 group with matches at the top", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "matches: [{name: m}]\n", []string{"in.yaml:4:1 error FSM1008 HTTPRouteGroup default/a matches"}},
		{"v1alpha4 group with a misspelt path", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{name: m, pathregex: /a}]}\n", []string{"in.yaml:4:28 error FSM1003 HTTPRouteGroup default/a spec.matches[0].pathregex"}},
		{"headers as one mapping", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: {x: a, y: b}}]}\n", nil},
		{"headers as a list of mappings", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: [{x: a, y: b}, {}, {z: c}]}]}\n", nil},
		{"headers as nothing", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: }]}\n", nil},
		{"headers as a list of strings", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: [x]}]}\n", []string{"in.yaml:4:19 error FSM1002 HTTPRouteGroup default/a spec.matches[0].headers"}},
		{"headers as a string", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: x}]}\n", []string{"in.yaml:4:28 error FSM1002 HTTPRouteGroup default/a spec.matches[0].headers"}},
		{"a header that is no string", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: {x: 1}}]}\n", []string{"in.yaml:4:32 error FSM1002 HTTPRouteGroup default/a spec.matches[0].headers"}},
		{"a header in two spellings", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: {x: a, X: b}}]}\n", []string{"in.yaml:4:35 error FSM2106 HTTPRouteGroup default/a spec.matches[0].headers"}},
		{"a header in two elements", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: [{x: a}, {x: b}]}]}\n", []string{"in.yaml:4:38 error FSM2106 HTTPRouteGroup default/a spec.matches[0].headers"}},
		{"a header in two matches", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: {x: a}}, {headers: {x: b}}]}\n", nil},
		{"another mistake beside headers", "specs.smi-spec.io/v1alpha4", "HTTPRouteGroup", "spec: {matches: [{headers: {x: a}, methods: GET}]}\n", []string{"in.yaml:4:45 error FSM1002 HTTPRouteGroup default/a spec.matches[0].methods"}},

		{"v1alpha3 route with ports", "specs.smi-spec.io/v1alpha3", "TCPRoute", "spec: {matches: {ports: [80]}}\n", []string{"in.yaml:4:8 error FSM1008 TCPRoute default/a spec.matches"}},
		{"v1alpha2 route with an empty spec", "specs.smi-spec.io/v1alpha2", "TCPRoute", "spec: {}\n", []string{"in.yaml:4:1 warning FSM1003 TCPRoute default/a spec"}},
		{"v1alpha4 route with ports at the top", "specs.smi-spec.io/v1alpha4", "TCPRoute", "spec: {ports: [80]}\n", []string{"in.yaml:4:8 error FSM1008 TCPRoute default/a spec.ports"}},
		{"v1alpha4 route with a misspelt port", "specs.smi-spec.io/v1alpha4", "TCPRoute", "spec: {matches: {port: [80]}}\n", []string{"in.yaml:4:18 error FSM1003 TCPRoute default/a spec.matches.port"}},

		{"v1alpha1 weights", "split.smi-spec.io/v1alpha1", "TrafficSplit", "spec: {service: s, backends: [{service: b, weight: 500m}, {service: c, weight: 1}]}\n", nil},
		{"v1alpha1 without a weight", "split.smi-spec.io/v1alpha1", "TrafficSplit", "spec: {backends: [{service: b}]}\n", []string{"in.yaml:4:19 error FSM2205 TrafficSplit default/a spec.backends[0]"}},
		{"v1alpha1 with a word for a weight", "split.smi-spec.io/v1alpha1", "TrafficSplit", "spec: {backends: [{weight: heavy}]}\n", []string{"in.yaml:4:28 error FSM1002 TrafficSplit default/a spec.backends[0].weight"}},
		{"v1alpha2 weights", "split.smi-spec.io/v1alpha2", "TrafficSplit", "spec: {service: s, backends: [{service: b, weight: 50.0}, {service: c, weight: 0}]}\n", nil},
		{"v1alpha2 with half a weight", "split.smi-spec.io/v1alpha2", "TrafficSplit", "spec: {backends: [{weight: 0.5}]}\n", []string{"in.yaml:4:28 error FSM2205 TrafficSplit default/a spec.backends[0].weight"}},
		{"v1alpha2 with a weight in quotes, and without", "split.smi-spec.io/v1alpha2", "TrafficSplit", "spec: {backends: [{weight: \"5\"}, {service: b}, {weight: }]}\n", []string{"in.yaml:4:34 error FSM2205 TrafficSplit default/a spec.backends[1]", "in.yaml:4:28 error FSM2205 TrafficSplit default/a spec.backends[0].weight", "in.yaml:4:48 error FSM2205 TrafficSplit default/a spec.backends[2]"}},
		{"v1alpha2 with matches", "split.smi-spec.io/v1alpha2", "TrafficSplit", "spec: {matches: [{kind: HTTPRouteGroup, name: g}]}\n", []string{"in.yaml:4:8 error FSM1008 TrafficSplit default/a spec.matches"}},
		{"v1alpha4 with a backend that is no mapping", "split.smi-spec.io/v1alpha4", "TrafficSplit", "spec: {backends: [b]}\n", []string{"in.yaml:4:19 error FSM1002 TrafficSplit default/a spec.backends[0]"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := "apiVersion: " + test.version + "\nkind: " + test.kind + "\nmetadata: {name: a}\n" + test.text
			r := ReadBytes("in.yaml", []byte(text))
			if diff := cmp.Diff(sortedStrings(test.want), sortedStrings(places(r.Diagnostics))); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s%s", diff, spelled(r.Diagnostics))
			}
			lost := false
			for _, d := range r.Diagnostics {
				lost = lost || d.Level == "error"
			}
			if got := len(r.Objects.Broken) > 0; got != lost || len(refs(r.Objects)) == 1 == lost {
				t.Errorf("broken %v, read %v", r.Objects.Broken, refs(r.Objects))
			}
		})
	}
}

// TestHeaders says what becomes of the ways to write headers.
func TestHeaders(t *testing.T) {
	want := map[string]string{"x-a": ".*", "x-b": "b\"c"}
	for _, headers := range []string{
		`{x-a: ".*", x-b: 'b"c'}`, `[{x-a: ".*"}, {x-b: 'b"c'}]`, `[{x-a: ".*", x-b: 'b"c'}]`,
	} {
		for _, version := range []string{"v1alpha3", "v1alpha4"} {
			r := ReadBytes("in.yaml", []byte("apiVersion: specs.smi-spec.io/"+version+"\nkind: HTTPRouteGroup\nmetadata: {name: a}\n"+
				"spec: {matches: [{name: m, headers: "+headers+", methods: [GET]}]}\n"))
			if len(r.Objects.HTTPRouteGroups) != 1 {
				t.Fatalf("%s: %v", headers, spelled(r.Diagnostics))
			}
			match := r.Objects.HTTPRouteGroups[0].Spec.Matches[0]
			if diff := cmp.Diff(want, map[string]string(match.Headers)); diff != "" || match.Methods[0] != "GET" {
				t.Errorf("%s (-want +got):\n%s", headers, diff)
			}
		}
	}
}
