package sessions

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore/sqlstoretest"
)

// What a handler gets of a session that this host has just committed is what it would read.
func TestASessionThatIsHandedOnIsWhatTheStoreHolds(t *testing.T) {
	t.Parallel()
	s := sqlstoretest.Open(t, clock.System())
	now := time.Date(2026, 3, 4, 5, 6, 7, 891_234_567, time.UTC)
	end := now.Add(time.Hour).Truncate(time.Millisecond)
	var before *store.Session
	for i, sess := range []store.Session{
		{Session: integration.Session{Key: "CA1", State: []byte("1"), Format: 1}, Revision: 3, Live: true, ExpiresAt: end},
		{
			Session: integration.Session{Key: "CA1", State: []byte("2"), Format: 2}, Revision: 4, Live: true, ExpiresAt: end, AlertKey: "CA1",
			Occupies: []string{"alice"}, WaitsFor: []string{"bob"}, Media: []string{"media:1"}, Told: &store.Told{ID: "a", Acks: []string{"1"}},
			Alert: &store.AlertMemory{Commands: store.CommandsGiven, Last: 2}, Call: &integration.CallView{From: "+12025550100"},
		},
		{Session: integration.Session{Key: "CA1", State: []byte("3"), Format: 2}, Revision: 5, Live: true, ExpiresAt: end},
	} {
		c := store.Commit{Integration: "int_1", Key: "CA1", Version: int64(i), Session: &sess, Now: now.Add(time.Duration(i) * time.Second)}
		version, err := s.Commit(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.StoreSeen(t.Context(), []store.Seen{{Integration: "int_1", Key: "CA1", At: end}}); err != nil {
			t.Fatal(err)
		}
		read, err := s.Session(t.Context(), "int_1", "CA1")
		if err != nil {
			t.Fatal(err)
		}
		got := After(before, c, version)
		if before == nil {
			read.SeenAt = time.Time{} // stored since
		}
		if d := cmp.Diff(read, got); d != "" {
			t.Errorf("commit %d (-store +handed on):\n%s", i, d)
		}
		read.SeenAt = end
		before = &read
	}
}
