//go:build unix

package launcher

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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
		require.NoError(t, err)
		return f
	}
	for name, tt := range map[string]struct {
		change func(p manifest.Installed)
		fails  bool
	}{
		"untouched": {change: func(manifest.Installed) {}},
		"touched": {change: func(p manifest.Installed) {
			require.NoError(t, os.Chmod(p.Path(), 0o755))
		}},
		"another file in its place": {change: func(p manifest.Installed) {
			require.NoError(t, os.Remove(p.Path()))
			require.NoError(t, os.WriteFile(p.Path(), []byte("other"), 0o700))
		}},
		"other content of the same size": {fails: true, change: func(p manifest.Installed) {
			f := file(p)
			_, err := f.WriteAt([]byte("X"), 0)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}},
		"longer": {fails: true, change: func(p manifest.Installed) {
			f := file(p)
			_, err := f.WriteAt([]byte("X"), 1000)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := manifest.Load(handMade(t, []byte("#!/bin/sh\nexit 0\n")))
			require.NoError(t, err)
			exe, err := prepare(p, t.TempDir())
			require.NoError(t, err)
			defer exe.close()
			tt.change(p)
			if err := exe.confirm(); tt.fails {
				require.ErrorContains(t, err, "was changed while it was started")
			} else {
				require.NoError(t, err)
			}
		})
	}
}

// TestPrivateCopy is what systems use that cannot run an open file.
func TestPrivateCopy(t *testing.T) {
	t.Parallel()
	content := []byte("#!/bin/sh\nexit 0\n")
	p, err := manifest.Load(handMade(t, content))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, copyChecked(path, bytes.NewReader(content), p.Executable.SHA256))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, content, got)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.Error(t, copyChecked(path, bytes.NewReader(content), p.Executable.SHA256), "never over a file that is there")
	require.ErrorContains(t, copyChecked(path+"2", bytes.NewReader([]byte("other")), p.Executable.SHA256), "changed while it was copied")
}
