package ways_test

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// TestRingsAreLimitedAndChooseAnIntegrationThatCan: an old plugin is passed over, and nobody is rung more
// than five times an hour.
func TestRingsAreLimitedAndChooseAnIntegrationThatCan(t *testing.T) {
	t.Parallel()
	r := ways.NewRinger(ways.RingerConfig{
		Clock: clock.System(),
		Integrations: func(context.Context) ([]store.Integration, error) {
			return []store.Integration{{ID: "off", Name: "Off"}, {ID: "old", Name: "Old", Enabled: true}, {ID: "new", Name: "New", Enabled: true}}, nil
		},
		TestRing: func(_ context.Context, id, _ string, _ map[string]string) (integration.ActionResult, error) {
			if id != "new" {
				return integration.ActionResult{}, integration.Errorf(integration.KindNotFound, "no such action")
			}
			return integration.ActionResult{Lines: []integration.ActionLine{{Field: integration.RingOutcome, Choice: integration.RingConfirmed, Text: "Yes."}}}, nil
		},
	})
	for i := range 5 {
		got, err := r.Ring(t.Context(), "alice", "")
		if err != nil || len(got) != 1 || !got[0].OK || got[0].Via != "New" {
			t.Fatalf("ring %d: %+v, %v, want one by New", i, got, err)
		}
	}
	if _, err := r.Ring(t.Context(), "alice", ""); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("sixth ring within %s: %v, want a conflict", time.Hour, err)
	}
	if _, err := r.Ring(t.Context(), "bob", "old"); integration.KindOf(err) != integration.KindConflict {
		t.Errorf("by an old plugin: %v, want a conflict", err)
	}
	if _, err := r.Ring(t.Context(), "bob", "none"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("by an unknown integration: %v, want not found", err)
	}
}
