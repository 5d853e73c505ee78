package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestAHandlerThatGivesNoAnswerHasFailed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) { return integration.Outcome{}, nil }
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindInternal {
		t.Errorf("got %v", err)
	}
}

func TestRefusedIsThePluginsFixedAnswer(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	h := newHost(t)
	if resp, ok := h.Refused(ctx, h.id); !ok || string(resp.Body) != "refused" {
		t.Errorf("%q, %v", resp.Body, ok)
	}
	if _, ok := h.Refused(ctx, "int_unknown"); ok {
		t.Error("an unknown integration has an answer")
	}
}

func TestFallbackNeedsNeitherStoreNorPlugin(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	fallback := func(h *host, id string) string {
		f, ok := h.Fallback(ctx, id)
		if !ok {
			return "none"
		}
		return string(f.Wait.Body)
	}
	h := newHost(t)
	if got := fallback(h, h.id); got != "plugin's patience" {
		t.Errorf("before any request: %q", got)
	}
	h.plugin.webhook = answering(func(integration.Facts) string { return "" })
	h.expect(t, "/c/K/x", "", "a request")
	h.store.failing("Integration", errDown)
	h.plugins.set(nil)
	if got := fallback(h, h.id); got != "plugin's patience" {
		t.Errorf("store and plugin are away, both were seen: %q", got)
	}
	if got := fallback(h, "int_never_seen"); got != "plugin's patience" {
		t.Errorf("an integration that was never seen: %q, want that of any plugin", got)
	}

	saved := newHost(t)
	saved.plugin.validate = func(req integration.ValidateOptionsRequest) integration.ValidateOptionsResponse {
		return integration.ValidateOptionsResponse{Options: req.Options, Format: 1,
			Fallback: integration.FallbackAnswers{Wait: integration.Response{Body: []byte("in the integration's own language")}}}
	}
	in, _, err := saved.Configure(ctx, "", 0, draft("Own words"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fallback(saved, in.ID); got != "in the integration's own language" {
		t.Errorf("an integration with answers of its own: %q", got)
	}

	fresh := newHost(t)
	fresh.plugins.set(nil)
	fresh.store.failing("Integration", errDown)
	// Seen while it was configured.
	if got := fallback(fresh, fresh.id); got != "plugin's patience" {
		t.Errorf("after Configure: %q", got)
	}
}

func TestWithoutAnyDescriptionThereIsNoFallback(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fresh := h.another(t)
	h.plugins.set(nil)
	if _, ok := fresh.Fallback(context.Background(), h.id); ok {
		t.Error("an answer without plugin")
	}
	if _, ok := fresh.Fallback(context.Background(), "int_unknown"); ok {
		t.Error("an answer without integration and plugin")
	}
	if _, err := fresh.Webhook(context.Background(), h.id, integration.WebhookRequest{Path: "/"}); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a request without plugin: %v", err)
	}
	if err := fresh.Describe(context.Background()); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("Describe without plugin: %v", err)
	}
	h.plugins.set(h.plugin)
	if err := fresh.Describe(context.Background()); err != nil {
		t.Error(err)
	}
	if _, ok := fresh.Fallback(context.Background(), "int_unknown"); !ok {
		t.Error("no answer though the plugin has been described")
	}
}

func TestAPluginIsAskedOnceAMinuteWhatItIs(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return "key " + f.SessionKey })
	post := func(want, why string) {
		t.Helper()
		if resp, err := h.post(t, "/", "CallKey=K"); err != nil || string(resp.Body) != want {
			t.Errorf("%s: %q, %v", why, resp.Body, err)
		}
	}
	post("key K", "at first")
	was := h.plugin.descriptions()
	clk.Advance(59 * time.Second)
	post("key K", "within a minute")
	if got := h.plugin.descriptions(); got != was {
		t.Errorf("asked %d times within a minute", got-was)
	}
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		return integration.Description{}, integration.ErrPluginGone
	})
	clk.Advance(time.Second)
	post("key K", "it does not answer: the last description serves")
	post("key K", "and is good for a minute")
	if got := h.plugin.descriptions(); got != was+1 {
		t.Errorf("asked %d times, want once in a minute", got-was)
	}
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Webhook.SessionField = ""
		return d, nil
	})
	clk.Advance(time.Minute)
	post("key ", "it was replaced by a version that names no session")
}

func TestADescriptionThatFailsAtFirstIsAnError(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fresh := h.another(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) { return d, integration.ErrPluginGone })
	if err := fresh.Describe(context.Background()); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("%v", err)
	}
	if _, err := fresh.Webhook(context.Background(), "int_unknown", integration.WebhookRequest{Method: "POST", Path: "/", Body: []byte("CallKey=K&Account=A")}); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("an unknown integration: %v", err)
	}
}

func TestAPluginWithoutShapeClaimsNoRequests(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fresh := h.another(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Webhook.ShapeFields = nil
		return d, nil
	})
	if _, err := fresh.Webhook(context.Background(), "int_unknown", integration.WebhookRequest{Method: "POST", Path: "/", Body: []byte("CallKey=K&Account=A")}); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("%v", err)
	}
}

func TestSessionKeys(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = answering(func(f integration.Facts) string { return f.SessionKey })
	long := strings.Repeat("x", 64)
	for _, tc := range []struct{ path, body, want string }{
		{"/c/azAZ09-_/menu", "", "azAZ09-_"},
		{"/c/K", "", "K"},
		{"/c/path/x", "CallKey=form", "path"},
		{"/c/" + long + "/x", "", long},
		{"/c/" + long + "y/x", "CallKey=form", ""},
		{"/c/integration/x", "", ""},
		{"/other", "CallKey=form", "form"},
		{"/other", "CallKey=a@b", ""},
		{"/other", "CallKey=a`", ""},
		{"/other", "CallKey=a{", ""},
		{"/other", "CallKey=a[", ""},
		{"/other", "CallKey=a/", ""},
		{"/other", "CallKey=a:", ""},
	} {
		if resp, err := h.post(t, tc.path, tc.body); err != nil || string(resp.Body) != tc.want {
			t.Errorf("%s %s: key %q, %v; want %q", tc.path, tc.body, resp.Body, err, tc.want)
		}
	}
	fresh := h.another(t)
	h.plugin.describing(func(d integration.Description) (integration.Description, error) {
		d.Webhook.SessionPrefix = ""
		return d, nil
	})
	resp, err := fresh.Webhook(context.Background(), h.id, integration.WebhookRequest{Method: "POST", Path: "/c/K/x", Body: []byte("CallKey=form")})
	if err != nil || string(resp.Body) != "form" {
		t.Errorf("without a prefix: key %q, %v", resp.Body, err)
	}
}

// TestAReadThatFailsBeforeTheIntegrationIsKnownAsksTheSenderToComeAgain: where the answer is
// ignored, a document would say that the request has arrived.
func TestAReadThatFailsBeforeTheIntegrationIsKnownAsksTheSenderToComeAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fresh := h.another(t)
	h.store.failing("Integration", errDown)
	post := func(path string) (integration.Response, error) {
		return fresh.Webhook(t.Context(), h.id, integration.WebhookRequest{Method: "POST", URL: "https://hotline.example.com" + path, Path: path})
	}
	if got, err := post("/c/K/late"); err != nil || got.Status != 503 {
		t.Errorf("where the answer is ignored: %d (%v), want 503", got.Status, err)
	}
	if got, err := post("/c/K/x"); err == nil {
		t.Errorf("where the answer is executed: %d, want an error and so the fallback", got.Status)
	}
}

// TestAStoreThatIsLockedAtTheStartIsWaitedFor: the host goes on answering calls meanwhile.
func TestAStoreThatIsLockedAtTheStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *engine.Config) { c.Exclusive = true })
	h.store.failing("ReleaseLeases", errDown)
	h.start(t)
	eventually(t, "a second attempt", func() bool { return h.store.times("ReleaseLeases") >= 2 })
	h.store.failing("ReleaseLeases", nil)
	eventually(t, "the outbox", func() bool { return h.store.times("Claim") > 0 })
}

// TestARequestCarriesWhenItCame: what a handler that runs again makes of it does not depend on how
// long that took.
func TestARequestCarriesWhenItCame(t *testing.T) {
	t.Parallel()
	stands := newManual()
	h := newHost(t, manual(stands))
	came := stands.Now()
	runs := 0
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if runs++; runs == 1 {
			stands.Advance(7 * time.Second)
			return integration.Outcome{}, integration.Errorf(integration.KindConflict, "somebody else was first")
		}
		if !req.ReceivedAt.Equal(came) || req.Facts.Now.Before(came.Add(7*time.Second)) {
			t.Errorf("received at %v, now %v; want %v and seven seconds later", req.ReceivedAt, req.Facts.Now, came)
		}
		return integration.Outcome{Response: ok("")}, nil
	}
	if _, err := h.post(t, "/c/K/x", ""); err != nil || runs != 2 {
		t.Errorf("%v after %d runs", err, runs)
	}
}
