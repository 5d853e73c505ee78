package engine_test

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// TestARequestThatIsKeptIsHandledASecondLater, not when the outbox would look again by itself: the
// call may wait for what it says, such as that a phone has rung out.
func TestARequestThatIsKeptIsHandledASecondLater(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Session: remember("call")})
	h.expect(t, "/c/K/x", "done", "the call begins")
	h.start(t)
	eventually(t, "the outbox has nothing to do", func() bool { return clk.Waiting() == idleTimers })
	handled := make(chan string, 10)
	failures := make(chan error, 1)
	failures <- integration.Errorf(integration.KindUnavailable, "the plugin starts again")
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		select {
		case err := <-failures:
			return integration.Outcome{}, err
		default:
			handled <- req.Path
			return integration.Outcome{Response: ok("done")}, nil
		}
	}
	if r, err := h.post(t, "/c/K/late", ""); err != nil || r.Status != 204 {
		t.Fatalf("%+v, %v", r, err)
	}
	clk.Advance(time.Second)
	if path := wait(t, handled, "the request"); path != "/c/K/late" {
		t.Errorf("handled %s", path)
	}
}

// Of what this host has kept, another that shares the store handles all: there is room again.
func TestRoomOfRequestsThatAnotherHostHandlesIsThereAgain(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = once(integration.Outcome{Session: remember("call")})
	h.expect(t, "/c/K/x", "done", "the call begins")
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		return integration.Outcome{}, integration.Errorf(integration.KindUnavailable, "the plugin starts again")
	}
	late := func() int {
		r, err := h.post(t, "/c/K/late", "")
		if err != nil {
			t.Fatal(err)
		}
		return r.Status
	}
	kept := 0
	for late() == 204 {
		if kept++; kept > 1000 {
			t.Fatal("requests of a call are kept without limit")
		}
	}
	handle := func() (handled int) {
		clk.Advance(time.Minute)
		for {
			items, _, err := h.store.Claim(t.Context(), store.Claim{Owner: "another host", Now: clk.Now(), Lease: time.Minute})
			if err != nil || len(items) == 0 {
				return handled
			}
			for _, it := range items {
				if err := h.store.DeleteItem(t.Context(), it); err != nil {
					t.Fatal(err)
				}
				handled++
			}
		}
	}
	if handled := handle(); handled != kept {
		t.Fatalf("another host has handled %d of %d", handled, kept)
	}
	if got := late(); got != 204 {
		t.Fatalf("with room again: %d", got)
	}
	for range kept - 1 {
		late()
	}
	if got := late(); got != 503 {
		t.Errorf("beyond the limit again: %d", got)
	}
}
