//go:build unix

package installer

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// pipe puts a pipe at a path, which nobody writes to: whoever opens it waits. The writer of the
// test comes when the test has ended, so that nothing stays behind.
func pipe(t *testing.T, path string) string {
	t.Helper()
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
			_ = f.Close()
		}
	})
	return path
}

// Whatever kind of file lies where a plugin, its signature or a key should be, the answer comes at
// once.
func TestSpecialFilesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	f, p := newFolder(t)
	folder := func() string {
		dir := filepath.Join(t.TempDir(), "fake")
		write(t, filepath.Join(dir, manifest.FileName), manifestText("1.0.0"))
		write(t, filepath.Join(dir, "bin", "fake"), program)
		return dir
	}
	noManifest, noProgram := folder(), folder()
	pipe(t, filepath.Join(noManifest, manifest.FileName))
	pipe(t, filepath.Join(noProgram, "bin", "fake"))
	noSignature := p.publish(t, pack(t, plugin("1.0.0")...))
	pipe(t, noSignature+SignatureSuffix)
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	aPipe := pipe(t, filepath.Join(t.TempDir(), "pipe"))
	key := func() error { _, err := ParseKey(aPipe); return err }
	stage := func(s Source) func() error { return func() error { _, err := f.Stage(s); return err } }
	check := func(s Source) func() error { return func() error { _, err := f.Check(s); return err } }
	for name, tt := range map[string]struct {
		do   func() error
		want string
	}{
		"nothing":                     {stage(Source{Path: aPipe + "-gone", Unsigned: true}), "is not there: name the archive of a plugin"},
		"a pipe":                      {stage(Source{Path: aPipe, Unsigned: true}), "is neither a file nor a folder"},
		"a pipe, verified":            {check(Source{Path: aPipe, Unsigned: true}), "is neither a file nor a folder"},
		"a device":                    {stage(Source{Path: "/dev/zero", Unsigned: true}), "is neither a file nor a folder"},
		"a socket":                    {stage(Source{Path: socket, Unsigned: true}), "is neither a file nor a folder"},
		"a pipe as the manifest":      {stage(Source{Path: noManifest, Unsigned: true}), manifest.FileName + " is not a file"},
		"a pipe as the executable":    {stage(Source{Path: noProgram, Unsigned: true}), "bin/fake is not a regular file"},
		"a pipe as the signature":     {stage(Source{Path: noSignature}), "is not a file"},
		"a pipe as another signature": {stage(Source{Path: folder(), Signature: aPipe}), "is not a file"},
		"a pipe as a key":             {key, "is not a file"},
	} {
		said := make(chan error, 1)
		go func() { said <- tt.do() }()
		select {
		case err := <-said:
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %q", name, err, tt.want)
			}
		case <-time.After(time.Minute):
			t.Errorf("%s: no answer", name)
		}
	}
}
