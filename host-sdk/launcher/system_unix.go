//go:build unix

package launcher

import (
	"errors"
	"syscall"
)

// killGroup kills a process and all its descendants that stayed in its group. The process must not
// have been waited for.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) } // fails if there is nobody left

// textBusy reports whether err says that a file cannot be run since somebody has it open for
// writing.
func textBusy(err error) bool { return errors.Is(err, syscall.ETXTBSY) }
