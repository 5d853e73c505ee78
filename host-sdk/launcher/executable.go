package launcher

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// executable is a checked file that is ready to be run. Whoever prepares one must close it once the
// process has been started.
type executable struct {
	installed manifest.Installed
	path      string   // what to execute
	file      *os.File // handed to the process as descriptor 3; nil for a copy
	before    os.FileInfo
}

// prepare checks the executable's hash and returns a path that leads to the checked file even if
// another is put in its place meanwhile: the open descriptor where the system can run one, else a
// copy in the process's private directory.
func prepare(p manifest.Installed, dir string) (*executable, error) {
	f, err := p.Open()
	if err != nil {
		return nil, err
	}
	// On Linux /proc/self/fd/3 runs the very file that was hashed, whatever is at its path by then.
	if canRunDescriptors() {
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &executable{installed: p, path: descriptorPath, file: f, before: info}, nil
	}
	defer func() { _ = f.Close() }()
	path := filepath.Join(dir, filepath.Base(p.Path()))
	if err := copyChecked(path, f, p.Executable.SHA256); err != nil {
		return nil, fmt.Errorf("private copy of %s: %w", p.Path(), err)
	}
	return &executable{installed: p, path: path}, nil
}

// confirm is asked once the file runs, when it cannot be written any more: whether it is still what
// was checked. Between the hash and the start somebody who may write to the file could have changed
// it in place; from the start on the system refuses that (ETXTBSY). A copy is private, so there is
// nothing to ask.
func (e *executable) confirm() error {
	if e.file == nil {
		return nil
	}
	after, err := e.file.Stat()
	if err != nil {
		return err
	}
	// The usual case, without reading the file once more.
	if sameContent(e.before, after) {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(e.file, 0, after.Size())); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != e.installed.Executable.SHA256 {
		return fmt.Errorf("executable %s was changed while it was started: install the plugin again", e.installed.Path())
	}
	return nil
}

// close ends our hold on the file. The process has its own.
func (e *executable) close() {
	_ = e.file.Close() // an error where there is none, or not any more
}

// copyChecked copies a file, and checks the copy: what was copied is what is run.
func copyChecked(path string, from io.Reader, want string) error {
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700) //nolint:gosec // must be executable
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(to, sum), from)
	if err = errors.Join(err, to.Close()); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != want {
		return errors.New("the file changed while it was copied: install the plugin again")
	}
	return nil
}
