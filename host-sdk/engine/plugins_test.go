package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestAPluginThatIsAwayAtTheStartStopsNobody(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	fresh := h.another(t)
	h.plugins.set(nil)
	h.store.failing("ListIntegrations", errDown)
	for range 2 { // first the list cannot be read, then the plugin is away
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		claims := h.store.times("Claim")
		go func() { done <- fresh.Run(ctx) }()
		eventually(t, "the outbox is worked", func() bool { return h.store.times("Claim") > claims })
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		h.store.failing("ListIntegrations", nil)
	}
}

func TestAPluginOfAnotherKindIsNotSwappedIn(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugins.more = map[string]integration.Integration{"second": h.plugin}
	d := draft("Hotline")
	d.Plugin = "second"
	_, _, err := h.Configure(context.Background(), h.id, 0, d)
	if err == nil || !strings.Contains(err.Error(), "plugin: Plugin cannot be changed") {
		t.Errorf("got %v", err)
	}
}
