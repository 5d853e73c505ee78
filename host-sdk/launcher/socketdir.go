package launcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	dirPrefix = "lcr-plugin-"
	// randomName is the longest that a random file name's digits get.
	randomName = 10
	// socketName is what go-plugin calls its socket, besides the digits.
	socketName = "/plugin"
	// sweepAge keeps a sweep away from a directory that another host is just making.
	sweepAge = time.Minute
)

// socketPathLimit is the longest path of a Unix socket, without its end: sun_path has 108 bytes on
// Linux, 104 elsewhere.
func socketPathLimit() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// privateDir is a directory that only this user can enter, for the socket and the temporary files
// of one process. It is locked while in use, so that a later host can tell what a killed one has
// left behind.
type privateDir struct {
	path string
	lock *os.File
}

// newPrivateDir makes one below base.
func newPrivateDir(base string) (*privateDir, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	room := socketPathLimit() - len(socketName) - randomName - len("/"+dirPrefix) - randomName
	if len(base) > room {
		return nil, fmt.Errorf("the directory for its socket, %q, has %d bytes where at most %d fit a socket's path: set a shorter SocketDir or TMPDIR", base, len(base), room)
	}
	path, err := os.MkdirTemp(base, dirPrefix)
	if err != nil {
		return nil, fmt.Errorf("the directory for its socket cannot be made: %w: set SocketDir or TMPDIR to a writable one", err)
	}
	lock, err := os.Open(path) //nolint:gosec // made just now
	if err == nil {
		err = lockFile(lock)
	}
	if err != nil {
		if lock != nil {
			_ = lock.Close()
		}
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return &privateDir{path: path, lock: lock}, nil
}

// remove removes the directory with what is in it, and lets go of its lock last.
func (d *privateDir) remove() error {
	return errors.Join(os.RemoveAll(d.path), d.lock.Close())
}

// sweep removes the directories below base that a killed host has left behind.
func sweep(base string, now time.Time) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return // newPrivateDir says why
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || !strings.HasPrefix(entry.Name(), dirPrefix) || now.Sub(info.ModTime()) < sweepAge {
			continue
		}
		path := filepath.Join(base, entry.Name())
		lock, err := os.Open(path) //nolint:gosec // another user's cannot be opened
		if err != nil {
			continue
		}
		if lockFile(lock) == nil {
			_ = os.RemoveAll(path) // another sweep may have been faster
		}
		_ = lock.Close()
	}
}
