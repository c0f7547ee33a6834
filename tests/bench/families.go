package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/flomesh-io/fsmc/tests/shapes"
)

// families are all benchmarks.
func families() []family {
	return []family{
		{"compile", legend, header(), overShapes("compile", compileOf), shown[row]},
		{"replicas", "", "", replicaChecks(), shown[replicas]},
		{"edit", editLegend, editHeader(), overShapes("edit", editOf), shown[editRow]},
		{"push", pushLegend, pushHeader(), pushes(), shown[pushRow]},
		{"dataplane", dataplaneLegend, dataplaneHeader(), dataplanes(), shown[dataplaneRow]},
		{"offline", offlineLegend, offlineHeader(), offlines(), shown[offlineRow]},
	}
}

// overShapes makes a benchmark of each shape and size.
func overShapes(family string, of func(shapes.Graph) benchmark) []benchmark {
	var list []benchmark
	for _, shape := range shapes.Shapes {
		for _, services := range []int{100, 1000, 3000} {
			b := of(shape.Make(services))
			b.name = fmt.Sprintf("%s/%s/%d", family, shape.Name, services)
			list = append(list, b)
		}
	}
	return list
}

// compileOf measures on one processor, so that the CPU time of a stage is the work of that stage.
func compileOf(g shapes.Graph) benchmark {
	manifests, dump := "manifests.yaml", "dump.yaml"
	return benchmark{
		prepare: func(dir string) error {
			in := newInput(g, podsPerApp)
			if err := os.WriteFile(filepath.Join(dir, manifests), in.manifests, 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, dump), in.dump, 0o644)
		},
		measure: func(dir, profiles string) (fmt.Stringer, error) {
			alone()
			in := input{graph: g, pods: podsPerApp}
			var err error
			if in.manifests, err = os.ReadFile(filepath.Join(dir, manifests)); err != nil {
				return nil, err
			}
			peak := pipeline(in.manifests)
			if in.dump, err = os.ReadFile(filepath.Join(dir, dump)); err != nil {
				return nil, err
			}
			r, err := measure(in, effort{least: 3, most: 15, enough: 2}, profiles)
			r.PeakBytes = peak
			return r, err
		},
	}
}

func editOf(g shapes.Graph) benchmark {
	return benchmark{measure: func(_, profiles string) (fmt.Stringer, error) {
		alone()
		return measureEdits(g, podsPerApp, effort{least: 3, most: 15, enough: 2}, profiles)
	}}
}

// alone has the process use one processor, and sample no allocations but for what is profiled.
func alone() {
	runtime.GOMAXPROCS(1)
	runtime.MemProfileRate = 0
}

func replicaChecks() []benchmark {
	var list []benchmark
	for _, shape := range shapes.Shapes {
		list = append(list, benchmark{name: "replicas/" + shape.Name, measure: func(string, string) (fmt.Stringer, error) {
			check := checkReplicas(shape.Make(100))
			return check, check.fault()
		}})
	}
	return list
}
