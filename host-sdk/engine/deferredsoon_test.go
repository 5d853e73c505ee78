package engine_test

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
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
