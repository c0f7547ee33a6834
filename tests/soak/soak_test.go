package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/shop"
	"github.com/flomesh-io/fsmc/tests/parts"
	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// TestShort is the soak for some seconds, with everything that it looks at.
func TestShort(t *testing.T) {
	t.Setenv("FSMC_ENVOY", parts.Envoy(t))
	path := filepath.Join(t.TempDir(), "report.json")
	o := options{during: 15 * time.Second, seed: 1, streams: 60, rate: 10, envoys: true}
	err := run(t.Context(), o, path)
	if errors.Is(err, shop.ErrForbidden) {
		t.Logf("without real Envoys: %v", err)
		o.envoys = false
		err = run(t.Context(), o, path)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r record.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Published < 3 || r.Resources == 0 || len(r.Samples) < 3 || len(r.Rests) != 2 || len(r.Kinds) < 8 {
		t.Errorf("it did too little to mean something: %s", &report{r})
	}
}

// TestFaultsAreFound judges good soaks that one thing is wrong with.
func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*record.Report)
		want  string
	}{
		{"nothing is wrong", func(*record.Report) {}, ""},
		{"1 KiB is left over of each edit", left(func(u *record.Use, edits float64) { u.HeapBytes += 1024 * edits }), "bytes of heap"},
		{"a goroutine is left over of each broken stream", left(func(u *record.Use, edits float64) { u.Goroutines += edits / 10 }), "goroutines"},
		{"a file is left over now and then", left(func(u *record.Use, edits float64) { u.OpenFiles += edits / 1000 }), "open files"},
		{"an Envoy grows", func(r *record.Report) { r.Rests[4].EnvoyBytes = map[string]float64{"client-0": 30 << 20} }, "Envoy of client-0"},
		{"one request is lost", func(r *record.Report) { r.Asks["client"] = record.Ask{Allowed: 1e6, Failed: 1} }, "client"},
		{"one is refused", func(r *record.Report) { r.Asks["client"] = record.Ask{Allowed: 1e6, Denied: 1} }, "client"},
		{"one is let through", func(r *record.Report) { r.Asks["guest"] = record.Ask{Refused: true, Failed: 1e6, Allowed: 1} }, "guest"},
		{"somebody has stopped asking", func(r *record.Report) { r.Asks["client"] = record.Ask{Allowed: 1000} }, "client"},
		{"too few streams, once", func(r *record.Report) { r.Samples[50].Streams = 199 }, "199 simulated"},
		{"an Envoy was away, once", func(r *record.Report) { r.Samples[50].Envoys = 4 }, "4 of 5 Envoys"},
		{"too few edits", func(r *record.Report) { r.Edits = 15000 }, "15000 edits"},
		{"something was rejected", func(r *record.Report) { r.Rejected = 1 }, "rejected"},
		{"there was no rest", func(r *record.Report) { r.Rests = nil }, "rests"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report{good()}
			c.spoil(&r.Report)
			r.judge()
			found := strings.Join(r.Faults, "; ")
			if c.want == "" && found != "" || !strings.Contains(found, c.want) {
				t.Errorf("found: %q, wanted: %q", found, c.want)
			}
		})
	}
}

// good is half an hour in which nothing was wrong, with some noise.
func good() record.Report {
	r := record.Report{
		Seconds: 1800, Rate: 10, Edits: 18000, Wanted: 200, Envoys: 5,
		Asks: map[string]record.Ask{"client": {Allowed: 1e6}, "guest": {Refused: true, Failed: 1e4}},
	}
	for i := range 100 {
		saw := float64(i*7%10) * (1 << 20)
		r.Samples = append(r.Samples, record.Sample{Second: float64(18 * i), Streams: 220 - i%17, Envoys: 5, Use: record.Use{HeapBytes: 40<<20 + saw}})
	}
	for i, noise := range []float64{0.3, 0.9, 0, 1.1, 0.7} {
		r.Rests = append(r.Rests, record.Rest{
			Second: float64(360 * (i + 1)), Edits: 3600 * (i + 1), EnvoyBytes: map[string]float64{"client-0": 12 << 20},
			Use: record.Use{HeapBytes: 40<<20 + noise*(1<<20), Goroutines: 1200 + 2*noise, OpenFiles: 260},
		})
	}
	return r
}

// left leaves something over of each edit.
func left(over func(u *record.Use, edits float64)) func(*record.Report) {
	return func(r *record.Report) {
		r.Rests = slices.Clone(r.Rests)
		for i := range r.Rests {
			over(&r.Rests[i].Use, float64(r.Rests[i].Edits))
		}
		for i := range r.Samples {
			over(&r.Samples[i].Use, 10*r.Samples[i].Second)
		}
	}
}
