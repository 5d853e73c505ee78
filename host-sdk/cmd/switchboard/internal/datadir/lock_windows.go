package datadir

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// LockName is the file in the data directory that the running host holds open.
const LockName = "lock"

// errSharingViolation is Windows' ERROR_SHARING_VIOLATION.
const errSharingViolation = syscall.Errno(32)

// Lock keeps a second process away from the directory by opening a file that it does not share.
// release gives it back.
func Lock(dir string) (release func(), err error) {
	path, err := syscall.UTF16PtrFromString(filepath.Join(dir, LockName))
	if err != nil {
		return nil, fmt.Errorf("data directory %s: %w", dir, err)
	}
	h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, errSharingViolation):
		return nil, &InUseError{fmt.Sprintf("data directory %s: another switchboard is using it: stop that one, or choose another --data-dir", dir)}
	case err != nil:
		return nil, fmt.Errorf("data directory %s: cannot be written: %w", dir, err)
	}
	return func() { _ = syscall.CloseHandle(h) }, nil
}
