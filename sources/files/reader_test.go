package files

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// readerOf is a reader whose clock a test sets.
func readerOf(dir string) (*Reader, *time.Time) {
	r := NewReader([]string{dir})
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	r.now = func() time.Time { return now }
	return r, &now
}

func readAgain(t *testing.T, r *Reader) Result {
	t.Helper()
	result, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestHalfWritten begins with the services a, b and c in one file, and goes through what is in the file then. What was there
// and cannot be read stays, and a diagnostic says where.
func TestHalfWritten(t *testing.T) {
	a, b, c := service("a"), service("b"), service("c")
	join := func(texts ...string) string { return strings.Join(texts, "---\n") }
	const torn, wrong = "apiVersion: v1\nkind: Serv\n  metadata: {", "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: 80}\n"
	type step struct {
		text  string
		later time.Duration
		want  string
		stale string
	}
	for _, row := range []struct {
		name  string
		steps []step
	}{
		{"a field of the wrong type", []step{
			{join(a, wrong, c), 0, "a b c", "8:15"},
			{join(a, wrong+"#\n", c), time.Hour, "a b c", "8:15"},
			{join(a, b, c), 0, "a b c", ""},
		}},
		{"broken, then removed", []step{{join(a, wrong, c), 0, "a b c", "8:15"}, {join(a, c), 0, "a c", ""}}},
		{"removed, and nothing is broken", []step{{join(a, c), 0, "a c", ""}}},
		{"the last one removed", []step{{join(a, b), 0, "a b", ""}}},
		{"a document that says nothing any more", []step{
			{join(a, torn+"\n", c), 0, "a b c", "7:3"},
			{join(a, "# gone\n"+torn+"\n", c), time.Hour, "a b c", "8:3"},
			{join(a, b, c), 0, "a b c", ""},
		}},
		{"one removed and one broken", []step{{join(a, torn+"\n"), 0, "a b c", "7:3 7:3"}, {join(a, torn+"\n"), time.Second, "a b", "7:3"}}},
		{"a name that is not there yet", []step{{join(a, b, "apiVersion: v1\nkind: Service\nmetadata: {}\n"), 0, "a b c", "11:1"}}},
		{"empty, then written", []step{{"", 0, "a b c", "1:1"}, {join(a, b), 100 * time.Millisecond, "a b", ""}}},
		{"empty, and stays so", []step{{"", 0, "a b c", "1:1"}, {"", 999 * time.Millisecond, "a b c", "1:1"}, {"", time.Millisecond, "", ""}}},
		{"a comment is not half written", []step{{"# nothing\n", 0, "", ""}}},
		{"cut off, and the rest comes", []step{{a + "---\napiVersion: v1\nkind: Service\nmetadata: {na", 0, "a b c", "7:1 7:1"}, {join(a, b, c), 0, "a b c", ""}}},
		{"mended with another text", []step{{join(a, wrong, c), 0, "a b c", "8:15"}, {join(a, b+"spec: {ports: [{port: 80}]}\n", c), 0, "a b c", ""}}},
		{"renamed while it is broken", []step{{join(a, wrong, c), 0, "a b c", "8:15"}, {join(a, service("d"), c), 0, "a c d", ""}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "mesh.yaml", join(a, b, c))
			r, now := readerOf(dir)
			before := pointers(readAgain(t, r).Objects)
			for i, s := range row.steps {
				write(t, dir, "mesh.yaml", s.text)
				*now = now.Add(s.later)
				result := readAgain(t, r)
				if got := services(result.Objects); got != s.want {
					t.Fatalf("step %d: services %q, want %q", i, got, s.want)
				}
				if got := staleAt(result); got != s.stale {
					t.Fatalf("step %d: told at %q, want %q: %v", i, got, s.stale, result.Diagnostics)
				}
				if len(result.Objects.Broken) > 0 {
					t.Errorf("step %d: %v is broken", i, result.Objects.Broken)
				}
				checkPositions(t, result)
				for name, p := range pointers(result.Objects) {
					if s.stale != "" && before[name] != p {
						t.Errorf("step %d: %s is another object", i, name)
					}
				}
			}
		})
	}
}

// What was never readable is broken, as for a reader that reads once.
func TestBrokenFromTheBeginning(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "mesh.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: 80}\n")
	r, _ := readerOf(dir)
	if result := readAgain(t, r); len(result.Objects.Broken) != 1 || staleAt(result) != "" {
		t.Errorf("got %v, %v", result.Objects.Broken, result.Diagnostics)
	}
}

// What stands in a readable file counts before what a broken one said.
func TestMovedWhileBroken(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", service("a"))
	r, _ := readerOf(dir)
	readAgain(t, r)
	write(t, dir, "a.yaml", "kind: [")
	write(t, dir, "b.yaml", service("a")+"spec: {clusterIP: 10.0.0.9}\n")
	result := readAgain(t, r)
	if s := result.Objects.Services; len(s) != 1 || s[0].Spec.ClusterIP != "10.0.0.9" {
		t.Errorf("got %v", s)
	}
}

// A path that cannot be read stays as it was; a file that is gone is gone, and one that was asked for by its name soon.
func TestUnreadablePaths(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "in/a.yaml", service("a"))
	write(t, dir, "in/b.yaml", service("b"))
	write(t, dir, "c.yaml", service("c"))
	now := time.Now()
	r := NewReader([]string{filepath.Join(dir, "in"), filepath.Join(dir, "c.yaml")})
	r.now = func() time.Time { return now }
	check := func(what, want string, stale int) {
		t.Helper()
		result := readAgain(t, r)
		if got := services(result.Objects); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		if got := len(strings.Fields(staleAt(result))); got != stale {
			t.Errorf("%s: %d are stale, want %d: %v", what, got, stale, result.Diagnostics)
		}
	}
	check("at first", "a b c", 0)
	remove(t, dir, "in/b.yaml")
	check("a file in a folder is gone", "a c", 0)
	remove(t, dir, "c.yaml")
	check("a file that was asked for is gone", "a c", 1)
	now = now.Add(grace)
	check("and does not come back", "a", 0)
	rename(t, dir, "in", "out")
	check("the folder is gone", "a", 1)
	now = now.Add(time.Hour)
	check("and does not come back", "a", 1)
	rename(t, dir, "out", "in")
	write(t, dir, "c.yaml", service("c"))
	check("all are back", "a c", 0)
	if err := os.Symlink("nowhere", filepath.Join(dir, "in/d.yaml")); err != nil {
		t.Fatal(err)
	}
	check("a link leads nowhere", "a c", 0)
}

func TestFirstReadFails(t *testing.T) {
	if _, err := NewReader([]string{filepath.Join(t.TempDir(), "none")}).Read(); err == nil {
		t.Error("a path that is not there was read")
	}
}

// staleAt are the places of what could be read before.
func staleAt(r Result) string {
	var places []string
	for _, d := range r.Diagnostics {
		if d.Code == model.StaleObject {
			places = append(places, fmt.Sprintf("%d:%d", d.Position.Line, d.Position.Column))
		}
	}
	return strings.Join(places, " ")
}

func pointers(o sources.Objects) map[string]any {
	found := map[string]any{}
	for _, s := range o.Services {
		found[s.Name] = s
	}
	return found
}

// TestReaderIsRead edits files at random. A reader that reads again says what one says that reads once, and an object whose text
// is as it was is the same object.
func TestReaderIsRead(t *testing.T) {
	runs, edits := 30, 40
	if os.Getenv("FSMC_DEEP") != "" {
		runs, edits = 300, 100
	}
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "a.yaml", service("first"))
			r, now := readerOf(dir)
			w := &writer{rand.New(rand.NewPCG(uint64(seed), 0))}
			before := readAgain(t, r)
			for i := range edits {
				about := w.edit(t, dir)
				// What was cut off or emptied is not half written any more when it is still so.
				readAgain(t, r)
				*now = now.Add(grace)
				got := readAgain(t, r)
				want, err := Read([]string{dir}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(want.Objects, got.Objects) {
					t.Fatalf("edit %d, %s: objects (-once +again):\n%s", i, about, cmp.Diff(want.Objects, got.Objects))
				}
				if diff := cmp.Diff(want.Diagnostics, got.Diagnostics); diff != "" {
					t.Fatalf("edit %d, %s: diagnostics (-once +again):\n%s", i, about, diff)
				}
				if want.Files != got.Files || want.Documents != got.Documents {
					t.Fatalf("edit %d, %s: %d files and %d documents, want %d and %d", i, about, got.Files, got.Documents, want.Files, want.Documents)
				}
				samePlaces(t, want, got)
				shareObjects(t, about, before, got)
				before = got
			}
		})
	}
}

// writer writes files that can be read, and changes them.
type writer struct{ *rand.Rand }

// edit changes a file, or several.
func (w *writer) edit(t *testing.T, dir string) string {
	name := []string{"a.yaml", "b.yaml", "sub/c.yaml", "d.json"}[w.IntN(4)]
	switch w.IntN(5) {
	case 0:
		remove(t, dir, name)
		return "remove " + name
	case 1:
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			rename(t, dir, name, "moved.yaml")
			return "move " + name
		}
	}
	write(t, dir, name, w.text(strings.HasSuffix(name, ".json")))
	return "write " + name
}

func (w *writer) text(json bool) string {
	var documents []string
	for range w.IntN(4) {
		documents = append(documents, w.document(json))
	}
	if json {
		return `{"apiVersion": "v1", "kind": "List", "items": [` + strings.Join(documents, ", ") + "]}\n"
	}
	return strings.Join(documents, "---\n")
}

// document is one of few, so that the same text stands at several places, with a comment, a warning or a mistake.
func (w *writer) document(json bool) string {
	name := []string{"a", "b", "c", "d", "e"}[w.IntN(5)]
	if json {
		return fmt.Sprintf(`{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "json-%s"}, "spec": {%s}}`, name,
			[]string{``, `"clusterIP": "10.0.0.1"`, `"unknown": 1`}[w.IntN(3)])
	}
	text := strings.Repeat("# comment\n", w.IntN(3)) + service(name)
	return text + []string{"", "spec: {clusterIP: 10.0.0.1}\n", "spec: {unknown: 1}\n", "# more\n"}[w.IntN(4)]
}

// samePlaces wants every object to be found at the same place, and a field of it.
func samePlaces(t *testing.T, want, got Result) {
	t.Helper()
	var about []model.Diagnostic
	for _, s := range want.Objects.Services {
		ref := model.Ref{Kind: "Service", Namespace: s.Namespace, Name: s.Name}
		about = append(about, model.Note(model.WrongType, ref, ""), model.Note(model.WrongType, ref.At("spec.clusterIP"), ""))
	}
	if diff := cmp.Diff(want.Positions.Locate(about), got.Positions.Locate(about)); diff != "" {
		t.Errorf("places (-once +again):\n%s", diff)
	}
}

// shareObjects wants an object that says what it said to be the same.
func shareObjects(t *testing.T, about string, before, now Result) {
	t.Helper()
	for _, s := range now.Objects.Services {
		if twofold(before, s.Name) || twofold(now, s.Name) {
			continue
		}
		i := slices.IndexFunc(before.Objects.Services, func(b *corev1.Service) bool { return b.Name == s.Name })
		if i >= 0 && before.Objects.Services[i] != s && reflect.DeepEqual(before.Objects.Services[i], s) {
			t.Errorf("%s: %s was read again, and says what it said", about, s.Name)
		}
	}
}

// twofold says whether an object of the name is written twice, or has a field that is passed over: texts that differ can then
// mean the same.
func twofold(r Result, name string) bool {
	return slices.ContainsFunc(r.Diagnostics, func(d model.Diagnostic) bool { return d.At.Name == name })
}

// What cannot be read is tried again a second later, as nothing tells when it can be: a process that has too many open files
// hears of the edit, and not of the files that are to be had again.
func TestWhatCannotBeReadIsTriedAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "a.yaml", service("a"))
	r := NewReader([]string{dir})
	read := func() {
		t.Helper()
		if _, err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if due := r.due(); !due.IsZero() {
		t.Errorf("everything could be read, and is due at %s", due)
	}
	loop := filepath.Join(dir, "loop.yaml")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	read()
	if due := r.due(); due.Before(began) || due.After(time.Now().Add(interval)) {
		t.Errorf("it is due at %s, at %s", due, began)
	}
	if err := os.Remove(loop); err != nil {
		t.Fatal(err)
	}
	read()
	if due := r.due(); !due.IsZero() {
		t.Errorf("everything can be read again, and is due at %s", due)
	}
}
