package files_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/sources/files"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// BenchmarkOneFile reads, completes and resolves a folder of manifests: everything, and again after one file was changed.
// Divide the one by the other.
func BenchmarkOneFile(b *testing.B) {
	for _, n := range []int{100, 1000, 3000} {
		dir, names := folder(b, shapes.YAML(shapes.PowerLaw(n).Manifests(10)))
		b.Run(fmt.Sprintf("%d/fresh", n), func(b *testing.B) {
			for b.Loop() {
				once(b, files.NewReader([]string{dir}), nil, nil)
			}
		})
		for _, edit := range []struct{ name, from, to string }{
			{"replicas", "replicas: 10\n", "replicas: 11\n"},
			{"comment", "---\n", "---\n# a comment\n"},
			{"method", "    - GET\n", "    - HEAD\n"},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, edit.name), func(b *testing.B) {
				r := files.NewReader([]string{dir})
				completion, resolution := once(b, r, nil, nil)
				i := 0
				for b.Loop() {
					b.StopTimer()
					i = next(b, names, i, edit.from, edit.to)
					b.StartTimer()
					completion, resolution = once(b, r, completion, resolution)
				}
			})
		}
	}
}

func once(b *testing.B, r *files.Reader, c *sources.Completion, s *sources.Resolution) (*sources.Completion, *sources.Resolution) {
	b.Helper()
	read, err := r.Read()
	if err != nil {
		b.Fatal(err)
	}
	c = sources.CompleteFrom(read.Objects, c)
	return c, sources.ResolveFrom(c.Objects, s)
}

// folder writes documents into files of ten each.
func folder(b *testing.B, text []byte) (string, []string) {
	b.Helper()
	dir := b.TempDir()
	var names []string
	documents := bytes.Split(bytes.TrimPrefix(text, []byte("---\n")), []byte("\n---\n"))
	for chunk := range slices.Chunk(documents, 10) {
		name := filepath.Join(dir, fmt.Sprintf("%05d.yaml", len(names)))
		if err := os.WriteFile(name, append([]byte("---\n"), bytes.Join(chunk, []byte("\n---\n"))...), 0o600); err != nil {
			b.Fatal(err)
		}
		names = append(names, name)
	}
	return dir, names
}

// next changes the next file that has a text, or changes it back, and says which it was.
func next(b *testing.B, names []string, i int, from, to string) int {
	b.Helper()
	for range names {
		i = (i + 1) % len(names)
		text, err := os.ReadFile(names[i])
		if err != nil {
			b.Fatal(err)
		}
		changed := bytes.Replace(text, []byte(from), []byte(to), 1)
		if bytes.Contains(text, []byte(to)) {
			changed = bytes.Replace(text, []byte(to), []byte(from), 1)
		}
		if !bytes.Equal(text, changed) {
			if err := os.WriteFile(names[i], changed, 0o600); err != nil {
				b.Fatal(err)
			}
			return i
		}
	}
	b.Fatalf("no file has %q", from)
	return 0
}
