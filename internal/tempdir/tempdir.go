// Package tempdir makes temporary directories that do not stay when the process that made them is
// killed: a later process removes those whose owner has ended.
//
//	tempdir.go      Dir, New and Sweep
//	lock_unix.go    how a directory is locked while it is in use
//	lock_other.go   systems without such locks
package tempdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Dir is a directory that only this user can enter. It is locked while it is in use, so that
// another process can tell that its owner has ended, however that ended: the lock ends with the
// process.
type Dir struct {
	Path string
	lock *os.File
}

// New makes a directory below base, "" for the system's temporary directory, whose name is prefix
// and random digits.
func New(base, prefix string) (*Dir, error) {
	for {
		path, err := os.MkdirTemp(base, prefix)
		if err != nil {
			return nil, err
		}
		d := &Dir{Path: path}
		if d.lock, err = os.Open(path); err == nil {
			err = lock(d.lock)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, d.Remove())
		}
		if err == nil && d.current() {
			return d, nil
		}
		// Somebody's Sweep came between the directory and its lock.
		_ = d.Remove()
	}
}

// current reports whether the directory that is locked is still the one at the path.
func (d *Dir) current() bool {
	locked, err := d.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(d.Path)
	return err == nil && os.SameFile(locked, there)
}

// Remove removes the directory with what is in it, and lets go of its lock last.
func (d *Dir) Remove() error {
	err := os.RemoveAll(d.Path)
	if d.lock == nil {
		return err
	}
	return errors.Join(err, d.lock.Close())
}

// Sweep removes the directories of New with this base and prefix whose owner has ended. It does not
// touch what another user owns, and what cannot be removed it leaves to a later call.
func Sweep(base, prefix string) {
	if base == "" {
		base = os.TempDir()
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		return // New says why
	}
	for _, entry := range entries {
		digits, named := strings.CutPrefix(entry.Name(), prefix)
		if named && entry.IsDir() && strings.Trim(digits, "0123456789") == "" {
			removeAbandoned(filepath.Join(base, entry.Name()))
		}
	}
}

func removeAbandoned(path string) {
	dir, err := os.Open(path) //nolint:gosec // it is locked and removed, not read
	if err != nil {
		return // another user's, or removed just now
	}
	defer func() { _ = dir.Close() }()
	if tryLock(dir) {
		_ = os.RemoveAll(path) // another sweep may have been faster
	}
}
