package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestRequestsWhoseAnswerIsIgnoredAreKeptWhileThePluginIsAway(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.session(t, "K", h.clock.Now(), store.Session{})
	if err := h.Describe(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := make(chan integration.WebhookRequest, 10)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		got <- req
		return integration.Outcome{Response: ok("")}, nil
	}
	h.plugins.set(nil)
	h.start(t)
	if resp, err := h.post(t, "/c/K/late", "Status=completed"); err != nil || resp.Status != 204 {
		t.Fatalf("%d, %v", resp.Status, err)
	}
	if _, err := h.post(t, "/c/K/menu", "Digits=1"); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a request that wants an answer: %v", err)
	}
	if f, ok := h.Fallback(context.Background(), h.id); !ok || string(f.Wait.Body) != "plugin's patience" {
		t.Errorf("fallback %q, %v", f.Wait.Body, ok)
	}
	h.plugins.set(h.plugin)
	req := wait(t, got, "the kept request")
	if !req.Deferred || string(req.Body) != "Status=completed" || req.Path != "/c/K/late" {
		t.Errorf("kept request %+v", req)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
}

// TestARequestIsKeptThoughItsTimeIsOver: the usual reason for keeping one is that its deadline has
// passed.
func TestARequestIsKeptThoughItsTimeIsOver(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.session(t, "K", h.clock.Now(), store.Session{})
	ctx, cancel := context.WithCancel(context.Background())
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		cancel() // the plugin took too long
		return integration.Outcome{}, context.DeadlineExceeded
	}
	resp, err := h.postWithin(ctx, "/c/K/late", "Status=completed")
	if err != nil || resp.Status != 204 {
		t.Fatalf("answer %d, %v; want 204: the request is kept", resp.Status, err)
	}
	got := make(chan integration.WebhookRequest, 1)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		got <- req
		return integration.Outcome{Response: ok("")}, nil
	}
	h.start(t)
	if req := wait(t, got, "the kept request"); !req.Deferred || string(req.Body) != "Status=completed" {
		t.Errorf("kept request %+v", req)
	}
}

func TestWhichRequestsAreKept(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.session(t, "K", h.clock.Now(), store.Session{})
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{}, integration.ErrPluginGone
	}
	const kept, again, failed = 204, 503, 0
	for _, tc := range []struct {
		path, body string
		want       int
	}{
		{"/c/K/late", "", kept},
		{"/status", "CallKey=K", kept},
		{"/status", "", again},              // names no session
		{"/c/Unknown/late", "", again},      // nobody knows such a call
		{"/status", "CallKey=Other", again}, // likewise
		{"/status/x", "CallKey=K", failed},  // longer than the path whose answer is ignored
		{"/c/K/late/x", "", failed},
		{"/c/K/early", "", failed},
		{"/", "CallKey=K", failed},
	} {
		resp, err := h.post(t, tc.path, tc.body)
		switch {
		case tc.want != failed && (err != nil || resp.Status != tc.want):
			t.Errorf("%s %s: %d, %v; want %d", tc.path, tc.body, resp.Status, err, tc.want)
		case tc.want == failed && integration.KindOf(err) != integration.KindUnavailable:
			t.Errorf("%s %s: %d, %v; want the plugin's error", tc.path, tc.body, resp.Status, err)
		}
	}
	h.store.failing("AddItem", errDown)
	if resp, err := h.post(t, "/c/K/late", ""); err != nil || resp.Status != again {
		t.Errorf("a request that cannot be kept: %d, %v; want its sender to come again", resp.Status, err)
	}
}

func TestARefusedRequestIsNotKept(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.session(t, "K", h.clock.Now(), store.Session{})
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{}, integration.Errorf(integration.KindInvalid, "the signature is wrong")
	}
	if resp, err := h.post(t, "/c/K/late", ""); integration.KindOf(err) != integration.KindInvalid {
		t.Errorf("%d, %v; want it refused", resp.Status, err)
	}
	if !h.outboxEmpty(t) {
		t.Error("it was kept")
	}
}

// TestWhatIsKeptIsBounded: while the plugin is away nobody tells whose requests these are.
func TestWhatIsKeptIsBounded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		body int // bytes of each
		most int
	}{
		{"many small requests", 10, 100},
		{"few large ones", 60 << 10, 8},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.session(t, "K", h.clock.Now(), store.Session{})
			h.session(t, "L", h.clock.Now(), store.Session{})
			h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
				return integration.Outcome{}, integration.ErrPluginGone
			}
			answers := map[int]int{}
			for range 120 {
				resp, err := h.post(t, "/c/K/late", strings.Repeat("x", tc.body))
				if err != nil {
					t.Fatal(err)
				}
				answers[resp.Status]++
			}
			if answers[204] < 3 || answers[204] > tc.most || answers[204]+answers[503] != 120 {
				t.Fatalf("answers %v, want at most %d times 204, then 503", answers, tc.most)
			}
			// On a crowded machine a request may not be stored within its time; the next one is.
			eventually(t, "another call's request is kept", func() bool {
				resp, err := h.post(t, "/c/L/late", "")
				return err == nil && resp.Status == 204
			})
			h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
				return integration.Outcome{Response: ok("")}, nil
			}
			h.start(t)
			eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
			h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
				return integration.Outcome{}, integration.ErrPluginGone
			}
			if resp, err := h.post(t, "/c/K/late", ""); err != nil || resp.Status != 204 {
				t.Errorf("a request after the others were handled: %d, %v", resp.Status, err)
			}
		})
	}
}

// TestAKeptRequestWaitsForItsHandler: it is handled again and again, until it is too late or there
// is nobody to handle it.
func TestAKeptRequestWaitsForItsHandler(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		err      error
		notAfter time.Duration
		runs     int // at least
	}{
		{"the handler fails until it is too late", integration.ErrPluginGone, 3 * time.Minute, 2},
		{"it is too late", integration.ErrPluginGone, -time.Second, 1},
		{"its integration is gone", integration.Errorf(integration.KindNotFound, "no such integration"), time.Hour, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			runs := make(chan struct{}, 1000)
			h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
				runs <- struct{}{}
				return integration.Outcome{}, tc.err
			}
			now := h.clock.Now()
			if err := h.store.AddItem(context.Background(), store.Item{
				Integration: h.id, Key: "K", Kind: store.ItemWebhook, Lane: "webhook", Due: now, NotAfter: now.Add(tc.notAfter),
				Phase: store.PhaseWaiting, Body: []byte(`{"Method":"POST","Path":"/c/K/late"}`),
			}); err != nil {
				t.Fatal(err)
			}
			h.start(t)
			for range tc.runs {
				wait(t, runs, "a run")
			}
			eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
			if tc.runs == 1 && len(runs) != 0 {
				t.Errorf("%d more runs", len(runs))
			}
		})
	}
}
