package compiler

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flomesh-io/fsmc/model"
)

// Proxies that would get the same configuration are one class.
func TestClasses(t *testing.T) {
	web, db := serves("web", 80, 8080, model.HTTP), serves("db", 3306, 3306, model.TCP)
	first := pod("a", seller, "100.64.0.10", web, db)
	for _, row := range []struct {
		name   string
		second *model.Proxy
		same   bool
	}{
		{"a replica", pod("b", seller, "100.64.0.11", web, db), true},
		{"members in another order", pod("b", seller, "100.64.0.11", db, web), true},
		{"another identity", pod("b", thief, "100.64.0.11", web, db), false},
		{"another family", pod("b", seller, "2001:db8::1", web, db), false},
		{"fewer members", pod("b", seller, "100.64.0.11", web), false},
		{"another target port", pod("b", seller, "100.64.0.11", serves("web", 80, 8081, model.HTTP), db), false},
		{"another service port", pod("b", seller, "100.64.0.11", serves("web", 81, 8080, model.HTTP), db), false},
		{"another protocol", pod("b", seller, "100.64.0.11", serves("web", 80, 8080, model.TCP), db), false},
		{"statistics", func() *model.Proxy {
			p := pod("b", seller, "100.64.0.11", web, db)
			p.Metrics = true
			return p
		}(), false},
		{"another workload of the identity", func() *model.Proxy {
			p := pod("b", seller, "100.64.0.11", web, db)
			p.Workload = ref("Deployment", "other")
			return p
		}(), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			output, _ := Compile(meshOf(smi(), first, row.second))
			a, _ := output.ClassOf(first.ID)
			b, _ := output.ClassOf(row.second.ID)
			if (a == b) != row.same || (a.Name == b.Name) != row.same {
				t.Errorf("classes %s and %s", a.Name, b.Name)
			}
		})
	}
}

var classNames = regexp.MustCompile(`^shop/(buyer|seller|thief)~[0-9a-f]{10}$`)

// A class is named by what it is: nothing that is added beside it renames it.
func TestClassNamesAreStable(t *testing.T) {
	before := shop(smi())
	after := with(before,
		pod("seller-9", seller, "100.64.0.19", serves("web", 80, 8080, model.HTTP)), // a second class of the identity
		pod("thief-0", thief, "100.64.0.66"),
		pod("seller-2", seller, "100.64.0.12", slices.Collect(memberOf(before, "seller-1").Values())...), // a replica
	)
	was, is := classesOf(before), classesOf(after)
	for _, name := range sortedKeys(was) {
		if !classNames.MatchString(name) {
			t.Errorf("class %s", name)
		}
		if _, there := is[name]; !there {
			t.Errorf("class %s was renamed", name)
		}
	}
	if len(is) != len(was)+2 {
		t.Errorf("%d classes became %d", len(was), len(is))
	}
	// The members of seller-0 and seller-1 differ, so they are two classes.
	if len(was) != 3 {
		t.Errorf("there are %d classes", len(was))
	}
}

func memberOf(mesh *model.Mesh, pod string) model.List[model.Member] {
	p, _ := mesh.Proxy(model.ProxyID{Namespace: "shop", Name: pod})
	return p.Members
}

func classesOf(mesh *model.Mesh) map[string]*Class {
	output, _ := Compile(mesh)
	classes := map[string]*Class{}
	for c := range output.Classes.Values() {
		classes[c.Name] = c
	}
	return classes
}

// The bytes of the hash are part of the interface, as the names of classes are: dashboards and folders have them.
func TestClassNameIsPinned(t *testing.T) {
	spec := classSpec{Namespace: "shop", ServiceAccount: "seller", Families: families{V4: true}}
	if got := spec.name(sha256.Sum256([]byte(keyOf(spec)))); got != "shop/seller~0bd932eaaf" {
		t.Errorf("the class is %s: every class of every mesh is renamed", got)
	}
}

// Equal specs are built once: what classes have in common is the same pointer.
func TestResourcesAreShared(t *testing.T) {
	things := []any{pod("thief-0", thief, "100.64.0.66")}
	output, _ := Compile(with(shop(permissive()), things...))
	a, _ := output.ClassOf(theBuyer)
	b, _ := output.ClassOf(model.ProxyID{Namespace: "shop", Name: "thief-0"})
	if a == b {
		t.Fatal("two identities have one class")
	}
	if diff := cmp.Diff(slices.Collect(a.Clusters.Values()), slices.Collect(b.Clusters.Values()), cmp.Comparer(func(x, y *Resource) bool { return x == y })); diff != "" {
		t.Errorf("clients of one namespace have clusters of their own in permissive mode:\n%s", diff)
	}
	if a.Listeners.At(0) != b.Listeners.At(0) {
		t.Error("clients of one namespace have listeners of their own in permissive mode")
	}
}

func TestAnEmptyMesh(t *testing.T) {
	output, diagnostics := Compile(meshOf(model.Settings{}))
	if output.Classes.Len() > 0 || len(diagnostics) > 0 || output.Counters != (Counters{}) {
		t.Errorf("%+v %v", output, diagnostics)
	}
	if _, ok := output.ClassOf(theBuyer); ok {
		t.Error("a proxy that is not there has a class")
	}
	if b := output.Standalone(theBuyer); b != nil {
		t.Errorf("a proxy that is not there has a configuration: %v", b)
	}
}

func TestMessageOfAnUnknownType(t *testing.T) {
	for _, r := range []*Resource{{Type: "type.googleapis.com/nothing"}, {Type: clusterType, Bytes: []byte("x")}} {
		if m, err := r.Message(); err == nil {
			t.Errorf("%s is %v", r.Type, m)
		}
	}
}
