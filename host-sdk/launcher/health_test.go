//go:build unix

package launcher

import (
	"context"
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestSlowIsNotFrozen: a plugin that gives a sign of life keeps its process.
func TestSlowIsNotFrozen(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.Handle = 100 * time.Millisecond
		c.Timing.Probe = time.Minute
	})
	before := p.Status().PID
	_, err := tryAsk(t.Context(), p, "sleep", "2s")
	if got := integration.KindOf(err); got != integration.KindDeadline {
		t.Fatalf("error kind is %q, want %q", got, integration.KindDeadline)
	}
	if errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, which must not be %v", err, integration.ErrPluginGone)
	}
	if p.Status().PID != before {
		t.Fatalf("p.Status().PID is %v, want %v", p.Status().PID, before)
	}
}

// TestFrozenPluginIsReplacedForNextCaller: the caller who found it had no time left.
func TestFrozenPluginIsReplacedForNextCaller(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick, suspecting)
	before := p.Status().PID
	stopProcess(t, before)
	askBriefly(t, p)
	eventually(t, "another process answers", func() bool { pid := p.Status().PID; return pid != 0 && pid != before })
	if !strings.Contains(p.Status().LastError, "frozen") {
		t.Fatalf("%q, want it to contain %q", p.Status().LastError, "frozen")
	}
}

// TestHealthChecksFindAFrozenPlugin without any call.
func TestHealthChecksFindAFrozenPlugin(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", quick, func(c *Config) {
		c.Timing.HealthEvery = 20 * time.Millisecond
		c.Timing.Health = 300 * time.Millisecond
	})
	before := p.Status().PID
	stopProcess(t, before)
	eventually(t, "another process is ready", func() bool { s := p.Status(); return s.State == StateReady && s.PID != before })
	if got := r.states(); !slices.Contains(got, StateUnhealthy) {
		t.Fatalf("%v, want it to contain %v", got, StateUnhealthy)
	}
	if !processGone(before) {
		t.Fatal("the process is still there")
	}
	if !strings.Contains(p.Status().LastError, "missed 3 health checks") {
		t.Fatalf("%q, want it to contain %q", p.Status().LastError, "missed 3 health checks")
	}
}

// TestUnhealthyAndBack: one missed check is shown and forgotten.
func TestUnhealthyAndBack(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.HealthEvery = 20 * time.Millisecond
		c.Timing.Health = 100 * time.Millisecond
		c.Timing.HealthMisses = 1000
	})
	pid := p.Status().PID
	stopProcess(t, pid)
	eventually(t, "unhealthy", func() bool { return p.Status().State == StateUnhealthy })
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready again", func() bool { return p.Status().State == StateReady })
	if p.Status().PID != pid {
		t.Fatalf("p.Status().PID is %v, want %v", p.Status().PID, pid)
	}
}

// TestACallWithoutADeadlineEndsAfterTheBudget: nobody who gives no time waits for ever.
func TestACallWithoutADeadlineEndsAfterTheBudget(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.HandleBudget = 200 * time.Millisecond
		c.Timing.Handle = time.Hour
		c.Timing.Probe = time.Hour
		c.Timing.HealthEvery = time.Hour
	})
	stopProcess(t, p.Status().PID)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// A call that goes on for ever is a failure, no hang.
	defer time.AfterFunc(time.Minute, cancel).Stop()
	_, err := tryAsk(ctx, p, "pid", "")
	if got := integration.KindOf(err); got != integration.KindDeadline || ctx.Err() != nil {
		t.Errorf("error %v is of kind %q, want %q before the call is canceled (%v)", err, got, integration.KindDeadline, ctx.Err())
	}
}
