package main

import (
	"fmt"
	"os"
	"testing"
)

// TestMain is one of the processes that benchmarks start when it is started as that.
func TestMain(m *testing.M) {
	child := children()[os.Getenv("FSMC_BENCH_CHILD")]
	if child == nil {
		os.Exit(m.Run())
	}
	if err := child(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestShortPush takes all servers through all phases with few proxies.
func TestShortPush(t *testing.T) {
	r, err := measurePush(t.TempDir(), "", pushEffort{services: 20, proxies: 40, rounds: 1, runs: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s\n%s", pushHeader(), r)
	for i, p := range r.Ours.Phases {
		f, q := r.Floor.Phases[i], r.Paced.Phases[i]
		if p.Streams != f.Streams || p.Resources != f.Resources {
			t.Errorf("%s: %d streams get %d resources, and of the floor %d get %d", p.Name, p.Streams, p.Resources, f.Streams, f.Resources)
		}
		if p.Messages != q.Messages || p.Resources != q.Resources {
			t.Errorf("%s: %d resources in %d messages, and of the paced floor %d in %d", p.Name, p.Resources, p.Messages, q.Resources, q.Messages)
		}
		if p.Name == "storm" && p.Messages > 0 {
			t.Errorf("who comes again with everything gets %d messages", p.Messages)
		}
	}
}
