package main

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/sinks"
)

// run is one server with its proxies.
type run struct {
	*stage
	server pushServer
	*remote
	row serverRow
	// profile begins a profile of a phase, and returns what ends it.
	profile func(phase string) (end func(), err error)
}

// measure takes a server through all phases.
func (s *stage) measure(c *contender, e pushEffort, profiles string) error {
	server, err := c.make()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go server.serve(l)
	defer server.stop()
	crew, err := s.crew(l.Addr().String())
	if err != nil {
		return err
	}
	remote, err := newRemote(crew)
	if err != nil {
		return err
	}
	defer remote.close()
	r := &run{stage: s, server: server, remote: remote, profile: func(phase string) (func(), error) {
		return whole(profiles, fmt.Sprintf("push/%d.%s.%s", e.proxies, c.name, phase))
	}}
	err = r.phases(e)
	c.rounds = append(c.rounds, r.row)
	return err
}

func (r *run) phases(e pushEffort) error {
	heap, stack := memoryInUse()
	if err := r.come("connect", "first", r.resources()); err != nil {
		return err
	}
	heapThen, stackThen := memoryInUse()
	n := float64(len(r.ids))
	r.row.HeapPerStream, r.row.StackPerStream = (float64(heapThen)-float64(heap))/n, (float64(stackThen)-float64(stack))/n
	before := r.snapshot
	for _, s := range r.swings {
		p, err := r.swing(s, before, e.runs)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.row.Phases = append(r.row.Phases, p)
		before = s.states[1]
	}
	if _, err := r.ask(dropWord); err != nil {
		return err
	}
	return r.come("connect again", "storm", 0)
}

// swing makes a change and undoes it, so many times in all; so does it once before, as the first change is from another
// state.
func (r *run) swing(s swing, before sinks.Snapshot, times int) (phase, error) {
	var runs []phase
	var latencies []float64
	end := func() {}
	for i := range times + 2 {
		to := s.states[i%2]
		c, err := changeOf(before.Output, to.Output, r.classes)
		if err != nil {
			return phase{}, err
		}
		if i == 2 {
			if end, err = r.profile(s.name); err != nil {
				return phase{}, err
			}
		}
		publish := r.server.prepare(c, to)
		p, passed, err := r.do(s.name, func() error { publish(); return nil })
		if err != nil {
			return phase{}, err
		}
		if before = to; i < 2 {
			continue
		}
		if p.Streams != c.proxies {
			return phase{}, fmt.Errorf("%d streams got something, and should have been %d", p.Streams, c.proxies)
		}
		runs, latencies = append(runs, p), append(latencies, passed...)
	}
	end()
	return pooled(runs, latencies), nil
}

// come has all proxies connect, and then open their streams, to get so many resources in all.
func (r *run) come(connect, follow string, resources int) error {
	r.server.begin(nil, 0)
	p, _, err := r.do(connect, func() error { _, err := r.ask(connectWord); return err })
	if err != nil {
		return err
	}
	r.row.Phases = append(r.row.Phases, p)
	end, err := r.profile(follow)
	if err != nil {
		return err
	}
	r.server.begin(r.classes, resources)
	p, times, err := r.do(follow, func() error { _, err := r.ask(followWord); return err })
	if err != nil {
		return err
	}
	end()
	p.P50, p.P99 = quantile(times, 0.5), quantile(times, 0.99)
	r.row.Phases = append(r.row.Phases, p)
	return nil
}

// do does something, waits until all is settled, and returns what it took, and for each stream that got something how
// long until it acknowledged the last of it.
func (r *run) do(name string, begin func() error) (phase, []float64, error) {
	marked, err := r.ask(markWord)
	if err != nil {
		return phase{}, nil, err
	}
	runtime.GC()
	allocated, collections := allocation()
	cpu, began := cpuTime(), time.Now()
	if err := begin(); err != nil {
		return phase{}, nil, err
	}
	// To ask whether everything is settled looks at every proxy, which is not what is measured.
	if err := r.await(r.server.arrived); err != nil {
		return phase{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	passed, cpu := time.Since(began), cpuTime()-cpu
	allocatedThen, collectionsThen := allocation()
	if err := r.await(r.server.settled); err != nil {
		return phase{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	told, err := r.ask(reportWord)
	if err != nil {
		return phase{}, nil, err
	}
	p := phase{
		Name: name, Runs: 1, Streams: len(told.Last), All: passed.Seconds(), CPU: cpu.Seconds(), ProxiesCPU: told.CPU - marked.CPU,
		Messages: told.Messages, Secrets: told.Resources[secretURL], Bytes: told.Bytes,
		Allocated: allocatedThen - allocated, Collections: collectionsThen - collections,
	}
	for _, n := range told.Resources {
		p.Resources += n
	}
	p.Resources += told.Removed
	var times []float64
	for _, last := range told.Last {
		times = append(times, time.Unix(0, last).Sub(began).Seconds())
	}
	if len(times) > 0 {
		p.All = slices.Max(times)
	}
	return p, times, nil
}

// await waits for the server.
func (r *run) await(done func() bool) error {
	const patience = 2 * time.Minute
	for began := time.Now(); !done(); {
		passed := time.Since(began)
		if passed > patience {
			told, err := r.ask(reportWord)
			return errors.Join(fmt.Errorf("not done after %s; the proxies say %q", patience, told.Failed), err)
		}
		time.Sleep(max(time.Millisecond, passed/20)) // looking often is work as well
	}
	return nil
}

func memoryInUse() (heap, stack uint64) {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go of in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse, m.StackInuse
}

// allocation is how many bytes this process has taken in all, and how often garbage was collected.
func allocation() (allocated, collections float64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.TotalAlloc), float64(m.NumGC)
}

// pooled is one phase of several runs.
func pooled(runs []phase, times []float64) phase {
	p := runs[0]
	p.Runs = len(runs)
	n := float64(len(runs))
	var all []float64
	p.CPU, p.ProxiesCPU, p.Allocated, p.Collections = 0, 0, 0, 0
	for _, x := range runs {
		all = append(all, x.All)
		p.CPU += x.CPU / n
		p.ProxiesCPU += x.ProxiesCPU / n
		p.Allocated += x.Allocated / n
		p.Collections += x.Collections / n
	}
	p.All, p.P50, p.P99 = quantile(all, 0.5), quantile(times, 0.5), quantile(times, 0.99)
	return p
}

// medians is a server whose every measured figure is the median of its rounds.
func medians(rounds []serverRow) serverRow {
	median := func(figure func(serverRow) float64) float64 {
		var list []float64
		for _, r := range rounds {
			list = append(list, figure(r))
		}
		return quantile(list, 0.5)
	}
	row := rounds[0]
	row.HeapPerStream = median(func(r serverRow) float64 { return r.HeapPerStream })
	row.StackPerStream = median(func(r serverRow) float64 { return r.StackPerStream })
	row.Phases = nil
	for i, p := range rounds[0].Phases {
		p.Runs *= len(rounds)
		p.All = median(func(r serverRow) float64 { return r.Phases[i].All })
		p.P50 = median(func(r serverRow) float64 { return r.Phases[i].P50 })
		p.P99 = median(func(r serverRow) float64 { return r.Phases[i].P99 })
		p.CPU = median(func(r serverRow) float64 { return r.Phases[i].CPU })
		p.ProxiesCPU = median(func(r serverRow) float64 { return r.Phases[i].ProxiesCPU })
		p.Allocated = median(func(r serverRow) float64 { return r.Phases[i].Allocated })
		p.Collections = median(func(r serverRow) float64 { return r.Phases[i].Collections })
		row.Phases = append(row.Phases, p)
	}
	return row
}

// quantile sorts the values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
