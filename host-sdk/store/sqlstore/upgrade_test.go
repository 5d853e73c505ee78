package sqlstore

import (
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
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
			values ('a', 'CA1', 3, 1, 1, 1, 1000, 1000, 9999, '', '["alice"]', '{"ID":"CA1","From":"+12025550143"}', 'x'),
			       ('a', 'integration', 1, 1, 1, 0, 1000, 1000, 9999, '', '', '', 'y')`)
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
	if own, err := s.Session(ctx, "a", "integration"); err != nil || string(own.State) != "y" {
		t.Errorf("the integration's own session is %+v (%v)", own, err)
	}
}
