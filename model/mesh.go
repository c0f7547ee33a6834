package model

import (
	"cmp"
	"encoding/json"
	"iter"
	"slices"
)

// Parts is what a Mesh is made of, in any order.
type Parts struct {
	Settings    Settings
	Services    List[*Service]
	Proxies     List[*Proxy]
	Permissions List[*Permission]
	Splits      List[*Split]
}

// Mesh is the whole mesh at one moment. It never changes; every iteration is in a fixed order, whatever the order of
// the parts was. Meshes that were made of one another share what they have in common (With, NewFrom).
type Mesh struct {
	settings    Settings
	services    []*Service    // by ID
	proxies     []*Proxy      // by ID
	permissions []*Permission // by namespace, name
	splits      []*Split      // as given within one root: the earlier wins; roots by ID

	byTarget []*shelf
	bySource []*shelf
}

// New makes a mesh of its parts: sorted, indexed and checked. Of two entities with one name the first in the given
// order stays; sources name the winner before, so that a repetition here is a bug of theirs and not of the user's.
func New(parts Parts) *Mesh { return NewFrom(parts, &Mesh{}) }

// NewFrom is New, and shares with a previous mesh what is the same in both. It is faster the fewer permissions differ
// by their pointers.
func NewFrom(parts Parts, previous *Mesh) *Mesh {
	m := &Mesh{
		settings:    parts.Settings,
		services:    shared(previous.services, sorted(parts.Services.items, compareServices)),
		proxies:     shared(previous.proxies, sorted(parts.Proxies.items, compareProxies)),
		permissions: shared(previous.permissions, sorted(parts.Permissions.items, comparePermissions)),
		splits:      shared(previous.splits, sortedStably(parts.Splits.items, compareRoots)),
	}
	m.index(previous)
	return m
}

func compareServices(a, b *Service) int { return a.ID.Compare(b.ID) }

func compareProxies(a, b *Proxy) int { return a.ID.Compare(b.ID) }

func comparePermissions(a, b *Permission) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func compareRoots(a, b *Split) int { return a.Root.Compare(b.Root) }

// shared is the first of two slices that are equal, and else the second.
func shared[T comparable](previous, items []T) []T {
	if slices.Equal(previous, items) {
		return previous
	}
	return items
}

// sorted are the items in order and each once: of equal ones the first. Items that are so already are not copied, as
// nobody writes to them.
func sorted[T any](items []*T, compare func(a, b *T) int) []*T {
	strictly := func(i int) bool { return compare(items[i-1], items[i]) < 0 }
	for i := 1; i < len(items); i++ {
		if !strictly(i) {
			return slices.CompactFunc(sortedStably(items, compare), func(a, b *T) bool { return compare(a, b) == 0 })
		}
	}
	return items
}

// sortedStably is always a copy.
func sortedStably[T any](items []*T, compare func(a, b *T) int) []*T {
	items = slices.Clone(items)
	slices.SortStableFunc(items, compare)
	return items
}

// index makes the shelves of permissions from those of a previous mesh.
func (m *Mesh) index(previous *Mesh) {
	m.byTarget, m.bySource = previous.byTarget, previous.bySource
	var gone, come []*Permission
	for before, after := range m.PermissionsSince(previous) {
		if before != nil {
			gone = append(gone, before)
		}
		if after != nil {
			come = append(come, after)
		}
	}
	if len(gone) > 0 || len(come) > 0 {
		m.byTarget = restocked(m.byTarget, gone, come, func(p *Permission) []Identity { return []Identity{p.Destination} })
		m.bySource = restocked(m.bySource, gone, come, func(p *Permission) []Identity { return p.Sources.items })
	}
}

// Settings are the mesh-wide settings.
func (m *Mesh) Settings() Settings { return m.settings }

// Services iterates over the services by namespace and name.
func (m *Mesh) Services() iter.Seq[*Service] { return slices.Values(m.services) }

// Service finds a service.
func (m *Mesh) Service(id ServiceID) (*Service, bool) {
	return found(m.services, id, func(s *Service, id ServiceID) int { return s.ID.Compare(id) })
}

// Proxies iterates over the proxies by namespace and name.
func (m *Mesh) Proxies() iter.Seq[*Proxy] { return slices.Values(m.proxies) }

// Proxy finds a proxy.
func (m *Mesh) Proxy(id ProxyID) (*Proxy, bool) {
	return found(m.proxies, id, func(p *Proxy, id ProxyID) int { return p.ID.Compare(id) })
}

// Permissions iterates over all permissions by namespace and name.
func (m *Mesh) Permissions() iter.Seq[*Permission] { return slices.Values(m.permissions) }

// PermissionsTo are the permissions whose destination is the identity, by namespace and name.
func (m *Mesh) PermissionsTo(destination Identity) iter.Seq[*Permission] {
	return slices.Values(onShelf(m.byTarget, destination))
}

// PermissionsFrom are the permissions that list the identity as a source, by namespace and name.
func (m *Mesh) PermissionsFrom(source Identity) iter.Seq[*Permission] {
	return slices.Values(onShelf(m.bySource, source))
}

// Splits iterates over the splits by root; those of one root stand in order of precedence.
func (m *Mesh) Splits() iter.Seq[*Split] { return slices.Values(m.splits) }

// SplitsOf are the splits of one root, in order of precedence.
func (m *Mesh) SplitsOf(root ServiceID) iter.Seq[*Split] {
	return slices.Values(splitsOf(m.splits, root))
}

func splitsOf(splits []*Split, root ServiceID) []*Split {
	first, _ := slices.BinarySearchFunc(splits, root, func(s *Split, id ServiceID) int { return s.Root.Compare(id) })
	last := first
	for last < len(splits) && splits[last].Root == root {
		last++
	}
	return splits[first:last]
}

func found[T, K any](items []*T, id K, compare func(*T, K) int) (*T, bool) {
	if i, ok := slices.BinarySearchFunc(items, id, compare); ok {
		return items[i], true
	}
	return nil, false
}

// Counts are the sizes of a mesh.
type Counts struct{ Services, Proxies, Permissions, Splits int }

// Count counts the entities.
func (m *Mesh) Count() Counts {
	return Counts{Services: len(m.services), Proxies: len(m.proxies), Permissions: len(m.permissions), Splits: len(m.splits)}
}

// MarshalJSON writes the whole mesh: equal meshes give equal bytes.
func (m *Mesh) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Settings    Settings          `json:"settings"`
		Proxies     List[*Proxy]      `json:"proxies"`
		Services    List[*Service]    `json:"services"`
		Permissions List[*Permission] `json:"permissions"`
		Splits      List[*Split]      `json:"splits"`
	}{m.settings, List[*Proxy]{m.proxies}, List[*Service]{m.services}, List[*Permission]{m.permissions}, List[*Split]{m.splits}})
}
