package files

import (
	"encoding/json"
	"errors"
	"sort"

	"github.com/flomesh-io/fsmc/model"
)

// body is a document as JSON. For a document that was written as JSON it is a part of the text itself.
type body struct {
	document *document
	json     []byte
	// start is where the value of the document begins in json.
	start int
	// marks says where in YAML each key and value of json was written, in the order of json.
	marks []mark
	// findings are about the document as text, with paths from its top.
	findings []finding
	// broken is set when the document cannot be used at all; json is then as much of it as can be told.
	broken bool
}

// mark is the place of what begins at an offset of the JSON text. Lines count from 1 in the file.
type mark struct{ offset, line, column int32 }

// body parses a document. It does the same every time, so that a place can be found again by parsing again.
func (d *document) body() *body {
	if d.json {
		return d.jsonBody()
	}
	return d.yamlBody()
}

// jsonBody takes the text as it is; each object in it is checked when it is decoded.
func (d *document) jsonBody() *body {
	b := &body{document: d, json: d.text.data[:d.end], start: d.start}
	if d.torn {
		return &body{document: d, broken: true, findings: []finding{b.syntaxError(d.start, d.end)}}
	}
	return b
}

// empty is true for a document that says nothing.
func (b *body) empty() bool {
	return !b.broken && string(b.json[b.start:]) == "null"
}

// position is where the key or value was written that begins at an offset of the JSON text.
func (b *body) position(offset int) model.Position {
	if b.document.json {
		return b.document.text.position(offset)
	}
	i := sort.Search(len(b.marks), func(i int) bool { return int(b.marks[i].offset) > offset }) - 1
	if i < 0 {
		return b.document.text.place(b.document.line+1, 1)
	}
	return b.document.text.place(int(b.marks[i].line), int(b.marks[i].column))
}

// syntaxError is what is wrong with JSON between two offsets of the document's text.
func (b *body) syntaxError(start, end int) finding {
	var syntax *json.SyntaxError
	var raw json.RawMessage
	text := b.document.text
	f := finding{code: model.UnreadableDocument, offset: start, message: "the text is not valid JSON", instead: leftOut}
	if !b.document.json {
		f.position = b.position(start)
		return f
	}
	if err := json.Unmarshal(text.data[start:end], &raw); errors.As(err, &syntax) {
		f.offset = start + max(0, int(syntax.Offset)-1)
		f.message += ": " + syntax.Error()
	}
	f.position = text.position(f.offset)
	return f
}

// leftOut is what is done instead with most of what is wrong.
const (
	leftOut       = "the document is left out"
	objectLeftOut = "the object is left out"
)
