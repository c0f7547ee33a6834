package model

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var few = []string{"a", "b", "c"}

func drawName(t *rapid.T, what string) string { return rapid.SampledFrom(few).Draw(t, what) }

func drawID(t *rapid.T) ServiceID { return ServiceID{drawName(t, "namespace"), drawName(t, "name")} }

func drawIdentity(t *rapid.T) Identity {
	return Identity{drawName(t, "namespace"), drawName(t, "account")}
}

func drawList[T any](t *rapid.T, what string, draw func(*rapid.T) T) List[T] {
	return ListOf(rapid.SliceOfN(rapid.Custom(draw), 0, 6).Draw(t, what)...)
}

func drawService(t *rapid.T) *Service { return &Service{ID: drawID(t)} }

func drawProxy(t *rapid.T) *Proxy { return &Proxy{ID: ProxyID(drawID(t)), Identity: drawIdentity(t)} }

func drawPermission(t *rapid.T) *Permission {
	id := drawID(t)
	return &Permission{Namespace: id.Namespace, Name: id.Name, Destination: drawIdentity(t), Sources: drawList(t, "sources", drawIdentity)}
}

func drawSplit(t *rapid.T) *Split {
	id := drawID(t)
	return &Split{Namespace: id.Namespace, Name: id.Name, Root: drawID(t)}
}

func drawParts(t *rapid.T) Parts {
	return Parts{
		Settings: Settings{MeshName: drawName(t, "mesh")},
		Services: drawList(t, "services", drawService), Proxies: drawList(t, "proxies", drawProxy),
		Permissions: drawList(t, "permissions", drawPermission), Splits: drawList(t, "splits", drawSplit),
	}
}

func drawEdit(t *rapid.T) Edit {
	put := drawParts(t)
	return Edit{
		Settings: put.Settings, NewSettings: rapid.Bool().Draw(t, "new settings"),
		Services: put.Services, Proxies: put.Proxies, Permissions: put.Permissions, Splits: put.Splits,
		Dropped: Dropped{
			Services:    drawList(t, "no service", drawID),
			Proxies:     drawList(t, "no proxy", func(t *rapid.T) ProxyID { return ProxyID(drawID(t)) }),
			Permissions: drawList(t, "no permission", func(t *rapid.T) PermissionID { return PermissionID(drawID(t)) }),
			Splits:      drawList(t, "no splits", drawID),
		},
	}
}

// after are the parts of a mesh that an edit leaves, by the simplest means.
func (e Edit) after(m *Mesh) Parts {
	parts := Parts{Settings: m.settings, Services: e.Services, Proxies: e.Proxies, Permissions: e.Permissions, Splits: e.Splits}
	if e.NewSettings {
		parts.Settings = e.Settings
	}
	// What New finds first stays, so that what is put comes first.
	parts.Services = ListOf(append(parts.Services.items, slices.DeleteFunc(slices.Collect(m.Services()), func(s *Service) bool {
		return Contains(e.Dropped.Services, s.ID)
	})...)...)
	parts.Proxies = ListOf(append(parts.Proxies.items, slices.DeleteFunc(slices.Collect(m.Proxies()), func(p *Proxy) bool {
		return Contains(e.Dropped.Proxies, p.ID)
	})...)...)
	parts.Permissions = ListOf(append(parts.Permissions.items, slices.DeleteFunc(slices.Collect(m.Permissions()), func(p *Permission) bool {
		return Contains(e.Dropped.Permissions, PermissionID{p.Namespace, p.Name})
	})...)...)
	parts.Splits = ListOf(append(parts.Splits.items, slices.DeleteFunc(slices.Collect(m.Splits()), func(s *Split) bool {
		return Contains(e.Dropped.Splits, s.Root) ||
			slices.ContainsFunc(e.Splits.items, func(put *Split) bool { return put.Root == s.Root })
	})...)...)
	return parts
}

// everything is all that a mesh answers, with pointers told apart.
func everything(m *Mesh) []string {
	lines := []string{fmt.Sprintf("%+v %+v", m.Settings(), m.Count())}
	line := func(what string, thing any) { lines = append(lines, fmt.Sprintf("%s %p", what, thing)) }
	for s := range m.Services() {
		line("service "+s.ID.String(), s)
	}
	for p := range m.Proxies() {
		line("proxy "+p.ID.String(), p)
	}
	for p := range m.Permissions() {
		line("permission "+p.String(), p)
	}
	for s := range m.Splits() {
		line("split "+s.String(), s)
	}
	for _, namespace := range few {
		for _, name := range few {
			s, _ := m.Service(ServiceID{namespace, name})
			line("service", s)
			p, _ := m.Proxy(ProxyID{namespace, name})
			line("proxy", p)
			for p := range m.PermissionsTo(Identity{namespace, name}) {
				line("to "+namespace+"/"+name, p)
			}
			for p := range m.PermissionsFrom(Identity{namespace, name}) {
				line("from "+namespace+"/"+name, p)
			}
			for s := range m.SplitsOf(ServiceID{namespace, name}) {
				line("of "+namespace+"/"+name, s)
			}
		}
	}
	return lines
}

// A mesh with an edit is what New makes of the parts that result, and the old mesh stays as it is.
func TestWithIsNew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := New(drawParts(t))
		for range rapid.IntRange(1, 5).Draw(t, "edits") {
			e, before := drawEdit(t), everything(m)
			parts := e.after(m)
			want := everything(New(parts))
			next := m.With(e)
			if diff := cmp.Diff(want, everything(next)); diff != "" {
				t.Fatalf("edited is not new (-new +edited):\n%s", diff)
			}
			if diff := cmp.Diff(want, everything(NewFrom(parts, m))); diff != "" {
				t.Fatalf("made from the previous is not new (-new +from):\n%s", diff)
			}
			if diff := cmp.Diff(before, everything(m)); diff != "" {
				t.Fatalf("the edit has changed the old mesh (-before +after):\n%s", diff)
			}
			m = next
		}
	})
}

// What differs between two meshes is told, and nothing else.
func TestSince(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := New(drawParts(t))
		b := a.With(drawEdit(t))
		checkSince(t, a.services, b.services, pairsOf(b.ServicesSince(a)))
		checkSince(t, a.proxies, b.proxies, pairsOf(b.ProxiesSince(a)))
		checkSince(t, a.permissions, b.permissions, pairsOf(b.PermissionsSince(a)))
		var want []ServiceID
		for _, namespace := range few {
			for _, name := range few {
				id := ServiceID{namespace, name}
				if !slices.Equal(splitsOf(a.splits, id), splitsOf(b.splits, id)) {
					want = append(want, id)
				}
			}
		}
		if diff := cmp.Diff(want, slices.Collect(b.SplitRootsSince(a))); diff != "" {
			t.Errorf("roots (-want +got):\n%s", diff)
		}
		for range b.SplitRootsSince(a) {
			break // an iteration can be left
		}
	})
}

func pairsOf[T any](seq func(func(*T, *T) bool)) [][2]*T {
	var list [][2]*T
	for was, is := range seq {
		list = append(list, [2]*T{was, is})
	}
	for range seq {
		break
	}
	return list
}

// checkSince does the changes, and wants to come from one to the other by them alone.
func checkSince[T any](t *rapid.T, before, after []*T, changes [][2]*T) {
	t.Helper()
	left := slices.Clone(before)
	for _, c := range changes {
		if c[0] == c[1] {
			t.Errorf("a change of nothing: %v", c[0])
		}
		if c[0] != nil {
			left = slices.DeleteFunc(left, func(item *T) bool { return item == c[0] })
		}
		if c[1] != nil {
			left = append(left, c[1])
		}
	}
	for _, item := range after {
		if !slices.Contains(left, item) {
			t.Errorf("%v has come, and nobody tells", item)
		}
	}
	if len(left) != len(after) {
		t.Errorf("%d items became %d", len(after), len(left))
	}
}

// What an edit does not touch is shared, and an edit without an effect changes nothing at all.
func TestEditsShare(t *testing.T) {
	m := New(parts)
	next := m.With(Edit{Services: ListOf(service("c", "c"))})
	if !same(m.proxies, next.proxies) || !same(m.permissions, next.permissions) || !same(m.splits, next.splits) ||
		!same(m.byTarget, next.byTarget) || !same(m.bySource, next.bySource) {
		t.Error("a service that comes makes other things anew")
	}
	again := m.With(Edit{
		Services: parts.Services, Proxies: parts.Proxies, Permissions: parts.Permissions, Splits: parts.Splits,
		Dropped: Dropped{Services: ListOf(ServiceID{"x", "x"}), Splits: ListOf(ServiceID{"x", "x"})},
	})
	if !same(m.services, again.services) || !same(m.proxies, again.proxies) || !same(m.permissions, again.permissions) || !same(m.splits, again.splits) {
		t.Error("putting what is there makes it anew")
	}
	renewed := NewFrom(parts, m)
	if !same(m.services, renewed.services) || !same(m.bySource, renewed.bySource) || !same(m.splits, renewed.splits) {
		t.Error("the same parts again make everything anew")
	}
}
