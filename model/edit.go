package model

import (
	"cmp"
	"slices"
)

// Edit is what one mesh has otherwise than another. The zero value changes nothing.
type Edit struct {
	// Settings replace those of the mesh if NewSettings is set.
	Settings    Settings
	NewSettings bool
	// Services, Proxies and Permissions are put into the mesh; one that has their name is replaced.
	Services    List[*Service]
	Proxies     List[*Proxy]
	Permissions List[*Permission]
	// Splits, in order of precedence, replace all splits that their roots have.
	Splits List[*Split]
	// Dropped is what is taken out before.
	Dropped Dropped
}

// Dropped names what a mesh has no more. Names that it never had do no harm.
type Dropped struct {
	Services    List[ServiceID]
	Proxies     List[ProxyID]
	Permissions List[PermissionID]
	// Splits are roots: all their splits are dropped.
	Splits List[ServiceID]
}

// PermissionID names a permission by its TrafficTarget.
type PermissionID struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// With is the mesh with something changed: the same as New makes of the parts that result. Everything else is shared
// with the old mesh by its pointers.
func (m *Mesh) With(edit Edit) *Mesh {
	next := *m
	if edit.NewSettings {
		next.settings = edit.Settings
	}
	next.services = edited(m.services, edit.Services, edit.Dropped.Services,
		func(id ServiceID) *Service { return &Service{ID: id} }, compareServices)
	next.proxies = edited(m.proxies, edit.Proxies, edit.Dropped.Proxies,
		func(id ProxyID) *Proxy { return &Proxy{ID: id} }, compareProxies)
	next.permissions = edited(m.permissions, edit.Permissions, edit.Dropped.Permissions,
		func(id PermissionID) *Permission { return &Permission{Namespace: id.Namespace, Name: id.Name} }, comparePermissions)
	next.splits = resplit(m.splits, edit)
	next.index(m)
	return &next
}

// edited are entities with some put and some dropped; bare makes an entity that has nothing but its name.
func edited[T, K any](items []*T, put List[*T], dropped List[K], bare func(K) *T, compare func(a, b *T) int) []*T {
	var changes []change[T]
	for item := range put.Values() {
		changes = append(changes, change[T]{item, false})
	}
	for id := range dropped.Values() {
		changes = append(changes, change[T]{bare(id), true})
	}
	// What is put stands before what is dropped, and so wins; of two that are put, the first.
	slices.SortStableFunc(changes, func(a, b change[T]) int { return compare(a.item, b.item) })
	changes = slices.CompactFunc(changes, func(a, b change[T]) bool { return compare(a.item, b.item) == 0 })
	return revised(items, changes, compare)
}

// change is an entity that is put into its place or, by its name, dropped.
type change[T any] struct {
	item *T
	drop bool
}

// revised are items in order with some changes, which are in order too and each about another item. Without an effect
// they are the same slice.
func revised[T any](items []*T, changes []change[T], compare func(a, b *T) int) []*T {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c change[T]) bool {
		i, exists := slices.BinarySearchFunc(items, c.item, compare)
		return exists && items[i] == c.item && !c.drop || !exists && c.drop
	})
	if len(changes) == 0 {
		return items
	}
	next := make([]*T, 0, len(items)+len(changes))
	rest := items
	for _, c := range changes {
		i, exists := slices.BinarySearchFunc(rest, c.item, compare)
		next = append(next, rest[:i]...)
		if !c.drop {
			next = append(next, c.item)
		}
		if exists {
			i++
		}
		rest = rest[i:]
	}
	return append(next, rest...)
}

// resplit are splits with those of some roots replaced.
func resplit(splits []*Split, edit Edit) []*Split {
	roots := slices.Clone(edit.Dropped.Splits.items)
	for s := range edit.Splits.Values() {
		roots = append(roots, s.Root)
	}
	slices.SortFunc(roots, ServiceID.Compare)
	put := sortedStably(edit.Splits.items, compareRoots)
	next := splits
	for _, root := range slices.Compact(roots) {
		before, after := splitsOf(next, root), splitsOf(put, root)
		if slices.Equal(before, after) {
			continue
		}
		at, _ := slices.BinarySearchFunc(next, root, func(s *Split, id ServiceID) int { return s.Root.Compare(id) })
		next = slices.Concat(next[:at], after, next[at+len(before):])
	}
	return next
}

// Compare orders permissions by namespace, then name.
func (p PermissionID) Compare(q PermissionID) int {
	return cmp.Or(cmp.Compare(p.Namespace, q.Namespace), cmp.Compare(p.Name, q.Name))
}
