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
	files, err := find(paths)
	if err != nil {
		return Result{}, err
	}
	texts, linked, err := load(files, stdin)
	if err != nil {
		return Result{}, err
	}
	result := read(texts)
	result.Diagnostics = model.SortDiagnostics(append(result.Diagnostics, linked...))
	return result, nil
}

// ReadBytes reads one text as if it were a file of that name.
func ReadBytes(name string, data []byte) Result { return read([]*text{newText(name, data)}) }

// read reads texts, in their order.
func read(texts []*text) Result {
	var documents []*document
	for _, t := range texts {
		documents = append(documents, documentsOf(t)...)
	}
	d := &decoder{}
	bodies := each(documents, (*document).body)
	var manifests []manifest
	var count int
	for _, b := range bodies {
		if !b.empty() {
			if b.document.item == 0 {
				count++
			}
			manifests = append(manifests, b.manifests()...)
		}
	}
	objects, diagnostics, positions := collect(each(manifests, d.decode))
	positions.texts = texts
	if count == 0 {
		diagnostics = append(diagnostics, nothing(texts))
	}
	return Result{
		Objects: objects, Diagnostics: model.SortDiagnostics(diagnostics),
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
