package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestPeriodicTasksOfANewIntegrationBegin(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Second}, {Name: "daily", Every: 24 * time.Hour}}
		return d, nil
	})
	fresh := h.another(t)
	fired := make(chan integration.TaskRequest, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Task.Name != "sweep" {
			t.Errorf("%s fired", req.Task.Name)
		}
		fired <- req
		return integration.Outcome{}, nil
	}
	saved := h.clock.Now() // or a little later
	in, _, err := fresh.Configure(context.Background(), "", 0, draft("New"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fresh.Run(ctx) }()
	var times []time.Time
	for len(times) < 2 {
		if req := wait(t, fired, "a sweep"); req.Facts.Instance.ID == in.ID {
			times = append(times, req.Facts.Now)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if first, second := times[0].Sub(saved), times[1].Sub(times[0]); first < 30*time.Second || second < 59*time.Second {
		t.Errorf("sweeps after %v and %v; a minute is the least", first, second)
	}
}

func TestPeriodicTasksGiveUpWhenTheSessionAlwaysMoves(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
		return d, nil
	})
	fresh := h.another(t)
	h.store.alwaysConflict.Store(true)
	commits := h.store.count()
	if _, _, err := fresh.Configure(context.Background(), "", 0, draft("New")); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("got %v", err)
	}
	if got := h.store.count() - commits; got != 5 {
		t.Errorf("tried %d times, want 5", got)
	}
}

// TestAPeriodicTaskThatThePluginNoLongerHasEnds, and one whose plugin is away goes on.
func TestAPeriodicTaskThatThePluginNoLongerHasEnds(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	fresh := h.another(t) // after an upgrade
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = nil
		return d, nil
	})
	fired := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		fired <- struct{}{}
		return integration.Outcome{}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fresh.Run(ctx) }()
	wait(t, fired, "the last sweep")
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPeriodicTasksComeAgainAndAgain(t *testing.T) {
	t.Parallel()
	fired := make(chan string, 10)
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		fired <- req.Facts.SessionKey + " " + req.Task.Name
		return integration.Outcome{}, nil
	}
	h.start(t)
	for i := range 3 {
		if got := wait(t, fired, "the sweep"); got != "integration sweep" {
			t.Errorf("run %d: %q", i, got)
		}
	}
}

// begunStore says when a host has begun the timers of periodic tasks.
type begunStore struct {
	*countingStore
	begun chan struct{}
	once  sync.Once
}

func (s *begunStore) Commit(ctx context.Context, c store.Commit) (int64, error) {
	done, err := s.countingStore.Commit(ctx, c)
	if err == nil && slices.ContainsFunc(c.Items, func(it store.Item) bool { return it.Kind == store.ItemTimer && it.Generation == 1 }) {
		s.once.Do(func() { close(s.begun) })
	}
	return done, err
}

// Hosts that share a store begin the same timers, at the same time or while these run, and each run
// is one host's: none is done twice, none is put off, and none begins a second chain.
func TestAPeriodicTaskRunsOnceForAllHosts(t *testing.T) {
	t.Parallel()
	fired := make(chan integration.TaskRequest, 100)
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		fired <- req
		return integration.Outcome{}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ended []chan error
	run := func(e *engine.Engine) {
		done := make(chan error, 1)
		ended = append(ended, done)
		go func() { done <- e.Run(ctx) }()
	}
	run(h.another(t))
	h.start(t)
	var last int64
	next := func() {
		t.Helper()
		if req := wait(t, fired, "a sweep"); req.Task.Generation != last+1 {
			t.Fatalf("run %d follows run %d", req.Task.Generation, last)
		}
		last++
	}
	for range 3 {
		next()
	}
	late := &begunStore{countingStore: h.store, begun: make(chan struct{})}
	run(h.another(t, func(c *engine.Config) { c.Store = late }))
	for begun := false; !begun; next() {
		select {
		case <-late.begun:
			begun = true
		default:
		}
	}
	for range 3 {
		next()
	}
	cancel()
	for _, done := range ended {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A task that only a plugin's new version has begins while the host runs on: nobody restarts a host
// for an upgrade of a plugin.
func TestAPeriodicTaskOfANewVersionBegins(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	fired := make(chan string, 1000)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		fired <- req.Task.Name
		return integration.Outcome{}, nil
	}
	h.start(t)
	eventually(t, "the end of the first look", func() bool { return h.store.times("ListIntegrations") > 0 && clk.Waiting() > 0 })
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
		return d, nil
	})
	eventually(t, "two sweeps", func() bool { clk.Advance(time.Minute); return len(fired) >= 2 })
}
