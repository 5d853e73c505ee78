package records_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/internal/records"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// What people search for is found behind more calls than are read at a time.
func TestASearchFindsWhatIsBehindItsFirstBatch(t *testing.T) {
	t.Parallel()
	ctx, began := t.Context(), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := sqlstoretest.Open(t, clock.System())
	for i := range records.SearchBatch + 3 {
		key, from := fmt.Sprint("CA", i), "+12025550144"
		if i < 2 {
			from = "+12025550143"
		}
		at := began.Add(time.Duration(i) * time.Second)
		_, err := s.Commit(ctx, store.Commit{Integration: "i", Key: key, Now: at, Call: &store.CallUpdate{New: true, View: &integration.CallView{ID: key, From: from, StartedAt: at}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var found []string
	filter := store.CallFilter{Text: "+12025550143", Limit: 1}
	for page := 0; page < 3; page++ {
		calls, next, err := s.ListCalls(ctx, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			found = append(found, c.Key)
		}
		if next == "" {
			break
		}
		filter.After = next
	}
	if fmt.Sprint(found) != "[CA1 CA0]" {
		t.Errorf("found %v, want the newest first: [CA1 CA0]", found)
	}
}
