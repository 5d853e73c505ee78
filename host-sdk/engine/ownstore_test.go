package engine_test

import (
	"context"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// exclusive says that the engine has the store for itself.
func exclusive(c *engine.Config) { c.Exclusive = true }

// newAlone is a host that has its store for itself, in which the call K has begun. Its plugin
// answers with the session's state; the path /c/K/change counts the state up.
func newAlone(t *testing.T) *host {
	t.Helper()
	h := newHost(t, exclusive, manual(clock.NewManual(presenceStart)))
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		state := "0"
		if s := req.Facts.Session; s != nil {
			state = string(s.State)
		}
		o := integration.Outcome{Response: ok(state)}
		if req.Path != "/c/K/tick" {
			o.Session = remember(int(state[0]-'0') + 1)
		}
		return o, nil
	}
	h.expect(t, "/c/K/arrival", "0", "the first request")
	h.expect(t, "/c/K/tick", "1", "the first tick")
	return h
}

func TestAHostThatHasItsStoreForItselfAsksNothingForATick(t *testing.T) {
	t.Parallel()
	h := newAlone(t)
	asked := func() int { return h.store.times("Session") + h.store.times("SessionUnchanged") }
	before := asked()
	for range 5 {
		h.expect(t, "/c/K/tick", "1", "a tick")
	}
	if n := asked() - before; n != 0 {
		t.Errorf("the store was asked %d times, want never", n)
	}
	h.expect(t, "/c/K/change", "1", "a request that changes the call")
	h.expect(t, "/c/K/tick", "2", "a tick after it")
	before = asked()
	h.expect(t, "/c/K/tick", "2", "another tick")
	if n := asked() - before; n != 0 {
		t.Errorf("after a change the store was asked %d times for each tick, want never", n)
	}
}

// TestACommitThatWasGivenUpIsSeenWhenItIsWrittenLater lets a commit hang until its request has been
// answered with an error, and be written after the next tick.
func TestACommitThatWasGivenUpIsSeenWhenItIsWrittenLater(t *testing.T) {
	t.Parallel()
	h := newAlone(t)
	begun, write := make(chan struct{}), make(chan struct{})
	h.store.mu.Lock()
	h.store.before = func() { close(begun); <-write }
	h.store.mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if resp, err := h.postWithin(ctx, "/c/K/change", ""); err == nil {
		t.Fatalf("a request whose commit hangs is answered: %q", resp.Body)
	}
	h.expect(t, "/c/K/tick", "1", "a tick while the commit hangs")
	h.expect(t, "/c/K/tick", "1", "another one")
	close(write)
	eventually(t, "the writing of the commit", func() bool {
		s, err := h.store.Store.Session(t.Context(), h.id, "K")
		return err == nil && string(s.State) == "2"
	})
	h.expect(t, "/c/K/tick", "2", "a tick after the commit was written")
	h.expect(t, "/c/K/change", "2", "a request whose commit succeeds")
	asked := func() int { return h.store.times("Session") + h.store.times("SessionUnchanged") }
	before := asked()
	h.expect(t, "/c/K/tick", "3", "a tick after it")
	if n := asked() - before; n != 0 {
		t.Errorf("after a commit that succeeded the store was asked %d times for a tick, want never", n)
	}
}
