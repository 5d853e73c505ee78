package settings

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// TestExit makes this process end at once, as a crash would, at a commit on the database: tests of
// several hosts try each. The zero value never does. The settings accept it, and the documentation
// does not name it.
type TestExit struct {
	After bool
	N     int64
	File  string
}

// parseTestExit reads "before:N@FILE" or "after:N@FILE": before or after the N-th commit since FILE
// is there. FILE gets a byte for each of these commits, so that its size is their number.
func parseTestExit(text string) (TestExit, error) {
	if text == "" {
		return TestExit{}, nil
	}
	when, rest, _ := strings.Cut(text, ":")
	number, file, _ := strings.Cut(rest, "@")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || file == "" || when != "before" && when != "after" {
		return TestExit{}, fmt.Errorf("want before:N@FILE or after:N@FILE")
	}
	return TestExit{when == "after", n, file}, nil
}

// Wanted reports whether the process is to end at all.
func (e TestExit) Wanted() bool { return e.File != "" }

// Before is to be called before each commit. One at a time: with several writers each has a number.
// Two processes may count in the same file.
func (e TestExit) Before() {
	n, counted := e.count()
	if counted && !e.After && n == e.N {
		os.Exit(exitStatus)
	}
}

// Made is to be called once a commit has been made. It does not count: Before has.
func (e TestExit) Made() {
	info, err := os.Stat(e.File)
	if err == nil && e.After && info.Size() >= e.N && e.N > 0 {
		os.Exit(exitStatus)
	}
}

// exitStatus tells the end that was wished for from others.
const exitStatus = 70

// count adds a commit to the file, if it is there, and returns its number. false: nothing is
// counted yet, as the test has not made the file.
func (e TestExit) count() (int64, bool) {
	f, err := os.OpenFile(e.File, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString("."); err != nil {
		return 0, false
	}
	n, err := f.Seek(0, 1) // with O_APPEND: behind what was just written
	return n, err == nil
}
