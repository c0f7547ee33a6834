package files

import (
	"bytes"
	"slices"
	"time"

	"github.com/flomesh-io/fsmc/model"
)

// file is a text and what became of it. It does not change once it was made.
type file struct {
	text     *text
	readings []reading
	// lingering are objects of an earlier text that may be on their way: this one is empty, or ends in the middle of
	// something. They linger since that time.
	lingering []outcome
	since     time.Time
	// diagnostics are about the file as a whole.
	diagnostics []model.Diagnostic
}

// reading is a document and what became of it.
type reading struct {
	document *document
	// empty says that the document says nothing, broken that it cannot be used at all.
	empty, broken bool
	outcomes      []outcome
	// unread says that nothing became of it yet.
	unread bool
}

// read reads documents.
func (d *decoder) read(documents []*document) []reading {
	bodies := each(documents, (*document).body)
	readings := make([]reading, len(bodies))
	var manifests []manifest
	counts := make([]int, len(bodies))
	for i, b := range bodies {
		readings[i] = reading{document: b.document, empty: b.empty(), broken: b.broken}
		if !readings[i].empty {
			own := b.manifests()
			manifests, counts[i] = append(manifests, own...), len(own)
		}
	}
	outcomes := each(manifests, d.decode)
	for i, n := range counts {
		readings[i].outcomes, outcomes = outcomes[:n:n], outcomes[n:]
	}
	return readings
}

// cut cuts the text into documents. Those that were read before, and about which nothing was found, need not be read again
// wherever they stand now.
func (f *file) cut(before *file) {
	read := map[string]reading{}
	if before != nil {
		for _, r := range before.readings {
			if r.clean() {
				read[string(r.document.content())] = r
			}
		}
	}
	for _, d := range documentsOf(f.text) {
		r, ok := read[string(d.content())]
		if !ok || !r.document.alike(d) {
			f.readings = append(f.readings, reading{document: d, unread: true})
			continue
		}
		f.readings = append(f.readings, r.movedTo(d))
	}
}

// content is the text of the document.
func (d *document) content() []byte { return d.text.data[d.start:d.end] }

// alike says whether two documents of one text are read alike.
func (d *document) alike(e *document) bool {
	sameList := d.list == nil && e.list == nil || d.list != nil && e.list != nil && *d.list == *e.list
	return d.json == e.json && d.torn == e.torn && sameList
}

// clean says whether nothing was found about the document.
func (r reading) clean() bool {
	return !r.broken && !slices.ContainsFunc(r.outcomes, func(o outcome) bool { return !o.clean() })
}

// movedTo is the reading of the same text at another place.
func (r reading) movedTo(d *document) reading {
	moved := reading{document: d, empty: r.empty, outcomes: slices.Clone(r.outcomes)}
	for i := range moved.outcomes {
		moved.outcomes[i].document = d
		if d.json {
			moved.outcomes[i].start += d.start - r.document.start
		}
	}
	return moved
}

// is says whether a file of these bytes is the text.
func (t *text) is(data []byte) bool { return bytes.Equal(t.raw, data) }

// addKnown adds the objects of the file, by the text that they were decoded from.
func (f *file) addKnown(known map[fingerprint]outcome) {
	for _, r := range f.readings {
		for _, o := range r.outcomes {
			if o.object != nil && o.fingerprint != (fingerprint{}) {
				o.diagnostics = slices.Clip(o.diagnostics)
				known[o.fingerprint] = o
			}
		}
	}
	for _, o := range f.lingering {
		known[o.fingerprint] = o
	}
}
