package launcher

import (
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/livecallrouting/livecall/internal/tempdir"
)

const (
	dirPrefix = "lcr-plugin-"
	// randomName is the longest that a random file name's digits get.
	randomName = 10
	// socketName is what go-plugin calls its socket, besides the digits.
	socketName = "/plugin"
)

// socketPathLimit is the longest path of a Unix socket, without its end: sun_path has 108 bytes on
// Linux, 104 elsewhere.
func socketPathLimit() int {
	if runtime.GOOS == "linux" {
		return 107
	}
	return 103
}

// newPrivateDir makes a directory below base for the socket and the temporary files of one process.
// What a killed host has left there, Launch removes. It is for this user alone: whoever can open
// the socket's folder could try to talk to the plugin. A path that would be too long is refused
// here, as the error of the system would not say why.
func newPrivateDir(base string) (*tempdir.Dir, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	room := socketPathLimit() - len(socketName) - randomName - len("/"+dirPrefix) - randomName
	if len(base) > room {
		return nil, fmt.Errorf("the directory for its socket, %q, has %d bytes where at most %d fit a socket's path: set a shorter SocketDir or TMPDIR", base, len(base), room)
	}
	dir, err := tempdir.New(base, dirPrefix)
	if err != nil {
		return nil, fmt.Errorf("the directory for its socket cannot be made: %w: set SocketDir or TMPDIR to a writable one", err)
	}
	return dir, nil
}
