package compiler

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// The order in which things are listed changes nothing, except that of splits of one root, which is their precedence.
func TestOrderOfPartsDoesNotMatter(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		parts := w.parts(w.asDrawn())
		shuffled := model.Parts{
			Settings:    parts.Settings,
			Services:    shuffle(t, parts.Services),
			Proxies:     shuffle(t, parts.Proxies),
			Permissions: shuffle(t, parts.Permissions),
			Splits:      inPrecedence(parts.Splits, shuffle(t, parts.Splits)),
		}
		want, got := transcript(Compile(model.New(parts))), transcript(Compile(model.New(shuffled)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("another order, another result (-want +got):\n%s", diff)
		}
	})
}

func shuffle[T any](t *rapid.T, list model.List[*T]) model.List[*T] {
	return model.ListOf(rapid.Permutation(slices.Collect(list.Values())).Draw(t, "order")...)
}

// inPrecedence gives the places that a shuffled list has for the splits of one root to them in their original order.
func inPrecedence(original, shuffled model.List[*model.Split]) model.List[*model.Split] {
	waiting := map[model.ServiceID][]*model.Split{}
	for s := range original.Values() {
		waiting[s.Root] = append(waiting[s.Root], s)
	}
	var list []*model.Split
	for place := range shuffled.Values() {
		list = append(list, waiting[place.Root][0])
		waiting[place.Root] = waiting[place.Root][1:]
	}
	return model.ListOf(list...)
}

func TestCompileTwice(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		mesh := w.mesh()
		before, err := json.Marshal(mesh)
		if err != nil {
			t.Fatal(err)
		}
		first := transcript(Compile(mesh))
		if diff := cmp.Diff(first, transcript(Compile(mesh))); diff != "" {
			t.Errorf("the second time differs (-first +second):\n%s", diff)
		}
		after, err := json.Marshal(mesh)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(before), string(after)); diff != "" {
			t.Errorf("compiling changed the mesh (-before +after):\n%s", diff)
		}
	})
}

// Every proxy has one class, its identity's; classes and proxies are in order.
func TestEveryProxyHasOneClass(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		mesh := w.mesh()
		output, _ := Compile(mesh)
		listed := 0
		var names []string
		for class := range output.Classes.Values() {
			names = append(names, class.Name)
			listed += class.Proxies.Len()
			ids := slices.Collect(class.Proxies.Values())
			if !slices.IsSortedFunc(ids, model.ProxyID.Compare) {
				t.Errorf("class %s: proxies out of order: %v", class.Name, ids)
			}
			for _, id := range ids {
				if proxy, _ := mesh.Proxy(id); proxy.Identity != class.Identity {
					t.Errorf("proxy %s of %s is in a class of %s", id, proxy.Identity, class.Identity)
				}
				if of, _ := output.ClassOf(id); of != class {
					t.Errorf("proxy %s is listed in a class that is not its own", id)
				}
			}
		}
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("classes are not in order, or share a name: %v", names)
		}
		if want := mesh.Count().Proxies; listed != want {
			t.Errorf("the classes have %d proxies, the mesh %d", listed, want)
		}
	})
}

// Replicas cost nothing. Hosts of StatefulSets are services of their own and so are left as they are.
func TestReplicasAreFree(t *testing.T) {
	const many = 100
	scaled := func(n int, ready func(first bool, ordinal int) bool) replicas {
		return func(w workload) []bool {
			if w.stateful {
				return w.ready
			}
			var pods []bool
			for ordinal := range n {
				pods = append(pods, ready(w.ready[0], ordinal))
			}
			return pods
		}
	}
	alike := func(first bool, _ int) bool { return first }
	spare := func(first bool, ordinal int) bool { return first && ordinal == 0 }
	checkWorlds(t, func(t *rapid.T, w world) {
		one, _ := Compile(model.New(w.parts(scaled(1, alike))))
		hundred, _ := Compile(model.New(w.parts(scaled(many, alike))))
		want, got := one.Counters, hundred.Counters
		want.Bytes, got.Bytes = 0, 0 // assignments and matchers grow with the addresses that they hold
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d replicas are more work than one (-one +many):\n%s", many, diff)
		}
		// One that is not ready may be called in another way than those that are, by its address.
		two, _ := Compile(model.New(w.parts(scaled(2, spare))))
		waiting, _ := Compile(model.New(w.parts(scaled(many, spare))))
		want, got = two.Counters, waiting.Counters
		want.Bytes, got.Bytes = 0, 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d replicas that are not ready are more work than one (-one +many):\n%s", many-1, diff)
		}
	})
}

// What is remembered from one class to the next is what the next would have made.
func TestClassesDoNotDependOnEachOther(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		mesh := w.mesh()
		output, _ := Compile(mesh)
		for class := range output.Classes.Values() {
			alone := lines(configurationOf(aloneIn(mesh, class.Proxies.At(0))))
			if diff := cmp.Diff(alone, lines(configurationOf(class))); diff != "" {
				t.Errorf("%s among others is not what it is alone (-alone +among others):\n%s", class.Name, diff)
			}
		}
	})
}

// aloneIn is the class of a proxy, made before any other.
func aloneIn(mesh *model.Mesh, id model.ProxyID) *Class {
	c := newCompilation(mesh, nil)
	c.read()
	k, _ := c.kinds.get(id)
	in := c.inboundFor(k.spec, k.members)
	p := c.touch(k)
	p.out, p.in = c.callsOf(c.keyOf(k)), &in
	return c.class(p)
}

// A resource says what it was made of, what version it is, and is one pointer wherever it is used.
func TestResourcesAreNamedVersionedAndTraced(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		output, _ := Compile(w.mesh())
		total := 0
		seen := map[*Resource]bool{}
		for _, c := range configurations(output) {
			for _, r := range c.resources() {
				if !seen[r] {
					total += len(r.Bytes)
				}
				seen[r] = true
				if r.From.Len() == 0 {
					t.Errorf("%s of class %s is made of nothing", r.Name, c.Name)
				}
				if sum := sha256.Sum256(r.Bytes); r.Version != hex.EncodeToString(sum[:]) {
					t.Errorf("%s: version %s is not the hash of its bytes", r.Name, r.Version)
				}
				if name := nameInside(r); name != r.Name {
					t.Errorf("resource %s is called %s inside", r.Name, name)
				}
			}
		}
		if total > output.Counters.Bytes { // a view that namespaces share may have tables that each of them replaces
			t.Errorf("the resources have %d bytes, and %d are counted", total, output.Counters.Bytes)
		}
	})
}

func nameInside(r *Resource) string {
	switch m := decode[proto.Message](r).(type) {
	case interface{ GetName() string }:
		return m.GetName()
	case interface{ GetClusterName() string }:
		return m.GetClusterName()
	}
	return ""
}
