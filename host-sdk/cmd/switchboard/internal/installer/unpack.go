package installer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// Limits of what is unpacked. A plugin is one executable of some 20 MB and a few files beside it.
const (
	maxUnpacked = 512 << 20 // bytes of all files together
	maxEntries  = 1000      // files and folders
	maxName     = 200       // bytes of a path
	maxDepth    = 10        // folders in a path
)

// unpacking writes files below a folder, and refuses names and sizes that no honest plugin has. One
// is used for one plugin.
type unpacking struct {
	root    *os.Root
	left    int64             // bytes that may still be written
	entries int               // so far
	kinds   map[string]kind   // by name in lower case
	names   map[string]string // the same names as they were written
}

// kind is what an entry is. It tells a folder that comes twice, which is usual, from a file that
// does.
type kind string

const (
	aFile   kind = "file"
	aFolder kind = "folder"
)

// newUnpacking writes below root.
func newUnpacking(root *os.Root) *unpacking {
	return &unpacking{root: root, left: maxUnpacked, kinds: map[string]kind{}, names: map[string]string{}}
}

// folder makes a folder. One that is there already is no error.
func (u *unpacking) folder(name string) error {
	name = strings.TrimSuffix(name, "/")
	if err := checkName(name); err != nil {
		return err
	}
	return u.makeFolder(name)
}

// makeFolder makes a folder with those above it, whose names have been checked with it.
func (u *unpacking) makeFolder(name string) error {
	if parent := path.Dir(name); parent != "." {
		if err := u.makeFolder(parent); err != nil {
			return err
		}
	}
	there, err := u.enter(name, aFolder)
	if err != nil || there {
		return err
	}
	if err := u.root.Mkdir(name, 0o755); err != nil {
		return err
	}
	return u.root.Chmod(name, 0o755) // whatever the umask is
}

// file writes a file of a declared size. More or fewer bytes are an error, as soon as it is known.
// Nobody can run it: verify makes the one executable so.
func (u *unpacking) file(name string, size int64, content io.Reader) (err error) {
	if err := checkName(name); err != nil {
		return err
	}
	if size < 0 || size > u.left {
		return fmt.Errorf("%q declares %d bytes: at most %d MiB are unpacked in all", name, size, int64(maxUnpacked)>>20)
	}
	if parent := path.Dir(name); parent != "." {
		if err := u.makeFolder(parent); err != nil {
			return err
		}
	}
	if there, err := u.enter(name, aFile); err != nil {
		return err
	} else if there {
		return fmt.Errorf("%q comes twice", name)
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// What is declared counts, before a byte of it is read.
	u.left -= size
	// One byte more is read, to find a file that is longer than it says.
	written, err := io.Copy(f, io.LimitReader(content, size+1))
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	if written != size {
		return fmt.Errorf("%q has other than its %d bytes", name, size)
	}
	// Modes are ours: an archive could ask for set-user-id.
	return errors.Join(f.Chmod(0o644), f.Sync())
}

// enter notes a name, and reports whether a folder of that name is there already. Names that differ
// in case alone would be one file on some systems, and two on others. An error is a name that means
// two things.
func (u *unpacking) enter(name string, what kind) (there bool, err error) {
	folded := strings.ToLower(name)
	if was, known := u.kinds[folded]; known {
		switch {
		case u.names[folded] != name:
			return false, fmt.Errorf("%q and %q differ in upper and lower case alone", u.names[folded], name)
		case was != what:
			return false, fmt.Errorf("%q is a file and a folder", name)
		}
		return true, nil
	}
	if u.entries++; u.entries > maxEntries {
		return false, fmt.Errorf("it holds more than %d files and folders", maxEntries)
	}
	u.kinds[folded], u.names[folded] = what, name
	return false, nil
}

// checkName accepts plain relative paths of ASCII letters, digits and a few signs: anything else
// means something else on some system. A full stop at the end is dropped by Windows; control
// characters change what a terminal shows.
func checkName(name string) error {
	if len(name) == 0 || len(name) > maxName {
		return fmt.Errorf("%.40q is a name of %d bytes: 1 to %d are accepted", name, len(name), maxName)
	}
	if !fs.ValidPath(name) || name == "." || strings.Count(name, "/") >= maxDepth {
		return fmt.Errorf("%q is not a plain path below the plugin's folder", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasSuffix(part, ".") {
			return fmt.Errorf("%q has a part that ends with a full stop", name)
		}
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-+/ @", r) {
			return fmt.Errorf("%q contains %q: names consist of ASCII letters, digits, spaces and . _ - + @", name, r)
		}
	}
	return nil
}
