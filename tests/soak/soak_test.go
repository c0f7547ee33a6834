package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/parts"
)

// TestShort is the soak for some seconds, or for $FSMC_SOAK, with everything that it looks at.
func TestShort(t *testing.T) {
	during := 15 * time.Second
	if text := os.Getenv("FSMC_SOAK"); text != "" {
		var err error
		if during, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FSMC_ENVOY", parts.Envoy(t))
	path := filepath.Join(t.TempDir(), "report.json")
	if err := run(t.Context(), options{during: during, seed: 1, services: 60, rate: 10, envoys: true}, path); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Edits < 20 || r.Streams < 50 || r.Published < 3 || r.Resources == 0 || len(r.Samples) < 3 {
		t.Errorf("it did too little to mean something: %+v", r)
	}
	if r.Envoys == 0 && r.WithoutEnvoys == "" {
		t.Error("there is no Envoy and no reason why")
	}
}
