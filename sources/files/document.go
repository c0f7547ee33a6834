package files

import (
	"bytes"
	"encoding/json"
	"path"
)

// A document is one YAML document, or one JSON value, of a text. Documents are cut apart before they are parsed, so that
// a broken one does not lose those behind it. In YAML a line that starts with --- or ... ends a document wherever it
// stands, in a block of text too, so that looking at the beginnings of lines is enough:
//
//	--- # the first
//	kind: Service
//	---
//	kind: Pod
type document struct {
	text *text
	// start and end are offsets in the text; a YAML document has its own --- at its start.
	start, end int
	// line counts the lines before start, in YAML.
	line int
	// json is set for JSON, and then torn if the text ends before the value does.
	json, torn bool
	// list is set for a document that is an item of a long list, and item is which.
	list *list
	item int
}

// documentsOf cuts a text into the documents that have something in them.
func documentsOf(t *text) []*document {
	if documents, ok := jsonDocuments(t); ok {
		return documents
	}
	var documents []*document
	for _, d := range yamlDocuments(t) {
		documents = append(documents, d.items()...)
	}
	return documents
}

// bigText is how long a text may be for its broken JSON to be tried as YAML, which takes many times the memory.
const bigText = 1 << 20

// jsonDocuments cuts a text that is JSON values in a row; it is false if the text is to be read as YAML.
func jsonDocuments(t *text) ([]*document, bool) {
	s := scanner{data: t.data}
	s.space()
	named := path.Ext(t.name) == ".json"
	// JSON has no line that starts like this, not even in a string.
	if !named && s.peek() != '{' || bytes.HasPrefix(t.data, []byte("---")) || bytes.Contains(t.data, []byte("\n---")) {
		return nil, false
	}
	var documents []*document
	for s.space(); s.at < len(t.data); s.space() {
		start := s.at
		s.failed = s.peek() != '{' && s.peek() != '['
		s.skip()
		if !named && len(t.data) <= bigText && (s.failed || !json.Valid(t.data[start:s.at])) {
			return nil, false
		}
		if s.failed {
			s.at = len(t.data)
		}
		documents = append(documents, &document{text: t, start: start, end: s.at, json: true, torn: s.failed})
	}
	return documents, true
}

// yamlDocuments cuts a text at its document markers.
func yamlDocuments(t *text) []*document {
	var documents []*document
	current := cut{}
	for line, start := range t.lines() {
		content, next := t.lineAt(line)
		switch {
		case marked(content, "---"):
			if current.filled {
				documents = append(documents, current.document(t, start))
			}
			if current.filled || !current.directives {
				current = cut{start: start, line: line}
			}
			current.filled = !blank(content[3:])
		case marked(content, "..."):
			if current.filled {
				documents = append(documents, current.document(t, start))
			}
			current = cut{start: next, line: line + 1}
		default:
			current.look(content)
		}
	}
	if current.filled {
		documents = append(documents, current.document(t, len(t.data)))
	}
	return documents
}

// cut is a document whose end is not found yet.
type cut struct {
	start, line int
	// filled is set by the first line that is more than a comment; directives by a line such as %YAML, which stands before
	// the --- of its document.
	filled, directives bool
}

func (c *cut) look(line []byte) {
	switch {
	case c.filled || blank(line):
	case line[0] == '%':
		c.directives = true
	default:
		c.filled = true
	}
}

func (c *cut) document(t *text, end int) *document {
	return &document{text: t, start: c.start, end: end, line: c.line}
}

// marked is true for a line that starts with a document marker.
func marked(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || bytes.IndexByte([]byte(" \t\r\n"), rest[0]) >= 0)
}

// blank is true for a line without content: spaces, and a comment.
func blank(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '#'
}
