package files

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// collection is what was read so far.
type collection struct {
	objects     sources.Objects
	diagnostics []model.Diagnostic
	positions   *Positions
	// first is where each object was written first.
	first map[identity]outcome
	// unused counts the objects of kinds that the mesh does not read.
	unused map[kindOfDocument]int
	// firstUnused is the place of the first of them.
	firstUnused model.Position
}

// identity is what at most one object may have. It has no version: one object can be written in any.
type identity struct{ group, kind, namespace, name string }

type kindOfDocument struct{ apiVersion, kind string }

// collect puts what became of the manifests together, in their order: of two objects with one name the first counts, but
// one that is written counts before one of which only an earlier text could be read.
func collect(outcomes []outcome) (sources.Objects, []model.Diagnostic, *Positions) {
	c := &collection{
		positions: &Positions{places: make(map[model.Ref]place, len(outcomes))},
		first:     make(map[identity]outcome, len(outcomes)),
		unused:    map[kindOfDocument]int{},
	}
	for _, o := range outcomes {
		if !o.stale && (o.verdict == broken || o.verdict == usable) {
			c.claim(o)
		}
	}
	for _, o := range outcomes {
		c.diagnostics = append(c.diagnostics, o.diagnostics...)
		switch o.verdict {
		case unused:
			c.countUnused(o)
		case broken, usable:
			c.add(o)
		}
	}
	if len(c.unused) > 0 {
		c.diagnostics = append(c.diagnostics, c.unusedKinds())
	}
	return c.objects, c.positions.Locate(alike(c.diagnostics)), c.positions
}

func (o outcome) identity() identity {
	return identity{o.registered.Group, o.registered.Kind, o.ref.Namespace, o.ref.Name}
}

// claim notes an object, unless one of its name was noted before.
func (c *collection) claim(o outcome) {
	if _, ok := c.first[o.identity()]; !ok {
		c.first[o.identity()] = o
	}
}

// add takes an object, unless it was written before.
func (c *collection) add(o outcome) {
	c.claim(o)
	if first := c.first[o.identity()]; first.place != o.place {
		if !o.stale {
			c.diagnostics = append(c.diagnostics, duplicate(o, first))
		}
		return
	}
	c.positions.places[o.ref] = o.place
	c.diagnostics = append(c.diagnostics, o.conversion...)
	if o.object == nil {
		c.objects.Broken = append(c.objects.Broken, o.ref)
		return
	}
	o.registered.Put(&c.objects, o.object)
}

func duplicate(o, first outcome) model.Diagnostic {
	at := first.position()
	d := model.Note(model.DuplicateObject, o.ref, fmt.Sprintf("%s is also written at %s:%d", o.ref, at.File, at.Line)).
		Did("the one there counts; this one is left out")
	d.Position = o.position()
	return d
}

func (c *collection) countUnused(o outcome) {
	if len(c.unused) == 0 {
		c.firstUnused = o.position()
	}
	c.unused[kindOfDocument{o.apiVersion, o.kind}]++
}

// unusedKinds is the one diagnostic about objects that the mesh does not read.
func (c *collection) unusedKinds() model.Diagnostic {
	var kinds []kindOfDocument
	for k := range c.unused {
		kinds = append(kinds, k)
	}
	slices.SortFunc(kinds, func(a, b kindOfDocument) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.apiVersion, b.apiVersion))
	})
	var counts []string
	for _, k := range kinds {
		counts = append(counts, fmt.Sprintf("%d %s (%s)", c.unused[k], k.kind, k.apiVersion))
	}
	d := model.Note(model.UnknownKind, model.Ref{}, "the mesh does not use "+strings.Join(counts, ", ")).Did("they are passed over")
	d.Position = c.firstUnused
	return d
}
