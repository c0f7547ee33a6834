package main

import (
	"fmt"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// replicas compares the work of compiling a mesh with one replica of each Deployment and with a hundred.
//
// Addresses are content: a hundred of them are more bytes, in one resource, than one is. What must be equal is what is
// done: views, specs and builds. Replicas that are not ready stand in listeners, by which they can be called; those that are
// ready are endpoints as well.
type replicas struct {
	Mesh string `json:"mesh"`
	// One is with one pod, Hundred with 99 more that are no endpoints, Ready with 99 more that are.
	One     compiler.Counters `json:"one"`
	Hundred compiler.Counters `json:"hundred"`
	Ready   compiler.Counters `json:"ready"`
}

func checkReplicas(g shapes.Graph) replicas {
	return replicas{Mesh: g.Name, One: countersOf(g, 1, 1), Hundred: countersOf(g, 100, 1), Ready: countersOf(g, 100, 100)}
}

func countersOf(g shapes.Graph, pods, ready int) compiler.Counters {
	mesh, _ := sources.Resolve(g.Dump(pods, ready))
	output, _ := compiler.Compile(mesh)
	return output.Counters
}

// fault says what differs that must not.
func (r replicas) fault() error {
	switch {
	case !sameWork(r.One, r.Hundred):
		return fmt.Errorf("%s: replicas that are no endpoints change the work from %+v to %+v", r.Mesh, r.One, r.Hundred)
	case !sameWork(r.One, r.Ready):
		return fmt.Errorf("%s: replicas that are endpoints change the work from %+v to %+v", r.Mesh, r.One, r.Ready)
	}
	return nil
}

// sameWork says whether two compilations differ in nothing but bytes.
func sameWork(a, b compiler.Counters) bool {
	a.Bytes, b.Bytes = 0, 0
	return a == b
}

func (r replicas) String() string {
	verdict := "equal"
	if r.fault() != nil {
		verdict = "NOT EQUAL"
	}
	return fmt.Sprintf("replicas %-14s views %d, builds %d, bytes %d: %s with 99 more pods that are no endpoints (bytes %d), and with 99 that are (bytes %d)",
		r.Mesh, r.One.Views, r.One.Builds, r.One.Bytes, verdict, r.Hundred.Bytes, r.Ready.Bytes)
}
