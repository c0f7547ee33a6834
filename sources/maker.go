package sources

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/flomesh-io/fsmc/model"
)

// maker is what made a pod, and where its template stands; zero for a bare pod.
type maker struct{ workload, template model.Ref }

// makers finds out what made pods, once for all replicas. Equal lineages and makers are the same by pointer.
type makers struct {
	owners   owners
	lineages map[lineage]*lineage
	known    map[*lineage]*maker
	before   map[*lineage]*maker
}

func makersFrom(owners owners, before makers) makers {
	m := makers{owners, make(map[lineage]*lineage, len(before.lineages)), make(map[*lineage]*maker, len(before.known)), before.known}
	maps.Copy(m.lineages, before.lineages)
	return m
}

// tidy are the makers without what only earlier ones need; used are the lineages that still are.
func (m makers) tidy(used []*lineage) makers {
	m.before = nil
	if len(m.lineages) > few+len(used) {
		clear(m.lineages)
		for _, l := range used {
			m.lineages[*l] = l
		}
	}
	return m
}

func (m makers) lineage(o *corev1.Pod) *lineage {
	l := lineageOf(o)
	if m.lineages[l] == nil {
		m.lineages[l] = &l
	}
	return m.lineages[l]
}

func (m makers) of(l *lineage) *maker {
	if found := m.known[l]; found != nil {
		return found
	}
	found := &maker{}
	if chain := m.owners.chain(*l); len(chain) > 0 {
		found.workload = chain[len(chain)-1]
	}
	if w, ok := m.owners[found.workload]; ok {
		found.template = w.ref.At(w.field)
	}
	m.known[l] = kept(m.before[l], found)
	return m.known[l]
}
