package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
	"github.com/flomesh-io/fsmc/sinks/ads"
	"github.com/flomesh-io/fsmc/sources"
	"github.com/flomesh-io/fsmc/tests/shapes"
)

// pushRow is how our server and the floor serve the same proxies.
type pushRow struct {
	Case    string    `json:"case"`
	Proxies int       `json:"proxies"`
	Classes int       `json:"classes"`
	Ours    serverRow `json:"ours"`
	Floor   serverRow `json:"floor"`
}

// serverRow is one server.
type serverRow struct {
	Phases []phase `json:"phases"`
	// HeapPerStream and StackPerStream are memory in use with every stream settled, less that before the first, in bytes.
	HeapPerStream  float64 `json:"heapPerStream"`
	StackPerStream float64 `json:"stackPerStream"`
}

// phase is one thing that was done, once or several times.
type phase struct {
	Name string `json:"name"`
	Runs int    `json:"runs"`
	// Streams is how many got something.
	Streams int `json:"streams"`
	// All is from the beginning until the last proxy has acknowledged, in seconds: the median of the runs. P50 and P99 are
	// of all streams in all runs.
	All float64 `json:"all"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	// CPU is that of the server, in seconds a run; ProxiesCPU that of all proxies.
	CPU        float64 `json:"cpu"`
	ProxiesCPU float64 `json:"proxiesCPU"`
	// Messages, Resources, Secrets and Bytes are what a run sent, the last of them in the size of messages.
	Messages  int `json:"messages"`
	Resources int `json:"resources"`
	Secrets   int `json:"secrets"`
	Bytes     int `json:"bytes"`
}

// pushEffort is the size of a benchmark of serving.
type pushEffort struct {
	services, proxies, runs int
}

func pushes() []benchmark {
	var list []benchmark
	for _, n := range []int{1000, 5000} {
		list = append(list, benchmark{
			name: fmt.Sprintf("push/%d", n),
			measure: func(dir, profiles string) (fmt.Stringer, error) {
				return measurePush(dir, profiles, pushEffort{services: 100, proxies: n, runs: 10})
			},
		})
	}
	return list
}

// stage is a mesh, some of its proxies, and changes between which it goes to and fro.
type stage struct {
	snapshot sinks.Snapshot
	ids      []model.ProxyID
	classes  map[string]int // connected proxies by class
	swings   []swing
	own      *identities
}

// swing is a change that is made and undone.
type swing struct {
	name   string
	states [2]sinks.Snapshot
}

// swings are the edits that are pushed, by their name in editsOf.
var swings = []string{"endpoint", "requests", "egress"}

func newStage(dir string, e pushEffort) (*stage, error) {
	g := shapes.PowerLaw(e.services)
	apps := len(g.Manifests(1).Deployments)
	pods := (e.proxies + apps - 1) / apps
	objects := g.Dump(pods, pods)
	base := passage{}.next(objects, &samples{})
	s := &stage{snapshot: base.snapshot(), classes: map[string]int{}}
	var all []model.ProxyID
	for p := range base.resolution.Mesh.Proxies() {
		all = append(all, p.ID)
	}
	for i := range e.proxies {
		id := all[i*len(all)/e.proxies]
		class, ok := base.output.ClassOf(id)
		if !ok {
			return nil, fmt.Errorf("proxy %s has no class", id)
		}
		s.ids = append(s.ids, id)
		s.classes[class.Name]++
	}
	for _, kind := range editsOfHub(objects) {
		if slices.Contains(swings, kind.name) {
			there := base.next(kind.do(objects, 0), &samples{})
			back := there.next(kind.do(objects, 1), &samples{})
			s.swings = append(s.swings, swing{kind.name, [2]sinks.Snapshot{there.snapshot(), back.snapshot()}})
		}
	}
	var err error
	s.own, err = newIdentities(dir, s.snapshot.Mesh.Settings().TrustDomain)
	return s, err
}

// resources is how many resources all proxies have in all.
func (s *stage) resources() int {
	n := 0
	for class := range s.snapshot.Output.Classes.Values() {
		for _, list := range listsOf(class) {
			n += list.Len() * s.classes[class.Name]
		}
		n += class.Secrets.Len() * s.classes[class.Name]
	}
	return n
}

func (p passage) snapshot() sinks.Snapshot {
	return sinks.Snapshot{Mesh: p.resolution.Mesh, Output: p.output}
}

// measurePush serves the same proxies by the floor and by our server, in turn.
func measurePush(dir, profiles string, e pushEffort) (pushRow, error) {
	s, err := newStage(dir, e)
	if err != nil {
		return pushRow{}, err
	}
	r := pushRow{Case: fmt.Sprintf("push/%d", e.proxies), Proxies: e.proxies, Classes: s.snapshot.Output.Classes.Len()}
	config := ads.ServerTLS(s.own, model.Identity{Namespace: sources.ControlPlaneNamespace, ServiceAccount: "fsm"}, s.snapshot.Mesh.Settings().TrustDomain)
	floor, err := newBroadcaster(s.snapshot, s.own, config)
	if err != nil {
		return r, err
	}
	if r.Floor, err = s.measure(floor, e, func(sinks.Snapshot) {}); err != nil {
		return r, fmt.Errorf("floor: %w", err)
	}
	ours, err := newServed(s.snapshot, s.own, config)
	if err != nil {
		return r, err
	}
	end, err := whole(profiles, r.Case)
	if err != nil {
		return r, err
	}
	defer end()
	if r.Ours, err = s.measure(ours, e, func(next sinks.Snapshot) { ours.next = next }); err != nil {
		return r, fmt.Errorf("ours: %w", err)
	}
	return r, nil
}

// run is one server with its proxies.
type run struct {
	*stage
	server pushServer
	*remote
	row serverRow
}

// measure takes a server through all phases.
func (s *stage) measure(server pushServer, e pushEffort, next func(sinks.Snapshot)) (serverRow, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return serverRow{}, err
	}
	go server.serve(l)
	defer server.stop()
	crew, err := s.crew(l.Addr().String())
	if err != nil {
		return serverRow{}, err
	}
	remote, err := newRemote(crew)
	if err != nil {
		return serverRow{}, err
	}
	defer remote.close()
	r := &run{stage: s, server: server, remote: remote}
	err = r.phases(e, next)
	return r.row, err
}

func (r *run) phases(e pushEffort, next func(sinks.Snapshot)) error {
	heap, stack := memoryInUse()
	if err := r.come("connect", "first", r.resources()); err != nil {
		return err
	}
	heapThen, stackThen := memoryInUse()
	n := float64(len(r.ids))
	r.row.HeapPerStream, r.row.StackPerStream = (float64(heapThen)-float64(heap))/n, (float64(stackThen)-float64(stack))/n
	before := r.snapshot
	for _, s := range r.swings {
		var runs []phase
		var times []float64
		for i := range e.runs + 2 {
			to := s.states[i%2]
			c, err := changeOf(before.Output, to.Output, r.classes)
			if err != nil {
				return err
			}
			next(to)
			publish := r.server.prepare(c)
			p, latencies, err := r.do(s.name, func() error { publish(); return nil })
			if err != nil {
				return err
			}
			if before = to; i < 2 {
				continue // the first to and fro is from another state
			}
			if p.Streams != c.proxies {
				return fmt.Errorf("%s: %d streams got something, and should have been %d", s.name, p.Streams, c.proxies)
			}
			runs, times = append(runs, p), append(times, latencies...)
		}
		r.row.Phases = append(r.row.Phases, pooled(runs, times))
	}
	if _, err := r.ask(dropWord); err != nil {
		return err
	}
	return r.come("connect again", "storm", 0)
}

// come has all proxies connect, and then open their streams, to get so many resources in all.
func (r *run) come(connect, follow string, resources int) error {
	r.server.begin(nil, 0)
	p, _, err := r.do(connect, func() error { _, err := r.ask(connectWord); return err })
	if err != nil {
		return err
	}
	r.row.Phases = append(r.row.Phases, p)
	r.server.begin(r.classes, resources)
	p, times, err := r.do(follow, func() error { _, err := r.ask(followWord); return err })
	if err != nil {
		return err
	}
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
	cpu, began := cpuTime(), time.Now()
	if err := begin(); err != nil {
		return phase{}, nil, err
	}
	// To ask whether everything is settled looks at every proxy, which is not what is measured.
	if err := r.await(r.server.arrived); err != nil {
		return phase{}, nil, fmt.Errorf("%s: %w", name, err)
	}
	passed, cpu := time.Since(began), cpuTime()-cpu
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

// pooled is one phase of several runs.
func pooled(runs []phase, times []float64) phase {
	p := runs[0]
	p.Runs = len(runs)
	var all []float64
	p.CPU, p.ProxiesCPU = 0, 0
	for _, x := range runs {
		all = append(all, x.All)
		p.CPU += x.CPU / float64(len(runs))
		p.ProxiesCPU += x.ProxiesCPU / float64(len(runs))
	}
	p.All, p.P50, p.P99 = quantile(all, 0.5), quantile(times, 0.5), quantile(times, 0.99)
	return p
}

// quantile sorts the values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}

// crew is what the process of the proxies has to know.
func (s *stage) crew(address string) (crew, error) {
	c := crew{Address: address, Trust: s.own.Trust()}
	pairs := map[model.Identity]int{}
	for _, id := range s.ids {
		p, _ := s.snapshot.Mesh.Proxy(id)
		at, ok := pairs[p.Identity]
		if !ok {
			chain, key, err := s.own.Certificate(context.Background(), p.Identity)
			if err != nil {
				return c, err
			}
			at = len(c.Pairs)
			pairs[p.Identity] = at
			c.Pairs = append(c.Pairs, pair{chain, key.PEM()})
		}
		c.Proxies = append(c.Proxies, member{id.String(), at})
	}
	return c, nil
}

// remote is the process of the proxies.
type remote struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func newRemote(c crew) (*remote, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r := &remote{command: exec.Command(self, "-child", proxiesChild)}
	r.command.Stderr = os.Stderr
	r.command.Env = append(os.Environ(), "FSMC_BENCH_CHILD="+proxiesChild)
	if r.in, err = r.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReaderSize(out, 1<<20)
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	return r, json.NewEncoder(r.in).Encode(c)
}

// ask says a word to the proxies and waits until it is done.
func (r *remote) ask(word string) (report, error) {
	if _, err := io.WriteString(r.in, word+"\n"); err != nil {
		return report{}, fmt.Errorf("%s: %w", word, err)
	}
	text, err := r.out.ReadBytes('\n')
	if err != nil {
		return report{}, fmt.Errorf("%s: %w", word, err)
	}
	var told report
	if err := json.Unmarshal(text, &told); err != nil {
		return report{}, fmt.Errorf("%s: %w", word, err)
	}
	if told.Failed != "" {
		return told, fmt.Errorf("%s: %s", word, told.Failed)
	}
	return told, nil
}

func (r *remote) close() {
	_ = r.in.Close()
	_ = r.command.Wait()
}

const pushLegend = `Simulated proxies in a process of their own, over mutual TLS on loopback, each with a connection and a delta stream.
all       milliseconds until the last proxy has acknowledged the last resource; p50 and p99 of the proxies. (What is not
          needed any more is removed two seconds later, on purpose.)
CPU       milliseconds of the server, and of all proxies together
ratio     ours to a server that sends bytes that it has ready
`

func pushHeader() string {
	return fmt.Sprintf("%-10s %-14s %8s | %8s %8s %8s %8s | %8s %8s %6s | %8s %8s %7s %8s",
		"case", "phase", "streams", "all", "p50", "p99", "floor", "CPU", "floor", "ratio", "messages", "resourc.", "secrets", "MB")
}

func (r pushRow) String() string {
	var lines []string
	for i, p := range r.Ours.Phases {
		f := r.Floor.Phases[i]
		lines = append(lines, fmt.Sprintf("%-10s %-14s %8d | %8.1f %8.1f %8.1f %8.1f | %8.1f %8.1f %6.2f | %8d %8d %7d %8.2f",
			r.Case, p.Name, p.Streams, p.All*1e3, p.P50*1e3, p.P99*1e3, f.All*1e3, p.CPU*1e3, f.CPU*1e3, p.CPU/f.CPU,
			p.Messages, p.Resources, p.Secrets, float64(p.Bytes)/1e6))
	}
	lines = append(lines, fmt.Sprintf("%-10s memory for each stream: heap %.1f KiB (floor %.1f), stacks %.1f KiB (floor %.1f)",
		r.Case, r.Ours.HeapPerStream/1024, r.Floor.HeapPerStream/1024, r.Ours.StackPerStream/1024, r.Floor.StackPerStream/1024))
	return strings.Join(lines, "\n")
}
