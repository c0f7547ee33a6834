package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/sources"
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

// TestShortEdits makes every kind of edit some times, and shows that what an edit touches is not everything.
func TestShortEdits(t *testing.T) {
	for _, shape := range shapes.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			r, err := measureEdits(shape.Make(short), 2, effort{least: 4, most: 1}, "")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("\n%s\n%s", editHeader(), r)
			for _, e := range r.Edits {
				changes := map[string]bool{"endpoint": true, "address": true, "policy": true, "requests": true, "limit": false, "egress": true}[e.Edit]
				all := e.Edit == "egress"
				if changes != (e.Classes > 0) || all != (e.Classes == r.Classes) {
					t.Errorf("%s changes %d of %d classes", e.Edit, e.Classes, r.Classes)
				}
			}
		})
	}
}

// TestShortOffline runs the command line on small inputs of every kind.
func TestShortOffline(t *testing.T) {
	for _, c := range offlineCases() {
		t.Run(c.name, func(t *testing.T) {
			c.objects = func() sources.Objects { return shapes.PowerLaw(20).Dump(1, 1) }
			dir := t.TempDir()
			if err := c.prepare(dir); err != nil {
				t.Fatal(err)
			}
			r, err := c.measure(dir, 1)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(r)
			if r.Objects == 0 || r.Bytes == 0 || (c.args == nil) != (r.Files > 0) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestShortResults shows how benchmarks are chosen by name, and that what is kept of a run can be read again.
func TestShortResults(t *testing.T) {
	for expression, want := range map[string]int{"compile/star/100$": 1, "/star/1": 4, "edit/": 9, "^replicas": 3} {
		list, err := chosen(expression)
		n := 0
		for _, f := range list {
			n += len(f.members)
		}
		if err != nil || n != want {
			t.Errorf("%s chooses %d benchmarks, not %d; %v", expression, n, want, err)
		}
	}
	for _, expression := range []string{"ring", "("} {
		if _, err := chosen(expression); err == nil {
			t.Errorf("%s is no error", expression)
		}
	}
	folder := filepath.Join(t.TempDir(), "results")
	want := row{Mesh: "star/100", Ratio: 1.5}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if err := keep(folder, "compile", result{Date: "2030-01-01", Command: "make bench", Rows: []json.RawMessage{text}}); err != nil {
		t.Fatal(err)
	}
	r, rows, ok, err := kept[row](folder, "compile")
	if err != nil || !ok || r.Date != "2030-01-01" || r.Commit == "" || r.Machine.Go == "" {
		t.Errorf("%v, %t, %+v", err, ok, r)
	}
	if diff := cmp.Diff([]row{want}, rows); diff != "" {
		t.Error(diff)
	}
	if _, _, ok, err := kept[row](folder, "edit"); ok || err != nil {
		t.Errorf("what was not kept: %t, %v", ok, err)
	}
}
