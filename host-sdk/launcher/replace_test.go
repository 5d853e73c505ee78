//go:build unix

package launcher

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

// TestAPluginUpgradedInItsFolderIsStartedWhenTheOldProcessCrashes holds whether the new files were
// there at the crash or came after it. A manifest that was damaged meanwhile does not keep the
// plugin down.
func TestAPluginUpgradedInItsFolderIsStartedWhenTheOldProcessCrashes(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t, "1.2.3")
	p, _ := launch(t, dir, "good", quick)
	crash := func() {
		t.Helper()
		if err := syscall.Kill(p.Status().PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	document := filepath.Join(dir, manifest.FileName)
	written, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(document, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	crash()
	if got := ask(t, p, "version", ""); got != "1.2.3" {
		t.Fatalf("with a damaged manifest version %q answers, want 1.2.3", got)
	}

	// The new version is one byte longer. Its manifest comes last, as an installation writes it.
	executable := filepath.Join(dir, "fake-plugin")
	if err := os.Rename(executable, executable+".old"); err != nil {
		t.Fatal(err)
	}
	copyFile(t, executable+".old", executable)
	file, err := os.OpenFile(executable, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString("x")
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	p.cfg.ExtraEnv = map[string]string{modeVariable: "version-2.0.0"}
	p.mu.Unlock()
	source := filepath.Join(t.TempDir(), "manifest.json")
	if err := os.WriteFile(source, bytes.Replace(written, []byte("1.2.3"), []byte("2.0.0"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	crash()
	eventually(t, "a start by the old manifest is refused", func() bool { return strings.Contains(p.Status().LastError, "is not the file") })
	if _, err := manifest.Seal(source, dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new version answers", func() bool { got, err := tryAsk(t.Context(), p, "version", ""); return err == nil && got == "2.0.0" })
	if p.Status().Version != "2.0.0" || p.Manifest().Version != "2.0.0" {
		t.Errorf("status %q, manifest %q, want 2.0.0", p.Status().Version, p.Manifest().Version)
	}
}

// TestReplace switches to another version without an interruption, and stays with the old one if
// the new is bad.
func TestReplace(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good")
	bad := pluginDir(t, "3.0.0") // says it is 1.2.3
	before := p.Status().PID
	err := p.Replace(t.Context(), bad)
	if err == nil || !strings.Contains(err.Error(), "its version is 1.2.3, its manifest 3.0.0") {
		t.Fatalf("error %v, want one that contains %q", err, "its version is 1.2.3, its manifest 3.0.0")
	}
	if got := askPID(t, p); got != before {
		t.Fatalf("pid is %v, want %v", got, before)
	}

	next := pluginDir(t, "2.0.0")
	p.cfg.ExtraEnv = map[string]string{modeVariable: "version-2.0.0"}
	stop := make(chan struct{})
	var callers sync.WaitGroup
	var failures, calls atomic.Int32
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				calls.Add(1)
				if _, err := tryAsk(t.Context(), p, "pid", ""); err != nil {
					failures.Add(1)
				}
			}
		})
	}
	if err := p.Replace(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, p, "version", ""); got != "2.0.0" {
		t.Fatalf("ask(t, p, 'version', '') is %q, want %q", got, "2.0.0")
	}
	if p.Status().Version != "2.0.0" {
		t.Fatalf("p.Status().Version is %q, want %q", p.Status().Version, "2.0.0")
	}
	if p.Manifest().Version != "2.0.0" {
		t.Fatalf("p.Manifest().Version is %q, want %q", p.Manifest().Version, "2.0.0")
	}
	eventually(t, "the old process ends", func() bool { return processGone(before) })
	close(stop)
	callers.Wait()
	if got := failures.Load(); got != 0 {
		t.Fatalf("of %d calls: failures.Load() is %v, want 0", calls.Load(), got)
	}

	if err := syscall.Kill(p.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, p, "version", ""); got != "2.0.0" {
		t.Fatalf("a restart stays with the new version: ask(t, p, 'version', '') is %q, want %q", got, "2.0.0")
	}
}
