//go:build unix

package launcher

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// A host may look at a new process before it is given calls. One that it does not want is ended,
// and the old one serves on.
func TestAHostMayRefuseTheProcessThatIsToReplaceAnother(t *testing.T) {
	t.Parallel()
	sockets := socketDir(t)
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.SocketDir = sockets })
	before := p.Status()
	unwanted := errors.New("it writes a format that this host cannot read")
	var said integration.Description
	err := p.ReplaceIf(t.Context(), sharedDir(t), func(d integration.Description) error {
		said = d
		return unwanted
	})
	if !errors.Is(err, unwanted) || said.ID != "fake" {
		t.Errorf("error %v after %q described itself, want %v", err, said.ID, unwanted)
	}
	if got := askPID(t, p); got != before.PID || p.Status() != before {
		t.Errorf("process %d answers, status %+v; want all as before, %+v", got, p.Status(), before)
	}
	if left, err := os.ReadDir(sockets); err != nil || len(left) != 1 {
		t.Errorf("directories %v, %v; want that of the old process alone", left, err)
	}
}

// What is no version of the plugin replaces nothing, and the error says what the folder holds.
func TestOnlyAVersionOfThePluginReplacesIt(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good")
	before := askPID(t, p)
	other := handMade(t, []byte("#!/bin/sh\n"))
	manifest := filepath.Join(other, "manifest.json")
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(manifest, []byte(strings.Replace(string(text), `"fake"`, `"another"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{t.TempDir(): "manifest.json", other: "holds plugin another"} {
		if err := p.Replace(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that contains %q", err, want)
		}
	}
	if got := askPID(t, p); got != before {
		t.Errorf("process %d answers, want the old one, %d", got, before)
	}
}

// A host that stops its plugin while another process is about to replace it is left with neither.
func TestNothingIsLeftOfAReplacementThatComesTooLate(t *testing.T) {
	t.Parallel()
	sockets := socketDir(t)
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.SocketDir = sockets })
	err := p.ReplaceIf(t.Context(), sharedDir(t), func(integration.Description) error {
		p.Kill()
		return nil
	})
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Errorf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if s := p.Status(); s.State != StateStopped || s.PID != 0 {
		t.Errorf("status %+v, want it stopped", s)
	}
	if left, err := os.ReadDir(sockets); err != nil || len(left) > 0 {
		t.Errorf("directories %v, %v; want none", left, err)
	}
}

// A person may restart a plugin while the launcher is doing the same: one of the two processes
// stays.
func TestAPluginThatIsRestartedWhileItIsStartedHasOneProcess(t *testing.T) {
	t.Parallel()
	sockets := socketDir(t)
	var p *Plugin
	var armed atomic.Bool
	restarted := make(chan int, 1)
	p, _ = launch(t, sharedDir(t), "good", func(c *Config) {
		c.SocketDir = sockets
		c.LookupEnv = func(string) (string, bool) { // is asked in the middle of a start
			if armed.CompareAndSwap(true, false) {
				if err := p.Restart(t.Context()); err != nil {
					t.Error(err)
				}
				restarted <- p.Status().PID
			}
			return "", false
		}
	})
	armed.Store(true)
	if err := syscall.Kill(p.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	var want int
	eventually(t, "the restart", func() bool {
		select {
		case want = <-restarted:
			return true
		default:
			return false
		}
	})
	eventually(t, "one process is left", func() bool { left, err := os.ReadDir(sockets); return err == nil && len(left) == 1 })
	if got := askPID(t, p); got != want {
		t.Errorf("process %d answers, want the one of the restart, %d", got, want)
	}
}
