package disk

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

var _ sinks.Sink = (*Sink)(nil)

func TestWriteMakesTheTree(t *testing.T) {
	s := shop(t, 2)
	folder := filepath.Join(t.TempDir(), "a", "b", "out")
	sink := &Sink{Folder: folder, Credentials: newCredentials(t)}
	report := write(t, sink, s)

	got := contents(t, folder)
	want := expected(t, s)
	for file, text := range want {
		if diff := cmp.Diff(text, got[file]); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
	var others []string
	for file := range got {
		if _, ok := want[file]; !ok {
			others = append(others, file)
		}
	}
	slices.Sort(others)
	if diff := cmp.Diff([]string{
		".fsmc",
		"proxies/shop/client-0/ca.crt", "proxies/shop/client-0/tls.crt", "proxies/shop/client-0/tls.key",
		"proxies/shop/server-0/ca.crt", "proxies/shop/server-0/tls.crt", "proxies/shop/server-0/tls.key",
		"proxies/shop/server-1/ca.crt", "proxies/shop/server-1/tls.crt", "proxies/shop/server-1/tls.key",
	}, others); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Report{Files: len(got) - 1, Written: len(got) - 1, Issued: 3}, report); diff != "" {
		t.Error(diff)
	}
}

func TestWriteAgainChangesNothing(t *testing.T) {
	s := shop(t, 2)
	sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
	first := write(t, sink, s)
	before := stamps(t, sink.Folder)
	second := write(t, sink, s)
	if diff := cmp.Diff(Report{Files: first.Files}, second); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, stamps(t, sink.Folder)); diff != "" {
		t.Errorf("files were touched: %s", diff)
	}
}

func TestWriteRemovesWhatNoProxyNeeds(t *testing.T) {
	sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
	write(t, sink, shop(t, 3))
	report := write(t, sink, shop(t, 1))
	if want := 2 * 4; report.Removed != want {
		t.Errorf("%d files were removed, not %d", report.Removed, want)
	}
	assertTree(t, sink.Folder, shop(t, 1))
	if _, err := os.Stat(filepath.Join(sink.Folder, "proxies/shop/server-2")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder is left: %v", err)
	}
}

func TestWriteKeepsWhatStillRuns(t *testing.T) {
	sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
	write(t, sink, shop(t, 3))
	sink.Keep = []model.ProxyID{{Namespace: "shop", Name: "server-2"}, {Namespace: "shop", Name: "nobody"}}
	if report := write(t, sink, shop(t, 1)); report.Removed != 4 {
		t.Errorf("%d files were removed, not 4", report.Removed)
	}
	if _, err := os.Stat(filepath.Join(sink.Folder, "proxies/shop/server-2", ConfigFile)); err != nil {
		t.Error(err)
	}
	sink.Keep = nil
	write(t, sink, shop(t, 1))
	assertTree(t, sink.Folder, shop(t, 1))
}

func TestWriteOnlyTheProxiesChosen(t *testing.T) {
	sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t), Chosen: func(id model.ProxyID) bool { return id.Name == "client-0" }}
	write(t, sink, shop(t, 3))
	for file := range contents(t, sink.Folder) {
		if strings.Contains(file, "server") {
			t.Errorf("%s was written", file)
		}
	}
}

func TestWriteWithoutCredentialsLeavesOutTheProxies(t *testing.T) {
	sink := &Sink{Folder: t.TempDir()}
	if err := sink.Publish(t.Context(), shop(t, 1)); err != nil {
		t.Fatal(err)
	}
	for file := range contents(t, sink.Folder) {
		if strings.HasPrefix(file, "proxies/") {
			t.Errorf("%s was written", file)
		}
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	t.Run("a folder of somebody else is refused", func(t *testing.T) {
		folder := t.TempDir()
		put(t, folder, "notes.txt", "mine")
		assertRefused(t, &Sink{Folder: folder, Credentials: newCredentials(t)}, "holds notes.txt, which fsmc has not written")
	})
	t.Run("a file beside ours stays", func(t *testing.T) {
		sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
		write(t, sink, shop(t, 2))
		put(t, sink.Folder, "proxies/shop/server-1/notes.txt", "mine")
		write(t, sink, shop(t, 1))
		if got := contents(t, sink.Folder)["proxies/shop/server-1/notes.txt"]; got != "mine" {
			t.Errorf("it says %q now", got)
		}
	})
	t.Run("a file in the way is refused", func(t *testing.T) {
		sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
		write(t, sink, shop(t, 1))
		put(t, sink.Folder, "proxies/shop/server-1/envoy.yaml", "mine")
		before := contents(t, sink.Folder)
		_, err := sink.Write(t.Context(), shop(t, 2))
		assertError(t, err, "holds proxies/shop/server-1/envoy.yaml, which fsmc has not written")
		if diff := cmp.Diff(before, contents(t, sink.Folder)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an index of somebody else is refused", func(t *testing.T) {
		folder := t.TempDir()
		put(t, folder, ".fsmc", "settings of another program\n")
		assertRefused(t, &Sink{Folder: folder}, "not an index that this fsmc has written")
	})
	t.Run("an index that leads out is refused", func(t *testing.T) {
		folder := t.TempDir()
		put(t, folder, ".fsmc", indexTitle+stateClosed+"\n../victim\n")
		assertRefused(t, &Sink{Folder: folder}, `lists "../victim"`)
	})
	t.Run("a link out of the folder is not followed", func(t *testing.T) {
		outside := t.TempDir()
		sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t)}
		write(t, sink, shop(t, 1))
		if err := os.RemoveAll(filepath.Join(sink.Folder, "proxies")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(outside, filepath.Join(sink.Folder, "proxies")); err != nil {
			t.Fatal(err)
		}
		_, err := sink.Write(t.Context(), shop(t, 1))
		assertError(t, err, "escapes")
		if files := contents(t, outside); len(files) > 0 {
			t.Errorf("written outside: %v", files)
		}
	})
}

func TestAFailureLeavesTheTreeAsItWas(t *testing.T) {
	failing := newCredentials(t)
	failing.Issuer = brokenIssuer{}

	t.Run("a new folder is not left behind", func(t *testing.T) {
		parent := t.TempDir()
		_, err := (&Sink{Folder: filepath.Join(parent, "a", "out"), Credentials: failing}).Write(t.Context(), shop(t, 1))
		assertError(t, err, "out of ink")
		if names, _ := os.ReadDir(parent); len(names) > 0 {
			t.Errorf("%v is left", names)
		}
	})
	t.Run("an old tree stays", func(t *testing.T) {
		folder := t.TempDir()
		write(t, &Sink{Folder: folder, Credentials: newCredentials(t)}, shop(t, 2))
		before := stamps(t, folder)
		delete(before, ".fsmc")
		_, err := (&Sink{Folder: folder, Credentials: failing}).Write(t.Context(), shop(t, 5))
		assertError(t, err, "out of ink")
		after := stamps(t, folder)
		delete(after, ".fsmc")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Error(diff)
		}
		assertTree(t, folder, shop(t, 2))
	})
	t.Run("so does one with a folder where a file belongs", func(t *testing.T) {
		sink := &Sink{Folder: t.TempDir()}
		write(t, sink, shop(t, 1))
		if err := errors.Join(os.Remove(filepath.Join(sink.Folder, "mesh.yaml")), os.Mkdir(filepath.Join(sink.Folder, "mesh.yaml"), 0o755)); err != nil {
			t.Fatal(err)
		}
		before := contents(t, sink.Folder)
		_, err := sink.Write(t.Context(), shop(t, 2))
		assertError(t, err, "is a folder, where a file belongs")
		if diff := cmp.Diff(before, contents(t, sink.Folder)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("an interrupted run stops", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sink := &Sink{Folder: filepath.Join(t.TempDir(), "out"), Credentials: newCredentials(t), Progress: func(done, _ int) {
			if done == 3 {
				cancel()
			}
		}}
		if _, err := sink.Write(ctx, shop(t, 5)); !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		if _, err := os.Stat(sink.Folder); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the folder is left: %v", err)
		}
	})
}

func TestFoldersThatCannotBeWritten(t *testing.T) {
	parent := t.TempDir()
	put(t, parent, "file", "")
	for _, folder := range []string{filepath.Join(parent, "file"), filepath.Join(parent, "file", "out")} {
		sink := &Sink{Folder: folder}
		if err := sink.Check(t.Context()); err == nil {
			t.Errorf("%s passes the check", folder)
		}
		if _, err := sink.Write(t.Context(), shop(t, 1)); err == nil {
			t.Errorf("%s was written", folder)
		}
	}
}

func TestCheckLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	if err := (&Sink{Folder: filepath.Join(parent, "a", "out")}).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(parent); len(names) > 0 {
		t.Errorf("%v is left", names)
	}
}

func TestRunsTakeTurns(t *testing.T) {
	folder := t.TempDir()
	credentials := newCredentials(t)
	var runs sync.WaitGroup
	for i := range 6 {
		s := shop(t, 1+i%2)
		runs.Go(func() {
			if _, err := (&Sink{Folder: folder, Credentials: credentials}).Write(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	runs.Wait()
	write(t, &Sink{Folder: folder, Credentials: credentials}, shop(t, 2))
	assertTree(t, folder, shop(t, 2))

	held, err := openTree(t.Context(), folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = (&Sink{Folder: folder}).Write(ctx, shop(t, 2))
	assertError(t, err, "another fsmc is writing")
	if err := held.close(); err != nil {
		t.Fatal(err)
	}
}

func TestProgressCountsToTheEnd(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]bool{}
	total := 0
	sink := &Sink{Folder: t.TempDir(), Credentials: newCredentials(t), Progress: func(done, of int) {
		mu.Lock()
		defer mu.Unlock()
		seen[done], total = true, of
	}}
	write(t, sink, shop(t, 2))
	if len(seen) != total || !seen[total] {
		t.Errorf("%d steps of %d were told", len(seen), total)
	}
}

func write(t *testing.T, sink *Sink, s sinks.Snapshot) Report {
	t.Helper()
	report, err := sink.Write(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func assertRefused(t *testing.T, sink *Sink, reason string) {
	t.Helper()
	before := contents(t, sink.Folder)
	assertError(t, sink.Check(t.Context()), reason)
	_, err := sink.Write(t.Context(), shop(t, 1))
	assertError(t, err, reason)
	if diff := cmp.Diff(before, contents(t, sink.Folder)); diff != "" {
		t.Errorf("the folder was changed: %s", diff)
	}
}

func assertError(t *testing.T, err error, reason string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("the error is %v, and should say %q", err, reason)
	}
}

// assertTree compares the folder with what belongs there, certificates aside, and checks that nothing else of ours is.
func assertTree(t *testing.T, folder string, s sinks.Snapshot) {
	t.Helper()
	got := contents(t, folder)
	if !strings.HasPrefix(got[".fsmc"], indexTitle+stateClosed+"\n") {
		t.Errorf("the index is not complete: %s", got[".fsmc"])
	}
	for _, proxy := range slices.Collect(s.Mesh.Proxies()) {
		for _, file := range (credential{folder: "proxies/" + proxy.ID.String()}).files() {
			if got[file] == "" {
				t.Errorf("%s is missing", file)
			}
			delete(got, file)
		}
	}
	delete(got, ".fsmc")
	if diff := cmp.Diff(expected(t, s), got); diff != "" {
		t.Error(diff)
	}
}

// expected is what Files says, by path.
func expected(t *testing.T, s sinks.Snapshot) map[string]string {
	t.Helper()
	files, err := Files(s.Mesh, s.Output, s.Diagnostics)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, file := range files {
		texts[file.Path] = string(file.Bytes)
	}
	return texts
}

// contents are all regular files of a folder, by path.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for file := range stamps(t, folder) {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	return texts
}

// stamps are the times at which the regular files of a folder were written.
func stamps(t *testing.T, folder string) map[string]time.Time {
	t.Helper()
	times := map[string]time.Time{}
	err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		stat, err := entry.Info()
		name, _ := filepath.Rel(folder, file)
		times[filepath.ToSlash(name)] = stat.ModTime()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}

func put(t *testing.T, folder, file, text string) {
	t.Helper()
	name := filepath.Join(folder, file)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}
