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

// storm makes connections from one address, as fast as the machine lets it and at most 10,000 a second, for some time. It
// returns how many there were.
func storm(t *testing.T, p controlplane.Place, from string, during time.Duration, each func(*net.TCPConn)) int64 {
	t.Helper()
	const perTick, tick = 50, 5 * time.Millisecond
	var made atomic.Int64
	turns := make(chan struct{}, perTick)
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
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
				made.Add(1)
				_ = c.(*net.TCPConn).SetLinger(0) // nothing of it is left in the kernel
				each(c.(*net.TCPConn))
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
	return made.Load()
}

// One client makes up to 10,000 connections a second, from an address of its own: it hangs up at once, or begins a
// handshake and never goes on, or says nothing and stays, 2,000 times. Proxies that are served stay served; one that comes
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
	const during, most = 2 * time.Second, 2000
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
		n := storm(t, p, "127.0.0.9", during, kind.each)
		t.Logf("%s: %d connections a second", kind.name, int(float64(n)/during.Seconds()))
		if n < 1000 {
			t.Errorf("only %d connections were made", n)
		}
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
