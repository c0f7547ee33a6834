//go:build linux

package local

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Scratch is a folder for the time that a process lives, which no other user can look into.
type Scratch struct {
	// Folder is its path.
	Folder string
	lock   *os.File
}

const scratchPrefix = "fsmc-up-"

// NewScratch makes a folder among those for temporary files. Folders of this user are removed that other processes could
// not remove when they were killed: a process holds a lock as long as it lives.
func NewScratch() (*Scratch, error) {
	removeStale(os.TempDir())
	folder, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", folder, err), os.RemoveAll(folder))
	}
	return &Scratch{folder, lock}, nil
}

// Make makes a folder in it that is open to every user who gets there, such as that of the sidecars.
func (s *Scratch) Make(name string) (string, error) {
	folder := filepath.Join(s.Folder, name)
	return folder, errors.Join(os.Mkdir(folder, 0o755), os.Chmod(folder, 0o755))
}

// Open lets files that this process makes from now on be read by everybody who gets to them, whatever the umask was: the
// sidecars' user has to. The folder itself stays closed.
func (s *Scratch) Open() { syscall.Umask(0o022) }

// Remove removes it with everything in it.
func (s *Scratch) Remove() error { return errors.Join(os.RemoveAll(s.Folder), s.lock.Close()) }

func removeStale(parent string) {
	folders, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, folder := range folders {
		// One that is new may not have its lock yet.
		if stat, err := os.Lstat(folder); err != nil || !stat.IsDir() || !isMine(stat) || time.Since(stat.ModTime()) < time.Minute {
			continue
		}
		lock, err := lockFile(filepath.Join(folder, "lock"))
		if err != nil {
			continue // Somebody is using it.
		}
		_ = errors.Join(os.RemoveAll(folder), lock.Close())
	}
}

func isMine(stat os.FileInfo) bool {
	owner, ok := stat.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Getuid()
}

// lockFile makes a file and locks it, or fails if somebody else has it locked.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
