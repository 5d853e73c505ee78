package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// TestAPacedTaskThatWaitsTooLongIsGivenBack: its lease must not run out while it waits.
func TestAPacedTaskThatWaitsTooLongIsGivenBack(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	pace := func(name string, priority int) integration.Task {
		return integration.Task{Name: name, Generation: 1, PaceKey: "account", PaceEvery: 50 * time.Second, Priority: priority}
	}
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{pace("a", 0), pace("b", 0)}})
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	second := map[string]string{"a": "b", "b": "a"}[wait(t, starts, "the first start")]
	// The task waits beside the loops of an idle engine.
	parked := func() bool { return clk.Waiting() == idleTimers+1 }
	for i := 1; i <= 2; i++ {
		eventually(t, "the second task waits", func() bool { return h.store.attempt(second) == i && parked() })
		clk.Advance(20 * time.Second) // less than its lease
	}
	eventually(t, "the second task waits", func() bool { return h.store.attempt(second) == 3 && parked() })
	clk.Advance(10 * time.Second)
	if got := wait(t, starts, "the second start"); got != second {
		t.Errorf("%s started twice", got)
	}
}

// TestTwoIntegrationsOfOneAccountShareItsPace: a foreign service counts the calls of an account,
// not those of an integration.
func TestTwoIntegrationsOfOneAccountShareItsPace(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	other, _, err := h.Configure(context.Background(), "", 0, draft("Another hotline"))
	if err != nil {
		t.Fatal(err)
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return once(integration.Outcome{Tasks: []integration.Task{
			{Name: "dial-" + req.Facts.Instance.Name, Generation: 1, PaceKey: "account", PaceEvery: 5 * time.Second},
		}})(req)
	}
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the first hotline's request")
	wait(t, starts, "the first start")
	h.id = other.ID
	h.expect(t, "/c/L/x", "done", "the other hotline's request")
	// The task waits beside the loops of an idle engine.
	eventually(t, "the other hotline's task waits", func() bool {
		return h.store.attempt("dial-Another hotline") == 1 && clk.Waiting() == idleTimers+1
	})
	if len(starts) > 0 {
		t.Errorf("%s has not waited", <-starts)
	}
	clk.Advance(5 * time.Second)
	wait(t, starts, "the other hotline's start")
}

func TestPacedTasksHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	// Fewer workers than tasks: waiting must not hold one.
	h := newHost(t, func(c *engine.Config) { c.Workers = 2 })
	var tasks []integration.Task
	for i := range 5 {
		tasks = append(tasks, integration.Task{Name: fmt.Sprint("dial-", i), Generation: 1, PaceKey: "account", PaceEvery: 4 * time.Second})
	}
	tasks = append(tasks, integration.Task{Name: "unpaced", Generation: 1})
	h.plugin.webhook = once(integration.Outcome{Tasks: tasks})
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	started := map[string]int{}
	for range 6 {
		started[wait(t, starts, "a start")]++
	}
	if len(started) != 6 {
		t.Errorf("started %v, want each task once", started)
	}
}
