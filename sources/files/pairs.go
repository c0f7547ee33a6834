package files

import (
	"fmt"

	yaml "go.yaml.in/yaml/v3"

	"github.com/flomesh-io/fsmc/model"
)

// pair is a key of a mapping with its value.
type pair struct {
	key         string
	name, value *yaml.Node
	merged      bool
}

// pairs are the keys of a mapping with those that it merges. As for kubectl, what stands later wins, be it merged or
// written; a key that is written twice is an error.
//
//	<<: *defaults
//	image: app:2     # instead of the image in defaults
func (r *rendering) pairs(n *yaml.Node) []pair {
	m := mapping{pairs: make([]pair, 0, len(n.Content)/2)}
	r.collect(&m, n, false)
	return m.pairs
}

// mapping is the pairs of a mapping so far.
type mapping struct {
	pairs []pair
	// index is where each key is in pairs; small mappings do without.
	index map[string]int
}

func (r *rendering) collect(m *mapping, n *yaml.Node, merged bool) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if !r.pay(1 + len(name.Value)) {
			return
		}
		if name.Kind == yaml.ScalarNode && name.Value == "<<" && name.Tag == "!!merge" {
			r.merge(m, value)
			continue
		}
		key, err := resolveKey(name)
		if err != nil {
			r.find(name, model.UnreadableDocument, err.Error())
			continue
		}
		p := pair{key: key, name: name, value: value, merged: merged}
		if earlier, ok := m.put(p); !ok {
			r.twice(p, earlier)
		}
	}
}

// put adds a pair, or puts it in the place of one of the same key. It is false, and gives the earlier one, if both were
// written.
func (m *mapping) put(p pair) (pair, bool) {
	i, ok := m.find(p.key)
	switch {
	case !ok:
		m.pairs = append(m.pairs, p)
	case p.merged || m.pairs[i].merged:
		m.pairs[i] = p
	default:
		return m.pairs[i], false
	}
	return pair{}, true
}

// find is where a key is. From some size on it keeps an index, or a long mapping would take the square of its length.
func (m *mapping) find(key string) (int, bool) {
	if len(m.pairs) < 16 {
		for i := range m.pairs {
			if m.pairs[i].key == key {
				return i, true
			}
		}
		return 0, false
	}
	if m.index == nil {
		m.index = make(map[string]int, 2*len(m.pairs))
	}
	for i := len(m.index); i < len(m.pairs); i++ {
		m.index[m.pairs[i].key] = i
	}
	i, ok := m.index[key]
	return i, ok
}

// merge adds the pairs of a mapping, an alias of one, or a list of such, of which the first wins.
func (r *rendering) merge(m *mapping, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		r.mergeOne(m, n)
		return
	}
	for i := len(n.Content) - 1; i >= 0; i-- {
		r.mergeOne(m, n.Content[i])
	}
}

func (r *rendering) mergeOne(m *mapping, n *yaml.Node) {
	target := n
	if n.Kind == yaml.AliasNode {
		target = n.Alias
	}
	if target.Kind != yaml.MappingNode {
		r.find(n, model.UnreadableDocument, "what << merges is not a mapping")
		return
	}
	r.enter(n)
	r.path = append(r.path, keyStep("<<"))
	if r.affordable(target) {
		r.collect(m, target, true)
	}
	r.path = r.path[:len(r.path)-1]
	r.aliased--
}

func (r *rendering) twice(p, first pair) {
	r.path = append(r.path, keyStep(p.key))
	r.find(p.name, model.DuplicateKey,
		fmt.Sprintf("%q is written twice in one mapping, first on line %d", p.key, r.document.line+first.name.Line))
	r.path = r.path[:len(r.path)-1]
}
