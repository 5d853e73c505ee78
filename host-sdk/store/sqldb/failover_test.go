package sqldb_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// written are the values of a table that writers have added one by one, as far as they know.
type written struct {
	mu              sync.Mutex
	surely, perhaps map[int]bool
	longest         time.Duration
}

// add writes a value and notes what the database says of it. Nothing but unavailable may be said.
func (w *written) add(t *testing.T, db *sqldb.DB, n int) {
	t.Helper()
	began := time.Now()
	err := db.Write(t.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(t.Context(), "insert into kept (n) values ($1)", n)
		return err
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.longest = max(w.longest, time.Since(began))
	switch {
	case err == nil:
		w.surely[n] = true
	case integration.KindOf(err) != integration.KindUnavailable:
		t.Error(err)
	case strings.Contains(err.Error(), "not known"):
		w.perhaps[n] = true
	}
}

// TestAFailOverLosesNothingThatWasCommitted kills a primary while values are written and promotes
// its standby, which replicates synchronously: each value whose writer was told that it is written
// is there.
func TestAFailOverLosesNothingThatWasCommitted(t *testing.T) {
	t.Parallel()
	postgres.Database(t) // says if PostgreSQL is missing
	primary, err := postgres.Start(t.Context(), t.TempDir(), "wal_level=replica", "shared_buffers=32MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(primary.Kill)
	standby, err := primary.Standby(t.Context(), t.TempDir(), "shared_buffers=32MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(standby.Kill)
	if err := primary.Synchronous(t.Context()); err != nil {
		t.Fatal(err)
	}
	db := openURL(t, fmt.Sprintf("postgres://livecall@%s,%s/postgres?target_session_attrs=read-write", primary.Addr(), standby.Addr()))
	if err := db.Migrate(t.Context(), "kept", fstest.MapFS{"00001_kept.sql": {Data: []byte("-- +goose Up\ncreate table kept (n bigint not null);\n")}}); err != nil {
		t.Fatal(err)
	}
	w := &written{surely: map[int]bool{}, perhaps: map[int]bool{}}
	const writers, before, after = 4, 50, 20
	var all, half sync.WaitGroup
	half.Add(writers)
	stop := make(chan struct{})
	for writer := range writers {
		all.Go(func() {
			n := writer
			for range before {
				w.add(t, db, n)
				n += writers
			}
			half.Done()
			for over, rest := false, after; rest > 0; n += writers {
				select {
				case <-stop:
					over = true
				default:
				}
				if over {
					rest--
				}
				w.add(t, db, n)
			}
		})
	}
	half.Wait()
	primary.Kill()
	if err := standby.Promote(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	all.Wait()
	rows, err := db.Read().QueryContext(t.Context(), "select n, count(*) from kept group by n")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	found := map[int]bool{}
	for rows.Next() {
		var n, times int
		if err := rows.Scan(&n, &times); err != nil {
			t.Fatal(err)
		}
		if found[n] = true; times != 1 || !w.surely[n] && !w.perhaps[n] {
			t.Errorf("%d was written %d times, and its writer was told otherwise", n, times)
		}
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	for n := range w.surely {
		if !found[n] {
			t.Errorf("%d was lost", n)
		}
	}
	t.Logf("%d values, %d of which nobody knew; the longest write took %s", len(w.surely), len(w.perhaps), w.longest.Round(time.Millisecond))
}
