package files

import (
	"bytes"
	"slices"

	"github.com/flomesh-io/fsmc/model"
)

// Positions finds the places of objects and fields in the files that were read. It keeps the texts, and parses a document
// again when it is asked about one, which costs less than keeping the place of every value.
type Positions struct {
	texts  []*text
	places map[model.Ref]place
}

// place is where an object was written.
type place struct {
	document *document
	// start is the object's offset in the JSON of the document.
	start int
	// line, which counts from 1 in the document, and column are where it was written in YAML.
	line, column int
}

// place is where the manifest was written.
func (m manifest) place() place {
	p := place{document: m.body.document, start: m.start}
	if !p.document.json {
		at := m.body.position(m.start)
		p.line, p.column = at.Line-p.document.line, at.Column
	}
	return p
}

// position is the place in the file.
func (p place) position() model.Position {
	if p.document.json {
		return p.document.text.position(p.start)
	}
	return p.document.text.place(p.document.line+p.line, p.column)
}

// Locate fills the position of every diagnostic that has none and is about an object that was read: that of the field,
// else that of the nearest field around it that is written, else that of the object. Diagnostics about anything else stay
// as they are.
func (p *Positions) Locate(diagnostics []model.Diagnostic) []model.Diagnostic {
	located := slices.Clone(diagnostics)
	bodies := map[*document]*body{}
	for i, d := range located {
		place, ok := p.places[d.At.Object()]
		if d.Position != (model.Position{}) || !ok {
			continue
		}
		b := bodies[place.document]
		if b == nil {
			b = place.document.body()
			bodies[place.document] = b
		}
		located[i].Position = b.locate(place.start, d.At.Field)
	}
	return located
}

// locate is the position of a field of the object at an offset.
func (b *body) locate(start int, field string) model.Position {
	t, _ := treeAt(b.json, start)
	return b.position(lookup(b, t, field))
}

// Line is the text of a line, which counts from 1, of a file that was read.
func (p *Positions) Line(file string, line int) (string, bool) {
	for _, t := range p.texts {
		if t.name == file {
			return t.line(line)
		}
	}
	return "", false
}

// same says whether every object stands where it stood, with its fields.
func (p *Positions) same(q *Positions) bool {
	if q == nil || len(p.places) != len(q.places) {
		return false
	}
	for ref, at := range p.places {
		before, ok := q.places[ref]
		if !ok || !at.same(before) {
			return false
		}
	}
	return true
}

func (p place) same(q place) bool {
	if p.document == q.document {
		return p == q
	}
	d, e := p.document, q.document
	return d.text.name == e.text.name && p.line == q.line && d.line == e.line && p.start == q.start && d.start == e.start &&
		bytes.Equal(d.content(), e.content())
}
