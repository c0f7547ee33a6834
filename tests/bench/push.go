package main

import (
	"fmt"
	"strings"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/ads"
	"github.com/flomesh-io/fsmc/sources"
)

// pushRow is how our server and the floors serve the same proxies, in turn and several times.
type pushRow struct {
	Case    string `json:"case"`
	Proxies int    `json:"proxies"`
	Classes int    `json:"classes"`
	Rounds  int    `json:"rounds"`
	// Each figure of a server is the median of its rounds. Floor broadcasts all that there is at once; Paced sends the
	// same bytes in the messages and in the order that ADS asks for, each after what it waits for was acknowledged.
	Ours  serverRow `json:"ours"`
	Floor serverRow `json:"floor"`
	Paced serverRow `json:"paced"`
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
	// Allocated is how many bytes of memory the server took in a run, Collections how often garbage was collected.
	Allocated   float64 `json:"allocated"`
	Collections float64 `json:"collections"`
}

// pushEffort is the size of a benchmark of serving: every round takes every server through all phases, and every change
// is made so many times in a round.
type pushEffort struct {
	services, proxies, rounds, runs int
}

func pushes() []benchmark {
	var list []benchmark
	for _, e := range []pushEffort{
		{services: 100, proxies: 1000, rounds: 3, runs: 4},
		{services: 100, proxies: 5000, rounds: 3, runs: 2},
	} {
		list = append(list, benchmark{
			name:    fmt.Sprintf("push/%d", e.proxies),
			measure: func(dir, profiles string) (fmt.Stringer, error) { return measurePush(dir, profiles, e) },
		})
	}
	return list
}

// contender is one of the servers that are compared.
type contender struct {
	name   string
	make   func() (pushServer, error)
	row    *serverRow
	rounds []serverRow
}

// measurePush serves the same proxies by the floors and by our server, in turn.
func measurePush(dir, profiles string, e pushEffort) (pushRow, error) {
	s, err := newStage(dir, e)
	if err != nil {
		return pushRow{}, err
	}
	r := pushRow{Case: fmt.Sprintf("push/%d", e.proxies), Proxies: e.proxies, Classes: s.snapshot.Output.Classes.Len(), Rounds: e.rounds}
	self := model.Identity{Namespace: sources.ControlPlaneNamespace, ServiceAccount: "fsm"}
	config := ads.ServerTLS(s.own, self, s.snapshot.Mesh.Settings().TrustDomain)
	list := []*contender{
		{name: "floor", row: &r.Floor, make: func() (pushServer, error) { return newBroadcaster(s.snapshot, s.own, config) }},
		{name: "ours", row: &r.Ours, make: func() (pushServer, error) { return newServed(s.snapshot, s.own, config) }},
		{name: "paced", row: &r.Paced, make: func() (pushServer, error) { return newPaced(s.snapshot, s.own, config) }},
	}
	for i := range e.rounds {
		// Nobody is always the first.
		for j := range list {
			c := list[(i+j)%len(list)]
			folder := ""
			if i == e.rounds-1 {
				folder = profiles
			}
			if err := s.measure(c, e, folder); err != nil {
				return r, fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	for _, c := range list {
		*c.row = medians(c.rounds)
	}
	return r, nil
}

const pushLegend = `Simulated proxies in a process of their own, over mutual TLS on loopback, each with a connection and a delta stream.
all       milliseconds until the last proxy has acknowledged the last resource; p50 and p99 of the proxies. (What is not
          needed any more is removed two seconds later, on purpose.)
CPU       milliseconds of the server
ratio     ours to a server that sends bytes that it has ready, all at once; and to one that does so in the messages and
          in the order of ADS
`

func pushHeader() string {
	return fmt.Sprintf("%-10s %-14s %8s | %8s %8s %8s %8s %6s %8s %6s | %8s %8s %6s %8s %6s | %8s %8s %7s %8s",
		"case", "phase", "streams", "all", "p50", "p99", "floor", "ratio", "paced", "ratio", "CPU", "floor", "ratio", "paced", "ratio", "messages", "resourc.", "secrets", "MB")
}

func (r pushRow) String() string {
	var lines []string
	for i, p := range r.Ours.Phases {
		f, q := r.Floor.Phases[i], r.Paced.Phases[i]
		lines = append(lines, fmt.Sprintf("%-10s %-14s %8d | %8.1f %8.1f %8.1f %8.1f %6.2f %8.1f %6.2f | %8.1f %8.1f %6.2f %8.1f %6.2f | %8d %8d %7d %8.2f",
			r.Case, p.Name, p.Streams, p.All*1e3, p.P50*1e3, p.P99*1e3, f.All*1e3, p.All/f.All, q.All*1e3, p.All/q.All,
			p.CPU*1e3, f.CPU*1e3, p.CPU/f.CPU, q.CPU*1e3, p.CPU/q.CPU, p.Messages, p.Resources, p.Secrets, float64(p.Bytes)/1e6))
	}
	lines = append(lines, fmt.Sprintf("%-10s memory for each stream: heap %.1f KiB (floor %.1f), stacks %.1f KiB (floor %.1f)",
		r.Case, r.Ours.HeapPerStream/1024, r.Floor.HeapPerStream/1024, r.Ours.StackPerStream/1024, r.Floor.StackPerStream/1024))
	return strings.Join(lines, "\n")
}
