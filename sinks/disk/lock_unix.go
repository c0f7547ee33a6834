//go:build unix

package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// lock keeps other runs out of a folder, and waits while one is in it. The lock goes with the process.
func lock(ctx context.Context, root *os.Root) (unlock func(), err error) {
	folder, err := root.Open(".")
	if err != nil {
		return func() {}, err
	}
	unlock = func() { _ = folder.Close() }
	for {
		err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return unlock, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return unlock, fmt.Errorf("lock %s: %w", root.Name(), err)
		}
		select {
		case <-ctx.Done():
			return unlock, fmt.Errorf("another fsmc is writing into %s: %w", root.Name(), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
