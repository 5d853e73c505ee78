package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

func TestANewCallIsToldThatAnIntegrationHasAsManyLiveCallsAsItMay(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int]integration.HostState{0: integration.HostActive, 2: integration.HostRateLimited, 3: integration.HostActive} {
		h := newHost(t, func(c *engine.Config) { c.LiveCalls = limit })
		for i := range 4 {
			key := fmt.Sprint("call", i)
			h.session(t, key, h.clock.Now(), store.Session{Live: i < 2, Call: &integration.CallView{ID: key}})
		}
		for i := range 5 { // made up, perhaps: nobody has confirmed them
			key := fmt.Sprint("unproven", i)
			h.session(t, key, h.clock.Now(), store.Session{Live: true, Call: &integration.CallView{ID: key, Unproven: true}})
		}
		h.plugin.webhook = answering(func(f integration.Facts) string { return string(f.Instance.State) })
		h.expect(t, "/c/K/x", string(want), fmt.Sprintf("a new call with a limit of %d", limit))
		h.expect(t, "/c/call0/x", string(integration.HostActive), "a call that is live already")
	}
}

// A host that takes over a call reads its session once; from then on it only asks whether that has
// changed.
func TestATickOfACallThatAnotherHostHasBegunIsReadOnce(t *testing.T) {
	t.Parallel()
	h := newAlone(t)
	h.Engine = h.another(t)
	h.expect(t, "/c/K/tick", "1", "the first tick on the other host")
	read := h.store.times("Session")
	for range 5 {
		h.expect(t, "/c/K/tick", "1", "a tick")
	}
	if more := h.store.times("Session") - read; more != 0 {
		t.Errorf("five more ticks read the session %d times, want never", more)
	}
}

// A call that has ended is deleted at some time, and nobody says so to the host.
func TestACallThatHasEndedIsNotRememberedLongerThanItIsKept(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive, manual(newManual()))
	h.plugin.webhook = answering(func(f integration.Facts) string { return fmt.Sprint(f.Session != nil) })
	now := h.clock.Now()
	h.session(t, "K", now, store.Session{Session: integration.Session{State: []byte("1")}, ExpiresAt: now.Add(time.Minute)})
	h.expect(t, "/c/K/late", "true", "a late request of a call that is kept")
	if n, err := h.store.DeleteExpired(t.Context(), now.Add(time.Hour)); err != nil || n != 1 {
		t.Fatalf("deleted %d, %v", n, err)
	}
	h.expect(t, "/c/K/late", "false", "a later one, when it was deleted")

	// The same for one whose last commit was this host's.
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		u := remember(1)
		u.Live, u.ExpiresAt = false, h.clock.Now().Add(time.Minute)
		return integration.Outcome{Response: ok("over"), Session: u}, nil
	}
	h.expect(t, "/c/L/end", "over", "a request that ends a call")
	h.plugin.webhook = answering(func(f integration.Facts) string { return fmt.Sprint(f.Session != nil) })
	if n, err := h.store.DeleteExpired(t.Context(), now.Add(time.Hour)); err != nil || n != 1 {
		t.Fatalf("deleted %d, %v", n, err)
	}
	h.expect(t, "/c/L/late", "false", "a late request, when it was deleted")
}

// What this host has just committed of a live call it does not read again.
func TestALiveCallIsNotReadAgainAfterACommit(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive)
	h.plugin.webhook = counting
	h.expect(t, "/c/K/x", "1", "the first request")
	read := h.store.times("Session")
	h.expect(t, "/c/K/x", "2", "the second")
	h.expect(t, "/c/K/x", "3", "the third")
	if more := h.store.times("Session") - read; more != 0 {
		t.Errorf("two requests read the session %d times, want never", more)
	}
}

// What a late request of a call is decided upon is how the call has ended, not how it was before.
func TestALateRequestSeesTheEndOfItsCall(t *testing.T) {
	t.Parallel()
	h := newHost(t, exclusive)
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		o := integration.Outcome{Response: ok("begins")}
		if req.Facts.Session != nil {
			o.Response = ok(string(req.Facts.Session.State))
		}
		if req.Path != "/c/K/late" {
			o.Session = remember(req.Path)
			o.Session.Live = req.Path != "/c/K/end"
		}
		return o, nil
	}
	h.expect(t, "/c/K/arrival", "begins", "the first request")
	h.expect(t, "/c/K/end", `"/c/K/arrival"`, "the request that ends the call")
	h.expect(t, "/c/K/late", `"/c/K/end"`, "a late request")
}
