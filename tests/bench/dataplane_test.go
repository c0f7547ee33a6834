//go:build linux

package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// TestShortDataplane runs real sidecars of all three forms for a moment.
func TestShortDataplane(t *testing.T) {
	t.Setenv("FSMC_ENVOY", parts.Envoy(t))
	const moment = 200 * time.Millisecond
	r, err := measureDataplane(t.TempDir(), dataplaneEffort{services: 10, rounds: 2, rate: 100, connections: 2, steady: moment, full: moment, warming: moment, memory: true})
	if errors.Is(err, os.ErrPermission) {
		t.Skip("this system does not let this user make namespaces")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s\n%s", dataplaneHeader(), r)
	for _, f := range r.forms() {
		if c := f.cost; c.P50 == 0 || c.PerSecond == 0 || c.Allocated == 0 || c.Resident < c.Allocated || c.Statistics == 0 {
			t.Errorf("%s: %+v", f.name, c)
		}
	}
	if len(r.Memory) != len(variations()) {
		t.Errorf("memory is measured of %v", r.Memory)
	}
	if r.Ours.Statistics >= r.Ancestor.Statistics {
		t.Errorf("we have %d statistics and the ancestor %d", r.Ours.Statistics, r.Ancestor.Statistics)
	}
}

// TestLoadFails shows that a load whose answers are not what they should be is an error.
func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	forms, err := newForms(dir, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer forms.stop()
	p := forms.place
	p.Path = "/somewhere/else"
	s, err := newSite(parts.Envoy(t), forms.ours, p)
	if errors.Is(err, os.ErrPermission) {
		t.Skip("this system does not let this user make namespaces")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close() }()
	if err := s.warm(dataplaneEffort{connections: 1, warming: time.Second}); err == nil {
		t.Error("a request that policies refuse is answered")
	} else if want := "HTTP/1.1 403 Forbidden"; !strings.Contains(err.Error(), want) {
		t.Errorf("the load says %q, and not %q", err, want)
	}
}
