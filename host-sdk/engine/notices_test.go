package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// notices carries what one host says to another that a test plays.
type notices struct {
	mu   sync.Mutex
	sent []string
	hear chan string
	took chan struct{} // gets one when a notice has been heard
}

func newNotices() *notices {
	return &notices{hear: make(chan string), took: make(chan struct{}, 1)}
}

func (n *notices) Send(notice string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, notice)
}

func (n *notices) said() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.sent)
}

func (n *notices) Run(ctx context.Context, hear func(string)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case text := <-n.hear:
			hear(text)
			n.took <- struct{}{}
		}
	}
}

// say has the host hear a notice of another.
func (n *notices) say(t *testing.T, text string) {
	t.Helper()
	n.hear <- text
	wait(t, n.took, "the end of hearing a notice")
}

// Pages of one host are kept up to date with calls and alerts of another: what they show is out of
// date, and a call comes with its view. What nobody looks at is not read.
func TestPagesHearOfTheCallsAndAlertsOfOtherHosts(t *testing.T) {
	t.Parallel()
	others := newNotices()
	h := newHost(t, func(c *engine.Config) { c.Notices = others })
	view := &integration.CallView{ID: "K", State: "holding"}
	h.session(t, "K", h.clock.Now(), store.Session{Live: true, Call: view})
	h.session(t, "without a view", h.clock.Now(), store.Session{Live: true})
	h.start(t)

	read := h.store.times("Session")
	others.say(t, "call "+h.id+" K")
	if more := h.store.times("Session") - read; more != 0 {
		t.Errorf("nobody looks, and a call of another host is read %d times", more)
	}
	events, stop := h.Subscribe()
	defer stop()
	for _, notice := range []string{"call " + h.id + " K", "alert " + h.id + " a", "call " + h.id + " unknown", "call " + h.id + " without a view", "call", "call K"} {
		others.say(t, notice)
	}
	h.store.failing("Session", errDown)
	others.say(t, "call "+h.id+" K")
	h.store.failing("Session", nil)
	others.say(t, "") // something may have been lost: everything may be out of date
	others.say(t, "alert "+h.id+" last")
	var got []engine.Event
	for len(got) == 0 || got[len(got)-1].Key != "last" {
		got = append(got, wait(t, events, "an event"))
	}
	want := []engine.Event{
		{Type: "call", Integration: h.id, Key: "K", Call: view},
		{Type: "alert", Integration: h.id, Key: "a"},
		{Type: "alert"},
		{Type: "alert", Integration: h.id, Key: "last"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if said := others.said(); len(said) != 0 {
		t.Errorf("what others have said is said to them again: %q", said)
	}
}

// The other hosts hear which call a request has changed.
func TestOtherHostsHearWhichCallHasChanged(t *testing.T) {
	t.Parallel()
	others := newNotices()
	h := newHost(t, func(c *engine.Config) { c.Notices = others })
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember(1)
		u.Call = &integration.CallView{ID: "K", State: "holding"}
		return integration.Outcome{Response: ok("done"), Session: u}, nil
	}
	h.expect(t, "/c/K/arrival", "done", "a request")
	if diff := cmp.Diff([]string{"call " + h.id + " K"}, others.said()); diff != "" {
		t.Errorf("said to other hosts (-want +got):\n%s", diff)
	}
}

// When notices may have been lost, what others have made due is looked for at once.
func TestLostNoticesMakeAHostLookForWork(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(t *testing.T, h *host, others *notices){
		"lost notices":     func(t *testing.T, _ *host, others *notices) { others.say(t, "") },
		"somebody's order": func(_ *testing.T, h *host, _ *notices) { h.Wake() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			others, clk := newNotices(), newManual()
			h := newHost(t, manual(clk), func(c *engine.Config) { c.Notices = others })
			done := make(chan string, 10)
			h.plugin.task = func(req integration.TaskRequest) (integration.Outcome, error) {
				done <- req.Task.Name
				return integration.Outcome{}, nil
			}
			h.session(t, "K", clk.Now(), store.Session{Live: true})
			h.start(t)
			for wait(t, done, "what a host says at its start") != integration.TimerHostStarted {
			}
			eventually(t, "the engine waits for work", func() bool { return h.outboxEmpty(t) && clk.Waiting() >= idleTimers && h.quiet() })
			if err := h.store.AddItem(t.Context(), store.Item{Integration: h.id, Key: "K", Kind: store.ItemTimer, Name: "by another host", Due: clk.Now(), Phase: store.PhaseWaiting, Body: []byte(`{"Name":"by another host","Timer":true}`)}); err != nil {
				t.Fatal(err)
			}
			look(t, h, others)
			for wait(t, done, "the timer") != "by another host" {
			}
		})
	}
}

// quiet reports whether the outbox was not looked at for a moment.
func (h *host) quiet() bool {
	looks := h.store.times("Claim")
	time.Sleep(20 * time.Millisecond)
	return h.store.times("Claim") == looks
}
