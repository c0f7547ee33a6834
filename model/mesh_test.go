package model

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func service(namespace, name string) *Service { return &Service{ID: ServiceID{namespace, name}} }

func proxy(namespace, name string) *Proxy { return &Proxy{ID: ProxyID{namespace, name}} }

func permission(namespace, name string, to Identity, from ...Identity) *Permission {
	return &Permission{Namespace: namespace, Name: name, Destination: to, Sources: ListOf(from...)}
}

func split(namespace, name, root string) *Split {
	return &Split{Namespace: namespace, Name: name, Root: ServiceID{namespace, root}}
}

// texts are things by their names, in the order in which they come.
func texts[T any](things iter.Seq[T], name func(T) string) []string {
	var list []string
	for thing := range things {
		list = append(list, name(thing))
	}
	return list
}

func serviceName(s *Service) string { return s.ID.String() }

func proxyName(p *Proxy) string { return p.ID.String() }

var parts = Parts{
	Settings:    Settings{MeshName: "fsm"},
	Services:    ListOf(service("b", "a"), service("a", "b"), service("a", "a")),
	Proxies:     ListOf(proxy("b", "a"), proxy("a", "b"), proxy("a", "a")),
	Permissions: ListOf(permission("b", "a", Identity{"b", "x"}, Identity{"a", "x"}), permission("a", "b", Identity{"a", "x"}), permission("a", "a", Identity{"a", "x"}, Identity{"a", "x"}, Identity{"b", "x"})),
	Splits:      ListOf(split("b", "s", "r"), split("a", "z", "r"), split("a", "a", "r"), split("a", "m", "q")),
}

// Everything is iterated over in one order, whatever the order of the parts was; splits of one root stand as given.
func TestMeshIsInOrder(t *testing.T) {
	m := New(parts)
	for name, row := range map[string]struct{ want, got []string }{
		"services":    {[]string{"a/a", "a/b", "b/a"}, texts(m.Services(), serviceName)},
		"proxies":     {[]string{"a/a", "a/b", "b/a"}, texts(m.Proxies(), proxyName)},
		"permissions": {[]string{"a/a", "a/b", "b/a"}, texts(m.Permissions(), (*Permission).String)},
		"splits":      {[]string{"a/m", "a/z", "a/a", "b/s"}, texts(m.Splits(), (*Split).String)},
		"splits of a root": {
			[]string{"a/z", "a/a"}, texts(m.SplitsOf(ServiceID{"a", "r"}), (*Split).String),
		},
		"splits of a service that has none": {nil, texts(m.SplitsOf(ServiceID{"c", "r"}), (*Split).String)},
		"permissions to an identity": {
			[]string{"a/a", "a/b"}, texts(m.PermissionsTo(Identity{"a", "x"}), (*Permission).String),
		},
		"permissions from an identity": {
			[]string{"a/a", "b/a"}, texts(m.PermissionsFrom(Identity{"a", "x"}), (*Permission).String),
		},
		"permissions from nobody": {nil, texts(m.PermissionsFrom(Identity{}), (*Permission).String)},
	} {
		if diff := cmp.Diff(row.want, row.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got, want := m.Count(), (Counts{Services: 3, Proxies: 3, Permissions: 3, Splits: 4}); got != want {
		t.Errorf("%+v are counted", got)
	}
	if m.Settings().MeshName != "fsm" {
		t.Errorf("the settings are %+v", m.Settings())
	}
}

// Many splits of one root keep their order too.
func TestPrecedenceOfSplitsIsKept(t *testing.T) {
	var all, splits []*Split
	for i := range 100 {
		splits = append(splits, split("a", fmt.Sprint(100-i), "r"))
		all = append(all, splits[i], split("a", fmt.Sprint(i), []string{"q", "s", "t"}[i%3]))
	}
	m := New(Parts{Splits: ListOf(all...)})
	if diff := cmp.Diff(splits, slices.Collect(m.SplitsOf(ServiceID{"a", "r"})), cmp.Comparer(func(a, b *Split) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestFind(t *testing.T) {
	m := New(parts)
	if s, ok := m.Service(ServiceID{"a", "b"}); !ok || s != parts.Services.At(1) {
		t.Errorf("service a/b is %v", s)
	}
	if s, ok := m.Service(ServiceID{"a", "c"}); ok || s != nil {
		t.Errorf("service a/c is %v", s)
	}
	if p, ok := m.Proxy(ProxyID{"a", "b"}); !ok || p != parts.Proxies.At(1) {
		t.Errorf("proxy a/b is %v", p)
	}
	if p, ok := m.Proxy(ProxyID{"c", "b"}); ok || p != nil {
		t.Errorf("proxy c/b is %v", p)
	}
}

// Of two things with one name the first in the given order stays; splits are told apart by what they match.
func TestMeshHasEachNameOnce(t *testing.T) {
	first, second := service("a", "a"), service("a", "a")
	one, two := proxy("a", "a"), proxy("a", "a")
	p, q := permission("a", "a", Identity{"a", "x"}, Identity{"a", "y"}), permission("a", "a", Identity{"a", "z"}, Identity{"a", "y"})
	m := New(Parts{
		Services: ListOf(first, service("b", "b"), second), Proxies: ListOf(one, two), Permissions: ListOf(p, q),
		Splits: ListOf(split("a", "a", "r"), split("a", "a", "r")),
	})
	if got, want := m.Count(), (Counts{Services: 2, Proxies: 1, Permissions: 1, Splits: 2}); got != want {
		t.Errorf("%+v are left", got)
	}
	if s, _ := m.Service(first.ID); s != first {
		t.Error("the second service stays")
	}
	if s, _ := m.Proxy(one.ID); s != one {
		t.Error("the second proxy stays")
	}
	if got := texts(m.PermissionsTo(Identity{"a", "z"}), (*Permission).String); got != nil {
		t.Errorf("the second permission is still found: %v", got)
	}
}

// What a mesh is made of can be used for another, and an iteration can be left.
func TestPartsAreLeftAlone(t *testing.T) {
	before := texts(parts.Services.Values(), serviceName)
	m := New(parts)
	for range m.Services() {
		break
	}
	if diff := cmp.Diff(before, texts(parts.Services.Values(), serviceName)); diff != "" {
		t.Error(diff)
	}
}

// Equal meshes give equal bytes, and a mesh without something gives an empty list and no null.
func TestMeshInJSON(t *testing.T) {
	reversed := Parts{Settings: parts.Settings, Splits: parts.Splits}
	reversed.Services = backwards(parts.Services)
	reversed.Proxies = backwards(parts.Proxies)
	reversed.Permissions = backwards(parts.Permissions)
	if diff := cmp.Diff(text(t, New(parts)), text(t, New(reversed))); diff != "" {
		t.Errorf("another order, other bytes:\n%s", diff)
	}
	const empty = `{"settings":{"meshName":"","trustDomain":"","permissive":false,"egress":false,"tls":{"minimum":"","maximum":""}},"proxies":[],"services":[],"permissions":[],"splits":[]}`
	for name, p := range map[string]Parts{
		"zero":         {},
		"empty slices": {Services: ListOf([]*Service{}...), Splits: ListOf([]*Split{}...)},
	} {
		if diff := cmp.Diff(empty, text(t, New(p))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func backwards[T any](l List[T]) List[T] {
	items := slices.Collect(l.Values())
	slices.Reverse(items)
	return ListOf(items...)
}

func text(t *testing.T, m *Mesh) string {
	t.Helper()
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
