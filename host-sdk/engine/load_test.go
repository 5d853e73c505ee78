package engine_test

import (
	"fmt"
	"testing"

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
