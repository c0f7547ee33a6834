//go:build linux

package local

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// InsideArgument is the first argument of the inner process. A program that calls Start must call Inside when it finds
// it, before it does anything else.
const InsideArgument = "inside"

// The inner process finds these open: the line to the front process, and the socket that others ask at.
const (
	lineDescriptor = 3
	doorDescriptor = 4
)

// Inside is the inner process: the first one in a PID namespace of its own. It runs the mesh until the front process
// says so or is gone; then everything in its namespaces ends.
func Inside() error {
	if os.Getpid() != 1 {
		return errors.New("this is a part of the local mesh, which it starts by itself")
	}
	if err := becomeRoot(); err != nil {
		return err
	}
	line := os.NewFile(lineDescriptor, "line")
	encoder := gob.NewEncoder(line)
	var mu sync.Mutex
	tell := func(e event) {
		mu.Lock()
		defer mu.Unlock()
		_ = encoder.Encode(e) // If it cannot be told, the front process has gone, and reading fails too.
	}
	err := inside(line, tell)
	if err != nil {
		tell(event{Failure: err.Error()})
	}
	return err
}

// inside runs a mesh. It returns when the front process closes its end of the line, or with what went wrong.
func inside(line *os.File, tell func(event)) error {
	if err := settle(); err != nil {
		return withRights(err)
	}
	decoder := gob.NewDecoder(bufio.NewReader(line))
	var ordered order
	if err := decoder.Decode(&ordered); err != nil {
		return fmt.Errorf("read what to run: %w", err)
	}
	m := &machine{settings: ordered.Settings, tell: tell, processes: newProcesses()}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_ = decoder.Decode(new(struct{})) // Nothing more comes: this returns at the end of the line.
		cancel()
	}()
	if err := m.start(ctx, ordered.Wanted); err != nil {
		return err
	}
	door, err := net.FileListener(os.NewFile(doorDescriptor, "door"))
	if err != nil {
		return err
	}
	go m.serve(ctx, door.(*net.UnixListener))
	tell(event{Ready: true})
	<-ctx.Done()
	m.stop()
	return nil
}

// awaitsUsers is set in the environment of an inner process in a user namespace that is still without users.
const awaitsUsers = "FSMC_INSIDE_AWAITS_USERS"

// becomeRoot waits, in a user namespace, until the front process has said who is who, and starts this program again as
// its superuser: the rights of one come with the start of a program.
func becomeRoot() error {
	if os.Getenv(awaitsUsers) == "" {
		return nil
	}
	if err := os.Unsetenv(awaitsUsers); err != nil {
		return err
	}
	n, err := syscall.Read(lineDescriptor, make([]byte, 1))
	if err != nil || n != 1 {
		return errors.Join(err, errors.New("the front process has ended"))
	}
	for _, fd := range []int{lineDescriptor, doorDescriptor} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return os.NewSyscallError("fcntl", err)
		}
	}
	return os.NewSyscallError("execve", syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// withRights adds to an error what rights the mesh needs, if it is for the lack of one: a system can let somebody make
// namespaces and then do nothing in them.
func withRights(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w\nThe mesh needs CAP_SYS_ADMIN and CAP_NET_ADMIN (in a container: --privileged), and for an ordinary user a system that gives them in user namespaces (Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)", err)
	}
	return err
}

// settle makes the namespaces a place to live in: mounts that nobody outside sees, and a /proc of the processes here.
func settle() error {
	// The end of the front process ends this one, whatever becomes of the line.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	for _, fd := range []int{lineDescriptor, doorDescriptor} {
		unix.CloseOnExec(fd)
	}
	unix.Umask(0o022)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to this process: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}
