//go:build linux

package live

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/compiler/inject"
	"github.com/flomesh-io/fsmc/sinks/local"
)

// drain is how long an open connection may stay that nothing else ends, and late how long more it may take.
const (
	drain = inject.DrainSeconds * time.Second
	late  = 5 * time.Second
)

// The kinds of loads that go on with what they have begun.
var kept = []local.LoadKind{local.HTTP1Requests, local.HTTP2Requests, local.HTTP2Stream, local.WebsocketMessages}

// TestOpenConnections measures how long what was begun goes on after an edit that would not let it begin now. docs/live.md
// has the figures.
func TestOpenConnections(t *testing.T) {
	t.Parallel()
	m := up(t, "shop")
	rounds := m.rounds()
	m.add(t, "policy.yaml", guestMay)
	m.add(t, "servers.yaml", webToo)
	m.settle(t, rounds)
	// Guest may not ask for /private any more, but for /public: the rules at the server change.
	narrowed := m.flows(t, "guest-0", webAddress, "/private", kept...)
	// The one rule that lets client call lines goes: lines is not in the configuration of client any more.
	revoked := m.flows(t, "client-0", linesAddress, "", local.TCPLines, local.FreshConnections)
	// The service goes, and its servers stay.
	removed := m.flows(t, "client-0", webTooAddress, "/", kept...)
	others := m.flows(t, "client-0", webAddress, "/", kept...)
	flows := slices.Concat(narrowed, revoked, removed, others)
	c := m.edits(t, flows, func() {
		m.remove(t, "policy.yaml", guestMay)
		m.edit(t, "policy.yaml", onlyClientMay, strings.Replace(onlyClientMay, "name: client,", "name: lines,", 1))
		m.remove(t, "servers.yaml", webToo)
	})
	over := c.settled.Add(drain + late)
	within(t, drain+2*late, "the drain time is over", func() bool { return time.Now().After(over) })
	goOn(t, over, flows...)

	for _, f := range flows {
		t.Logf("%s: %s", f.name, f.life(c))
	}
	c.shutsOut(t, narrowed[:2]...)
	c.undisturbed(t, narrowed...) // A request that was let in is not looked at again.
	c.always(t, narrowed[2:]...)
	c.shutsOut(t, revoked[1])
	c.endsWithDrain(t, revoked[0])
	c.shutsOut(t, removed[:2]...)
	c.endsWithDrain(t, removed[2:]...)
	c.always(t, others...)
	c.undisturbed(t, others...)
}

// onlyClientMay is the one rule of testdata/shop that admits somebody to lines.
const onlyClientMay = `  sources: [{kind: ServiceAccount, name: client, namespace: shop}]
  rules: [{kind: TCPRoute, name: lines}]
`

// endsWithDrain wants that what was open goes on for the drain time at most, and that nothing is answered afterwards.
func (c change) endsWithDrain(t *testing.T, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		c.all(t, f.name+" is answered before the edit", f.ended(c.edited), isAnswered)
		c.all(t, f.name+" is refused after the drain time", f.asked(c.settled.Add(drain+late)), isRefused)
		c.all(t, f.name+" is refused on new connections", f.asked(c.settled), func(o local.Outcome) bool {
			return isRefused(o) || o.Connection <= connections
		})
	}
}

// undisturbed wants that no connection has ended.
func (c change) undisturbed(t *testing.T, flows ...*flow) {
	t.Helper()
	for _, f := range flows {
		if f.kind != local.FreshConnections {
			c.all(t, f.name+" goes on on its connections", f.all(), func(o local.Outcome) bool { return o.Connection <= connections })
		}
	}
}

// life says how long the connections went on that were open before an edit.
func (f *flow) life(c change) string {
	open := slices.DeleteFunc(f.all(), func(o local.Outcome) bool { return o.Connection > connections || isRefused(o) })
	refused := slices.DeleteFunc(f.all(), func(o local.Outcome) bool { return isAnswered(o) || o.At.Before(c.edited) })
	if len(open) == 0 {
		return "was never answered"
	}
	last := open[len(open)-1]
	said := "open connections are answered until " + c.when(last.At.Add(last.Took))
	if len(refused) > 0 {
		said += fmt.Sprintf(", then %s %s", refused[0].Result, refused[0].Reason)
	}
	return said
}
