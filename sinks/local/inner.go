//go:build linux

package local

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// inner is the inner process, as the front process sees it.
type inner struct {
	command *exec.Cmd
	// line is the connection to it.
	line *os.File
	// ended is closed when it has ended, and with it every process of the mesh. said and state may be read then: what
	// it wrote to standard error, and how it ended.
	ended chan struct{}
	said  limited
	state string
	once  sync.Once
}

// Every kind of namespace that the mesh is kept in.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// startInner starts this program again, as the first process of new namespaces.
func startInner(door *net.UnixListener) (*inner, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	line, theirs, err := connected()
	if err != nil {
		return nil, err
	}
	doorFile, err := door.File()
	if err != nil {
		return nil, err
	}
	i := &inner{line: line, ended: make(chan struct{})}
	i.command = &exec.Cmd{
		Path: program, Args: []string{program, InsideArgument}, Stderr: &i.said, ExtraFiles: []*os.File{theirs, doorFile},
		// It hears nothing of Ctrl-C, which is for the front process.
		SysProcAttr: &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL, Setsid: true},
		WaitDelay:   time.Second,
	}
	started := make(chan error)
	go i.run(started)
	err = <-started
	_, _ = theirs.Close(), doorFile.Close()
	if err != nil {
		_ = line.Close()
		return nil, err
	}
	return i, nil
}

// run starts the process and waits for it. The kernel ends the process with the thread that started it, so that this
// thread has to wait as well.
func (i *inner) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := i.begin()
	started <- err
	if err != nil {
		return
	}
	_ = i.command.Wait()
	i.state = i.command.ProcessState.String()
	close(i.ended)
}

// begin starts the process: with the rights of a superuser, or in a user namespace in which this user is one.
func (i *inner) begin() error {
	if os.Geteuid() == 0 {
		return forbidden(i.command.Start())
	}
	users, err := newUsers()
	if err != nil {
		return err
	}
	i.command.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
	i.command.Env = append(os.Environ(), awaitsUsers+"=1")
	if err := i.command.Start(); err != nil {
		return forbidden(err)
	}
	err = users.apply(i.command.Process.Pid)
	if err == nil {
		_, err = i.line.Write([]byte{1})
	}
	if err != nil {
		_ = i.command.Process.Kill()
		_ = i.command.Wait()
	}
	return err
}

// forbidden says in words what is missing when the kernel does not let us make namespaces.
func forbidden(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPERM) && os.Geteuid() == 0:
		return errors.New("this process may not make namespaces, though it is the superuser's: it needs CAP_SYS_ADMIN and CAP_NET_ADMIN (in a container: --privileged)")
	case errors.Is(err, syscall.EPERM):
		return errors.New("this system does not let ordinary users make namespaces (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns): run it as root")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EUSERS):
		return fmt.Errorf("this system's limit of namespaces is reached (user.max_*_namespaces): %w", err)
	}
	return fmt.Errorf("start the process that holds the mesh: %w", err)
}

// end asks the process to end, and ends it if it does not.
func (i *inner) end() {
	i.once.Do(i.hangUp)
	select {
	case <-i.ended:
	case <-time.After(5 * time.Second):
		i.kill()
		<-i.ended
	}
}

// hangUp closes this end of the line, as far as it is written to. The line may have been closed meanwhile.
func (i *inner) hangUp() {
	if raw, err := i.line.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
	}
}

// kill ends the process, and with it every process of its PID namespace.
func (i *inner) kill() { _ = i.command.Process.Kill() }

// connected are the two ends of a connection.
func connected() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "line"), os.NewFile(uintptr(fds[1]), "line"), nil
}

// limited keeps the beginning of what is written to it. It may be read once nobody writes any more.
type limited struct{ text bytes.Buffer }

// Write implements io.Writer.
func (l *limited) Write(b []byte) (int, error) {
	const most = 8 << 10
	l.text.Write(b[:min(len(b), max(0, most-l.text.Len()))])
	return len(b), nil
}

// String is what was kept, without the goroutines of a crash.
func (l *limited) String() string {
	text, _, _ := strings.Cut(l.text.String(), "\n\ngoroutine ")
	return text
}
