package ads

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/sinks"
)

// TestPlansConverge changes what a proxy is to have at random, while messages and requests cross at random, streams break
// and resources are bad. In the end the proxy has what it is to have, but for what is bad, and on the way nothing referred
// to what was not there and nothing was sent without need.
func TestPlansConverge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		run := &modelRun{T: t, envoy: newEnvoyModel(), progress: newProgress(false), now: playTime, steady: rapid.Bool().Draw(t, "steady")}
		run.publish()
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			run.step()
		}
		run.finish()
	})
}

// modelRun is a proxy and a planner, with what is on its way between them.
type modelRun struct {
	*rapid.T
	envoy    *envoyModel
	progress *progress
	now      time.Time
	fleet    []message
	steady   bool // nothing is bad, and no wait runs out
	trail    []string
}

func (r *modelRun) note(format string, args ...any) {
	r.trail = append(r.trail, fmt.Sprintf(format, args...))
}

func (r *modelRun) step() {
	switch choice := rapid.IntRange(0, 9).Draw(r.T, "step"); {
	case choice == 0:
		r.publish()
	case choice == 1 && rapid.IntRange(0, 3).Draw(r.T, "breaks") == 0:
		r.reconnect()
	case choice == 2:
		pass := 100 * time.Millisecond
		if !r.steady {
			pass = 16 * time.Second
			r.envoy.timeout()
		}
		r.note("%s pass", pass)
		r.now = r.now.Add(pass)
		r.plan()
	case choice < 6:
		r.deliver()
	default:
		r.hear()
	}
}

func (r *modelRun) plan() {
	messages, _ := r.progress.plan(r.now, playPace)
	for _, m := range messages {
		r.note("send %s %s", m.kind, brief(m))
	}
	r.fleet = append(r.fleet, messages...)
}

func brief(m message) string {
	var b strings.Builder
	for _, p := range m.puts {
		b.WriteString(" +" + p.Name + "=" + p.Version)
	}
	for _, name := range m.removes {
		b.WriteString(" -" + name)
	}
	return b.String()
}

func (r *modelRun) deliver() {
	if len(r.fleet) == 0 {
		return
	}
	m := r.fleet[0]
	r.fleet = r.fleet[1:]
	r.note("deliver %s %s", m.kind, brief(m))
	r.envoy.receive(m)
	r.check()
}

func (r *modelRun) hear() {
	if len(r.envoy.requests) == 0 {
		return
	}
	q := r.envoy.requests[0]
	r.envoy.requests = r.envoy.requests[1:]
	r.note("hear %s nonce %d failed %q +%v -%v %v", q.kind, q.nonce, q.reason, q.subscribe, q.unsubscribe, q.versions)
	if m, ok := r.progress.flown(q.kind, q.nonce); ok {
		if q.failed {
			r.progress.reject(m, q.reason)
		} else {
			r.progress.acknowledge(m, r.now)
		}
	}
	for _, name := range q.subscribe {
		r.envoy.fresh[q.kind.String()+" "+name]++ // who asks is answered, even if it has that
	}
	r.progress.take(q, r.now)
	r.plan()
}

func (r *modelRun) check() {
	if len(r.envoy.faults) > 0 {
		r.Fatalf("%s\n%s", strings.Join(r.envoy.faults, "\n"), strings.Join(r.trail, "\n"))
	}
}

func (r *modelRun) reconnect() {
	r.note("reconnect")
	before := r.progress
	r.fleet, r.progress = nil, newProgress(false)
	for k := range kinds {
		r.progress.kinds[k].want = before.kinds[k].want
	}
	r.envoy.reconnect()
}

// publish draws another mesh: clusters, a table of routes over some of them, a listener that leads to some tables.
func (r *modelRun) publish() {
	versions := []string{"v1", "v2", "v3"}
	if !r.steady {
		versions = append(versions, "bad1")
	}
	of := func(what string) string { return rapid.SampledFrom(versions).Draw(r.T, what) }
	next := [kinds]resources{}
	for k := range next {
		next[k] = resources{}
	}
	var names []string
	for _, name := range []string{"eds-a", "eds-b-tls", "eds-c-tls", "static-d", "static-e-tls"} {
		if rapid.Bool().Draw(r.T, name) {
			names = append(names, name)
			next[clusters][name] = of(name)
			if strings.HasPrefix(name, "eds") {
				next[endpoints][name] = of("endpoints of " + name)
			}
		}
	}
	if slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, "-tls") }) {
		next[secrets]["service-cert"] = rapid.SampledFrom([]string{"v1", "v2"}).Draw(r.T, "certificate")
	}
	var led []string
	for _, table := range []string{"rds-1", "rds-2"} {
		if len(names) > 0 && rapid.Bool().Draw(r.T, table) {
			uses := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names), rapid.ID[string]).Draw(r.T, "uses of "+table)
			slices.Sort(uses)
			v := of(table)
			next[routes][table] = v + "." + strings.Join(uses, ".") + " -> " + strings.Join(uses, ",")
			led = append(led, table)
		}
	}
	if len(led) > 0 {
		v := of("listener")
		next[listeners]["outbound"] = v + "." + strings.Join(led, ".") + " -> / " + strings.Join(led, " ")
	}
	r.note("publish %v", next)
	for k := range kinds {
		kp := &r.progress.kinds[k]
		edit := map[string]string{}
		for res := range kp.want.resources.Values() {
			edit[res.Name] = "gone"
		}
		maps.Copy(edit, next[k])
		want := edited(k, kp.want, edit)
		kp.retarget(want, changed(kp.want, want), sinks.PushSnapshot, r.now)
	}
	r.plan()
}

type resources = map[string]string

// finish lets everything arrive and time pass, and compares.
func (r *modelRun) finish() {
	for second := range 400 {
		for len(r.fleet)+len(r.envoy.requests) > 0 {
			r.deliver()
			r.hear()
		}
		if r.progress.settled() {
			break
		}
		if !r.steady || second > 15 {
			r.envoy.timeout()
		}
		r.now = r.now.Add(time.Second)
		r.plan()
	}
	if !r.progress.settled() {
		r.Fatalf("it does not settle: %s\n%s", r.state(), strings.Join(r.trail, "\n"))
	}
	for k := range kinds {
		kp := &r.progress.kinds[k]
		held := r.envoy.held[k]
		if k == clusters {
			held = r.envoy.active
		}
		for want := range kp.want.resources.Values() {
			bad := strings.HasPrefix(want.Version, "bad")
			if !bad && r.envoy.asks(k, want.Name) && version(held[want.Name]) != want.Version {
				r.Fatalf("%s %s is %q and should be %s\n%s", k, want.Name, version(held[want.Name]), want.Version, strings.Join(r.trail, "\n"))
			}
		}
		for name := range held { //ordered: any fault will do
			if kp.want.find(name) == nil && k.whole() && r.steady {
				r.Fatalf("%s %s is still there\n%s", k, name, strings.Join(r.trail, "\n"))
			}
		}
		if r.steady && kp.open != nil && k.whole() {
			r.Fatalf("%s %v are open\n%s", k, kp.names(), strings.Join(r.trail, "\n"))
		}
	}
}

func (e *envoyModel) asks(k kind, name string) bool { return k.whole() || e.asked[k][name] }

func (r *modelRun) state() string {
	var b strings.Builder
	for k := range kinds {
		kp := &r.progress.kinds[k]
		for _, name := range kp.names() {
			e := kp.open[name]
			fmt.Fprintf(&b, "\n%s %s: want %q sent %q has %q rejected %q asked %t again %t batch %d", k, name,
				version(kp.want.find(name)), version(e.sent), version(e.has), version(e.rejected), e.asked, e.again, e.batch)
		}
		fmt.Fprintf(&b, "\n%s: started %t, %d under way", k, !kp.started.IsZero(), len(kp.flight))
	}
	return b.String()
}
