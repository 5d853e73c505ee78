package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// TestUnknownIsNotNone: what cannot be read at the first ask is asked for again by the next
// request, and destinations whose names are unknown are there all the same.
func TestUnknownIsNotNone(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string {
		return fmt.Sprintf("%v %s", f.Instance.Capabilities.Reopen, f.Destinations[0].Name)
	})
	h.forget(t)
	fresh := h.another(t)
	ask := func() string {
		r, err := fresh.Webhook(context.Background(), h.id, integration.WebhookRequest{Method: "POST", Path: "/c/K/x"})
		if err != nil {
			t.Fatal(err)
		}
		return string(r.Body)
	}
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	if got := ask(); got != "false devops" {
		t.Errorf("with the platform down: %q", got)
	}
	h.platform.set(func(p *fakePlatform) { p.down = nil })
	if got := ask(); got != "true Team devops" {
		t.Errorf("with the platform back: %q", got)
	}
}

// TestPeriodicTasksHaveTodaysOptions although their session remembers the revision of its first
// commit.
func TestPeriodicTasksHaveTodaysOptions(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 10)
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	h.plugin.action = func(integration.ActionRequest) (integration.ActionResult, error) {
		return integration.ActionResult{State: []byte("x"), Format: 1}, nil
	}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		seen <- string(req.Facts.Instance.Options)
		return integration.Outcome{}, nil
	}
	// Pins the session's revision.
	if _, err := h.RunAction(context.Background(), h.id, "check", nil); err != nil {
		t.Fatal(err)
	}
	d := draft("Hotline")
	d.Options = []byte(`{"greeting":"changed","token":"first"}`)
	in, err := h.store.Integration(context.Background(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Configure(context.Background(), h.id, in.Revision, d); err != nil {
		t.Fatal(err)
	}
	h.start(t)
	if got := wait(t, seen, "the sweep"); !strings.Contains(got, "changed") {
		t.Errorf("the periodic task has the options %s", got)
	}
}

// TestPeriodicTasksStartOnceTheStoreCanBeRead.
func TestPeriodicTasksStartOnceTheStoreCanBeRead(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
		return d, nil
	})
	fired := make(chan struct{}, 10)
	h.plugin.task = func(integration.TaskRequest) (integration.Outcome, error) {
		fired <- struct{}{}
		return integration.Outcome{}, nil
	}
	h.store.failing("ListIntegrations", errDown)
	fresh := h.another(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- fresh.Run(ctx) }()
	eventually(t, "a look at the integrations", func() bool { return h.store.times("ListIntegrations") > 0 })
	h.store.failing("ListIntegrations", nil)
	wait(t, fired, "the periodic task")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestAResultThatThePluginRefusesForGoodEnds after a few tries, with a finding; a plugin that is
// away refuses nothing.
func TestAResultThatThePluginRefusesForGoodEnds(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = once(integration.Outcome{Session: remember(1), Tasks: []integration.Task{{Name: "bad", Generation: 1}, {Name: "later", Generation: 1}}})
	h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
		return integration.TaskResult{}, nil
	}
	var mu sync.Mutex
	tries := map[string]int{}
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		mu.Lock()
		defer mu.Unlock()
		tries[req.Task.Name]++
		switch {
		case req.Task.Name == "bad":
			return integration.Outcome{}, integration.Errorf(integration.KindInternal, "a defect")
		case tries["later"] <= 15:
			return integration.Outcome{}, errDown
		}
		return integration.Outcome{}, nil
	}
	h.start(t)
	h.expect(t, "/c/K/x", "done", "the request")
	eventually(t, "the finding", func() bool { return h.hasFinding(t, engine.FindingRefused, "task (bad) of call K") })
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	mu.Lock()
	defer mu.Unlock()
	if tries["bad"] < 5 || tries["bad"] > 11 || tries["later"] != 16 {
		t.Errorf("tries %v, want about ten of what is refused, and all of what was only not answered", tries)
	}
}

// TestARefusedPeriodicTimerIsFollowedByTheNext.
func TestARefusedPeriodicTimerIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) {
		p, _ := c.Plugins.Plugin("fake")
		p.(*fakePlugin).periodic = []integration.PeriodicTask{{Name: "sweep", Every: time.Minute}}
	})
	next := make(chan int64, 10)
	h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
		if req.Task.Generation == 1 {
			return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "a defect")
		}
		next <- req.Task.Generation
		return integration.Outcome{}, nil
	}
	h.start(t)
	if got := wait(t, next, "the next one"); got != 2 {
		t.Errorf("generation %d", got)
	}
	counts, _, err := h.store.OutboxStats(context.Background())
	if err != nil || counts[store.ItemTimer][store.PhaseWaiting]+counts[store.ItemTimer][store.PhaseStarted] > 1 {
		t.Errorf("timers %v (%v)", counts, err)
	}
}

// TestFindingsThatCannotBeReadAreUnknown until they were read once; then the last known ones serve.
func TestFindingsThatCannotBeReadAreUnknown(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return fmt.Sprintf("%v %d", f.FindingsUnknown, len(f.Findings)) })
	err := h.store.SaveFindings(context.Background(), h.id, []integration.Finding{{Code: "c", Severity: integration.FindingInfo, At: clk.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	h.store.failing("Findings", errDown)
	h.expect(t, "/c/K/x", "true 0", "a store that fails at the first ask")
	h.store.failing("Findings", nil)
	h.expect(t, "/c/K/x", "false 1", "the store is back")
	h.store.failing("Findings", errDown)
	clk.Advance(time.Hour)
	h.expect(t, "/c/K/x", "false 1", "the store fails later")
}
