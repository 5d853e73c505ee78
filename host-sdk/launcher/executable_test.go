//go:build unix

package launcher

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// TestChangedWhileStarted: the file that runs is the one that was checked, or it does not run.
func TestChangedWhileStarted(t *testing.T) {
	t.Parallel()
	if !canRunDescriptors() {
		t.Skip("this system runs a private copy")
	}
	file := func(p manifest.Installed) *os.File {
		f, err := os.OpenFile(p.Path(), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for name, tt := range map[string]struct {
		change func(p manifest.Installed)
		fails  bool
	}{
		"untouched": {change: func(manifest.Installed) {}},
		"touched": {change: func(p manifest.Installed) {
			if err := os.Chmod(p.Path(), 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		"another file in its place": {change: func(p manifest.Installed) {
			if err := os.Remove(p.Path()); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p.Path(), []byte("other"), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		"other content of the same size": {fails: true, change: func(p manifest.Installed) {
			f := file(p)
			_, err := f.WriteAt([]byte("X"), 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}},
		"longer": {fails: true, change: func(p manifest.Installed) {
			f := file(p)
			_, err := f.WriteAt([]byte("X"), 1000)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := manifest.Load(handMade(t, []byte("#!/bin/sh\nexit 0\n")))
			if err != nil {
				t.Fatal(err)
			}
			exe, err := prepare(p, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer exe.close()
			tt.change(p)
			if err := exe.confirm(); tt.fails {
				if err == nil || !strings.Contains(err.Error(), "was changed while it was started") {
					t.Fatalf("error %v, want one that contains %q", err, "was changed while it was started")
				}
			} else {
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestPrivateCopy is what systems use that cannot run an open file.
func TestPrivateCopy(t *testing.T) {
	t.Parallel()
	content := []byte("#!/bin/sh\nexit 0\n")
	p, err := manifest.Load(handMade(t, content))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy")
	if err := copyChecked(path, bytes.NewReader(content), p.Executable.SHA256); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(content, got); diff != "" {
		t.Fatalf("got (-want +got):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != os.FileMode(0o700) {
		t.Fatalf("info.Mode().Perm() is %v, want %v", got, os.FileMode(0o700))
	}
	if err := copyChecked(path, bytes.NewReader(content), p.Executable.SHA256); err == nil {
		t.Fatal("never over a file that is there: no error")
	}
	if err := copyChecked(path+"2", bytes.NewReader([]byte("other")), p.Executable.SHA256); err == nil || !strings.Contains(err.Error(), "changed while it was copied") {
		t.Fatalf("error %v, want one that contains %q", err, "changed while it was copied")
	}
}

// handMade is a sealed plugin folder with this executable.
func handMade(t *testing.T, executable []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fake")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "fake-plugin"), executable, 0o700); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "manifest.json")
	doc := fmt.Sprintf(`{"id":"fake","name":"Fake","version":"1.2.3","protocol":{"versions":[1]},"executables":{%q:{"path":"fake-plugin","sha256":""}}}`, manifest.Platform())
	if err := os.WriteFile(source, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := manifest.Seal(source, dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
