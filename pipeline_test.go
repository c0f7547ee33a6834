package fsmc_test

import (
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sebdah/goldie/v2"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/sources/files"
)

// TestPipeline runs every case of testdata through the whole pipeline, and compares each stage with what is under
// want/. GOLDIE_UPDATE=1 (make golden) rewrites want/ from nothing.
func TestPipeline(t *testing.T) {
	for _, directory := range cases(t) {
		t.Run(strings.TrimPrefix(directory, "testdata/"), func(t *testing.T) {
			t.Parallel()
			r := run(t, directory)
			if len(r.files) < 2 {
				t.Fatalf("only %d files were made", len(r.files))
			}
			compare(t, filepath.Join(directory, "want"), r.files)
			checkProvenance(t, r.output)
			checkOrder(t, r)
		})
	}
}

// cases are the folders of testdata that hold an input.
func cases(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "input.yaml" {
			list = append(list, filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 60 {
		t.Fatalf("only %d cases were found", len(list))
	}
	return list
}

// result is what the pipeline makes of one case.
type result struct {
	objects sources.Objects
	read    []model.Diagnostic
	output  *compiler.Output
	files   []disk.File
	locate  func([]model.Diagnostic) []model.Diagnostic
}

func run(t *testing.T, directory string) result {
	t.Helper()
	input, err := os.ReadFile(filepath.Join(directory, "input.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	read := files.ReadBytes("input.yaml", input)
	r := result{objects: read.Objects, read: read.Diagnostics, locate: read.Positions.Locate}
	r.output, r.files = pipeline(t, read.Objects, read.Diagnostics, read.Positions.Locate)
	return r
}

// pipeline is every stage after reading.
func pipeline(t *testing.T, objects sources.Objects, read []model.Diagnostic, locate func([]model.Diagnostic) []model.Diagnostic) (*compiler.Output, []disk.File) {
	t.Helper()
	complete, completed := sources.Complete(objects)
	mesh, resolved := sources.Resolve(complete)
	before := asJSON(t, mesh)
	output, compiled := compiler.Compile(mesh)
	if diff := cmp.Diff(before, asJSON(t, mesh)); diff != "" {
		t.Errorf("Compile has changed the mesh (-before +after):\n%s", diff)
	}
	diagnostics := model.SortDiagnostics(slices.Concat(read, locate(slices.Concat(completed, resolved, compiled))))
	tree, err := disk.Files(mesh, output, diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	return output, tree
}

// compare holds every file to its golden, and the folder to having no others.
func compare(t *testing.T, want string, tree []disk.File) {
	t.Helper()
	updating := os.Getenv("GOLDIE_UPDATE") != ""
	if updating {
		if err := os.RemoveAll(want); err != nil {
			t.Fatal(err)
		}
	}
	made := map[string]bool{}
	golden := goldie.New(t, goldie.WithFixtureDir(want), goldie.WithNameSuffix(""), goldie.WithDiffEngine(goldie.ColoredDiff))
	for _, f := range tree {
		made[filepath.Join(want, f.Path)] = true
		t.Run(f.Path, func(t *testing.T) { golden.Assert(t, f.Path, f.Bytes) })
	}
	err := filepath.WalkDir(want, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !made[path] {
			t.Errorf("%s is not made any more: make golden removes it", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// checkProvenance asks every resource where it came from.
func checkProvenance(t *testing.T, output *compiler.Output) {
	t.Helper()
	for class := range output.Classes.Values() {
		for _, list := range []model.List[*compiler.Resource]{class.Listeners, class.Routes, class.Clusters, class.Endpoints} {
			for r := range list.Values() {
				if r.From.Len() == 0 {
					t.Errorf("%s of class %s does not say where it came from", r.Name, class.Name)
				}
			}
		}
	}
}

// checkOrder reads the objects in other orders, and wants the same bytes.
func checkOrder(t *testing.T, r result) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		_, again := pipeline(t, shuffled(r.objects, random), r.read, r.locate)
		if diff := cmp.Diff(texts(r.files), texts(again)); diff != "" {
			t.Fatalf("the order of the input shows (-first +shuffled):\n%s", diff)
		}
	}
}

func shuffled(o sources.Objects, random *rand.Rand) sources.Objects {
	shuffle(random, &o.Namespaces)
	shuffle(random, &o.ServiceAccounts)
	shuffle(random, &o.Services)
	shuffle(random, &o.Endpoints)
	shuffle(random, &o.EndpointSlices)
	shuffle(random, &o.Pods)
	shuffle(random, &o.Deployments)
	shuffle(random, &o.StatefulSets)
	shuffle(random, &o.DaemonSets)
	shuffle(random, &o.ReplicaSets)
	shuffle(random, &o.ReplicationControllers)
	shuffle(random, &o.Jobs)
	shuffle(random, &o.CronJobs)
	shuffle(random, &o.MeshConfigs)
	shuffle(random, &o.MeshRootCertificates)
	shuffle(random, &o.TrafficTargets)
	shuffle(random, &o.HTTPRouteGroups)
	shuffle(random, &o.TCPRoutes)
	shuffle(random, &o.UDPRoutes)
	shuffle(random, &o.TrafficSplits)
	shuffle(random, &o.Broken)
	return o
}

func shuffle[T any](random *rand.Rand, list *[]T) {
	*list = slices.Clone(*list)
	random.Shuffle(len(*list), func(i, j int) { (*list)[i], (*list)[j] = (*list)[j], (*list)[i] })
}

func texts(tree []disk.File) map[string]string {
	m := map[string]string{}
	for _, f := range tree {
		m[f.Path] = string(f.Bytes)
	}
	return m
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
