package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// TestReadPaths says which files are read, and in which order. Every file of the tree has a Pod of its own name.
func TestReadPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, path := range []string{
		"d/b.yaml", "d/a.yml", "d/c.JSON", "d/e.txt", "d/README.md", "d/sub/f.json", "d/.hidden.yaml", "d/access.yaml", "d/out/.fsmc", "d/out/mesh.yaml", "d/.git/g.yaml", "d/sub.yaml/h.yaml", "other/i.yaml", "other/j.txt",
	} {
		writePod(t, path)
	}
	link(t, "../../other/i.yaml", "d/sub/k.yaml")
	link(t, "../other", "d/linked.yaml")
	link(t, "d", "link")
	link(t, "nowhere", "d/.#b.yaml")

	tests := []struct {
		name  string
		paths []string
		pods  []string
		want  []string
	}{
		{"a directory", []string{"d"}, []string{"a", "b", "c", "h", "f", "i"}, nil},
		{"here", []string{"."}, []string{"a", "b", "c", "h", "f", "i"}, []string{"other/i.yaml:0:0 info FSM1011"}},
		{"a path with much in it", []string{"./other/../d//sub/"}, []string{"f", "i"}, nil},
		{"a link to a directory", []string{"link"}, []string{"a", "b", "c", "h", "f", "i"}, nil},
		{"a file of any name", []string{"other/j.txt"}, []string{"j"}, nil},
		{"paths in the order of their names", []string{"other/i.yaml", "d/b.yaml", "d/a.yml"}, []string{"a", "b", "i"}, nil},
		{"a file that is given twice", []string{"d/b.yaml", "d", "link/b.yaml"}, []string{"a", "b", "c", "h", "f", "i"}, []string{"d/b.yaml:0:0 info FSM1011", "link/b.yaml:0:0 info FSM1011"}},
		{"standard input", []string{"-"}, []string{"in"}, nil},
		{"standard input, which counts last", []string{"-", "other/i.yaml", "-"}, []string{"i", "in"}, []string{"<stdin>:0:0 info FSM1011"}},
		{"nothing to read", []string{"d/.git/../sub/../../other/j.txt/.."}, nil, nil},
		{"no paths", nil, nil, []string{":0:0 warning FSM1010"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "nothing to read" {
				test.paths, test.want = []string{t.TempDir()}, []string{":0:0 warning FSM1010"}
			}
			r, err := Read(test.paths, strings.NewReader(pod("in")))
			if err != nil {
				t.Fatal(err)
			}
			var pods []string
			for _, p := range r.Objects.Pods {
				pods = append(pods, p.Name)
			}
			if diff := cmp.Diff(test.pods, pods); diff != "" {
				t.Errorf("pods (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, places(r.Diagnostics)); diff != "" {
				t.Errorf("diagnostics (-want +got):\n%s", diff)
			}
			if r.Files != len(pods) || r.Documents != len(pods) {
				t.Errorf("%d files, %d documents for %d pods", r.Files, r.Documents, len(pods))
			}
		})
	}
}

// TestReadFails says what cannot be read at all.
func TestReadFails(t *testing.T) {
	t.Chdir(t.TempDir())
	writePod(t, "d/a.yaml")
	writePod(t, "secret/a.yaml")
	link(t, "nowhere.yaml", "dangling/b.yaml")
	if err := os.Chmod("secret/a.yaml", 0); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"a path that is not there", "x", "read x: no such file or directory; give a file, a directory, or - for standard input"},
		{"a file as a directory", "d/a.yaml/b", "read d/a.yaml/b: not a directory"},
		{"a link to nowhere", "dangling", "read dangling/b.yaml: no such file or directory; give a file, a directory, or - for standard input"},
		{"a file of somebody else", "secret", "read secret/a.yaml: permission denied; allow the current user to read it, or leave it out"},
		{"broken standard input", "-", "read standard input: torn"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := os.ReadFile("secret/a.yaml"); test.path == "secret" && err == nil {
				t.Skip("this user may read everything")
			}
			r, err := Read([]string{"d", test.path}, iotest.ErrReader(errors.New("torn")))
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if len(r.Objects.Pods) > 0 {
				t.Error("objects beside an error")
			}
		})
	}
}

func pod(name string) string { return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\n" }

func writePod(t *testing.T, path string) {
	t.Helper()
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	text := pod(strings.TrimPrefix(name, "."))
	if strings.EqualFold(filepath.Ext(path), ".json") {
		text = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "` + name + `"}}`
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip("no symbolic links here:", err)
	}
}
