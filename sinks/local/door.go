//go:build linux

package local

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/flomesh-io/fsmc/model"
)

// serve answers at the door until the context ends. Only the user that started the mesh is let in.
func (m *machine) serve(ctx context.Context, door *net.UnixListener) {
	for {
		c, err := door.AcceptUnix()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = c.Close() }()
			if isOwner(c) {
				m.serveConnection(ctx, c)
			}
		}()
	}
}

// isOwner says whether the other side is the user that started the mesh, who is the superuser in here.
func isOwner(c *net.UnixConn) bool {
	peer, err := peerOf(c)
	return err == nil && peer.Uid == 0
}

func (m *machine) serveConnection(ctx context.Context, c *net.UnixConn) {
	files, err := receiveFiles(c)
	defer closeAll(files)
	if err != nil {
		return
	}
	decoder := gob.NewDecoder(bufio.NewReader(c))
	var asked request
	if decoder.Decode(&asked) != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	signals := make(chan syscall.Signal)
	go func() {
		defer cancel() // The client has gone.
		for {
			var s signalled
			if decoder.Decode(&s) != nil {
				return
			}
			select {
			case signals <- syscall.Signal(s.Signal):
			case <-ctx.Done():
				return
			}
		}
	}()
	encoder := gob.NewEncoder(c)
	tell := func(some reply) error {
		some.More = true
		return encoder.Encode(some)
	}
	answer, err := m.handle(ctx, asked, files, signals, tell)
	if err != nil {
		answer.Error = err.Error()
	}
	_ = encoder.Encode(answer)
}

func (m *machine) handle(ctx context.Context, asked request, files []*os.File, signals <-chan syscall.Signal, tell func(reply) error) (answer reply, err error) {
	switch asked.Kind {
	case askRequest:
		answer.Answer, err = m.Ask(ctx, asked.Question)
	case listRequest:
		answer.Pods = m.list(ctx)
	case executeRequest:
		answer.Exit, err = m.execute(ctx, asked.Execution, files, signals)
	case loadRequest:
		answer.Outcomes, err = m.load(ctx, asked.Load, signals, tell)
	case applyRequest:
		answer.Failures, err = m.apply(ctx, asked.Wanted)
	default:
		err = fmt.Errorf("this mesh was started by another version of the program, which does not know %q", asked.Kind)
	}
	return answer, err
}

// pod finds a pod.
func (m *machine) pod(namespace, name string) (*pod, error) {
	if p, ok := m.state.Load().byID[model.ProxyID{Namespace: namespace, Name: name}]; ok {
		return p, nil
	}
	return nil, fmt.Errorf("there is no pod %s/%s in this mesh", namespace, name)
}

// list says how all pods are.
func (m *machine) list(ctx context.Context) []Status {
	pods := m.state.Load().pods
	all := make([]Status, len(pods))
	var workers sync.WaitGroup
	for i, p := range pods {
		workers.Go(func() { all[i] = p.status(ctx) })
	}
	workers.Wait()
	return all
}

func (p *pod) status(ctx context.Context) Status {
	s := Status{
		Namespace: p.Namespace, Pod: p.Name, Workload: p.Workload, Identity: p.Identity, Addresses: p.addresses,
		Sidecar: NoSidecar, Application: EchoServer,
	}
	for _, port := range p.Ports {
		s.Ports = append(s.Ports, port.Number)
	}
	if p.Sidecar {
		s.Sidecar = NotReady
	}
	if now := p.sidecar.Load(); now != nil {
		s.Configured, s.Log, s.Restarts = now.since, now.log, now.restarts
		if why, ended := now.ended(); ended {
			s.Sidecar = why
		} else if admin := p.adminClient(); ready(ctx, admin) {
			s.Sidecar, s.Configured = Ready, later(now.since, lastUpdate(ctx, admin))
		}
	}
	if c := p.command.Load(); c != nil {
		s.ApplicationLog, s.Application = c.log, Running
		if why, ended := c.ended(); ended {
			s.Application = why
		}
	}
	return s
}

// ended says how a process ended, if it has.
func (p *process) ended() (why string, ended bool) {
	select {
	case <-p.done:
		return "ended, " + ending(p.status), true
	default:
		return "", false
	}
}

// execute runs a program in a pod on the files of the client, until it ends or the client has gone.
func (m *machine) execute(ctx context.Context, wanted Execution, files []*os.File, signals <-chan syscall.Signal) (int, error) {
	if len(files) != 3 || len(wanted.Arguments) == 0 {
		return 0, errors.New("the request has no command, or no files for it")
	}
	p, err := m.pod(wanted.Namespace, wanted.Pod)
	if err != nil {
		return 0, err
	}
	started, err := m.processes.start(p.thread, program{
		arguments: wanted.Arguments, environment: slices.Concat(wanted.Environment, p.environment()),
		folder: wanted.Folder, files: [3]*os.File(files),
	})
	if err != nil {
		return 0, err
	}
	for {
		select {
		case <-started.done:
			return exitCode(started.status), nil
		case s := <-signals:
			m.processes.signal(started, s)
		case <-ctx.Done():
			m.processes.signal(started, syscall.SIGKILL)
			return 0, ctx.Err()
		}
	}
}

// receiveFiles reads the byte that begins a connection, and the files that come with it.
func receiveFiles(c *net.UnixConn) ([]*os.File, error) {
	first, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(3*4))
	n, size, _, _, err := c.ReadMsgUnix(first, rights)
	if err != nil || n == 0 {
		return nil, errors.Join(err, errors.New("nothing was asked"))
	}
	messages, err := unix.ParseSocketControlMessage(rights[:size])
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, message := range messages {
		fds, err := unix.ParseUnixRights(&message)
		if err != nil {
			return files, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}
