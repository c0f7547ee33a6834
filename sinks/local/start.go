//go:build linux

package local

import (
	"bufio"
	"cmp"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/flomesh-io/fsmc/compiler/inject"
)

// Mesh is a mesh that runs, as its front process sees it.
type Mesh struct {
	*Door
	inner   *inner
	decoder *gob.Decoder
	// folder and envoy are those of the plan that it was started with.
	folder, envoy string
	trouble       func(string)
	ended         chan struct{}
	err           error
	close         sync.Once
}

// Start brings the plan to life and returns when every sidecar is ready. The end of the context ends the start, and not
// the mesh. It starts this very program again, whose main must call Inside when its first argument is InsideArgument.
func Start(ctx context.Context, plan Plan, options Options) (*Mesh, error) {
	wanted, err := orderOf(plan, options)
	if err != nil {
		return nil, err
	}
	door, err := newDoor(cmp.Or(options.Name, DefaultName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = door.Close() }()
	inner, err := startInner(door)
	if err != nil {
		return nil, err
	}
	m := &Mesh{
		Door: &Door{door.Addr().String()}, inner: inner, decoder: gob.NewDecoder(bufio.NewReader(inner.line)),
		folder: plan.Folder, envoy: plan.Envoy, trouble: options.Trouble, ended: make(chan struct{}),
	}
	interrupted := context.AfterFunc(ctx, inner.kill)
	err = m.await(wanted, options.Progress)
	if !interrupted() {
		err = context.Cause(ctx)
	}
	if err != nil {
		inner.kill()
		<-inner.ended
		return nil, errors.Join(err, inner.line.Close())
	}
	go m.follow()
	return m, nil
}

// orderOf is the plan, with what the inner process cannot know.
func orderOf(plan Plan, options Options) (order, error) {
	if err := check(plan); err != nil {
		return order{}, err
	}
	folder, err := os.Getwd()
	if err != nil {
		return order{}, err
	}
	return order{settings{
		Folder: plan.Folder, Envoy: plan.Envoy, Level: cmp.Or(options.Level, "warning"),
		Logs: options.Logs, Scratch: options.Scratch, WorkingFolder: folder, Restart: options.Restart,
	}, wantedOf(plan)}, nil
}

// wantedOf is the part of a plan that can change.
func wantedOf(plan Plan) wanted {
	return wanted{
		Pods: plan.Pods, Addresses: plan.Addresses, Names: plan.Names, Rules: inject.Interception(plan.Interception),
		ControlPlane: plan.ControlPlane,
	}
}

// await sends what to run and follows the start to its end.
func (m *Mesh) await(wanted order, progress func(string, int, int)) error {
	if err := gob.NewEncoder(m.inner.line).Encode(wanted); err != nil {
		return m.inner.fate(err)
	}
	for {
		var e event
		if err := m.decoder.Decode(&e); err != nil {
			return m.inner.fate(err)
		}
		switch {
		case e.Failure != "":
			return errors.New(e.Failure)
		case e.Ready:
			return nil
		case e.Doing != "" && progress != nil:
			progress(e.Doing, e.Done, e.Total)
		}
		m.heed(e) // A command can end before the last one has started.
	}
}

// follow tells of trouble until the mesh ends.
func (m *Mesh) follow() {
	defer close(m.ended)
	for {
		var e event
		if err := m.decoder.Decode(&e); err != nil {
			m.err = m.inner.fate(err)
			_ = m.inner.line.Close()
			return
		}
		m.heed(e)
	}
}

// heed tells of trouble.
func (m *Mesh) heed(e event) {
	if e.Trouble != "" && m.trouble != nil {
		m.trouble(e.Trouble)
	}
}

// Apply brings the mesh to another plan, of the same Folder and Envoy, and returns when it is so. The tree in the folder
// must be that of the new plan already. Nothing happens to what is the same:
//
//   - A pod goes on if its addresses, identity, workload, sidecar, command and environment are the same. Its echo server
//     follows the ports. Its sidecar is started again only if the file that it starts with has changed.
//   - Connections that are open stay where they are, also those to a virtual address that now leads elsewhere.
//   - New pods are ready before addresses and names lead to them, or late by a few seconds; pods that have to go stay
//     for a second after that. A pod that takes another's name or address comes when the other has gone.
//
// What does not work is told as trouble, comes back as Failures (see Broken), and keeps nothing else from being done; the
// next Apply tries it again. One plan is applied after the other; one that waits for its turn ends the waiting for sidecars of the
// one before, and waits for them itself. So does the end of the context: a change that has begun is made, and one that
// waits for its turn is not.
func (m *Mesh) Apply(ctx context.Context, plan Plan) error {
	if plan.Folder != m.folder || plan.Envoy != m.envoy {
		return errors.New("the folder and the Envoy of a mesh that runs cannot be others")
	}
	if err := checkAddresses(plan); err != nil {
		return err
	}
	answer, err := m.call(ctx, request{Kind: applyRequest, Wanted: wantedOf(plan)}, nil, nil)
	if err == nil && len(answer.Failures) > 0 {
		return answer.Failures
	}
	return err
}

// Ended is closed when the mesh has ended; Err then says why. A mesh that was closed has ended without an error.
func (m *Mesh) Ended() <-chan struct{} { return m.ended }

// Err says why the mesh has ended.
func (m *Mesh) Err() error {
	<-m.ended
	return m.err
}

// Close ends the mesh. When it returns, no process of it is left, and no namespace, link, mount or rule.
func (m *Mesh) Close() {
	m.close.Do(func() {
		m.inner.end()
		<-m.ended
		m.err = nil
	})
}

// fate says what became of the inner process, which does not answer any more.
func (i *inner) fate(err error) error {
	i.kill()
	<-i.ended
	said := strings.TrimSpace(i.said.String())
	if said == "" {
		said = cmp.Or(i.state, err.Error())
	}
	return fmt.Errorf("the process that holds the mesh has ended: %s", said)
}
