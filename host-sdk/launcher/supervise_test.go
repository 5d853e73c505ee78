//go:build unix

package launcher

import (
	"context"
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

	"github.com/stretchr/testify/require"

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

// processGone reports whether no process of this number is left that runs; a zombie that this test does not wait for counts as gone.
func processGone(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// stopProcess freezes a process and returns when it has come to rest, which the signal alone does not promise.
func stopProcess(t testing.TB, pid int) {
	t.Helper()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	eventually(t, "the process rests", func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		require.NoError(t, err)
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
			require.NoError(t, err)
			require.NotEqual(t, fmt.Sprint(before), answer, "answered by another process")
			require.Equal(t, 1, p.Status().Restarts)
			require.True(t, processGone(before))
		})
	}
}

// TestOneRepeatOnly: a webhook that kills every process gets an error, not a series of starts.
func TestOneRepeatOnly(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	counter := filepath.Join(t.TempDir(), "count")
	_, err := tryAsk(t.Context(), p, "count-and-crash", counter)
	require.ErrorIs(t, err, integration.ErrPluginGone)
	require.Equal(t, integration.KindUnavailable, integration.KindOf(err))
	require.ErrorContains(t, err, "exit status 3")
	tries, err := os.ReadFile(counter)
	require.NoError(t, err)
	require.Len(t, tries, 2)
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
		require.ErrorIs(t, err, integration.ErrPluginGone, name)
		tries, err := os.ReadFile(counter)
		require.NoError(t, err)
		require.Len(t, tries, 1, name)
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
		require.ErrorIs(t, err, integration.ErrPluginGone)
		askPID(t, p)
		want := restarts + 1
		if !online {
			want++
		}
		require.Equal(t, want, p.Status().Restarts, "online: %v", online)
	}
}

// TestPanicKeepsTheProcess: one bad request costs one answer.
func TestPanicKeepsTheProcess(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	before := askPID(t, p)
	_, err := tryAsk(t.Context(), p, "panic", "")
	require.Equal(t, integration.KindInternal, integration.KindOf(err))
	require.NotErrorIs(t, err, integration.ErrPluginGone)
	require.NotContains(t, err.Error(), "a defect", "the text stays in the log")
	require.Equal(t, before, askPID(t, p))
	eventually(t, "the stack is in the host's log", func() bool {
		return strings.Contains(r.text(), "a defect") && strings.Contains(r.text(), "fakePlugin")
	})
}

// TestFatalErrorIsACrash: what no handler can recover from.
func TestFatalErrorIsACrash(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", quick)
	_, err := p.Perform(t.Context(), performing("fatal", ""))
	require.ErrorIs(t, err, integration.ErrPluginGone)
	require.NotZero(t, askPID(t, p))
	eventually(t, "the trace is an error in the host's log", func() bool {
		for line := range strings.SplitSeq(r.text(), "\n") {
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
	require.Equal(t, integration.KindDeadline, integration.KindOf(err))
	require.NotErrorIs(t, err, integration.ErrPluginGone)
	require.Equal(t, before, p.Status().PID)
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
	require.Equal(t, integration.KindDeadline, integration.KindOf(err))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	eventually(t, "another process answers", func() bool { pid := p.Status().PID; return pid != 0 && pid != before })
	require.Contains(t, p.Status().LastError, "frozen")
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
	require.Contains(t, r.states(), StateUnhealthy)
	require.True(t, processGone(before))
	require.Contains(t, p.Status().LastError, "missed 3 health checks")
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
	require.NoError(t, syscall.Kill(pid, syscall.SIGCONT))
	eventually(t, "ready again", func() bool { return p.Status().State == StateReady })
	require.Equal(t, pid, p.Status().PID)
}

// TestBudget: a plugin that does not stay up is shown as failed, refuses at once, and comes back by order.
func TestBudget(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.FirstBackoff = time.Millisecond
		c.Timing.MaxBackoff = time.Hour
		c.Timing.Budget = 3
	})
	for i := range 3 {
		_, err := p.Perform(t.Context(), performing("crash", ""))
		require.ErrorIs(t, err, integration.ErrPluginGone, "crash %d", i+1)
	}
	eventually(t, "failed", func() bool { return p.Status().State == StateFailed })
	s := p.Status()
	require.Zero(t, s.PID)
	require.Contains(t, s.LastError, "exit status 3")
	require.InDelta(t, time.Hour, s.NextStart.Sub(s.Since), float64(time.Minute))
	_, err := tryAsk(context.Background(), p, "pid", "") // no deadline: it must not wait for one
	require.ErrorIs(t, err, integration.ErrPluginGone)
	require.ErrorContains(t, err, "failed too often")

	require.NoError(t, p.Restart(t.Context()))
	require.Equal(t, StateReady, p.Status().State)
	require.NotZero(t, askPID(t, p))
	_, err = p.Perform(t.Context(), performing("crash", ""))
	require.Error(t, err)
	require.NotZero(t, askPID(t, p), "the budget is whole again")
}

// TestFailedIsRetriedSlowly without an order.
func TestFailedIsRetriedSlowly(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.Budget = 1
		c.Timing.MaxBackoff = 50 * time.Millisecond
	})
	_, err := p.Perform(t.Context(), performing("crash", ""))
	require.Error(t, err)
	eventually(t, "ready again", func() bool { s := p.Status(); return s.State == StateReady && s.Restarts == 1 })
	require.Contains(t, r.states(), StateFailed)
}

// TestNoUseWaiting: a caller whose time ends before the next start is told so at once.
func TestNoUseWaiting(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.FirstBackoff = time.Hour; c.Timing.MaxBackoff = time.Hour })
	_, err := p.Perform(t.Context(), performing("crash", ""))
	require.Error(t, err)
	eventually(t, "backing off", func() bool { return p.Status().State == StateBackingOff })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	_, err = tryAsk(ctx, p, "pid", "")
	require.ErrorIs(t, err, integration.ErrPluginGone)
	require.ErrorContains(t, err, "the next start is at")
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
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	callers.Wait()
	require.Zero(t, failures.Load(), "no caller noticed")
	require.Equal(t, 1, p.Status().Restarts)
}

// TestDrainLetsARunningCallFinish, when the plugin is stopped and when it is replaced.
func TestDrainLetsARunningCallFinish(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, p *Plugin){
		"stop":    func(_ *testing.T, p *Plugin) { p.Stop(context.Background()) },
		"restart": func(t *testing.T, p *Plugin) { require.NoError(t, p.Restart(t.Context())) },
		"SIGTERM to the group": func(t *testing.T, p *Plugin) {
			require.NoError(t, syscall.Kill(-p.Status().PID, syscall.SIGTERM))
			require.NoError(t, syscall.Kill(-p.Status().PID, syscall.SIGINT))
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
			require.NoError(t, <-result)
			if name == "restart" {
				eventually(t, "the old process ends", func() bool { return processGone(pid) })
				require.NotEqual(t, pid, askPID(t, p))
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
	began := time.Now()
	p.Stop(ctx)
	require.Less(t, time.Since(began), 20*time.Second)
	require.ErrorIs(t, <-result, integration.ErrPluginGone)
	require.True(t, processGone(pid))
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
			require.True(t, processGone(pid))
			end(p) // again: nothing to do
		})
	}
}

// TestGrandchildDoesNotHideADeath: it holds standard output and error of the dead process.
func TestGrandchildDoesNotHideADeath(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick)
	out, err := p.Perform(t.Context(), performing("grandchild", ""))
	require.NoError(t, err)
	var grandchild int
	_, err = fmt.Sscan(string(out.Payload), &grandchild)
	require.NoError(t, err)
	pid := p.Status().PID
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	eventually(t, "another process answers", func() bool { s := p.Status(); return s.PID != 0 && s.PID != pid })
	eventually(t, "the grandchild ends with its parent", func() bool { return processGone(grandchild) })
}

// TestReplace switches to another version without an interruption, and stays with the old one if the new is bad.
func TestReplace(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good")
	bad := pluginDir(t, "3.0.0") // says it is 1.2.3
	before := p.Status().PID
	err := p.Replace(t.Context(), bad)
	require.ErrorContains(t, err, "its version is 1.2.3, its manifest 3.0.0")
	require.Equal(t, before, askPID(t, p))

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
	require.NoError(t, p.Replace(t.Context(), next))
	require.Equal(t, "2.0.0", ask(t, p, "version", ""))
	require.Equal(t, "2.0.0", p.Status().Version)
	require.Equal(t, "2.0.0", p.Manifest().Version)
	eventually(t, "the old process ends", func() bool { return processGone(before) })
	close(stop)
	callers.Wait()
	require.Zero(t, failures.Load(), "of %d calls", calls.Load())

	require.NoError(t, syscall.Kill(p.Status().PID, syscall.SIGKILL))
	require.Equal(t, "2.0.0", ask(t, p, "version", ""), "a restart stays with the new version")
}

// TestEnvironment: nothing of the host's but what is listed, and no handshake secrets for the plugin's children.
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
		require.NotContains(t, strings.Join(env, "\n"), "canary")
		for _, want := range []string{"FAKE_WANTED=yes", "TZ=UTC", "HTTPS_PROXY=http://proxy.example.com:3128", modeVariable + "=good"} {
			require.Contains(t, env, want)
		}
		if which == "environment" {
			names := []string{}
			for _, entry := range env {
				name, _, _ := strings.Cut(entry, "=")
				names = append(names, name)
			}
			slices.Sort(names)
			require.Equal(t, []string{"FAKE_WANTED", "HTTPS_PROXY", modeVariable, "TMPDIR", "TZ"}, names)
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
		require.NoError(t, err)
		require.Len(t, entries, 1)
		info, err := entries[0].Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		return entries[0].Name()
	}
	first := only()
	require.NoError(t, syscall.Kill(p.Status().PID, syscall.SIGKILL))
	askPID(t, p)
	eventually(t, "the first directory is removed", func() bool {
		entries, err := os.ReadDir(base)
		return err == nil && len(entries) == 1 && entries[0].Name() != first
	})
	only()
	p.Stop(t.Context())
	entries, err := os.ReadDir(base)
	require.NoError(t, err)
	require.Empty(t, entries)
}

// TestSweep removes what a killed host has left, and nothing else.
func TestSweep(t *testing.T) {
	t.Parallel()
	base := socketDir(t)
	stale := filepath.Join(base, dirPrefix+"stale")
	young := filepath.Join(base, dirPrefix+"young")
	foreign := filepath.Join(base, "foreign")
	for _, dir := range []string{stale, young, foreign} {
		require.NoError(t, os.Mkdir(dir, 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(stale, "plugin1"), nil, 0o600))
	inUse, err := newPrivateDir(base)
	require.NoError(t, err)
	old := time.Now().Add(-time.Hour)
	for _, dir := range []string{stale, foreign, inUse.path} {
		require.NoError(t, os.Chtimes(dir, old, old))
	}
	sweep(base, time.Now())
	require.NoDirExists(t, stale)
	require.DirExists(t, young)
	require.DirExists(t, foreign)
	require.DirExists(t, inUse.path)
	require.NoError(t, inUse.remove())
}

// TestBigMessages: 5 MiB pass in both directions, more than 16 MiB are refused without harm.
func TestBigMessages(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = 30 * time.Second })
	pid := p.Status().PID
	five := strings.Repeat("y", 5<<20)
	out, err := p.Perform(t.Context(), performing("echo", five))
	require.NoError(t, err)
	require.Equal(t, len(five), len(out.Payload))
	for what, req := range map[string]integration.PerformRequest{
		"request": performing("echo", strings.Repeat("z", integration.MaxMessageBytes)),
		"answer":  performing("megabytes", "16"),
	} {
		_, err = p.Perform(t.Context(), req)
		require.Equal(t, integration.KindInvalid, integration.KindOf(err), what)
		require.ErrorContains(t, err, "limit of 16777216 bytes", what)
		require.NotErrorIs(t, err, integration.ErrPluginGone)
	}
	require.Equal(t, pid, askPID(t, p))
}

// TestLogLines keep level and fields; odd ones harm nobody.
func TestLogLines(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good")
	require.Equal(t, "logged", ask(t, p, "log", ""))
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
			for line := range strings.SplitSeq(r.text(), "\n") {
				if !slices.ContainsFunc(want, func(part string) bool { return !strings.Contains(line, part) }) {
					return true
				}
			}
			return false
		})
	}
	require.NotContains(t, r.text(), "@timestamp\":\"2")
}

// TestFlood: a megabyte without a line end does not block the plugin, on either output.
func TestFlood(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = 30 * time.Second })
	require.Equal(t, "flooded", ask(t, p, "flood", ""))
	require.Equal(t, "flooded", ask(t, p, "flood", ""))
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
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		eventually(t, "another process", func() bool { s := p.Status(); return s.PID != 0 && s.PID != pid })
		askPID(t, p)
	}
	openFiles := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
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
	require.Equal(t, "fake-plugin", ask(t, p, "name", ""))
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
	require.NoError(t, syscall.Kill(q.Status().PID, syscall.SIGKILL))
	eventually(t, "asked", func() bool { return asked.Load() > 0 })
}

// handMade is a sealed plugin folder with this executable.
func handMade(t *testing.T, executable []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fake")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fake-plugin"), executable, 0o700))
	source := filepath.Join(t.TempDir(), "manifest.json")
	doc := fmt.Sprintf(`{"id":"fake","name":"Fake","version":"1.2.3","protocol":{"versions":[1]},"executables":{%q:{"path":"fake-plugin","sha256":""}}}`, manifest.Platform())
	require.NoError(t, os.WriteFile(source, []byte(doc), 0o600))
	_, err := manifest.Seal(source, dir)
	require.NoError(t, err)
	return dir
}
