//go:build linux

package local

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/compiler/inject"
	"github.com/flomesh-io/fsmc/model"
)

// order is what the front process asks the inner one to run.
type order struct {
	Folder, Envoy, Level string
	// Logs and Scratch are folders that are there, WorkingFolder is where commands start.
	Logs, Scratch, WorkingFolder string
	Pods                         []Pod
	Addresses                    []Virtual
	Names                        []Name
	Rules                        inject.Rules
	ControlPlane                 string
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
	order
	tell        func(event)
	processes   *processes
	fabric      *fabric
	interceptor *interceptor
	forwarder   forwarder
	pods        []*pod
	byID        map[model.ProxyID]*pod
	// nothing is the standard input of what is not asked anything.
	nothing *os.File
	// binary is Envoy, opened where their user cannot find it; else nil.
	binary *os.File
	// stopping is set when the end of a process is no surprise any more.
	stopping atomic.Bool
}

// start brings everything up and returns when every sidecar is ready.
func (m *machine) start(ctx context.Context) error {
	if err := m.lay(); err != nil {
		return err
	}
	const each = 4 // of a processor: most of the time, the kernel or Envoy is waited for.
	several := each * runtime.GOMAXPROCS(0)
	m.pods = make([]*pod, len(m.Pods))
	err := m.each(ctx, "pods", len(m.Pods), several, func(i int) (err error) {
		m.pods[i], err = m.makePod(i)
		return err
	})
	if err != nil {
		return err
	}
	m.byID = map[model.ProxyID]*pod{}
	var withSidecar []*pod
	for _, p := range m.pods {
		m.byID[model.ProxyID{Namespace: p.Namespace, Name: p.Name}] = p
		if p.Sidecar {
			withSidecar = append(withSidecar, p)
		}
	}
	err = m.each(ctx, "sidecars", len(withSidecar), several, func(i int) error {
		return of(withSidecar[i].Pod, m.startSidecar(ctx, withSidecar[i]))
	})
	if err != nil {
		return err
	}
	for _, p := range m.pods {
		if len(p.Command) > 0 {
			if err := of(p.Pod, m.startCommand(p)); err != nil {
				return err
			}
		}
		go m.watch(p)
	}
	return nil
}

// lay makes what is there once: the fabric, its virtual addresses and the name server.
func (m *machine) lay() (err error) {
	if m.nothing, err = os.Open(os.DevNull); err != nil {
		return err
	}
	if m.binary, err = openClosed(m.Envoy); err != nil {
		return fmt.Errorf("cannot run Envoy: %w", err)
	}
	if m.fabric, err = newFabric(); err != nil {
		return withRights(fmt.Errorf("make the network between the pods: %w", err))
	}
	if m.interceptor, err = newInterceptor(m.processes, m.Rules, m.fabric.ipv6); err != nil {
		return err
	}
	if err := m.layVirtual(); err != nil {
		return fmt.Errorf("make the virtual addresses: %w", err)
	}
	if err := m.forwarder.lead(m.ControlPlane, m.fabric.addresses()); err != nil {
		return fmt.Errorf("lead pods to the control plane: %w", err)
	}
	names := newNames(m.Names)
	for _, address := range m.fabric.addresses() {
		if err := names.serve(address); err != nil {
			return fmt.Errorf("answer names: %w", err)
		}
	}
	return nil
}

func (m *machine) layVirtual() error {
	accepted := map[netip.Addr]bool{}
	for _, v := range m.Addresses {
		address := v.Address.Addr()
		if accepted[address] || address.Is6() && !m.fabric.ipv6 {
			continue
		}
		accepted[address] = true
		if err := m.fabric.accept(address); err != nil {
			return err
		}
	}
	home := newThread()
	defer close(home.work)
	ipv4, ipv6 := virtualRules(m.Addresses)
	if err := m.interceptor.restore(home, m.interceptor.restore4, ipv4); err != nil {
		return err
	}
	if m.interceptor.restore6 == "" {
		return nil
	}
	return m.interceptor.restore(home, m.interceptor.restore6, ipv6)
}

// makePod makes a pod up to its application; the sidecar comes later.
func (m *machine) makePod(i int) (*pod, error) {
	plan := m.Pods[i]
	p, err := newPod(plan, i, m.fabric)
	if err == nil {
		err = p.furnish(m.Scratch)
	}
	if err == nil && p.Sidecar {
		err = m.interceptor.intercept(p, m.Rules)
	}
	if err == nil && len(p.Command) == 0 {
		err = serveEcho(p)
	}
	return p, of(plan, err)
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
func (m *machine) each(ctx context.Context, what string, n, several int, do func(int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	var workers sync.WaitGroup
	m.tell(event{Doing: what, Total: n})
	for range min(n, several) {
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

// watch tells of the end of a pod's processes, which nobody has asked for.
func (m *machine) watch(p *pod) {
	var sidecar, command <-chan struct{}
	if p.sidecar != nil {
		sidecar = p.sidecar.done
	}
	if p.command != nil {
		command = p.command.done
	}
	for sidecar != nil || command != nil {
		var err error
		select {
		case <-sidecar:
			sidecar = nil
			err = fmt.Errorf("its sidecar ended (%s): %s", ending(p.sidecar.status), lastComplaint(p.sidecar.log))
		case <-command:
			command = nil
			err = fmt.Errorf("its command ended (%s). Its last lines:\n%s", ending(p.command.status), lastLines(p.command.log))
		}
		if !m.stopping.Load() {
			m.tell(event{Trouble: of(p.Pod, err).Error()})
		}
	}
}

// stop ends the commands, and lets them clean up for a moment. Everything else ends with this process.
func (m *machine) stop() {
	m.stopping.Store(true)
	patience := time.After(2 * time.Second)
	for _, p := range m.pods {
		if p != nil && p.command != nil {
			m.processes.signal(p.command.process, syscall.SIGTERM)
		}
	}
	for _, p := range m.pods {
		if p != nil && p.command != nil {
			select {
			case <-p.command.done:
			case <-patience:
				return
			}
		}
	}
}
