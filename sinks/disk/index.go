package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// index is the file .fsmc: which files of a folder are ours, so that all others are left alone. Before the first file
// changes, the index has the old and the new paths and says that it is being written; an interrupted run leaves it so.
type index struct {
	paths map[string]bool
	// open says that a run that wrote the files did not end.
	open bool
	// absent says that there is no index yet.
	absent bool
}

const (
	indexFile   = ".fsmc"
	indexTitle  = "# fsmc wrote these files, and will replace and remove them; others in this folder it leaves alone. State: "
	stateOpen   = "being written"
	stateClosed = "complete"

	// temporary ends the name of a file that is not in its place yet.
	temporary = ".fsmc-new"
)

// isOurs says whether a file name has a meaning of its own in a tree.
func isOurs(name string) bool { return name == indexFile || strings.HasSuffix(name, temporary) }

// readIndex reads the index of a folder. A folder that has none must be empty.
func readIndex(root *os.Root) (index, error) {
	text, err := root.ReadFile(indexFile)
	if errors.Is(err, fs.ErrNotExist) {
		return index{absent: true}, requireEmpty(root)
	}
	if err != nil {
		return index{}, err
	}
	return parseIndex(string(text))
}

func parseIndex(text string) (index, error) {
	title, paths, _ := strings.Cut(text, "\n")
	state, ok := strings.CutPrefix(title, indexTitle)
	if !ok || state != stateOpen && state != stateClosed {
		return index{}, fmt.Errorf("%s is not an index that this fsmc has written", indexFile)
	}
	in := index{paths: map[string]bool{}, open: state == stateOpen}
	for line := range strings.Lines(paths) {
		file := strings.TrimSuffix(line, "\n")
		if !filepath.IsLocal(file) {
			return index{}, fmt.Errorf("%s lists %q, which is not in the folder", indexFile, file)
		}
		in.paths[file] = true
	}
	return in, nil
}

// text is what the index file says.
func (in index) text() []byte {
	state := stateClosed
	if in.open {
		state = stateOpen
	}
	b := bytes.NewBufferString(indexTitle + state + "\n")
	for _, file := range slices.Sorted(maps.Keys(in.paths)) {
		b.WriteString(file + "\n")
	}
	return b.Bytes()
}

// requireEmpty refuses a folder that holds files of somebody else.
func requireEmpty(root *os.Root) error {
	names, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isOurs(name.Name()) {
			return foreign(root, name.Name())
		}
	}
	return nil
}

// foreign is the refusal to touch a file that fsmc has not written.
func foreign(root *os.Root, file string) error {
	return fmt.Errorf("%s holds %s, which fsmc has not written: name an empty folder, or one that fsmc wrote", root.Name(), file)
}
