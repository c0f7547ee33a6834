package sources

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// worlds and edits are how much is tried; FSMC_DEEP asks for more.
func worldsAndEdits() (int, int) {
	if os.Getenv("FSMC_DEEP") != "" {
		return 400, 500
	}
	return 40, 60
}

// TestIncrementalIsFresh edits random objects at random. Whatever is made of the edited objects and of what was made before is
// what is made of the edited objects alone, in every stage; what says the same is the same by pointer; and what was made before
// stays as it was.
func TestIncrementalIsFresh(t *testing.T) {
	worlds, edits := worldsAndEdits()
	for seed := range worlds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(uint64(seed))
			var completion *Completion
			var resolution *Resolution
			var history []memento
			for i := range edits {
				var names []string
				for range 1 + w.IntN(3)*w.IntN(2) {
					names = append(names, w.edit())
				}
				about := fmt.Sprintf("edit %d: %v", i, names)
				nextCompletion := CompleteFrom(w.objects, completion)
				freshCompletion := CompleteFrom(w.objects, nil)
				sameObjects(t, about, freshCompletion.Objects, nextCompletion.Objects)
				sameNotes(t, about, freshCompletion.Diagnostics, nextCompletion.Diagnostics)

				// What is completed is resolved, and every third world what is written.
				objects := nextCompletion.Objects
				if seed%3 == 0 {
					objects = w.objects
				}
				nextResolution := ResolveFrom(objects, resolution)
				freshResolution := ResolveFrom(objects, nil)
				if fresh, incremental := asText(t, freshResolution.Mesh), asText(t, nextResolution.Mesh); fresh != incremental {
					t.Errorf("%s: meshes differ (-fresh +incremental):\n%s", about, cmp.Diff(fresh, incremental))
				}
				sameNotes(t, about, freshResolution.Diagnostics, nextResolution.Diagnostics)
				if resolution != nil {
					sharedEntities(t, about, resolution.Mesh, nextResolution.Mesh)
				}
				if t.Failed() {
					return
				}
				completion, resolution = nextCompletion, nextResolution
				if i%10 == 0 {
					history = append(history, remember(t, completion, resolution))
				}
			}
			for _, m := range history {
				m.unchanged(t)
			}
		})
	}
}

func sameObjects(t *testing.T, about string, fresh, incremental Objects) {
	t.Helper()
	if !reflect.DeepEqual(fresh, incremental) {
		t.Errorf("%s: objects differ (-fresh +incremental):\n%s", about, cmp.Diff(fresh, incremental))
	}
}

func sameNotes(t *testing.T, about string, fresh, incremental []model.Diagnostic) {
	t.Helper()
	a, b := model.SortDiagnostics(fresh), model.SortDiagnostics(incremental)
	if !slices.Equal(a, b) {
		t.Errorf("%s: diagnostics differ (-fresh +incremental):\n%s", about, cmp.Diff(a, b))
	}
}

// sharedEntities wants every entity that says what it said before to be the same by pointer.
func sharedEntities(t *testing.T, about string, before, now *model.Mesh) {
	t.Helper()
	for s := range now.Services() {
		if b, ok := before.Service(s.ID); ok {
			shared(t, about, b, s)
		}
	}
	for p := range now.Proxies() {
		if b, ok := before.Proxy(p.ID); ok {
			shared(t, about, b, p)
		}
	}
	permissions := map[string]*model.Permission{}
	for p := range before.Permissions() {
		permissions[p.String()] = p
	}
	for p := range now.Permissions() {
		if b, ok := permissions[p.String()]; ok {
			shared(t, about, b, p)
		}
	}
	splits := map[string]*model.Split{}
	for s := range before.Splits() {
		splits[s.String()] = s
	}
	for s := range now.Splits() {
		if b, ok := splits[s.String()]; ok {
			shared(t, about, b, s)
		}
	}
}

func shared[T any](t *testing.T, about string, before, now *T) {
	t.Helper()
	if before != now && reflect.DeepEqual(before, now) {
		t.Errorf("%s: made again, and says what it said: %+v", about, *now)
	}
}

// memento is results and what they said when they were made.
type memento struct {
	completion *Completion
	resolution *Resolution
	objects    string
	mesh       string
}

func remember(t *testing.T, c *Completion, r *Resolution) memento {
	t.Helper()
	return memento{c, r, asText(t, c.Objects), asText(t, r.Mesh)}
}

func (m memento) unchanged(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(m.objects, asText(t, m.completion.Objects)); diff != "" {
		t.Errorf("completed objects changed afterwards:\n%s", diff)
	}
	if diff := cmp.Diff(m.mesh, asText(t, m.resolution.Mesh)); diff != "" {
		t.Errorf("a mesh changed afterwards:\n%s", diff)
	}
}

func asText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPreviousIsShared goes on from one result in two ways at once, as the race detector sees.
func TestPreviousIsShared(t *testing.T) {
	w := newWorld(7)
	completion := CompleteFrom(w.objects, nil)
	resolution := ResolveFrom(completion.Objects, nil)
	done := make(chan [2]string)
	for seed := range uint64(2) {
		other := newWorld(seed)
		other.objects = w.objects
		go func() {
			var texts [2]string
			for range 20 {
				other.edit()
				c := CompleteFrom(other.objects, completion)
				r := ResolveFrom(c.Objects, resolution)
				texts = [2]string{meshText(r), meshText(ResolveFrom(CompleteFrom(other.objects, nil).Objects, nil))}
			}
			done <- texts
		}()
	}
	for range 2 {
		if texts := <-done; texts[0] != texts[1] {
			t.Error(cmp.Diff(texts[1], texts[0]))
		}
	}
}

func meshText(r *Resolution) string {
	b, err := json.Marshal(r.Mesh)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
