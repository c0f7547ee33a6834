package ads

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/compiler"
)

// envoyModel behaves like Envoy as far as the order of things goes: it keeps acknowledgements of clusters back while a
// cluster warms, asks for endpoints and secrets when it has a cluster and for routes when it has a listener, and takes
// the good resources of a bad response. It complains when something refers to a cluster that is not ready.
//
// Names tell what a resource needs: a cluster that begins with "eds" has endpoints, one with "-tls" a secret as well.
// A version that begins with "bad" is rejected.
type envoyModel struct {
	active  map[string]*compiler.Resource // clusters that are ready
	warming map[string]*compiler.Resource
	// assigned are warming clusters whose assignment has come.
	assigned map[string]bool
	held     [kinds]map[string]*compiler.Resource // what was taken of the other kinds
	asked    [kinds]map[string]bool
	withheld []answer // of clusters
	// deferred says that clusters are to be asked for when they have warmed.
	deferred bool
	// secretless says that it knows that there is no certificate, and does not wait for it.
	secretless bool
	requests   []request
	// fresh says how often a resource may be sent though it is the same: it was asked for, or a cluster waits for it.
	fresh map[string]int
	// unsteady says that a second sending is excused: something was rejected.
	unsteady bool
	late     bool // a wait may have run out, so that routes may come before clusters
	listens  bool // it has asked for listeners
	faults   []string
}

type answer struct {
	nonce int
	bad   string
}

func newEnvoyModel() *envoyModel {
	e := &envoyModel{active: map[string]*compiler.Resource{}, warming: map[string]*compiler.Resource{}, assigned: map[string]bool{}, fresh: map[string]int{}}
	for k := range kinds {
		e.held[k], e.asked[k] = map[string]*compiler.Resource{}, map[string]bool{}
	}
	e.requests = []request{{kind: clusters, subscribe: []string{anything}}}
	return e
}

func (e *envoyModel) fault(format string, args ...any) {
	e.faults = append(e.faults, fmt.Sprintf(format, args...))
}

// receive takes a message.
func (e *envoyModel) receive(m message) {
	var bad []string
	for _, r := range m.puts {
		if strings.HasPrefix(r.Version, "bad") {
			bad = append(bad, r.Name)
			e.unsteady = true
			if m.kind.whole() {
				continue // the others are taken
			}
			if m.kind == endpoints && e.warming[r.Name] != nil {
				e.assigned[r.Name] = true // Envoy does not wait for better ones
			}
			break
		}
		e.put(m.kind, r)
	}
	for _, name := range m.removes {
		e.remove(m.kind, name)
	}
	a := answer{m.nonce, strings.Join(bad, ",")}
	if m.kind == clusters {
		e.withheld = append(e.withheld, a)
	} else {
		e.say(m.kind, a)
	}
	e.settle()
}

func (e *envoyModel) say(k kind, a answer) {
	e.requests = append(e.requests, request{kind: k, nonce: a.nonce, failed: a.bad != "", reason: a.bad})
}

func (e *envoyModel) put(k kind, r *compiler.Resource) {
	same := version(e.held[k][r.Name]) == r.Version
	switch k {
	case clusters:
		if same && !e.unsteady && !e.late {
			e.fault("cluster %s is sent twice", r.Name)
		}
		if !same {
			e.warming[r.Name] = r
			delete(e.assigned, r.Name)
			if e.asked[endpoints][r.Name] {
				e.fresh["endpoints "+r.Name]++
			} else if strings.HasPrefix(r.Name, "eds") {
				e.ask(endpoints, r.Name)
			}
			if strings.Contains(r.Name, "-tls") {
				e.ask(secrets, "service-cert")
			}
		}
	case endpoints:
		if e.warming[r.Name] != nil {
			e.assigned[r.Name] = true
		}
	case listeners:
		for _, table := range tablesOf(r) {
			e.ask(routes, table)
		}
	}
	key := k.String() + " " + r.Name
	if same && k != clusters && e.fresh[key] == 0 && !e.unsteady && !e.late {
		e.fault("%s is sent twice", key)
	}
	e.fresh[key] = max(0, e.fresh[key]-1)
	e.held[k][r.Name] = r
	if k == routes || k == listeners {
		e.use(k, r)
	}
}

// use looks whether what a resource uses is there.
func (e *envoyModel) use(k kind, r *compiler.Resource) {
	for name := range r.Uses.Values() {
		if e.active[name] == nil && !e.late && !e.unsteady {
			e.fault("%s %s uses cluster %s, which is not ready", k, r.Name, name)
		}
	}
}

func (e *envoyModel) ask(k kind, name string) {
	if !e.asked[k][name] {
		e.asked[k][name] = true
		e.requests = append(e.requests, request{kind: k, subscribe: []string{name}})
	}
}

func (e *envoyModel) forget(k kind, name string) {
	if e.asked[k][name] {
		delete(e.asked[k], name)
		delete(e.held[k], name)
		e.requests = append(e.requests, request{kind: k, unsubscribe: []string{name}})
	}
}

func (e *envoyModel) remove(k kind, name string) {
	delete(e.held[k], name)
	if k == endpoints && e.warming[name] != nil {
		e.assigned[name] = true // Envoy does not wait for what is not there
	}
	e.secretless = e.secretless || k == secrets
	if k != clusters {
		return
	}
	delete(e.active, name)
	delete(e.warming, name)
	e.forget(endpoints, name)
	for _, k := range []kind{routes, listeners} {
		for _, r := range e.held[k] { //ordered: faults are looked at together
			if e.works(k, r) && slices.Contains(slices.Collect(r.Uses.Values()), name) && !e.late && !e.unsteady {
				e.fault("cluster %s is removed, and %s %s uses it", name, k, r.Name)
			}
		}
	}
}

// works says whether a route table has a listener.
func (e *envoyModel) works(k kind, r *compiler.Resource) bool {
	if k == listeners {
		return true
	}
	for _, l := range e.held[listeners] { //ordered: the answer is the same in any order
		if slices.Contains(tablesOf(l), r.Name) {
			return true
		}
	}
	return false
}

// settle makes clusters ready that are, says what was kept back, and forgets tables without a listener.
func (e *envoyModel) settle() {
	for _, name := range slices.Sorted(maps.Keys(e.warming)) {
		eds, tls := strings.HasPrefix(name, "eds"), strings.Contains(name, "-tls")
		if eds && !e.assigned[name] || tls && e.held[secrets]["service-cert"] == nil && !e.secretless {
			continue
		}
		e.active[name] = e.warming[name]
		delete(e.warming, name)
	}
	if len(e.warming) == 0 {
		for _, a := range e.withheld {
			e.say(clusters, a)
		}
		ready := len(e.withheld) > 0 || e.deferred
		if e.deferred {
			e.deferred = false
			e.requests = append(e.requests, e.again(clusters))
		}
		if ready && !e.listens {
			e.listens = true
			e.requests = append(e.requests, request{kind: listeners, subscribe: []string{anything}})
		}
		e.withheld = nil
	}
	for _, name := range slices.Sorted(maps.Keys(e.held[routes])) {
		if !e.works(routes, e.held[routes][name]) {
			e.forget(routes, name)
		}
	}
}

// timeout lets the time pass that Envoy waits for endpoints and certificates.
func (e *envoyModel) timeout() {
	for name := range e.warming { //ordered: it becomes a set
		e.assigned[name] = true
	}
	e.secretless, e.late = true, true
	e.settle()
}

// reconnect begins another stream, with the versions of what there is. While clusters warm it asks for all but them.
func (e *envoyModel) reconnect() {
	e.withheld, e.requests = nil, nil
	e.deferred = len(e.warming) > 0
	for k := range kinds {
		if k == listeners && !e.listens || k == clusters && e.deferred || !k.whole() && len(e.asked[k]) == 0 {
			continue
		}
		e.requests = append(e.requests, e.again(k))
	}
}

func (e *envoyModel) again(k kind) request {
	r := request{kind: k, versions: map[string]string{}}
	if k.whole() {
		r.subscribe = []string{anything}
	}
	r.subscribe = append(r.subscribe, slices.Sorted(maps.Keys(e.asked[k]))...)
	for name, held := range e.held[k] { //ordered: it becomes a map
		r.versions[name] = held.Version
	}
	for name := range e.asked[k] { //ordered: it is a set
		if k == endpoints && e.warming[name] != nil {
			e.fresh["endpoints "+name]++
		}
	}
	if k == endpoints && e.deferred {
		for name := range e.asked[k] { //ordered: it is a set
			e.fresh["endpoints "+name]++
		}
	}
	return r
}

func tablesOf(listener *compiler.Resource) []string {
	_, leads, _ := strings.Cut(string(listener.Bytes), "\n")
	return words(leads)
}
