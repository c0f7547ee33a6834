package fsmc_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// The walls: what may be imported where, and what pure rooms never do. ARCHITECTURE.md says why.

const module = "github.com/flomesh-io/fsmc"

// A room is a package and what it may import besides the standard library. A room that is pure does no I/O at all.
type room struct {
	path  string
	pure  bool
	below bool // the packages below belong to the room too
	may   []string
}

const (
	kubernetesTypes = "k8s.io/api/..."
	machinery       = "k8s.io/apimachinery/..."
	smiTypes        = "github.com/servicemeshinterface/smi-sdk-go/pkg/apis/..."
	envoyProtos     = "github.com/envoyproxy/go-control-plane/envoy/..."
	xdsProtos       = "github.com/cncf/xds/go/..."
	protobuf        = "google.golang.org/protobuf/..."
)

var rooms = []room{
	{path: "model", pure: true},
	{path: "sources", pure: true, may: []string{module + "/model", module + "/sources/api/...", kubernetesTypes, machinery, smiTypes}},
	{path: "sources/api", below: true, may: []string{kubernetesTypes, machinery}},
	{path: "compiler", pure: true, may: []string{module + "/model", envoyProtos, xdsProtos, protobuf}},
	{path: "compiler/inject", pure: true, may: []string{module + "/model", module + "/compiler", kubernetesTypes, machinery}},
	{path: "live", may: []string{module + "/model", module + "/sources", module + "/compiler", module + "/sinks"}},
	{path: "verdict", may: []string{"go.yaml.in/yaml/v3"}},
	{path: "compiler/analyze", pure: true, may: []string{module + "/model", module + "/compiler", envoyProtos, xdsProtos, protobuf}},
}

func TestWalls(t *testing.T) {
	for _, p := range load(t) {
		name := strings.TrimPrefix(p.PkgPath, module+"/")
		for path := range p.Imports {
			if reason := forbidden(name, path); reason != "" {
				t.Errorf("%s imports %s: %s", name, path, reason)
			}
		}
		if i := slices.IndexFunc(rooms, func(r room) bool { return r.path == name && r.pure }); i >= 0 {
			for _, finding := range impurities(p.Fset, p.Syntax, p.TypesInfo) {
				t.Error(finding)
			}
		}
		if name == "model" {
			for _, finding := range writableFields(p.Types) {
				t.Error(finding)
			}
		}
	}
}

// forbidden says why a package may not import another; empty when it may.
func forbidden(name, path string) string {
	if strings.HasPrefix(path, module+"/cmd") {
		return "nothing imports cmd"
	}
	if within(name, "sources") && within(path, module+"/sinks") || within(name, "sinks") && within(path, module+"/sources") {
		return "sources and sinks never meet; cmd wires them"
	}
	for _, bad := range []string{"pkg", "util", "utils", "common", "helpers", "types"} {
		if name == bad || strings.HasSuffix(name, "/"+bad) {
			return "no package is called " + bad
		}
	}
	i := slices.IndexFunc(rooms, func(r room) bool { return r.path == name || r.below && within(name, r.path) })
	if i < 0 {
		return ""
	}
	r := rooms[i]
	standard := !strings.Contains(strings.Split(path, "/")[0], ".")
	switch {
	case standard && r.pure && slices.Contains(impureImports, path):
		return "a pure room does no I/O, reads no clock and logs nothing"
	case standard, slices.ContainsFunc(r.may, func(m string) bool {
		return path == m || within(path, strings.TrimSuffix(m, "/...")) && m != path && strings.HasSuffix(m, "/...")
	}):
		return ""
	}
	return "it is not on the list of what this room may import"
}

var impureImports = []string{
	"os", "os/exec", "io", "io/fs", "io/ioutil", "bufio", "net", "net/http", "log", "log/slog", "math/rand", "math/rand/v2",
	"crypto/rand", "sync", "sync/atomic", "syscall", "context", "path/filepath", "runtime", "unsafe", "embed", "flag",
}

func within(path, parent string) bool { return path == parent || strings.HasPrefix(path, parent+"/") }

// impurities are the places of a pure package that read the clock, or that let the order of a map through: a map is
// ranged, and maps.Keys, Values and All are called, only as the direct argument of a sort. A loop whose order cannot
// show carries the comment "//ordered: reason" on the line before.
func impurities(fset *token.FileSet, files []*ast.File, info *types.Info) []string {
	var findings []string
	report := func(n ast.Node, text string) {
		findings = append(findings, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), text))
	}
	for _, f := range files {
		excused := ordered(fset, f)
		var parents []ast.Node
		ast.Inspect(f, func(n ast.Node) bool {
			if n == nil {
				parents = parents[:len(parents)-1]
				return true
			}
			switch n := n.(type) {
			case *ast.RangeStmt:
				if _, isMap := info.TypeOf(n.X).Underlying().(*types.Map); isMap && !excused[fset.Position(n.Pos()).Line-1] {
					report(n, "a map is ranged, and the order of a map is random")
				}
			case *ast.CallExpr:
				name := called(info, n)
				if slices.Contains([]string{"maps.Keys", "maps.Values", "maps.All"}, name) && !sortedBy(info, parents) {
					report(n, name+" is not the direct argument of a sort")
				}
				if slices.Contains([]string{"time.Now", "time.Since", "time.Until", "time.After", "time.Tick", "time.Sleep", "time.NewTimer"}, name) {
					report(n, name+" reads the clock")
				}
			}
			parents = append(parents, n)
			return true
		})
	}
	return findings
}

// ordered are the lines that carry an //ordered: comment.
func ordered(fset *token.FileSet, f *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range f.Comments {
		for _, c := range group.List {
			if reason, ok := strings.CutPrefix(c.Text, "//ordered:"); ok && strings.TrimSpace(reason) != "" {
				lines[fset.Position(c.Pos()).Line] = true
			}
		}
	}
	return lines
}

func called(info *types.Info, call *ast.CallExpr) string {
	fun := call.Fun
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	function, ok := info.Uses[selector.Sel].(*types.Func)
	if !ok || function.Pkg() == nil {
		return ""
	}
	return function.Pkg().Name() + "." + function.Name()
}

func sortedBy(info *types.Info, parents []ast.Node) bool {
	if len(parents) == 0 {
		return false
	}
	call, ok := parents[len(parents)-1].(*ast.CallExpr)
	return ok && strings.HasPrefix(called(info, call), "slices.Sorted")
}

// writableFields are the exported fields of a package through which a value could be changed after it was made.
func writableFields(p *types.Package) []string {
	var findings []string
	for _, name := range p.Scope().Names() {
		if !token.IsExported(name) {
			continue
		}
		object, ok := p.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		s, ok := object.Type().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		for f := range s.Fields() {
			if f.Exported() && writable(f.Type()) {
				findings = append(findings, fmt.Sprintf("%s.%s is a %s: use List, or a value", name, f.Name(), f.Type()))
			}
		}
	}
	return findings
}

func writable(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Signature, *types.Chan:
		return true
	case *types.Pointer:
		_, isStruct := t.Elem().Underlying().(*types.Struct)
		return isStruct
	}
	return false
}

func load(t *testing.T) []*packages.Package {
	t.Helper()
	const shape = packages.NeedName | packages.NeedImports
	all, err := packages.Load(&packages.Config{Mode: shape}, module+"/...")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 4 {
		t.Fatalf("only %d packages were found", len(all))
	}
	var pure []string
	for _, r := range rooms {
		if _, err := os.Stat(r.path); err == nil && r.pure {
			pure = append(pure, module+"/"+r.path)
		}
	}
	const whole = shape | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedDeps | packages.NeedExportFile | packages.NeedFiles
	typed, err := packages.Load(&packages.Config{Mode: whole &^ packages.NeedDeps}, pure...)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range typed {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		all = slices.DeleteFunc(all, func(q *packages.Package) bool { return q.PkgPath == p.PkgPath })
	}
	return append(all, typed...)
}

// TestWallsStand shows that each of the checks above can fail.
func TestWallsStand(t *testing.T) {
	for _, c := range []struct{ name, from, to string }{
		{"model reads a file", "model", "os"},
		{"model knows Envoy", "model", module + "/compiler"},
		{"the compiler knows Kubernetes", "compiler", "k8s.io/api/core/v1"},
		{"a sink knows a source", "sinks/disk", module + "/sources/files"},
		{"a source knows a sink", "sources/kube", module + "/sinks/ads"},
		{"somebody imports cmd", "sinks/disk", module + "/cmd/fsmc"},
		{"the loop knows a directory", "live", module + "/sources/files"},
		{"a drawer for everything", "compiler/util", "fmt"},
	} {
		if forbidden(c.from, c.to) == "" {
			t.Errorf("%s: %s may import %s", c.name, c.from, c.to)
		}
	}
	if reason := forbidden("sources", "k8s.io/api/core/v1"); reason != "" {
		t.Errorf("sources may not import Kubernetes types: %s", reason)
	}
	source := `package p
import ("maps"; "slices"; "time")
func f(m map[string]int) (list []string) {
	for k := range m { list = append(list, k) }
	for k := range maps.Keys(m) { list = append(list, k) }
	//ordered: the sum is the same in any order
	for _, v := range m { _ = v }
	_ = time.Now()
	return append(list, slices.Sorted(maps.Keys(m))...)
}
type T struct { Names []string; Next *T; Size int }
`
	p := typed(t, source)
	if got := impurities(p.fset, p.files, p.info); len(got) != 3 {
		t.Errorf("of three impurities these were found: %q", got)
	}
	if got := writableFields(p.types); len(got) != 2 {
		t.Errorf("of two writable fields these were found: %q", got)
	}
}

type checked struct {
	fset  *token.FileSet
	files []*ast.File
	info  *types.Info
	types *types.Package
}

func typed(t *testing.T, source string) checked {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Instances: map[*ast.Ident]types.Instance{}}
	standard, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedExportFile}, "maps", "slices", "time")
	if err != nil {
		t.Fatal(err)
	}
	config := types.Config{Importer: loaded(standard)}
	p, err := config.Check("p", fset, []*ast.File{f}, info)
	if err != nil {
		t.Fatal(err)
	}
	return checked{fset, []*ast.File{f}, info, p}
}

// loaded imports from packages that are there already.
type loaded []*packages.Package

func (l loaded) Import(path string) (*types.Package, error) {
	for _, p := range l {
		if p.PkgPath == path {
			return p.Types, nil
		}
	}
	return nil, fmt.Errorf("%s is not loaded", path)
}

// TestCasesAreExplained holds every case of testdata to having a README that is more than a title.
func TestCasesAreExplained(t *testing.T) {
	err := filepath.WalkDir("testdata", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "input.yaml" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "README.md"))
		if err != nil {
			t.Error(err)
		} else if strings.Count(string(text), "\n") < 2 {
			t.Errorf("%s: the README says too little", filepath.Dir(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
