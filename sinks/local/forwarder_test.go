//go:build linux

package local

import (
	"bufio"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestConnectionsAreLedToTheControlPlane(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "ads")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	f := &forwarder{}
	if err := f.lead(socket, nil); err != nil {
		t.Fatal(err)
	}
	go f.serve(listener.(*net.TCPListener))
	at := listener.Addr().String()

	isRefused(t, at)
	for range 2 { // It dies, and comes back at the same place.
		server := controlPlane(t, socket)
		kept := dialed(t, at)
		says(t, kept, "hello\n")
		_ = server.Close()
		if _, err := kept.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("a control plane has gone, and its connection says %v", err)
		}
		isRefused(t, at)
	}
	controlPlane(t, socket)
	c := dialed(t, at)
	says(t, c, "hello\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); err != nil || string(rest) != "bye\n" {
		t.Errorf("after the end of one direction came %q, %v", rest, err)
	}
}

// controlPlane sends lines back, and says bye. When it is closed, so are its connections.
func controlPlane(t *testing.T, socket string) *net.UnixListener {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		var open []net.Conn
		for {
			c, err := listener.Accept()
			if err != nil {
				break
			}
			open = append(open, c)
			go func() {
				_, _ = io.Copy(c, struct{ io.Reader }{c})
				_, _ = c.Write([]byte("bye\n"))
				_ = c.Close()
			}()
		}
		for _, c := range open {
			_ = c.Close()
		}
	}()
	return listener
}

func dialed(t *testing.T, at string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c.(*net.TCPConn)
}

func says(t *testing.T, c net.Conn, line string) {
	t.Helper()
	if _, err := io.WriteString(c, line); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(c).ReadString('\n'); err != nil || got != line {
		t.Fatalf("%q came back as %q, %v", line, got, err)
	}
}

// isRefused wants a connection to be reset at once.
func isRefused(t *testing.T, at string) {
	t.Helper()
	began := time.Now()
	c, err := net.Dial("tcp", at)
	if err == nil {
		_, err = c.Read(make([]byte, 1))
		_ = c.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) || time.Since(began) > time.Second {
		t.Errorf("nobody is there, and after %s: %v", time.Since(began), err)
	}
}
