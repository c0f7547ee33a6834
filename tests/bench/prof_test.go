package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"testing"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

func TestProf(t *testing.T) {
	runtime.GOMAXPROCS(1)
	g := shapes.PowerLaw(1000)
	mesh, _ := sources.Resolve(g.Dump(10, 10))
	output, _ := compiler.Compile(mesh)
	floor, _ := newFloor(output)
	for name, f := range map[string]func(){"floor": func() { floor.build() }, "compile": func() { compiler.Compile(mesh) }} {
		f()
		c, _ := os.Create("/tmp/prof/" + name + ".cpu")
		pprof.StartCPUProfile(c)
		var tot float64
		var n int
		for tot < 6 {
			s, a, b := once(f)
			tot += s
			n++
			if n == 1 {
				t.Log(name, a, b)
			}
		}
		pprof.StopCPUProfile()
		t.Log(name, tot/float64(n))
		c.Close()
	}
}
