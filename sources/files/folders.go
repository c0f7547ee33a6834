package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fsnotify/fsnotify"
)

// folders are what has to be watched: in each, the names that matter; nil for all that are not hidden.
//
// A path that was asked for is reached through folders and links, each of which may be replaced. With /etc/mesh/shop.yaml,
// where shop.yaml leads to ..data/shop.yaml and ..data to ..2026:
//
//	/                 etc
//	/etc              mesh
//	/etc/mesh         shop.yaml, ..data, ..2026
//	/etc/mesh/..2026  shop.yaml
type folders map[string]*folder

type folder struct {
	names map[string]bool
	// all says that every name matters that is not hidden.
	all bool
	// info is what the folder was when it came to be watched.
	info fs.FileInfo
}

// foldersOf finds what has to be watched for paths.
func foldersOf(paths []string) folders {
	f := folders{}
	for _, path := range paths {
		absolute, err := filepath.Abs(path)
		if path == "-" || err != nil {
			continue
		}
		f.add(f.reach(absolute, 0))
	}
	return f
}

// maxLinks bounds the links on a way, which may lead in a circle.
const maxLinks = 40

// reach notes the names on the way to a path and through its links, and returns the real path; empty if there is none.
func (f folders) reach(path string, links int) string {
	at := string(filepath.Separator)
	parts := strings.Split(strings.Trim(filepath.ToSlash(path), "/"), "/")
	for i, part := range parts {
		f.name(at, part)
		next := filepath.Join(at, part)
		info, err := os.Lstat(next)
		if err != nil {
			return ""
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if err != nil || links >= maxLinks {
			return ""
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(at, target)
		}
		return f.reach(filepath.Join(append([]string{target}, parts[i+1:]...)...), links+1)
	}
	return at
}

func (f folders) at(path string) *folder {
	if f[path] == nil {
		f[path] = &folder{names: map[string]bool{}}
	}
	return f[path]
}

func (f folders) name(path, name string) { f.at(path).names[name] = true }

// add notes every folder below a path in which manifests are looked for, and what links in them lead to.
func (f folders) add(root string) {
	if root == "" {
		return
	}
	_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil
		case path != root && (strings.HasPrefix(entry.Name(), ".") || ownOutput(path, entry)):
			return skipped(entry)
		case entry.IsDir():
			f.at(path).all = true
		case entry.Type()&fs.ModeSymlink != 0 && manifestName(entry.Name()):
			f.reach(path, 0)
		}
		return nil
	})
}

// concerns says whether an event is about something that matters.
func (w *watch) concerns(event fsnotify.Event) bool {
	directory, name := filepath.Split(event.Name)
	own := w.folders[event.Name] != nil
	f := w.folders[filepath.Clean(directory)]
	if !own && (f == nil || !f.names[name] && (!f.all || strings.HasPrefix(name, "."))) {
		return false
	}
	if !event.Op.Has(fsnotify.Write) {
		w.moved, w.later = true, true
	}
	return true
}

// renew watches what has to be watched now. It is impossible when the system cannot watch so much.
func (w *watch) renew() {
	if !w.moved {
		return
	}
	w.moved = false
	wanted := foldersOf(w.reader.paths)
	watched := map[string]bool{}
	for _, path := range w.watcher.WatchList() {
		watched[path] = true
		if wanted[path] == nil {
			_ = w.watcher.Remove(path)
		}
	}
	for path, f := range wanted {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		f.info = info
		if before := w.folders[path]; watched[path] && before != nil && before.info != nil && os.SameFile(before.info, info) {
			continue
		}
		if watched[path] {
			_ = w.watcher.Remove(path)
		}
		if err := w.watcher.Add(path); errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			w.impossible = err
			return
		}
	}
	w.folders = wanted
}
