package sqlstore

import (
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// A database that the release before wrote is read with its sessions, whose callers are known as
// earlier callers at once.
func TestSessionsOfTheReleaseBeforeAreRead(t *testing.T) {
	t.Parallel()
	db, err := sqldb.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	first, err := migrations.ReadFile("migrations/sqlite/00001_store.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(ctx, "store", fstest.MapFS{"00001_store.sql": {Data: first}}); err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `insert into sessions (integration, key, version, revision, format, live, created_at, updated_at, expires_at, alert_key, occupies, view, state)
			values ('a', 'CA1', 3, 1, 1, 1, 1000, 1000, 9999, 'alert-1', '["alice"]', '{"ID":"CA1","From":"+12025550143","Team":"devops"}', 'x'),
			       ('a', 'integration', 1, 1, 1, 0, 1000, 1000, 9999, '', '', '', 'y')`)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `insert into outbox (integration, key, kind, lane, name, generation, due, not_after, phase, attempt, owner, lease, ready, head, body, result)
			values ('a', 'CA1', 'task', '', 'dial', 1, 1, 0, 'waiting', 0, '', 0, 1, 1, cast('{"Name":"dial","PaceKey":"calls"}' as blob), x''),
			       ('a', 'CA1', 'task', '', 'look', 1, 2, 0, 'waiting', 0, '', 0, 2, 1, cast('{"Name":"look","PaceKey":""}' as blob), x''),
			       ('a', 'CA1', 'timer', '', 'hold', 1, 3, 0, 'waiting', 0, '', 0, 3, 1, cast('{}' as blob), x''),
			       ('a', 'CA1', 'mail', '', '', 0, 4, 0, 'result', 0, '', 0, 4, 1, cast('{}' as blob), x'')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(ctx, db, key, clock.NewManual(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.ListSessions(ctx, store.SessionFilter{Integration: "a", From: "+12025550143"})
	if err != nil || len(list) != 1 || list[0].Key != "CA1" || list[0].Occupies[0] != "alice" || len(list[0].WaitsFor)+len(list[0].Media) != 0 {
		t.Errorf("the caller's earlier calls are %+v (%v)", list, err)
	}
	call, err := s.Call(ctx, "a", "CA1")
	if err != nil || !call.Live || call.View.From != "+12025550143" || call.View.Team != "devops" || !call.StartedAt.Equal(time.UnixMilli(1000)) || call.Alert.Key != "alert-1" {
		t.Errorf("the record of the call is %+v (%v)", call, err)
	}
	if _, err := s.Call(ctx, "a", "integration"); integration.KindOf(err) != integration.KindNotFound {
		t.Errorf("the integration's own session is a call: %v", err)
	}
	items, _, err := s.Claim(ctx, store.Claim{Owner: "me", Now: time.Now(), Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var work []store.Work
	for _, it := range items {
		work = append(work, it.Work)
	}
	if want := []store.Work{store.WorkDial, store.WorkTask, store.WorkEvent, store.WorkEvent}; !slices.Equal(work, want) {
		t.Errorf("work left by the release before: %v, want %v", work, want)
	}
	if own, err := s.Session(ctx, "a", "integration"); err != nil || string(own.State) != "y" {
		t.Errorf("the integration's own session is %+v (%v)", own, err)
	}
}
