//go:build linux

package local

import "runtime"

// thread is an OS thread that may have namespaces of its own. Sockets and processes that are made on it belong to those
// namespaces for good, whoever uses them then.
type thread struct{ work chan func() }

// newThread starts a thread. It lives until the process ends.
func newThread() *thread {
	t := &thread{work: make(chan func())}
	go func() {
		runtime.LockOSThread() // And never unlocked: nothing else of this program may run in the namespaces.
		for f := range t.work {
			f()
		}
	}()
	return t
}

// do runs a function on the thread, after those that wait already. The function should be short.
func (t *thread) do(f func() error) error {
	result := make(chan error, 1)
	t.work <- func() { result <- f() }
	return <-result
}
