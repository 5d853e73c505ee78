//go:build unix

package launcher

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/transport"
)

// A frozen process is replaced soon after the first call that it did not answer, also when that
// call had no time left to look: the next caller is not made to find it, and no health check is
// waited for.
func TestAFrozenPluginIsReplacedWithoutAnotherCallOrAHealthCheck(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", quick, suspecting, func(c *Config) { c.Timing.HealthEvery = time.Hour })
	before := p.Status().PID
	stopProcess(t, before)
	askBriefly(t, p)
	eventually(t, "another process is ready", func() bool { s := p.Status(); return s.State == StateReady && s.PID != before })
	if !processGone(before) {
		t.Errorf("process %d is still there", before)
	}
}

// A host makes thousands of calls within the time that one may take: none leaves anything waiting
// for the end of that time.
func TestTheContextOfACallEndsWithTheCall(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.Handle = time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var once context.Context
	_, err := pure(ctx, p, integration.DescribeRequest{}, func(i integration.Integration, ctx context.Context, req integration.DescribeRequest) (integration.Description, error) {
		once = ctx
		return i.Describe(ctx, req)
	}, manner{})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(once.Err(), context.Canceled) {
		t.Errorf("after the call its context says %v, want %v", once.Err(), context.Canceled)
	}
}

// Whoever gives up while it is looked whether a slow process lives has not found that it does not.
func TestACallerWhoGoesAwayDoesNotEndASlowProcess(t *testing.T) {
	t.Parallel()
	p, r := launch(t, sharedDir(t), "good", func(c *Config) {
		c.Timing.Handle, c.Timing.Probe, c.Timing.HealthEvery = 50*time.Millisecond, time.Hour, time.Hour
	})
	before := p.Status().PID
	stopProcess(t, before)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	proc, err := p.acquire(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	proc.finish()
	looked := make(chan bool, 1)
	go func() { looked <- p.probe(ctx, proc) }()
	cancel()
	select {
	case alive := <-looked:
		if !alive {
			t.Error("the process is taken for frozen")
		}
	case <-time.After(time.Minute):
		t.Fatal("the look does not end with its asker")
	}
	if err := syscall.Kill(before, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process answers", func() bool {
		pid, err := tryAsk(t.Context(), p, "pid", "")
		return err == nil && pid == strconv.Itoa(before)
	})
	if strings.Contains(r.log.String(), "frozen") {
		t.Errorf("log:\n%s", r.log.String())
	}
}

// While no process is there a call waits no longer than its caller, who learns why there is none.
func TestWhoeverWaitsForAProcessMayGiveUp(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good", func(c *Config) { c.Timing.FirstBackoff, c.Timing.MaxBackoff = time.Hour, time.Hour })
	for range 2 { // the first restart is at once
		if _, err := p.Perform(t.Context(), performing("crash", "")); err == nil {
			t.Fatal("no error")
		}
	}
	eventually(t, "backing off", func() bool { return p.Status().State == StateBackingOff })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Perform(ctx, performing("pid", ""))
	if !errors.Is(err, integration.ErrPluginGone) || !strings.Contains(err.Error(), "no process came up in time") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v, want one that says that no process came up, and why", err)
	}
	if _, err := p.Profile(t.Context(), transport.Profile{Name: "heap"}); !errors.Is(err, integration.ErrPluginGone) {
		t.Errorf("a profile: error %v, want %v", err, integration.ErrPluginGone)
	}
}

func TestAProfileIsOfThePluginsProcess(t *testing.T) {
	t.Parallel()
	p, _ := launch(t, sharedDir(t), "good")
	text, err := p.Profile(t.Context(), transport.Profile{Name: "goroutine", Debug: 1})
	if err != nil || !strings.Contains(string(text), "goroutine profile") || !strings.Contains(string(text), "transport.Main") {
		t.Errorf("profile %.200q, %v; want that of the plugin", text, err)
	}
}
