package engine_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

// findingPlatform is a platform that has findings.
type findingPlatform struct {
	*fakePlatform
	found []string
}

func (p *findingPlatform) Findings() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

var _ platform.Finder = (*findingPlatform)(nil)

// platformFinding is the finding that an integration has of the platform; "" if none.
func (h *host) platformFinding(t *testing.T, id string) string {
	t.Helper()
	list, err := h.store.Store.Findings(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Code == engine.FindingPlatform {
			return f.Message
		}
	}
	return ""
}

// TestWhatThePlatformFindsIsShownWithEveryIntegrationWhileItLasts: the operator sees it where they
// look when calls go wrong.
func TestWhatThePlatformFindsIsShownWithEveryIntegrationWhileItLasts(t *testing.T) {
	t.Parallel()
	finder := &findingPlatform{}
	h := newHost(t, func(c *engine.Config) {
		finder.fakePlatform = c.Platform.(*fakePlatform)
		c.Platform = finder
	})
	other, _, err := h.Configure(context.Background(), "", 0, draft("Another"))
	if err != nil {
		t.Fatal(err)
	}
	h.start(t)
	find := func(sentences ...string) { h.platform.set(func(*fakePlatform) { finder.found = sentences }) }
	want := func(text string) {
		t.Helper()
		eventually(t, fmt.Sprintf("the finding %q", text), func() bool {
			return h.platformFinding(t, h.id) == text && h.platformFinding(t, other.ID) == text
		})
	}
	find("hints do not arrive", "the service is full")
	want("The platform reports: hints do not arrive. the service is full.")
	find("the service is full")
	want("The platform reports: the service is full.")
	find("1", "2", "3", "4", "5", "6", "7")
	want("The platform reports: 1. 2. 3. 4. 5. And 2 more.")
	find()
	want("")
}

// TestWhatAnEarlierPlatformFoundIsForgotten: the platform of this start has no findings of its own.
func TestWhatAnEarlierPlatformFoundIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	err := h.store.SaveFindings(context.Background(), h.id, []integration.Finding{
		{Code: engine.FindingPlatform, Severity: integration.FindingWarning, Message: "The platform reports: old.", At: h.clock.Now()},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.start(t)
	eventually(t, "the end of the finding", func() bool { return h.platformFinding(t, h.id) == "" })
}

// TestAFindingThatIsThereCostsNoWrite: most of the time nothing changes.
func TestAFindingThatIsThereCostsNoWrite(t *testing.T) {
	t.Parallel()
	finder := &findingPlatform{found: []string{"the service is full"}}
	h := newHost(t, func(c *engine.Config) {
		finder.fakePlatform = c.Platform.(*fakePlatform)
		c.Platform = finder
	})
	h.start(t)
	eventually(t, "the finding", func() bool { return h.platformFinding(t, h.id) != "" })
	looks := h.store.times("ListIntegrations")
	eventually(t, "more looks", func() bool { return h.store.times("ListIntegrations") > looks+3 })
	if n := h.store.times("SaveFindings"); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// TestThePlatformsMethodsAreCountedAndTimed: by method, and by what came of it.
func TestThePlatformsMethodsAreCountedAndTimed(t *testing.T) {
	t.Parallel()
	metrics := engine.NewMetrics()
	h := newHost(t, func(c *engine.Config) { c.Metrics = metrics })
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{Response: ok("done"), Session: remember(1),
			Alert: []integration.AlertCommand{{Number: 1, Kind: integration.AlertLog, AlertKey: "K"}}}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/c/K/x", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the command", func() bool { return len(h.platform.commands()) == 1 })
	h.platform.set(func(p *fakePlatform) { p.down = errDown })
	if err := h.Health(context.Background()); err == nil {
		t.Error("the platform is down")
	}
	eventually(t, "the count", func() bool { return counted(t, metrics, "platform_calls_total", "apply", "ok") == 1 })
	if n := counted(t, metrics, "platform_calls_total", "health", "unavailable"); n != 1 {
		t.Errorf("%v failures of Health are counted", n)
	}
	for method, want := range map[string]float64{"apply": 1, "health": 1, "watch": 0} {
		if n := counted(t, metrics, "platform_call_duration_seconds", method); n != want {
			t.Errorf("%v calls of %s are timed, want %v", n, method, want)
		}
	}
}
