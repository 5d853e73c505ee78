//go:build unix

package installer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Lock keeps other commands from changing the folder, which is made if need be, until release. It
// does not wait. The lock ends with the process, however that ends.
func (f Folder) Lock() (release func(), err error) {
	if err := f.prepare(); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(f.Path, versionsName, ".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("plugin directory %s: %w: run this as the user to whom it belongs", f.Path, plainPathError(err))
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("plugin directory %s: another command is changing it: try again when that has ended", f.Path), lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}
