package ads

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// String is everything that was written.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// TestRefusals opens streams that nobody should be let in with. Each is told why, counted, and logged once.
func TestRefusals(t *testing.T) {
	t.Parallel()
	a, stranger := newAuthority(t), newAuthority(t)
	now := time.Now()
	own := a.of(buyer)
	for _, row := range []struct {
		name        string
		certificate pair
		id          model.ProxyID
		edit        func(*shop)
		code        codes.Code
		says        string
		reason      string
	}{
		{name: "no certificate", id: buyerProxy, code: codes.Unavailable, says: "provide a certificate", reason: "no-certificate"},
		{
			name: "expired", certificate: a.issue(buyer.URI(trustDomain), now.Add(-time.Minute)), id: buyerProxy,
			code: codes.Unavailable, says: "expired", reason: "certificate-expired",
		},
		{
			name: "another authority", certificate: stranger.issue(buyer.URI(trustDomain), now.Add(time.Hour)), id: buyerProxy,
			code: codes.Unavailable, says: "unknown authority", reason: "certificate-unknown-authority",
		},
		{
			name: "another trust domain", certificate: a.issue(buyer.URI("elsewhere.local"), now.Add(time.Hour)), id: buyerProxy,
			code: codes.Unauthenticated, says: "is no identity of the trust domain cluster.local", reason: "trust-domain",
		},
		{
			name: "a URI that only begins right", certificate: a.issue(buyer.URI(trustDomain)+"/more", now.Add(time.Hour)), id: buyerProxy,
			code: codes.Unauthenticated, says: "is no identity", reason: "trust-domain",
		},
		{
			name: "a proxy of another identity", certificate: own, id: sellerProxy,
			code: codes.PermissionDenied, says: "proxy shop/seller-0 is not of identity shop/buyer", reason: "foreign-proxy",
		},
		{
			name: "a proxy that is not there", certificate: own, id: model.ProxyID{Namespace: "shop", Name: "nobody"},
			code: codes.NotFound, says: "the mesh has no proxy shop/nobody", reason: "unknown-proxy",
		},
		{name: "no node id", certificate: own, code: codes.InvalidArgument, says: "<namespace>/<pod>", reason: "node-id"},
		{
			name: "too many proxies", certificate: own, id: buyerProxy, edit: func(s *shop) { s.maxProxies = 1 },
			code: codes.ResourceExhausted, says: "maximum of 1", reason: "too-many-proxies",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			counted, log := &events{}, &journal{}
			server, address := serving(t, a, Options{Observe: counted.observe, Log: log.logger(), Limits: Limits{Unknown: 50 * time.Millisecond}})
			mesh := newShop("web")
			if row.edit != nil {
				row.edit(&mesh)
			}
			publish(t, server, mesh.snapshot())
			if mesh.maxProxies > 0 {
				followAs(t, dial(t, address, a.client(a.of(seller))), sellerProxy, nil, nil)
				eventually(t, "the seller is in", func() bool { return len(server.Proxies()) == 1 })
			}
			for range 3 {
				err := followAs(t, dial(t, address, a.client(row.certificate)), row.id, nil, nil).ended()
				// How a client hears of a failed handshake depends on when it looks.
				if status.Code(err) != row.code || row.code != codes.Unavailable && !strings.Contains(err.Error(), row.says) {
					t.Errorf("the stream ends with %v, and should with %s: %s", err, row.code, row.says)
				}
			}
			if !strings.Contains(log.String(), row.says) {
				t.Errorf("it is not logged that %s:\n%s", row.says, log)
			}
			// A connection that fails may be tried more than once.
			eventually(t, "each refusal is counted", func() bool { return counted.count(sinks.StreamRefused, row.reason) >= 3 })
			if n := strings.Count(log.String(), "refused a proxy"); n != 1 {
				t.Errorf("it is logged %d times:\n%s", n, log)
			}
		})
	}
}

// TestAProxyMayComeBeforeItsSnapshot: a pod that starts before the control plane has heard of it waits.
func TestAProxyMayComeBeforeItsSnapshot(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	server, address := serving(t, a, Options{})
	f := followAs(t, dial(t, address, a.client(a.of(buyer))), buyerProxy, nil, nil)
	eventually(t, "it waits for the first snapshot", func() bool { return server.waits() == 1 })
	without := newShop("web")
	without.absent = buyerProxy
	publish(t, server, without.snapshot())
	eventually(t, "it waits for its proxy", func() bool { return server.waits() == 1 })
	publish(t, server, newShop("web").snapshot())
	eventually(t, "it has its clusters", func() bool { return len(f.versions(clusters)) > 0 && server.Settled() })
}

func (s *Server) waits() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// TestCausesAreBounded: somebody who is refused for ever new reasons does not fill the memory.
func TestCausesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRefusals(slog.New(slog.DiscardHandler), func(sinks.Event) {})
	for i := range 5 * maxCauses {
		r.note(&refusal{reason: "node-id"}, buyer, "node", i)
	}
	if len(r.known) > maxCauses {
		t.Errorf("%d causes are remembered", len(r.known))
	}
}
