package installer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// installs stages a version and takes it into use.
func installs(t *testing.T, f Folder, p publisher, version string) Checked {
	t.Helper()
	entries := plugin(version)
	staged, err := f.Stage(Source{Path: p.publish(t, pack(t, entries...))})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Switch(staged.Installed); err != nil {
		t.Fatal(err)
	}
	return staged
}

// inUse is the version that a host would start.
func inUse(t *testing.T, f Folder) string {
	t.Helper()
	found, wrong := manifest.List(f.Path)
	if len(found) != 1 || len(wrong) != 0 {
		t.Fatalf("a host finds %v, and says %v", found, wrong)
	}
	return found[0].Manifest.Version
}

func TestVersionsLieBesideEachOther(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	first := installs(t, f, p, "1.0.0")
	if first.SignedBy != p.key().ID || inUse(t, f) != "1.0.0" {
		t.Errorf("signed by %q, in use %s", first.SignedBy, inUse(t, f))
	}
	staged, err := f.Stage(Source{Path: p.publish(t, pack(t, plugin("2.0.0")...))})
	if err != nil || inUse(t, f) != "1.0.0" {
		t.Fatalf("staged: %v; in use %s, want the old one until it is switched", err, inUse(t, f))
	}
	if found, err := f.Version("fake", filepath.Base(staged.Dir)); err != nil || found.Manifest.Version != "2.0.0" {
		t.Errorf("the staged version is found as %+v, %v", found, err)
	}
	if err := f.Switch(staged.Installed); err != nil || inUse(t, f) != "2.0.0" {
		t.Errorf("switched: %v, in use %s", err, inUse(t, f))
	}
	if _, err := manifest.Verify(first.Dir); err != nil {
		t.Errorf("a process of the old version may run still, but it is gone: %v", err)
	}
	if err := f.Prune("fake", staged.Installed); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first.Dir); !os.IsNotExist(err) {
		t.Errorf("the old version is there still: %v", err)
	}
	again := installs(t, f, p, "2.0.0")
	if again.Dir != staged.Dir {
		t.Errorf("the same version again lies in %s, want %s", again.Dir, staged.Dir)
	}
	if err := f.Remove("fake"); err != nil {
		t.Fatal(err)
	}
	if found, wrong := manifest.List(f.Path); len(found) != 0 || len(wrong) != 0 {
		t.Errorf("removed, but a host finds %v and says %v", found, wrong)
	}
	if err := f.Remove("fake"); err == nil || !strings.Contains(err.Error(), "is not installed") {
		t.Errorf("removed twice: %v", err)
	}
}

// What a release archive or an operator has put there becomes a version.
func TestAFolderThatWasPutThereByHandIsReplaced(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	write(t, filepath.Join(f.Path, "fake", manifest.FileName), manifestText("0.9.0"))
	write(t, filepath.Join(f.Path, "fake", "bin", "fake"), program)
	if err := os.Chmod(filepath.Join(f.Path, "fake", "bin", "fake"), 0o700); err != nil {
		t.Fatal(err)
	}
	old, ok := f.InUse("fake")
	if !ok || inUse(t, f) != "0.9.0" {
		t.Fatalf("before: %+v", old)
	}
	next := installs(t, f, p, "1.0.0")
	if err := f.Prune("fake", old, next.Installed); err != nil {
		t.Fatal(err)
	}
	if kept, err := f.Version("fake", byHandName); inUse(t, f) != "1.0.0" || err != nil || kept.Manifest.Version != "0.9.0" {
		t.Errorf("in use %s; the one before: %+v, %v", inUse(t, f), kept, err)
	}
}

// byHand makes the plugin of a folder one that somebody has put there without the installer.
func byHand(t *testing.T, f Folder, version string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(f.Path, "fake")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(f.Path, "fake", manifest.FileName), manifestText(version))
	write(t, filepath.Join(f.Path, "fake", "bin", "fake"), program)
	if err := os.Chmod(filepath.Join(f.Path, "fake", "bin", "fake"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// Whoever looks while a folder that was put there by hand is exchanged finds a plugin, at every
// moment.
func TestAFolderByHandIsExchangedAtOnce(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	write(t, a, "a")
	write(t, b, "b")
	if err := exchange(a, b); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("folders cannot change places: %v", err) // a skip would hide that it is broken
		}
		t.Skipf("this file system cannot exchange: %v", err)
	}
	staged, err := f.Stage(Source{Path: p.publish(t, pack(t, plugin("1.0.0")...))})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		byHand(t, f, "0.9.0")
		done, missing := make(chan struct{}), make(chan int, 1)
		go func() {
			n := 0
			for {
				if _, err := os.Stat(filepath.Join(f.Path, "fake", manifest.FileName)); err != nil {
					n++
				}
				select {
				case <-done:
					missing <- n
					return
				default:
				}
			}
		}()
		err := f.Switch(staged.Installed)
		close(done)
		if n := <-missing; err != nil || n > 0 || inUse(t, f) != "1.0.0" {
			t.Fatalf("%v; the plugin was away %d times; in use %s", err, n, inUse(t, f))
		}
	}
}

// A command that was killed between the two renames has left no plugin: a start puts it back. What
// has another in its place is left to the next command, and a plugin that was removed stays away.
func TestAPluginThatWasMovedAwayIsPutBack(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	byHand(t, f, "0.9.0")
	if err := os.MkdirAll(f.versions("fake"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.link("fake"), f.moving("fake")); err != nil {
		t.Fatal(err)
	}
	if err := f.Recover(); err != nil || inUse(t, f) != "0.9.0" {
		t.Fatalf("%v; in use %s", err, inUse(t, f))
	}
	installs(t, f, p, "1.0.0")
	write(t, filepath.Join(f.moving("fake"), "left"), "of a killed command")
	if err := f.Recover(); err != nil || inUse(t, f) != "1.0.0" {
		t.Errorf("%v; in use %s", err, inUse(t, f))
	}
	if installs(t, f, p, "2.0.0"); inUse(t, f) != "2.0.0" {
		t.Errorf("in use %s", inUse(t, f))
	}
	if err := f.Remove("fake"); err != nil {
		t.Fatal(err)
	}
	if err := f.Recover(); err != nil {
		t.Error(err)
	}
	if found, _ := manifest.List(f.Path); len(found) != 0 {
		t.Errorf("a removed plugin is back: %v", found)
	}
}

func TestAFolderIsInstalledByTheSignatureOfItsManifest(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, manifest.FileName), manifestText("1.0.0"))
	write(t, filepath.Join(dir, manifest.FileName+SignatureSuffix), string(minisign.Sign(p.secret, []byte(manifestText("1.0.0")))))
	write(t, filepath.Join(dir, "bin", "fake"), program)
	write(t, filepath.Join(dir, "unsigned.txt"), "x")
	staged, err := f.Stage(Source{Path: dir})
	if err != nil || staged.SignedBy != p.key().ID {
		t.Fatalf("signed by %q, error %v", staged.SignedBy, err)
	}
	if _, err := os.Stat(filepath.Join(staged.Dir, "unsigned.txt")); !os.IsNotExist(err) {
		t.Errorf("a file that the signature does not cover was installed: %v", err)
	}
	for _, tt := range []struct{ name, text, want string }{
		{filepath.Join("bin", "fake"), program + "#", "its SHA-256 or size differs"},
		{manifest.FileName, manifestText("2.0.0"), "does not fit"},
	} {
		write(t, filepath.Join(dir, tt.name), tt.text)
		if _, err := f.Stage(Source{Path: dir}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("another %s: error %v, want one that contains %q", tt.name, err, tt.want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "bin", "fake")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/bin/sh", filepath.Join(dir, "bin", "fake")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, manifest.FileName), manifestText("1.0.0"))
	if _, err := f.Stage(Source{Path: dir}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a link as executable: error %v", err)
	}
	for source, want := range map[string]string{
		t.TempDir():                        "contains no manifest.json",
		filepath.Join(dir, "nothing"):      "is not there: name the archive of a plugin",
		"/dev/null":                        "neither a file nor a folder",
		filepath.Join(dir, "unsigned.txt"): "there is no signature",
	} {
		if _, err := f.Stage(Source{Path: source}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), source) {
			t.Errorf("%s: error %v, want one with its name that contains %q", source, err, want)
		}
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	if added, err := f.Trust(p.key()); added || err != nil {
		t.Errorf("a key twice: new %v, error %v", added, err)
	}
	text, err := p.public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), "minisign.pub")
	write(t, named, string(text))
	for _, given := range []string{named, p.public.String(), string(text)} {
		if key, err := ParseKey(given); err != nil || key.ID != p.key().ID {
			t.Errorf("%q is read as %+v, %v", given, key, err)
		}
	}
	for _, given := range []string{"", "RWQ", "nothing.pub", t.TempDir()} {
		if _, err := ParseKey(given); err == nil {
			t.Errorf("%q is read as a key", given)
		}
	}
	if err := f.Distrust("0123"); err == nil || !strings.Contains(err.Error(), "plugin trust shows") {
		t.Errorf("an unknown key is distrusted: %v", err)
	}
	// Somebody who can write a key beside ours could install anything.
	path := filepath.Join(f.trusted(), p.key().ID+keySuffix)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Trusted(); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("a key that others may write: %v", err)
	}
	write(t, path, "rubbish")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Trusted(); err == nil || !strings.Contains(err.Error(), "trust the key again") {
		t.Errorf("a file that is no key: %v", err)
	}
	if err := os.Rename(path, filepath.Join(f.trusted(), "0000000000000000.pub")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(f.trusted(), "0000000000000000.pub"), string(text))
	if _, err := f.Trusted(); err == nil || !strings.Contains(err.Error(), "holds the key "+p.key().ID) {
		t.Errorf("a key under another's name: %v", err)
	}
}

func TestOneCommandAtATimeChangesTheFolder(t *testing.T) {
	t.Parallel()
	f, _ := newFolder(t)
	release, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Lock(); err == nil || !strings.Contains(err.Error(), "another command is changing it") {
		t.Errorf("a second command: %v", err)
	}
	release()
	again, err := f.Lock()
	if err != nil {
		t.Fatal(err)
	}
	again()
	for _, id := range []string{"..", "a/b", "", ".versions/x"} {
		if err := f.Remove(id); err == nil {
			t.Errorf("%q is removed", id)
		}
		if _, err := f.Version(id, "x"); err == nil {
			t.Errorf("a version of %q is found", id)
		}
	}
	if _, err := f.Version("fake", "../../.."); err == nil {
		t.Error("a version elsewhere is found")
	}
}

// A package writes over its files when it is upgraded, through links too: what is changed among
// them would be half of one version and half of another.
func TestAFolderOfAPackageIsLeftAlone(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	byHand(t, f, "0.9.0")
	write(t, filepath.Join(f.Path, packagedName), "livecall")
	before := content(t, f.Path)
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "belongs to a package") || !strings.Contains(err.Error(), "SWITCHBOARD_PLUGIN_DIR") ||
			!strings.Contains(err.Error(), "--unsigned '"+f.Path+"/ID' for") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := f.Stage(Source{Path: p.publish(t, pack(t, plugin("1.0.0")...))})
	refused("a plugin is put there", err)
	_, err = f.Lock()
	refused("it is locked", err)
	if after := content(t, f.Path); after != before || inUse(t, f) != "0.9.0" {
		t.Errorf("it has changed from\n%s\nto\n%s", before, after)
	}
}
