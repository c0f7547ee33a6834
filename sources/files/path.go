package files

import (
	"strconv"
	"strings"
)

// steps are a path while it is walked.
type steps []step

// step is one step of a path: a key, or an index if that is not negative.
type step struct {
	key   string
	index int
}

func keyStep(key string) step { return step{key: key, index: -1} }

// String is the path as references have it.
func (s steps) String() string {
	path := ""
	for _, step := range s {
		if step.index >= 0 {
			path = elementPath(path, step.index)
		} else {
			path = memberPath(path, step.key)
		}
	}
	return path
}

// lookup walks a path such as spec.rules[0].matches[1] or metadata.labels[app.kubernetes.io/name] down a tree, and is
// the offset of the last thing on it that exists: a scalar that stands behind its key, else the key.
func lookup(b *body, t tree, path string) int {
	at := t.start
	for path != "" {
		key, value, rest, ok := descend(t, path)
		if !ok {
			break
		}
		at = shown(b, key, value)
		t, path = value, rest
	}
	return at
}

// shown is which of a key and its value a person wants to be pointed at.
func shown(b *body, key int, value tree) int {
	if strings.IndexByte("{[n", value.kind) < 0 && b.position(key).Line == b.position(value.start).Line {
		return value.start
	}
	return key
}

// descend takes one step of a path, and gives where its key stands, the value there, and the rest of the path.
func descend(t tree, path string) (int, tree, string, bool) {
	switch {
	case t.kind == '[':
		return element(t, path)
	case t.kind == '{' && path[0] == '[':
		return bracketed(t, path)
	case t.kind == '{':
		return dotted(t, strings.TrimPrefix(path, "."))
	}
	return 0, tree{}, "", false
}

func element(t tree, path string) (int, tree, string, bool) {
	inner, rest, ok := strings.Cut(strings.TrimPrefix(path, "["), "]")
	index, err := strconv.Atoi(inner)
	if !ok || path[0] != '[' || err != nil || index < 0 || index >= len(t.elements) {
		return 0, tree{}, "", false
	}
	e := t.elements[index]
	return e.start, e, rest, true
}

// bracketed finds [key]; a key may have brackets itself, so the longest one that exists is taken.
func bracketed(t tree, path string) (int, tree, string, bool) {
	for end := strings.LastIndexByte(path, ']'); end > 0; end = strings.LastIndexByte(path[:end], ']') {
		if m, ok := t.get(strings.Trim(path[1:end], `"'`)); ok {
			return m.at, m.value, path[end+1:], true
		}
	}
	return 0, tree{}, "", false
}

// dotted finds the longest key that the path begins with, for keys may have dots in them.
func dotted(t tree, path string) (int, tree, string, bool) {
	best := -1
	for i, m := range t.members {
		rest, ok := strings.CutPrefix(path, m.key)
		if ok && m.key != "" && (rest == "" || rest[0] == '.' || rest[0] == '[') && (best < 0 || len(m.key) > len(t.members[best].key)) {
			best = i
		}
	}
	if best < 0 {
		return 0, tree{}, "", false
	}
	m := t.members[best]
	return m.at, m.value, path[len(m.key):], true
}

// memberPath is the path of a member; a key that would be misread stands in brackets, as Kubernetes writes it.
func memberPath(path, key string) string {
	switch {
	case strings.ContainsAny(key, ".[]/ ") || key == "":
		return path + "[" + key + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

func elementPath(path string, index int) string { return path + "[" + strconv.Itoa(index) + "]" }
