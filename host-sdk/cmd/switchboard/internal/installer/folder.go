package installer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/internal/access"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// Folder is the plugin folder of a switchboard. Nobody else than this user and root may write to it,
// or to a folder on the way.
type Folder struct{ Path string }

const (
	versionsName = ".versions"
	byHandName   = "installed-by-hand" // the version that somebody put there without the installer
)

// versions is where the versions of a plugin lie.
func (f Folder) versions(id string) string { return filepath.Join(f.Path, versionsName, id) }

// link is where a host looks for a plugin.
func (f Folder) link(id string) string { return filepath.Join(f.Path, id) }

// Version loads a version that was staged, by its name.
func (f Folder) Version(id, name string) (manifest.Installed, error) {
	if !filepath.IsLocal(id) || filepath.Base(id) != id || !filepath.IsLocal(name) || filepath.Base(name) != name {
		return manifest.Installed{}, fmt.Errorf("%q of plugin %q is not the name of a version", name, id)
	}
	dir := filepath.Join(f.versions(id), name)
	p, err := manifest.Verify(dir)
	if err == nil && p.Manifest.ID != id {
		err = fmt.Errorf("plugin folder %s: holds plugin %q", dir, p.Manifest.ID)
	}
	return p, err
}

// InUse is the plugin of an id that a host starts; false: none is installed.
func (f Folder) InUse(id string) (manifest.Installed, bool) {
	p, err := manifest.Load(f.link(id))
	return p, err == nil
}

// Switch makes a staged version the one in use. A host that reads the folder at any moment finds the
// old or the new one. A folder that somebody put there without the installer becomes a version first.
func (f Folder) Switch(p manifest.Installed) error {
	id, link := p.Manifest.ID, f.link(p.Manifest.ID)
	undo := func() error { return nil }
	if info, err := os.Lstat(link); err == nil && info.IsDir() {
		aside := filepath.Join(f.versions(id), byHandName)
		if err := errors.Join(os.RemoveAll(aside), os.Rename(link, aside)); err != nil {
			return fmt.Errorf("plugin folder %s: %w", link, err)
		}
		undo = func() error { return os.Rename(aside, link) }
	}
	err := f.point(id, filepath.Join(versionsName, id, filepath.Base(p.Dir)))
	if err != nil {
		return fmt.Errorf("plugin folder %s: %w", link, errors.Join(err, undo()))
	}
	return nil
}

// point exchanges the link of an id for one to target, at once.
func (f Folder) point(id, target string) error {
	next := filepath.Join(f.versions(id), ".next")
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, next); err != nil {
		return err
	}
	if err := os.Rename(next, f.link(id)); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return syncFolder(f.Path)
}

// Remove takes a plugin away with all its versions. Processes that run go on until they end.
func (f Folder) Remove(id string) error {
	if !filepath.IsLocal(id) || filepath.Base(id) != id {
		return fmt.Errorf("%.80q is not the id of a plugin: switchboard plugin list shows them", id)
	}
	if _, err := os.Lstat(f.link(id)); err != nil {
		return fmt.Errorf("plugin %q is not installed: switchboard plugin list shows those that are", id)
	}
	if err := access.Way(f.Path); err != nil {
		return fmt.Errorf("plugin directory %s: %w", f.Path, err)
	}
	// The link first: what is left behind when the second fails starts nothing.
	return errors.Join(os.RemoveAll(f.link(id)), os.RemoveAll(f.versions(id)), syncFolder(f.Path))
}

// Prune removes the versions of a plugin but those named, which somebody may still run.
func (f Folder) Prune(id string, keep ...manifest.Installed) error {
	entries, err := os.ReadDir(f.versions(id))
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, p := range keep {
		if filepath.Base(filepath.Dir(p.Dir)) == id {
			names[filepath.Base(p.Dir)] = true
		} else {
			names[byHandName] = true // where Switch has put it
		}
	}
	var errs []error
	for _, entry := range entries {
		if !names[entry.Name()] {
			errs = append(errs, os.RemoveAll(filepath.Join(f.versions(id), entry.Name())))
		}
	}
	return errors.Join(errs...)
}

// syncFolder makes a change of names in a folder last through a power failure.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeWhole replaces a file at once, for everybody to read.
func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
