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

// checkPermissions resolves objects in shopTopology and compares what is admitted and what is found.
func checkPermissions(t *testing.T, objects Objects, settings model.Settings, want, found []string) {
	t.Helper()
	topology := shopTopology()
	routes, routeNotes := freshRoutes(objects, topology)
	permissions, notes := freshPermissions(objects, settings, topology, routes)
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
	routes, _ := freshRoutes(objects, topology)
	permissions, notes := freshPermissions(objects, model.Settings{}, topology, routes)
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
	routes, _ := freshRoutes(objects, topology)
	_, notes := freshPermissions(objects, model.Settings{}, topology, routes)
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
