package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// inTime is a plugin that says of itself that it returns in time.
type inTime struct{ integration.Integration }

func (inTime) ReturnsInTime() {}

// TestAPluginThatReturnsInTimeIsCalledWithItsRunAndMayPanic lets such a plugin panic: the run ends
// with an error, and the next one finds the call free.
func TestAPluginThatReturnsInTimeIsCalledWithItsRunAndMayPanic(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.plugins.set(inTime{h.plugin})
	h.plugin.webhook = func(req integration.WebhookRequest) (integration.Outcome, error) {
		if req.Path == "/c/K/bad" {
			panic("out of my mind")
		}
		return integration.Outcome{Response: ok("answered")}, nil
	}
	_, err := h.post(t, "/c/K/bad", "")
	if integration.KindOf(err) != integration.KindInternal || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("error %v", err)
	}
	h.expect(t, "/c/K/good", "answered", "the next request")
	// It is given the run's context, whose end it promises to see.
	ended, cancel := context.WithCancel(t.Context())
	h.plugin.webhook = func(integration.WebhookRequest) (integration.Outcome, error) {
		cancel()
		return integration.Outcome{Response: ok("late")}, nil
	}
	if resp, err := h.postWithin(ended, "/c/K/late", ""); err != nil || string(resp.Body) != "late" {
		t.Errorf("an answer that came as the request ended: %q, %v", resp.Body, err)
	}
}
