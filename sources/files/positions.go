package files

import (
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
