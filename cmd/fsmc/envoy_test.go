package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// What `make run` does: a real Envoy loads every proxy.
func TestShowTheBookstoreToEnvoy(t *testing.T) {
	text := show(t, "smi", "--validate", "--envoy", realEnvoy(t))
	if n := strings.Count(text, "✓"); n != 6 {
		t.Errorf("Envoy took %d proxies:\n%s", n, text)
	}
}

func TestShowTheBookstore(t *testing.T) {
	const thief = "bookthief/bookthief may call nobody"
	for state, refused := range map[string]bool{"permissive": false, "smi": true, "admitted": false, "split": true} {
		text := show(t, state)
		if strings.Contains(text, thief) != refused {
			t.Errorf("%s: %s? It shows\n%s", state, thief, text)
		}
		for line := range strings.Lines(text) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > width {
				t.Errorf("%s: a line of %d columns: %s", state, n, line)
			}
		}
	}
}

// show runs `fsmc show` on a state of the demo, which has nothing wrong with it.
func show(t *testing.T, state string, flags ...string) string {
	t.Helper()
	var out, failures bytes.Buffer
	w := world{out: &out, err: &failures, getenv: os.Getenv, now: time.Now}
	code := execute(t.Context(), append([]string{"show", "../../demo/bookstore/" + state}, flags...), w)
	if code != exitDone {
		t.Fatalf("the exit code is %d: %s%s", code, out.String(), failures.String())
	}
	return out.String()
}

// realEnvoy is the path of the real Envoy. These tests are never skipped: without one they fail.
func realEnvoy(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("FSMC_ENVOY"); path != "" {
		return path
	}
	path, err := exec.CommandContext(t.Context(), "../../scripts/envoy.sh").Output()
	if err != nil {
		t.Fatalf("there is no Envoy, and scripts/envoy.sh could not get one: %v", err)
	}
	return strings.TrimSpace(string(path))
}

func TestReason(t *testing.T) {
	const prefix = "[2030-01-01 00:00:00.000][7]"
	tests := []struct{ name, log, want string }{
		{"the last that is worse than a warning", prefix + "[error][config] [a.cc:1] first\n" + prefix + "[critical][main] [b.cc:2] second\n" + prefix + "[info][main] [b.cc:3] exiting\n", "second"},
		{"with the lines that belong to it", prefix + "[critical][main] [b.cc:2] error at\nline two\n", "error at\nline two"},
		{"anything else", "Segmentation fault\n", "Segmentation fault"},
		{"nothing", "\n", "exit status 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := reason(test.log, errors.New("exit status 1")); got != test.want {
				t.Errorf("%q", got)
			}
		})
	}
}
