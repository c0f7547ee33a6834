//go:build linux

package local

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// forwarder leads connections from pods to the control plane, which serves at a socket of the machine outside: bytes go
// through as they are, so that the two sides know each other by TLS. It holds nothing of a connection that has ended: a
// control plane that goes takes its connections along, and one that comes back gets the next ones.
type forwarder struct {
	// socket is the path of the control plane's socket; empty when there is none.
	socket atomic.Pointer[string]
	once   sync.Once
	err    error
}

// lead has connections go to a socket from now on. Those that are open stay with the one that they have.
func (f *forwarder) lead(socket string, from []netip.Addr) error {
	f.socket.Store(&socket)
	if socket == "" {
		return nil
	}
	f.once.Do(func() { f.err = f.listen(from) })
	return f.err
}

func (f *forwarder) listen(addresses []netip.Addr) error {
	for _, address := range addresses {
		listener, err := net.Listen("tcp", netip.AddrPortFrom(address, ControlPlanePort).String())
		if err != nil {
			return err
		}
		go f.serve(listener.(*net.TCPListener))
	}
	return nil
}

func (f *forwarder) serve(l *net.TCPListener) {
	for {
		c, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(refusedPause) // There are no descriptors left, for a while.
			continue
		}
		go f.forward(c)
	}
}

// How long a connection to the control plane may take to be made, and how long nothing is accepted when that failed.
const (
	forwardWithin = 2 * time.Second
	refusedPause  = 50 * time.Millisecond
)

// forward connects a connection to the control plane. It is reset when nobody is there: the sidecar tries again.
func (f *forwarder) forward(c *net.TCPConn) {
	dialer := net.Dialer{Timeout: forwardWithin}
	there, err := dialer.DialContext(context.Background(), "unix", *f.socket.Load())
	if err != nil {
		_ = c.SetLinger(0)
		_ = c.Close()
		return
	}
	join(c, there.(*net.UnixConn))
}

// halfCloser is a connection of which one direction can be ended.
type halfCloser interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// join passes on what either side sends, and its end, until both have ended or one is broken.
func join(a, b halfCloser) {
	var directions sync.WaitGroup
	pass := func(from, to halfCloser) {
		_, err := io.Copy(to, from)
		if err == nil {
			err = to.CloseWrite()
		}
		if err != nil && !errors.Is(err, syscall.ENOTCONN) {
			_ = a.Close()
			_ = b.Close()
		}
	}
	directions.Go(func() { pass(a, b) })
	directions.Go(func() { pass(b, a) })
	directions.Wait()
	_ = a.Close()
	_ = b.Close()
}
