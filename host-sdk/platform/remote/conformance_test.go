package remote_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/platformtest"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote"
	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

func conformance(t *testing.T, p *product, adapter *remote.Platform, once bool) {
	t.Helper()
	platformtest.Test(t, platformtest.Config{OnceOnly: once, New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{
			Platform: adapter, Scope: platform.Scope{Integration: "int-1"},
			Team: "devops", OtherTeam: "support", IdleTeam: "idle", Router: "main", Users: [2]string{"alice", "bob"},
		}
	}})
	for _, text := range adapter.Findings() {
		if strings.HasPrefix(text, "hints do not arrive") {
			// The suite changes more alerts a second than a platform may hint at, and a refused
			// hint is a late one.
			continue
		}
		t.Errorf("a platform that does all that the document says has the finding: %s", text)
	}
	t.Logf("%d requests", p.requests.Load())
}

// The suite through the adapter, with the hints of signed webhooks alone.
func TestConformance(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsWebhook)
	conformance(t, p, p.adapter(nil), testing.Short())
}

// The suite with the changes that the adapter waits for.
func TestConformanceWithChanges(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsChanges)
	conformance(t, p, p.adapter(nil), true)
}

// The suite where the platform hints at nothing: the adapter hints at what it did itself.
func TestConformanceWithoutHints(t *testing.T) {
	t.Parallel()
	p := newProduct(t, wire.HintsNone)
	adapter := p.adapter(func(c *remote.Config) { c.NoOwnHints = false })
	platformtest.Test(t, platformtest.Config{OnceOnly: true, New: func(*testing.T) platformtest.Fixture {
		return platformtest.Fixture{Platform: adapter, Scope: scope, Team: "devops", OtherTeam: "support", IdleTeam: "idle", Router: "main", Users: [2]string{"alice", "bob"}}
	}})
}
