package manifest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/livecallrouting/livecall/host-sdk/internal/wholefile"
)

// Seal writes dir/manifest.json from the manifest in the file source: with SHA-256 and size of the
// executables of the given platforms, which must lie in dir already, and without other platforms.
// Without platforms it is [Platform]. It takes the write permission of group and others from what
// it seals, as a host refuses such files. Returns what it wrote. make build and make dist use it; a
// host only reads what it leaves.
func Seal(source, dir string, platforms ...string) (Manifest, error) {
	m, err := seal(source, dir, platforms)
	if err != nil {
		return Manifest{}, fmt.Errorf("seal %s: %w", dir, err)
	}
	return m, nil
}

// seal is Seal without the folder's name in its errors.
func seal(source, dir string, platforms []string) (Manifest, error) {
	data, err := os.ReadFile(source) //nolint:gosec // the file that the caller names
	if err != nil {
		return Manifest{}, err
	}
	m, err := Parse(data)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", source, err)
	}
	if len(platforms) == 0 {
		platforms = []string{Platform()}
	}
	// Executables for other platforms are not in the folder, so naming them would promise what is
	// not there.
	sealed := make(map[string]Executable, len(platforms))
	for _, platform := range platforms {
		exe, err := m.Executable(platform)
		if err != nil {
			return Manifest{}, fmt.Errorf("%s: %w", source, err)
		}
		if sealed[platform], err = sealExecutable(dir, exe); err != nil {
			return Manifest{}, err
		}
	}
	m.Schema = "" // its path is the source's
	m.Executables = sealed
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	// A description with & or < stays readable.
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return Manifest{}, err
	}
	if err := wholefile.Write(filepath.Join(dir, FileName), out.Bytes(), 0o644); err != nil {
		return Manifest{}, err
	}
	// Last, as the folder had to be written to.
	return m, denyOthers(dir)
}

// sealExecutable returns exe with the hash and size of the file. Folders on the way lose the
// permission too, as openPlain looks at each of them.
func sealExecutable(dir string, exe Executable) (Executable, error) {
	name := filepath.FromSlash(exe.Path)
	if !filepath.IsLocal(name) {
		return Executable{}, fmt.Errorf("executable path %q leaves the folder", exe.Path)
	}
	for d := filepath.Dir(name); d != "."; d = filepath.Dir(d) {
		if err := denyOthers(filepath.Join(dir, d)); err != nil {
			return Executable{}, err
		}
	}
	file := filepath.Join(dir, name)
	if err := denyOthers(file); err != nil {
		return Executable{}, err
	}
	f, err := os.Open(file) //nolint:gosec // below the folder that the caller names
	if err != nil {
		return Executable{}, err
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	exe.Size, err = io.Copy(sum, f)
	if err != nil {
		return Executable{}, err
	}
	exe.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return exe, nil
}

// denyOthers takes write permission from group and others. A umask of a developer's machine often
// leaves group write permission, with which no host would run the file.
func denyOthers(file string) error {
	info, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link: put the file itself there", file)
	}
	if !checksModes || info.Mode().Perm()&0o022 == 0 {
		return nil
	}
	return os.Chmod(file, info.Mode().Perm()&^0o022)
}
