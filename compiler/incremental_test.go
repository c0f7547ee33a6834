package compiler

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// editsOf is how many edits a random mesh goes through; FSMC_DEEP asks for more.
func editsOf() int {
	if os.Getenv("FSMC_DEEP") != "" {
		return 300
	}
	return 40
}

// edition is a mesh on its way: what was compiled of it, and what that was like when it was new.
type edition struct {
	world   world
	mesh    *model.Mesh
	output  *Output
	summary []string
	lines   int // of summary, without diagnostics
}

// GoString keeps the log of a failed check short: an edition that was drawn was drawn before as a world.
func (e edition) GoString() string {
	return fmt.Sprintf("an edition of %d classes", e.output.Classes.Len())
}

func firstEdition(w world) edition {
	mesh := w.mesh()
	output, diagnostics := Compile(mesh)
	return edition{w, mesh, output, summary(output, diagnostics), len(summary(output, nil))}
}

// classes are the lines of the summary that are no diagnostics.
func (e edition) classes() []string { return e.summary[:e.lines] }

// next compiles another world from an edition.
func (e edition) next(t *rapid.T, w world) edition {
	parts := sharing(t, e.mesh, w.parts(w.asDrawn()))
	next := edition{world: w}
	if chance(t, "edit") {
		next.mesh = e.mesh.With(editTo(e.mesh, parts))
	} else {
		next.mesh = model.New(parts)
	}
	output, diagnostics := CompileFrom(next.mesh, e.output)
	next.output, next.summary, next.lines = output, summary(output, diagnostics), len(summary(output, nil))
	return next
}

// Whatever changes, and in whatever order: compiling from what was there gives what compiling afresh gives, and leaves
// what was there as it was.
func TestIncrementalIsFresh(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		now := firstEdition(w)
		all := []edition{now}
		most := now.output.state.size()
		for range editsOf() {
			from, w := now, now.world
			switch rapid.IntRange(0, 9).Draw(t, "go") {
			case 0:
				w = pick(t, "back to", all).world
			case 1:
				from = pick(t, "from", all) // and so the same one twice
			default:
				w = w.edited(t)
			}
			next := from.next(t, w)
			fresh, diagnostics := Compile(next.mesh)
			if diff := cmp.Diff(summary(fresh, diagnostics), next.summary); diff != "" {
				t.Fatalf("incremental is not fresh (-fresh +incremental):\n%s\nbefore:\n%#v\nafter:\n%#v", diff, from.world, w)
			}
			checkPointers(t, from.output, next.output)
			checkNothingIsLeft(t, fresh, next.output)
			most = max(most, fresh.state.size())
			if size := next.output.state.size(); size > 2*most+200 {
				t.Fatalf("%d things that were built are kept, and at most %d were ever needed", size, most)
			}
			now = next
			all = append(all, now)
		}
		for i, e := range all {
			if diff := cmp.Diff(e.classes(), summary(e.output, nil)); diff != "" {
				t.Fatalf("edition %d of %d has changed since (-then +now):\n%s", i, len(all), diff)
			}
		}
	})
}

// checkPointers wants equal resources and equal classes to be the same.
func checkPointers(t *rapid.T, outputs ...*Output) {
	t.Helper()
	known := map[string]*Resource{}
	for _, o := range outputs {
		for _, c := range configurations(o) {
			for _, r := range c.resources() {
				key := string(r.sum[:])
				if other, ok := known[key]; ok && other != r {
					t.Fatalf("%s of class %s is there twice", r.Name, c.Name)
				}
				known[key] = r
			}
		}
	}
}

// checkNothingIsLeft wants the indexes of an output to hold no more than those of a fresh one.
func checkNothingIsLeft(t *rapid.T, fresh, now *Output) {
	t.Helper()
	same := func(what string, want, got int) {
		if want != got {
			t.Fatalf("%d %s are kept, and there are %d", got, what, want)
		}
	}
	a, b := fresh.state, now.state
	same("kinds of proxies", a.kinds.size, b.kinds.size)
	same("services that are served", a.serving.size, b.serving.size)
	same("users", a.users.size, b.users.size)
	same("ports", a.ports.size, b.ports.size)
	same("identities that serve", a.served.size, b.served.size)
	same("backends", a.roots.size, b.roots.size)
	same("outbound sides", a.outbounds.size, b.outbounds.size)
	same("noisy ones", len(a.noisy), len(b.noisy))
}
