package sqldb_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

func openServer(t *testing.T) *sqldb.DB {
	t.Helper()
	return openURL(t, postgres.Database(t))
}

func openURL(t *testing.T, url string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var counterTable = fstest.MapFS{"00001_counter.sql": {Data: []byte("-- +goose Up\ncreate table counter (name text not null primary key, n bigint not null);\n")}}

func counters(t *testing.T, db *sqldb.DB) {
	t.Helper()
	if err := db.Migrate(t.Context(), "counter", counterTable); err != nil {
		t.Fatal(err)
	}
	execute(t, db, "insert into counter values ('a', 0), ('b', 0) on conflict do nothing")
}

func execute(t *testing.T, db *sqldb.DB, text string, args ...any) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx sqldb.Tx) error { _, err := tx.ExecContext(t.Context(), text, args...); return err }); err != nil {
		t.Fatal(err)
	}
}

func countOf(t *testing.T, q sqldb.Queryer, name string) (n int) {
	t.Helper()
	if err := q.QueryRowContext(t.Context(), "select n from counter where name = $1", name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Each of several writers reads, and writes what it has read and one more: with a lock none is
// lost.
func TestALockKeepsWritersOfAServerApart(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	counters(t, db)
	other := openURL(t, "postgres://"+db.Name())
	var all sync.WaitGroup
	for _, d := range []*sqldb.DB{db, other, db, other, db, other} {
		all.Go(func() {
			for range 20 {
				err := d.Write(t.Context(), func(tx sqldb.Tx) error {
					if err := tx.Lock(t.Context(), "counters", "more"); err != nil {
						return err
					}
					var n int
					if err := tx.QueryRowContext(t.Context(), "select n from counter where name = 'a'").Scan(&n); err != nil {
						return err
					}
					_, err := tx.ExecContext(t.Context(), "update counter set n = $1 where name = 'a'", n+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := countOf(t, db.Read(), "a"); n != 120 {
		t.Errorf("120 writers counted to %d", n)
	}
}

// Two transactions that wait for one another: the server ends one of them, which begins anew.
func TestTransactionsThatWaitForOneAnotherBothEnd(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	counters(t, db)
	var met sync.WaitGroup
	met.Add(2)
	var all sync.WaitGroup
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		first := true
		all.Go(func() {
			err := db.Write(t.Context(), func(tx sqldb.Tx) error {
				for i, name := range order {
					if i == 1 && first {
						first = false
						met.Done()
						met.Wait()
					}
					if _, err := tx.ExecContext(t.Context(), "update counter set n = n + 1 where name = $1", name); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a, b := countOf(t, db.Read(), "a"), countOf(t, db.Read(), "b"); a != 2 || b != 2 {
		t.Errorf("the counters are at %d and %d, want 2 and 2", a, b)
	}
}

func TestAWriteToAServerIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	counters(t, db)
	sorry := integration.Errorf(integration.KindConflict, "sorry")
	runs := 0
	err := db.Write(t.Context(), func(tx sqldb.Tx) error {
		runs++
		if _, err := tx.ExecContext(t.Context(), "update counter set n = 7"); err != nil {
			return err
		}
		return sorry
	})
	if !errors.Is(err, sorry) || runs != 1 || countOf(t, db.Read(), "a") != 0 {
		t.Errorf("error %v after %d runs, and the counter is at %d", err, runs, countOf(t, db.Read(), "a"))
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Write(t.Context(), func(tx sqldb.Tx) error {
			_, _ = tx.ExecContext(t.Context(), "update counter set n = 7")
			panic("oh")
		})
	}()
	if n := countOf(t, db.Read(), "a"); n != 0 {
		t.Errorf("after a panic the counter is at %d", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Write(ctx, func(sqldb.Tx) error { t.Error("it ran"); return nil }); integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("with an ended context: %v", err)
	}
}

// A server that restarts cuts all connections: what comes meanwhile waits for it.
func TestWritesAndReadsOutlastARestartOfTheServer(t *testing.T) {
	t.Parallel()
	postgres.Database(t) // says if PostgreSQL is missing
	// It must be back within the time for which it is waited for, so it waits for no disk.
	server, err := postgres.Start(t.Context(), t.TempDir(), "fsync=off", "full_page_writes=off", "shared_buffers=32MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	db := openURL(t, server.URL("postgres"))
	counters(t, db)
	back := make(chan error, 1)
	for i, end := range []func(){server.Shutdown, server.Kill} {
		end()
		go func() { back <- server.Run(t.Context()) }()
		// The connection is lost, and there is none for a while: what comes waits for the server.
		if n := countOf(t, db.Read(), "a"); n != i {
			t.Errorf("the counter is at %d, want %d", n, i)
		}
		err := db.Read().View(t.Context(), func(q sqldb.Queryer) error {
			if n := countOf(t, q, "a"); n != i {
				t.Errorf("in a view the counter is at %d, want %d", n, i)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		execute(t, db, "update counter set n = n + 1")
		if err := <-back; err != nil {
			t.Fatal(err)
		}
	}
	// A server that stays away is waited for once, not by everybody who comes: eight one after the
	// other end before the time in which only some would that each wait.
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 8 {
		if err := db.Read().QueryRowContext(ctx, "select n from counter").Scan(new(int)); integration.KindOf(sqldb.Error("read", err)) != integration.KindUnavailable {
			t.Errorf("a read without a server: %v", err)
		}
		if err := db.Write(ctx, func(sqldb.Tx) error { return nil }); integration.KindOf(err) != integration.KindUnavailable {
			t.Errorf("a write without a server: %v", err)
		}
	}
	if err := server.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := countOf(t, db.Read(), "a"); n != 2 {
		t.Errorf("the counter is at %d, want 2", n)
	}
}

func TestAViewOfAServerIsOneState(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	counters(t, db)
	err := db.Read().View(t.Context(), func(q sqldb.Queryer) error {
		before := countOf(t, q, "a")
		execute(t, db, "update counter set n = n + 1")
		if after := countOf(t, q, "a"); after != before {
			t.Errorf("within one view the counter goes from %d to %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAServerCannotStoreIsStoredAsFarAsItCan(t *testing.T) {
	t.Parallel()
	db := openServer(t)
	counters(t, db)
	for _, name := range []string{"a\x00b", "a\xffbc"} {
		execute(t, db, "insert into counter values ($1, 1)", name)
		if n := countOf(t, db.Read(), name); n != 1 {
			t.Errorf("the name %q is at %d", name, n)
		}
		// What people ask for in an address is looked for in a view.
		if err := db.Read().View(t.Context(), func(q sqldb.Queryer) error {
			if n := countOf(t, q, name); n != 1 {
				t.Errorf("in a view the name %q is at %d", name, n)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

// once is a migration that others could run at the same time, if nothing kept them from it.
var once = fstest.MapFS{"00001_once.sql": {Data: []byte("-- +goose Up\nselect pg_sleep(0.2);\nupdate counter set n = n + 1 where name = 'a';\n")}}

func TestServersAreMigratedOnceByMany(t *testing.T) {
	t.Parallel()
	url := postgres.Database(t)
	var all sync.WaitGroup
	for range 4 {
		db := openURL(t, url)
		all.Go(func() {
			if err := db.Migrate(t.Context(), "counter", counterTable); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	older := openURL(t, url)
	counters(t, older)
	for range 4 {
		db := openURL(t, url)
		all.Go(func() {
			if err := db.Migrate(t.Context(), "once", once); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if runs := countOf(t, older.Read(), "a"); runs != 1 {
		t.Errorf("a migration was run %d times", runs)
	}
	if err := older.Migrate(t.Context(), "counter", fstest.MapFS{"00000_x.sql": {Data: []byte("-- +goose Up\nselect 1;\n")}}); err == nil {
		t.Error("a program without the migration has accepted the database")
	}
}

func TestTheAddressOfAServerIsNeverRepeated(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://hotline:canary@127.0.0.1:1/x?connect_timeout=1", "postgres://hotline:canary@[::1/x", "postgres://hotline:canary@127.0.0.1:99999999/x",
		"postgres://hotline:canary@127.0.0.1/x?sslmode=wrong",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // no waiting for the server
		_, err := sqldb.Open(ctx, url)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestAServersClockCanBeAsked(t *testing.T) {
	t.Parallel()
	before := time.Now().Add(-time.Second)
	now, err := openServer(t).Time(t.Context())
	if err != nil || now.Before(before) || now.After(time.Now().Add(time.Second)) {
		t.Errorf("the clock of a server of this machine shows %v, %v", now, err)
	}
}

// What one host says the others hear, once for many times, and not itself; after a lost connection
// they hear that something may have been lost.
func TestNoticesReachOtherHosts(t *testing.T) {
	t.Parallel()
	postgres.Database(t) // says if PostgreSQL is missing
	server, err := postgres.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	db := openURL(t, server.URL("postgres"))
	heard := map[string]chan string{}
	hosts := map[string]*sharing.Notices{}
	for _, name := range []string{"a", "b"} {
		n, err := sharing.NewNotices(db, name, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		hosts[name], heard[name] = n, make(chan string, 1000)
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { ended <- n.Run(ctx, func(text string) { heard[name] <- text }) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %v", err)
			}
		})
		if first := <-heard[name]; first != "" {
			t.Errorf("%s hears %q first", name, first)
		}
	}
	for range 100 {
		hosts["a"].Send("call 1")
	}
	long := strings.Repeat("x", 3000)
	for i := range 10 {
		hosts["a"].Send(long + strconv.Itoa(i))
	}
	hosts["a"].Send("zz") // the last, in their order
	got := map[string]int{}
	for text := ""; text != "zz"; {
		text = <-heard["b"]
		got[text]++
	}
	if got["call 1"] == 0 || got["call 1"] > 50 || len(got) != 12 || len(heard["a"]) != 0 {
		t.Errorf("b has heard %d different notices, %d times the one that was sent 100 times; a has heard %d of its own", len(got), got["call 1"], len(heard["a"]))
	}
	server.Shutdown()
	if err := server.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := <-heard["b"]; text != "" {
		t.Errorf("after a restart of the server b hears %q", text)
	}
	<-heard["a"]
	hosts["b"].Send("call 2")
	if text := <-heard["a"]; text != "call 2" {
		t.Errorf("a hears %q", text)
	}
}
