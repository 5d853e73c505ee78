//go:build unix

package launcher

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// processGone reports whether no process of this number is left that runs; a zombie that this test
// does not wait for counts as gone.
func processGone(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// stopProcess freezes a process and returns when it has come to rest, which the signal alone does
// not promise.
func stopProcess(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process rests", func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			data, err := os.ReadFile(thread)
			if err != nil {
				continue // ended
			}
			if _, rest, _ := strings.Cut(string(data), ") "); !strings.HasPrefix(rest, "T") {
				return false
			}
		}
		return true
	})
}

// TestEnvironment: nothing of the host's but what is listed, and no handshake secrets for the
// plugin's children.
func TestEnvironment(t *testing.T) {
	host := map[string]string{
		"FAKE_WANTED": "yes", "SECRET_OF_THE_HOST": "canary", "TZ": "UTC", "HTTPS_PROXY": "http://proxy.example.com:3128",
		"TMPDIR": "/somewhere/else", "LD_PRELOAD": "canary", "PATH": "/canary",
	}
	t.Setenv("SECRET_OF_THE_PROCESS", "canary")
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.LookupEnv = func(name string) (string, bool) { v, ok := host[name]; return v, ok }
	})
	for _, which := range []string{"environment", "first-environment"} {
		if which == "first-environment" && runtime.GOOS != "linux" {
			continue
		}
		env := strings.Split(strings.TrimSuffix(ask(t, p, which, ""), "\n"), "\n")
		if got := strings.Join(env, "\n"); strings.Contains(got, "canary") {
			t.Fatalf("%q contains %q", got, "canary")
		}
		for _, want := range []string{"FAKE_WANTED=yes", "TZ=UTC", "HTTPS_PROXY=http://proxy.example.com:3128", modeVariable + "=good"} {
			if !slices.Contains(env, want) {
				t.Fatalf("%v, want it to contain %v", env, want)
			}
		}
		if which == "environment" {
			names := []string{}
			for _, entry := range env {
				name, _, _ := strings.Cut(entry, "=")
				names = append(names, name)
			}
			slices.Sort(names)
			if diff := cmp.Diff([]string{"FAKE_WANTED", "HTTPS_PROXY", modeVariable, "TMPDIR", "TZ"}, names); diff != "" {
				t.Fatalf("names (-want +got):\n%s", diff)
			}
		}
	}
}

// TestPrivateDirectory: entered by this user only, gone with the process, crashed or stopped.
func TestPrivateDirectory(t *testing.T) {
	t.Parallel()
	var base string
	p, _ := launch(t, sharedDir(t), "good", quick, func(c *Config) { base = c.SocketDir })
	only := func() string {
		entries, err := os.ReadDir(base)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 1 {
			t.Fatalf("%d entries, want %d", len(entries), 1)
		}
		info, err := entries[0].Info()
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != os.FileMode(0o700) {
			t.Fatalf("info.Mode().Perm() is %v, want %v", got, os.FileMode(0o700))
		}
		return entries[0].Name()
	}
	first := only()
	if err := syscall.Kill(p.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	askPID(t, p)
	eventually(t, "the first directory is removed", func() bool {
		entries, err := os.ReadDir(base)
		return err == nil && len(entries) == 1 && entries[0].Name() != first
	})
	only()
	p.Stop(t.Context())
	entries, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 0 {
		t.Fatalf("entries is %v, want it empty", entries)
	}
}

// What a killed host has left goes when the next one launches a plugin.
func TestLaunchRemovesWhatAKilledHostHasLeft(t *testing.T) {
	t.Parallel()
	base := socketDir(t)
	stale := filepath.Join(base, dirPrefix+"4711")
	if err := os.Mkdir(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(stale, "plugin1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inUse, err := newPrivateDir(base)
	if err != nil {
		t.Fatal(err)
	}
	launch(t, sharedDir(t), "good", func(c *Config) { c.SocketDir = base })
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed host has left is still there: %v", err)
	}
	if _, err := os.Stat(inUse.Path); err != nil {
		t.Errorf("what another host uses was removed: %v", err)
	}
	if err := inUse.Remove(); err != nil {
		t.Fatal(err)
	}
}

// TestNoLeak: 20 crashes leave no goroutine and no open file behind.
func TestNoLeak(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts open files in /proc")
	}
	// Not parallel: it counts what this process has.
	p, _ := launch(t, sharedDir(t), "good", quick)
	crash := func() {
		pid := p.Status().PID
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another process", func() bool { s := p.Status(); return s.PID != 0 && s.PID != pid })
		askPID(t, p)
	}
	openFiles := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	crash()
	crash()
	settle := func() (int, int) {
		goroutines, files := 1<<30, 1<<30
		for range 20 { // the lowest of some looks: ends of processes are seen a little later
			goroutines, files = min(goroutines, runtime.NumGoroutine()), min(files, openFiles())
			time.Sleep(20 * time.Millisecond)
		}
		return goroutines, files
	}
	goroutines, files := settle()
	for range 20 {
		crash()
	}
	var g, f int
	eventually(t, "as before", func() bool {
		g, f = settle()
		return g <= goroutines+2 && f <= files+2
	})
	t.Logf("goroutines %d → %d, open files %d → %d over 20 crashes", goroutines, g, files, f)
}

// TestProcessKeepsItsName though it is started through a descriptor.
func TestProcessKeepsItsName(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc")
	}
	p, _ := launch(t, sharedDir(t), "good")
	if got := ask(t, p, "name", ""); got != "fake-plugin" {
		t.Fatalf("ask(t, p, 'name', '') is %q, want %q", got, "fake-plugin")
	}
}
