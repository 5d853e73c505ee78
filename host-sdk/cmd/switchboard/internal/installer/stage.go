package installer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/internal/access"
	"github.com/livecallrouting/livecall/host-sdk/internal/shellword"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// Checked is a plugin whose signature, manifest, hashes and platform are in order. It lies where
// Stage or Check has unpacked it.
type Checked struct {
	manifest.Installed
	SignedBy string // id of the trusted key; "": nobody's signature was asked for
}

// Source is what a plugin comes from. It is not trusted.
type Source struct {
	Path string // of an archive, or of a folder with a manifest
	// Its signature's file; "": the one beside the archive, or beside the manifest in the folder.
	Signature string
	Unsigned  bool // nobody's signature is asked for
}

// Check looks at a source as [Folder.Stage] does, and keeps nothing. The returned plugin's folder
// is gone afterwards.
func (f Folder) Check(from Source) (Checked, error) {
	temp, err := os.MkdirTemp("", "switchboard-plugin-")
	if err != nil {
		return Checked{}, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	return f.check(from, temp)
}

// Stage checks a source and puts its plugin beside the versions that are there, from where
// [Folder.Switch] takes it into use. What fails leaves nothing behind. Errors name the source and
// the remedy. The folder must be locked. Staging does not change what is in use.
func (f Folder) Stage(from Source) (Checked, error) {
	if err := f.prepare(); err != nil {
		return Checked{}, err
	}
	// Below the folder itself, so that the rename stays on one file system.
	temp, err := os.MkdirTemp(filepath.Join(f.Path, versionsName), ".new-*")
	if err != nil {
		return Checked{}, fmt.Errorf("plugin directory %s: %w: run this as the user to whom it belongs", f.Path, err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	checked, err := f.check(from, temp)
	if err != nil {
		return Checked{}, err
	}
	m := checked.Manifest
	// The hash tells two builds of one version apart.
	dir := filepath.Join(f.versions(m.ID), m.Version+"-"+checked.Executable.SHA256[:12])
	// The very same build, and whole: nothing has to be done.
	if there, err := manifest.Verify(dir); err == nil && there.Executable == checked.Executable {
		checked.Installed = there
		return checked, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil { //nolint:gosec // the host's user may be another
		return Checked{}, err
	}
	// A version that was damaged is replaced.
	err = errors.Join(os.Chmod(temp, 0o755), os.RemoveAll(dir)) //nolint:gosec // the host's user may be another
	if err == nil {
		err = errors.Join(os.Rename(temp, dir), syncFolder(filepath.Dir(dir)))
	}
	if err != nil {
		return Checked{}, fmt.Errorf("plugin directory %s: %w", f.Path, err)
	}
	checked.Installed, err = manifest.Load(dir)
	return checked, err
}

// prepare makes the folders, if nobody else can exchange what will lie in them. Whoever could write
// to it could have the host run any program.
func (f Folder) prepare() error {
	if f.Packaged() {
		return fmt.Errorf("plugin directory %s: it belongs to a package, whose next upgrade would write over what is changed there: set SWITCHBOARD_PLUGIN_DIR to another folder, here and for the service, and begin with switchboard plugin install --unsigned %s for each plugin in it", f.Path, shellword.Path(filepath.Join(f.Path, "ID")))
	}
	err := os.MkdirAll(filepath.Join(f.Path, versionsName), 0o755) //nolint:gosec // the host's user may be another
	if err == nil {
		err = access.Way(f.Path)
	}
	if err != nil {
		return fmt.Errorf("plugin directory %s: %w: choose one with --plugin-dir, and run this as the user to whom it belongs", f.Path, err)
	}
	return nil
}

// check fills temp with the plugin of a source. Errors begin with the source.
func (f Folder) check(from Source, temp string) (Checked, error) {
	checked, err := f.fill(from, temp)
	if err == nil {
		checked.Installed, err = f.verify(temp)
	}
	if err != nil {
		return Checked{}, fmt.Errorf("%s: %w", from.Path, err)
	}
	return checked, nil
}

// fill checks the signature, then unpacks. Nothing of an archive is looked at before its signature,
// not even the names in it.
func (f Folder) fill(from Source, temp string) (Checked, error) {
	// With a root, no name can lead out of the folder.
	root, err := os.OpenRoot(temp)
	if err != nil {
		return Checked{}, err
	}
	defer func() { _ = root.Close() }()
	into := newUnpacking(root)
	info, err := os.Stat(from.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Checked{}, errors.New("is not there: name the archive of a plugin, or the folder with its " + manifest.FileName)
	}
	if err != nil {
		return Checked{}, plainPathError(err)
	}
	if info.IsDir() {
		return f.fillFromFolder(from, into)
	}
	// Before it is opened: a pipe to which nobody writes would be waited for.
	if !info.Mode().IsRegular() {
		return Checked{}, errNoFile
	}
	data, err := readArchive(from.Path)
	if err != nil {
		return Checked{}, plainPathError(err)
	}
	checked, err := f.signed(from, data, from.Path+SignatureSuffix)
	if err != nil {
		return Checked{}, err
	}
	return checked, unpackArchive(data, into)
}

// fillFromFolder takes the manifest and the executable that it names. Other files are left behind:
// the signature of the manifest says nothing of them. The manifest has the executable's hash, so a
// signature of it covers both.
func (f Folder) fillFromFolder(from Source, into *unpacking) (Checked, error) {
	source, err := os.OpenRoot(from.Path)
	if err != nil {
		return Checked{}, err
	}
	defer func() { _ = source.Close() }()
	text, err := readManifest(source)
	if err != nil {
		return Checked{}, err
	}
	checked, err := f.signed(from, text, filepath.Join(from.Path, manifest.FileName+SignatureSuffix))
	if err != nil {
		return Checked{}, err
	}
	m, err := manifest.Parse(text)
	if err != nil {
		return Checked{}, fmt.Errorf("%s: %w", manifest.FileName, err)
	}
	exe, err := m.Executable(manifest.Platform())
	if err != nil {
		return Checked{}, fmt.Errorf("%s: %w", manifest.FileName, err)
	}
	if !fs.ValidPath(exe.Path) {
		return Checked{}, fmt.Errorf("%s: executable path %q is not a plain path below the folder", manifest.FileName, exe.Path)
	}
	return checked, errors.Join(copyInto(into, source, manifest.FileName), copyInto(into, source, exe.Path))
}

// readManifest reads the manifest of a folder. Lstat: a link could lead anywhere.
func readManifest(source *os.Root) ([]byte, error) {
	info, err := source.Lstat(manifest.FileName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("contains no %s: it is not the folder of a plugin", manifest.FileName)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > manifest.MaxBytes:
		return nil, fmt.Errorf("%s is not a file of at most %d bytes", manifest.FileName, manifest.MaxBytes)
	}
	return source.ReadFile(manifest.FileName)
}

// copyInto copies one file. The size is noted first, so a file that grows meanwhile is an error.
func copyInto(into *unpacking, source *os.Root, name string) (err error) {
	info, err := source.Lstat(name)
	if err != nil {
		return fmt.Errorf("%s: %w: build and seal the folder (make build does it)", name, plainPathError(err))
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file: put the file itself there", name)
	}
	f, err := source.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return into.file(name, info.Size(), f)
}

// signed finds who has signed what, unless that is not asked for. standard is the file of the
// signature where the source names none.
func (f Folder) signed(from Source, what []byte, standard string) (Checked, error) {
	if from.Unsigned {
		return Checked{}, nil
	}
	if from.Signature == "" {
		from.Signature = standard
	}
	key, err := f.signer(what, from.Signature)
	return Checked{SignedBy: key.ID}, err
}

// verify checks an unpacked plugin: its manifest, the hash of its executable, and whether this host
// and this machine can run it. The hash is checked when the executable is opened.
func (f Folder) verify(dir string) (manifest.Installed, error) {
	p, err := manifest.Load(dir)
	if err != nil {
		return p, withoutFolder(err)
	}
	if err := p.Manifest.FitsHost(integration.ProtocolVersion); err != nil {
		return p, err
	}
	if err := os.Chmod(p.Path(), 0o755); err != nil { //nolint:gosec // it is to be run, by the host's user
		return p, fmt.Errorf("executable %s: %w: get the plugin again", p.Executable.Path, plainPathError(err))
	}
	file, err := p.Open()
	if err != nil {
		return p, fmt.Errorf("executable %s: %w", p.Executable.Path, withoutFolder(err))
	}
	return p, file.Close()
}

// withoutFolder leaves out the folder, which is a temporary one, from an error of package manifest.
// People would look for it in vain.
func withoutFolder(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// plainPathError leaves out the operation and the path, which the sentence around it says.
func plainPathError(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
