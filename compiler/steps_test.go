package compiler

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flomesh-io/fsmc/model"
)

// step is what is changed in a handmade mesh: things come, or are other than they were, or have gone.
type step struct {
	put  []any
	gone model.Dropped
}

// after is a mesh after a step.
func after(mesh *model.Mesh, s step) *model.Mesh {
	parts := editTo(model.New(model.Parts{}), partsOfThings(s.put))
	parts.NewSettings, parts.Dropped = false, s.gone
	return mesh.With(parts)
}

func partsOfThings(things []any) model.Parts {
	m := meshOf(model.Settings{}, things...)
	return model.Parts{
		Services: model.ListOf(slices.Collect(m.Services())...), Proxies: model.ListOf(slices.Collect(m.Proxies())...),
		Permissions: model.ListOf(slices.Collect(m.Permissions())...), Splits: model.ListOf(slices.Collect(m.Splits())...),
	}
}

// Steps that random meshes seldom take: what a view depends on without reaching it.
func TestSteps(t *testing.T) {
	s0 := pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP))
	s1 := pod("thief-0", thief, "100.64.0.11", serves("other", 80, 8080, model.HTTP))
	b0 := pod("buyer-0", buyer, "100.64.0.1")
	web := clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s0, 8080)))
	tcp := clusterIP("web", "198.18.0.1", answers(80, model.TCP, behind(s0, 8080)))
	root := clusterIP("root", "198.18.0.2", answers(80, model.HTTP))
	other := clusterIP("other", "198.18.0.3", answers(80, model.HTTP, behind(s1, 8080)))
	moved := *other
	moved.From = ref("Service", "written elsewhere")
	both := headless("both", answers(80, model.HTTP, behind(s0, 8080), behind(s1, 8080)))
	bothTCP := headless("both", answers(80, model.TCP, behind(s0, 8080), behind(s1, 8080)))
	toThief := admit("to-thief", buyer, thief)
	notReady := clusterIP("web", "198.18.0.1", answers(80, model.HTTP))
	stranger := pod("stranger-0", model.Identity{Namespace: "far", ServiceAccount: "stranger"}, "100.64.0.20")
	farther := pod("stranger-0", model.Identity{Namespace: "farther", ServiceAccount: "stranger"}, "100.64.0.21")
	named := func(names ...string) model.Dropped {
		var d model.Dropped
		for _, name := range names {
			d.Services = model.ListOf(append(slices.Collect(d.Services.Values()), inShop(name))...)
			d.Permissions = model.ListOf(append(slices.Collect(d.Permissions.Values()), model.PermissionID{Namespace: "shop", Name: name})...)
			d.Splits = model.ListOf(append(slices.Collect(d.Splits.Values()), inShop(name))...)
		}
		return d
	}
	for _, row := range []struct {
		name  string
		first []any
		steps []step
	}{
		{"a backend appears that may not be reached", []any{b0, s0, s1, web, root, admit("p", buyer, seller), spread("s", "root", over("web", 1), over("other", 1))},
			[]step{{put: []any{other}}, {put: []any{toThief}}, {gone: named("to-thief")}, {gone: named("other")}}},
		{"the same, over connections", []any{b0, s0, s1, tcp, clusterIP("root", "198.18.0.2", answers(80, model.TCP)), admit("p", buyer, seller), spread("s", "root", over("web", 1), over("other", 1))},
			[]step{{put: []any{other}}, {put: []any{toThief}}, {gone: named("to-thief")}, {gone: named("other")}}},
		{"a root that nobody serves moves", []any{b0, s0, web, root, admit("p", buyer, seller), spread("s", "root", over("web", 1))},
			[]step{
				{put: []any{clusterIP("root", "198.18.0.9", answers(80, model.HTTP))}},
				{gone: model.Dropped{Services: model.ListOf(inShop("root"))}}, {put: []any{root}}, {gone: named("root")},
			}},
		{"one of two servers of a headless service is admitted", []any{b0, s0, s1, both, admit("p", buyer, seller)},
			[]step{{put: []any{toThief}}, {gone: named("p")}, {put: []any{admit("p", buyer, seller)}}, {gone: named("to-thief")}}},
		{"the same, over connections", []any{b0, s0, s1, bothTCP, admit("p", buyer, seller)},
			[]step{{put: []any{toThief}}, {gone: named("p")}, {put: []any{admit("p", buyer, seller)}}, {gone: named("to-thief")}}},
		{"a service is written elsewhere than its door was", []any{b0, s1, other, toThief},
			[]step{{put: []any{&moved}}, {gone: named("other")}, {put: []any{other}}}},
		{"a server stops being ready when somebody comes from elsewhere", []any{b0, s0, s1, web, other, admit("p", buyer, seller)},
			[]step{{put: []any{notReady, stranger}}, {put: []any{web, farther}}, {put: []any{notReady}}, {put: []any{web}}}},
	} {
		for mode, settings := range map[string]model.Settings{"SMI": smi(), "permissive": permissive()} {
			t.Run(row.name+", "+mode, func(t *testing.T) {
				mesh := meshOf(settings, row.first...)
				output, _ := Compile(mesh)
				for i, s := range row.steps {
					mesh = after(mesh, s)
					next, diagnostics := CompileFrom(mesh, output)
					if diff := cmp.Diff(summary(Compile(mesh)), summary(next, diagnostics)); diff != "" {
						t.Errorf("step %d (-fresh +incremental):\n%s", i, diff)
					}
					output = next
				}
			})
		}
	}
}

// Nothing changes, or nothing that concerns a proxy: the classes are the very same, and there was nothing to do.
func TestNothingToDo(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		mesh := w.mesh()
		output, diagnostics := Compile(mesh)
		settings := mesh.Settings()
		settings.ControlPlane.LogLevel = "debug"
		settings.Roots = model.ListOf(model.Root{Name: "a"})
		for name, next := range map[string]*model.Mesh{
			"the same mesh": mesh, "an empty edit": mesh.With(model.Edit{}),
			"the same parts":                  model.New(sharing(t, mesh, w.parts(w.asDrawn()))),
			"settings of the control plane":   mesh.With(model.Edit{Settings: settings, NewSettings: true}),
			"a service that nobody asks for":  mesh.With(model.Edit{Services: model.ListOf(&model.Service{ID: model.ServiceID{Namespace: "z", Name: "z"}})}),
			"a permission of nobody for none": mesh.With(model.Edit{Permissions: model.ListOf(&model.Permission{Namespace: "z", Name: "z"})}),
		} {
			again, found := CompileFrom(next, output)
			if again.Counters != (Counters{}) && name != "the same parts" { // of which some may be made anew
				t.Errorf("%s: %+v", name, again.Counters)
			}
			if !model.Equal(output.Classes, again.Classes) {
				t.Errorf("%s: other classes", name)
			}
			if want := output.Classes.Len(); again.Reused.Classes != want {
				t.Errorf("%s: %d of %d classes are said to be the same", name, again.Reused.Classes, want)
			}
			if diff := cmp.Diff(summary(output, diagnostics), summary(again, found)); diff != "" {
				t.Errorf("%s: (-before +after):\n%s", name, diff)
			}
		}
	})
}

// One endpoint less is the business of those who call the service, and of nobody else.
func TestOneEndpointChanges(t *testing.T) {
	s0 := pod("seller-0", seller, "100.64.0.10", serves("web", 80, 8080, model.HTTP))
	s1 := pod("seller-1", seller, "100.64.0.11", serves("web", 80, 8080, model.HTTP))
	t0 := pod("thief-0", thief, "100.64.0.20", serves("den", 80, 8080, model.HTTP))
	mesh := meshOf(smi(), pod("buyer-0", buyer, "100.64.0.1"), s0, s1, t0, admit("buys", buyer, seller), admit("sells", seller, thief),
		clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s0, 8080), behind(s1, 8080))),
		clusterIP("den", "198.18.0.2", answers(80, model.HTTP, behind(t0, 8080))))
	before, _ := Compile(mesh)
	now, _ := CompileFrom(after(mesh, step{put: []any{clusterIP("web", "198.18.0.1", answers(80, model.HTTP, behind(s0, 8080)))}}), before)
	var same []model.Identity
	for c := range now.Classes.Values() {
		if was, _ := before.ClassOf(c.Proxies.At(0)); was == c {
			same = append(same, c.Identity)
		}
	}
	if diff := cmp.Diff([]model.Identity{seller, thief}, same); diff != "" {
		t.Errorf("classes that are the same (-want +got):\n%s", diff)
	}
	// Of the buyer's view, an assignment is made again. Its listener knows the pods by their addresses, ready or not.
	if want := (Reused{Classes: 2, Views: 5}); now.Reused != want {
		t.Errorf("%+v", now.Reused)
	}
	if c := now.Counters; c.Views != 0 || c.Builds != 1 {
		t.Errorf("%+v", c)
	}
	was, _ := before.ClassOf(theBuyer)
	is, _ := now.ClassOf(theBuyer)
	if was.Routes.At(0) != is.Routes.At(0) || was.Clusters.At(0) != is.Clusters.At(0) || was.Endpoints.At(0) == is.Endpoints.At(0) {
		t.Error("the endpoints of the buyer are not all that differs")
	}
}

// Other requests are the business of the server alone.
func TestRequestsChange(t *testing.T) {
	mesh := shop(smi())
	before, _ := Compile(mesh)
	buys := *slices.Collect(mesh.PermissionsFrom(buyer))[0]
	buys.HTTP.Requests = requests(model.Match{Path: "/other", AnyMethod: true})
	now, _ := CompileFrom(mesh.With(model.Edit{Permissions: model.ListOf(&buys)}), before)
	was, _ := before.ClassOf(theBuyer)
	if is, _ := now.ClassOf(theBuyer); is != was {
		t.Error("the buyer has another class")
	}
	// The two classes of the seller have a route table each.
	if c := now.Counters; c.Views != 2 || c.Builds != 2 {
		t.Errorf("%+v", c)
	}
}

// An output can be compiled from by several at once.
func TestCompileFromConcurrently(t *testing.T) {
	checkWorlds(t, func(t *rapid.T, w world) {
		from := firstEdition(w)
		var meshes []*model.Mesh
		for range 4 {
			w = w.edited(t)
			meshes = append(meshes, model.New(sharing(t, from.mesh, w.parts(w.asDrawn()))))
		}
		got := make([][]string, len(meshes))
		var all sync.WaitGroup
		for i, mesh := range meshes {
			all.Go(func() { got[i] = summary(CompileFrom(mesh, from.output)) })
		}
		all.Wait()
		for i, mesh := range meshes {
			if diff := cmp.Diff(summary(Compile(mesh)), got[i]); diff != "" {
				t.Errorf("mesh %d (-fresh +at once):\n%s", i, diff)
			}
		}
	})
}

// However often a mesh is edited, what is of no use is forgotten.
func TestNoLeak(t *testing.T) {
	mesh := shop(smi())
	output, _ := Compile(mesh)
	most := 0
	for i := range 5000 {
		edit := model.Edit{Services: model.ListOf(clusterIP("old", "198.18.0.4", answers(uint16(1000+i), model.TCP, outside("192.0.2.1:9000"))))}
		p := admit("buys", buyer, seller)
		p.HTTP.Requests = requests(model.Match{Path: "/" + string(rune('a'+i%26)) + string(rune(0x100+i)), AnyMethod: true})
		edit.Permissions = model.ListOf(p)
		mesh = mesh.With(edit)
		output, _ = CompileFrom(mesh, output)
		most = max(most, output.state.size())
	}
	fresh, _ := Compile(mesh)
	if limit := 2*fresh.state.size() + 64; most > limit {
		t.Errorf("%d things that were built are kept, where %d are needed", most, fresh.state.size())
	}
	// What a big mesh needed is forgotten when it has become a small one.
	small := meshOf(smi(), pod("buyer-0", buyer, "100.64.0.1"))
	for i := range 300 {
		moved := pod("buyer-0", buyer, "100.64.0.1")
		moved.Metrics = i%2 == 0
		small = small.With(model.Edit{Proxies: model.ListOf(moved)})
		output, _ = CompileFrom(small, output)
	}
	if size := output.state.size(); size > 10 {
		t.Errorf("%d things that were built are kept for one pod that calls nobody", size)
	}
}
