package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// timers remembers which timers of the host came to which session, in order.
type timers struct {
	mu   sync.Mutex
	came []string
}

func (s *timers) handle(req integration.TaskRequest) (integration.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if req.Event != integration.TimerDue || !req.Task.Timer {
		return integration.Outcome{}, fmt.Errorf("not a timer: %+v", req)
	}
	s.came = append(s.came, req.Task.Name+" "+req.Facts.SessionKey+" "+string(req.Facts.Instance.State))
	return integration.Outcome{}, nil
}

func (s *timers) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.came)
}

// await waits until as many timers came as are wanted, and compares them.
func (s *timers) await(t *testing.T, why string, want ...string) {
	t.Helper()
	eventually(t, why, func() bool { return len(s.list()) >= len(want) })
	if got := s.list(); !slices.Equal(got, want) {
		t.Errorf("%s: there came %q, want %q", why, got, want)
	}
}

// session commits a session beside the engine.
func (h *host) session(t *testing.T, key string, created time.Time, s store.Session) {
	t.Helper()
	version := int64(0)
	if old, err := h.store.Session(context.Background(), h.id, key); err == nil {
		version = old.Version
	}
	if _, err := h.store.Store.Commit(context.Background(), store.Commit{Integration: h.id, Key: key, Version: version, Session: &s, Now: created}); err != nil {
		t.Fatal(err)
	}
}

// releasing makes the plugin end what a session occupies and waits for, as the path of a request
// says.
func releasing(req integration.WebhookRequest) (integration.Outcome, error) {
	u := remember(1)
	switch req.Path {
	case "/c/talk/keep":
		u.Occupies = []string{"alice", "bob"}
	case "/c/talk/ended":
		u.Occupies, u.Live = []string{"alice", "bob"}, false
	case "/c/first/ring":
		u.Occupies = []string{"alice"}
	}
	return integration.Outcome{Response: ok("done"), Session: u}, nil
}

func TestThoseWhoWaitHearThatAPersonIsFreeTheOldestFirst(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"/c/talk/keep":  nil,
		"/c/talk/free":  {"person-free first active", "person-free third active"},
		"/c/talk/ended": {"person-free first active", "person-free third active"},
		"/c/first/ring": nil,                          // who was waited for rings: nobody is free
		"/c/first/free": {"person-free third active"}, // the oldest gives up: the next one's turn
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			var got timers
			h := newHost(t, func(c *engine.Config) { c.Workers = 1 })
			h.plugin.webhook, h.plugin.task = releasing, got.handle
			// Younger than the engine: the start says nothing to them.
			now := h.clock.Now().Add(time.Hour)
			h.session(t, "talk", now, store.Session{Live: true, Occupies: []string{"alice", "bob"}})
			h.session(t, "third", now.Add(3*time.Second), store.Session{Live: true, WaitsFor: []string{"bob", "alice"}})
			h.session(t, "first", now.Add(1*time.Second), store.Session{Live: true, WaitsFor: []string{"alice"}})
			h.session(t, "other", now.Add(2*time.Second), store.Session{Live: true, WaitsFor: []string{"carol"}})
			h.session(t, "ended", now, store.Session{WaitsFor: []string{"alice"}})
			h.expect(t, path, "done", "the request")
			eventually(t, "the hints in the outbox", func() bool { return h.waitingTimers(t) >= len(want) })
			h.start(t)
			got.await(t, path, want...)
			eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
			got.await(t, path, want...)
		})
	}
}

// A caller who begins to wait for somebody takes them from a session that only has something to
// tell them, and from nobody else.
func TestASessionHearsThatACallerWaitsForThePersonItTells(t *testing.T) {
	t.Parallel()
	told := &integration.CallView{ID: "told", Ended: "message_left"}
	for name, c := range map[string]struct {
		other, call store.Session
		want        []string
	}{
		"rung for a message":  {store.Session{Live: true, Occupies: []string{"alice"}, Call: told}, store.Session{}, []string{"person-wanted told active"}},
		"awaited for one":     {store.Session{Live: true, WaitsFor: []string{"alice"}, Call: told}, store.Session{}, nil},
		"rung for a call":     {store.Session{Live: true, Occupies: []string{"alice"}, Call: &integration.CallView{ID: "told"}}, store.Session{}, nil},
		"wanted for a while":  {store.Session{Live: true, Occupies: []string{"alice"}, Call: told}, store.Session{WaitsFor: []string{"alice"}}, nil},
		"wanted by a message": {store.Session{Live: true, Occupies: []string{"alice"}, Call: told}, store.Session{Call: told}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got timers
			h := newHost(t, func(c *engine.Config) { c.Workers = 1 })
			h.plugin.task = got.handle
			h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
				u := remember(2)
				u.WaitsFor, u.Call = []string{"alice"}, c.call.Call
				return integration.Outcome{Response: ok("done"), Session: u}, nil
			}
			now := h.clock.Now().Add(time.Hour)
			h.session(t, "told", now, c.other)
			c.call.Live = true
			h.session(t, "call", now, c.call)
			h.expect(t, "/c/call/x", "done", "the request")
			eventually(t, "the hint in the outbox", func() bool { return h.waitingTimers(t) >= len(c.want) })
			h.start(t)
			got.await(t, name, c.want...)
			eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
			got.await(t, name, c.want...)
		})
	}
}

// waitingTimers counts the timers in the outbox.
func (h *host) waitingTimers(t *testing.T) int {
	t.Helper()
	counts, _, err := h.store.OutboxStats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return counts[store.ItemTimer][store.PhaseWaiting]
}

func TestAPluginOfAnEarlierMinorGetsNoTimersOfTheHost(t *testing.T) {
	t.Parallel()
	var got timers
	h := newHost(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.ProtocolMinor = 0
		return d, nil
	})
	e := h.another(t) // which asks the plugin anew what it is
	h.plugin.webhook, h.plugin.task = releasing, got.handle
	h.session(t, "talk", h.clock.Now(), store.Session{Live: true, Occupies: []string{"alice"}})
	h.session(t, "first", h.clock.Now(), store.Session{Live: true, WaitsFor: []string{"alice"}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	req := integration.WebhookRequest{Method: "POST", Path: "/c/talk/free"}
	if _, err := e.Webhook(ctx, h.id, req); err != nil {
		t.Error(err)
	}
	if err := e.Remove(ctx, h.id); err != nil {
		t.Error(err)
	}
	h.plugin.webhook = answering(func(f integration.Facts) string { return string(f.Instance.State) })
	if resp, err := e.Webhook(ctx, h.id, req); err != nil || string(resp.Body) != string(integration.HostDisabled) {
		t.Errorf("a call of a deleted integration sees %q (%v), want the nearest state that the plugin knows", resp.Body, err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := h.waitingTimers(t); n != 0 || len(got.list()) != 0 {
		t.Errorf("there came %q, and %d timers wait; want none", got.list(), n)
	}
}

func TestAfterAStartEveryLiveCallIsLookedAtTheNewestFirstAndPaced(t *testing.T) {
	t.Parallel()
	clk := newManual()
	var got timers
	h := newHost(t, manual(clk))
	h.plugin.task = got.handle
	for i := range 5 {
		h.session(t, fmt.Sprint("K", i), clk.Now().Add(time.Duration(i-10)*time.Second), store.Session{Live: i != 3})
	}
	// It began after the start.
	h.session(t, "new", clk.Now().Add(time.Second), store.Session{Live: true})
	before := clk.Now()
	h.start(t)
	got.await(t, "at the start", "host-started K4 active")
	want := got.list()
	for _, key := range []string{"K2", "K1", "K0"} {
		want = append(want, "host-started "+key+" active")
		eventually(t, "the pause before "+key, func() bool {
			if len(got.list()) == len(want) {
				return true
			}
			clk.Advance(time.Millisecond)
			return false
		})
		got.await(t, key, want...)
	}
	if took := clk.Now().Sub(before); took < 150*time.Millisecond {
		t.Errorf("four calls were looked at within %v, want 20 a second", took)
	}
}

func TestCallsHearOfTheirIntegrationsState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var got timers
	h := newHost(t)
	h.plugin.task = got.handle
	h.start(t)
	h.session(t, "ended", h.clock.Now(), store.Session{})
	h.session(t, "K", h.clock.Now(), store.Session{Live: true})
	d := draft("Hotline")
	var want []string
	for _, step := range []struct {
		change func()
		want   string
	}{
		{func() { d.Enabled = false }, "host-changed K disabled"},
		{func() { d.Name = "Renamed" }, ""},
		{func() { d.Enabled = true }, "host-changed K active"},
		{func() { d.Maintenance = true }, "host-changed K maintenance"},
	} {
		step.change()
		if _, _, err := h.Configure(ctx, h.id, 0, d); err != nil {
			t.Fatal(err)
		}
		if step.want != "" {
			want = append(want, step.want)
		}
		got.await(t, step.want, want...)
	}
	if err := h.Remove(ctx, h.id); err != nil {
		t.Fatal(err)
	}
	got.await(t, "deleted", append(want, "host-changed K deleted")...)
}

func TestADeletedIntegrationServesTheCallsItHas(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok(string(req.Facts.Instance.State) + " " + string(req.Facts.Instance.Options)), Session: remember(1)}
		o.Session.Live = req.Path != "/c/K/end"
		if req.Path == "/c/K/end" {
			o.Tasks = []integration.Task{{Name: "recording", Generation: 1, At: req.Facts.Now, NotAfter: req.Facts.Now.AddDate(0, 0, 1)}}
		}
		return o, nil
	}
	const options = `{"greeting":"hello","token":"first"}`
	h.expect(t, "/c/K/x", "active "+options, "before")
	if err := h.Remove(ctx, h.id); err != nil {
		t.Fatal(err)
	}
	h.expect(t, "/c/K/x", "deleted "+options, "a running call")
	if resp, err := h.post(t, "/", "CallKey=new&Account=A"); err != nil || string(resp.Body) != "not in service" {
		t.Errorf("a new call: %q, %v", resp.Body, err)
	}
	if _, err := h.RunAction(ctx, h.id, "any", nil); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an action: %v", err)
	}
	if list, err := h.store.ListIntegrations(ctx); err != nil || len(list) != 0 {
		t.Errorf("it is still listed: %+v (%v)", list, err)
	}
	h.expect(t, "/c/K/end", "deleted "+options, "the call's end")
	clk.Advance(2 * time.Hour)
	performed := make(chan integration.PerformRequest, 1)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		performed <- req
		return integration.TaskResult{}, nil
	}
	if _, err := h.store.DeleteExpired(ctx, clk.Now()); err != nil {
		t.Fatal(err)
	}
	h.expect(t, "/c/K/end", "deleted "+options, "while the recording is to be fetched")
	h.start(t)
	if req := wait(t, performed, "the recording"); string(req.Facts.Instance.Options) != options {
		t.Errorf("the recording is fetched with options %s", req.Facts.Instance.Options)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	if _, err := h.store.DeleteExpired(ctx, clk.Now()); err != nil {
		t.Fatal(err)
	}
	clk.Advance(2 * time.Second) // for what the engine remembers
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("when nothing is left of it: %v", err)
	}
}
