package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/tests/shapes"
)

// short is the smallest mesh of each shape.
const short = 100

// TestShort runs everything that the benchmark runs, once and on small meshes, so that it cannot rot.
func TestShort(t *testing.T) {
	for _, shape := range shapes.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			in := newInput(shape.Make(short), 2)
			pipeline(in.manifests)
			r, err := measure(in, effort{least: 1, most: 1}, "")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("\n%s\n%s", header(), r)
			if r.Services != short || r.Classes == 0 || r.Resources == 0 || r.Ratio == 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestShortReplicas shows that the work grows with the classes of a mesh and not with its replicas.
func TestShortReplicas(t *testing.T) {
	for _, shape := range shapes.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			r := checkReplicas(shape.Make(20))
			t.Log(r)
			if err := r.fault(); err != nil {
				t.Error(err)
			}
			if r.One.Views == 0 || r.One.Bytes == 0 || r.Ready.Bytes <= r.One.Bytes {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestShortResults shows how meshes are chosen by name, and that what is kept of a run can be read again.
func TestShortResults(t *testing.T) {
	for expression, want := range map[string]int{"^star/100$": 1, "star": 3, ".": 9, "/3000": 3} {
		if list, err := graphs(expression); err != nil || len(list) != want {
			t.Errorf("%s chooses %d meshes, not %d; %v", expression, len(list), want, err)
		}
	}
	for _, expression := range []string{"ring", "("} {
		if _, err := graphs(expression); err == nil {
			t.Errorf("%s is no error", expression)
		}
	}
	path := filepath.Join(t.TempDir(), "results", "some.json")
	want := results{CPUs: 2, Rows: []row{{Mesh: "star/100", Ratio: 1.5}}}
	if err := want.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	var got results
	if err != nil || json.Unmarshal(text, &got) != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
