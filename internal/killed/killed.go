// Package killed is for tests alone: it runs a program and ends it with SIGKILL before a chosen
// change that it makes to files, so that a test can try every moment at which a power failure or an
// impatient operator may come.
package killed

import (
	"errors"
	"os/exec"
	"slices"
)

// ErrUnsupported is returned where the system's way to follow a program is not known.
var ErrUnsupported = errors.New("programs cannot be followed here")

// Before runs cmd, whose Stdout and Stderr must be files or nil, and kills it before the n-th
// change that it makes to a file; 0: never. It returns the changes that it made or was about to
// make, such as "renameat next-key", and whether it was killed. The exit status is err.
//
// A change is a system call that makes, writes, cuts, renames, links or removes a file below
// folder, or has it written to the disk. cmd may start threads, but no programs.
func Before(cmd *exec.Cmd, folder string, n int) (changes []string, died bool, err error) {
	return before(cmd, folder, n)
}

// Worth are the numbers of changes before which a program is worth killing: all but those that go
// on writing what the change before wrote, of which one in 16 is. most bounds them; 0: all. They
// are spread evenly then, and the last ones are always among them.
func Worth(changes []string, most int) []int {
	var worth []int
	for i, change := range changes {
		if i == 0 || change != changes[i-1] || i%16 == 0 {
			worth = append(worth, i+1)
		}
	}
	const last = 8
	if most <= last || len(worth) <= most {
		return worth
	}
	var some []int
	head := worth[:len(worth)-last]
	for i := range most - last {
		some = append(some, head[i*len(head)/(most-last)])
	}
	return slices.Compact(append(some, worth[len(worth)-last:]...))
}
