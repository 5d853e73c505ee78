//go:build unix

package launcher

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/manifest"
)

func performing(what, argument string) integration.PerformRequest {
	return integration.PerformRequest{Task: integration.Task{Name: what, Payload: []byte(argument)}}
}

func quick(c *Config) {
	c.Timing.FirstBackoff = time.Millisecond
	c.Timing.MaxBackoff = 5 * time.Millisecond
	c.Timing.Budget = 1000
}

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

// TestPureCallsAreRepeated: a webhook survives the death of its process, within its own budget.
func TestPureCallsAreRepeated(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"crash-once", "freeze-once"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
				c.Timing.Handle = 2 * time.Second
			})
			before := askPID(t, p)
			ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
			defer cancel()
			answer, err := tryAsk(ctx, p, how, filepath.Join(t.TempDir(), "once"))
			if err != nil {
				t.Fatal(err)
			}
			if answer == fmt.Sprint(before) {
				t.Fatalf("answered by process %q, want another than %q", answer, fmt.Sprint(before))
			}
			if p.Status().Restarts != 1 {
				t.Fatalf("p.Status().Restarts is %v, want %v", p.Status().Restarts, 1)
			}
			if !processGone(before) {
				t.Fatal("the process is still there")
			}
		})
	}
}

// TestOneRepeatOnly: a webhook that kills every process gets an error, not a series of starts.
func TestOneRepeatOnly(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	counter := filepath.Join(t.TempDir(), "count")
	_, err := tryAsk(t.Context(), p, "count-and-crash", counter)
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if got := integration.KindOf(err); got != integration.KindUnavailable {
		t.Fatalf("error kind is %q, want %q", got, integration.KindUnavailable)
	}
	if err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Fatalf("error %v, want one that contains %q", err, "exit status 3")
	}
	tries, err := os.ReadFile(counter)
	if err != nil {
		t.Fatal(err)
	}
	if len(tries) != 2 {
		t.Fatalf("%d tries, want %d", len(tries), 2)
	}
}

// TestEffectsAreNotRepeated: nobody knows how far they came.
func TestEffectsAreNotRepeated(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	for name, call := range map[string]func(file string) error{
		"Perform": func(file string) error {
			_, err := p.Perform(t.Context(), performing("count-and-crash", file))
			return err
		},
		"RunAction": func(file string) error {
			_, err := p.RunAction(t.Context(), integration.ActionRequest{Name: "count-and-crash", Values: map[string]string{"argument": file}})
			return err
		},
	} {
		counter := filepath.Join(t.TempDir(), name)
		err := call(counter)
		if !errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("%v: error %v, want %v", name, err, integration.ErrPluginGone)
		}
		tries, err := os.ReadFile(counter)
		if err != nil {
			t.Fatal(err)
		}
		if len(tries) != 1 {
			t.Fatalf("%v: %d tries, want %d", name, len(tries), 1)
		}
		askPID(t, p) // wait for the next process
	}
}

// TestOnlineValidationIsNotRepeated, while the other kind is.
func TestOnlineValidationIsNotRepeated(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	for _, online := range []bool{true, false} {
		restarts := p.Status().Restarts
		_, err := p.ValidateOptions(t.Context(), integration.ValidateOptionsRequest{Online: online, Options: []byte(`{"do":"crash"}`)})
		if !errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
		}
		askPID(t, p)
		want := restarts + 1
		if !online {
			want++
		}
		if p.Status().Restarts != want {
			t.Fatalf("online: %v: p.Status().Restarts is %v, want %v", online, p.Status().Restarts, want)
		}
	}
}

// TestPanicKeepsTheProcess: one bad request costs one answer.
func TestPanicKeepsTheProcess(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	before := askPID(t, p)
	_, err := tryAsk(t.Context(), p, "panic", "")
	if got := integration.KindOf(err); got != integration.KindInternal {
		t.Fatalf("error kind is %q, want %q", got, integration.KindInternal)
	}
	if errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, which must not be %v", err, integration.ErrPluginGone)
	}
	if strings.Contains(err.Error(), "a defect") {
		t.Fatalf("the text stays in the log: %q contains %q", err.Error(), "a defect")
	}
	if got := askPID(t, p); got != before {
		t.Fatalf("pid is %v, want %v", got, before)
	}
	eventually(t, "the stack is in the host's log", func() bool {
		return strings.Contains(r.log.String(), "a defect") && strings.Contains(r.log.String(), "fakePlugin")
	})
}

// TestFatalErrorIsACrash: what no handler can recover from.
func TestFatalErrorIsACrash(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", quick)
	_, err := p.Perform(t.Context(), performing("fatal", ""))
	if !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if got := askPID(t, p); got == 0 {
		t.Fatal("no pid")
	}
	eventually(t, "the trace is an error in the host's log", func() bool {
		for line := range strings.SplitSeq(r.log.String(), "\n") {
			if strings.Contains(line, "fatal error: concurrent map") && strings.Contains(line, `"level":"ERROR"`) {
				return true
			}
		}
		return false
	})
}

// TestSlowIsNotFrozen: a plugin that gives a sign of life keeps its process.
func TestSlowIsNotFrozen(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.Handle = 100 * time.Millisecond
		c.Timing.Probe = 10 * time.Second
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
	p, _ := launch(t, sharedDir(t), "good", quick)
	before := p.Status().PID
	stopProcess(t, before)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := tryAsk(ctx, p, "pid", "")
	if got := integration.KindOf(err); got != integration.KindDeadline {
		t.Fatalf("error kind is %q, want %q", got, integration.KindDeadline)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want %v", err, context.DeadlineExceeded)
	}
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
	_, err := p.Perform(context.Background(), performing("pid", "")) // no deadline: it must not wait for one
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
	defer time.AfterFunc(time.Minute, cancel).Stop() // a call that goes on for ever is a failure, no hang
	_, err := tryAsk(ctx, p, "pid", "")
	if got := integration.KindOf(err); got != integration.KindDeadline || ctx.Err() != nil {
		t.Errorf("error %v is of kind %q, want %q before the call is canceled (%v)", err, got, integration.KindDeadline, ctx.Err())
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
				if _, err := tryAsk(context.Background(), p, "pid", ""); err != nil { // within its own budget
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

// TestDrainLetsARunningCallFinish, when the plugin is stopped and when it is replaced.
func TestDrainLetsARunningCallFinish(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, p *Plugin){
		"stop": func(_ *testing.T, p *Plugin) { p.Stop(context.Background()) },
		"restart": func(t *testing.T, p *Plugin) {
			if err := p.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"SIGTERM to the group": func(t *testing.T, p *Plugin) {
			if err := syscall.Kill(-p.Status().PID, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(-p.Status().PID, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := launch(t, sharedDir(t), "good")
			pid := p.Status().PID
			result := make(chan error, 1)
			begun := filepath.Join(t.TempDir(), "begun")
			go func() {
				out, err := p.Perform(context.Background(), performing("sleep", "1s "+begun))
				if err == nil && string(out.Payload) != "slept" {
					err = fmt.Errorf("result %q", out.Payload)
				}
				result <- err
			}()
			eventually(t, "the call has begun", func() bool { _, err := os.Stat(begun); return err == nil })
			end(t, p)
			if err := <-result; err != nil {
				t.Fatal(err)
			}
			if name == "restart" {
				eventually(t, "the old process ends", func() bool { return processGone(pid) })
				if got := askPID(t, p); got == pid {
					t.Fatalf("pid is %v, want another than %v", got, pid)
				}
			}
		})
	}
}

// TestStopGivesUpAtItsDeadline: a call that does not end does not hold the host.
func TestStopGivesUpAtItsDeadline(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good")
	pid := p.Status().PID
	result := make(chan error, 1)
	begun := filepath.Join(t.TempDir(), "begun")
	go func() {
		_, err := p.Perform(context.Background(), performing("sleep", "10m "+begun))
		result <- err
	}()
	eventually(t, "the call has begun", func() bool { _, err := os.Stat(begun); return err == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p.Stop(ctx)
	if err := <-result; !errors.Is(err, integration.ErrPluginGone) {
		t.Fatalf("error %v, want %v", err, integration.ErrPluginGone)
	}
	if !processGone(pid) {
		t.Fatal("the process is still there")
	}
}

// TestKillOfAFrozenPlugin returns promptly; go-plugin's own would wait for ever.
func TestKillOfAFrozenPlugin(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Plugin){
		"Kill": (*Plugin).Kill,
		"Stop": func(p *Plugin) { p.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _ := launch(t, sharedDir(t), "good")
			pid := p.Status().PID
			stopProcess(t, pid)
			done := make(chan struct{})
			go func() { defer close(done); end(p) }()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("has not returned")
			}
			if !processGone(pid) {
				t.Fatal("the process is still there")
			}
			end(p) // again: nothing to do
		})
	}
}

// TestGrandchildDoesNotHideADeath: it holds standard output and error of the dead process.
func TestGrandchildDoesNotHideADeath(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	out, err := p.Perform(t.Context(), performing("grandchild", ""))
	if err != nil {
		t.Fatal(err)
	}
	var grandchild int
	_, err = fmt.Sscan(string(out.Payload), &grandchild)
	if err != nil {
		t.Fatal(err)
	}
	pid := p.Status().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process answers", func() bool { s := p.Status(); return s.PID != 0 && s.PID != pid })
	eventually(t, "the grandchild ends with its parent", func() bool { return processGone(grandchild) })
}

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

// TestBigMessages: 5 MiB pass in both directions, more than 16 MiB are refused without harm.
func TestBigMessages(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = 30 * time.Second })
	pid := p.Status().PID
	five := strings.Repeat("y", 5<<20)
	out, err := p.Perform(t.Context(), performing("echo", five))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(out.Payload); got != len(five) {
		t.Fatalf("len(out.Payload) is %v, want %v", got, len(five))
	}
	for what, req := range map[string]integration.PerformRequest{
		"request": performing("echo", strings.Repeat("z", integration.MaxMessageBytes)),
		"answer":  performing("megabytes", "16"),
	} {
		_, err = p.Perform(t.Context(), req)
		if got := integration.KindOf(err); got != integration.KindInvalid {
			t.Fatalf("%v: error kind is %q, want %q", what, got, integration.KindInvalid)
		}
		if err == nil || !strings.Contains(err.Error(), "limit of 16777216 bytes") {
			t.Fatalf("%v: error %v, want one that contains %q", what, err, "limit of 16777216 bytes")
		}
		if errors.Is(err, integration.ErrPluginGone) {
			t.Fatalf("error %v, which must not be %v", err, integration.ErrPluginGone)
		}
	}
	if got := askPID(t, p); got != pid {
		t.Fatalf("pid is %v, want %v", got, pid)
	}
}

// TestLogLines keep level and fields; odd ones harm nobody.
func TestLogLines(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	if got := ask(t, p, "log", ""); got != "logged" {
		t.Fatalf("ask(t, p, 'log', '') is %q, want %q", got, "logged")
	}
	for _, want := range [][]string{
		{`"level":"DEBUG"`, `"msg":"debug line"`, `"plugin":"fake"`},
		{`"level":"INFO"`, `"msg":"info line"`, `"call":"CA1"`, `"n":7`},
		{`"level":"WARN"`, `"msg":"warn line"`},
		{`"level":"ERROR"`, `"msg":"error line"`, `"leg":{"id":"L1"}`},
		{`"level":"INFO"`, `"msg":"replaced stdout"`},
		{`"level":"INFO"`, `"msg":"replaced stderr"`},
		{`"level":"INFO"`, `\"@message\": 5`},
		{`"level":"INFO"`, `"msg":"raw line"`},
	} {
		eventually(t, want[1], func() bool {
			for line := range strings.SplitSeq(r.log.String(), "\n") {
				if !slices.ContainsFunc(want, func(part string) bool { return !strings.Contains(line, part) }) {
					return true
				}
			}
			return false
		})
	}
	if got := r.log.String(); strings.Contains(got, "@timestamp\":\"2") {
		t.Fatalf("%q contains %q", got, "@timestamp\":\"2")
	}
}

// TestFlood: a megabyte without a line end does not block the plugin, on either output.
func TestFlood(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = 30 * time.Second })
	if got := ask(t, p, "flood", ""); got != "flooded" {
		t.Fatalf("ask(t, p, 'flood', '') is %q, want %q", got, "flooded")
	}
	if got := ask(t, p, "flood", ""); got != "flooded" {
		t.Fatalf("ask(t, p, 'flood', '') is %q, want %q", got, "flooded")
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

// TestOnChangeMayAsk: the callback may use the plugin.
func TestOnChangeMayAsk(t *testing.T) {
	t.Parallel()
	var p atomic.Pointer[Plugin]
	var asked atomic.Int32
	q, _ := launch(t, sharedDir(t), "good", quick, func(c *Config) {
		c.OnChange = func(Status) {
			if p := p.Load(); p != nil {
				p.Status()
				if _, err := p.Describe(context.Background(), integration.DescribeRequest{}); err == nil {
					asked.Add(1)
				}
			}
		}
	})
	p.Store(q)
	if err := syscall.Kill(q.Status().PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "asked", func() bool { return asked.Load() > 0 })
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
