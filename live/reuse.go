package live

import (
	"cmp"
	"iter"
	"slices"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// Reuse is how many of a kind a round has, and how many of those are the very ones of the round before.
type Reuse struct {
	Kind   string `json:"kind"`
	Reused int    `json:"reused"`
	Total  int    `json:"total"`
}

// reuse compares two rounds by pointers.
func reuse(before, after *Round) []Reuse {
	entities := Reuse{Kind: "entities"}
	for _, r := range []Reuse{
		shared(before, after, (*model.Mesh).Services, func(a, b *model.Service) int { return a.ID.Compare(b.ID) }),
		shared(before, after, (*model.Mesh).Proxies, func(a, b *model.Proxy) int { return a.ID.Compare(b.ID) }),
		shared(before, after, (*model.Mesh).Permissions, func(a, b *model.Permission) int {
			return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
		}),
	} {
		entities.Reused += r.Reused
		entities.Total += r.Total
	}
	classes := Reuse{Kind: "classes", Total: after.Output.Classes.Len()}
	if before.Output != nil {
		classes.Reused = overlap(slices.Collect(before.Output.Classes.Values()), slices.Collect(after.Output.Classes.Values()),
			func(a, b *compiler.Class) int { return cmp.Compare(a.Name, b.Name) })
	}
	n := after.Output.Counters
	return []Reuse{entities, classes, {Kind: "specs", Reused: n.Specs - n.Builds, Total: n.Specs}}
}

// shared counts entities of one kind.
func shared[T any](before, after *Round, of func(*model.Mesh) iter.Seq[*T], compare func(a, b *T) int) Reuse {
	now := slices.Collect(of(after.Mesh))
	r := Reuse{Total: len(now)}
	if before.Mesh != nil {
		r.Reused = overlap(slices.Collect(of(before.Mesh)), now, compare)
	}
	return r
}

// overlap counts what two sorted lists share by pointer.
func overlap[T any](before, after []*T, compare func(a, b *T) int) int {
	n := 0
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch {
		case before[i] == after[j]:
			n++
			i++
			j++
		case compare(before[i], after[j]) < 0:
			i++
		case compare(before[i], after[j]) > 0:
			j++
		default:
			i++
			j++
		}
	}
	return n
}
