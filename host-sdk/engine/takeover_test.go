package engine_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// TestWorkOfAnotherProcessIsLeftToIt while that process may be alive.
func TestWorkOfAnotherProcessIsLeftToIt(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()), func(c *engine.Config) { c.Workers = 1 })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "held", Generation: 1}, {Name: "free", Generation: 1}}})
	h.expect(t, "/c/K/x", "done", "the request")
	items, _, err := h.store.Store.Claim(context.Background(), store.Claim{Owner: "other", Now: h.clock.Now(), Lease: time.Hour, Limit: 1})
	if err != nil || len(items) != 1 || items[0].Name != "held" {
		t.Fatalf("claimed %+v, %v", items, err)
	}
	performed := make(chan string, 2)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		performed <- req.Task.Name
		return integration.TaskResult{}, nil
	}
	h.start(t)
	if got := wait(t, performed, "the other task"); got != "free" {
		t.Errorf("%s was taken from a process that holds it", got)
	}
}

func TestWorkOfAKilledPredecessorIsTakenUpAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.Exclusive = true })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	// The predecessor claimed the task for a year of the clock's time, and died.
	items, _, err := h.store.Claim(context.Background(), store.Claim{Owner: "dead", Now: h.clock.Now(), Lease: 365 * 24 * time.Hour, Limit: 10})
	if err != nil || len(items) != 1 {
		t.Fatalf("claimed %d items, %v", len(items), err)
	}
	attempts := make(chan int, 1)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}
	h.start(t)
	if got := wait(t, attempts, "the second attempt"); got != 2 {
		t.Errorf("attempt %d, want 2: the plugin must know that it may have been done", got)
	}
}

// terms lets an engine work in terms, which the test ends.
type terms struct {
	mu  sync.Mutex
	end context.CancelFunc
	may chan struct{} // gets a value for each term that may begin
}

func (s *terms) claiming(ctx context.Context) (context.Context, error) {
	select {
	case <-s.may:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	term, end := context.WithCancel(context.Background())
	s.end = end
	return term, nil
}

func (s *terms) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// TestAHostThatOthersMayTakeForDeadGivesUpItsWork: what was under way is cancelled, others may have
// it at once, and nothing that comes of it is written. When it may work again, it begins anew.
func TestAHostThatOthersMayTakeForDeadGivesUpItsWork(t *testing.T) {
	t.Parallel()
	s := &terms{may: make(chan struct{}, 1)}
	h := newHost(t, func(c *engine.Config) { c.Owner, c.Claiming = "this", s.claiming })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	attempts, cancelled := make(chan int, 10), make(chan error, 10)
	h.plugin.perform = func(ctx context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		if req.Attempt < 3 {
			<-ctx.Done()
			cancelled <- ctx.Err()
			return integration.TaskResult{}, ctx.Err()
		}
		return integration.TaskResult{Payload: []byte("done")}, nil
	}
	results := make(chan string, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event != integration.TimerDue { // the host's own
			results <- string(req.Event) + " " + string(req.Result)
		}
		return integration.Outcome{}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	s.may <- struct{}{}
	if got := wait(t, attempts, "the first attempt"); got != 1 {
		t.Errorf("attempt %d, want 1", got)
	}
	s.over()
	wait(t, cancelled, "the end of the first attempt")
	// Others have seen that this host is dead.
	if err := h.store.ReleaseLeases(t.Context(), "this"); err != nil {
		t.Fatal(err)
	}
	items, _, err := h.store.Claim(t.Context(), store.Claim{Owner: "other", Now: h.clock.Now(), Lease: time.Minute, Limit: 10})
	if err != nil || len(items) != 1 || items[0].Attempt != 2 {
		t.Fatalf("another host claims %+v (%v), want the second attempt", items, err)
	}
	s.may <- struct{}{}
	if err := h.store.RetryItem(t.Context(), items[0], h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, attempts, "an attempt in the second term"); got != 3 {
		t.Errorf("attempt %d, want 3", got)
	}
	if got := wait(t, results, "the result"); got != "task_done done" || len(results) != 0 {
		t.Errorf("the handler got %q and %d more", got, len(results))
	}
}

// TestWhatAStoppedHostHasBegunIsFree for the others at once.
func TestWhatAStoppedHostHasBegunIsFree(t *testing.T) {
	t.Parallel()
	s := &terms{may: make(chan struct{}, 1)}
	h := newHost(t, func(c *engine.Config) { c.Owner, c.Claiming = "this", s.claiming })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	s.may <- struct{}{}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	eventually(t, "the leases of the term before are given back", func() bool { return h.store.times("ReleaseLeases") == 1 })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := h.store.times("ReleaseLeases"); n != 2 {
		t.Errorf("leases were given back %d times, want at the begin and at the end", n)
	}
}

// freezing is a store that a host no longer claims from once it is frozen.
type freezing struct {
	store.Store
	frozen atomic.Bool
}

func (s *freezing) Claim(ctx context.Context, c store.Claim) ([]store.Item, time.Time, error) {
	if s.frozen.Load() {
		<-ctx.Done()
		return nil, time.Time{}, ctx.Err()
	}
	return s.Store.Claim(ctx, c)
}

// TestADialOfAFrozenHostIsDoneByAnother before a task that grants the time for it is too late.
func TestADialOfAFrozenHostIsDoneByAnother(t *testing.T) {
	t.Parallel()
	clk := newManual()
	var s freezing
	h := newHost(t, manual(clk), func(c *engine.Config) { s.Store = c.Store; c.Store = &s })
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{
		{Name: "dial", Generation: 1, PaceKey: "account", NotAfter: clk.Now().Add(integration.LongestTakeover + time.Second)},
	}})
	begun, attempts := make(chan struct{}), make(chan int, 10)
	frozen, thaw := context.WithCancel(context.Background())
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		s.frozen.Store(true)
		close(begun)
		<-frozen.Done()
		return integration.TaskResult{}, nil
	}
	results := make(chan string, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Event != integration.TimerDue { // the host's own
			results <- string(req.Event)
		}
		return integration.Outcome{}, nil
	}
	h.start(t)
	t.Cleanup(thaw)
	h.expect(t, "/c/K/x", "done", "the request")
	wait(t, begun, "the first attempt")

	other := &fakePlugin{task: h.plugin.task, perform: func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		attempts <- req.Attempt
		return integration.TaskResult{}, nil
	}}
	h.plugins = &plugins{p: other, ids: []string{"fake"}}
	second := h.another(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- second.Run(ctx) }()
	for passed := time.Duration(0); passed < integration.LongestTakeover; passed += time.Second {
		eventually(t, "both hosts wait", func() bool { return clk.Waiting() >= 4 })
		clk.Advance(time.Second)
	}
	if got := wait(t, attempts, "the second attempt"); got != 2 {
		t.Errorf("attempt %d, want 2: the plugin must know that it may have been done", got)
	}
	if got := wait(t, results, "the result"); got != "task_done" {
		t.Errorf("the handler hears %s, want that the task is done", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnItemThatAnotherProcessConsumedIsLeft(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Tasks: []integration.Task{{Name: "t", Generation: 1, Timer: true}}})
	runs := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		runs <- struct{}{}
		return integration.Outcome{Session: remember("mine")}, nil
	}
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	h.store.mu.Lock()
	h.store.before = func() { // the other process is faster by a hair
		items, err := h.store.SessionsByKey(context.Background(), "K")
		if err != nil || len(items) != 1 {
			t.Errorf("sessions %v, %v", items, err)
			return
		}
		_, err = h.store.Store.Commit(context.Background(), store.Commit{Integration: h.id, Key: "K", Version: items[0].Version, Done: h.firstItem(t), Now: h.clock.Now()})
		if err != nil {
			t.Errorf("the other commit: %v", err)
		}
	}
	h.store.mu.Unlock()
	h.start(t)
	wait(t, runs, "the handler")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if s, _ := h.store.Session(context.Background(), h.id, "K"); string(s.State) != `"x"` || len(runs) != 0 {
		t.Errorf("session %s after %d more runs, want it as it was and none", s.State, len(runs))
	}
}

// firstItem claims nothing: in a fresh store the first item has the first number.
func (h *host) firstItem(t *testing.T) int64 {
	t.Helper()
	return 1
}
