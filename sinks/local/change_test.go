//go:build linux

package local

import (
	"net/netip"
	"strings"
	"testing"
)

func TestWhatChangesBetweenPlans(t *testing.T) {
	pod := func(name, address string, edits ...func(*Pod)) Pod {
		p := Pod{Namespace: "shop", Name: name, Addresses: []netip.Addr{netip.MustParseAddr(address)}, Environment: []string{"A=1"}}
		for _, edit := range edits {
			edit(&p)
		}
		return p
	}
	old := []Pod{pod("a", "10.0.0.1"), pod("b", "10.0.0.2")}
	for _, c := range []struct {
		name   string
		wanted []Pod
		// want is kept, fresh, in the way and gone.
		want string
	}{
		{"nothing", old, "a b | | |"},
		{"one more", append(old[:2:2], pod("c", "10.0.0.3")), "a b | c | |"},
		{"one less", old[:1], "a | | | b"},
		{"its ports", []Pod{old[0], pod("b", "10.0.0.2", func(p *Pod) { p.Ports = []Port{{Number: 1}} })}, "a b | | |"},
		{"its line", []Pod{old[0], pod("b", "10.0.0.2", func(p *Pod) { p.Origin = "apps.yaml:7" })}, "a b | | |"},
		{"its address", []Pod{old[0], pod("b", "10.0.0.4")}, "a | b | b |"},
		{"its address is another's", []Pod{pod("c", "10.0.0.2")}, "| c | b | a"},
		{"addresses exchanged", []Pod{pod("a", "10.0.0.2"), pod("b", "10.0.0.1")}, "| a b | a b |"},
		{"its environment", []Pod{old[0], pod("b", "10.0.0.2", func(p *Pod) { p.Environment = []string{"A=2"} })}, "a | b | b |"},
		{"its identity", []Pod{old[0], pod("b", "10.0.0.2", func(p *Pod) { p.Identity.ServiceAccount = "x" })}, "a | b | b |"},
		{"the order", []Pod{old[1], old[0]}, "b a | | |"},
		{"everything", nil, "| | | a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := changeOf(old, c.wanted)
			var parts []string
			for _, list := range [][]Pod{got.kept, got.fresh, got.inTheWay, got.gone} {
				var names []string
				for _, p := range list {
					names = append(names, p.Name)
				}
				parts = append(parts, strings.Join(names, " "))
			}
			if text := strings.Join(strings.Fields(strings.Join(parts, " | ")), " "); text != c.want {
				t.Errorf("got %q, want %q", text, c.want)
			}
		})
	}
}

func TestRulesAreRenewedWithoutTheKernelsChains(t *testing.T) {
	rules, _ := virtualRules([]Virtual{{Address: netip.MustParseAddrPort("198.18.0.1:80"), Endpoints: []netip.AddrPort{netip.MustParseAddrPort("100.64.0.1:8080")}}})
	renewed := withoutJumps(rules)
	if strings.Contains(renewed, "ROUTING") || strings.Count(renewed, "\n") != strings.Count(rules, "\n")-2 || !strings.HasPrefix(renewed, "*nat\n:FSM_VIRTUAL") {
		t.Errorf("got\n%s", renewed)
	}
}

func TestPausesGrow(t *testing.T) {
	pause := pauseAfter(0, 0)
	for _, want := range []float64{1, 2, 4, 8, 16, 30, 30} {
		if pause.Seconds() != want {
			t.Errorf("got %s, want %v s", pause, want)
		}
		pause = pauseAfter(pause, 0)
	}
	if pause = pauseAfter(pause, longEnough); pause != firstPause {
		t.Errorf("after a long life: %s", pause)
	}
}
