package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReferencePagesAreUpToDate(t *testing.T) {
	folder := t.TempDir()
	w := world{out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}
	if code := execute(t.Context(), []string{"docs", folder}, w); code != exitDone {
		t.Fatalf("the exit code is %d", code)
	}
	for _, name := range []string{"cli.md", "diagnostics.md", "proxy-metrics.md"} {
		want, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../docs/reference", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/reference/%s has drifted; `make codegen` writes it anew:\n%s", name, diff)
		}
	}
}
