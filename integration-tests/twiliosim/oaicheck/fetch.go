package oaicheck

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/component"
)

// The version and the sum belong together: a new version needs a new sum.
const (
	// npmPackage holds Twilio's OpenAPI documents.
	npmPackage = "@twilio-alpha/mcp@0.7.0"
	entry      = "package/twilio-oai/spec/json/twilio_api_v2010.json"
	wantSHA256 = "475b69553e34e797af05d34679cdad3bc3b8b4b8b92e6ac044fa6ebc255bf052"
	// PathVariable is the environment variable that names the document, where it need not be
	// fetched.
	PathVariable = "LIVECALL_TWILIO_OPENAPI"
)

// Fetch returns the path of Twilio's OpenAPI document for the 2010-04-01 API: the one
// LIVECALL_TWILIO_OPENAPI names, or one kept in the user's cache directory, which is filled by "npm
// pack". Errors: no npm, no registry, wrong content.
func Fetch(ctx context.Context) (string, error) {
	if path := os.Getenv(PathVariable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", PathVariable, err)
		}
		return path, nil
	}
	path, err := cached()
	if err != nil || isFile(path) {
		return path, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	// Unpacked in a folder of its own and renamed: tests of several packages may fetch at once.
	work, err := os.MkdirTemp(dir, "pack")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(work) }()
	npm := exec.CommandContext(ctx, "npm", "pack", "--silent", "--pack-destination", work, npmPackage)
	npm.Dir = work
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm pack %s: %w: %.200s", npmPackage, err, strings.TrimSpace(string(out)))
	}
	archives, err := filepath.Glob(filepath.Join(work, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return "", fmt.Errorf("npm pack %s left %d archives, want one", npmPackage, len(archives))
	}
	draft := filepath.Join(work, "spec.json")
	if err := extract(archives[0], draft); err != nil {
		return "", err
	}
	return path, os.Rename(draft, path)
}

// cached is where the document is kept once it was fetched.
func cached() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory (set %s): %w", PathVariable, err)
	}
	return filepath.Join(cache, "livecall-oai", "twilio_api_v2010-"+wantSHA256[:12]+".json"), nil
}

func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// extract writes the document out of an npm archive, and checks that it is the known one.
func extract(archive, to string) error {
	f, err := os.Open(archive) //nolint:gosec // a path that this package made
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s has no %s", npmPackage, entry)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		if h.Name != entry {
			continue
		}
		// The limit is far above the size of the document; an archive cannot fill the memory.
		data, err := io.ReadAll(io.LimitReader(files, 32<<20))
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != wantSHA256 {
			return fmt.Errorf("%s in %s has SHA-256 %s, want %s", entry, npmPackage, got, wantSHA256)
		}
		return os.WriteFile(to, data, 0o600)
	}
}

// Shared is one checker for all tests of a program, by Twilio's document; see Fetch.
var Shared = sync.OnceValues(func() (*Checker, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	path, err := Fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("the OpenAPI document of Twilio cannot be found, by npm or %s: %w", PathVariable, err)
	}
	return Open(path)
})

// ForTest returns the shared checker. Package component says what becomes of the test when there is
// none.
func ForTest(t component.TB) *Checker {
	t.Helper()
	return component.Get(t, component.NPM, Shared)
}

// AtHand returns the shared checker for tests that can do without it: nil, with the reason, where
// there is none. It fetches nothing where tests may need Go alone.
func AtHand() (*Checker, error) {
	if component.GoOnly() && os.Getenv(PathVariable) == "" {
		if path, err := cached(); err != nil || !isFile(path) {
			return nil, errors.New("the OpenAPI document of Twilio is not here: make test-npm fetches it")
		}
	}
	return Shared()
}
