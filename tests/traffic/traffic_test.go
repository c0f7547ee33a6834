// Package traffic asks real sidecars: every case of testdata that has an access.yaml runs as a mesh on this machine, and
// its requests must be answered as they say. It uses the command that users have, and needs what that needs.
package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/parts"
)

const root = "../.."

// TestTraffic asks each request twice: of sidecars that are served over ADS, and of those that run from files.
func TestTraffic(t *testing.T) {
	fsmc := parts.Fsmc(t, t.TempDir())
	for _, from := range []string{"ads", "disk"} {
		var asked atomic.Int64
		t.Run(from, func(t *testing.T) {
			for _, directory := range cases(t) {
				t.Run(strings.TrimPrefix(directory, root+"/testdata/"), func(t *testing.T) {
					t.Parallel()
					asked.Add(int64(ask(t, fsmc, from, filepath.Join(directory, "input.yaml"), filepath.Join(directory, "access.yaml"))))
				})
			}
		})
		const enough = 400
		if asked.Load() < enough {
			t.Errorf("only %d requests were asked", asked.Load())
		}
		t.Logf("%d requests were asked of sidecars configured from %s", asked.Load(), from)
	}
}

// TestFirstPolicy runs the example of docs/testing-policies.md.
func TestFirstPolicy(t *testing.T) {
	example := filepath.Join(root, "docs", "examples", "first-policy")
	if n := ask(t, parts.Fsmc(t, t.TempDir()), "ads", filepath.Join(example, "manifests.yaml"), filepath.Join(example, "access.yaml")); n == 0 {
		t.Error("the example asks nothing")
	}
}

// TestTrafficCanFail shows that a wrong expectation is found.
func TestTrafficCanFail(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "access.yaml")
	text := "- {name: the thief is let in, from: bookthief/bookthief, to: 'bookstore.bookstore:14001', request: {path: /buy-a-book/new}, want: allow}\n"
	if err := os.WriteFile(wrong, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, code, _ := run(t, parts.Fsmc(t, t.TempDir()), "ads", filepath.Join(root, "testdata/bookstore/split/input.yaml"), wrong)
	if code != 1 {
		t.Errorf("the exit code is %d, not 1", code)
	}
}

func cases(t *testing.T) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(filepath.Join(root, "testdata"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "access.yaml" {
			list = append(list, filepath.Dir(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// result is what the test reads of a result.
type result struct {
	Name    string
	File    string
	Line    int
	Passed  bool
	Failure string
}

// ask asks the requests of a case file, and says how many there were.
func ask(t *testing.T, fsmc, from, input, access string) int {
	t.Helper()
	output, code, trouble := run(t, fsmc, from, input, access)
	var results []result
	if err := json.Unmarshal(output, &results); err != nil {
		t.Fatalf("exit code %d: %s%s", code, output, trouble)
	}
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s:%d: %s: %s", strings.TrimPrefix(r.File, root+"/"), r.Line, r.Name, r.Failure)
		}
	}
	return len(results)
}

func run(t *testing.T, fsmc, from, input, access string) (output []byte, code int, trouble string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, fsmc, "test", input, "--cases", access, "--config-from", from, "--format", "json")
	command.Env = append(os.Environ(), "FSMC_ENVOY="+parts.Envoy(t))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output, command.ProcessState.ExitCode(), stderr.String()
}
