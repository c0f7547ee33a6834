//go:build linux

package local

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/compiler/inject"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks/disk"
)

// sidecar is an Envoy that was started.
type sidecar struct {
	*process
	log string
	// since is when it was started, and read the file of its configuration, which had this sum.
	since time.Time
	file  [sha256.Size]byte
	// restarts is how often it has been started again after an end that nobody had asked for, the last time after a pause.
	restarts int
	paused   time.Duration
	// expected is set when somebody has asked for its end, told when somebody has been told of it, settled when somebody
	// has waited for it to be ready until it was, or in vain, and worked when it was.
	expected, told, settled, worked atomic.Bool
}

// How long a sidecar may take to be ready, and how often it is asked.
const (
	readyWithin = 60 * time.Second
	readyEvery  = 25 * time.Millisecond
)

// startSidecar starts the Envoy of a pod in the folder of its configuration and waits until it is ready.
func (m *machine) startSidecar(ctx context.Context, p *pod) error {
	s, err := m.launchSidecar(p, nil)
	if err != nil {
		return err
	}
	return p.awaitSidecar(ctx, s)
}

// launchSidecar starts the Envoy of a pod in place of one that has ended; nil if there was none.
func (m *machine) launchSidecar(p *pod, ended *sidecar) (*sidecar, error) {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.stays.Err() != nil || p.sidecar.Load() != ended {
		return nil, errPodGone
	}
	s, err := m.execSidecar(p)
	if err != nil {
		return nil, err
	}
	if ended != nil {
		s.restarts = ended.restarts
		if !ended.expected.Load() {
			s.restarts++
		}
	}
	p.sidecar.Store(s)
	return s, nil
}

// execSidecar starts the Envoy of a pod.
func (m *machine) execSidecar(p *pod) (*sidecar, error) {
	folder, err := m.sidecarFolder(p)
	if err != nil {
		return nil, err
	}
	sum, err := sumOf(filepath.Join(folder, disk.ConfigFile))
	if err != nil {
		return nil, err
	}
	log, err := m.openLog(p, "envoy.log")
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	t, err := p.sidecarThread(folder)
	if err != nil {
		return nil, fmt.Errorf("make a place for its sidecar: %w", err)
	}
	defer t.end()
	// Each line of a log is written at once, so that a refusal can be explained when it happens.
	arguments := append([]string{m.Envoy, "--file-flush-min-size-kb", "0"}, inject.Arguments("./"+disk.ConfigFile, m.Level)...)
	started, err := m.processes.start(t, program{
		arguments: arguments, binary: m.binary, environment: os.Environ(), files: [3]*os.File{m.nothing, log, log}, user: inject.SidecarUser,
	})
	if err != nil {
		return nil, fmt.Errorf("start its sidecar, %s as user %d: %w", m.Envoy, inject.SidecarUser, err)
	}
	return &sidecar{process: started, log: log.Name(), since: time.Now(), file: sum}, nil
}

// sumOf tells the content of a file from any other.
func sumOf(file string) ([sha256.Size]byte, error) {
	text, err := os.ReadFile(file)
	return sha256.Sum256(text), err
}

// sidecarThread is a thread in the pod and in the folder of the sidecar's configuration. Envoy follows the path of every
// file from the root, and a folder on the way may be closed to its user, such as a home or one for temporary files. On
// this thread such a folder is replaced by the one that is wanted.
func (p *pod) sidecarThread(folder string) (*thread, error) {
	t := newThread()
	err := t.do(func() error {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		if err := errors.Join(p.mounts.enter(unix.CLONE_NEWNS), p.network.enter(unix.CLONE_NEWNET)); err != nil {
			return err
		}
		if closed := firstClosed(folder); closed != "" {
			if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
				return os.NewSyscallError("unshare", err)
			}
			if err := unix.Mount(folder, closed, "", unix.MS_BIND, ""); err != nil {
				return os.NewSyscallError("mount", err)
			}
			folder = closed
		}
		return os.NewSyscallError("chdir", unix.Chdir(folder))
	})
	return t, err
}

// openClosed opens a binary that the sidecars' user cannot find, as a folder on the way is closed; else it is nil.
func openClosed(binary string) (*os.File, error) {
	closed := firstClosed(binary)
	if closed == "" {
		return nil, nil
	}
	f, err := os.Open(binary)
	if err != nil {
		return nil, err
	}
	var beginning [2]byte
	if _, err := f.ReadAt(beginning[:], 0); err == nil && string(beginning[:]) == "#!" {
		return nil, errors.Join(fmt.Errorf("%s is a script, and its interpreter cannot find it as user %d: %s is closed", binary, inject.SidecarUser, closed), f.Close())
	}
	return f, nil
}

// firstClosed is the first folder on the way to a file or folder that not everybody may pass; empty if there is none.
func firstClosed(path string) string {
	parent := filepath.Dir(path)
	if parent == path {
		return ""
	}
	if closed := firstClosed(parent); closed != "" {
		return closed
	}
	if stat, err := os.Stat(parent); err == nil && stat.Mode()&0o001 == 0 {
		return parent
	}
	return ""
}

// awaitSidecar waits until a sidecar is ready, or has ended. One that has a control plane is ready when that has answered.
// When the context ends, nothing is said of the sidecar: it is to be waited for again.
func (p *pod) awaitSidecar(ctx context.Context, s *sidecar) error {
	late := time.After(time.Until(s.since.Add(readyWithin)))
	client := p.adminClient()
	for {
		if ready(ctx, client) {
			s.settled.Store(true)
			s.worked.Store(true)
			return nil
		}
		select {
		case <-s.done:
			s.settled.Store(true)
			return fmt.Errorf("its sidecar ended (%s): %s", ending(s.status), lastComplaint(s.log))
		case <-ctx.Done():
			return nil
		case <-late:
			s.settled.Store(true)
			return fmt.Errorf("its sidecar is not ready after %s: %s", time.Since(s.since).Round(time.Second), lastComplaint(s.log))
		case <-time.After(readyEvery):
		}
	}
}

// sidecarFolder is the folder of a pod's configuration, which the sidecar's user can read: its private key is given to
// it, and everything else must be open to it.
func (m *machine) sidecarFolder(p *pod) (string, error) {
	relative, err := disk.ProxyFolder(model.ProxyID{Namespace: p.Namespace, Name: p.Name})
	if err != nil {
		return "", err
	}
	folder := filepath.Join(m.Folder, filepath.FromSlash(relative))
	key := filepath.Join(folder, compiler.PrivateKeyFile)
	if err := os.Chown(key, inject.SidecarUser, -1); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("give the private key to the sidecar's user: %w", err)
	}
	for _, name := range []string{"", disk.ConfigFile} {
		file := filepath.Join(folder, name)
		stat, err := os.Stat(file)
		if err != nil {
			return "", fmt.Errorf("its sidecar has no configuration: %w", err)
		}
		if !open(stat) {
			return "", fmt.Errorf("its sidecar runs as user %d, who may not read %s: its mode is %s (perhaps a strict umask; chmod -R go+rX %s)",
				inject.SidecarUser, file, stat.Mode(), m.Folder)
		}
	}
	return folder, nil
}

// open says whether the sidecar's user may read a file, or look into a folder.
func open(stat fs.FileInfo) bool {
	wanted := fs.FileMode(0o4)
	if stat.IsDir() {
		wanted = 0o5
	}
	owner, ok := stat.Sys().(*syscall.Stat_t)
	if ok && owner.Uid == inject.SidecarUser {
		wanted <<= 6
	}
	return stat.Mode()&wanted == wanted
}
