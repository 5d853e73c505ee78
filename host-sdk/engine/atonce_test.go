package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// dials are outcomes that order a call to each of these names, one after the other at the pace of
// one account.
func dials(every time.Duration, names ...string) integration.Outcome {
	var o integration.Outcome
	for i, name := range names {
		o.Tasks = append(o.Tasks, integration.Task{Name: name, Generation: 1, PaceKey: "account", PaceEvery: every, Priority: -i})
	}
	return o
}

// TestACallWhoseTurnIsFreeStartsWithTheCommitThatOrdersIt: it waits for no claim; the others wait
// for their turns, as ever.
func TestACallWhoseTurnIsFreeStartsWithTheCommitThatOrdersIt(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk), exclusive)
	h.plugin.webhook = once(dials(10*time.Second, "later", "urgent"))
	starts, done := make(chan integration.PerformRequest, 10), make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req
		return integration.TaskResult{Payload: []byte(req.Task.Name)}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		done <- string(req.Result)
		return integration.Outcome{}, nil
	}
	h.start(t)
	eventually(t, "the outbox works", func() bool { return clk.Waiting() == idleTimers })
	h.expect(t, "/c/K/x", "done", "the request")
	if first := wait(t, starts, "the first start"); first.Task.Name != "urgent" || first.Attempt != 1 {
		t.Errorf("%s was started first, by attempt %d", first.Task.Name, first.Attempt)
	}
	if got := wait(t, done, "the first result"); got != "urgent" {
		t.Errorf("the first result is that of %s", got)
	}
	if n := h.store.attempt("urgent"); n != 0 {
		t.Errorf("it was claimed %d times", n)
	}
	eventually(t, "the other one waits", func() bool { return h.store.attempt("later") == 1 && clk.Waiting() == idleTimers+1 })
	if len(starts) > 0 {
		t.Errorf("%s has not waited for its turn", (<-starts).Task.Name)
	}
	clk.Advance(10 * time.Second)
	wait(t, starts, "the second start")
}

// TestATurnIsNotLostWithACommitThatFails: the handler runs again, and its call starts at once.
func TestATurnIsNotLostWithACommitThatFails(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk), exclusive)
	h.plugin.webhook = once(dials(time.Hour, "dial"))
	starts := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		starts <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	eventually(t, "the outbox works", func() bool { return clk.Waiting() == idleTimers })
	h.store.alwaysConflict.Store(true)
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindConflict {
		t.Fatalf("every commit fails, and the request ended with %v", err)
	}
	h.store.alwaysConflict.Store(false)
	h.expect(t, "/c/K/x", "done", "the request")
	wait(t, starts, "the start")
	if n := h.store.attempt("dial"); n != 0 {
		t.Errorf("it was claimed %d times", n)
	}
}

// TestACallIsDoneWhenNobodyWaitsForItsCommitAnyMore: the commit succeeds after its request has been
// given up, and what it has claimed is done all the same, as a further attempt.
func TestACallIsDoneWhenNobodyWaitsForItsCommitAnyMore(t *testing.T) {
	t.Parallel()
	clk := newManual() // its lease never ends
	h := newHost(t, manual(clk), exclusive)
	h.plugin.webhook = once(dials(0, "dial"))
	attempts := make(chan int, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}
	h.start(t)
	eventually(t, "the outbox works", func() bool { return clk.Waiting() == idleTimers })
	goOn := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	h.store.before = func() {
		cancel()
		<-goOn
	}
	if _, err := h.postWithin(ctx, "/c/K/x", ""); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("the request ended with %v", err)
	}
	close(goOn)
	if got := wait(t, attempts, "the call"); got != 2 {
		t.Errorf("attempt %d, want 2: nobody can say whether the first was made", got)
	}
}
