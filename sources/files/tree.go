package files

// tree is a JSON value and where it stands. Trees are made only where something has to be looked at closely.
type tree struct {
	// kind is the first byte of the value: { [ " t f n, a digit or a minus.
	kind       byte
	start, end int
	members    []member
	elements   []tree
}

// member is a key of an object with its value.
type member struct {
	key   string
	at    int
	value tree
}

// treeAt makes the tree of the value at an offset; it is false for what is not JSON.
func treeAt(data []byte, start int) (tree, bool) {
	s := scanner{data: data, at: start}
	t := s.tree()
	return t, !s.failed
}

func (s *scanner) tree() tree {
	t := tree{kind: s.peek(), start: s.at}
	switch t.kind {
	case '{':
		t.members = make([]member, 0, 4)
		s.object(func(key string, at int) { t.members = append(t.members, member{key, at, s.tree()}) })
	case '[':
		s.array(func(int) { t.elements = append(t.elements, s.tree()) })
	default:
		s.skip()
	}
	t.end = s.at
	return t
}

// text is what is written there.
func (t tree) text(data []byte) string { return string(data[t.start:t.end]) }

// word is the value of a string, empty for anything else.
func (t tree) word(data []byte) string {
	if t.kind != '"' {
		return ""
	}
	return unquoted(data[t.start:t.end])
}

// get is the member of that key in an object.
func (t tree) get(key string) (member, bool) {
	for _, m := range t.members {
		if m.key == key {
			return m, true
		}
	}
	return member{}, false
}

// at is the value at the end of some keys; the zero tree if there is none.
func (t tree) at(keys ...string) tree {
	for _, key := range keys {
		m, _ := t.get(key)
		t = m.value
	}
	return t
}

// empty is true for null, and for an object or a list that has nothing in it.
func (t tree) empty() bool {
	return t.kind == 'n' || t.kind == 0 || (t.kind == '{' || t.kind == '[') && len(t.members)+len(t.elements) == 0
}
