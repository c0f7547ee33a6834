package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/shop"
	"github.com/flomesh-io/fsmc/tests/soak/record"
)

// report is what came of a soak, and how it is judged.
type report struct{ record.Report }

func newReport(o options) *report {
	return &report{record.Report{
		Date: time.Now().UTC().Format(time.DateOnly), Commit: commit(), Processor: processor(), CPUs: runtime.NumCPU(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Seed: o.seed, Rate: o.rate, Wanted: o.streams,
		Kinds: map[string]int{}, Asks: map[string]record.Ask{}, Faults: []string{},
	}}
}

// commit is what is soaked; empty where git does not know.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// processor is its name; empty where the system does not tell.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kindOf is the kind of an edit by its words.
func kindOf(what string) string {
	for _, kind := range []struct{ words, name string }{
		{"half written", "a file half written"},
		{"a broken policy", "a policy broken"},
		{"the guest may more", "policy"},
		{"no more policies", "policy mended"},
		{"ready: ", "readiness"},
		{"endpoints: ", "endpoints"},
		{"Service", "Services"},
		{" signs", "root"},
		{"egress", "MeshConfig"},
		{"certificates are valid", "certificates"},
		{"replicas", "pods"},
		{"split", "split"},
		{"weight", "split"},
		{"versioned", "Deployments and Services"},
		{"matches", "requests of a policy"},
		{"may call", "policy"},
		{"may not call", "policy"},
		{"nothing", "nothing"},
	} {
		if strings.Contains(what, kind.words) {
			return kind.name
		}
	}
	return what
}

func (r *report) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// asked takes down what came of the requests.
func (r *report) asked(asks map[string]shop.Ask) {
	for name, a := range asks {
		r.Asks[name] = record.Ask{
			Refused: a.Refused, Allowed: a.Allowed, Denied: a.Denied, Failed: a.Failed,
			Connections: a.Connections, Longest: a.Longest.Seconds(), Reasons: a.Reasons,
		}
		r.Asked += a.Total()
		r.Lost += a.Lost()
	}
}

// String is the report for people.
func (r *report) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%.0f s with %d edits, %d states published; %.0f s in all\n", r.Seconds, r.Edits, r.Published, r.Passed)
	for _, kind := range slices.Sorted(maps.Keys(r.Kinds)) {
		fmt.Fprintf(&s, "  %6d %s\n", r.Kinds[kind], kind)
	}
	fmt.Fprintf(&s, "simulated sidecars: %d and more, %d responses with %d resources, %d repeated, %d mangled; %d streams broken off\n",
		fewest(r.Samples, func(x record.Sample) int { return x.Streams }), r.Responses, r.Resources, r.Repeated, r.Mangled, r.Reconnects)
	fmt.Fprintf(&s, "real Envoys: %d, %d requests, %d lost; %d rejections\n", r.Envoys, r.Asked, r.Lost, r.Rejected)
	for _, name := range slices.Sorted(maps.Keys(r.Asks)) {
		a := r.Asks[name]
		fmt.Fprintf(&s, "  %s: %d allowed, %d denied, %d failed on %d connections, the longest took %.2f s %v\n",
			name, a.Allowed, a.Denied, a.Failed, a.Connections, a.Longest, a.Reasons)
	}
	for _, x := range r.Rests {
		fmt.Fprintf(&s, "rest after %d edits: %.2f MiB of heap, %.0f goroutines, %.0f files, Envoys %.2f MiB; settled after %.1f s, all again after %.1f s with %d resources\n",
			x.Edits, x.HeapBytes/(1<<20), x.Goroutines, x.OpenFiles, sum(x.EnvoyBytes)/(1<<20), x.Settled, x.Again, x.Pushed)
	}
	fmt.Fprintf(&s, "heap: %.1f MiB in the first third and %.1f in the last\n", r.HeapFirst/(1<<20), r.HeapLast/(1<<20))
	for _, f := range r.Faults {
		fmt.Fprintf(&s, "FAULT: %s\n", f)
	}
	return s.String()
}

func fewest(samples []record.Sample, of func(record.Sample) int) int {
	if len(samples) == 0 {
		return 0
	}
	return of(slices.MinFunc(samples, func(a, b record.Sample) int { return of(a) - of(b) }))
}

func sum(bytes map[string]float64) float64 {
	var all float64
	for _, n := range bytes {
		all += n
	}
	return all
}
