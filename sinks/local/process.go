//go:build linux

package local

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
)

// processes are the processes of the mesh. This program is the first process of its PID namespace, so that every
// process whose parent has died becomes its child: one loop waits for all of them, and nobody else may wait.
type processes struct {
	mu      sync.Mutex
	running map[int]*process
}

// process is a process that was started. status may be read once done is closed.
type process struct {
	pid    int
	done   chan struct{}
	status syscall.WaitStatus
}

// program is what a process is made of.
type program struct {
	// arguments begin with the program's name, which is looked up on PATH unless it is a path.
	arguments []string
	// binary is what is run, when it is open already: whoever runs it need not find it. It cannot be a script.
	binary      *os.File
	environment []string
	// folder is the working folder; empty for that of the thread.
	folder string
	files  [3]*os.File
	// user is 0 for the superuser.
	user uint32
}

func newProcesses() *processes {
	p := &processes{running: map[int]*process{}}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		for range ended {
			p.reap()
		}
	}()
	return p
}

// start starts a program on a thread, and so in its namespaces.
func (p *processes) start(t *thread, wanted program) (*process, error) {
	path, err := wanted.path()
	if err != nil {
		return nil, err
	}
	attributes := &os.ProcAttr{
		Dir: wanted.folder, Env: wanted.environment, Files: wanted.files[:],
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Uid: wanted.user, Gid: wanted.user}},
	}
	started := &process{done: make(chan struct{})}
	return started, t.do(func() error {
		// The lock keeps the process from being waited for before it is known.
		p.mu.Lock()
		defer p.mu.Unlock()
		handle, err := os.StartProcess(path, wanted.arguments, attributes)
		if err != nil {
			return err
		}
		started.pid = handle.Pid
		p.running[started.pid] = started
		return handle.Release()
	})
}

func (p program) path() (string, error) {
	if p.binary != nil {
		return fmt.Sprintf("/proc/self/fd/%d", p.binary.Fd()), nil
	}
	return lookUp(p.arguments[0])
}

func (p *processes) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if ended, ok := p.running[pid]; ok {
			delete(p.running, pid)
			ended.status = status
			close(ended.done)
		}
	}
}

// signal sends a signal to the process and those that it started, unless it has ended.
func (p *processes) signal(to *process, s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running[to.pid] == to {
		_ = syscall.Kill(-to.pid, s)
	}
}

// run runs a program to its end, with text as its standard input. The error has what the program wrote.
func (p *processes) run(t *thread, input string, arguments ...string) error {
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	text, err := memoryFile(input)
	if err != nil {
		_ = out.Close()
		return err
	}
	started, err := p.start(t, program{arguments: arguments, environment: os.Environ(), files: [3]*os.File{text, out, out}})
	_, _ = text.Close(), out.Close()
	if err != nil {
		return err
	}
	var output bytes.Buffer
	_, _ = io.Copy(&output, in)
	<-started.done
	if started.status.ExitStatus() != 0 {
		return fmt.Errorf("%s: %s: %s", arguments[0], ending(started.status), strings.TrimSpace(output.String()))
	}
	return nil
}

// ending says in words how a process ended.
func ending(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by signal " + fmt.Sprint(int(status.Signal())) + " (" + status.Signal().String() + ")"
	}
	return fmt.Sprintf("exit code %d", status.ExitStatus())
}

// exitCode is the exit code as a shell gives it.
func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// lookUp finds a program on PATH, and where an ordinary user's PATH does not lead.
func lookUp(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil || strings.Contains(name, "/") {
		return path, err
	}
	for _, folder := range []string{"/usr/sbin/", "/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(folder + name); err == nil {
			return path, nil
		}
	}
	return "", err
}
