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
// the parts was.
type Mesh struct {
	settings    Settings
	services    []*Service    // by ID
	proxies     []*Proxy      // by ID
	permissions []*Permission // by namespace, name
	splits      []*Split      // as given within one root: the earlier wins; roots by ID

	serviceByID map[ServiceID]*Service
	proxyByID   map[ProxyID]*Proxy
	byTarget    map[Identity][]*Permission
	bySource    map[Identity][]*Permission
	byRoot      map[ServiceID][]*Split
}

// New makes a mesh of its parts: sorted, indexed and checked. Of two entities with one name the first in the given
// order stays; sources name the winner before, so that a repetition here is a bug of theirs and not of the user's.
func New(parts Parts) *Mesh {
	m := &Mesh{
		settings:    parts.Settings,
		services:    sorted(parts.Services, func(a, b *Service) int { return a.ID.Compare(b.ID) }),
		proxies:     sorted(parts.Proxies, func(a, b *Proxy) int { return a.ID.Compare(b.ID) }),
		permissions: sorted(parts.Permissions, comparePermissions),
		splits:      slices.Clone(parts.Splits.items),
		serviceByID: map[ServiceID]*Service{},
		proxyByID:   map[ProxyID]*Proxy{},
		byTarget:    map[Identity][]*Permission{},
		bySource:    map[Identity][]*Permission{},
		byRoot:      map[ServiceID][]*Split{},
	}
	slices.SortStableFunc(m.splits, func(a, b *Split) int { return a.Root.Compare(b.Root) })
	m.index()
	return m
}

func comparePermissions(a, b *Permission) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

func sorted[T any](list List[*T], compare func(a, b *T) int) []*T {
	items := slices.Clone(list.items)
	slices.SortStableFunc(items, compare)
	return slices.CompactFunc(items, func(a, b *T) bool { return compare(a, b) == 0 })
}

func (m *Mesh) index() {
	for _, s := range m.services {
		m.serviceByID[s.ID] = s
	}
	for _, p := range m.proxies {
		m.proxyByID[p.ID] = p
	}
	for _, p := range m.permissions {
		m.byTarget[p.Destination] = append(m.byTarget[p.Destination], p)
		for source := range p.Sources.Values() {
			m.bySource[source] = append(m.bySource[source], p)
		}
	}
	for _, s := range m.splits {
		m.byRoot[s.Root] = append(m.byRoot[s.Root], s)
	}
}

// Settings are the mesh-wide settings.
func (m *Mesh) Settings() Settings { return m.settings }

// Services iterates over the services by namespace and name.
func (m *Mesh) Services() iter.Seq[*Service] { return slices.Values(m.services) }

// Service finds a service.
func (m *Mesh) Service(id ServiceID) (*Service, bool) {
	s, ok := m.serviceByID[id]
	return s, ok
}

// Proxies iterates over the proxies by namespace and name.
func (m *Mesh) Proxies() iter.Seq[*Proxy] { return slices.Values(m.proxies) }

// Proxy finds a proxy.
func (m *Mesh) Proxy(id ProxyID) (*Proxy, bool) {
	p, ok := m.proxyByID[id]
	return p, ok
}

// Permissions iterates over all permissions by namespace and name.
func (m *Mesh) Permissions() iter.Seq[*Permission] { return slices.Values(m.permissions) }

// PermissionsTo are the permissions whose destination is the identity, by namespace and name.
func (m *Mesh) PermissionsTo(destination Identity) iter.Seq[*Permission] {
	return slices.Values(m.byTarget[destination])
}

// PermissionsFrom are the permissions that list the identity as a source, by namespace and name.
func (m *Mesh) PermissionsFrom(source Identity) iter.Seq[*Permission] {
	return slices.Values(m.bySource[source])
}

// Splits iterates over the splits by root; those of one root stand in order of precedence.
func (m *Mesh) Splits() iter.Seq[*Split] { return slices.Values(m.splits) }

// SplitsOf are the splits of one root, in order of precedence.
func (m *Mesh) SplitsOf(root ServiceID) iter.Seq[*Split] { return slices.Values(m.byRoot[root]) }

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
