package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A run that is killed while it writes leaves every file old or new, and the next run brings all in order. Certificates
// are looked at where they are made, in sinks/disk.
func TestAKilledRunIsRepairedByTheNext(t *testing.T) {
	folder := t.TempDir()
	out := filepath.Join(folder, "out")
	states := []string{"../../demo/bookstore/smi", "../../demo/bookstore/permissive"}
	want := []map[string]string{compiledTree(t, states[0]), compiledTree(t, states[1])}

	for round := range 12 {
		state := round % 2
		child := exec.Command("fsmc", "compile", states[state], "-o", out)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		if round%3 == 0 {
			_ = child.Process.Signal(syscall.SIGINT)
		} else {
			_ = child.Process.Kill()
		}
		_ = child.Wait()
		for file, text := range textFiles(t, out) {
			if text != want[0][file] && text != want[1][file] {
				t.Fatalf("round %d: %s is neither old nor new", round, file)
			}
		}
	}
	if output, err := exec.Command("fsmc", "compile", states[0], "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if diff := cmp.Diff(want[0], textFiles(t, out)); diff != "" {
		t.Error(diff)
	}
}

func compiledTree(t *testing.T, manifests string) map[string]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if output, err := exec.Command("fsmc", "compile", manifests, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return textFiles(t, out)
}

// textFiles are the YAML files of a tree, by path.
func textFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	_ = filepath.WalkDir(folder, func(file string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".yaml") {
			return nil
		}
		text, err := os.ReadFile(file)
		name, _ := filepath.Rel(folder, file)
		texts[name] = string(text)
		return err
	})
	return texts
}
