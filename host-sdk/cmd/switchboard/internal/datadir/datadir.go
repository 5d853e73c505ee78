// Package datadir knows what lies in a host's data directory, for the host itself and for the
// commands beside it: who holds the directory, where that process listens, and which database
// belongs to it.
//
//	datadir.go   Prepare: the directory, for its owner alone
//	lock_*.go    Lock: one process per data directory
//	address.go   where the running host can be asked
//	database.go  where the database is, whether there is one, opening it; whether a host runs
package datadir

import (
	"fmt"
	"os"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/internal/access"
)

// InUseError says that another process holds the data directory. Commands tell it from other
// errors, and ask that process.
type InUseError struct{ text string }

// Error implements error.
func (e *InUseError) Error() string { return e.text }

// Prepare makes the directory, for the owner alone, and finds out now whether it can be written.
func Prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory %s: cannot be created: %w", dir, wording.RootCause(err))
	}
	if err := access.Way(dir); err != nil {
		return fmt.Errorf("data directory %s: other users could exchange its files: %w", dir, err)
	}
	// Tried and not read from the mode: a read-only mount, a quota and access lists do not show
	// there.
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("data directory %s: cannot be written: %w: give this user the directory, or choose another --data-dir", dir, wording.RootCause(err))
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}
