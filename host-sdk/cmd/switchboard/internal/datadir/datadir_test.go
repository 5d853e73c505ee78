package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lock(dir)
	if err == nil || !strings.Contains(err.Error(), "another switchboard") {
		t.Fatalf("error %v does not contain %q", err, "another switchboard")
	}
	release()
	release, err = Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	release()
	_, err = Lock(filepath.Join(dir, "nowhere"))
	if err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Fatalf("error %v does not contain %q", err, "cannot be written")
	}
}

func TestDataDirIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := Prepare(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(os.FileMode(0o700), info.Mode().Perm()); diff != "" {
		t.Fatalf("info.Mode().Perm() (-want +got):\n%s", diff)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 0 {
		t.Fatalf("entries is not empty: %v", entries)
	}
}
