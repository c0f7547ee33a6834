// Command bench measures the pipeline on generated meshes: reading manifests, resolving, and compiling against a floor.
//
// Ratios are what to look at: compilation and floor run in turn in one process, so that whatever disturbs the machine
// disturbs both. Each row of the table is a process of its own, so that its peak memory is its own.
//
//	go run ./tests/bench                      every shape and size
//	go run ./tests/bench -run power-law/1000  those whose name fits
//	go run ./tests/bench -json baseline       and keep the figures in bench/results/baseline.json
//	go run ./tests/bench -profile DIR         and leave CPU and allocation profiles there
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/flomesh-io/fsmc/tests/shapes"
)

// podsPerApp is how many pods each Deployment has.
const podsPerApp = 10

func main() {
	run := flag.String("run", ".", "measure the meshes whose shape/size matches this expression")
	name := flag.String("json", "", "write the figures to bench/results/NAME.json too")
	profiles := flag.String("profile", "", "write profiles to this directory too")
	child := flag.Bool("child", false, "measure one mesh in this process; the arguments are its files (used by bench itself)")
	flag.Parse()
	var err error
	if *child {
		err = printRow(*run, flag.Arg(0), flag.Arg(1), *profiles)
	} else {
		err = printTable(*run, *name, *profiles)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// graphs are the meshes whose name matches, smallest first.
func graphs(run string) ([]shapes.Graph, error) {
	expression, err := regexp.Compile(run)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var list []shapes.Graph
	for _, shape := range shapes.Shapes {
		for _, services := range []int{100, 1000, 3000} {
			if expression.MatchString(fmt.Sprintf("%s/%d", shape.Name, services)) {
				list = append(list, shape.Make(services))
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("-run: no mesh is named like %s", run)
	}
	return list, nil
}

func printTable(run, name, profiles string) error {
	list, err := graphs(run)
	if err != nil {
		return err
	}
	results := results{Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU()}
	fmt.Printf("%s\n%s\n", legend, header())
	for _, g := range list {
		row, err := measureApart(g, profiles)
		if err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
		fmt.Println(row)
		results.Rows = append(results.Rows, row)
	}
	fmt.Println()
	for _, shape := range shapes.Shapes {
		check := checkReplicas(shape.Make(100))
		fmt.Println(check)
		results.Replicas = append(results.Replicas, check)
		err = errors.Join(err, check.fault())
	}
	if name != "" {
		err = errors.Join(err, results.write(filepath.Join("bench", "results", name+".json")))
	}
	return err
}

// results is what is kept of a run.
type results struct {
	Go       string     `json:"go"`
	Platform string     `json:"platform"`
	CPUs     int        `json:"cpus"`
	Rows     []row      `json:"rows"`
	Replicas []replicas `json:"replicas"`
}

func (r results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// measureApart measures a mesh in a process of its own, which gets the mesh as files.
func measureApart(g shapes.Graph, profiles string) (row, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return row{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	in := newInput(g, podsPerApp)
	manifests, dump := filepath.Join(dir, "manifests.yaml"), filepath.Join(dir, "dump.yaml")
	if err := os.WriteFile(manifests, in.manifests, 0o644); err != nil {
		return row{}, err
	}
	if err := os.WriteFile(dump, in.dump, 0o644); err != nil {
		return row{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return row{}, err
	}
	command := exec.Command(self, "-child", "-run", "^"+g.Name+"$", "-profile", profiles, manifests, dump)
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		return row{}, err
	}
	var r row
	err = json.Unmarshal(text, &r)
	return r, err
}

// printRow is the process of one row. It runs on one processor, so that the CPU time of a stage is the work of that
// stage.
func printRow(name, manifests, dump, profiles string) error {
	runtime.GOMAXPROCS(1)
	runtime.MemProfileRate = 0 // but for what is profiled
	list, err := graphs(name)
	if err != nil {
		return err
	}
	in := input{graph: list[0], pods: podsPerApp}
	if in.manifests, err = os.ReadFile(manifests); err != nil {
		return err
	}
	peak := pipeline(in.manifests)
	if in.dump, err = os.ReadFile(dump); err != nil {
		return err
	}
	r, err := measure(in, effort{least: 3, most: 15, enough: 2}, profiles)
	if err != nil {
		return err
	}
	r.PeakBytes = peak
	return json.NewEncoder(os.Stdout).Encode(r)
}
