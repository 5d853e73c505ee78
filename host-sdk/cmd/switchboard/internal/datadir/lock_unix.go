//go:build unix

package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// LockName is the file in the data directory that the running host holds locked.
const LockName = "lock"

// Lock keeps a second process away from the directory. The lock is the kernel's: it goes with the
// process, however that ends. release gives it back.
func Lock(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, LockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory %s: cannot be written: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory %s: cannot be locked: %w", dir, err)
		}
		holder := "another switchboard"
		if pid, err := os.ReadFile(f.Name()); err == nil && len(pid) > 0 {
			holder += " (process " + strings.TrimSpace(string(pid)) + ")"
		}
		return nil, &InUseError{fmt.Sprintf("data directory %s: %s is using it: stop that one, or choose another --data-dir", dir, holder)}
	}
	// Whoever made the folder for nothing has removed the file meanwhile: the lock would keep
	// nobody away.
	if locked, err := f.Stat(); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data directory %s: cannot be locked: %w", dir, err)
	} else if there, err := os.Stat(f.Name()); err != nil || !os.SameFile(locked, there) {
		_ = f.Close()
		return nil, &InUseError{fmt.Sprintf("data directory %s: another switchboard was about to use it: try again", dir)}
	}
	// The number is for the message above alone; what counts is the lock.
	if err := f.Truncate(0); err == nil {
		_, _ = fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return func() { _ = f.Close() }, nil
}
