//go:build linux

package local

import (
	"errors"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// thread is an OS thread that may have namespaces of its own. Sockets and processes that are made on it belong to those
// namespaces for good, whoever uses them then.
type thread struct {
	work        chan func()
	quit, ended chan struct{}
	once        sync.Once
}

var errPodGone = errors.New("the pod has gone")

// newThread starts a thread. It lives until it is ended.
func newThread() *thread {
	t := &thread{work: make(chan func()), quit: make(chan struct{}), ended: make(chan struct{})}
	begun := make(chan struct{})
	go t.run(begun)
	<-begun
	return t
}

func (t *thread) run(begun chan<- struct{}) {
	runtime.LockOSThread() // And never unlocked: nothing else of this program may run in the namespaces.
	if unix.Gettid() == unix.Getpid() {
		// The first thread of a process cannot end, and its namespaces are taken for those of the process. As long as it is
		// held, another goroutine gets another thread.
		another := make(chan struct{})
		go t.run(another)
		<-another
		close(begun)
		runtime.UnlockOSThread()
		return
	}
	close(begun)
	defer close(t.ended)
	for {
		select {
		case f := <-t.work:
			f()
		case <-t.quit:
			return
		}
	}
}

// do runs a function on the thread, after those that wait already. The function should be short.
func (t *thread) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case t.work <- func() { result <- f() }:
		return <-result
	case <-t.quit:
		return errPodGone
	}
}

// end ends the thread once it has done what it does now. Nothing is done on it any more when this returns.
func (t *thread) end() {
	t.once.Do(func() { close(t.quit) })
	<-t.ended
}
