package files

import (
	"io"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// Result is what manifests say.
type Result struct {
	// Objects has every object that could be read, in the order of files by path and of documents from the top.
	Objects sources.Objects
	// Diagnostics are sorted, and have their positions.
	Diagnostics []model.Diagnostic
	// Files counts the files that were read, Documents the documents in them that are not empty.
	Files, Documents int
	// Positions finds the place of every object again.
	Positions *Positions
}

// Read reads files; directories with everything below them that is named *.yaml, *.yml or *.json and not hidden; and
// standard input for "-". Files count in the order of their paths, whatever the order they are given in.
//
// The error is a path that cannot be read at all. What is wrong inside a file is a diagnostic.
func Read(paths []string, stdin io.Reader) (Result, error) {
	r := newReader(paths, stdin)
	r.once = true
	return r.Read()
}

// ReadBytes reads one text as if it were a file of that name.
func ReadBytes(name string, data []byte) Result {
	t := newText(name, data)
	return result([]*file{{text: t, readings: (&decoder{}).read(documentsOf(t))}})
}

// result is what files say, in their order.
func result(files []*file) Result {
	var texts []*text
	var outcomes []outcome
	var extra []model.Diagnostic
	count := 0
	for _, f := range files {
		texts = append(texts, f.text)
		extra = append(extra, f.diagnostics...)
		for _, r := range f.readings {
			outcomes = append(outcomes, r.outcomes...)
			if !r.empty && r.document.item == 0 {
				count++
			}
		}
		outcomes = append(outcomes, f.lingering...)
	}
	objects, diagnostics, positions := collect(outcomes)
	positions.texts = texts
	if count == 0 {
		extra = append(extra, nothing(texts))
	}
	return Result{
		Objects: objects, Diagnostics: model.SortDiagnostics(append(diagnostics, extra...)),
		Files: len(texts), Documents: count, Positions: positions,
	}
}

// nothing says that there was nothing to read, at the file in which there was not.
func nothing(texts []*text) model.Diagnostic {
	d := model.Note(model.NoManifests, model.Ref{}, "no document was found in any *.yaml, *.yml or *.json file")
	if len(texts) > 0 {
		d.Position.File = texts[0].name
	}
	return d
}
