package engine_test

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// TestACallOfAnyIntegrationComesBeforeATestRing: a ring is told of it, while a call counts those of
// its own integration alone.
func TestACallOfAnyIntegrationComesBeforeATestRing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	other, _, err := h.Configure(t.Context(), "", 0, engine.Draft{
		Plugin: "fake", Name: "Second hotline", Enabled: true, Destinations: []platform.Ref{{Kind: integration.DestinationTeam, ID: "devops"}},
		Options: []byte(`{"greeting":"hello","token":"first"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.ActionResult{Need: []integration.Question{{ID: "who", Kind: integration.AskUser, User: "alice"}}}, nil
		}
		return integration.ActionResult{Lines: []integration.ActionLine{{Text: req.Facts.Answers[0].User.OccupiedBy}}}, nil
	}
	by := func(id string) string {
		t.Helper()
		got, err := h.TestRing(t.Context(), id, integration.RingSessionPrefix+"ABCDEFGHIJKLMNOP", map[string]string{integration.ValueUser: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		return got.Lines[0].Text
	}
	if got := by(other.ID); got != "" {
		t.Errorf("nobody has her: %q", got)
	}
	h.session(t, "CAbob", h.clock.Now(), store.Session{Live: true, Occupies: []string{"bob"}})
	h.session(t, "CAalice", h.clock.Now(), store.Session{Live: true, WaitsFor: []string{"alice"}})
	if got := by(other.ID); got != "CAalice" {
		t.Errorf("a call of the first integration waits for her; the second hears of %q", got)
	}
	if got := by(h.id); got != "CAalice" {
		t.Errorf("a call of the same integration waits for her: %q", got)
	}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{{ID: "who", Kind: integration.AskUser, User: "alice"}}}, nil
		}
		return integration.Outcome{Response: ok("by " + req.Facts.Answers[0].User.OccupiedBy)}, nil
	}
	h.id = other.ID
	h.expect(t, "/c/K/x", "by ", "a call of the second integration")
}
