//go:build unix

package process

import (
	"math"
	"syscall"
)

// OpenFiles is how many files and connections this process may have open. Go has raised what is
// allowed to what may be allowed.
func OpenFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(limit.Cur) //nolint:gosec,unconvert // bounded above; its type differs between systems
}
