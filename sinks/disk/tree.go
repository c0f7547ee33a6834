package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
)

// tree is a folder in which a set of files is replaced as one. Each new file is put beside its place under a temporary
// name (put); commit then moves them into place and removes what is not wanted any more. Until commit, abandon brings
// back the folder as it was.
//
// Each file is replaced by a rename, so that it is the old one or the new one at every moment, whatever becomes of this
// process. Nothing is forced to the disk itself: after a loss of power the file system decides, and the next run
// compares every byte anyway.
type tree struct {
	root   *os.Root
	unlock func()
	// made are the folders on the way to root that were not there, outermost first.
	made []string
	// old is the index as it was found, wanted the paths that shall be there.
	old    index
	wanted map[string]bool

	mu sync.Mutex
	// begun is set once the index says that the folder is being written.
	begun bool
	// folders are known to be there; created are those among them that were not.
	folders map[string]bool
	created []string
	// changed are the paths whose new file waits beside them.
	changed []string
}

// The modes that files are made with, less the umask.
const (
	publicMode  os.FileMode = 0o644
	privateMode os.FileMode = 0o600
)

// openTree makes sure that the folder may be written: nobody else does, and no file of somebody else is in the way.
func openTree(ctx context.Context, folder string, wanted []string) (*tree, error) {
	made, err := makeFolder(folder)
	t := &tree{made: made, wanted: map[string]bool{}, folders: map[string]bool{".": true}, unlock: func() {}}
	for _, file := range wanted {
		t.wanted[file] = true
	}
	if err == nil {
		err = t.open(ctx, folder, wanted)
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// makeFolder makes a folder and those on the way to it, and says which it made.
func makeFolder(folder string) ([]string, error) {
	var made []string
	for at := filepath.Clean(folder); at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = append(made, at)
	}
	slices.Reverse(made)
	return made, os.MkdirAll(folder, 0o755)
}

func (t *tree) open(ctx context.Context, folder string, wanted []string) (err error) {
	if t.root, err = os.OpenRoot(folder); err != nil {
		return err
	}
	if t.unlock, err = lock(ctx, t.root); err != nil {
		return err
	}
	if t.old, err = readIndex(t.root); err != nil {
		return err
	}
	if t.old.absent {
		return t.removeLeftovers() // The folder is empty.
	}
	for _, file := range wanted {
		if t.old.paths[file] {
			continue
		}
		if _, err := t.root.Lstat(filepath.FromSlash(file)); err == nil {
			return foreign(t.root, file)
		}
	}
	return t.removeLeftovers()
}

// keep has the files of a folder stay that are ours.
func (t *tree) keep(folder string) {
	for file := range t.old.paths {
		if path.Dir(file) == folder {
			t.wanted[file] = true
		}
	}
}

// removeLeftovers removes what an interrupted run has not moved into place.
func (t *tree) removeLeftovers() error {
	if t.old.open {
		for file := range t.old.paths {
			if err := t.remove(file + temporary); err != nil {
				return err
			}
		}
	}
	return t.remove(indexFile + temporary)
}

// has says whether the file is there with just these bytes, and no less private than mode.
func (t *tree) has(file string, text []byte, mode os.FileMode) bool {
	was, err := t.read(file, mode)
	return err == nil && bytes.Equal(was, text)
}

// read reads a file of the tree. It must be a regular one, and no less private than mode. What the old index does not list
// was not there when the tree was opened.
func (t *tree) read(file string, mode os.FileMode) ([]byte, error) {
	if !t.old.paths[file] {
		return nil, fs.ErrNotExist
	}
	return t.readAny(file, mode)
}

func (t *tree) readAny(file string, mode os.FileMode) ([]byte, error) {
	name := filepath.FromSlash(file)
	stat, err := t.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !stat.Mode().IsRegular() || stat.Mode().Perm()&^mode != 0 {
		return nil, fmt.Errorf("%s has mode %s", file, stat.Mode())
	}
	return t.root.ReadFile(name)
}

// put writes a file beside its place; commit will move it there. It may be called from several goroutines.
func (t *tree) put(file string, text []byte, mode os.FileMode) error {
	if err := t.prepare(file); err != nil {
		return err
	}
	if err := t.write(file+temporary, text, mode); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = append(t.changed, file)
	return nil
}

// prepare marks the folder as being written, and sees to it that the file can be moved into place later.
func (t *tree) prepare(file string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.begin(); err != nil {
		return err
	}
	if err := t.mkdir(path.Dir(file)); err != nil {
		return err
	}
	if !t.old.paths[file] {
		return nil
	}
	if stat, err := t.root.Lstat(filepath.FromSlash(file)); err == nil && stat.IsDir() {
		return fmt.Errorf("%s is a folder, where a file belongs", filepath.Join(t.root.Name(), file))
	}
	return nil
}

// begin writes down which files may be found here from now on, so that whoever comes after an interruption knows them.
func (t *tree) begin() error {
	if t.begun {
		return nil
	}
	t.begun = true
	both := index{paths: maps.Clone(t.wanted), open: true}
	maps.Copy(both.paths, t.old.paths)
	return t.end(both)
}

func (t *tree) mkdir(folder string) error {
	if t.folders[folder] {
		return nil
	}
	if err := t.mkdir(path.Dir(folder)); err != nil {
		return err
	}
	err := t.root.Mkdir(filepath.FromSlash(folder), 0o755)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil {
		t.created = append(t.created, folder)
	}
	t.folders[folder] = true
	return nil
}

// write writes a whole new file, no less private than mode from its first moment.
func (t *tree) write(file string, text []byte, mode os.FileMode) error {
	f, err := t.root.OpenFile(filepath.FromSlash(file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && mode == privateMode {
		err = giveToEnvoy(f)
	}
	return errors.Join(err, f.Close())
}

// move moves a file that was put into its place.
func (t *tree) move(file string) error {
	name := filepath.FromSlash(file)
	return t.root.Rename(name+temporary, name)
}

// remove removes a file, if it is there.
func (t *tree) remove(file string) error {
	err := t.root.Remove(filepath.FromSlash(file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// commit moves the new files into place, in order of their paths, and removes the files of the old index that are not
// wanted any more. It says how many of each there were.
func (t *tree) commit() (changed, removed int, err error) {
	slices.Sort(t.changed)
	for _, file := range t.changed {
		if err := t.move(file); err != nil {
			return 0, 0, err
		}
	}
	stale := t.stale()
	for _, file := range stale {
		if err := t.removeOld(file); err != nil {
			return 0, 0, err
		}
	}
	return len(t.changed), len(stale), t.end(index{paths: t.wanted})
}

// stale are the files that are ours and not wanted any more.
func (t *tree) stale() []string {
	stale := maps.Clone(t.old.paths)
	maps.DeleteFunc(stale, func(file string, _ bool) bool { return t.wanted[file] })
	return slices.Sorted(maps.Keys(stale))
}

// removeOld removes a file, and the folders that are empty without it.
func (t *tree) removeOld(file string) error {
	if err := t.begin(); err != nil {
		return err
	}
	if err := t.remove(file); err != nil {
		return err
	}
	for folder := path.Dir(file); folder != "."; folder = path.Dir(folder) {
		if t.root.Remove(filepath.FromSlash(folder)) != nil {
			break // Something is still in it.
		}
	}
	return nil
}

// abandon brings back the folder as it was before the first put, and closes the tree.
func (t *tree) abandon() error {
	var failures []error
	if t.begun {
		for file := range t.wanted {
			failures = append(failures, t.remove(file+temporary))
		}
		for _, folder := range slices.Backward(t.created) {
			failures = append(failures, t.remove(folder))
		}
		failures = append(failures, t.end(t.old))
	}
	return errors.Join(append(failures, t.close())...)
}

// end leaves the index as given; an absent one is removed.
func (t *tree) end(in index) error {
	if in.absent {
		return errors.Join(t.remove(indexFile+temporary), t.remove(indexFile))
	}
	text := in.text()
	if was, err := t.readAny(indexFile, publicMode); err == nil && bytes.Equal(was, text) {
		return nil
	}
	if err := t.remove(indexFile + temporary); err != nil {
		return err
	}
	if err := t.write(indexFile+temporary, text, publicMode); err != nil {
		return err
	}
	return t.move(indexFile)
}

// close lets go of the folder. If it was made for nothing, it is removed again.
func (t *tree) close() error {
	t.unlock()
	var err error
	if t.root != nil {
		err = t.root.Close()
	}
	for _, folder := range slices.Backward(t.made) {
		_ = os.Remove(folder) // It stays if something is in it.
	}
	return err
}
