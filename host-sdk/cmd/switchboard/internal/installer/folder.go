package installer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/internal/access"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// Folder is the plugin folder of a switchboard. Nobody else than this user and root may write to
// it, or to a folder on the way. Its methods do no locking of their own, but for Recover: see Lock.
type Folder struct{ Path string }

const (
	versionsName = ".versions"
	byHandName   = "installed-by-hand" // the version that somebody put there without the installer
	packagedName = ".package"          // a file by which a package says that the folder is its own
)

// Packaged says whether the folder belongs to a package of the system. Packages write over what is
// in it at each upgrade.
func (f Folder) Packaged() bool {
	_, err := os.Lstat(filepath.Join(f.Path, packagedName))
	return err == nil
}

// versions is where the versions of a plugin lie.
func (f Folder) versions(id string) string { return filepath.Join(f.Path, versionsName, id) }

// link is where a host looks for a plugin.
func (f Folder) link(id string) string { return filepath.Join(f.Path, id) }

// Version loads a version that was staged, by its name. All of it is checked again, as the files
// may have changed since they were staged.
func (f Folder) Version(id, name string) (manifest.Installed, error) {
	// Both come from a request of the API, and become parts of a path.
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

// InUse is the plugin of an id that a host starts; false: none is installed. Its executable is not
// hashed here; the launcher does that before each start.
func (f Folder) InUse(id string) (manifest.Installed, bool) {
	p, err := manifest.Load(f.link(id))
	return p, err == nil
}

// Switch makes a staged version the one in use. A host that reads the folder at any moment finds
// the old or the new one. A folder that somebody put there without the installer becomes a version;
// where the system cannot exchange it at once, it is away for a moment, and [Folder.Recover] knows
// of it. The folder must be locked.
func (f Folder) Switch(p manifest.Installed) error {
	id, link := p.Manifest.ID, f.link(p.Manifest.ID)
	if err := f.point(id, filepath.Join(versionsName, id, filepath.Base(p.Dir))); err != nil {
		return fmt.Errorf("plugin folder %s: %w", link, err)
	}
	return nil
}

// point exchanges what lies at the link of an id for a link to target. At each place where it can
// be killed, the plugin is at its link, or Recover finds it.
func (f Folder) point(id, target string) error {
	link, next, moving := f.link(id), filepath.Join(f.versions(id), ".next"), f.moving(id)
	// What a command that was killed has left: a link, or the folder that it had exchanged for it.
	if err := errors.Join(os.RemoveAll(next), os.RemoveAll(moving)); err != nil {
		return err
	}
	// A link cannot be changed in place, but a rename replaces one at once: so the new link is made
	// beside the old one. Its target is relative, so the whole folder can be moved or mounted
	// elsewhere.
	if err := os.Symlink(target, next); err != nil {
		return err
	}
	info, err := os.Lstat(link)
	byHand := err == nil && info.IsDir()
	// Where the system can, there is no moment without a plugin.
	exchanged := byHand && exchange(next, link) == nil
	switch {
	case exchanged: // the folder lies at next now
		moving = next
	case byHand: // a link cannot be renamed over a folder
		if err := os.Rename(link, moving); err != nil {
			return errors.Join(err, os.Remove(next))
		}
	}
	if !exchanged {
		if err := os.Rename(next, link); err != nil {
			// What was there is put back.
			if byHand {
				err = errors.Join(err, os.Rename(moving, link))
			}
			return errors.Join(err, os.Remove(next))
		}
	}
	if byHand {
		// It can be switched back to, under this name.
		aside := filepath.Join(f.versions(id), byHandName)
		if err := errors.Join(os.RemoveAll(aside), os.Rename(moving, aside)); err != nil {
			return err
		}
	}
	// Renames are on disk only once their folder is.
	return syncFolder(f.Path)
}

// moving is where a folder lies that was put there by hand, while it cannot be exchanged at once.
func (f Folder) moving(id string) string { return filepath.Join(f.versions(id), ".moving") }

// recoverWithin is how long Recover waits for a command that is at work on the folder.
const recoverWithin = 5 * time.Second

// Recover puts back plugins that a command has moved away to exchange them, and was killed before
// it had put others in their place. A host calls it before it looks for plugins. An error names
// where the plugin lies.
func (f Folder) Recover() error {
	// The name of the plugin is the folder's that it lies in.
	moved, err := filepath.Glob(f.moving("*"))
	if err != nil {
		return err
	}
	for _, moving := range moved {
		link := f.link(filepath.Base(filepath.Dir(moving)))
		for deadline := time.Now().Add(recoverWithin); ; time.Sleep(20 * time.Millisecond) {
			if _, err := os.Lstat(link); err == nil {
				break // something is in its place
			}
			release, err := f.Lock()
			if err != nil && time.Now().Before(deadline) {
				continue // the command that moved it may be about to put another one there
			}
			if err == nil {
				// Under the lock, nobody else is putting something there.
				err = errors.Join(os.Rename(moving, link), syncFolder(f.Path))
				release()
			}
			if err != nil {
				return fmt.Errorf("plugin folder %s was being exchanged and lies at %s: %w", link, moving, err)
			}
			break
		}
	}
	return nil
}

// Remove takes a plugin away with all its versions. Processes that run go on until they end. The
// folder must be locked. What needs the plugin is for the caller to ask.
func (f Folder) Remove(id string) error {
	// The id comes from a request or a command line.
	if !filepath.IsLocal(id) || filepath.Base(id) != id {
		return fmt.Errorf("%.80q is not the id of a plugin: switchboard plugin list shows them", id)
	}
	if _, err := os.Lstat(f.link(id)); err != nil {
		return fmt.Errorf("plugin %q is not installed: switchboard plugin list shows those that are", id)
	}
	// Others could have put a link there that leads elsewhere.
	if err := access.Way(f.Path); err != nil {
		return fmt.Errorf("plugin directory %s: %w", f.Path, err)
	}
	// The link first: what is left behind when the second fails starts nothing.
	return errors.Join(os.RemoveAll(f.link(id)), os.RemoveAll(f.versions(id)), syncFolder(f.Path))
}

// Prune removes the versions of a plugin but those named, which somebody may still run. A file that
// is being run can be removed: the process keeps it.
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
