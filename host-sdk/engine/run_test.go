package engine_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// counting counts the webhooks of a session in its state.
func counting(req integration.WebhookRequest) (integration.Outcome, error) {
	n := 0
	if req.Facts.Session != nil {
		_ = json.Unmarshal(req.Facts.Session.State, &n)
	}
	return integration.Outcome{Response: ok(strconv.Itoa(n + 1)), Session: remember(n + 1)}, nil
}

func TestSessionIsLoadedRunAndCommittedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = counting
	for i := 1; i <= 3; i++ {
		path := "/c/call-1/x"
		if i == 1 {
			path = "/" // the key comes in the form
		}
		resp, err := h.post(t, path, "CallKey=call-1")
		if err != nil || string(resp.Body) != strconv.Itoa(i) {
			t.Fatalf("request %d: %q, %v", i, resp.Body, err)
		}
		sess, err := h.store.Session(context.Background(), h.id, "call-1")
		if err != nil || string(sess.State) != strconv.Itoa(i) || sess.Version != int64(i) {
			t.Fatalf("session after request %d: %s version %d, %v", i, sess.State, sess.Version, err)
		}
	}
}

func TestQuietOutcomeWritesNothingAndAsksThePlatformNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if req.Facts.Session == nil {
			u := remember("holding")
			u.AlertKey = "call-1"
			return integration.Outcome{Response: ok("first"), Session: u}, nil
		}
		return integration.Outcome{Response: ok("tick")}, nil
	}
	if _, err := h.post(t, "/", "CallKey=call-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.post(t, "/c/call-1/hold", ""); err != nil { // learns that there is no alert yet
		t.Fatal(err)
	}
	commits, alerts, dests := h.store.count(), h.platform.times("alert"), h.platform.times("destinations")
	for range 5 {
		if resp, err := h.post(t, "/c/call-1/hold", ""); err != nil || string(resp.Body) != "tick" {
			t.Fatalf("%q, %v", resp.Body, err)
		}
	}
	if got := h.store.count(); got != commits {
		t.Errorf("quiet ticks made %d commits", got-commits)
	}
	if a, d := h.platform.times("alert"), h.platform.times("destinations"); a != alerts || d != dests {
		t.Errorf("quiet ticks asked the platform: alert %d, destinations %d times", a-alerts, d-dests)
	}
}

func TestConflictRunsTheHandlerAgainOnTheFreshSession(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = counting
	if _, err := h.post(t, "/", "CallKey=call-1"); err != nil {
		t.Fatal(err)
	}
	h.store.mu.Lock()
	h.store.before = func() { // another process commits first
		_, err := h.store.Store.Commit(context.Background(), store.Commit{
			Integration: h.id, Key: "call-1", Version: 1, Now: time.Now(),
			Session: &store.Session{Session: integration.Session{Key: "call-1", State: []byte("40"), Format: 1}, Integration: h.id, ExpiresAt: time.Now().Add(time.Hour)},
		})
		if err != nil {
			t.Errorf("the other commit: %v", err)
		}
	}
	h.store.mu.Unlock()
	if resp, err := h.post(t, "/c/call-1/x", ""); err != nil || string(resp.Body) != "41" {
		t.Errorf("answer %q, %v; want 41, made from what the other process wrote", resp.Body, err)
	}
}

func TestTwoHostsLoseNoUpdate(t *testing.T) {
	t.Parallel()
	a := newHost(t)
	b, err := engine.New(engine.Config{Store: a.store, Platform: a.platform, Plugins: a.plugins, Clock: a.clock,
		EndpointURL: func(id string) string { return "https://b.example.com/" + id }})
	if err != nil {
		t.Fatal(err)
	}
	a.plugin.webhook = counting
	const each = 40
	var wg sync.WaitGroup
	var failed sync.Map
	for i, e := range []*engine.Engine{a.Engine, b} {
		for range 2 {
			wg.Go(func() {
				for n := range each / 2 {
					_, err := e.Webhook(context.Background(), a.id, integration.WebhookRequest{Method: "POST", URL: "https://x.example.com/", Path: "/c/K/x"})
					// Five times in a row: the fallback answer's business.
					if integration.KindOf(err) == integration.KindConflict {
						failed.Store(strconv.Itoa(i)+"/"+strconv.Itoa(n), true)
						for err != nil {
							_, err = e.Webhook(context.Background(), a.id, integration.WebhookRequest{Method: "POST", URL: "https://x.example.com/", Path: "/c/K/x"})
						}
					} else if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	sess, err := a.store.Session(context.Background(), a.id, "K")
	if err != nil || string(sess.State) != strconv.Itoa(2*each) {
		t.Errorf("after %d updates the count is %s, %v", 2*each, sess.State, err)
	}
}

func TestOptionsArePinnedButSecretsAreCurrent(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(string(req.Facts.Instance.Options)), Session: remember(1)}, nil
	}
	const before = `{"greeting":"hello","token":"first"}`
	if resp, err := h.post(t, "/c/old/x", ""); err != nil || string(resp.Body) != before {
		t.Fatalf("%q, %v", resp.Body, err)
	}
	if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
		Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"good day","token":"second"}`),
	}); err != nil {
		t.Fatal(err)
	}
	if resp, err := h.post(t, "/c/old/x", ""); err != nil || string(resp.Body) != `{"greeting":"hello","token":"second"}` {
		t.Errorf("a call that runs: %q, %v", resp.Body, err)
	}
	if resp, err := h.post(t, "/c/new/x", ""); err != nil || string(resp.Body) != `{"greeting":"good day","token":"second"}` {
		t.Errorf("the next call: %q, %v", resp.Body, err)
	}
}

func TestLastKnownDestinationsServeWhileThePlatformIsDown(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Destinations) == 0 {
			return integration.Outcome{Response: ok("nobody")}, nil
		}
		return integration.Outcome{Response: ok(req.Facts.Destinations[0].Name)}, nil
	}
	if resp, err := h.post(t, "/c/1/x", ""); err != nil || string(resp.Body) != "Team devops" {
		t.Fatalf("%q, %v", resp.Body, err)
	}
	h.platform.mu.Lock()
	h.platform.down = integration.Errorf(integration.KindUnavailable, "down")
	h.platform.mu.Unlock()
	asked := h.platform.times("destinations")
	eventually(t, "reading the destinations again", func() bool {
		resp, err := h.post(t, "/c/2/x", "")
		if err != nil || string(resp.Body) != "Team devops" {
			t.Fatalf("%q, %v", resp.Body, err)
		}
		return h.platform.times("destinations") > asked
	})
}

func TestUnknownIntegrationIsToldToCallersAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	call := func(body string) (integration.Response, error) {
		return h.Webhook(context.Background(), "int_gone", integration.WebhookRequest{Method: "POST", URL: "https://x.example.com/", Path: "/", Body: []byte(body)})
	}
	if resp, err := call("CallKey=K&Account=A"); err != nil || string(resp.Body) != "not in service" {
		t.Errorf("a caller: %q, %v", resp.Body, err)
	}
	if _, err := call("hello=world"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("anybody else: %v", err)
	}
}

func TestKeysThatCannotBeOnesNameNoSession(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok("key " + req.Facts.SessionKey)}, nil
	}
	for _, key := range []string{"a b", "../../x", strings.Repeat("x", 65), "integration", "ключ", "a%00b"} {
		if resp, err := h.post(t, "/", "CallKey="+key); err != nil || string(resp.Body) != "key " {
			t.Errorf("key %q: %q, %v", key, resp.Body, err)
		}
	}
	h.plugin.webhook = counting // wants a session without a key
	if _, err := h.post(t, "/", ""); integration.KindOf(err) != integration.KindInternal {
		t.Errorf("a session without a key: %v", err)
	}
}

func TestHostStateFollowsTheIntegration(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(string(req.Facts.Instance.State))}, nil
	}
	for _, tc := range []struct {
		enabled, maintenance bool
		want                 integration.HostState
	}{{true, false, integration.HostActive}, {false, true, integration.HostDisabled}, {true, true, integration.HostMaintenance}} {
		if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
			Name: "Hotline", Enabled: tc.enabled, Maintenance: tc.maintenance, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		}); err != nil {
			t.Fatal(err)
		}
		if resp, err := h.post(t, "/", ""); err != nil || string(resp.Body) != string(tc.want) {
			t.Errorf("enabled %v, maintenance %v: %q, %v", tc.enabled, tc.maintenance, resp.Body, err)
		}
	}
}

func asProblems(err error, target **engine.ProblemsError) bool {
	p, ok := err.(*engine.ProblemsError) //nolint:errorlint // Configure returns it unwrapped
	*target = p
	return ok
}

func TestThePluginsLogLinesNameTheCall(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	h := newHost(t, func(c *engine.Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(""), Log: []integration.LogLine{
			{Level: "debug", Message: "first", Attrs: map[string]string{"leg": "L1"}}, {Level: "error", Message: "second"}, {Level: "loud", Message: "third"},
		}}, nil
	}
	h.expect(t, "/c/K/x", "", "the request")
	for _, want := range []string{"level=DEBUG msg=first integration=" + h.id + " call=K leg=L1", "level=ERROR msg=second", "level=INFO msg=third"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no line %q in\n%s", want, log.String())
		}
	}
}

// TestALockedCallIsWaitedForAsLongAsTheCallerWaits: two requests of one call never run at the same
// time.
func TestALockedCallIsWaitedForAsLongAsTheCallerWaits(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	inside, goOn := make(chan struct{}), make(chan struct{})
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		close(inside)
		<-goOn
		return integration.Outcome{Response: ok("")}, nil
	}
	done := make(chan error, 1)
	go func() {
		_, err := h.post(t, "/c/K/x", "")
		done <- err
	}()
	wait(t, inside, "the first request")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := h.postWithin(ctx, "/c/K/x", ""); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("the second request: %v", err)
	}
	if _, err := h.RunAction(ctx, h.id, "check", nil); err == nil {
		t.Error("an action whose time is over")
	}
	close(goOn)
	if err := wait(t, done, "the first answer"); err != nil {
		t.Error(err)
	}
}

func TestASessionThatCannotBeReadFailsTheRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = counting
	h.store.failing("Session", errDown)
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("%v: a running call must not be taken for a new one", err)
	}
	if _, err := h.RunAction(context.Background(), h.id, "check", nil); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("an action: %v", err)
	}
}

// hurried notes how long its handlers of webhooks may take.
type hurried struct {
	*fakePlugin
	given chan time.Duration
}

func (p hurried) HandleWebhook(ctx context.Context, req integration.WebhookRequest) (integration.Outcome, error) {
	end, bounded := ctx.Deadline()
	if !bounded {
		end = time.Now().Add(time.Hour)
	}
	p.given <- time.Until(end)
	return p.fakePlugin.HandleWebhook(ctx, req)
}

// A run holds its call's lock, so it ends in time even if whoever began it does not mind; one that
// has less time keeps to that.
func TestARunIsGivenTenSecondsAtMost(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = answering(func(integration.Facts) string { return "done" })
	given := make(chan time.Duration, 1)
	h.plugins.set(hurried{h.plugin, given})
	for name, tc := range map[string]struct{ has, most time.Duration }{
		"no end": {0, 10 * time.Second}, "a minute": {time.Minute, 10 * time.Second}, "five seconds": {5 * time.Second, 5 * time.Second},
	} {
		ctx := t.Context()
		if tc.has > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, tc.has)
			defer cancel()
		}
		if _, err := h.postWithin(ctx, "/c/K/x", ""); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := <-given; got > tc.most {
			t.Errorf("%s: the handler is given %v, want at most %v", name, got, tc.most)
		}
	}
}
