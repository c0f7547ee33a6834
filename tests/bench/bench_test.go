package main

import (
	"testing"

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
			if fault := r.fault(); fault != "" {
				t.Error(fault)
			}
			if r.One.Views == 0 || r.One.Bytes == 0 || r.Ready.Bytes <= r.One.Bytes {
				t.Errorf("%+v", r)
			}
		})
	}
}
