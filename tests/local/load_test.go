//go:build linux

package local

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// A load of each kind goes through sidecars, and what it tells is what happened.
func TestLoads(t *testing.T) {
	client, web := podOf("client-0", 1, true), podOf("web-0", 2, true)
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{})
	for _, kind := range []local.LoadKind{local.HTTP1Requests, local.HTTP2Requests, local.HTTP2Stream, local.WebsocketMessages, local.FreshConnections} {
		t.Run(string(kind), func(t *testing.T) {
			load := local.Load{Namespace: "shop", Pod: "client-0", Address: netip.MustParseAddrPort(webAddress), Kind: kind, Request: get("/"), Every: 5 * time.Millisecond, Count: 40}
			var told []local.Outcome
			report, err := m.Load(t.Context(), load, func(some []local.Outcome) { told = append(told, some...) })
			if err != nil {
				t.Fatal(err)
			}
			connections := 1
			if kind == local.FreshConnections {
				connections = 40
			}
			if len(told) != 40 || report.Allowed != 40 || report.Backends["web"] != 40 || report.Connections != connections {
				t.Errorf("%d outcomes were told, and %+v", len(told), report)
			}
			if took := told[39].At.Sub(told[0].At); took < 100*time.Millisecond {
				t.Errorf("40 requests, one each 5 ms, were made in %s", took)
			}
		})
	}
}

// A load sees every request that is lost when a server goes, and goes on with the next one.
func TestALoadSeesWhatIsLost(t *testing.T) {
	client, first, second := podOf("client-0", 1, false), podOf("web-0", 2, false), podOf("shelf-0", 3, false)
	m := start(t, shop([]local.Pod{client, first, second}, first), local.Options{})
	load := local.Load{Namespace: "shop", Pod: "client-0", Address: netip.MustParseAddrPort(webAddress), Kind: local.HTTP1Requests, Request: get("/"), Connections: 3, Every: 2 * time.Millisecond, For: time.Minute}
	outcomes, sum := m.loads(load)
	outcomes.await(t, "web answers", func(o local.Outcome) bool { return o.Backend == "web" })
	m.apply(shop([]local.Pod{client, second}, second))
	within(t, 20*time.Second, "shelf answers on three connections", func() bool {
		connections := map[int]bool{}
		for _, o := range outcomes.all() {
			if o.Backend == "shelf" {
				connections[o.Connection] = true
			}
		}
		return len(connections) == 3
	})
	report := sum()
	if report.Failed == 0 || report.Failed > 6 || report.Connections != 6 || report.Denied != 0 {
		t.Errorf("three connections were ended: %+v", report)
	}
	last := slices.MaxFunc(outcomes.all(), func(a, b local.Outcome) int { return a.At.Compare(b.At) })
	if last.Result != local.Allowed || last.Backend != "shelf" {
		t.Errorf("the last one was %+v", last)
	}
}

// A thousand requests in a second are no burden.
func TestALoadIsSteady(t *testing.T) {
	client, web := podOf("client-0", 1, false), podOf("web-0", 2, false)
	m := start(t, shop([]local.Pod{client, web}, web), local.Options{})
	load := local.Load{Namespace: "shop", Pod: "client-0", Address: netip.MustParseAddrPort("100.64.0.2:9000"), Kind: local.TCPLines, Connections: 10, Every: 10 * time.Millisecond, Count: 2000}
	began := time.Now()
	report, err := m.Load(t.Context(), load, nil)
	if took := time.Since(began); err != nil || report.Allowed != 2000 || report.Total() != 2000 || report.Connections != 10 || took < 1900*time.Millisecond {
		t.Errorf("after %s: %+v, %v", took, report, err)
	}
}
