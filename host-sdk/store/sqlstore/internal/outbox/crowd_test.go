package outbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// TestTimersOfAnIntegrationWithoutRoomAreNotPassedOver: with thousands of calls that would be
// thousands of items, read again after each that was worked. So the first that is due later ends
// the search, and the next look may be too early.
func TestTimersOfAnIntegrationWithoutRoomAreNotPassedOver(t *testing.T) {
	t.Parallel()
	ctx, s, now := context.Background(), sqlstoretest.Open(t, clock.System()), time.UnixMilli(1_800_000_000_000)
	add := func(of string, due time.Time) {
		if err := s.AddItem(ctx, store.Item{Integration: of, Kind: store.ItemTimer, Due: due, Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	soon := now.Add(time.Minute)
	add("crowd", now)
	add("crowd", soon)
	add("calm", now.Add(time.Hour))
	for what, busy := range map[string]int{"full before": 1, "full by this claim": 0} {
		items, next, err := s.Claim(ctx, store.Claim{Owner: "me", Now: now, Lease: 2 * time.Hour, Wants: []store.Want{{Work: store.WorkEvent, Limit: 9, PerIntegration: 1, Busy: map[string]int{"crowd": busy}}}})
		if err != nil || len(items) != 1-busy || !next.Equal(soon) {
			t.Errorf("%s: %d items, next %v, %v; want %v", what, len(items), next, err, soon)
		}
	}
}
