package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// What `make run` does: a real Envoy loads every proxy.
func TestShowTheBookstoreToEnvoy(t *testing.T) {
	text := show(t, "smi", "--validate", "--envoy", parts.Envoy(t))
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
