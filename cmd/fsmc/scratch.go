package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// scratch is a folder for the time that this process lives.
type scratch struct {
	folder string
	lock   *os.File
}

const scratchPrefix = "fsmc-up-"

// newScratch makes a folder. Those of this user that processes have left behind which could not clean up are removed:
// a process holds a lock as long as it lives.
func newScratch() (*scratch, error) {
	removeStale(os.TempDir())
	folder, err := os.MkdirTemp("", scratchPrefix)
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(folder, "lock"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", folder, err), os.RemoveAll(folder))
	}
	return &scratch{folder, lock}, nil
}

// make makes a folder in it.
func (s *scratch) make(name string) (string, error) {
	folder := filepath.Join(s.folder, name)
	return folder, os.MkdirAll(folder, 0o755)
}

func (s *scratch) remove() { _ = errors.Join(os.RemoveAll(s.folder), s.lock.Close()) }

func removeStale(parent string) {
	folders, err := filepath.Glob(filepath.Join(parent, scratchPrefix+"*"))
	if err != nil {
		return
	}
	for _, folder := range folders {
		stat, err := os.Lstat(folder)
		if err != nil || !stat.IsDir() || !isMine(stat) {
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
