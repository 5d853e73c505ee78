package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/inspect"
)

// A voicemail message takes a megabyte or two; SQLite needs room to write its log, and to be
// cleaned up.
const (
	lowDisk  = 2 << 30   // bytes
	fullDisk = 100 << 20 // bytes
)

// Disk looks at the room on the disk of the data directory, or of where it will be made. nil where
// the system does not say.
func Disk(dir string) []inspect.Line {
	there := dir
	// The folder is made at the first start; what counts is the disk that it will be on.
	for _, err := os.Stat(there); errors.Is(err, fs.ErrNotExist) && filepath.Dir(there) != there; _, err = os.Stat(there) {
		there = filepath.Dir(there)
	}
	bytes, known := free(there)
	if !known {
		return nil
	}
	return []inspect.Line{room(dir, bytes)}
}

// room judges how many bytes are free. The level follows from the limits above.
func room(dir string, bytes uint64) inspect.Line {
	const mebibyte = 1 << 20
	if bytes < fullDisk {
		return failure("the disk of %s has %d MiB left: make room, as nothing can be written soon, and callers then hear the fallback answer", dir, bytes/mebibyte)
	}
	if bytes < lowDisk {
		return warning("the disk of %s has %d MiB left: make room, or keep recordings for fewer days", dir, bytes/mebibyte)
	}
	return ok("the disk of %s has %d MiB left", dir, bytes/mebibyte)
}
