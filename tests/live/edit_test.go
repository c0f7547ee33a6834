//go:build linux

package live

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flomesh-io/fsmc/sinks/local"
)

// The kinds of loads whose every request is judged anew.
var judged = []local.LoadKind{local.HTTP1Requests, local.HTTP2Requests, local.FreshConnections}

// background are loads that no edit of other things may disturb, and some that nothing may admit.
func (m *mesh) background(t *testing.T) (served, refused []*flow) {
	t.Helper()
	served = slices.Concat(
		m.flows(t, "client-0", webAddress, "/", append(judged[:3:3], local.HTTP2Stream, local.WebsocketMessages)...),
		m.flows(t, "client-0", linesAddress, "", local.TCPLines, local.FreshConnections),
		m.flows(t, "guest-0", webAddress, "/public", local.HTTP1Requests),
	)
	refused = slices.Concat(
		m.flows(t, "stranger-0", webAddress, "/", local.HTTP1Requests, local.FreshConnections),
		m.flows(t, "stranger-0", linesAddress, "", local.TCPLines),
	)
	return served, refused
}

// TestEdits edits one mesh again and again under load.
func TestEdits(t *testing.T) {
	m := up(t, "shop")
	for _, scenario := range []struct {
		name string
		run  func(*testing.T, *mesh)
	}{
		{"a split moves", splitMoves},
		{"a client is admitted and shut out", policyComesAndGoes},
		{"a route group loses a path", routeGroupChanges},
		{"a service and a port come and go", serviceComesAndGoes},
		{"an endpoint is replaced", endpointIsReplaced},
		{"permissive mode is switched", permissiveIsSwitched},
		{"a server gets another identity", identityChanges},
		{"many edits in a second", manyEdits},
		{"a file is half written", halfWritten},
	} {
		t.Run(scenario.name, func(t *testing.T) { scenario.run(t, m) })
	}
}

func splitMoves(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	from, to := "{service: web-v1, weight: 50}", "{service: web-v1, weight: 0}"
	c := m.edits(t, served, func() { m.edit(t, "split.yaml", from, to) })
	c.always(t, served...)
	c.undisturbed(t, served...)
	c.never(t, refused...)
	for _, f := range served[:3] {
		c.all(t, f.name+" is answered by web-v2", f.asked(c.settled), func(o local.Outcome) bool { return o.Backend == "web-v2" })
		if !slices.ContainsFunc(f.ended(c.edited), func(o local.Outcome) bool { return o.Backend == "web-v1" }) {
			t.Errorf("%s: web-v1 had no share", f.name)
		}
		ofV1 := slices.DeleteFunc(f.all(), func(o local.Outcome) bool { return o.Backend != "web-v1" })
		c.prompt(t, f.name+" is answered by web-v1 for the last time", ofV1[len(ofV1)-1].At)
	}
	m.edits(t, served, func() { m.edit(t, "split.yaml", to, from) }).always(t, served...)
}

// guestMay admits guest to everything.
const guestMay = `apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: guest-web-too, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: web, namespace: shop}
  sources: [{kind: ServiceAccount, name: guest, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: web, matches: [everything]}]
`

func policyComesAndGoes(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	guest := m.flows(t, "guest-0", webAddress, "/private", judged...)
	all := slices.Concat(served, refused, guest)
	before := m.draining(t)
	c := m.edits(t, all, func() { m.add(t, "policy.yaml", guestMay) })
	c.always(t, served...)
	c.never(t, refused...)
	c.admits(t, guest...)
	fresh := m.flows(t, "guest-0", webAddress, "/private", judged...)
	c = m.edits(t, append(all, fresh...), func() { m.remove(t, "policy.yaml", guestMay) })
	c.always(t, served...)
	c.undisturbed(t, served...)
	c.never(t, refused...)
	c.shutsOut(t, fresh...)
	m.nothingDrains(t, before)
}

func routeGroupChanges(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	served, guest := served[:7], served[7:]
	c := m.edits(t, slices.Concat(served, guest), func() { m.edit(t, "routes.yaml", "pathRegex: /public,", "pathRegex: /open,") })
	c.always(t, served...)
	c.never(t, refused...)
	c.shutsOut(t, guest...)
	m.edits(t, nil, func() { m.edit(t, "routes.yaml", "pathRegex: /open,", "pathRegex: /public,") }).always(t, served...)
}

// webToo is another service of the servers of web, on another port.
const webToo = `apiVersion: v1
kind: Service
metadata: {name: web-too, namespace: shop}
spec: {clusterIP: 198.18.0.9, selector: {app: web}, ports: [{port: 81, targetPort: 8080, appProtocol: http}]}
`

const webTooAddress = "198.18.0.9:81"

func serviceComesAndGoes(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	before := m.draining(t)
	caller := m.flows(t, "client-0", webTooAddress, "/", judged...)
	stranger := m.flows(t, "stranger-0", webTooAddress, "/", local.FreshConnections)
	all := slices.Concat(served, caller, stranger)
	c := m.edits(t, all, func() { m.add(t, "servers.yaml", webToo) })
	c.always(t, served...)
	c.never(t, append(refused, stranger...)...)
	c.admits(t, caller...)
	if got := m.runs(t, "client-0", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://web-too.shop:81/"); got != "200" {
		t.Errorf("by its name, the new service answers %q", got)
	}
	m.nothingDrains(t, before)
	fresh := m.flows(t, "client-0", webTooAddress, "/", judged...)
	c = m.edits(t, append(all, fresh...), func() { m.remove(t, "servers.yaml", webToo) })
	c.always(t, served...)
	c.undisturbed(t, served...)
	c.never(t, append(refused, stranger...)...)
	c.shutsOut(t, fresh...)
}

func endpointIsReplaced(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	// What is under way on a pod ends with it.
	requests, long := slices.Concat(served[:3], served[5:]), served[3:5]
	servers := m.read(t, "servers.yaml")
	c := m.edits(t, served, func() {
		m.edit(t, "servers.yaml", "{name: web-v1, namespace: shop}\nspec:\n  sel", "{name: web-one, namespace: shop}\nspec:\n  sel")
	})
	within(t, promptly*4, "web-one-0 runs, and web-v1-0 not", func() bool {
		pods := m.pods(t)
		return slices.Contains(pods, "web-one-0") && !slices.Contains(pods, "web-v1-0")
	})
	goOn(t, m.settle(t, 0), served...)
	c.always(t, requests...)
	c.never(t, refused...)
	for _, f := range long {
		t.Logf("%s: %s", f.name, f.life(c))
	}
	for _, f := range requests[:3] {
		if !slices.ContainsFunc(f.asked(c.settled), func(o local.Outcome) bool { return o.Backend == "web-one" }) {
			t.Errorf("%s: web-one never answers", f.name)
		}
	}
	m.edits(t, served, func() { m.write(t, "servers.yaml", servers) })
	within(t, promptly*4, "web-v1-0 runs again", func() bool {
		pods := m.pods(t)
		return slices.Contains(pods, "web-v1-0") && !slices.Contains(pods, "web-one-0")
	})
	goOn(t, m.settle(t, 0), served...)
	c.always(t, requests...)
}

func permissiveIsSwitched(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	guest := m.flows(t, "guest-0", webAddress, "/private", judged...)
	all := slices.Concat(served, refused, guest)
	off, on := "PolicyMode: false", "PolicyMode: true"
	c := m.edits(t, all, func() { m.overwrite(t, "mesh.yaml", strings.ReplaceAll(m.read(t, "mesh.yaml"), off, on)) })
	c.always(t, served...)
	c.admits(t, slices.Concat(refused, guest)...)
	again := slices.Concat(
		m.flows(t, "guest-0", webAddress, "/private", judged...),
		m.flows(t, "stranger-0", webAddress, "/", local.HTTP1Requests, local.FreshConnections),
		m.flows(t, "stranger-0", linesAddress, "", local.FreshConnections),
	)
	c = m.edits(t, append(all, again...), func() { m.edit(t, "mesh.yaml", on, off) })
	c.always(t, served...)
	c.shutsOut(t, again...)
}

// everyWeb is a service of the servers of web that no split divides.
const everyWeb = `apiVersion: v1
kind: Service
metadata: {name: every-web, namespace: shop}
spec: {clusterIP: 198.18.0.8, selector: {app: web}, ports: [{port: 80, targetPort: 8080, appProtocol: http}]}
`

const everyWebAddress = "198.18.0.8:80"

// linesMayServe admits client to the servers that run as lines.
const linesMayServe = `apiVersion: access.smi-spec.io/v1alpha3
kind: TrafficTarget
metadata: {name: client-web-of-lines, namespace: shop}
spec:
  destination: {kind: ServiceAccount, name: lines, namespace: shop}
  sources: [{kind: ServiceAccount, name: client, namespace: shop}]
  rules: [{kind: HTTPRouteGroup, name: web, matches: [everything]}]
`

// The pod that gets another identity is made again. What else serves takes its share meanwhile.
func identityChanges(t *testing.T, m *mesh) {
	rounds := m.rounds()
	m.add(t, "servers.yaml", everyWeb)
	m.add(t, "policy.yaml", linesMayServe)
	m.settle(t, rounds)
	served := m.flows(t, "client-0", everyWebAddress, "/", judged...)
	refused := m.flows(t, "stranger-0", everyWebAddress, "/", local.FreshConnections)
	servers := m.read(t, "servers.yaml")
	began := time.Now()
	for _, next := range []string{strings.Replace(servers, "serviceAccountName: web,", "serviceAccountName: lines,", 1), servers} {
		c := m.edits(t, served, func() { m.write(t, "servers.yaml", next) })
		served[2].await(t, "web-v1 answers again", func(o local.Outcome) bool { return o.Backend == "web-v1" && o.At.Sub(c.edited) > time.Second })
		m.settle(t, 0)
		c.always(t, served...)
		c.never(t, refused...)
	}
	t.Logf("twice it took %s", time.Since(began).Round(time.Millisecond))
	m.remove(t, "servers.yaml", everyWeb)
	m.remove(t, "policy.yaml", linesMayServe)
}

func manyEdits(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	split, policy := m.read(t, "split.yaml"), m.read(t, "policy.yaml")
	weights := []string{"1", "0", "7"}
	c := m.edits(t, served, func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := range 10 {
			<-tick.C
			m.write(t, "split.yaml", strings.ReplaceAll(split, "web-v1, weight: 50", "web-v1, weight: "+weights[i%3]))
			m.write(t, "policy.yaml", policy+[]string{"", "\n---\n" + guestMay}[i%2])
		}
	})
	served[0].await(t, "web-v2 answers", func(o local.Outcome) bool { return o.Backend == "web-v2" })
	c.always(t, served...)
	c.never(t, refused...)
	guest := m.flows(t, "guest-0", webAddress, "/private", judged...)
	last := m.edits(t, append(served, guest...), func() { m.write(t, "split.yaml", strings.ReplaceAll(split, "weight: 50", "weight: 1")) })
	last.always(t, append(served, guest...)...)
	last = m.edits(t, served, func() {
		m.write(t, "split.yaml", split)
		m.write(t, "policy.yaml", policy)
	})
	last.always(t, served...)
	last.shutsOut(t, guest...)
}

func halfWritten(t *testing.T, m *mesh) {
	served, refused := m.background(t)
	access := m.read(t, "policy.yaml")
	rounds := m.rounds()
	m.overwrite(t, "policy.yaml", access[:len(access)/2]+"\n  rules: [{")
	within(t, promptly, "it is told that the file cannot be read", func() bool {
		return m.metrics()[`fsm_diagnostics{level="error"}`] > 0
	})
	c := change{settled: m.settle(t, rounds)}
	goOn(t, c.settled, served...)
	c.always(t, served...)
	c.never(t, refused...)
	c = m.edits(t, served, func() { m.overwrite(t, "policy.yaml", access) })
	c.always(t, served...)
	c.never(t, refused...)
	if left, err := filepath.Glob(filepath.Join(m.folder, "*~")); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// draining are the counters of all sidecars that tell of listeners that drain.
func (m *mesh) draining(t *testing.T) map[string]map[string]int {
	t.Helper()
	all := map[string]map[string]int{}
	for _, pod := range m.pods(t) {
		all[pod] = m.stats(t, pod)
	}
	return all
}

// nothingDrains wants that since then no listener and no filter chain drains anywhere, and nothing was rejected.
func (m *mesh) nothingDrains(t *testing.T, before map[string]map[string]int) {
	t.Helper()
	for pod, now := range m.draining(t) {
		for _, counter := range []string{"listener_manager.total_listeners_draining", "listener_manager.total_filter_chains_draining"} {
			if now[counter] != before[pod][counter] {
				t.Errorf("%s: %s is %d, before it was %d", pod, counter, now[counter], before[pod][counter])
			}
		}
		for counter, n := range now {
			if n != 0 && (strings.HasSuffix(counter, ".update_rejected") || counter == "listener_manager.listener_create_failure") {
				t.Errorf("%s: %s is %d", pod, counter, n)
			}
		}
		if _, there := now["listener_manager.lds.update_rejected"]; !there {
			t.Errorf("%s: its sidecar does not tell what it has rejected", pod)
		}
		t.Logf("%s: %d listeners were updated in place", pod, now["listener_manager.listener_in_place_updated"]-before[pod]["listener_manager.listener_in_place_updated"])
	}
}
