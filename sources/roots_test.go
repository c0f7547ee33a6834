package sources

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// rootManifest is a root of the provider tresor in the namespace of the control plane; spec is added to it.
func rootManifest(name, role string, spec ...string) string {
	return rootOf("fsm-system", name, role, append([]string{"provider: {tresor: {ca: {secretRef: {namespace: keys, name: " + name + "}}}}"}, spec...)...)
}

func rootOf(namespace, name, role string, spec ...string) string {
	if role != "" {
		spec = append(spec, "role: "+role)
	}
	return fmt.Sprintf("apiVersion: config.flomesh.io/v1alpha2\nkind: MeshRootCertificate\nmetadata: {name: %s, namespace: %s}\nspec:\n  %s",
		name, namespace, indented(strings.Join(spec, "\n")))
}

// older is a manifest of an object that is one of the first.
func older(manifest string) string {
	return strings.Replace(manifest, "metadata: {", "metadata: {creationTimestamp: '2020-01-01T00:00:00Z', ", 1)
}

func TestRoots(t *testing.T) {
	const own = "cluster.local"
	tests := []struct {
		name   string
		roots  []string
		broken []string
		// want are the roots, the one that signs with a star, and the trust domain.
		want  string
		found []string
	}{
		{name: "none is the control plane's own", want: own},
		{name: "one", roots: []string{rootManifest("a", "active")}, want: "a* " + own},
		{name: "one is replaced", roots: []string{rootManifest("b", "active"), rootManifest("a", "passive")}, want: "a b* " + own},
		{name: "an inactive one is left out", roots: []string{rootManifest("b", "active"), rootManifest("a", "inactive")}, want: "b* " + own},
		{name: "nobody looks at an inactive one", roots: []string{rootManifest("b", "active"), rootOf("fsm-system", "a", "inactive", "provider: {}")}, want: "b* " + own},
		{
			name: "all are inactive", roots: []string{rootManifest("b", "inactive"), rootManifest("a", "inactive")}, want: own,
			found: []string{"FSM3105 a spec.role"},
		},
		{name: "a role that is not written is active", roots: []string{rootManifest("a", "")}, want: "a* " + own, found: []string{"FSM3108 a spec.role"}},
		{
			name: "of two active the first by name signs", roots: []string{rootManifest("b", "active"), rootManifest("a", "active")}, want: "a* b " + own,
			found: []string{"FSM3104 b spec.role"},
		},
		{
			name: "of two active the older signs", roots: []string{older(rootManifest("b", "active")), rootManifest("a", "active")}, want: "a b* " + own,
			found: []string{"FSM3104 a spec.role"},
		},
		{
			name: "of two passive the older signs", roots: []string{rootManifest("a", "passive"), older(rootManifest("b", "passive"))}, want: "a b* " + own,
			found: []string{"FSM3105 b spec.role"},
		},
		{
			name: "three", roots: []string{rootManifest("c", "active"), rootManifest("b", "passive"), rootManifest("a", "passive")}, want: "a b c* " + own,
			found: []string{"FSM3106 c"},
		},
		{
			name: "the trust domain of the one that signs", roots: []string{rootManifest("a", "passive", "trustDomain: x.org"), rootManifest("b", "active", "trustDomain: y.org")},
			want: "a b* y.org", found: []string{"FSM3107 a spec.trustDomain"},
		},
		{
			name: "a trust domain that is none", roots: []string{rootManifest("a", "active", "trustDomain: spiffe://x.org")}, want: "a* " + own,
			found: []string{"FSM3107 a spec.trustDomain"},
		},
		{
			name: "a root that anybody could write", roots: []string{rootManifest("a", "active"), rootOf("shop", "b", "active", "provider: {tresor: {ca: {secretRef: {namespace: a, name: b}}}}")},
			want: "a* " + own, found: []string{"FSM3101 b"},
		},
		{
			name: "a provider that is not supported leaves the others", roots: []string{older(rootOf("fsm-system", "v", "active", "provider: {vault: {host: h}}")), rootManifest("a", "passive")},
			want: "a* " + own, found: []string{"FSM3103 v spec.provider.vault", "FSM3105 a spec.role"},
		},
		{
			name: "nobody signs in the place of one that cannot", roots: []string{rootOf("fsm-system", "v", "active", "trustDomain: x.org", "provider: {certManager: {issuerName: i}}")},
			want: "v* x.org", found: []string{"FSM3103 v spec.provider.certManager"},
		},
		{
			name: "no provider, and two", roots: []string{rootOf("fsm-system", "a", "active", "provider: {}"), rootOf("fsm-system", "b", "active", "provider: {vault: {}, tresor: {}}"), rootManifest("c", "active")},
			want: "c* " + own, found: []string{"FSM3102 a spec.provider", "FSM3102 b spec.provider"},
		},
		{
			name: "a Secret without a name", roots: []string{rootOf("fsm-system", "a", "active", "provider: {tresor: {}}"), rootOf("fsm-system", "b", "active", "provider: {tresor: {ca: {secretRef: {namespace: ../.., name: B}}}}")},
			want: "a* " + own,
			found: []string{
				"FSM3102 a spec.provider.tresor.ca.secretRef.name", "FSM3102 a spec.provider.tresor.ca.secretRef.namespace",
				"FSM3102 b spec.provider.tresor.ca.secretRef.name", "FSM3102 b spec.provider.tresor.ca.secretRef.namespace",
			},
		},
		{
			name: "a role that is none is neither active nor passive", roots: []string{rootManifest("a", "Active"), rootManifest("b", "passive")}, want: "b* " + own,
			found: []string{"FSM3102 a spec.role", "FSM3105 b spec.role"},
		},
		{name: "one that cannot be read", broken: []string{"a"}, want: "a* " + own, found: []string{"FSM3102 a"}},
		{
			name: "one that cannot be read, and others", roots: []string{rootManifest("a", "passive")}, broken: []string{"a", "b", "b"}, want: "a* " + own,
			found: []string{"FSM3102 b", "FSM3105 a spec.role"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				objects := read(t, test.roots...)
				for _, name := range test.broken {
					objects.Broken = append(objects.Broken, model.Ref{Kind: rootKind, Namespace: "fsm-system", Name: name, Field: "spec"})
				}
				roots, trustDomain, notes := resolveRoots(objects, model.Ref{})
				if diff := cmp.Diff(test.want, strings.Join(append(rootNames(roots), trustDomain), " ")); diff != "" {
					t.Errorf("roots (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(test.found, noted(notes)); diff != "" {
					t.Errorf("findings (-want +got):\n%s", diff)
				}
				complete(t, notes)
				slices.Reverse(test.roots)
			}
		})
	}
}

func rootNames(roots model.List[model.Root]) []string {
	var names []string
	for root := range roots.Values() {
		name := root.Name
		if root.Signs {
			name += "*"
		}
		names = append(names, name)
	}
	return names
}

func TestRootsCountWhereTheMeshConfigIs(t *testing.T) {
	objects := read(t, meshConfigManifest("fsm-mesh-config", "mesh", "{}"), rootManifest("a", "active"),
		rootOf("mesh", "b", "active", "provider: {tresor: {ca: {secretRef: {namespace: keys, name: x}}}}"))
	settings, notes := resolveSettings(objects)
	const want = `[{"name":"b","signs":true,"provider":"tresor","secretNamespace":"keys","secretName":"x","from":{"kind":"MeshRootCertificate","namespace":"mesh","name":"b"}}]`
	if diff := cmp.Diff(want, asJSON(t, settings.Roots)); diff != "" {
		t.Errorf("roots (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"FSM3101 a"}, noted(notes)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}
