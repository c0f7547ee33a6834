package sources

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// shopTopology is a mesh for policies to speak of: namespaces shop and back, and in shop
//
//	server   HTTP on pod port 8080 (Service web, port 80) and TCP on 3306 (Service db, port 3306)
//	web      HTTP on pod port 8080 (Service web, port 80)
//	idle     no service
func shopTopology() topology {
	web := member("web", 80, 8080, model.HTTP)
	db := member("db", 3306, 3306, model.TCP)
	t := topology{
		namespaces: map[string]bool{"shop": true, "back": true},
		identities: map[model.Identity]bool{},
		served: &memberIndex{of: map[model.Identity][]model.Member{
			{Namespace: "shop", ServiceAccount: "server"}: {db, web},
			{Namespace: "shop", ServiceAccount: "web"}:    {web},
		}},
	}
	for _, account := range []string{"server", "web", "idle"} {
		identity := model.Identity{Namespace: "shop", ServiceAccount: account}
		t.identities[identity] = true
		t.served.identities = append(t.served.identities, identity)
	}
	return t
}

func member(service string, port, target uint16, protocol model.Protocol) model.Member {
	return model.Member{
		ServicePort: model.ServicePort{Service: model.ServiceID{Namespace: "shop", Name: service}, Port: port},
		Target:      target,
		Protocol:    protocol,
	}
}

// noted are diagnostics as a test writes them: the code's number, whose and which field it is about.
func noted(diagnostics []model.Diagnostic) []string {
	var lines []string
	for _, d := range model.SortDiagnostics(diagnostics) {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", d.Code, d.At.Name, d.At.Field)))
	}
	slices.Sort(lines)
	return lines
}

// complete checks that every diagnostic says where, what was done instead, and how to mend it.
func complete(t *testing.T, diagnostics []model.Diagnostic) {
	t.Helper()
	for _, d := range diagnostics {
		placed := d.At != model.Ref{} || d.Code == model.NoMeshConfig
		if d.Message == "" || d.Fix == "" || !placed || d.Code.Page().Title == "" {
			t.Errorf("incomplete: %+v", d)
		}
		if d.Instead == "" {
			t.Errorf("it is not said what was done instead: %+v", d)
		}
		if strings.HasSuffix(d.Message, ".") || strings.Contains(d.Message, "%!") || strings.Contains(d.Fix, "%!") || strings.Contains(d.Instead, "%!") {
			t.Errorf("badly written: %+v", d)
		}
	}
}

func spelled(p *model.Permission) string {
	var sources []string
	for s := range p.Sources.Values() {
		sources = append(sources, s.String())
	}
	text := fmt.Sprintf("%s → %s", strings.Join(sources, ","), p.Destination)
	if !p.HTTP.Ports.IsZero() {
		text += fmt.Sprintf(" http %s %s", spelledPorts(p.HTTP.Ports), spelledRequests(p.HTTP.Requests))
	}
	if !p.TCP.IsZero() {
		text += " tcp " + spelledPorts(p.TCP)
	}
	return text
}

func spelledPorts(set model.PortSet) string {
	if set.All {
		return "all"
	}
	return numbers(slices.Collect(set.Ports.Values()))
}

func spelledRequests(r model.Requests) string {
	if r.All {
		return "[all]"
	}
	var matches []string
	for m := range r.Matches.Values() {
		matches = append(matches, spelledMatch(m))
	}
	return "[" + strings.Join(matches, " | ") + "]"
}

func spelledMatch(m model.Match) string {
	methods := "*"
	if !m.AnyMethod {
		methods = strings.Join(slices.Collect(m.Methods.Values()), ",")
	}
	text := methods + " " + m.Path
	for h := range m.Headers.Values() {
		text += fmt.Sprintf(" %s=%s", h.Name, h.Value)
	}
	return text
}

// indented puts a text under a key of a manifest.
func indented(text string) string {
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ")
}

func TestPoliciesDoNotDependOnTheOrderOfTheInput(t *testing.T) {
	objects := read(t, shopRoutes, splitRoutes,
		oldTarget("v1alpha1", "8080", "[{kind: HTTPRouteGroup, name: reads}]"),
		strings.ReplaceAll(oldTarget("v1alpha2", "", "[{kind: TCPRoute, name: wbe}, {kind: HTTPRouteGroup, name: writes}]"), "name: t,", "name: u,"),
		strings.ReplaceAll(oldTarget("v1alpha2", "", "[{kind: TCPRoute, name: every}]"), "name: t,", "name: v,"),
		split("a", "{service: api, backends: [{service: v1, weight: 1}]}", ""),
		split("b", "{service: api, backends: [{service: v2, weight: 1}]}", ""),
		split("c", "{service: api, backends: [{service: v2, weight: 1}], matches: [{kind: HTTPRouteGroup, name: canary}]}", ""),
		meshConfigManifest("a", "a", "{}"), meshConfigManifest("b", "a", "{}"))
	random := rand.New(rand.NewPCG(1, 2))
	var first string
	for range 20 {
		got := everything(t, objects)
		if first == "" {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatal(diff)
		}
		random.Shuffle(len(objects.TrafficTargets), func(i, j int) {
			objects.TrafficTargets[i], objects.TrafficTargets[j] = objects.TrafficTargets[j], objects.TrafficTargets[i]
		})
		random.Shuffle(len(objects.HTTPRouteGroups), func(i, j int) {
			objects.HTTPRouteGroups[i], objects.HTTPRouteGroups[j] = objects.HTTPRouteGroups[j], objects.HTTPRouteGroups[i]
		})
		random.Shuffle(len(objects.TCPRoutes), func(i, j int) {
			objects.TCPRoutes[i], objects.TCPRoutes[j] = objects.TCPRoutes[j], objects.TCPRoutes[i]
		})
		random.Shuffle(len(objects.TrafficSplits), func(i, j int) {
			objects.TrafficSplits[i], objects.TrafficSplits[j] = objects.TrafficSplits[j], objects.TrafficSplits[i]
		})
		random.Shuffle(len(objects.MeshConfigs), func(i, j int) {
			objects.MeshConfigs[i], objects.MeshConfigs[j] = objects.MeshConfigs[j], objects.MeshConfigs[i]
		})
	}
}

// everything is what the policies of objects become, as text.
func everything(t *testing.T, objects Objects) string {
	t.Helper()
	topology := splitTopology()
	topology.served, topology.identities = shopTopology().served, shopTopology().identities
	settings, settingNotes := resolveSettings(objects)
	routes, routeNotes := freshRoutes(objects, topology)
	permissions, permissionNotes := freshPermissions(objects, settings, topology, routes)
	splits, splitNotes := freshSplits(objects, topology, routes)
	notes := model.SortDiagnostics(slices.Concat(settingNotes, routeNotes, permissionNotes, splitNotes))
	data, err := json.MarshalIndent([]any{settings, permissions, splits, notes}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
