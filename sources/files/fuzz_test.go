package files

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/flomesh-io/fsmc/model"
)

// FuzzRead reads anything. Nothing may make the reader fall over; every diagnostic points into the text; and what both this
// reader and kubectl's accept means the same to both.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"input.yaml", "input.json"} {
			checkPositions(t, ReadBytes(name, data))
		}
		sameAsKubectl(t, data)
	})
}

func checkPositions(t *testing.T, r Result) {
	t.Helper()
	for _, ref := range r.Objects.Broken {
		located := r.Positions.Locate([]model.Diagnostic{model.Note(model.WrongType, ref.At("spec.ports[0]"), "broken")})
		if located[0].Position.Line == 0 {
			t.Errorf("%s has no position", ref)
		}
	}
	for _, d := range r.Diagnostics {
		if d.Code == model.NoManifests {
			continue
		}
		if _, ok := r.Positions.Line(d.Position.File, d.Position.Line); !ok {
			t.Errorf("no line %d for %v", d.Position.Line, d)
		}
	}
}

func sameAsKubectl(t *testing.T, data []byte) {
	t.Helper()
	// A tag without a name makes kubectl read a quoted number as a number, which cannot be told apart here.
	if bytes.Contains(data, []byte("!")) || bytes.ContainsAny(data, "\r\u0085\u2028\u2029") {
		return
	}
	theirs, err := yaml.YAMLToJSON(data)
	if err != nil {
		return
	}
	documents := yamlDocuments(newText("input.yaml", data))
	if len(documents) != 1 {
		return
	}
	if documents[0].start > 0 && string(theirs) == "null" {
		return // a document without anything in it stands before this one, and they read the first
	}
	ours := documents[0].body()
	if ours.broken || len(ours.findings) > 0 {
		return
	}
	if diff := cmp.Diff(decoded(t, theirs), decoded(t, ours.json)); diff != "" {
		t.Errorf("kubectl reads otherwise (-theirs +ours):\n%s", diff)
	}
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

var seeds = []string{
	"",
	"\ufeffa: 1\n",
	"kind: List\napiVersion: v1\nitems:\n- kind: Pod\n  apiVersion: v1\n  metadata: {name: a}\n",
	"a: &a [1, 2]\nb: *a\nc: {<<: {x: 1}, y: 2}\n",
	"a: &a {b: c}\nd:\n  <<: [*a, {b: d, e: f}]\n  g: h\n",
	"&a [*a]",
	"&a {<<: *a}",
	"a: |\n  text\n  ---\nb: >-\n  folded\n  text\n",
	"a: 'it''s'\nb: \"\\u00e9\\n\\x41\"\nc: plain # comment\n",
	"%YAML 1.1\n---\na: 1\n...\n---\nb: 2\n",
	"- y\n- no\n- 010\n- 0x10\n- 1_000\n- 1e3\n- .5\n- ~\n- 2001-01-01\n- 190:20:30\n- +1\n- -.inf\n- .nan\n- 0o7\n- 0b11\n",
	"{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"a\"}, \"spec\": {\"ports\": [{\"port\": 80}]}}",
	"{\"a\": [1, {\"b\": null}], \"a\": 2}\n{\"c\": 1}",
	"apiVersion: specs.smi-spec.io/v1alpha4\nkind: HTTPRouteGroup\nmetadata: {name: g}\nspec:\n  matches:\n  - name: m\n    headers: {a: b, A: c}\n",
	"apiVersion: split.smi-spec.io/v1alpha2\nkind: TrafficSplit\nmetadata: {name: s}\nspec: {service: a, backends: [{service: b, weight: 0.5}, {service: c}]}\n",
	"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {port: [], selecter: {a: 1}}\n",
	"a:\n\tb: 1\n",
	"{{ .Values.x }}",
	"? [a]\n: b\n? c\n: d\n",
	"---\n--- 0",
}
