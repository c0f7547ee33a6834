//go:build linux

package local

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/verdict"
)

// trail is what the sidecars on the way of a request have written of it: the client's, then the server's.
type trail struct {
	// server is the pod that the request reached; nil when it is not known.
	server *pod
	// arrived says that the last sidecar on the way passed the request on to the application, and its answer back.
	arrived bool
	// words explain a refusal; empty when nothing was written of it.
	words string
}

// trail follows a request that was made at a time from an address.
func (m *machine) trail(ctx context.Context, client *pod, q verdict.Question, from netip.AddrPort, began time.Time) trail {
	since := func(r record) bool { return !r.Started.Before(began) }
	if client.sidecar.Load() == nil {
		return m.arrival(ctx, m.behind(q.Address), func(r record) bool { return since(r) && r.from() == from })
	}
	// One port of a client may be in use towards several addresses.
	_, sent := await(ctx, []*pod{client}, func(r record) bool { return since(r) && r.from() == from && r.Called == q.Address.String() })
	if !sent.upstream().IsValid() {
		return trail{words: sent.words()}
	}
	t := m.arrival(ctx, m.behind(sent.upstream()), func(r record) bool {
		if sent.RequestID != "" {
			return r.RequestID == sent.RequestID
		}
		return since(r) && slices.Contains(client.addresses, r.from().Addr())
	})
	if t.words == "" && !t.arrived {
		t.words = sent.words()
	}
	return t
}

// arrival is the end of a trail at one of some pods.
func (m *machine) arrival(ctx context.Context, servers []*pod, wanted func(record) bool) trail {
	if len(servers) == 1 && servers[0].sidecar.Load() == nil {
		return trail{server: servers[0], arrived: true}
	}
	server, got := await(ctx, servers, wanted)
	return trail{server: server, arrived: got.Details == passedOn, words: got.words()}
}

// await waits a moment for a record in the logs of some pods: it is written when a request ends.
func await(ctx context.Context, pods []*pod, wanted func(record) bool) (*pod, record) {
	const times, pause = 10, 10 * time.Millisecond
	for range times {
		for _, p := range pods {
			s := p.sidecar.Load()
			if s == nil {
				continue
			}
			if r, ok := lastRecord(s.log, wanted); ok {
				return p, r
			}
		}
		select {
		case <-ctx.Done():
			return nil, record{}
		case <-time.After(pause):
		}
	}
	return nil, record{}
}

// behind are the pods that an address leads to: the pod that has it, or the endpoints of a virtual one.
func (m *machine) behind(address netip.AddrPort) []*pod {
	running := m.state.Load()
	wanted := []netip.Addr{address.Addr()}
	for _, v := range running.Addresses {
		if v.Address == address {
			for _, e := range v.Endpoints {
				wanted = append(wanted, e.Addr())
			}
		}
	}
	var pods []*pod
	for _, p := range running.pods {
		if slices.ContainsFunc(p.addresses, func(a netip.Addr) bool { return slices.Contains(wanted, a) }) {
			pods = append(pods, p)
		}
	}
	return pods
}
