//go:build linux

package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// command is a program that runs in place of the echo server.
type command struct {
	*process
	log string
}

// startCommand starts the command of a pod, if it has one.
func (m *machine) startCommand(p *pod) error {
	if len(p.Command) == 0 {
		return nil
	}
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.stays.Err() != nil {
		return errPodGone
	}
	log, err := m.openLog(p, "log")
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	started, err := m.processes.start(p.thread, program{
		arguments: p.Command, environment: append(os.Environ(), p.environment()...), folder: m.WorkingFolder,
		files: [3]*os.File{m.nothing, log, log},
	})
	if err != nil {
		return fmt.Errorf("start its command: %w", err)
	}
	p.command.Store(&command{process: started, log: log.Name()})
	return nil
}

// environment is what a container of the pod gets.
func (p *pod) environment() []string { return append([]string{"HOSTNAME=" + p.Name}, p.Environment...) }

// openLog opens a log of a pod, to be appended to.
func (m *machine) openLog(p *pod, kind string) (*os.File, error) {
	folder := filepath.Join(m.Logs, p.Namespace)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(filepath.Join(folder, p.Name+"."+kind), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
}

// lastLines is the end of a log, indented.
func lastLines(log string) string {
	const most = 10
	lines := strings.Split(strings.TrimRight(tail(log, readable), "\n"), "\n")
	lines = lines[max(0, len(lines)-most):]
	if len(lines) == 1 && lines[0] == "" {
		return "  (it wrote nothing)"
	}
	return "  " + strings.Join(lines, "\n  ")
}
