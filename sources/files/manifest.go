package files

import (
	"fmt"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// manifest is an object in a document: the whole of it, or an item of a list.
type manifest struct {
	body *body
	// start and end are where the object stands in the JSON of the body.
	start, end int
	// path is where it stands in the document, such as items[3]; empty if it is the whole of it.
	path             string
	apiVersion, kind string
	// unusable is set for what is not an object: it is then only there to carry its findings.
	unusable bool
	findings []finding
}

// manifests are the objects of a document. What is wrong with the document as text goes with the object it is in.
func (b *body) manifests() []manifest {
	var all []manifest
	if b.json != nil {
		s := scanner{data: b.json, at: b.start}
		if of := b.document.list; of != nil {
			all = manifest{apiVersion: of.apiVersion, kind: of.kind}.inherited(b.objects(&s, "", 1))
		} else {
			all = b.objects(&s, "", 0)
		}
		if s.failed {
			all = []manifest{{body: b, unusable: true, findings: []finding{b.syntaxError(b.start, len(b.json))}}}
		}
	}
	if len(all) == 0 {
		all = []manifest{{body: b, unusable: true}}
	}
	if b.broken {
		all[0].findings = b.findings
		return all
	}
	for _, f := range b.findings {
		share(all, f)
	}
	return all
}

// maxLists is how many lists may stand in each other.
const maxLists = 4

// objects are the objects that the value at hand holds: itself, or the items of a list. It is found out in one go, for a
// list can be a whole cluster, and says what it is after its items.
func (b *body) objects(s *scanner, path string, lists int) []manifest {
	m := manifest{body: b, path: path, start: s.at}
	if s.peek() != '{' {
		m = m.unfit(kindName(s.peek()) + " stands where an object belongs")
		s.skip()
		return []manifest{m}
	}
	var items []manifest
	list := false
	s.object(func(key string, at int) {
		switch {
		case key == "apiVersion":
			m.apiVersion = s.word()
		case key == "kind":
			m.kind = s.word()
		case key == "items" && list:
			// In YAML this was found when the text was parsed.
			m.findings = []finding{m.twice("items", at)}
			s.skip()
		case key == "items" && s.peek() == '[' && lists < maxLists:
			list = true
			s.array(func(index int) {
				items = append(items, b.objects(s, elementPath(memberPath(path, key), index), lists+1)...)
			})
		default:
			s.skip()
		}
	})
	if list && strings.HasSuffix(m.kind, "List") {
		return m.inherited(items)
	}
	m.end = s.at
	return []manifest{m}
}

// twice is about a key of a list that is written again: it cannot be told which items are meant.
func (m manifest) twice(key string, at int) finding {
	return finding{
		code: model.DuplicateKey, path: memberPath(m.path, key), offset: at, position: m.body.position(at),
		message: fmt.Sprintf("%q is written twice in one mapping", key), instead: objectLeftOut,
	}
}

// inherited are the items of a list. Those of a list such as a PodList do not say their kind themselves.
func (m manifest) inherited(items []manifest) []manifest {
	for i := range items {
		items[i].findings = append(items[i].findings, m.findings...)
		if m.kind == "List" {
			continue
		}
		if items[i].apiVersion == "" && items[i].kind == "" {
			items[i].apiVersion, items[i].kind = m.apiVersion, strings.TrimSuffix(m.kind, "List")
		}
	}
	return items
}

// share gives a finding about the text to the object that it stands in, or to all if it stands around them.
func share(all []manifest, f finding) {
	for i, m := range all {
		if m.start <= f.offset && f.offset < m.end {
			f.path = strings.TrimPrefix(strings.TrimPrefix(f.path, m.path), ".")
			all[i].findings = append(all[i].findings, f)
			return
		}
	}
	for i := range all {
		all[i].findings = append(all[i].findings, f)
	}
}

// unfit is the manifest with the finding that it is no object.
func (m manifest) unfit(message string) manifest {
	m.unusable = true
	m.findings = []finding{{
		code: model.NoKindOrName, offset: m.start, position: m.body.position(m.start), message: message, instead: leftOut,
	}}
	return m
}

// kindName says what a value is by its first byte.
func kindName(first byte) string {
	switch first {
	case '{':
		return "a mapping"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n', 0:
		return "nothing"
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return "a number"
	}
	return "a word"
}
