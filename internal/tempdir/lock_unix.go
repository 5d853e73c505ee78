//go:build unix

package tempdir

import (
	"errors"
	"os"
	"syscall"
)

// lock locks for this process until the file is closed, and waits for whoever has it locked.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// tryLock is lock that does not wait.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
