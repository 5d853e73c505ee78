package renderers

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/component"
)

//go:embed package.json
var packageJSON []byte

//go:embed package-lock.json
var lockFile []byte

//go:embed .npmrc
var npmrc []byte

// Modules returns the node_modules folder of this folder's lock file: from the user's cache
// directory, or made there by npm ci. Package component says what becomes of the test without npm,
// or when it cannot install.
func Modules(t testing.TB) string {
	t.Helper()
	return filepath.Join(component.Get(t, component.Browser, install), "node_modules")
}

// Axe gives the source of axe-core, for [browser.Page.Accessibility].
func Axe(t testing.TB) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(Modules(t), "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// install gives the cached folder of the lock file. It appears whole or not at all, whoever else is
// installing.
func install() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "livecall-renderers")
	sum := sha256.Sum256(lockFile)
	dir := filepath.Join(cache, fmt.Sprintf("%x-%s-%s", sum[:8], runtime.GOOS, runtime.GOARCH))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return "", errors.New("no npm: apt-get install npm")
	}
	if err := os.MkdirAll(cache, 0o750); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	for name, content := range map[string][]byte{"package.json": packageJSON, "package-lock.json": lockFile, ".npmrc": npmrc} {
		if err := os.WriteFile(filepath.Join(fresh, name), content, 0o600); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("npm", "ci")
	cmd.Dir = fresh
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w: is a package registry within reach? %s", err, out)
	}
	if err := os.Rename(fresh, dir); err != nil && !errors.Is(err, fs.ErrExist) { // another process was faster
		return "", err
	}
	return dir, nil
}

// bundle makes one script (and style sheet) of each page in the folder and of the libraries that it
// imports.
func bundle(t testing.TB, modules, to string) {
	t.Helper()
	pages, err := filepath.Glob("pages/*.js*")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	args := append(pages, "--bundle", "--outdir="+to, "--jsx=automatic", "--log-level=warning", "--define:process.env.NODE_ENV=\"production\"")
	cmd := exec.Command(filepath.Join(modules, ".bin", "esbuild"), args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("esbuild: %v\n%s", err, out)
	}
}
