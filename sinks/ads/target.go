package ads

import (
	"sync"
	"sync/atomic"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sinks"
)

// target is what the proxies of a class are to have. It never changes; a class that stays as it is keeps its target.
type target struct {
	name     string
	identity model.Identity
	slots    model.List[compiler.Slot]
	// tables are all but that of the secrets, which a wallet fills.
	tables [kinds]*table
	// purse is what the wallet filled the slots with last; nil before.
	purse atomic.Pointer[purse]

	// differences to older tables that streams have asked for, by those.
	mu          sync.Mutex
	differences map[*table][]string
}

// world is a snapshot as it is served. It never changes.
type world struct {
	output   *compiler.Output
	settings model.Settings
	classes  map[string]classed
}

// classed is a class and its target.
type classed struct {
	class  *compiler.Class
	target *target
}

// newWorld takes over from the one before whatever is the same.
func newWorld(snapshot sinks.Snapshot, before *world) *world {
	w := &world{
		output: snapshot.Output, settings: snapshot.Mesh.Settings(),
		classes: make(map[string]classed, snapshot.Output.Classes.Len()),
	}
	for class := range snapshot.Output.Classes.Values() {
		var old classed
		if before != nil {
			old = before.classes[class.Name]
		}
		t := old.target
		if class != old.class {
			t = newTarget(class, old.target)
		}
		if t == old.target {
			t.forget()
		}
		w.classes[class.Name] = classed{class, t}
	}
	return w
}

func newTarget(class *compiler.Class, old *target) *target {
	t := &target{name: class.Name, identity: class.Identity, slots: class.Secrets, tables: [kinds]*table{
		clusters: newTable(class.Clusters), endpoints: newTable(class.Endpoints), secrets: empty,
		routes: newTable(class.Routes), listeners: newTable(class.Listeners),
	}}
	if old == nil {
		return t
	}
	same := t.identity == old.identity && model.Equal(t.slots, old.slots)
	for k := range t.tables {
		if t.tables[k].equal(old.tables[k]) {
			t.tables[k] = old.tables[k]
		}
		same = same && t.tables[k] == old.tables[k]
	}
	if same {
		return old
	}
	if model.Equal(t.slots, old.slots) && t.identity == old.identity {
		t.purse.Store(old.purse.Load())
	}
	return t
}

// targetOf is the target of a proxy; nil when the mesh does not have the proxy.
func (w *world) targetOf(id model.ProxyID) *target {
	class, ok := w.output.ClassOf(id)
	if !ok {
		return nil
	}
	return w.classes[class.Name].target
}

// keeps says whether a class has the same proxies as in the world before.
func (w *world) keeps(class string, before *world) bool {
	now, then := w.classes[class].class, before.classes[class].class
	return now == then || now != nil && then != nil && model.Equal(now.Proxies, then.Proxies)
}

// changed are the names of which the target has other versions than an older table. Streams share the answer.
func (t *target) changed(k kind, before *table) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	names, ok := t.differences[before]
	if !ok {
		names = changed(before, t.tables[k])
		if t.differences == nil {
			t.differences = map[*table][]string{}
		}
		t.differences[before] = names
	}
	return names
}

// forget lets go of older tables: when there is another world, few streams still have one.
func (t *target) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.differences = nil
}
