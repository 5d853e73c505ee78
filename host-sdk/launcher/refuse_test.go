//go:build unix

package launcher

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRefusedStarts: every way not to start is one line that names the plugin and says what to do.
func TestRefusedStarts(t *testing.T) {
	t.Parallel()
	executable := func(dir string) string { return filepath.Join(dir, "fake-plugin") }
	for _, tt := range []struct {
		name   string
		mode   string
		spoil  func(t *testing.T, dir string)
		change func(*Config)
		want   []string
	}{
		{name: "no such folder", change: func(c *Config) { c.Dir += "-elsewhere" }, want: []string{"plugin folder", "no such file"}},
		{name: "no folder given", change: func(c *Config) { c.Dir = "" }, want: []string{"Config.Dir"}},
		{
			name: "unreadable manifest",
			spoil: func(t *testing.T, dir string) {
				if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte("{"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"manifest.json", "not JSON"},
		},
		{
			name: "wrong hash",
			spoil: func(t *testing.T, dir string) {
				f, err := os.OpenFile(executable(dir), os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				_, err = f.WriteString("x")
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"plugin fake", "SHA-256", "install the plugin again"},
		},
		{
			name: "missing executable",
			spoil: func(t *testing.T, dir string) {
				if err := os.Remove(executable(dir)); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"plugin fake", "fake-plugin", "no such file"},
		},
		{
			name: "writable for others",
			spoil: func(t *testing.T, dir string) {
				if err := os.Chmod(executable(dir), 0o777); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"plugin fake", "chmod go-w"},
		},
		{
			name: "another plugin inside", mode: "other-id",
			want: []string{"plugin fake", `its id is other, its manifest fake`},
		},
		{
			name: "another version inside", mode: "version-2.0.0",
			want: []string{"plugin fake", `its version is 2.0.0, its manifest 1.2.3`},
		},
		{name: "stdout before the handshake", mode: "stdout-first", want: []string{"plugin fake", "hello from an init function", "standard output"}},
		{name: "ends at once", mode: "exits", want: []string{"plugin fake", "exit status 7", "no licence file found"}},
		{name: "ends silently", mode: "exits-silently", want: []string{"plugin fake", "exit status 7", "is it a plugin"}},
		{name: "another protocol", mode: "protocol-2", want: []string{"plugin fake", "speaks protocol version 2, this host speaks 1"}},
		{name: "another host's plugin", mode: "other-cookie", want: []string{"plugin fake", "exit status 1", "This binary is a plugin"}},
		{
			name: "hangs", mode: "hangs", change: func(c *Config) { c.Timing.Start = 300 * time.Millisecond },
			want: []string{"plugin fake", "no answer within 300ms"},
		},
		{
			name: "long socket directory",
			change: func(c *Config) {
				c.SocketDir = filepath.Join(c.SocketDir, strings.Repeat("d", 80))
				if err := os.Mkdir(c.SocketDir, 0o700); err != nil {
					panic(err)
				}
			},
			want: []string{"plugin fake", "bytes where at most", "shorter SocketDir or TMPDIR"},
		},
		{
			name: "socket directory that is not there", change: func(c *Config) { c.SocketDir += "/missing" },
			want: []string{"plugin fake", "SocketDir or TMPDIR"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := sharedDir(t)
			if tt.spoil != nil {
				dir = pluginDir(t, "1.2.3")
				tt.spoil(t, dir)
			}
			if tt.mode == "" {
				tt.mode = "good"
			}
			cfg, _ := config(t, dir, tt.mode)
			if tt.change != nil {
				tt.change(&cfg)
			}
			p, err := Launch(t.Context(), cfg)
			if err == nil {
				p.Kill()
				t.Fatal("started")
			}
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Fatalf("error %v, want one that contains %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q contains %q", err.Error(), "\n")
			}
			if entries, err := os.ReadDir(cfg.SocketDir); err == nil {
				for _, e := range entries {
					if got := e.Name(); strings.Contains(got, dirPrefix) {
						t.Fatalf("the private directory was left behind: %q contains %q", got, dirPrefix)
					}
				}
			}
		})
	}
}

// TestNotBuiltForThisMachine: the system's refusal is explained.
func TestNotBuiltForThisMachine(t *testing.T) {
	t.Parallel()
	dir := handMade(t, []byte("\x7fELF, but not really"))
	cfg, _ := config(t, dir, "good")
	_, err := Launch(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "plugin fake") {
		t.Fatalf("error %v, want one that contains %q", err, "plugin fake")
	}
	if err == nil || !strings.Contains(err.Error(), "is it built for") {
		t.Fatalf("error %v, want one that contains %q", err, "is it built for")
	}
}

// TestHashIsCheckedBeforeEachStart: a file that is replaced while the plugin runs is not run after
// a crash.
func TestHashIsCheckedBeforeEachStart(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t, "1.2.3")
	p, _ := launch(t, dir, "good", func(c *Config) { c.Timing.FirstBackoff = time.Millisecond })
	before := askPID(t, p)
	_, err := p.Perform(t.Context(), performing("crash", ""))
	if err == nil {
		t.Fatal("no error")
	}
	if got := askPID(t, p); got == before {
		t.Fatalf("an unchanged file is started again: pid is %v, want another than %v", got, before)
	}

	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("#!/bin/sh\necho owned > /dev/null\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, filepath.Join(dir, "fake-plugin")); err != nil {
		t.Fatal(err)
	}
	_, err = p.Perform(t.Context(), performing("crash", ""))
	if err == nil {
		t.Fatal("no error")
	}
	eventually(t, "the changed file is refused", func() bool {
		return strings.Contains(p.Status().LastError, "SHA-256")
	})
	if p.Status().PID != 0 {
		t.Fatalf("p.Status().PID is %v, want 0", p.Status().PID)
	}
}
