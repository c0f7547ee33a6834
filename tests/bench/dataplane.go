package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// dataplaneRow is what sidecars cost that see so many services, in three forms.
type dataplaneRow struct {
	Case     string `json:"case"`
	Services int    `json:"services"`
	Rounds   int    `json:"rounds"`
	// Rate is the requests per second of the load that does not wait for answers.
	Rate     int      `json:"rate"`
	Ours     formCost `json:"ours"`
	Floor    formCost `json:"floor"`
	Ancestor formCost `json:"ancestor"`
	// OfFloor and OfAncestor are ours to the others.
	OfFloor    formRatio `json:"ofFloor"`
	OfAncestor formRatio `json:"ofAncestor"`
	// Memory tells what the memory of the client's sidecar is for.
	Memory []memoryPart `json:"memory,omitempty"`
}

// formCost is one form. Seconds and rates are medians of the rounds.
type formCost struct {
	// P50 and P99 are of requests at a steady rate.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	// ClientCPU and ServerCPU are seconds of the two sidecars for a request, with as many requests as they can answer, which
	// is PerSecond; SteadyCPU is that of both at the steady rate.
	ClientCPU float64 `json:"clientCPU"`
	ServerCPU float64 `json:"serverCPU"`
	SteadyCPU float64 `json:"steadyCPU"`
	PerSecond float64 `json:"perSecond"`
	// Allocated and Resident are bytes of the client's sidecar: what it has allocated, and what it takes of the machine.
	// Before is what it had allocated before the first request.
	Before    uint64 `json:"before"`
	Allocated uint64 `json:"allocated"`
	Resident  uint64 `json:"resident"`
	// Statistics is how many the client's sidecar has in the end.
	Statistics int `json:"statistics"`
}

// formRatio compares two forms: the medians of what is compared round by round, and memory as it is.
type formRatio struct {
	P50       float64 `json:"p50"`
	P99       float64 `json:"p99"`
	CPU       float64 `json:"cpu"`
	SteadyCPU float64 `json:"steadyCPU"`
	Allocated float64 `json:"allocated"`
}

// dataplaneEffort is the size of a benchmark of sidecars.
type dataplaneEffort struct {
	services, rounds      int
	rate, connections     int
	steady, full, warming time.Duration
	// memory says that variations are to be measured too.
	memory bool
}

func dataplanes() []benchmark {
	var list []benchmark
	for _, n := range []int{10, 100, 1000} {
		list = append(list, benchmark{
			name: fmt.Sprintf("dataplane/%d", n),
			measure: func(dir, _ string) (fmt.Stringer, error) {
				return measureDataplane(dir, dataplaneEffort{
					services: n, rounds: 12, rate: 500, connections: 4,
					steady: 1200 * time.Millisecond, full: 800 * time.Millisecond, warming: time.Second, memory: n == mostVisible,
				})
			},
		})
	}
	return list
}

// measureDataplane runs the three forms beside each other, and loads one after the other, round by round.
func measureDataplane(dir string, e dataplaneEffort) (r dataplaneRow, err error) {
	r = dataplaneRow{Case: fmt.Sprintf("dataplane/%d", e.services), Services: e.services, Rounds: e.rounds, Rate: e.rate}
	envoy, err := envoyPath()
	if err != nil {
		return r, err
	}
	forms, err := newForms(dir, e.services)
	if err != nil {
		return r, err
	}
	defer forms.stop()
	var sites []*site
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.close())
		}
	}()
	for _, f := range forms.list() {
		s, err := newSite(envoy, f, forms.place)
		if err != nil {
			return r, fmt.Errorf("%s: %w", f.name, err)
		}
		sites = append(sites, s)
		if err := s.warm(e); err != nil {
			return r, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for n := range e.rounds {
		for i := range sites {
			at := (n + i) % len(sites) // none always comes after the same other
			if err := sites[at].round(e); err != nil {
				return r, fmt.Errorf("%s: %w", forms.list()[at].name, err)
			}
		}
	}
	for i, cost := range []*formCost{&r.Ours, &r.Floor, &r.Ancestor} {
		if *cost, err = sites[i].cost(); err != nil {
			return r, err
		}
	}
	r.OfFloor, r.OfAncestor = sites[0].ratio(sites[1]), sites[0].ratio(sites[2])
	r.OfFloor.Allocated = float64(r.Ours.Allocated) / float64(r.Floor.Allocated)
	r.OfAncestor.Allocated = float64(r.Ours.Allocated) / float64(r.Ancestor.Allocated)
	if e.memory {
		r.Memory, err = forms.memoryParts(dir, envoy, e.services)
	}
	return r, err
}

// envoyPath is the Envoy that make names, or the one that scripts/envoy.sh has fetched.
func envoyPath() (string, error) {
	if path := os.Getenv("FSMC_ENVOY"); path != "" {
		return path, nil
	}
	path, err := filepath.Abs(filepath.Join(".tools", "envoy"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("FSMC_ENVOY does not name an Envoy, and there is none in .tools: %w", err)
	}
	return path, nil
}

// measured is one round of one form.
type measured struct {
	steady, full loaded
}

// What is compared, in seconds.

func (m measured) p50() float64 { return m.steady.P50 }
func (m measured) p99() float64 { return m.steady.P99 }
func (m measured) steadyCPU() float64 {
	return (m.steady.CPU[0] + m.steady.CPU[1]) / float64(m.steady.Requests)
}
func (m measured) clientCPU() float64 { return m.full.CPU[0] / float64(m.full.Requests) }
func (m measured) serverCPU() float64 { return m.full.CPU[1] / float64(m.full.Requests) }
func (m measured) cpu() float64       { return m.clientCPU() + m.serverCPU() }
func (m measured) perSecond() float64 { return float64(m.full.Requests) / m.full.Seconds }

func medianOf(rounds []measured, value func(measured) float64) float64 {
	var all []float64
	for _, m := range rounds {
		all = append(all, value(m))
	}
	return median(all)
}

// median sorts the values.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// ratio compares two sites round by round.
func (s *site) ratio(other *site) formRatio {
	of := func(value func(measured) float64) float64 {
		var all []float64
		for i := range s.rounds {
			all = append(all, value(s.rounds[i])/value(other.rounds[i]))
		}
		return median(all)
	}
	return formRatio{P50: of(measured.p50), P99: of(measured.p99), CPU: of(measured.cpu), SteadyCPU: of(measured.steadyCPU)}
}

// cost sums the rounds of a site up.
func (s *site) cost() (formCost, error) {
	var now inspected
	if err := s.process.ask(siteOrder{Inspect: true}, &now); err != nil {
		return formCost{}, err
	}
	return formCost{
		P50: medianOf(s.rounds, measured.p50), P99: medianOf(s.rounds, measured.p99),
		ClientCPU: medianOf(s.rounds, measured.clientCPU), ServerCPU: medianOf(s.rounds, measured.serverCPU),
		SteadyCPU: medianOf(s.rounds, measured.steadyCPU), PerSecond: medianOf(s.rounds, measured.perSecond),
		Before: s.before, Allocated: now.Allocated, Resident: now.Resident, Statistics: now.Statistics,
	}, nil
}

const dataplaneLegend = `Two real sidecars, a client's and a server's, with mutual TLS between them, in three forms that take turns: ours; the floor, an
Envoy that was configured by hand to do only that; and the ancestor's, with a connection manager for each service that the client sees.
p50, p99    microseconds of a request at a steady rate
CPU         microseconds of both sidecars for a request, as many as they can answer
MB          allocated by the client's sidecar
ratio       ours to the floor, and to the ancestor's form: medians of what is compared round by round
`

func dataplaneHeader() string {
	return fmt.Sprintf("%-15s %-10s %8s %8s %8s %8s %8s %8s %8s | %6s %6s %6s %6s", "case", "form", "p50", "p99", "CPU", "steady", "per s", "MB", "stats", "p50", "p99", "CPU", "MB")
}

// namedForm is a form of a row; the ratio is ours to it.
type namedForm struct {
	name  string
	cost  formCost
	ratio formRatio
}

func (r dataplaneRow) forms() []namedForm {
	return []namedForm{{"ours", r.Ours, formRatio{1, 1, 1, 1, 1}}, {"floor", r.Floor, r.OfFloor}, {"ancestor's", r.Ancestor, r.OfAncestor}}
}

func (r dataplaneRow) String() string {
	var lines []string
	for _, f := range r.forms() {
		c := f.cost
		lines = append(lines, fmt.Sprintf("%-15s %-10s %8.0f %8.0f %8.1f %8.1f %8.0f %8.1f %8d | %6.2f %6.2f %6.2f %6.2f", r.Case, f.name, c.P50*1e6, c.P99*1e6,
			(c.ClientCPU+c.ServerCPU)*1e6, c.SteadyCPU*1e6, c.PerSecond, float64(c.Allocated)/1e6, c.Statistics, f.ratio.P50, f.ratio.P99, f.ratio.CPU, f.ratio.Allocated))
	}
	for _, m := range r.Memory {
		lines = append(lines, fmt.Sprintf("%-15s %8.1f MB before the first request: %s", r.Case, float64(m.Allocated)/1e6, m.Name))
	}
	return strings.Join(lines, "\n")
}
