//go:build linux

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// memoryFile is a file without a name that holds text, to be read from its beginning.
func memoryFile(text string) (*os.File, error) {
	fd, err := unix.MemfdCreate("text", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "text")
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
