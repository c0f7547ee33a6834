package files

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// TestWatch edits files as editors and tools do. Each row begins with the services a and b and ends with those that it says; on
// the way, no result may lack one that is there before and after, unless the row takes it away.
func TestWatch(t *testing.T) {
	const a, b = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "apiVersion: v1\nkind: Service\nmetadata: {name: b}\n"
	changed := a + "spec: {type: ClusterIP}\n"
	for _, row := range []struct {
		name string
		edit func(t *testing.T, dir string)
		want string
	}{
		{"write in place", func(t *testing.T, dir string) { write(t, dir, "a.yaml", changed+"---\n"+service("c")) }, "a b c"},
		{"write beside and rename over", func(t *testing.T, dir string) {
			write(t, dir, ".a.yaml.swp", changed+"---\n"+service("c"))
			rename(t, dir, ".a.yaml.swp", "a.yaml")
		}, "a b c"},
		{"keep a copy, then write anew", func(t *testing.T, dir string) {
			write(t, dir, "4913", "")
			remove(t, dir, "4913")
			rename(t, dir, "a.yaml", "a.yaml~")
			write(t, dir, "a.yaml", changed+"---\n"+service("c"))
			remove(t, dir, "a.yaml~")
		}, "a b c"},
		{"empty, then write", func(t *testing.T, dir string) {
			write(t, dir, "a.yaml", "")
			write(t, dir, "a.yaml", changed+"---\n"+service("c"))
		}, "a b c"},
		{"a file appears", func(t *testing.T, dir string) { write(t, dir, "c.yaml", service("c")) }, "a b c"},
		{"a file is removed", func(t *testing.T, dir string) { remove(t, dir, "b.yaml") }, "a"},
		{"a file is renamed", func(t *testing.T, dir string) { rename(t, dir, "b.yaml", "0.yaml") }, "a b"},
		{"a document is removed", func(t *testing.T, dir string) { write(t, dir, "a.yaml", "# nothing\n") }, "b"},
		{"a folder with folders appears", func(t *testing.T, dir string) {
			for i := range 20 {
				write(t, dir, fmt.Sprintf("new/%d/deep/s.yaml", i), service(fmt.Sprintf("s%d", i)))
			}
			remove(t, dir, "b.yaml")
		}, "a s0 s1 s10 s11 s12 s13 s14 s15 s16 s17 s18 s19 s2 s3 s4 s5 s6 s7 s8 s9"},
		{"a folder is moved in", func(t *testing.T, dir string) {
			other := t.TempDir()
			write(t, other, "sub/c.yaml", service("c"))
			if err := os.Rename(filepath.Join(other, "sub"), filepath.Join(dir, "sub")); err != nil {
				t.Error(err)
			}
		}, "a b c"},
		{"the folder is replaced", func(t *testing.T, dir string) {
			write(t, dir+".new", "a.yaml", changed)
			write(t, dir+".new", "b.yaml", b)
			write(t, dir+".new", "c.yaml", service("c"))
			rename(t, "", dir, dir+".old")
			rename(t, "", dir+".new", dir)
		}, "a b c"},
		{"the folder is removed and comes back", func(t *testing.T, dir string) {
			remove(t, "", dir)
			write(t, dir, "a.yaml", changed)
			write(t, dir, "b.yaml", b)
			write(t, dir, "c.yaml", service("c"))
		}, "a b c"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var dir string
			var w *watcher
			for quick := false; !quick; {
				// An edit that is held up in the middle is not what an editor does.
				dir = filepath.Join(t.TempDir(), "mesh")
				write(t, dir, "a.yaml", a)
				write(t, dir, "b.yaml", b)
				w = watched(t, dir)
				w.reaches("a b")
				began := time.Now()
				row.edit(t, dir)
				quick = time.Since(began) < quietAfterLoss
			}
			w.reaches(row.want)
			w.keeps(both("a b", row.want))
			// What is watched now is still watched.
			write(t, dir, "last.yaml", service("z"))
			w.reaches(row.want + " z")
			write(t, dir, "last.yaml", "# nothing\n")
			w.reaches(row.want)
		})
	}
}

// TestWatchLinks turns links as Kubernetes does where it mounts a ConfigMap: files lead through ..data into a folder of their
// time, and ..data is turned to another one.
func TestWatchLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "..1/a.yaml", service("a"))
	write(t, dir, "..1/b.yaml", service("b"))
	symlink(t, "..1", dir, "..data")
	symlink(t, "..data/a.yaml", dir, "a.yaml")
	symlink(t, "..data/b.yaml", dir, "b.yaml")
	outside := t.TempDir()
	symlink(t, dir, outside, "mesh")
	w := watched(t, filepath.Join(outside, "mesh"))
	w.reaches("a b")
	for i, c := range []string{"c", "d", "e"} {
		now := fmt.Sprint("..", i+2)
		write(t, dir, now+"/a.yaml", service("a")+"---\n"+service(c))
		write(t, dir, now+"/b.yaml", service("b"))
		symlink(t, now, dir, "..data_tmp")
		rename(t, dir, "..data_tmp", "..data")
		remove(t, dir, fmt.Sprint("..", i+1))
		w.reaches("a b " + c)
	}
	// The link to the folder itself is turned.
	other := t.TempDir()
	write(t, other, "a.yaml", service("a"))
	symlink(t, other, outside, "next")
	rename(t, outside, "next", "mesh")
	w.reaches("a")
	write(t, other, "a.yaml", service("z"))
	w.reaches("z")
}

func symlink(t *testing.T, to, dir, name string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// TestWatchOneFile watches a file by its name: it alone, replaced, gone and back.
func TestWatchOneFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", service("a"))
	w := watched(t, filepath.Join(dir, "a.yaml"))
	w.reaches("a")
	write(t, dir, "b.yaml", service("b"))
	write(t, dir, "a.new", service("c"))
	rename(t, dir, "a.new", "a.yaml")
	w.reaches("c")
	remove(t, dir, "a.yaml")
	w.until("gone", func(r Result) bool { return services(r.Objects) == "" })
	write(t, dir, "a.yaml", service("d"))
	w.reaches("d")
	if n := len(w.results()); n > 6 {
		t.Errorf("%d results were told", n)
	}
}

// TestWatchHalfWritten writes a file in two halves, far apart, and leaves one empty.
func TestWatchHalfWritten(t *testing.T) {
	dir := t.TempDir()
	text := service("a") + "---\n" + service("b")
	write(t, dir, "a.yaml", text)
	w := watched(t, dir)
	w.reaches("a b")
	write(t, dir, "a.yaml", text[:len(text)-4])
	w.until("told", func(r Result) bool { return staleAt(r) != "" && services(r.Objects) == "a b" })
	write(t, dir, "a.yaml", text)
	w.until("mended", func(r Result) bool { return staleAt(r) == "" && services(r.Objects) == "a b" })
	w.keeps("a b")
	write(t, dir, "a.yaml", "")
	w.reaches("")
}

// TestWatchTellsChangesOnly writes what changes nothing, and then something: one result more is told.
func TestWatchTellsChangesOnly(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", service("a"))
	w := watched(t, dir)
	w.reaches("a")
	write(t, dir, "a.yaml", service("a"))
	write(t, dir, "notes.txt", "nothing")
	write(t, dir, "empty.yaml", "# nothing\n")
	if err := os.Chmod(filepath.Join(dir, "a.yaml"), 0o640); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "a.yaml", "\n"+service("a"))
	moved := func(r Result) bool {
		at := r.Positions.Locate([]model.Diagnostic{model.Note(model.WrongType, model.Ref{Kind: "Service", Namespace: "default", Name: "a"}, "")})
		return at[0].Position.Line == 2
	}
	w.until("moved", moved)
	told := w.results()
	for i, r := range told[1:] {
		if r.same(told[i]) {
			t.Errorf("result %d says what the one before says", i+1)
		}
	}
	if told[len(told)-1].Objects.Services[0] != told[0].Objects.Services[0] {
		t.Error("the object was read again, although it only moved")
	}
}

// TestPolling follows files that cannot be watched, and says why.
func TestPolling(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.yaml", service("a"))
	w := &watcher{t: t, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() {
		done <- (&watch{reader: NewReader([]string{dir}), changed: w.hear}).poll(ctx, syscall.ENOSPC)
	}()
	w.reaches("a")
	write(t, dir, "a.yaml", service("b"))
	w.reaches("b")
	for _, r := range w.results() {
		if !slices.ContainsFunc(r.Diagnostics, func(d model.Diagnostic) bool {
			return d.Code == model.PolledFiles && strings.Contains(d.Message, syscall.ENOSPC.Error())
		}) {
			t.Errorf("it is not told: %v", r.Diagnostics)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A watch of something that is not there ends with the reason.
func TestWatchNothing(t *testing.T) {
	err := NewReader([]string{filepath.Join(t.TempDir(), "none")}).Watch(t.Context(), func(Result) { t.Error("something is told") })
	if err == nil || !strings.Contains(err.Error(), "give a file, a directory") {
		t.Errorf("got %v", err)
	}
}

func service(name string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\n"
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Error(err)
	}
}

func rename(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Error(err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		t.Error(err)
	}
}

// both are the words of two texts that are in both.
func both(a, b string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(a), func(w string) bool { return !slices.Contains(strings.Fields(b), w) }), " ")
}

// watcher collects every result that is told.
type watcher struct {
	t     *testing.T
	mutex sync.Mutex
	told  []Result
	news  chan struct{}
}

// watched watches paths until the test ends.
func watched(t *testing.T, paths ...string) *watcher {
	w := &watcher{t: t, news: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- NewReader(paths).Watch(ctx, w.hear) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *watcher) hear(r Result) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.told = append(w.told, r)
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *watcher) results() []Result {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.told)
}

// reaches waits until the last result has just these services.
func (w *watcher) reaches(names string) {
	w.t.Helper()
	w.until(names, func(r Result) bool { return services(r.Objects) == names })
}

// until waits for the last result to be as it should.
func (w *watcher) until(what string, reached func(Result) bool) {
	w.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		told := w.results()
		if len(told) > 0 && reached(told[len(told)-1]) {
			return
		}
		select {
		case <-w.news:
		case <-deadline:
			last := "nothing"
			if len(told) > 0 {
				last = fmt.Sprintf("%s %v", services(told[len(told)-1].Objects), told[len(told)-1].Diagnostics)
			}
			w.t.Fatalf("%s is not reached; the last of %d results is %s", what, len(told), last)
		}
	}
}

// keeps wants the services in every result.
func (w *watcher) keeps(names string) {
	w.t.Helper()
	for i, r := range w.results() {
		for _, name := range strings.Fields(names) {
			if !slices.Contains(strings.Fields(services(r.Objects)), name) {
				w.t.Errorf("result %d lacks %s: it has %s", i, name, services(r.Objects))
			}
		}
	}
}

func services(o sources.Objects) string {
	var names []string
	for _, s := range o.Services {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
