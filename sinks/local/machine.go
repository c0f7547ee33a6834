//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/compiler/inject"
)

// order is what the front process asks the inner one to run.
type order struct {
	Settings settings
	Wanted   wanted
}

// settings are what stays as it is as long as the mesh runs.
type settings struct {
	Folder, Envoy, Level string
	// Logs and Scratch are folders that are there, WorkingFolder is where commands start.
	Logs, Scratch, WorkingFolder string
	// Restart says that sidecars that end are started again.
	Restart bool
}

// wanted is what can change.
type wanted struct {
	Pods         []Pod
	Addresses    []Virtual
	Names        []Name
	Rules        inject.Rules
	ControlPlane string
}

// event is what the inner process tells the front one.
type event struct {
	// Doing is a step of the start, of which so much is done.
	Doing       string
	Done, Total int
	// Ready ends the start; Failure ends everything.
	Ready   bool
	Failure string
	// Trouble is what happened to a pod of a mesh that runs.
	Trouble string
}

// machine is the mesh, seen from the inner process.
type machine struct {
	settings
	tell        func(event)
	processes   *processes
	fabric      *fabric
	interceptor *interceptor
	forwarder   forwarder
	nameServer  nameServer
	// state is what runs now.
	state atomic.Pointer[state]
	// turn is for who makes another state.
	turn turn
	// links counts the links that were made.
	links atomic.Int64
	// nothing is the standard input of what is not asked anything.
	nothing *os.File
	// binary is Envoy, opened where their user cannot find it; else nil.
	binary *os.File
	// stopping is set when the end of a process is no surprise any more.
	stopping atomic.Bool
}

// several is how many pods are worked at: most of the time, the kernel or Envoy is waited for.
func several() int {
	const each = 4 // of a processor
	return each * runtime.GOMAXPROCS(0)
}

// start brings everything up and returns when every sidecar is ready.
func (m *machine) start(ctx context.Context, w wanted) error {
	if err := m.lay(w); err != nil {
		return err
	}
	pods := make([]*pod, len(w.Pods))
	err := m.each(ctx, "pods", len(pods), func(i int) (err error) {
		pods[i], err = m.makePod(w.Pods[i], w.Rules)
		return of(w.Pods[i], err)
	})
	if err != nil {
		return err
	}
	m.state.Store(newState(w, pods))
	withSidecar := slices.DeleteFunc(slices.Clone(pods), func(p *pod) bool { return !p.Sidecar })
	err = m.each(ctx, "sidecars", len(withSidecar), func(i int) error {
		return of(withSidecar[i].Pod, m.startSidecar(ctx, withSidecar[i]))
	})
	if err != nil {
		return err
	}
	for _, p := range pods {
		if err := of(p.Pod, m.startCommand(p)); err != nil {
			return err
		}
	}
	for _, p := range pods {
		m.watch(p)
	}
	return nil
}

// lay makes what is there once: the fabric, its virtual addresses and the name server.
func (m *machine) lay(w wanted) (err error) {
	if m.nothing, err = os.Open(os.DevNull); err != nil {
		return err
	}
	if m.binary, err = openClosed(m.Envoy); err != nil {
		return fmt.Errorf("cannot run Envoy: %w", err)
	}
	if m.fabric, err = newFabric(); err != nil {
		return withRights(fmt.Errorf("make the network between the pods: %w", err))
	}
	if m.interceptor, err = newInterceptor(m.processes, w.Rules, m.fabric.ipv6); err != nil {
		return err
	}
	ipv4, ipv6 := virtualRules(w.Addresses)
	if err := m.layVirtual(nil, w.Addresses, ipv4, ipv6); err != nil {
		return fmt.Errorf("make the virtual addresses: %w", err)
	}
	if err := m.forwarder.lead(w.ControlPlane, m.fabric.addresses()); err != nil {
		return fmt.Errorf("lead pods to the control plane: %w", err)
	}
	m.nameServer.know(w.Names)
	for _, address := range m.fabric.addresses() {
		if err := m.nameServer.serve(address); err != nil {
			return fmt.Errorf("answer names: %w", err)
		}
	}
	return nil
}

// layVirtual puts virtual addresses, and the rules for them, in place of others.
func (m *machine) layVirtual(from, to []Virtual, ipv4, ipv6 string) error {
	old, wanted := m.virtualAddresses(from), m.virtualAddresses(to)
	var failures []error
	for address := range wanted {
		if !old[address] {
			failures = append(failures, m.fabric.accept(address))
		}
	}
	home := newThread()
	defer home.end()
	failures = append(failures, m.interceptor.restore(home, m.interceptor.restore4, ipv4))
	if m.interceptor.restore6 != "" {
		failures = append(failures, m.interceptor.restore(home, m.interceptor.restore6, ipv6))
	}
	for address := range old {
		if !wanted[address] {
			failures = append(failures, m.fabric.forget(address))
		}
	}
	return errors.Join(failures...)
}

// virtualAddresses are those that this kernel can have.
func (m *machine) virtualAddresses(virtuals []Virtual) map[netip.Addr]bool {
	addresses := map[netip.Addr]bool{}
	for _, v := range virtuals {
		if v.Address.Addr().Is4() || m.fabric.ipv6 {
			addresses[v.Address.Addr()] = true
		}
	}
	return addresses
}

// makePod makes a pod up to its application; the sidecar comes later. A pod that could not be made has gone again.
func (m *machine) makePod(plan Pod, rules inject.Rules) (*pod, error) {
	p, err := newPod(plan, m.links.Add(1), m.fabric)
	if err == nil {
		err = p.furnish(m.Scratch)
	}
	if err == nil && p.Sidecar {
		err = m.interceptor.intercept(p, rules)
	}
	if err == nil && len(p.Command) == 0 {
		err = p.echoes.listen(p)
	}
	if err != nil {
		return nil, errors.Join(err, m.remove(p))
	}
	return p, nil
}

// of says which pod an error is about.
func of(p Pod, err error) error {
	if err == nil {
		return nil
	}
	if p.Origin == "" {
		return fmt.Errorf("pod %s: %w", p, err)
	}
	return fmt.Errorf("pod %s (%s): %w", p, p.Origin, err)
}

// each does a step for 0 to n-1, several at a time, and tells of it. It stops soon after a failure.
func (m *machine) each(ctx context.Context, what string, n int, do func(int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	var workers sync.WaitGroup
	m.tell(event{Doing: what, Total: n})
	for range min(n, several()) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					cancel(err)
					return
				}
				m.tell(event{Doing: what, Done: int(done.Add(1)), Total: n})
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// stop ends the commands, and lets them clean up for a moment. Everything else ends with this process.
func (m *machine) stop() {
	m.stopping.Store(true)
	patience := time.After(2 * time.Second)
	running := m.state.Load()
	for _, p := range running.pods {
		if c := p.command.Load(); c != nil {
			m.processes.signal(c.process, syscall.SIGTERM)
		}
	}
	for _, p := range running.pods {
		if c := p.command.Load(); c != nil {
			select {
			case <-c.done:
			case <-patience:
				return
			}
		}
	}
}
