package ads

import (
	"sync"

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
}

// world is a snapshot as it is served. It never changes.
type world struct {
	output   *compiler.Output
	settings model.Settings
	targets  map[string]*target

	// differences between tables that streams have asked for. They are kept as long as the world is: later, few streams
	// still have the older table.
	mu          sync.Mutex
	differences map[[2]*table][]string
}

// newWorld takes over from the one before whatever is the same.
func newWorld(snapshot sinks.Snapshot, before *world) *world {
	w := &world{
		output: snapshot.Output, settings: snapshot.Mesh.Settings(),
		targets:     make(map[string]*target, snapshot.Output.Classes.Len()),
		differences: map[[2]*table][]string{},
	}
	for class := range snapshot.Output.Classes.Values() {
		var old *target
		if before != nil {
			old = before.targets[class.Name]
		}
		w.targets[class.Name] = newTarget(class, old)
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
	return t
}

// targetOf is the target of a proxy; nil when the mesh does not have the proxy.
func (w *world) targetOf(id model.ProxyID) *target {
	class, ok := w.output.ClassOf(id)
	if !ok {
		return nil
	}
	return w.targets[class.Name]
}

// changed are the names of which two tables have different versions. Streams of one class share the answer.
func (w *world) changed(before, after *table) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := [2]*table{before, after}
	names, ok := w.differences[key]
	if !ok {
		names = changed(before, after)
		w.differences[key] = names
	}
	return names
}
