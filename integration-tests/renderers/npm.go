package renderers

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
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
	return filepath.Join(component.Get(t, component.Browser, func() (string, error) {
		return component.InstallNPM("livecall-renderers", map[string][]byte{"package.json": packageJSON, "package-lock.json": lockFile, ".npmrc": npmrc})
	}), "node_modules")
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
