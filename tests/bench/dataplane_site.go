package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/flomesh-io/fsmc/compiler/inject"
)

// siteChild is the process in whose network the two sidecars of a form, the application and the load run, each a process
// of its own.
const siteChild = "site"

// site is such a process, as the benchmark sees it.
type site struct {
	process *process
	before  uint64
	rounds  []measured
}

// siteOrder is what a site is told: to start, to load, or to look.
type siteOrder struct {
	Envoy   string
	Folders [2]string
	Place   place
	Load    *loadOrder
	Inspect bool
}

// loaded is what a load was, with the seconds of CPU time that each sidecar took for it.
type loaded struct {
	loadReport
	CPU [2]float64
}

// inspected is the client's sidecar.
type inspected struct {
	Allocated, Resident uint64
	Statistics          int
}

func newSite(envoy string, f form, p place) (*site, error) {
	h, err := startProcess(siteChild, apartNetwork())
	if err != nil {
		return nil, err
	}
	s := &site{process: h}
	var first inspected
	if err := h.ask(siteOrder{Envoy: envoy, Folders: f.folders, Place: p}, &first); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.before = first.Allocated
	return s, nil
}

func (s *site) close() error { return s.process.close() }

// warm loads without measuring.
func (s *site) warm(e dataplaneEffort) error {
	var l loaded
	return s.process.ask(siteOrder{Load: &loadOrder{Connections: e.connections, For: e.warming}}, &l)
}

// round measures once at a steady rate and once with as much as there can be.
func (s *site) round(e dataplaneEffort) error {
	var m measured
	if err := s.process.ask(siteOrder{Load: &loadOrder{Connections: e.connections, Rate: e.rate, For: e.steady}}, &m.steady); err != nil {
		return err
	}
	if err := s.process.ask(siteOrder{Load: &loadOrder{Connections: e.connections, For: e.full}}, &m.full); err != nil {
		return err
	}
	s.rounds = append(s.rounds, m)
	return nil
}

// ground is the inside of a site.
type ground struct {
	place       place
	envoys      [2]*exec.Cmd
	application *process
	load        *process
}

// runSite is the process of a site.
func runSite(in io.Reader, out io.Writer) error {
	g := &ground{}
	return errors.Join(answering(in, out, g.obey), g.end())
}

func (g *ground) obey(o siteOrder) (any, error) {
	switch {
	case o.Load != nil:
		return g.loaded(*o.Load)
	case o.Inspect:
		return g.inspect()
	}
	if err := g.start(o); err != nil {
		return nil, err
	}
	return g.inspect()
}

// start makes the network, and starts everybody in it.
func (g *ground) start(o siteOrder) (err error) {
	g.place = o.Place
	if err := raiseNetwork(o.Place.Service.Addr(), o.Place.Pod.Addr()); err != nil {
		return fmt.Errorf("make a network: %w", err)
	}
	if g.application, err = startProcess(applicationChild, nil); err != nil {
		return err
	}
	var listens bool
	if err := g.application.ask(o.Place.App.String(), &listens); err != nil {
		return err
	}
	if g.load, err = startProcess(loadChild, nil); err != nil {
		return err
	}
	for i, folder := range o.Folders {
		if g.envoys[i], err = startEnvoy(o.Envoy, folder); err != nil {
			return err
		}
	}
	for i := range g.envoys {
		if err := g.awaitReady(i, o.Folders[i]); err != nil {
			return err
		}
	}
	return nil
}

// startEnvoy starts an Envoy as sidecars are started. What it logs of requests goes nowhere.
func startEnvoy(envoy, folder string) (*exec.Cmd, error) {
	configuration := "./envoy.pb"
	if _, err := os.Stat(filepath.Join(folder, configuration)); err != nil {
		configuration = "./envoy.yaml"
	}
	log := filepath.Join(folder, "envoy.log")
	command := exec.Command(envoy, append(inject.Arguments(configuration, "warning"), "--log-path", log)...)
	command.Dir = folder
	command.SysProcAttr = endsWithParent()
	return command, command.Start()
}

// awaitReady waits for a sidecar that has its configuration.
func (g *ground) awaitReady(i int, folder string) error {
	const patience = 2 * time.Minute
	for began := time.Now(); time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
		if said, err := g.administration(i, "/ready"); err == nil && strings.HasPrefix(string(said), "LIVE") {
			return nil
		}
	}
	log, err := os.ReadFile(filepath.Join(folder, "envoy.log"))
	return errors.Join(fmt.Errorf("a sidecar is not ready after %s: %s", patience, log), err)
}

func (g *ground) administration(i int, path string) ([]byte, error) {
	response, err := http.Get("http://" + administration(i).String() + path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	return io.ReadAll(response.Body)
}

// loaded makes a load, and has the sidecars' CPU time before and after.
func (g *ground) loaded(o loadOrder) (l loaded, err error) {
	o.Place = g.place
	var before [2]float64
	for i, e := range g.envoys {
		if before[i], err = cpuOf(e.Process.Pid); err != nil {
			return l, err
		}
	}
	if err := g.load.ask(o, &l.loadReport); err != nil {
		return l, err
	}
	for i, e := range g.envoys {
		after, err := cpuOf(e.Process.Pid)
		if err != nil {
			return l, err
		}
		l.CPU[i] = after - before[i]
	}
	return l, nil
}

// cpuOf is the CPU time of a process, in user and in system mode. Linux tells it in hundredths of a second.
func cpuOf(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // the name before may have spaces
	const utime, stime = 11, 12
	user, err := strconv.Atoi(fields[utime])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[stime])
	return float64(user+system) / 100, err
}

func (g *ground) inspect() (in inspected, err error) {
	const client = 0
	text, err := g.administration(client, "/memory")
	if err != nil {
		return in, err
	}
	var memory struct {
		Allocated uint64 `json:"allocated,string"`
	}
	if err := json.Unmarshal(text, &memory); err != nil {
		return in, err
	}
	in.Allocated = memory.Allocated
	resident := valueIn(fmt.Sprintf("/proc/%d/status", g.envoys[client].Process.Pid), "VmRSS")
	kilobytes, err := strconv.ParseUint(strings.TrimSuffix(resident, " kB"), 10, 64)
	if err != nil {
		return in, err
	}
	in.Resident = kilobytes << 10
	text, err = g.administration(client, "/stats")
	in.Statistics = strings.Count(string(text), "\n")
	return in, err
}

func (g *ground) end() (err error) {
	for _, h := range []*process{g.load, g.application} {
		if h != nil {
			err = errors.Join(err, h.close())
		}
	}
	for _, e := range g.envoys {
		if e != nil && e.Process != nil {
			_ = e.Process.Kill()
			_ = e.Wait()
		}
	}
	return err
}
