package files

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// TestLongList reads lists that are cut into items before they are parsed, and some that look alike and are not cut.
func TestLongList(t *testing.T) {
	tests := []struct {
		name, head, tail string
		cut              bool
		want             []string
	}{
		{"as kubectl prints it", "apiVersion: v1\nitems:\n", "kind: PodList\nmetadata:\n  resourceVersion: \"\"\n", true, nil},
		{"with the kind first", "apiVersion: v1\nkind: PodList\nitems: \n# pods\n\n", "# end\n", true, nil},
		{"with a mistake in an item", "apiVersion: v1\nkind: PodList\nitems:\n", "- metadata: {name: b, name: c}\n  spec:\n    nodeName: x\n", true, []string{"in.yaml:1804:23 error FSM1005 Pod default/b metadata.name"}},
		{"with a syntax error in an item", "apiVersion: v1\nkind: PodList\nitems:\n", "- metadata: {name: b}\n  x: [\n- metadata: {name: c}\n", true, []string{"in.yaml:1805:3 error FSM1001 Pod default/b"}},
		{"with items that are written twice", "apiVersion: v1\nkind: PodList\nitems:\n", "metadata: {}\nitems:\n- metadata: {name: b}\n", false, nil},
		{"with an alias", "apiVersion: v1\nkind: PodList\nitems:\n", "- metadata: {name: &b b, labels: {x: *b}}\n", false, nil},
		{"with an indented list", "apiVersion: v1\nkind: PodList\nitems:\n  - metadata: {name: b}\n", "", false, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := test.head + manyPods(600) + test.tail
			if documents := documentsOf(newText("in.yaml", []byte(text))); (len(documents) > 1) != test.cut {
				t.Fatalf("%d documents", len(documents))
			}
			if !test.cut {
				return
			}
			r := ReadBytes("in.yaml", []byte(text))
			if diff := cmp.Diff(test.want, places(r.Diagnostics)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
			if pods := len(r.Objects.Pods); pods < 600 || r.Documents != 1 {
				t.Errorf("%d pods in %d documents", pods, r.Documents)
			}
			d := model.Note(model.WrongType, model.Ref{Kind: "Pod", Namespace: "default", Name: "a-599"}, "m")
			line := strings.Count(text[:strings.Index(text, "a-599")], "\n") + 1
			if p := r.Positions.Locate([]model.Diagnostic{d})[0].Position; p.Line != line || p.Column != 3 {
				t.Errorf("the last pod is at %v, not in line %d", p, line)
			}
		})
	}
}

// manyPods is three lines for each pod.
func manyPods(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "- metadata: {name: a-%d, annotations: {long: %s}}\n  spec:\n    nodeName: %s\n", i, strings.Repeat("x", 2000), strings.Repeat("z", 20))
	}
	return text.String()
}
