package faults

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/tests/faults/sidecar"
)

// storm makes so many connections from one address, 10,000 a second or as many as the machine can. It returns how long that
// took.
func storm(t *testing.T, p controlplane.Place, from string, connections int64, each func(*net.TCPConn)) time.Duration {
	t.Helper()
	const perTick, tick = 50, 5 * time.Millisecond
	var made atomic.Int64
	turns := make(chan struct{}, perTick)
	ctx, cancel := context.WithTimeout(t.Context(), 4*recovery)
	defer cancel()
	began := time.Now()
	var callers sync.WaitGroup
	for range 16 {
		callers.Go(func() {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: time.Second}
			for {
				select {
				case <-ctx.Done():
					return
				case <-turns:
				}
				c, err := d.DialContext(ctx, "tcp", p.Address)
				if err != nil {
					continue
				}
				_ = c.(*net.TCPConn).SetLinger(0) // nothing of it is left in the kernel
				each(c.(*net.TCPConn))
				if made.Add(1) >= connections {
					cancel()
				}
			}
		})
	}
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for ctx.Err() == nil {
		<-ticker.C
		for range perTick {
			select {
			case turns <- struct{}{}:
			default:
			}
		}
	}
	callers.Wait()
	if n := made.Load(); n < connections {
		t.Errorf("only %d connections were made", n)
	}
	return time.Since(began)
}

// One client makes 20,000 connections, 10,000 a second if the machine can, from an address of its own: it hangs up at once; or
// begins a handshake and never goes on; or says nothing and stays, on 2,000 of them. Proxies that are served stay served; one that comes
// meanwhile is let in within 5 seconds; and goroutines, files and memory (up to 16 MiB) of the control plane come back.
func TestManyConnectionsFromOneClient(t *testing.T) {
	folder, manifests := manifests(t, 10, 10)
	p := place(t, folder)
	start(t, p)
	known := nodes(t, folder)
	all := join(t, known[1:], p.Sidecar)
	delete(all, known[0])
	within(t, recovery, "the neighbours are served", func() bool { return p.Settled(len(all)) })
	before := p.Use()
	const connections, most = 20_000, 2000
	var mu sync.Mutex
	var open []net.Conn
	stay := func(c *net.TCPConn) {
		mu.Lock()
		defer mu.Unlock()
		if len(open) < most {
			open = append(open, c)
			return
		}
		_ = c.Close()
	}
	for _, kind := range []struct {
		name string
		each func(*net.TCPConn)
	}{
		{"hang up at once", func(c *net.TCPConn) { _ = c.Close() }},
		{"hang up within the handshake", func(c *net.TCPConn) {
			_, _ = c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
			_ = c.Close()
		}},
		{"stay and say nothing", stay},
	} {
		took := storm(t, p, "127.0.0.9", connections, kind.each)
		t.Logf("%s: %.0f connections a second", kind.name, connections/took.Seconds())
	}
	began := time.Now()
	late := sidecar.Start(p.Sidecar(known[0]))
	defer late.Stop()
	edit(t, manifests)
	if err := manifests.Write(); err != nil {
		t.Fatal(err)
	}
	served(t, all, known[0], folder)
	t.Logf("with %d silent connections open, an edit is there after %s", len(open), time.Since(began))
	within(t, 5*time.Second, "a proxy that comes meanwhile is let in", late.Connected)
	t.Logf("with %d silent connections open, a proxy is let in after %s", len(open), time.Since(began))
	for _, c := range open {
		_ = c.Close()
	}
	late.Stop()
	for node, s := range all {
		if n := s.Counts().Streams; n > 1 {
			t.Errorf("%s had %d streams", node, n)
		}
	}
	all.noRepeats(t)
	returned(t, p, before, 16<<20)
}

// A handshake that does not go on is ended within 30 seconds, and what waits behind it is not kept for longer.
func TestSilentConnectionsAreEnded(t *testing.T) {
	t.Parallel()
	folder, _ := manifests(t, 10, 11)
	p := place(t, folder)
	start(t, p)
	c, err := p.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetReadDeadline(time.Now().Add(recovery))
	if n, err := c.Read(make([]byte, 1)); n != 0 || isTimeout(err) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
