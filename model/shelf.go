package model

import (
	"cmp"
	"slices"
)

// shelf is the permissions that an identity has something to do with, in order. Shelves are in order of their
// identities, and, as everything in a mesh, never change: one that is restocked is a new one.
type shelf struct {
	identity    Identity
	permissions []*Permission
}

func (s *shelf) compare(id Identity) int { return s.identity.Compare(id) }

func onShelf(shelves []*shelf, id Identity) []*Permission {
	if s, ok := found(shelves, id, (*shelf).compare); ok {
		return s.permissions
	}
	return nil
}

// restocked are the shelves without the permissions that are gone and with those that have come. Where a permission
// belongs is what of says.
func restocked(shelves []*shelf, gone, come []*Permission, of func(*Permission) []Identity) []*shelf {
	var moves []move
	for _, p := range gone {
		for _, id := range of(p) {
			moves = append(moves, move{id, p, true})
		}
	}
	for _, p := range come {
		for _, id := range of(p) {
			moves = append(moves, move{id, p, false})
		}
	}
	slices.SortFunc(moves, move.compare)
	var changes []change[shelf]
	for len(moves) > 0 {
		id := moves[0].shelf
		n := 1
		for n < len(moves) && moves[n].shelf == id {
			n++
		}
		next := &shelf{id, stocked(onShelf(shelves, id), moves[:n])}
		changes = append(changes, change[shelf]{next, len(next.permissions) == 0})
		moves = moves[n:]
	}
	return revised(shelves, changes, func(a, b *shelf) int { return a.identity.Compare(b.identity) })
}

// move is a permission that leaves a shelf, or comes to it.
type move struct {
	shelf      Identity
	permission *Permission
	leaves     bool
}

func (m move) compare(n move) int {
	return cmp.Or(m.shelf.Compare(n.shelf), comparePermissions(m.permission, n.permission))
}

func stocked(permissions []*Permission, moves []move) []*Permission {
	gone := map[*Permission]bool{}
	var next []*Permission
	for _, m := range moves {
		if m.leaves {
			gone[m.permission] = true
		} else {
			next = append(next, m.permission)
		}
	}
	for _, p := range permissions {
		if !gone[p] {
			next = append(next, p)
		}
	}
	slices.SortFunc(next, comparePermissions)
	return slices.Compact(next) // a source may be named twice
}
