//go:build unix

package launcher

import (
	"errors"
	"os"
	"syscall"
)

// killGroup kills a process and all its descendants that stayed in its group. The process must not
// have been waited for.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // fails if there is nobody left

// lockFile locks for this process, until the file is closed, or fails at once.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// textBusy reports whether err says that a file cannot be run since somebody has it open for
// writing.
func textBusy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }
