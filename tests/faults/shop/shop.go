//go:build linux

package shop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
	"github.com/flomesh-io/fsmc/tests/faults/controlplane"
	"github.com/flomesh-io/fsmc/verdict"
)

// Shop is the mesh while it runs.
type Shop struct {
	process *controlplane.Process
	door    *local.Door
	stop    context.CancelFunc
	loads   sync.WaitGroup

	mu   sync.Mutex
	asks map[string]*Ask
	ends []error
}

// Ask is what one of those who ask has come to know.
type Ask struct {
	local.Report
	// Refused says that nothing of it is ever allowed. Without, everything is.
	Refused bool
}

// Lost are the outcomes that must not be: what was not answered though it is allowed, or was though it is not.
func (a Ask) Lost() int {
	if a.Refused {
		return a.Allowed
	}
	return a.Denied + a.Failed
}

// ErrForbidden says that this system does not let this user run such a mesh.
var ErrForbidden = errors.New("this system does not let this user make namespaces")

// Run runs the pods and sidecars of a folder until End. A control plane serves them at a socket, with the authority of
// the place. The Envoy is $FSMC_ENVOY.
func Run(ctx context.Context, p controlplane.Place, folder, socket string) (*Shop, error) {
	name := fmt.Sprintf("shop-%d-%d", os.Getpid(), time.Now().UnixNano())
	process, err := controlplane.Begin(p, exec.Command(p.Program, "up", folder, "--name", name, "--ca-dir", p.Authority, "--server", socket))
	if err != nil {
		return nil, err
	}
	s := &Shop{process: process, stop: func() {}, asks: map[string]*Ask{}}
	const patience = time.Minute
	for deadline := time.Now().Add(patience); !strings.Contains(process.Said(), "up: "); {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-process.Exited():
			err = s.ended()
		case <-time.After(20 * time.Millisecond):
			if time.Now().After(deadline) {
				err = fmt.Errorf("fsmc up does not run after %s: %s", patience, process.Said())
			}
		}
		if err != nil {
			s.End()
			return nil, err
		}
	}
	if s.door, err = local.Open(name); err != nil {
		s.End()
		return nil, err
	}
	return s, nil
}

// ended is why the mesh did not begin.
func (s *Shop) ended() error {
	said := s.process.Said()
	if strings.Contains(said, "namespaces") || os.Geteuid() != 0 && strings.Contains(said, "or run it as root") {
		return fmt.Errorf("%w: %s", ErrForbidden, said)
	}
	return errors.New("fsmc up has ended: " + said)
}

// asking is one who asks, whom and how.
type asking struct {
	whom    string
	refused bool
	local.Load
}

// askings are all who ask.
func askings() []asking {
	web, lines, either := netip.MustParseAddrPort("198.18.0.1:80"), netip.MustParseAddrPort("198.18.0.4:9000"), netip.MustParseAddrPort("198.18.0.5:80")
	everything, public := &verdict.Request{Method: "GET", Path: "/"}, &verdict.Request{Method: "GET", Path: "/public"}
	return []asking{
		{"web", false, local.Load{Pod: "client-0", Address: web, Kind: local.HTTP1Requests, Request: everything}},
		{"web", false, local.Load{Pod: "client-0", Address: web, Kind: local.HTTP2Requests, Request: everything}},
		{"web", false, local.Load{Pod: "client-0", Address: web, Kind: local.FreshConnections, Request: everything}},
		{"lines", false, local.Load{Pod: "client-0", Address: lines, Kind: local.TCPLines}},
		{"either", false, local.Load{Pod: "client-0", Address: either, Kind: local.HTTP1Requests, Request: everything}},
		{"web", false, local.Load{Pod: "guest-0", Address: web, Kind: local.HTTP1Requests, Request: public}},
		{"lines", true, local.Load{Pod: "guest-0", Address: lines, Kind: local.TCPLines}},
	}
}

// Load has everybody ask, each 100 times a second, until Rest.
func (s *Shop) Load(ctx context.Context) { s.load(ctx, func(asking) bool { return true }) }

// LoadOf has those in one pod ask.
func (s *Shop) LoadOf(ctx context.Context, pod string) {
	s.load(ctx, func(a asking) bool { return a.Pod == pod })
}

// LoadOpen has those ask who keep their connections open, and are always let in.
func (s *Shop) LoadOpen(ctx context.Context) {
	s.load(ctx, func(a asking) bool { return !a.refused && a.Kind != local.FreshConnections })
}

func (s *Shop) load(ctx context.Context, who func(asking) bool) {
	ctx, s.stop = context.WithCancel(ctx)
	for _, a := range askings() {
		if who(a) {
			s.ask(ctx, a.refused, a.whom, a.Load)
		}
	}
}

// Connects says whether a connection without HTTP, for which the sidecars have to make one of their own, is made and answered.
func (s *Shop) Connects(ctx context.Context) (bool, error) {
	answer, err := s.door.Ask(ctx, verdict.Question{Namespace: "shop", Pod: "client-0", Address: netip.MustParseAddrPort("198.18.0.4:9000")})
	return answer.Allowed, err
}

func (s *Shop) ask(ctx context.Context, refused bool, whom string, l local.Load) {
	const forEver = 1000 * time.Hour
	l.Namespace, l.Connections, l.Every, l.For = "shop", 2, 20*time.Millisecond, forEver
	if refused {
		l.Connections, l.Every = 1, 200*time.Millisecond
	}
	a := &Ask{Refused: refused}
	s.asks[fmt.Sprint(l.Pod, " asks ", whom, ": ", l.Kind)] = a
	s.loads.Go(func() {
		_, err := s.door.Load(ctx, l, func(some []local.Outcome) {
			s.mu.Lock()
			defer s.mu.Unlock()
			a.Add(some...)
		})
		if err != nil && ctx.Err() == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ends = append(s.ends, err)
		}
	})
}

// Asks are what came of all that was asked until now, by who asks whom and how.
func (s *Shop) Asks() map[string]Ask {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]Ask{}
	for name, a := range s.asks {
		now := *a
		now.Backends, now.Reasons = nil, map[string]int{}
		for reason, n := range a.Reasons {
			now.Reasons[reason] = n
		}
		all[name] = now
	}
	return all
}

// Totals are how many outcomes there were, and how many of them must not be.
func (s *Shop) Totals() (asked, lost int) {
	for _, a := range s.Asks() {
		asked += a.Total()
		lost += a.Lost()
	}
	return asked, lost
}

// Rest ends the load. The error says which load has ended before.
func (s *Shop) Rest() error {
	s.stop()
	s.loads.Wait()
	return errors.Join(s.ends...)
}

// End ends the mesh.
func (s *Shop) End() {
	s.stop()
	s.process.End(syscall.SIGINT)
	s.loads.Wait()
}

// Pods are how the pods are.
func (s *Shop) Pods(ctx context.Context) ([]local.Status, error) { return s.door.Pods(ctx) }

// Signal sends a signal, such as STOP, to the sidecar of a pod: the process that writes its log.
func (s *Shop) Signal(ctx context.Context, pod, signal string) error {
	pods, err := s.Pods(ctx)
	if err != nil {
		return err
	}
	const script = `for p in /proc/[0-9]*; do [ "$(readlink $p/fd/1)" = "$1" ] && exec kill -s "$2" ${p#/proc/}; done; exit 1`
	for _, p := range pods {
		if p.Pod == pod {
			_, err := s.runs(ctx, pod, "sh", "-c", script, "sh", p.Log, signal)
			return err
		}
	}
	return errors.New("there is no pod " + pod)
}

// admin is a page of the administration of a pod's sidecar, which is to be had from inside the pod only.
func (s *Shop) admin(ctx context.Context, pod, path string) ([]byte, error) {
	return s.runs(ctx, pod, "curl", "-sf", "localhost:15000"+path)
}

// runs runs a command in a pod, and returns what it wrote.
func (s *Shop) runs(ctx context.Context, pod string, command ...string) ([]byte, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, errors.Join(err, r.Close(), w.Close())
	}
	wrote := make(chan []byte)
	go func() {
		text, _ := io.ReadAll(r)
		wrote <- text
	}()
	e := local.Execution{Namespace: "shop", Pod: pod, Arguments: command, Environment: os.Environ(), Folder: "/"}
	code, err := s.door.Execute(ctx, e, [3]*os.File{nothing, w, w}, nil)
	_, _ = w.Close(), nothing.Close()
	text := <-wrote
	_ = r.Close()
	if err == nil && code != 0 {
		err = fmt.Errorf("%v in %s: exit code %d: %s", command, pod, code, bytes.TrimSpace(text))
	}
	return text, err
}
