package compiler

// trie is a map that can be copied for nothing: an edited copy shares with the original all that was not edited. A
// compilation edits copies of the tries of the previous output, which stay as they are.
//
// Each level looks at four bits of the hash of a key. A level that would hold a single key does not exist, so that the
// form of a trie follows from what is in it.
type trie[K comparable, V any] struct {
	hash func(K) uint64
	root *branch[K, V]
	size int
}

// branch is one level. It may be written to by its owner alone, which is the compilation that made it.
type branch[K comparable, V any] struct {
	owner *owner
	twigs [1 << levelBits]twig[K, V]
}

const (
	levelBits = 4
	hashBits  = 64
)

// twig is a further level, or the keys that have one hash: nearly always one or none.
type twig[K comparable, V any] struct {
	branch *branch[K, V]
	leaf   *leaf[K, V]
}

type leaf[K comparable, V any] struct {
	hash  uint64
	key   K
	value V
	next  *leaf[K, V]
}

// owner tells the branches of one compilation from those of others.
type owner struct{ _ byte }

func newTrie[K comparable, V any](hash func(K) uint64) trie[K, V] { return trie[K, V]{hash: hash} }

func (s twig[K, V]) empty() bool { return s.branch == nil && s.leaf == nil }

// get finds a value; the zero value and false when there is none.
func (t *trie[K, V]) get(key K) (value V, ok bool) {
	if t.root == nil {
		return value, false
	}
	h := t.hash(key)
	for b, shift := t.root, 0; ; shift += levelBits {
		s := &b.twigs[index16(h, shift)]
		if s.branch != nil {
			b = s.branch
			continue
		}
		for l := s.leaf; l != nil; l = l.next {
			if l.hash == h && l.key == key {
				return l.value, true
			}
		}
		return value, false
	}
}

// put sets the value of a key in a copy that belongs to the owner.
func (t *trie[K, V]) put(o *owner, key K, value V) {
	if t.root == nil {
		t.root = &branch[K, V]{owner: o}
	}
	added := false
	t.root = t.root.with(o, 0, &leaf[K, V]{hash: t.hash(key), key: key, value: value}, &added)
	if added {
		t.size++
	}
}

// drop removes a key, if it is there, from a copy that belongs to the owner.
func (t *trie[K, V]) drop(o *owner, key K) {
	if _, ok := t.get(key); !ok {
		return
	}
	t.size--
	s := t.root.without(o, 0, t.hash(key), key)
	t.root = s.branch
	if s.leaf != nil { // the last one, which the root keeps
		t.root = &branch[K, V]{owner: o}
		t.root.twigs[index16(s.leaf.hash, 0)].leaf = s.leaf
	}
}

// each visits every key and value, in an order that says nothing.
func (t *trie[K, V]) each(visit func(K, V)) {
	if t.root != nil {
		t.root.each(visit)
	}
}

func (b *branch[K, V]) each(visit func(K, V)) {
	for i := range b.twigs {
		if b.twigs[i].branch != nil {
			b.twigs[i].branch.each(visit)
		}
		for l := b.twigs[i].leaf; l != nil; l = l.next {
			visit(l.key, l.value)
		}
	}
}

func index16(hash uint64, shift int) uint64 { return hash >> shift & (1<<levelBits - 1) }

// owned is the branch itself if it belongs to the owner, and else a copy that does.
func (b *branch[K, V]) owned(o *owner) *branch[K, V] {
	if b.owner == o {
		return b
	}
	next := *b
	next.owner = o
	return &next
}

func (b *branch[K, V]) with(o *owner, shift int, l *leaf[K, V], added *bool) *branch[K, V] {
	b = b.owned(o)
	s := &b.twigs[index16(l.hash, shift)]
	switch {
	case s.branch != nil:
		s.branch = s.branch.with(o, shift+levelBits, l, added)
	case s.leaf == nil:
		s.leaf, *added = l, true
	case s.leaf.hash == l.hash:
		before := s.leaf.without(l.key)
		*added = before.length() == s.leaf.length()
		l.next = before
		s.leaf = l
	default:
		s.branch = pairOf(o, shift+levelBits, s.leaf, l)
		s.leaf, *added = nil, true
	}
	return b
}

// pairOf makes the levels that it takes to tell two hashes apart.
func pairOf[K comparable, V any](o *owner, shift int, first, second *leaf[K, V]) *branch[K, V] {
	b := &branch[K, V]{owner: o}
	i, j := index16(first.hash, shift), index16(second.hash, shift)
	if i == j {
		b.twigs[i].branch = pairOf(o, shift+levelBits, first, second)
		return b
	}
	b.twigs[i].leaf, b.twigs[j].leaf = first, second
	return b
}

// without is what is left of a branch when a key in it is gone: a branch, or the last leaf of it, or nothing.
func (b *branch[K, V]) without(o *owner, shift int, hash uint64, key K) twig[K, V] {
	b = b.owned(o)
	s := &b.twigs[index16(hash, shift)]
	if s.branch != nil {
		*s = s.branch.without(o, shift+levelBits, hash, key)
	} else {
		s.leaf = s.leaf.without(key)
	}
	var last twig[K, V]
	for i := range b.twigs {
		switch {
		case b.twigs[i].empty():
		case b.twigs[i].branch != nil || !last.empty():
			return twig[K, V]{branch: b}
		default:
			last = b.twigs[i]
		}
	}
	return last
}

// without is a chain of leaves of one hash without a key.
func (l *leaf[K, V]) without(key K) *leaf[K, V] {
	switch {
	case l == nil:
		return nil
	case l.key == key:
		return l.next
	}
	rest := l.next.without(key)
	if rest == l.next {
		return l
	}
	next := *l
	next.next = rest
	return &next
}

func (l *leaf[K, V]) length() int {
	n := 0
	for ; l != nil; l = l.next {
		n++
	}
	return n
}

// hashOf hashes texts and a number (FNV-1a). Whoever chooses names can make them collide, which makes a leaf longer and
// nothing wrong.
func hashOf(number uint64, texts ...string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := (offset ^ number) * prime
	for _, text := range texts {
		for i := range len(text) {
			h = (h ^ uint64(text[i])) * prime
		}
		h *= prime // where one text ends and the next begins
	}
	return h ^ h>>29
}
