package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
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
	in, _, err := fresh.Configure(context.Background(), "", 0, draft("New"))
	if err != nil {
		t.Fatal(err)
	}
	saved := h.clock.Now()
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

// Two hosts that share a store begin the same timers, and each run is one host's: none is done
// twice, and none begins a second chain.
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
	other := h.another(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- other.Run(ctx) }()
	h.start(t)
	var last int64
	for i := range 6 {
		req := wait(t, fired, "a sweep")
		if i > 0 && req.Task.Generation != last+1 {
			t.Errorf("run %d follows run %d", req.Task.Generation, last)
		}
		last = req.Task.Generation
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
