package engine_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// ListSessions can fail.
func (s *countingStore) ListSessions(ctx context.Context, f store.SessionFilter) ([]store.Session, error) {
	if err := s.read("ListSessions"); err != nil {
		return nil, err
	}
	return s.Store.ListSessions(ctx, f)
}

// While the store cannot count live calls, a caller is rather served than turned away.
func TestACallerIsServedWhileLiveCallsCannotBeCounted(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.LiveCalls = 1 })
	h.plugin.webhook = answering(func(f integration.Facts) string { return string(f.Instance.State) })
	h.session(t, "live", h.clock.Now(), store.Session{Live: true, Call: &integration.CallView{ID: "live"}})
	h.expect(t, "/c/K/x", string(integration.HostRateLimited), "a new call beside as many as there may be")
	h.store.failing("ListSessions", errDown)
	h.expect(t, "/c/K/x", string(integration.HostActive), "a new call while nobody can count")
}

// The alerts of all live calls are looked at once watching begins; that it cannot be seen which
// those are keeps no hint from being heard.
func TestAHintIsHeardAlsoIfLiveCallsCannotBeListed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	handled := make(chan integration.AlertStatus, 10)
	h.plugin.alert = func(req integration.AlertRequest) (integration.Outcome, error) {
		handled <- req.Facts.Alert.Status
		return integration.Outcome{}, nil
	}
	h.session(t, "K", h.clock.Now(), store.Session{Live: true, AlertKey: "a"})
	h.store.failing("ListSessions", errDown)
	h.start(t)
	eventually(t, "a look at live calls", func() bool { return h.store.times("ListSessions") > 0 })
	h.platform.setAlert(h.id, integration.AlertSnapshot{Key: "a", Status: integration.AlertOpen})
	if got := wait(t, handled, "the alert's change"); got != integration.AlertOpen {
		t.Errorf("the handler sees %q", got)
	}
}

// What a test ring names must be there.
func TestATestRingIsRefusedForWhatIsNotThere(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	ring := func(id string) error {
		_, err := h.TestRing(t.Context(), id, integration.RingSessionPrefix+"ABCDEFGHIJKLMNOP", map[string]string{integration.ValueUser: "alice"})
		return err
	}
	if err := ring("int_unknown"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an integration that never was: error %v, want %s", err, integration.KindNotFound)
	}
	h.plugin.action = func(integration.ActionRequest) (integration.ActionResult, error) {
		t.Error("the plugin is asked to ring for an integration that was removed")
		return integration.ActionResult{}, nil
	}
	if err := h.Remove(t.Context(), h.id); err != nil {
		t.Fatal(err)
	}
	if err := ring(h.id); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an integration that was removed: error %v, want %s", err, integration.KindNotFound)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.TestRing(ctx, h.id, integration.RingSessionPrefix+"ABCDEFGHIJKLMNOP", nil); err == nil {
		t.Error("a request that has ended rings")
	}
}

// What nobody knows of yet has no answers that are ignored; what is known is used without asking
// anybody.
func TestWhoseAnswerIsIgnoredIsKnownOfTheLastRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	other := h.another(t)
	h.plugin.webhook = answering(func(integration.Facts) string { return "" })
	if other.IgnoresAnswer(h.id, "/status") {
		t.Error("an engine that has seen nothing knows that an answer is ignored")
	}
	h.expect(t, "/c/K/x", "", "a request")
	h.plugins.set(nil)
	h.store.failing("Integration", errDown)
	for path, want := range map[string]bool{"/status": true, "/c/K/late": true, "/c/K/x": false, "/": false} {
		if got := h.IgnoresAnswer(h.id, path); got != want {
			t.Errorf("%s: ignored %v, want %v", path, got, want)
		}
	}
}

// A plugin that was exchanged says at once what it is, and not a minute later.
func TestAPluginThatWasExchangedIsAskedAgainAtOnce(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()))
	if err := h.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Webhook.IgnoredAnswerPaths = []string{"/new"}
		return d, nil
	})
	h.plugin.webhook = answering(func(integration.Facts) string { return "" })
	h.expect(t, "/c/K/x", "", "a request")
	if h.IgnoresAnswer(h.id, "/new") {
		t.Error("the plugin is asked at each request what it is")
	}
	if err := h.DescribeAgain(t.Context(), "fake"); err != nil {
		t.Fatal(err)
	}
	if !h.IgnoresAnswer(h.id, "/new") {
		t.Error("what the new plugin says is not known")
	}
	if err := h.DescribeAgain(t.Context(), "absent"); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a plugin that is not installed: error %v, want %s", err, integration.KindUnavailable)
	}
}

// The sweep does with whatever it can read: what the store cannot list now is looked at by the next
// one.
func TestTheSweepGoesOnWhenTheStoreFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, retained(manual(clk)))
	h.ended(t, "CA1", 71, true, false, "")
	h.store.failing("ListIntegrations", errDown)
	h.start(t)
	eventually(t, "the end of the first sweep", func() bool { return h.store.times("ListIntegrations") > 0 && clk.Waiting() > 0 })
	if got := h.unheardFinding(t); got != "" {
		t.Errorf("finding %q without a list of integrations", got)
	}
	h.store.failing("ListIntegrations", nil)
	eventually(t, "the finding", func() bool { clk.Advance(2 * time.Hour); return h.unheardFinding(t) != "" })
}

// FinishItem can fail.
func (s *countingStore) FinishItem(ctx context.Context, it store.Item, result []byte) error {
	if err := s.read("FinishItem"); err != nil {
		return err
	}
	return s.Store.FinishItem(ctx, it, result)
}

// DeleteItem can fail.
func (s *countingStore) DeleteItem(ctx context.Context, it store.Item) error {
	if err := s.read("DeleteItem"); err != nil {
		return err
	}
	return s.Store.DeleteItem(ctx, it)
}

// Work whose end cannot be stored is done again, and the log says why.
func TestWorkWhoseEndCannotBeStoredIsDoneAgain(t *testing.T) {
	t.Parallel()
	for method, text := range map[string]string{
		"FinishItem": "cannot store the result of outbox item",
		"DeleteItem": "cannot delete finished outbox item",
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var log testlog.Buffer
			clk, mailer := newManual(), &sentMail{}
			h := newHost(t, manual(clk), func(c *engine.Config) {
				c.Mailer, c.Logger = mailer, slog.New(slog.NewTextHandler(&log, nil))
			})
			// A mail is deleted when it was sent if the plugin is not told of it.
			h.plugin.describing(func(d integration.Description) (integration.Description, error) {
				d.ProtocolMinor = 0
				return d, nil
			})
			if err := h.DescribeAgain(t.Context(), "fake"); err != nil {
				t.Fatal(err)
			}
			h.plugin.webhook = once(integration.Outcome{
				Session: remember(1), Tasks: []integration.Task{{Name: "t", Generation: 1}},
				Mail: []integration.Mail{{Key: "m", To: []integration.Recipient{{Address: "a@example.com"}}}},
			})
			var performed atomic.Int64
			h.plugin.perform = func(context.Context, integration.PerformRequest) (integration.TaskResult, error) {
				performed.Add(1)
				return integration.TaskResult{}, nil
			}
			h.store.failing(method, errDown)
			h.expect(t, "/c/K/x", "done", "the request")
			h.start(t)
			eventually(t, "a line in the log", func() bool { return strings.Contains(log.String(), text) })
			h.store.failing(method, nil)
			eventually(t, "an empty outbox", func() bool { clk.Advance(10 * time.Second); return h.outboxEmpty(t) })
			mailer.mu.Lock()
			defer mailer.mu.Unlock()
			if n := int(performed.Load()) + len(mailer.sent); n < 3 {
				t.Errorf("%d times in all a task was performed or a mail sent, want one of them again", n)
			}
		})
	}
}

// A store that fails is given time: it is asked once a second, however many calls leave work.
func TestAStoreThatFailsIsNotAskedForWorkByEachCall(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Session: remember(1), Tasks: []integration.Task{{Name: "t", Generation: 1}}})
	performed := make(chan string, 10)
	h.plugin.perform = func(_ context.Context, req integration.PerformRequest) (integration.TaskResult, error) {
		performed <- req.Facts.SessionKey
		return integration.TaskResult{}, nil
	}
	h.store.failing("Claim", errDown)
	h.start(t)
	eventually(t, "a look for work", func() bool { return h.store.times("Claim") > 0 })
	for _, key := range []string{"K1", "K2", "K3", "K4", "K5"} {
		h.expect(t, "/c/"+key+"/x", "done", "a call that leaves work")
	}
	if n := h.store.times("Claim"); n != 1 {
		t.Errorf("the store was asked %d times while time stood still", n)
	}
	h.store.failing("Claim", nil)
	clk.Advance(time.Second)
	for range 5 {
		wait(t, performed, "the work")
	}
}
