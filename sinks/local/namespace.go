//go:build linux

package local

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// namespace is a namespace of a pod, held open so that threads can enter it.
type namespace struct {
	mu sync.RWMutex
	// file is nil when the namespace was let go. A number of a file that was closed could be another pod's already.
	file *os.File
	// id tells it apart from others of its kind.
	id string
}

// namespaceOf is the namespace of the calling thread: net, mnt and so on.
func namespaceOf(kind string) (*namespace, error) {
	path := "/proc/thread-self/ns/" + kind
	id, err := os.Readlink(path)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	return &namespace{file: file, id: id}, err
}

// enter brings the calling thread into it.
func (n *namespace) enter(kind int) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.file == nil {
		return errPodGone
	}
	return os.NewSyscallError("setns", unix.Setns(int(n.file.Fd()), kind))
}

// release lets go of it. The kernel removes it when nothing lives in it any more.
func (n *namespace) release() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.file != nil {
		_ = n.file.Close()
		n.file = nil
	}
}
