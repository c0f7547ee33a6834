package files

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flomesh-io/fsmc/model"
	"github.com/flomesh-io/fsmc/sources"
)

// A Reader reads the same paths again and again. What did not change it does not read twice: objects whose text is the same
// are the same objects, by pointer, wherever the text stands now.
//
// What cannot be read any more stays as it was when it could be, and a diagnostic says so: somebody may be in the middle of
// writing it. What is removed is gone. A Reader may be used by several goroutines.
type Reader struct {
	paths []string
	stdin io.Reader
	// once is set for a reader that reads once, and need not remember anything.
	once bool
	now  func() time.Time

	mutex   sync.Mutex
	decoder decoder
	// files are what was read last, by name; nil before.
	files map[string]*file
	// piped is standard input, which can be read only once.
	piped *text
	last  Result
	// again is when what could not be read is tried again; zero when everything could be.
	again time.Time
}

// NewReader makes a reader of paths, which mean what they mean to Read. It reads standard input of this process for "-", once.
func NewReader(paths []string) *Reader { return newReader(paths, os.Stdin) }

func newReader(paths []string, stdin io.Reader) *Reader {
	return &Reader{paths: slices.Clone(paths), stdin: stdin, now: time.Now}
}

// Read reads what changed since it was called last, and returns the whole: what the function Read returns of the same
// paths, if everything can be read. Results that were returned before stay as they are.
//
// The error is a path that cannot be read at all, and comes from the first Read that would succeed only: later ones keep
// what was there, and have a diagnostic.
func (r *Reader) Read() (Result, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	texts, linked, failures, err := r.load()
	switch {
	case err != nil:
		return Result{}, err
	case r.files == nil && len(failures) > 0:
		return Result{}, failures[0]
	}
	files, unread := r.remember(r.readAll(texts), failures)
	made := result(files)
	made.Diagnostics = model.SortDiagnostics(slices.Concat(made.Diagnostics, linked, unread))
	made.Objects = sources.Shared(made.Objects, r.last.Objects)
	r.last = made
	return made, nil
}

// load reads all files. Those whose bytes are as before are the same text.
func (r *Reader) load() (texts []*text, linked []model.Diagnostic, failures []failure, err error) {
	found, failures := find(r.paths)
	if r.files == nil && len(failures) > 0 {
		return nil, nil, failures, nil
	}
	once, linked := distinct(found)
	for _, f := range once {
		if f.path == "-" {
			if r.piped == nil {
				r.piped, err = readPiped(r.stdin)
			}
			if err != nil {
				return nil, nil, nil, err
			}
			texts = append(texts, r.piped)
			continue
		}
		switch t, err := r.loadOne(f); {
		case err == nil:
			texts = append(texts, t)
		case r.files == nil || !errors.Is(err, fs.ErrNotExist):
			failures = append(failures, failure{f.path, err, false})
		}
	}
	return texts, linked, failures, nil
}

func readPiped(stdin io.Reader) (*text, error) {
	data, err := io.ReadAll(stdin)
	if err != nil {
		return nil, fmt.Errorf("read standard input: %w", err)
	}
	return newText(stdinName, data), nil
}

func (r *Reader) loadOne(f found) (*text, error) {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	if before := r.files[slashed(f.path)]; before != nil && before.text.is(data) {
		return before.text, nil
	}
	return newText(slashed(f.path), data), nil
}

// readAll makes files of texts, of which those that changed are read.
func (r *Reader) readAll(texts []*text) []*file {
	files := make([]*file, len(texts))
	var changed []*file
	for i, t := range texts {
		before := r.files[t.name]
		if before != nil && before.text == t {
			files[i] = before
			continue
		}
		files[i] = &file{text: t}
		changed = append(changed, files[i])
	}
	r.decoder.known = r.known(texts)
	r.readChanged(changed)
	return files
}

// known are the objects of files that changed or are gone: they may stand in one of the new texts.
func (r *Reader) known(texts []*text) map[fingerprint]outcome {
	if r.once {
		return nil
	}
	same := map[*text]bool{}
	for _, t := range texts {
		same[t] = true
	}
	known := map[fingerprint]outcome{}
	for _, f := range r.files {
		if !same[f.text] {
			f.addKnown(known)
		}
	}
	return known
}

// readChanged reads files; all of them in one go, for it is done by several at a time.
func (r *Reader) readChanged(changed []*file) {
	var unread []*document
	for _, f := range changed {
		f.cut(r.files[f.text.name])
		for _, reading := range f.readings {
			if reading.unread {
				unread = append(unread, reading.document)
			}
		}
	}
	read := r.decoder.read(unread)
	for _, f := range changed {
		for i := range f.readings {
			if f.readings[i].unread {
				f.readings[i], read = read[0], read[1:]
			}
		}
	}
}

// remember keeps what could be read before and cannot be now, and remembers the files for the next time. The diagnostics
// are about paths that cannot be read.
func (r *Reader) remember(files []*file, failures []failure) ([]*file, []model.Diagnostic) {
	now := r.now()
	kept := make([]*file, 0, len(files))
	names := map[string]*file{}
	for _, f := range files {
		f = f.settled(r.files[f.text.name], now)
		kept, names[f.text.name] = append(kept, f), f
	}
	var notes []model.Diagnostic
	for _, failed := range failures {
		stale := r.below(failed, names, now)
		for _, f := range stale {
			kept, names[f.text.name] = append(kept, f), f
		}
		notes = append(notes, failed.diagnostic(stale))
	}
	slices.SortStableFunc(kept, func(a, b *file) int { return compareNames(a.text.name, b.text.name) })
	r.files, r.again = names, time.Time{}
	if len(failures) > 0 {
		r.again = now.Add(interval) // nothing tells when it can be read, such as when there are files to be had again
	}
	return kept, notes
}

// below are the files that were read before and of which it cannot be told now what they say. A file that was asked for
// itself and is gone is taken as being replaced, but not for long.
func (r *Reader) below(failed failure, names map[string]*file, now time.Time) []*file {
	name := slashed(failed.path)
	var files []*file
	for _, f := range r.files {
		switch {
		case names[f.text.name] != nil:
		case f.text.name == name && errors.Is(failed.err, fs.ErrNotExist):
			if gone := f.vanishing(now); gone != nil {
				files = append(files, gone)
			}
		case f.text.name == name || name == "." || strings.HasPrefix(f.text.name, strings.TrimSuffix(name, "/")+"/"):
			files = append(files, f)
		}
	}
	return slices.SortedFunc(slices.Values(files), func(a, b *file) int { return cmp.Compare(a.text.name, b.text.name) })
}

// diagnostic says that a path cannot be read, and what counts instead.
func (f failure) diagnostic(stale []*file) model.Diagnostic {
	code, did := model.UnreadableDocument, "it is left out"
	if len(stale) > 0 {
		code, did = model.StaleObject, lastCounts
	}
	d := model.Note(code, model.Ref{}, f.Error()).Did(did)
	d.Position.File = slashed(f.path)
	return d
}

// due is when something that was taken as half written is not any more, or what could not be read is tried again; zero for
// never.
func (r *Reader) due() time.Time {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	first := r.again
	for _, f := range r.files {
		if until := f.since.Add(grace); !f.since.IsZero() && (first.IsZero() || until.Before(first)) {
			first = until
		}
	}
	return first
}
