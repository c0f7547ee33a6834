package shapes

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/sources/files"
)

// TestShortForms shows that both forms of a mesh mean the same, that they are read as they were made, and that nothing is
// wrong with them.
func TestShortForms(t *testing.T) {
	for _, shape := range Shapes {
		t.Run(shape.Name, func(t *testing.T) {
			g := shape.Make(40)
			forms := map[string]sources.Objects{"manifests": g.Manifests(2), "dump": g.Dump(2, 2)}
			for name, objects := range forms {
				read := files.ReadBytes(name+".yaml", YAML(objects))
				if want := len(documents(objects)); read.Documents != want {
					t.Errorf("%s: %d documents are read of %d", name, read.Documents, want)
				}
				meant := summary(t, objects)
				if again := summary(t, read.Objects); again != meant {
					t.Errorf("%s means %+v, and read again %+v", name, meant, again)
				}
				complain(t, name, read.Diagnostics)
			}
			if a, b := summary(t, forms["manifests"]), summary(t, forms["dump"]); a != b {
				t.Errorf("the manifests mean %+v, the dump %+v", a, b)
			}
		})
	}
}

type meaning struct {
	counts                model.Counts
	classes, views, specs int
}

func summary(t *testing.T, objects sources.Objects) meaning {
	completed, assumed := sources.Complete(objects)
	mesh, resolved := sources.Resolve(completed)
	output, compiled := compiler.Compile(mesh)
	for _, diagnostics := range [][]model.Diagnostic{assumed, resolved, compiled} {
		complain(t, "", diagnostics)
	}
	return meaning{mesh.Count(), output.Classes.Len(), output.Counters.Views, output.Counters.Specs}
}

func complain(t *testing.T, form string, diagnostics []model.Diagnostic) {
	for _, d := range diagnostics {
		if d.Level != model.Info {
			t.Errorf("%s: %s %s: %s (%s)", form, d.Code, d.At, d.Message, d.Instead)
		}
	}
}

// TestShortReplicas shows that the short way of writing pods writes what the long way does.
func TestShortReplicas(t *testing.T) {
	o := sources.Objects{Pods: Star(2).Dump(3, 2).Pods}
	var want strings.Builder
	for _, p := range o.Pods {
		want.WriteString("---\n" + marshal(p))
	}
	if diff := cmp.Diff(want.String(), string(YAML(o))); diff != "" {
		t.Error(diff)
	}
}

// TestShortSame shows that the same arguments make the same mesh.
func TestShortSame(t *testing.T) {
	for _, shape := range Shapes {
		if !bytes.Equal(YAML(shape.Make(40).Dump(3, 2)), YAML(shape.Make(40).Dump(3, 2))) {
			t.Errorf("%s differs from itself", shape.Name)
		}
	}
}

// TestShortShape holds the shapes to what they are said to be.
func TestShortShape(t *testing.T) {
	for _, row := range []struct {
		graph Graph
		want  measures
	}{
		{Star(100), measures{apps: 101, services: 100, calls: 100, grouped: 100}},
		{Trees(100), measures{apps: 100, services: 100, calls: 95}},
		{PowerLaw(1000), measures{apps: 900, services: 1000, calls: 3600, hubs: 9, grouped: 180, versioned: 50}},
		// There are calls for 26 of 27 hubs.
		{PowerLaw(3000), measures{apps: 2700, services: 3000, calls: 10799, hubs: 26, grouped: 540, versioned: 150}},
	} {
		t.Run(row.graph.Name, func(t *testing.T) {
			if got := measureOf(row.graph); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

// measures are counts of a graph. Hubs are called by one application in ten or more.
type measures struct{ apps, services, calls, hubs, grouped, versioned int }

func measureOf(g Graph) measures {
	m := measures{apps: len(g.Apps)}
	for i, callers := range g.callers() {
		app := g.Apps[i]
		m.services += len(app.services())
		m.calls += len(callers)
		m.hubs += toInt(len(callers) >= len(g.Apps)/10)
		m.grouped += toInt(app.Matches > 0)
		m.versioned += toInt(app.Versioned)
	}
	return m
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
