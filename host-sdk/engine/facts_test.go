package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/internal/testlog"
)

func TestLastKnownCapabilitiesServeWhileThePlatformIsDown(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return fmt.Sprint(f.Instance.Capabilities.Reopen) })
	h.expect(t, "/c/1/x", "true", "the platform is well")
	asked := h.platform.times("capabilities")
	clk.Advance(29 * time.Second)
	h.expect(t, "/c/1/x", "true", "within 30 s")
	if got := h.platform.times("capabilities"); got != asked {
		t.Errorf("asked again %d times within 30 s", got-asked)
	}
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	for range 3 {
		clk.Advance(30 * time.Second)
		h.expect(t, "/c/1/x", "true", "the platform is down")
		h.expect(t, "/c/1/x", "true", "the platform is down, and was asked just now")
	}
	if got := h.platform.times("capabilities") - asked; got != 3 {
		t.Errorf("a platform that is down was asked %d times in 90 s, want 3: callers wait for it", got)
	}
}

// What a call does once, such as acknowledging for a responder, it leaves out for good where it
// believes that the platform cannot.
func TestLastKnownCapabilitiesOutliveARestart(t *testing.T) {
	t.Parallel()
	h := newHost(t, manual(newManual()))
	h.plugin.webhook = answering(func(f integration.Facts) string { return fmt.Sprint(f.Instance.Capabilities.Reopen) })
	h.expect(t, "/c/1/x", "true", "the platform is well")
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	h.Engine = h.another(t)
	h.expect(t, "/c/1/x", "true", "the host was restarted while the platform is down")
}

// They are written when they have changed, not by each host that starts.
func TestCapabilitiesAreStoredWhenTheyHaveChanged(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	clk := newManual()
	h := newHost(t, manual(clk), func(c *engine.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	h.plugin.webhook = answering(func(f integration.Facts) string { return fmt.Sprint(f.Instance.Capabilities.UnroutedAlerts) })
	h.expect(t, "/c/1/x", "true", "the platform is well")
	stored := h.store.times("SetSetting")
	again := h.another(t)
	if got := h.at(t, again, "/c/1/x"); got != "true" {
		t.Errorf("after a restart: %s", got)
	}
	clk.Advance(time.Minute)
	h.expect(t, "/c/1/x", "true", "they are read again")
	if n := h.store.times("SetSetting") - stored; n != 0 {
		t.Errorf("what has not changed was stored %d times", n)
	}
	h.platform.set(func(p *fakePlatform) { p.routedOnly = true })
	clk.Advance(time.Minute)
	h.expect(t, "/c/1/x", "false", "the platform can do less")
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	if got := h.at(t, h.another(t), "/c/1/x"); got != "false" {
		t.Errorf("after a restart while the platform is down: %s", got)
	}
	const failed = "cannot keep the platform's capabilities"
	if strings.Contains(log.String(), failed) {
		t.Errorf("a failure that was none is logged:\n%s", log.String())
	}
	h.platform.set(func(p *fakePlatform) { p.down, p.routedOnly = nil, false })
	h.store.failing("SetSetting", errDown)
	clk.Advance(time.Minute)
	h.expect(t, "/c/1/x", "true", "a store that cannot keep them")
	if !strings.Contains(log.String(), failed) {
		t.Errorf("the failure is not logged:\n%s", log.String())
	}
}

func TestLastKnownIntegrationServesWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return f.Instance.Name })
	h.expect(t, "/c/1/x", "Hotline", "the store is well")
	read := h.store.times("Integration")
	clk.Advance(999 * time.Millisecond)
	h.expect(t, "/c/1/x", "Hotline", "within a second")
	if got := h.store.times("Integration"); got != read {
		t.Errorf("read again %d times within a second", got-read)
	}
	clk.Advance(time.Millisecond)
	h.expect(t, "/c/1/x", "Hotline", "after a second")
	if got := h.store.times("Integration") - read; got != 1 {
		t.Errorf("read %d times after a second, want once for each request", got)
	}
	h.store.failing("Integration", errDown)
	clk.Advance(time.Hour)
	h.expect(t, "/c/1/x", "Hotline", "the store is down")
	if _, err := h.Webhook(context.Background(), "int_other", integration.WebhookRequest{Method: "POST", Path: "/", Body: []byte("CallKey=K&Account=A")}); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("an integration that was never seen, with the store down: %v", err)
	}
	h.store.failing("Integration", integration.Errorf(integration.KindNotFound, "deleted by another process"))
	if _, err := h.post(t, "/c/1/x", ""); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("a deleted integration: %v", err)
	}
	h.store.failing("Integration", errDown)
	if _, err := h.post(t, "/c/1/x", ""); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a deleted integration is served from memory: %v", err)
	}
}

func TestARequestLooksItsIntegrationUpOnce(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return counting(req)
	}
	read := h.store.times("Integration")
	h.store.mu.Lock()
	h.store.before = func() { // another process commits first, and it takes its time
		clk.Advance(2 * time.Second)
		_, err := h.store.Store.Commit(context.Background(), store.Commit{
			Integration: h.id, Key: "K", Now: clk.Now(), Session: &store.Session{Session: integration.Session{State: []byte("7"), Format: 1}},
		})
		if err != nil {
			t.Errorf("the other commit: %v", err)
		}
	}
	h.store.mu.Unlock()
	h.expect(t, "/c/K/x", "8", "after a conflict")
	if got := h.store.times("Integration") - read; got != 2 {
		t.Errorf("the integration was read %d times, want once for each attempt", got)
	}
}

func TestDestinationsOfARunningCallCostNothing(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		var names []string
		for _, d := range req.Facts.Destinations {
			names = append(names, d.Name)
		}
		o := integration.Outcome{Response: ok(strings.Join(names, ", "))}
		if req.Path == "/c/old/x" && req.Facts.Session == nil {
			o.Session = remember(1)
		}
		return o, nil
	}
	h.expect(t, "/c/old/x", "Team devops", "a first call")
	asked := func() int { return h.platform.times("destinations") }
	was := asked()
	clk.Advance(4999 * time.Millisecond)
	h.expect(t, "/c/new/x", "Team devops", "a call within 5 s")
	if asked() != was {
		t.Error("the destinations were read again within 5 s")
	}
	clk.Advance(time.Hour)
	h.expect(t, "/c/old/x", "Team devops", "a call that has run for an hour")
	if asked() != was {
		t.Error("a running call waited for the platform")
	}
	h.expect(t, "/c/new/x", "Team devops", "a call an hour later")
	if asked() != was+1 {
		t.Errorf("a new call read the destinations %d times, want once", asked()-was)
	}
	if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
		Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "support"}},
	}); err != nil {
		t.Fatal(err)
	}
	h.expect(t, "/c/old/x", "Team support", "a running call after the destinations were changed")
	if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
		Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "third"}},
	}); err != nil {
		t.Fatal(err)
	}
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	h.expect(t, "/c/old/x", "Team support", "the platform is down since the destinations were changed")
}

func TestFindingsAreThoseOfTheLastHandler(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	finding := func(code string) []integration.Finding {
		return []integration.Finding{{Code: code, Severity: integration.FindingWarning, Message: "m"}}
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		var codes []string
		for _, f := range req.Facts.Findings {
			codes = append(codes, f.Code)
		}
		o := integration.Outcome{Response: ok(strings.Join(codes, ","))}
		if req.Path == "/c/1/warn" {
			o.Findings = finding("by-handler")
		}
		return o, nil
	}
	h.plugin.action = func(integration.ActionRequest) (integration.ActionResult, error) {
		return integration.ActionResult{OK: true, Findings: finding("by-action")}, nil
	}
	h.expect(t, "/c/1/x", "", "nothing was found yet")
	read := h.store.times("Findings")
	h.expect(t, "/c/1/x", "", "at once again")
	if got := h.store.times("Findings"); got != read {
		t.Errorf("findings were read again %d times within a second", got-read)
	}
	h.expect(t, "/c/1/warn", "", "the handler that finds something")
	h.expect(t, "/c/1/x", "by-handler", "the next handler, in the same instant")
	if _, err := h.RunAction(context.Background(), h.id, "check", nil); err != nil {
		t.Fatal(err)
	}
	h.expect(t, "/c/1/x", "by-action,by-handler", "the next handler after an action")
	if err := h.store.SaveFindings(context.Background(), h.id, finding("elsewhere")); err != nil {
		t.Fatal(err)
	}
	clk.Advance(time.Second)
	h.expect(t, "/c/1/x", "by-action,by-handler,elsewhere", "a second after another process found something")
	h.store.failing("Findings", errDown)
	clk.Advance(time.Minute)
	h.expect(t, "/c/1/x", "by-action,by-handler,elsewhere", "findings cannot be read")
	h.store.failing("SaveFindings", errDown)
	if _, err := h.RunAction(context.Background(), h.id, "check", nil); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("an action whose findings cannot be saved: %v", err)
	}
}

func TestTodaysOptionsServeWhenThePinnedOnesAreGone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok(fmt.Sprint(req.Facts.Instance.Revision, string(req.Facts.Instance.Options))), Session: remember(1)}, nil
	}
	h.expect(t, "/c/K/x", `1{"greeting":"hello","token":"first"}`, "the first request")
	if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
		Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"good day","token":"second"}`),
	}); err != nil {
		t.Fatal(err)
	}
	h.store.failing("IntegrationOptions", integration.Errorf(integration.KindNotFound, "gone"))
	h.expect(t, "/c/K/x", `2{"greeting":"good day","token":"second"}`, "the pinned options are gone")
	h.store.failing("IntegrationOptions", nil)
	h.expect(t, "/c/K/x", `1{"greeting":"hello","token":"second"}`, "they are there again")
	read := h.store.times("IntegrationOptions")
	h.expect(t, "/c/K/x", `1{"greeting":"hello","token":"second"}`, "once more")
	if got := h.store.times("IntegrationOptions"); got != read {
		t.Errorf("pinned options were read %d times more, want from memory", got-read)
	}
}

func TestActionsSeeTodaysOptionsAndDestinations(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		return integration.ActionResult{OK: true, State: []byte("1"), Format: 1, Lines: []integration.ActionLine{{Text: string(req.Facts.Instance.Options)}}}, nil
	}
	run := func() string {
		t.Helper()
		r, err := h.RunAction(context.Background(), h.id, "check", nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Lines[0].Text
	}
	run()
	asked := h.platform.times("destinations")
	clk.Advance(time.Minute)
	if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
		Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"good day","token":"second"}`),
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := run(), `{"greeting":"good day","token":"second"}`; got != want {
		t.Errorf("the action saw the options %s, want %s", got, want)
	}
	clk.Advance(time.Minute)
	was := h.platform.times("destinations")
	run()
	if got := h.platform.times("destinations"); got != was+1 || was == asked {
		t.Errorf("an action a minute later read the destinations %d times, want once", got-was)
	}
}

func TestAPromptThatCannotBeLookedUpFailsTheRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	if _, _, err := h.Configure(context.Background(), h.id, 0, engine.Draft{
		Name: "Hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"media:00","number":7}`),
	}); err != nil {
		t.Fatal(err)
	}
	h.plugin.webhook = answering(func(f integration.Facts) string {
		return fmt.Sprint(len(f.Instance.MediaURLs), f.Instance.MediaSlices == nil)
	})
	h.expect(t, "/c/K/x", "0 true", "a prompt that is not there")
	h.store.failing("MediumInfo", errDown)
	if _, err := h.post(t, "/c/K/x", ""); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("media that cannot be read: %v; a caller must not get silence for a prompt", err)
	}
}
