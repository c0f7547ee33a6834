package sources

import (
	"fmt"
	"testing"

	"github.com/flomesh-io/fsmc/model"
)

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
