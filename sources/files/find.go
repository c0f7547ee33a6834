package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/flomesh-io/fsmc/model"
)

// stdinName is what positions call standard input.
const stdinName = "<stdin>"

// found is a file to read.
type found struct {
	// path is as it was given, or joined to the directory that was given.
	path string
	// real is the path behind all links: two files with one real path are the same.
	real string
}

// failure is a path that cannot be read.
type failure struct {
	path string
	err  error
	// given says that the path is one of those that were asked for.
	given bool
}

// Error says which path cannot be read, why, and what to do.
func (f failure) Error() string { return unreadable(f.path, f.err).Error() }

// Unwrap is why.
func (f failure) Unwrap() error { return f.err }

// find lists the files that paths mean, sorted by path, standard input last; and the paths that cannot be read.
func find(paths []string) ([]found, []failure) {
	var files []found
	var failures []failure
	for _, path := range paths {
		more, failed := findBelow(path)
		files, failures = append(files, more...), append(failures, failed...)
	}
	slices.SortStableFunc(files, func(a, b found) int { return compareNames(slashed(a.path), slashed(b.path)) })
	return files, failures
}

// compareNames is the order in which files count.
func compareNames(a, b string) int {
	return cmp.Or(boolRank(a == stdinName)-boolRank(b == stdinName), cmp.Compare(a, b))
}

// findBelow lists what one path means: itself if it is a file, whatever its name; else the manifests below it.
func findBelow(path string) ([]found, []failure) {
	if path == "-" {
		return []found{{path: path, real: path}}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, []failure{{path, err, true}}
	}
	real, err := realPath(path)
	if err != nil {
		return nil, []failure{{path, err, true}}
	}
	if !info.IsDir() {
		return []found{{path: path, real: real}}, nil
	}
	return findInDirectory(path, real)
}

// findInDirectory lists the manifests below a directory, without hidden files, case files and folders of our own output.
// It walks the real directory, so that a link to a directory works as the path that was given; links to
// directories further down are not followed, for they may lead back.
func findInDirectory(path, real string) ([]found, []failure) {
	var files []found
	var failures []failure
	_ = filepath.WalkDir(real, func(p string, entry fs.DirEntry, err error) error {
		relative, _ := filepath.Rel(real, p)
		shown := filepath.Join(path, relative)
		switch {
		case err != nil:
			failures = append(failures, failure{shown, err, p == real})
			return nil
		case p == real:
			return nil
		case strings.HasPrefix(entry.Name(), "."), ownOutput(p, entry):
			return skipped(entry)
		case entry.IsDir() || !manifestName(entry.Name()) || entry.Name() == casesName:
			return nil
		}
		file, regular, err := followed(p, entry)
		if err != nil {
			failures = append(failures, failure{shown, err, false})
		}
		if err == nil && regular {
			files = append(files, found{path: shown, real: file})
		}
		return nil
	})
	return files, failures
}

// casesName is the name of files that hold requests to ask of a mesh, which are no manifests.
const casesName = "access.yaml"

// ownOutput says whether a directory is one that a mesh was compiled into: what is in there was made of manifests.
func ownOutput(path string, entry fs.DirEntry) bool {
	if !entry.IsDir() {
		return false
	}
	_, err := os.Lstat(filepath.Join(path, ".fsmc"))
	return err == nil
}

func skipped(entry fs.DirEntry) error {
	if entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

func manifestName(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name)))
}

// followed is the path of a file behind links, and whether it is a regular file there.
func followed(path string, entry fs.DirEntry) (string, bool, error) {
	if entry.Type().IsRegular() {
		return path, true, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", false, err
	}
	real, err := realPath(path)
	return real, info.Mode().IsRegular(), err
}

func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// distinct are the files without those that were given again, which are reported.
func distinct(files []found) ([]found, []model.Diagnostic) {
	var once []found
	var linked []model.Diagnostic
	first := map[string]string{}
	for _, f := range files {
		if other, ok := first[f.real]; ok {
			linked = append(linked, linkedTwice(f, other))
			continue
		}
		first[f.real] = f.path
		once = append(once, f)
	}
	return once, linked
}

func linkedTwice(f found, first string) model.Diagnostic {
	d := model.Note(model.LinkedTwice, model.Ref{}, fmt.Sprintf("%s is the same file as %s", slashed(f.path), slashed(first)))
	d.Position.File = slashed(f.path)
	return d.Did("it is read once")
}

// unreadable says which path cannot be read, why, and what to do.
func unreadable(path string, err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w; give a file, a directory, or - for standard input", slashed(path), err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("read %s: %w; allow the current user to read it, or leave it out", slashed(path), err)
	}
	return fmt.Errorf("read %s: %w", slashed(path), err)
}

func slashed(path string) string {
	if path == "-" {
		return stdinName
	}
	return filepath.ToSlash(path)
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}
