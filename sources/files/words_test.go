package files

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWords says how some diagnostics are put: message; what is done instead; how to mend it.
func TestWords(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{
			"a field that is spelled nearly right",
			"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selecter: {a: b}}\n",
			"spec has no field selecter; the field is passed over; did you mean selector?",
		},
		{
			"a field with two letters swapped",
			"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}\n",
			"spec has no field prots; the field is passed over; did you mean ports?",
		},
		{
			"a field at the wrong place",
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\ncontainers: []\n",
			"Deployment of apps/v1 has no field containers; the field is passed over; containers stands at spec.template.spec.containers",
		},
		{
			"a field of nothing",
			"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {colour: blue}\n",
			"spec has no field colour; the field is passed over; ",
		},
		{
			"a policy of another version",
			"apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: a}\nmatches: [{name: m}]\n",
			"HTTPRouteGroup of specs.smi-spec.io/v1alpha4 has no field matches; the object is left out; in this version matches stands at spec.matches",
		},
		{
			"a policy of an older version",
			"apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: a}\nspec: {destination: {port: 80}}\n",
			"TrafficTarget of access.smi-spec.io/v1alpha3 has no field spec.destination.port; the object is left out; v1alpha2 has it at spec.destination.port: change apiVersion, or say it as this version does",
		},
		{
			"a policy of a newer version",
			"apiVersion: access.smi-spec.io/v1alpha1\nkind: TrafficTarget\nmetadata: {name: a}\nrules: [{name: r}]\n",
			"TrafficTarget of access.smi-spec.io/v1alpha1 has no field rules; the object is left out; v1alpha2 has it at spec.rules: change apiVersion, or say it as this version does",
		},
		{
			"a misspelt field of a policy",
			"apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: a}\nspec: {source: [{name: r}]}\n",
			"TrafficTarget of access.smi-spec.io/v1alpha3 has no field spec.source; the object is left out; did you mean sources?",
		},
		{
			"a field of no policy",
			"apiVersion: access.smi-spec.io/v1alpha3\nkind: TrafficTarget\nmetadata: {name: a}\nspec: {colour: blue}\n",
			"TrafficTarget of access.smi-spec.io/v1alpha3 has no field spec.colour; the object is left out; remove it, or check apiVersion",
		},
		{
			"a number where a string belongs",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {version: 1.10}}\n",
			"version must be a string, not the number 1.1; the object is left out; write it in quotes",
		},
		{
			"a string where a number belongs",
			"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec: {replicas: \"3\"}\n",
			"replicas must be a whole number, not the string \"3\"; the object is left out; write it without quotes",
		},
		{
			"a number that is too big",
			"apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: a}\nspec: {replicas: 3000000000}\n",
			"replicas must be a whole number of 32 bits, not the number 3000000000; the object is left out; ",
		},
		{
			"a mapping where a long list belongs",
			"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: {port: 80}}\n",
			"ports must be a list, not a mapping; the object is left out; ",
		},
		{
			"a template",
			"apiVersion: v1\nkind: Service\nmetadata: \n  name: {{ .Values.name }}-x\n",
			"the text is not valid YAML: did not find expected key; the document is left out; this looks like a template; render it first, for instance with `helm template`",
		},
		{
			"a tab",
			"apiVersion: v1\nkind: Service\nmetadata:\n\tname: a\n",
			"the text is not valid YAML: found character that cannot start any token; the document is left out; indent with spaces; YAML does not take tabs",
		},
		{
			"a template that happens to be YAML",
			"apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Values.name }}\n",
			"name must be a string, not a mapping; the object is left out; \na key is not a string; is this a template that was not rendered?; the object is left out; ",
		},
		{
			"an object that is written twice",
			"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
			"Pod default/a is also written at in.yaml:1; the one there counts; this one is left out; ",
		},
		{
			"a key that is written twice",
			"# c\napiVersion: v1\nkind: Pod\nmetadata: {name: a, name: b}\n",
			"\"name\" is written twice in one mapping, first on line 4; the object is left out; ",
		},
		{
			"kinds that are not used",
			"apiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret\n",
			"the mesh does not use 1 ConfigMap (v1), 2 Secret (v1); they are passed over; ",
		},
		{
			"a version that is not read",
			"apiVersion: access.smi-spec.io/v1beta1\nkind: TrafficTarget\nmetadata: {name: a}\n",
			"TrafficTarget of access.smi-spec.io/v1beta1 is not read; it has no effect; write it as access.smi-spec.io/v1alpha1, access.smi-spec.io/v1alpha2, access.smi-spec.io/v1alpha3",
		},
		{
			"nothing to tell what it is by",
			"a: b\n",
			"the document has no apiVersion and no kind; the document is left out; ",
		},
		{
			"no name",
			"apiVersion: v1\nkind: Pod\n",
			"the Pod has no metadata.name; the object is left out; ",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, spelled(ReadBytes("in.yaml", []byte(test.text)).Diagnostics)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func sortedStrings(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
