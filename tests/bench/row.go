package main

import (
	"fmt"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/sources/files"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// row is what was measured of one mesh.
type row struct {
	Mesh     string `json:"mesh"`
	Services int    `json:"services"`
	Proxies  int    `json:"proxies"`

	Manifests reading `json:"manifests"`
	Dump      reading `json:"dump"`
	Complete  timing  `json:"complete"`
	Resolve   timing  `json:"resolve"`
	Compile   timing  `json:"compile"`
	// Work, Floor and SharedFloor are a compilation and its floors without the garbage collector. Ratio and SharedRatio
	// are the least CPU time of the first over the least of the others.
	Work        timing  `json:"work"`
	Floor       timing  `json:"floor"`
	SharedFloor timing  `json:"sharedFloor"`
	Ratio       float64 `json:"ratio"`
	SharedRatio float64 `json:"sharedRatio"`
	// PeakBytes is the high-water mark of the resident memory of a process that did nothing but read the manifests,
	// complete, resolve and compile; 0 where the system does not tell.
	PeakBytes uint64 `json:"peakBytes"`

	Classes   int               `json:"classes"`
	Resources int               `json:"resources"`
	Counters  compiler.Counters `json:"counters"`
}

// reading is how fast a text was read.
type reading struct {
	Objects int    `json:"objects"`
	Bytes   int    `json:"bytes"`
	Timing  timing `json:"timing"`
}

func (r reading) perSecond() float64 { return float64(r.Objects) / r.Timing.Least }

// input is a mesh and, as YAML, its two forms.
type input struct {
	graph           shapes.Graph
	pods            int // of each Deployment
	manifests, dump []byte
}

func newInput(g shapes.Graph, pods int) input {
	return input{g, pods, shapes.YAML(g.Manifests(pods)), shapes.YAML(g.Dump(pods, pods))}
}

// pipeline does what `fsmc compile` does before it writes, and returns the peak of memory.
func pipeline(manifests []byte) uint64 {
	objects, _ := sources.Complete(files.ReadBytes("manifests.yaml", manifests).Objects)
	mesh, _ := sources.Resolve(objects)
	compiler.Compile(mesh)
	return peakMemory()
}

// measure measures every stage of a mesh in this process.
func measure(in input, e effort, profiles string) (row, error) {
	r := row{Mesh: in.graph.Name}
	profile := profiler(profiles, in.graph.Name)

	r.Manifests = e.reading(in.manifests)
	r.Dump = e.reading(in.dump)
	manifests := in.graph.Manifests(in.pods)
	r.Complete = e.time(func() { sources.Complete(manifests) })[0]

	objects := in.graph.Dump(in.pods, in.pods)
	r.Resolve = e.time(func() { sources.Resolve(objects) })[0]
	err := profile("resolve", func() { sources.Resolve(objects) })
	if err != nil {
		return r, err
	}
	mesh, _ := sources.Resolve(objects)
	r.Compile = e.time(func() { compiler.Compile(mesh) })[0]
	if err := profile("compile", func() { compiler.Compile(mesh) }); err != nil {
		return r, err
	}
	output, _ := compiler.Compile(mesh)
	floor, err := newFloor(output)
	if err != nil {
		return r, err
	}
	shared, err := newSharedFloor(output)
	if err != nil {
		return r, err
	}
	timings := e.compare(func() { compiler.Compile(mesh) }, func() { floor.build() }, func() { shared.build() })
	r.Work, r.Floor, r.SharedFloor = timings[0], timings[1], timings[2]
	r.Ratio, r.SharedRatio = r.Work.Least/r.Floor.Least, r.Work.Least/r.SharedFloor.Least

	count := mesh.Count()
	r.Services, r.Proxies = count.Services, count.Proxies
	r.Classes, r.Resources, r.Counters = output.Classes.Len(), len(floor.resources), output.Counters
	return r, nil
}

func (e effort) reading(text []byte) reading {
	r := reading{Bytes: len(text)}
	r.Timing = e.time(func() { r.Objects = files.ReadBytes("mesh.yaml", text).Documents })[0]
	return r
}

const legend = `Each stage runs on one processor; seconds are CPU time of the process, the least of several runs.
read      objects per second, from manifests with Deployments, and from a dump of a cluster with every pod
compile   with the garbage collection that falls into it, as complete and resolve
work      compile without garbage collection, which is what is compared with the floors
floor     each distinct resource of the result, built once from ready values, marshalled and hashed, no policy logic
shared    the same with each distinct part of a resource built once; both followed by the ratio of work to it
MB peak   resident memory of a process that only reads the manifests, completes, resolves and compiles them
MB out    all distinct resources
`

func header() string {
	return fmt.Sprintf("%-15s %7s %7s %9s | %9s %9s | %8s %7s %7s | %7s %7s %5s %7s %5s | %9s %9s | %7s %7s",
		"mesh", "proxies", "classes", "resources", "read man.", "read dump", "complete", "resolve", "compile",
		"work", "floor", "ratio", "shared", "ratio", "allocs", "MB alloc.", "MB peak", "MB out")
}

func (r row) String() string {
	const mega = 1e6
	return fmt.Sprintf("%-15s %7d %7d %9d | %9.0f %9.0f | %8.3f %7.3f %7.3f | %7.3f %7.3f %5.2f %7.3f %5.2f | %9d %9.1f | %7.1f %7.1f",
		r.Mesh, r.Proxies, r.Classes, r.Resources, r.Manifests.perSecond(), r.Dump.perSecond(),
		r.Complete.Least, r.Resolve.Least, r.Compile.Least,
		r.Work.Least, r.Floor.Least, r.Ratio, r.SharedFloor.Least, r.SharedRatio,
		r.Compile.Allocations, float64(r.Compile.Allocated)/mega, float64(r.PeakBytes)/mega, float64(r.Counters.Bytes)/mega)
}
