package manifest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/internal/access"
)

// Installed is a plugin in its folder, with the executable for this platform. Between Load and Open
// the file may change; only Open, which hashes what it has opened, says what will run.
type Installed struct {
	Manifest   Manifest
	Dir        string // absolute, without symbolic links
	Executable Executable
}

// Path is the file that is run.
func (p Installed) Path() string { return filepath.Join(p.Dir, filepath.FromSlash(p.Executable.Path)) }

// Load reads the manifest in dir and picks the executable for this platform. It does not read the
// executable; see [Installed.Open] and [Verify]. Errors name the folder and the remedy.
func Load(dir string) (Installed, error) {
	p, err := load(dir)
	if err != nil {
		return Installed{}, fmt.Errorf("plugin folder %s: %w", dir, err)
	}
	return p, nil
}

// load is Load without the folder's name in its errors. The order matters: the way to the folder is
// checked before anything in it is believed, and the manifest before the path that it names is
// used.
func load(dir string) (Installed, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Installed{}, err
	}
	if err := access.Way(abs); err != nil { // before links are followed: they must be nobody else's
		return Installed{}, err
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return Installed{}, err
	}
	data, err := readManifest(abs)
	if err != nil {
		return Installed{}, err
	}
	m, err := Parse(data)
	if err != nil {
		return Installed{}, fmt.Errorf("%s: %w", FileName, err)
	}
	exe, err := m.Executable(Platform())
	if err != nil {
		return Installed{}, fmt.Errorf("%s: %w", FileName, err)
	}
	// A repository's manifest has no hashes, as there is no executable yet.
	if exe.SHA256 == "" {
		return Installed{}, fmt.Errorf("%s: the executable for %s has no sha256: seal the folder (make build does it)", FileName, Platform())
	}
	// A manifest could otherwise have a host run any program of the machine. Backslashes are
	// separators on Windows alone, so a manifest with one would mean two things.
	if !filepath.IsLocal(filepath.FromSlash(exe.Path)) || strings.Contains(exe.Path, `\`) || path.Clean(exe.Path) != exe.Path {
		return Installed{}, fmt.Errorf("%s: executable path %q leaves the plugin's folder: use a plain path below it", FileName, exe.Path)
	}
	return Installed{Manifest: m, Dir: abs, Executable: exe}, nil
}

// readManifest reads the file within its limit, through a folder that nobody else can exchange. One
// byte more than the limit is read, to tell a file of exactly that size from a larger one.
func readManifest(dir string) (data []byte, err error) {
	root, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	f, err := openPlain(root, FileName)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err = io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", FileName, MaxBytes)
	}
	return data, nil
}

// List returns the plugins below a folder of plugin folders, by name, and what is wrong with the
// others. A folder without a manifest is no plugin and passed over; one whose name is not its
// plugin's id is wrong. A folder that somebody else may exchange makes the whole list an error: any
// name in it could be theirs.
func List(pluginDir string) ([]Installed, []error) {
	if err := access.Way(pluginDir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, []error{fmt.Errorf("plugin directory %s: %w", pluginDir, err)}
	}
	entries, err := os.ReadDir(pluginDir)
	if err != nil {
		return nil, []error{fmt.Errorf("plugin directory: %w: name one that contains <id>/manifest.json", err)}
	}
	var found []Installed
	var wrong []error
	for _, entry := range entries {
		dir := filepath.Join(pluginDir, entry.Name())
		// Files, and links that lead nowhere, are no plugins.
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		if _, err := os.Lstat(filepath.Join(dir, FileName)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		p, err := Load(dir)
		if err == nil && p.Manifest.ID != entry.Name() {
			err = fmt.Errorf("plugin folder %s: holds plugin %q: rename the folder to %q", dir, p.Manifest.ID, p.Manifest.ID)
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		found = append(found, p)
	}
	return found, wrong
}

// Verify loads the plugin in dir and checks its executable's hash. It is for people and installers.
// A launcher does not use it, as the file could change afterwards.
func Verify(dir string) (Installed, error) {
	p, err := Load(dir)
	if err != nil {
		return Installed{}, err
	}
	f, err := p.Open()
	if err != nil {
		return Installed{}, err
	}
	return p, f.Close()
}

// Open opens the executable and checks the open file against the manifest: a regular file,
// executable, with no symbolic link on the way below the plugin's folder, not writable for group or
// others, of the size and SHA-256 that the manifest names. The caller runs the very file that is
// returned, or a copy made from it, so that nothing can be slipped in between.
func (p Installed) Open() (*os.File, error) {
	f, err := p.open()
	if err != nil {
		return nil, fmt.Errorf("plugin %s: executable %s: %w", p.Manifest.ID, p.Path(), err)
	}
	return f, nil
}

// open is Open without the plugin's name in its errors. The file is hashed through the descriptor
// that is returned: whatever is put at its path later, this is what was checked.
func (p Installed) open() (_ *os.File, err error) {
	root, err := openFolder(p.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	f, err := openPlain(root, p.Executable.Path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if checksModes && info.Mode().Perm()&0o100 == 0 {
		return nil, errors.New("is not executable: chmod u+x it")
	}
	// The whole executable is read, which takes a fraction of a second at each start.
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, err
	}
	want, err := hex.DecodeString(p.Executable.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sha256 in %s: %w", FileName, err)
	}
	// The two lengths are compared as well, so a hash that was cut matches nothing.
	if subtle.ConstantTimeCompare(sum.Sum(nil), want) != 1 || p.Executable.Size != 0 && info.Size() != p.Executable.Size {
		return nil, fmt.Errorf("is not the file that %s names (its SHA-256 or size differs): install the plugin again", FileName)
	}
	// The caller reads or runs it from the beginning.
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return f, nil
}

// openFolder opens a plugin's folder, if nobody else on this machine can put another in its place.
// os.Root then refuses every name that leads out of the folder, by links too.
func openFolder(dir string) (*os.Root, error) {
	if err := access.Way(dir); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// openPlain opens a regular file below root, of which neither it nor a folder on the way is a
// symbolic link, belongs to somebody else, or is writable for group or others. os.Root keeps the
// name below the folder while it is opened; what Root does not look at are owners and modes.
func openPlain(root *os.Root, name string) (*os.File, error) {
	way := "."
	if err := checkOwnerOnly(root, way); err != nil {
		return nil, err
	}
	// Each part on the way is looked at: whoever can write into a folder on it can exchange the
	// file.
	for part := range strings.SplitSeq(name, "/") {
		way = path.Join(way, part)
		info, err := root.Lstat(way)
		if err != nil {
			return nil, err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%s is a symbolic link: put the file itself there", way)
		}
		if err := checkOwnerOnly(root, way); err != nil {
			return nil, err
		}
		if way == name && !info.Mode().IsRegular() { // opening a pipe would wait for its writer
			return nil, fmt.Errorf("%s is not a regular file", name)
		}
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	// Once more, of what was opened: the file may have been exchanged since the look before.
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// checkOwnerOnly refuses what somebody else could write to. The path in its error is that of the
// system, so that the remedy can be pasted.
func checkOwnerOnly(root *os.Root, name string) error {
	info, err := root.Stat(name)
	if err != nil {
		return err
	}
	return access.Unwritable(filepath.Join(root.Name(), name), info)
}
