//go:build linux

package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// endWithin is how long a process may take to end when it is asked to.
	endWithin = 2 * time.Second
	// farewell is how long the link stays after that: the other sides have to hear of the ends of connections.
	farewell = 50 * time.Millisecond
)

// remove ends a pod: its application first, then its sidecar, then whatever else runs in it, and takes its namespaces,
// link and routes away.
func (m *machine) remove(p *pod) error {
	p.starting.Lock()
	p.leave()
	p.starting.Unlock()
	if c := p.command.Load(); c != nil {
		m.endProcess(c.process)
	}
	p.echoes.end()
	if s := p.sidecar.Load(); s != nil {
		s.expected.Store(true)
		m.endProcess(s.process)
	}
	p.end()
	p.killRest()
	time.Sleep(farewell)
	err := p.fabric.disconnect(p.link)
	p.network.release()
	p.mounts.release()
	if err != nil {
		return fmt.Errorf("remove its link: %w", err)
	}
	return nil
}

// endProcess asks a process to end, and ends it if it does not.
func (m *machine) endProcess(p *process) {
	m.processes.signal(p, syscall.SIGTERM)
	select {
	case <-p.done:
		return
	case <-time.After(endWithin):
	}
	m.processes.signal(p, syscall.SIGKILL)
	<-p.done
}

// killRest ends every process that is in the pod, however it came there. Nobody starts one any more: what is left can
// only have children.
func (h *home) killRest() {
	if h.network == nil {
		return
	}
	const pause = 5 * time.Millisecond
	for deadline := time.Now().Add(endWithin); time.Now().Before(deadline); time.Sleep(pause) {
		members := membersOf(h.network.id)
		if len(members) == 0 {
			return
		}
		for _, pid := range members {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// membersOf are the processes in a network namespace, but for this one.
func membersOf(network string) []int {
	var members []int
	links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
	for _, link := range links {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		if id, readErr := os.Readlink(link); err == nil && readErr == nil && id == network && pid != os.Getpid() {
			members = append(members, pid)
		}
	}
	return members
}
