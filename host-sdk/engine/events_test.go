package engine_test

import (
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestASlowSubscriberLosesEvents(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	slow, stop := h.Subscribe()
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o, err := counting(req)
		if req.Path != "/c/K/silent" {
			o.Session.Call = &integration.CallView{ID: "K"}
		}
		return o, err
	}
	for range 300 {
		if _, err := h.post(t, "/c/K/x", ""); err != nil {
			t.Fatal(err)
		}
	}
	if len(slow) != 256 {
		t.Errorf("%d events wait, want 256", len(slow))
	}
	stop()
	other, stopOther := h.Subscribe()
	defer stopOther()
	if _, err := h.post(t, "/c/K/silent", ""); err != nil {
		t.Fatal(err)
	}
	if len(other) != 0 {
		t.Error("an event for a session that shows no call")
	}
	for range 256 {
		<-slow
	}
	if _, err := h.post(t, "/c/K/x", ""); err != nil {
		t.Fatal(err)
	}
	if len(slow) != 0 || len(other) != 1 {
		t.Errorf("%d events after the end of the subscription, %d for the other; want 0 and 1", len(slow), len(other))
	}
}

func TestSubscribersHearOfCallsAndAlerts(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	events, stop := h.Subscribe()
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		u := remember("x")
		u.Call = &integration.CallView{ID: "K", State: "holding"}
		return integration.Outcome{Response: ok(""), Session: u}, nil
	}
	h.start(t)
	if _, err := h.post(t, "/", "CallKey=K"); err != nil {
		t.Fatal(err)
	}
	if e := wait(t, events, "the call's event"); e.Type != "call" || e.Key != "K" || e.Call.State != "holding" {
		t.Errorf("event %+v", e)
	}
	h.platform.hints <- hint(h.id, "K")
	if e := wait(t, events, "the alert's event"); e.Type != "alert" || e.Key != "K" {
		t.Errorf("event %+v", e)
	}
	stop()
}
