package ads

import (
	"cmp"
	"iter"
	"slices"
	"sort"

	"github.com/flomesh-io/fsmc/compiler"
	"github.com/flomesh-io/fsmc/model"
)

// table is the resources of one kind that a class of proxies is to have, by name. It never changes, and tables of many
// classes share their resources. A resource without a version is not there yet.
type table struct {
	resources model.List[*compiler.Resource]
}

// empty is a table of nothing.
var empty = &table{}

// newTable sorts resources by name, if they are not sorted already.
func newTable(resources model.List[*compiler.Resource]) *table {
	for i, r := range resources.All() {
		if i > 0 && resources.At(i-1).Name >= r.Name {
			return &table{model.ListOf(slices.SortedFunc(resources.Values(), byName)...)}
		}
	}
	return &table{resources}
}

func byName(a, b *compiler.Resource) int { return cmp.Compare(a.Name, b.Name) }

// find is the resource of a name; nil if there is none.
func (t *table) find(name string) *compiler.Resource {
	n := t.resources.Len()
	i := sort.Search(n, func(i int) bool { return t.resources.At(i).Name >= name })
	if i < n && t.resources.At(i).Name == name {
		return t.resources.At(i)
	}
	return nil
}

// equal says whether two tables have the same versions of the same resources.
func (t *table) equal(u *table) bool {
	if t == u {
		return true
	}
	if t.resources.Len() != u.resources.Len() {
		return false
	}
	for i, r := range t.resources.All() {
		if s := u.resources.At(i); r != s && (r.Name != s.Name || r.Version != s.Version) {
			return false
		}
	}
	return true
}

// changed are the names of which two tables have different versions, in order.
func changed(before, after *table) []string {
	var names []string
	next, stop := iter.Pull(before.resources.Values())
	defer stop()
	old, more := next()
	for r := range after.resources.Values() {
		for more && old.Name < r.Name {
			names = append(names, old.Name)
			old, more = next()
		}
		switch {
		case !more || old.Name != r.Name:
			names = append(names, r.Name)
		default:
			if old != r && old.Version != r.Version {
				names = append(names, r.Name)
			}
			old, more = next()
		}
	}
	for more {
		names = append(names, old.Name)
		old, more = next()
	}
	return names
}

// version is the version of a resource, empty for none.
func version(r *compiler.Resource) string {
	if r == nil {
		return ""
	}
	return r.Version
}
