//go:build linux

package live

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// served is a mesh that other processes serve. Its sidecars call where a link leads, so that another one can take over
// while the first runs.
type served struct {
	*mesh
	t                         *testing.T
	folder, authorities, link string
}

// server is one of them.
type server struct {
	*process
	control
	socket string
}

// serve begins a server, which runs until it is ended or the whole test ends.
func (s *served) serve(name string) *server {
	s.t.Helper()
	one := &server{control: control(freeAddress(s.t)), socket: filepath.Join(s.folder, name)}
	one.process = begin(s.t, "serving: ", "serve", s.manifests.folder, "-o", filepath.Join(s.folder, name+"-out"), "--ca-dir", s.authorities,
		"--listen", "unix:"+one.socket, "--metrics-address", "", "--enable-debug-server", "--debug-address", string(one.control))
	return one
}

// lead has sidecars find a server from now on.
func (s *served) lead(t *testing.T, to *server) {
	t.Helper()
	next := s.link + ".next"
	err := os.Symlink(to.socket, next)
	if err == nil {
		err = os.Rename(next, s.link)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.control = to.control
}

// TestTheServerDies ends control planes under load, in all ways, while sidecars run on.
func TestTheServerDies(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "fsmc-live-") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	s := &served{&mesh{manifests: copied(t, "shop")}, t, folder, filepath.Join(folder, "ca"), filepath.Join(folder, "link")}
	first := s.serve("first")
	s.lead(t, first)
	s.run(t, "--ca-dir", s.authorities, "--server", s.link)
	s.settle(t, 0)
	load, refused := s.background(t)
	goOn(t, time.Now(), load...)
	began := time.Now()
	c := change{edited: began, settled: began}
	check := func(t *testing.T) {
		t.Helper()
		goOn(t, time.Now(), load...)
		c.always(t, load...)
		c.undisturbed(t, load...)
		c.never(t, refused...)
	}
	t.Run("it is killed, and comes back", func(t *testing.T) {
		s.kill(t, first)
		check(t)
		first = s.serve("first")
		s.returns(t, first)
		onlySecrets(t, first)
		check(t)
	})
	t.Run("an edit is made while it is away", func(t *testing.T) {
		s.kill(t, first)
		s.edit(t, "split.yaml", "{service: web-v1, weight: 50}", "{service: web-v1, weight: 0}")
		edited := time.Now()
		check(t)
		load[0].await(t, "web-v1 answers, as nobody has told of the edit", func(o local.Outcome) bool {
			return o.Backend == "web-v1" && o.At.Sub(edited) > time.Second
		})
		first = s.serve("first")
		s.returns(t, first)
		settled := time.Now()
		check(t)
		for _, f := range load[:3] {
			c.all(t, f.name+" is answered by web-v2", f.asked(settled), func(o local.Outcome) bool { return o.Backend == "web-v2" })
		}
	})
	t.Run("another one takes over", func(t *testing.T) {
		second := s.serve("second")
		s.lead(t, second)
		first.end(syscall.SIGTERM)
		s.returns(t, second)
		onlySecrets(t, second)
		check(t)
		s.edit(t, "split.yaml", "{service: web-v1, weight: 0}", "{service: web-v1, weight: 50}")
		edited := time.Now()
		load[0].await(t, "web-v1 answers again", func(o local.Outcome) bool { return o.Backend == "web-v1" && o.At.After(edited) })
		first = second
		check(t)
	})
	t.Run("the root is replaced, and it is killed", func(t *testing.T) {
		s.write(t, "roots.yaml", root("oak", "active"))
		s.awaitRoots(t, s.authorities, "oak", "oak")
		check(t)
		s.kill(t, first)
		first = s.serve("second")
		s.returns(t, first)
		onlySecrets(t, first)
		check(t)
	})
}

// kill ends a server at once, and waits until every sidecar knows.
func (s *served) kill(t *testing.T, one *server) {
	t.Helper()
	one.end(syscall.SIGKILL)
	for _, pod := range s.pods(t) {
		within(t, 10*time.Second, pod+" knows that nobody serves it", func() bool {
			return strings.Contains(s.runs(t, pod, "curl", "-s", "localhost:15000/stats?filter=control_plane"), "control_plane.connected_state: 0")
		})
	}
}

// returns waits until every sidecar is served by somebody, and has what it is to have.
func (s *served) returns(t *testing.T, one *server) {
	t.Helper()
	s.lead(t, one)
	began := time.Now()
	within(t, time.Minute, "every sidecar is served again", one.settled)
	t.Logf("every sidecar is served again after %d ms", time.Since(began).Milliseconds())
}

// onlySecrets wants that a server has sent nothing but secrets, of which it had to make some anew.
func onlySecrets(t *testing.T, one *server) {
	t.Helper()
	secrets := 0
	for series, n := range one.metrics() {
		switch {
		case !strings.HasPrefix(series, "fsm_proxy_response_resources_total{"):
		case strings.Contains(series, `type="secrets"`):
			secrets += n
		case n > 0:
			t.Errorf("%s is %d", series, n)
		}
	}
	if secrets == 0 {
		t.Error("no secret was sent: the keys were lost with the one before")
	}
}
