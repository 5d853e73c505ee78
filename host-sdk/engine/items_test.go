package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// TestWorkThatCannotBeReadIsGivenUp: an item from a release that nobody runs any more must not be
// tried for ever.
func TestWorkThatCannotBeReadIsGivenUp(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	now := h.clock.Now()
	for _, it := range []store.Item{
		{Kind: "parcel", Body: []byte("{}")},
		{Kind: store.ItemTimer, Name: "timer", Body: []byte("{")},
		{Kind: store.ItemTask, Name: "task", Body: []byte("{")},
		{Kind: store.ItemCommand, Body: []byte("{")},
		{Kind: store.ItemMail, Body: []byte("{")},
		{Kind: store.ItemWebhook, Body: []byte("{")},
	} {
		it.Integration, it.Key, it.Due, it.Phase = h.id, "K", now, store.PhaseWaiting
		if err := h.store.AddItem(context.Background(), it); err != nil {
			t.Fatal(err)
		}
	}
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	for _, want := range []string{"unknown kind of work", "unreadable timer", "unreadable task", "unreadable alert command", "unreadable mail", "unreadable request"} {
		if n := strings.Count(log.String(), want); n != 1 {
			t.Errorf("%q stands %d times in the log, want once", want, n)
		}
	}
}

func TestWorkOfAnIntegrationThatIsGoneIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		t.Error("the handler of an integration that is gone runs")
		return integration.Outcome{}, nil
	}
	err := h.store.AddItem(context.Background(), store.Item{
		Integration: "int_gone", Key: "K", Kind: store.ItemTimer, Name: "t", Due: h.clock.Now(), Phase: store.PhaseWaiting, Body: []byte("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

func TestAnOutboxThatCannotBeReadIsReadAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, Timer: true}}})
	fired := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		fired <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.store.failing("Claim", errDown)
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	was := h.store.times("Claim")
	eventually(t, "more attempts", func() bool { return h.store.times("Claim") > was+2 })
	h.store.failing("Claim", nil)
	wait(t, fired, "the timer")
}

func TestAMediumThatCannotBeStoredIsFetchedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	var performed atomic.Int32
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		if performed.Add(1) == 2 {
			h.store.failing("PutMedium", nil)
		}
		return integration.TaskResult{Media: []integration.MediaContent{{Name: "m", Data: []byte("RIFF")}}}, nil
	}
	got := make(chan integration.TaskRequest, 1)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		got <- req
		return integration.Outcome{}, nil
	}
	h.store.failing("PutMedium", errDown)
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	if req := wait(t, got, "the result"); req.Event != integration.TaskDone || len(req.Media) != 1 || performed.Load() != 2 {
		t.Errorf("event %s with %d media after %d attempts", req.Event, len(req.Media), performed.Load())
	}
}

func TestAPluginThatIsAwayDelaysItsTasks(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	h.expect(t, "/c/K/x", "done", "the request")
	h.plugins.set(nil)
	attempts := make(chan int, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}
	h.start(t)
	eventually(t, "a claim", func() bool { return h.store.times("Claim") > 2 })
	h.plugins.set(h.plugin)
	wait(t, attempts, "the task")
}

func TestMoreWorkThanWorkersIsDone(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.Workers = 2 })
	var tasks []integration.Task
	for i := range 9 {
		tasks = append(tasks, integration.Task{Name: "t" + string(rune('a'+i)), Generation: 1})
	}
	h.plugin.webhook = once(integration.Outcome{Tasks: tasks})
	var busy, most atomic.Int32
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		n := busy.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		busy.Add(-1)
		return integration.TaskResult{}, nil
	}
	done := make(chan struct{}, 20)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		done <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.expect(t, "/c/K/x", "done", "the request")
	h.start(t)
	for range 9 {
		wait(t, done, "a task")
	}
	if most.Load() > 2 {
		t.Errorf("%d tasks at a time with 2 workers", most.Load())
	}
}

// TestWorkBeginsAtOnce, not at the next look into the store: the clock stands still.
func TestWorkBeginsAtOnce(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	performed := make(chan struct{}, 1)
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		performed <- struct{}{}
		return integration.TaskResult{}, nil
	}
	handled := make(chan struct{}, 1)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		handled <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.start(t)
	eventually(t, "a first look that finds nothing", func() bool { return h.store.times("Claim") > 0 })
	h.expect(t, "/c/K/x", "done", "the request")
	wait(t, performed, "the task")
	wait(t, handled, "its result")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	// An idle engine costs nothing: each of its loops waits.
	eventually(t, "rest", func() bool { return clk.Waiting() == idleTimers })
}

// TestQuietRunsStillConsumeTheirItem: otherwise a timer whose handler has nothing to do would come
// for ever.
func TestQuietRunsStillConsumeTheirItem(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, Timer: true}}})
	h.expect(t, "/c/K/x", "done", "the request")
	var runs atomic.Int32
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		runs.Add(1)
		return integration.Outcome{}, nil
	}
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if runs.Load() != 1 {
		t.Errorf("the handler ran %d times, want once", runs.Load())
	}
}
