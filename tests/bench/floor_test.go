package main

import (
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// TestShortFloor shows that the floors make what the compiler makes: as many resources, and as many bytes. (The bytes of
// some differ, as the fields of a message may be appended in any order.)
func TestShortFloor(t *testing.T) {
	for _, shape := range shapes.Shapes {
		mesh, _ := sources.Resolve(shape.Make(short).Dump(2, 2))
		output, _ := compiler.Compile(mesh)
		for name, newFloor := range map[string]func(*compiler.Output) (*floor, error){"whole": newFloor, "shared": newSharedFloor} {
			t.Run(shape.Name+"/"+name, func(t *testing.T) {
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
}
