package main

import (
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// TestShortFloor shows that the floor makes what the compiler makes: as many resources, and each of the same size. (The
// bytes of some differ, as a compiler may append the fields of a message in any order.)
func TestShortFloor(t *testing.T) {
	for _, shape := range shapes.Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			mesh, _ := sources.Resolve(shape.Make(short).Dump(podsPerApp, podsPerApp))
			output, _ := compiler.Compile(mesh)
			floor, err := newFloor(output)
			if err != nil {
				t.Fatal(err)
			}
			floor.build()
			bytes := 0
			for _, b := range floor.build() { // what an earlier run has left must not be in the next one's
				bytes += len(b.bytes)
			}
			if bytes != output.Counters.Bytes {
				t.Errorf("the floor has %d bytes, the compilation %d", bytes, output.Counters.Bytes)
			}
		})
	}
}
