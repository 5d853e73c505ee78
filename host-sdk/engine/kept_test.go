package engine_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Requests that were kept for later are handled once each, and then there is room for as many
// again.
func TestRequestsThatWereKeptAreHandledOnceAndMakeRoom(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.session(t, "K", h.clock.Now(), store.Session{Live: true})
	var mu sync.Mutex
	handled := map[string]int{}
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if !req.Deferred {
			return integration.Outcome{}, errors.New("not now")
		}
		mu.Lock()
		defer mu.Unlock()
		handled[string(req.Body)]++
		return integration.Outcome{}, nil
	}
	keep := func(round, n, want int) {
		t.Helper()
		if resp, err := h.post(t, "/c/K/late", fmt.Sprint(round, " ", n)); err != nil || resp.Status != want {
			t.Fatalf("request %d of round %d: %d, %v; want %d", n, round, resp.Status, err, want)
		}
	}
	const most = 100 // of one session
	for n := range most {
		keep(1, n, http.StatusNoContent)
	}
	keep(1, most, http.StatusServiceUnavailable)
	h.start(t)
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	const again = most / 2 // the last of the others may be counted for another moment
	for n := range again {
		keep(2, n, http.StatusNoContent)
	}
	eventually(t, "an empty outbox", func() bool { return h.outboxEmpty(t) })
	mu.Lock()
	defer mu.Unlock()
	if len(handled) != most+again {
		t.Errorf("%d requests are handled, want %d", len(handled), most+again)
	}
	for body, n := range handled {
		if n != 1 {
			t.Errorf("request %q is handled %d times", body, n)
		}
	}
}
