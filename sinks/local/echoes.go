//go:build linux

package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
)

// echoes are the built-in servers of a pod, one for each port. The zero value listens nowhere.
type echoes struct {
	mu        sync.Mutex
	listeners map[Port]net.Listener
	// open are the connections that have not ended.
	open  map[net.Conn]bool
	ended bool
}

// listen brings the servers of a pod to its ports: on those that it has not any more nobody listens, though connections
// that are open may go on. A port that cannot be listened on does not keep others from it.
func (e *echoes) listen(p *pod) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return errPodGone
	}
	for port, listener := range e.listeners {
		if !slices.Contains(p.Ports, port) {
			_ = listener.Close()
			delete(e.listeners, port)
		}
	}
	var failures []error
	for _, port := range p.Ports {
		if _, serves := e.listeners[port]; serves {
			continue
		}
		listener, err := p.listen(port.Number)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if e.listeners == nil {
			e.listeners, e.open = map[Port]net.Listener{}, map[net.Conn]bool{}
		}
		e.listeners[port] = listener
		go echo{p.Pod, port}.serve(counted{listener, e})
	}
	return errors.Join(failures...)
}

// listen listens in the pod.
func (p *pod) listen(port uint16) (listener net.Listener, err error) {
	err = p.do(func() (err error) {
		var config net.ListenConfig
		config.SetMultipathTCP(false)
		listener, err = config.Listen(context.Background(), "tcp", fmt.Sprintf(":%d", port))
		return err
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is in use in the pod: it is listed twice, or belongs to the sidecar", port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on port %d: %w", port, err)
	}
	return listener, nil
}

// end ends all servers and their connections.
func (e *echoes) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	for _, listener := range e.listeners {
		_ = listener.Close()
	}
	for c := range e.open {
		_ = c.(*countedConn).Conn.Close()
	}
	clear(e.open)
}

// counted is a listener whose connections are known until they end.
type counted struct {
	net.Listener
	echoes *echoes
}

// Accept implements net.Listener.
func (c counted) Accept() (net.Conn, error) {
	inner, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &countedConn{inner, c.echoes}
	c.echoes.mu.Lock()
	defer c.echoes.mu.Unlock()
	if c.echoes.ended {
		return nil, errors.Join(errPodGone, inner.Close())
	}
	c.echoes.open[conn] = true
	return conn, nil
}

type countedConn struct {
	net.Conn
	echoes *echoes
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.echoes.mu.Lock()
	delete(c.echoes.open, c)
	c.echoes.mu.Unlock()
	return c.Conn.Close()
}
