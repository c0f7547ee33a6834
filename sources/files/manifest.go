package files

import (
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
		all = b.objects(manifest{body: b, start: b.start, end: len(b.json)}, 0)
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

// objects are the objects that a value holds: itself, or the items of a list.
func (b *body) objects(m manifest, lists int) []manifest {
	s := scanner{data: b.json[:m.end], at: m.start}
	if s.peek() != '{' {
		return []manifest{m.unfit(s.kind() + " stands where an object belongs")}
	}
	items := -1
	s.object(func(key string, _ int) {
		switch key {
		case "apiVersion":
			m.apiVersion = s.word()
		case "kind":
			m.kind = s.word()
		case "items":
			items = s.at
			s.skip()
		default:
			s.skip()
		}
	})
	switch {
	case s.failed:
		m.unusable, m.findings = true, []finding{b.syntaxError(m.start, m.end)}
		return []manifest{m}
	case items < 0 || !strings.HasSuffix(m.kind, "List") || lists == maxLists:
		return []manifest{m}
	}
	return b.items(m, items, lists)
}

// items are the objects of a list. Those of a list such as a PodList do not say their kind themselves.
func (b *body) items(list manifest, at, lists int) []manifest {
	var all []manifest
	s := scanner{data: b.json[:list.end], at: at}
	if s.peek() != '[' {
		return nil
	}
	s.array(func(index int) {
		item := manifest{body: b, path: elementPath(memberPath(list.path, "items"), index)}
		if list.kind != "List" {
			item.apiVersion, item.kind = list.apiVersion, strings.TrimSuffix(list.kind, "List")
		}
		item.start, item.end = s.value()
		all = append(all, b.objects(item, lists+1)...)
	})
	if s.failed {
		list.unusable, list.findings = true, []finding{b.syntaxError(list.start, list.end)}
		return []manifest{list}
	}
	return all
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

// kind says what the value at hand is.
func (s *scanner) kind() string { return kindName(s.peek()) }

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
