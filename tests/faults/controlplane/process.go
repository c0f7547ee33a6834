package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// Place is where a control plane serves, and what.
type Place struct {
	// Program is the fsmc to run.
	Program string
	// Manifests are folders, Out is the folder of the sidecars' first files, Authority that of the certificate authority.
	Manifests []string
	Out       string
	Authority string
	// Address, Metrics and Debug are HOST:PORT.
	Address, Metrics, Debug string
	// Flags are further ones.
	Flags []string
}

// New is a place on loopback that nobody else serves at.
func New(program, folder string, manifests ...string) (Place, error) {
	p := Place{
		Program: program, Manifests: manifests,
		Out: filepath.Join(folder, "out"), Authority: filepath.Join(folder, "ca"),
	}
	for _, address := range []*string{&p.Address, &p.Metrics, &p.Debug} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return p, err
		}
		*address = l.Addr().String()
		defer func() { _ = l.Close() }()
	}
	return p, nil
}

// Process is an fsmc serve that runs.
type Process struct {
	Place
	command *exec.Cmd
	exited  chan struct{}

	mu   sync.Mutex
	said bytes.Buffer
}

// Arguments are those of the process.
func (p Place) Arguments() []string {
	arguments := append([]string{"serve"}, p.Manifests...)
	arguments = append(arguments, "-o", p.Out, "--ca-dir", p.Authority, "--listen", p.Address,
		"--metrics-address", p.Metrics, "--debug-address", p.Debug, "--enable-debug-server")
	return append(arguments, p.Flags...)
}

// Start starts the process, and waits until it serves.
func (p Place) Start() (*Process, error) {
	process, err := Begin(p, exec.Command(p.Program, p.Arguments()...))
	if err != nil {
		return nil, err
	}
	const patience = time.Minute
	for deadline := time.Now().Add(patience); !strings.Contains(process.Said(), "serving:"); time.Sleep(5 * time.Millisecond) {
		select {
		case <-process.exited:
			return nil, fmt.Errorf("fsmc serve has ended (%s): %s", process.command.ProcessState, process.Said())
		default:
		}
		if time.Now().After(deadline) {
			process.End(syscall.SIGKILL)
			return nil, fmt.Errorf("fsmc serve does not serve after %s: %s", patience, process.Said())
		}
	}
	return process, nil
}

// Begin starts a command that is or becomes the process, and does not wait for anything.
func Begin(p Place, command *exec.Cmd) (*Process, error) {
	process := &Process{Place: p, command: command, exited: make(chan struct{})}
	command.Stdout, command.Stderr = process, process
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start fsmc serve: %w", err)
	}
	go func() {
		_ = command.Wait()
		close(process.exited)
	}()
	return process, nil
}

// Write takes what the process says.
func (p *Process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

// Said is what the process has said so far.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// ID is the process's number.
func (p *Process) ID() int { return p.command.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// End sends a signal, unless the process has ended, waits for the end, and returns the exit code.
func (p *Process) End(signal os.Signal) int {
	_ = p.command.Process.Signal(signal)
	<-p.exited
	return p.command.ProcessState.ExitCode()
}

// Dial opens a connection to whoever serves at the place.
func (p Place) Dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", p.Address)
}

// Sidecar is how a sidecar of a pod finds the place, with the certificate that it has on the disk.
func (p Place) Sidecar(node string) sidecar.Options {
	return sidecar.Options{Node: node, Dial: p.Dial, TLS: sidecar.Folder(filepath.Join(p.Out, "proxies", filepath.FromSlash(node)))}
}

// Get is a page of the debug server, or of the metrics; empty while nobody answers.
func (p Place) Get(path string) string {
	address := p.Debug
	if path == "/metrics" {
		address = p.Metrics
	}
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get("http://" + address + path)
	if err != nil {
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// Numbers are the metrics by series.
func (p Place) Numbers() map[string]float64 {
	found := map[string]float64{}
	for line := range strings.Lines(p.Get("/metrics")) {
		series, number, ok := cutLast(strings.TrimSpace(line))
		if n, err := strconv.ParseFloat(number, 64); ok && err == nil {
			found[series] = n
		}
	}
	return found
}

func cutLast(line string) (before, after string, found bool) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 || strings.HasPrefix(line, "#") {
		return "", "", false
	}
	return line[:i], line[i+1:], true
}

// Use is what the process needs.
type Use struct {
	// HeapBytes are those of living objects, after garbage was collected.
	HeapBytes float64
	// ResidentBytes are those of the process.
	ResidentBytes float64
	Goroutines    float64
	CPUSeconds    float64
	OpenFiles     float64
}

// Use collects garbage and says what the process needs now. The heap is as it was right after that: to write the page
// leaves megabytes of garbage behind.
func (p Place) Use() Use {
	p.Get("/debug/pprof/heap?debug=1&gc=1") // what this one lets go of, such as pools, the next one collects
	n, heap := p.Numbers(), 0.0
	for line := range strings.Lines(p.Get("/debug/pprof/heap?debug=1&gc=1")) {
		if text, ok := strings.CutPrefix(line, "# HeapAlloc = "); ok {
			heap, _ = strconv.ParseFloat(strings.TrimSpace(text), 64)
		}
	}
	return Use{
		HeapBytes: heap, ResidentBytes: n["process_resident_memory_bytes"], Goroutines: n["go_goroutines"],
		CPUSeconds: n["process_cpu_seconds_total"], OpenFiles: n["process_open_fds"],
	}
}

// Proxy is a proxy of the mesh, as the debug server shows it.
type Proxy struct {
	ID        model.ProxyID `json:"id"`
	Connected bool          `json:"connected"`
	// Settled says that it has acknowledged everything that it is to have.
	Settled bool `json:"settled"`
	// Since is when its stream began.
	Since time.Time `json:"since"`
}

// Proxies are all proxies; none while nobody answers.
func (p Place) Proxies() []Proxy {
	var all []Proxy
	if err := json.Unmarshal([]byte(p.Get("/debug/proxies?format=json")), &all); err != nil {
		return nil
	}
	return all
}

// Settled says whether so many proxies are connected and have acknowledged everything, and nothing waits to be published.
func (p Place) Settled(proxies int) bool {
	n := p.Numbers()
	return n["fsm_proxies_connected"] == float64(proxies) && n["fsm_events_queued"] == 0
}
