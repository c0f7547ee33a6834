package files

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

const located = `# a comment
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Service
    metadata:
      name: a
      labels:
        app.kubernetes.io/name: x
        app: y
        "odd[0]": z
    spec:
      ports:
        - name: http
          port: 80
        - {name: grpc, port: 81}
      selector:
      clusterIP: None
---
{
  "apiVersion": "v1", "kind": "Namespace",
  "metadata": {"name": "é",
    "labels":
      {"x": "y"}}}
`

// TestLocate says where fields are found: at the value, if it is a scalar beside its key, else at the key; at what is
// around them if they are not written.
func TestLocate(t *testing.T) {
	yaml := ReadBytes("in.yaml", []byte(strings.Replace(located, "é", "b", 1)))
	json := ReadBytes("in.json", []byte(strings.Replace(located[strings.Index(located, "{\n"):], "é", "b", 1)))
	service, namespace := model.Ref{Kind: "Service", Namespace: "default", Name: "a"}, model.Ref{Kind: "Namespace", Name: "b"}
	tests := []struct {
		result Result
		at     model.Ref
		want   string
	}{
		{yaml, service, "5:5"},
		{yaml, service.At("kind"), "6:11"},
		{yaml, service.At("metadata"), "7:5"},
		{yaml, service.At("metadata.namespace"), "7:5"},
		{yaml, service.At("metadata.labels.app"), "11:14"},
		{yaml, service.At("metadata.labels.app.kubernetes.io/name"), "10:33"},
		{yaml, service.At("metadata.labels[app.kubernetes.io/name]"), "10:33"},
		{yaml, service.At(`metadata.labels["app.kubernetes.io/name"]`), "10:33"},
		{yaml, service.At("metadata.labels[odd[0]]"), "12:19"},
		{yaml, service.At("metadata.labels[missing]"), "9:7"},
		{yaml, service.At("spec.ports[0].port"), "16:17"},
		{yaml, service.At("spec.ports[1]"), "17:11"},
		{yaml, service.At("spec.ports[1].port"), "17:30"},
		{yaml, service.At("spec.ports[1].targetPort"), "17:11"},
		{yaml, service.At("spec.ports[2].port"), "14:7"},
		{yaml, service.At("spec.ports.name"), "14:7"},
		{yaml, service.At("spec.ports[x]"), "14:7"},
		{yaml, service.At("spec.selector"), "18:7"},
		{yaml, service.At("spec.selector.app"), "18:7"},
		{yaml, service.At("spec.clusterIP"), "19:18"},
		{yaml, service.At("spec.clusterIP.x"), "19:18"},
		{yaml, service.At("status"), "5:5"},
		{yaml, namespace, "21:1"},
		{yaml, namespace.At("metadata.labels.x"), "25:13"},
		{json, namespace, "1:1"},
		{json, namespace.At("metadata.name"), "3:24"},
		{json, namespace.At("metadata.labels"), "4:5"},
		{json, namespace.At("metadata.labels.x"), "5:13"},
		{yaml, model.Ref{Kind: "Service", Namespace: "default", Name: "b"}, "0:0"},
		{yaml, model.Ref{}, "0:0"},
	}
	for _, test := range tests {
		t.Run(test.at.String(), func(t *testing.T) {
			diagnostics := []model.Diagnostic{model.Note(model.WrongType, test.at, "m")}
			p := test.result.Positions.Locate(diagnostics)[0].Position
			if got := fmt.Sprintf("%d:%d", p.Line, p.Column); got != test.want {
				line, _ := test.result.Positions.Line(p.File, p.Line)
				t.Errorf("got %s, want %s; %s", got, test.want, line)
			}
			if diagnostics[0].Position != (model.Position{}) {
				t.Error("the argument was changed")
			}
		})
	}
}

// TestLocateKeeps says that a position that is known stays.
func TestLocateKeeps(t *testing.T) {
	r := ReadBytes("in.yaml", []byte(located))
	d := model.Note(model.WrongType, model.Ref{Kind: "Service", Namespace: "default", Name: "a"}, "m")
	d.Position = model.Position{File: "other.yaml", Line: 3}
	if diff := cmp.Diff([]model.Diagnostic{d}, r.Positions.Locate([]model.Diagnostic{d})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLine(t *testing.T) {
	r := ReadBytes("in.yaml", []byte("a: 1\r\nb: é\n\nc: 3"))
	tests := []struct {
		file string
		line int
		want string
		ok   bool
	}{
		{"in.yaml", 1, "a: 1", true}, {"in.yaml", 2, "b: é", true}, {"in.yaml", 3, "", true}, {"in.yaml", 4, "c: 3", true},
		{"in.yaml", 0, "", false}, {"in.yaml", 5, "", false}, {"other.yaml", 1, "", false},
	}
	for _, test := range tests {
		if got, ok := r.Positions.Line(test.file, test.line); got != test.want || ok != test.ok {
			t.Errorf("%s:%d: %q, %v", test.file, test.line, got, ok)
		}
	}
}

// TestAliasesAreBounded reads documents that would expand to more than any memory holds.
func TestAliasesAreBounded(t *testing.T) {
	laughs := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx:\n  a: &a [x, x, x, x, x, x, x, x, x]\n"
	merges := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx:\n  a: &a {}\n"
	long := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx:\n  a: &a " + strings.Repeat("x", 100_000) + "\n  b: [" + strings.Repeat("*a, ", 10_000) + "]\n"
	for c := 'b'; c < 'n'; c++ {
		laughs += fmt.Sprintf("  %c: &%c [%s]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9))
		merges += fmt.Sprintf("  %c: &%c {<<: [%s]}\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9))
	}
	keys := "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx:\n  a: &a {" + strings.Repeat("x", 1000) + ": y}\n  b: [" + strings.Repeat("*a, ", 100_000) + "]\n"
	tests := []struct{ name, text, want string }{
		{"lists of lists", laughs, "in.yaml:10:34 error FSM1009 Pod default/a x.f[6]"},
		{"merges of merges", merges, "in.yaml:12:47 error FSM1009 Pod default/a x.h"},
		{"a long string", long, ""},
		{"a long key", keys, ""},
		{"an alias of itself", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx: &a [*a, *a, *a]\n", "in.yaml:4:8 error FSM1009 Pod default/a x[0]"},
		{"a merge of itself", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nx: &a {<<: *a}\n", "in.yaml:4:12 error FSM1009 Pod default/a x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			r := ReadBytes("in.yaml", []byte(test.text))
			if len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != model.ManyAliases || len(r.Objects.Broken) != 1 {
				t.Fatalf("%v %v", places(r.Diagnostics), r.Objects.Broken)
			}
			if got := places(r.Diagnostics)[0]; test.want != "" && got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestFewAliases says that honest use of aliases is no expansion.
func TestFewAliases(t *testing.T) {
	text := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: p, labels: &l {a: b, c: d, e: f}}\n"
	for i := range 500 {
		text += fmt.Sprintf("- apiVersion: v1\n  kind: Pod\n  metadata: {name: p-%d, labels: *l, annotations: {<<: *l}}\n", i)
	}
	if r := ReadBytes("in.yaml", []byte(text)); len(r.Diagnostics) != 0 || len(r.Objects.Pods) != 501 {
		t.Errorf("%d pods, %v", len(r.Objects.Pods), places(r.Diagnostics))
	}
}

// TestManyAlike says that one unknown field in many objects is told a few times, with how many there are.
func TestManyAlike(t *testing.T) {
	text := "apiVersion: v1\nkind: PodList\nitems:\n"
	for i := range 25 {
		text += fmt.Sprintf("- {metadata: {name: a-%d}, spec: {containers: [{nme: a}], hostname: {}}}\n", i)
	}
	r := ReadBytes("in.yaml", []byte(text))
	words := strings.Split(spelled(r.Diagnostics), "\n")
	if len(words) != 10+25 {
		t.Fatalf("%d diagnostics", len(words))
	}
	if want := "spec.containers[0] has no field nme, and 15 more objects write it; the field is passed over; did you mean name?"; !strings.Contains(spelled(r.Diagnostics), want) {
		t.Errorf("%s", spelled(r.Diagnostics))
	}
}
