//go:build unix

package launcher

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestBudget: a plugin that does not stay up is shown as failed, refuses at once, and comes back by
// order.
func TestBudget(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.FirstBackoff = time.Millisecond
		c.Timing.MaxBackoff = time.Hour
		c.Timing.Budget = 3
	})
	for i := range 3 {
		_, err := p.Perform(t.Context(), performing("crash", ""))
		if !errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("crash %d: error %v, want %v", i+1, err, integration.ErrPluginGone)
		}
	}
	eventually(t, "failed", func() bool { return p.Status().State == StateFailed })
	s := p.Status()
	if s.PID != 0 {
		t.Fatalf("s.PID is %v, want 0", s.PID)
	}
	if !strings.Contains(s.LastError, "exit status 3") {
		t.Fatalf("%q, want it to contain %q", s.LastError, "exit status 3")
	}
	if wait := s.NextStart.Sub(s.Since); wait < 59*time.Minute || wait > 61*time.Minute {
		t.Fatalf("the next start comes after %v, want an hour", wait)
	}
	// No deadline: it must not wait for one.
	_, err := p.Perform(context.Background(), performing("pid", ""))
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if err == nil || !strings.Contains(err.Error(), "failed too often") {
		t.Fatalf("error %v, want one that contains %q", err, "failed too often")
	}

	if err := p.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.Status().State != StateReady {
		t.Fatalf("p.Status().State is %q, want %q", p.Status().State, StateReady)
	}
	if got := askPID(t, p); got == 0 {
		t.Fatal("no pid")
	}
	_, err = p.Perform(t.Context(), performing("crash", ""))
	if err == nil {
		t.Fatal("no error")
	}
	if got := askPID(t, p); got == 0 {
		t.Fatal("the budget is whole again: no pid")
	}
}

// TestFailedIsRetriedSlowly without an order.
func TestFailedIsRetriedSlowly(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.Budget = 1
		c.Timing.MaxBackoff = 50 * time.Millisecond
	})
	_, err := p.Perform(t.Context(), performing("crash", ""))
	if err == nil {
		t.Fatal("no error")
	}
	eventually(t, "ready again", func() bool { s := p.Status(); return s.State == StateReady && s.Restarts == 1 })
	if got := r.states(); !slices.Contains(got, StateFailed) {
		t.Fatalf("%v, want it to contain %v", got, StateFailed)
	}
}

// TestNoUseWaiting: work whose time ends before the next start is told so at once.
func TestNoUseWaiting(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.FirstBackoff = time.Hour; c.Timing.MaxBackoff = time.Hour })
	for range 2 { // the first restart is at once
		if _, err := p.Perform(t.Context(), performing("crash", "")); err == nil {
			t.Fatal("no error")
		}
	}
	eventually(t, "backing off", func() bool { return p.Status().State == StateBackingOff })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	_, err := p.Perform(ctx, performing("pid", ""))
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if err == nil || !strings.Contains(err.Error(), "the next start is at") {
		t.Fatalf("error %v, want one that contains %q", err, "the next start is at")
	}
}

// TestACallerHasAFailedPluginStarted: after any number of losses nobody on the phone waits for the
// back-off.
func TestACallerHasAFailedPluginStarted(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.FirstBackoff, c.Timing.MaxBackoff, c.Timing.Budget = time.Millisecond, time.Hour, 2
		c.Timing.WaitingEvery = 10 * time.Millisecond
	})
	for range 3 {
		for p.Status().State != StateFailed {
			if _, err := p.Perform(t.Context(), performing("crash", "")); err == nil {
				t.Fatal("no error")
			}
			eventually(t, "the loss is noticed", func() bool { return p.Status().PID == 0 || p.Status().State == StateReady })
		}
		var callers sync.WaitGroup
		restarts := p.Status().Restarts
		for range 10 {
			callers.Go(func() {
				// Within its own budget.
				if _, err := tryAsk(context.Background(), p, "pid", ""); err != nil {
					t.Errorf("a caller of a failed plugin: %v", err)
				}
			})
		}
		callers.Wait()
		if got := p.Status().Restarts - restarts; got != 1 {
			t.Errorf("ten callers had it started %d times, want once", got)
		}
	}
}

// TestACallerOfAPluginThatDoesNotStartIsToldSo: one start is tried for the caller, and its failure
// is the answer.
func TestACallerOfAPluginThatDoesNotStartIsToldSo(t *testing.T) {
	t.Parallel()
	dir := pluginDir(t, "1.2.3")
	p, _ := launch(t, dir, "good", func(c *Config) {
		c.Timing.FirstBackoff, c.Timing.MaxBackoff, c.Timing.Budget = time.Millisecond, time.Hour, 1
		c.Timing.WaitingEvery = 10 * time.Millisecond
	})
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, []byte("#!/bin/sh\n"), 0o700); err != nil { // #nosec G306 -- a program
		t.Fatal(err)
	}
	if err := os.Rename(other, filepath.Join(dir, "fake-plugin")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Perform(t.Context(), performing("crash", "")); err == nil {
		t.Fatal("no error")
	}
	eventually(t, "failed", func() bool { return p.Status().State == StateFailed })
	_, err := tryAsk(context.Background(), p, "pid", "")
	if !errors.Is(err, integration.ErrPluginGone) || !strings.Contains(err.Error(), "failed too often") || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("error %v, want one that says why it does not start", err)
	}
}

// TestRestartIsSingleFlight: many callers that lose a process at once bring up one.
func TestRestartIsSingleFlight(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	pid := p.Status().PID
	var failures atomic.Int32
	var callers sync.WaitGroup
	for range 30 {
		callers.Go(func() {
			for range 20 {
				if _, err := tryAsk(t.Context(), p, "pid", ""); err != nil {
					failures.Add(1)
				}
			}
		})
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	if got := failures.Load(); got != 0 {
		t.Fatalf("no caller noticed: failures.Load() is %v, want 0", got)
	}
	if p.Status().Restarts != 1 {
		t.Fatalf("p.Status().Restarts is %v, want %v", p.Status().Restarts, 1)
	}
}
