//go:build linux

package local

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flomesh-io/fsmc/verdict"
)

// Door is where a mesh that runs is asked. Only the user that started the mesh is let in.
type Door struct{ address string }

// Open finds the mesh of this user that has the name; DefaultName when it is empty.
func Open(name string) (*Door, error) {
	if name == "" {
		name = DefaultName
	}
	d := &Door{doorName(name)}
	c, err := d.connect(context.Background())
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("no mesh of yours runs here under the name %q: start one with 'fsmc up'", name)
	}
	if err != nil {
		return nil, err
	}
	return d, c.Close()
}

// doorName is the name of a mesh's socket. It is in no folder: it goes with the last process that has it open.
func doorName(name string) string { return fmt.Sprintf("@fsmc-up-%d-%s", os.Getuid(), name) }

// newDoor makes the socket of a mesh.
func newDoor(name string) (*net.UnixListener, error) {
	if name == "" || len(name) > 60 || strings.ContainsAny(name, "\x00\n") {
		return nil, fmt.Errorf("%q cannot be the name of a mesh", name)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: doorName(name), Net: "unix"})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("a mesh runs already under the name %q: end it, or give this one another name with --name", name)
	}
	return listener, err
}

// Ask makes one request in the name of a pod. It implements verdict.Engine.
func (d *Door) Ask(ctx context.Context, q verdict.Question) (verdict.Answer, error) {
	answer, err := d.call(ctx, request{Kind: askRequest, Question: q}, nil, nil)
	return answer.Answer, err
}

// Pods says how the pods are, in the order of the plan.
func (d *Door) Pods(ctx context.Context) ([]Status, error) {
	answer, err := d.call(ctx, request{Kind: listRequest}, nil, nil)
	return answer.Pods, err
}

// Execute runs a program in a pod on three files, standard input, output and error, and returns its exit code, which is
// 128 and the signal's number if a signal ended it. Signals are passed on to it. The end of the context ends it.
func (d *Door) Execute(ctx context.Context, e Execution, files [3]*os.File, signals <-chan os.Signal) (int, error) {
	answer, err := d.call(ctx, request{Kind: executeRequest, Execution: e}, files[:], signals)
	return answer.Exit, err
}

// Load makes a load in the name of a pod. It tells of outcomes as they come, in batches and in the order in which they
// ended, from one goroutine; each may be nil. It returns their sum when the load ends, or at the end of the context, which
// is no error.
func (d *Door) Load(ctx context.Context, l Load, each func([]Outcome)) (Report, error) {
	var report Report
	c, err := d.connect(ctx)
	if err != nil {
		return report, fmt.Errorf("the mesh does not answer: %w", err)
	}
	defer func() { _ = c.Close() }()
	encoder, decoder := gob.NewEncoder(c), gob.NewDecoder(c)
	if err := errors.Join(sendFiles(c, nil), encoder.Encode(request{Kind: loadRequest, Load: l})); err != nil {
		return report, fmt.Errorf("the mesh has ended: %w", err)
	}
	stop := context.AfterFunc(ctx, func() {
		_ = encoder.Encode(signalled{int(syscall.SIGINT)})
		_ = c.SetReadDeadline(time.Now().Add(answerWithin))
	})
	defer stop()
	for {
		var some reply
		if err := decoder.Decode(&some); err != nil {
			return report, fmt.Errorf("the mesh has ended: %w", err)
		}
		report.Add(some.Outcomes...)
		if each != nil && len(some.Outcomes) > 0 {
			each(some.Outcomes)
		}
		switch {
		case some.Error != "":
			return report, errors.New(some.Error)
		case !some.More:
			return report, nil
		}
	}
}

// call makes one request and waits for the reply.
func (d *Door) call(ctx context.Context, asked request, files []*os.File, signals <-chan os.Signal) (reply, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return reply{}, fmt.Errorf("the mesh does not answer: %w", err)
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	encoder := gob.NewEncoder(c)
	err = sendFiles(c, files)
	if err == nil {
		err = encoder.Encode(asked)
	}
	done := make(chan struct{})
	defer close(done)
	go passOn(signals, encoder, done)
	var answer reply
	if err == nil {
		err = gob.NewDecoder(c).Decode(&answer)
	}
	switch {
	case ctx.Err() != nil:
		return reply{}, ctx.Err()
	case err != nil:
		return reply{}, fmt.Errorf("the mesh has ended: %w", err)
	case answer.Error != "":
		return reply{}, errors.New(answer.Error)
	}
	return answer, nil
}

// connect connects to the door, and makes sure that it is this user's.
func (d *Door) connect(ctx context.Context) (*net.UnixConn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", d.address)
	if err != nil {
		return nil, err
	}
	peer, err := peerOf(c.(*net.UnixConn))
	if err == nil && int(peer.Uid) != os.Getuid() {
		err = fmt.Errorf("the socket %s is another user's", d.address)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c.(*net.UnixConn), nil
}

// peerOf is who is on the other side.
func peerOf(c *net.UnixConn) (peer *unix.Ucred, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	controlErr := raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	return peer, errors.Join(controlErr, err)
}

// sendFiles sends the byte that begins a connection, with files.
func sendFiles(c *net.UnixConn, files []*os.File) error {
	var rights []byte
	if len(files) > 0 {
		var fds []int
		for _, f := range files {
			fds = append(fds, int(f.Fd()))
		}
		rights = unix.UnixRights(fds...)
	}
	_, _, err := c.WriteMsgUnix([]byte{0}, rights, nil)
	return err
}

func passOn(signals <-chan os.Signal, encoder *gob.Encoder, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case s := <-signals:
			if number, ok := s.(syscall.Signal); ok {
				_ = encoder.Encode(signalled{int(number)})
			}
		}
	}
}
