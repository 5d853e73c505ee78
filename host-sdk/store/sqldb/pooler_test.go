package sqldb_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/sharing"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
	"github.com/livecallrouting/livecall/internal/testlog"
)

// startPooler starts a server and a PgBouncer before it.
func startPooler(t *testing.T, lines ...string) (*postgres.Server, *postgres.Pooler) {
	t.Helper()
	postgres.NeedPooler(t)
	server, err := postgres.Start(t.Context(), t.TempDir(), "shared_buffers=32MB")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	pooler, err := server.Pool(t.Context(), t.TempDir(), lines...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pooler.Kill)
	return server, pooler
}

// Through a PgBouncer in transaction mode hosts make the tables once, and no write is lost. With
// the server's own address they hear one another and hold their locks; without it they do neither,
// and say so.
func TestHostsBehindAPgBouncer(t *testing.T) {
	t.Parallel()
	server, pooler := startPooler(t, postgres.PoolerPasses)
	var hosts []*sqldb.DB
	for _, direct := range []string{server.URL("postgres"), server.URL("postgres"), ""} {
		db, err := sqldb.Open(t.Context(), pooler.URL("postgres"), sqldb.Direct(direct))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		hosts = append(hosts, db)
	}
	var all sync.WaitGroup
	for _, db := range hosts {
		all.Go(func() {
			if err := db.Migrate(t.Context(), "counter", counterTable); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	counters(t, hosts[0])
	const each = 30
	for _, db := range hosts {
		for range 2 {
			all.Go(func() {
				for range each {
					err := db.Write(t.Context(), func(tx sqldb.Tx) error {
						if err := tx.Lock(t.Context(), "counters"); err != nil {
							return err
						}
						var n int
						if err := tx.QueryRowContext(t.Context(), "select n from counter where name = $1", "a").Scan(&n); err != nil {
							return err
						}
						_, err := tx.ExecContext(t.Context(), "update counter set n = $1 where name = 'a'", n+1)
						return err
					})
					if err != nil {
						t.Error(err)
					}
					if err := hosts[0].Read().QueryRowContext(t.Context(), "select count(*) from counter where name = $1", "b").Scan(new(int)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if n := countOf(t, hosts[2].Read(), "a"); n != 6*each {
		t.Errorf("%d writers counted to %d", 6*each, n)
	}

	var logs [3]testlog.Buffer
	var locks []hostLock
	var said []*sharing.Notices
	heard := make([]chan string, len(hosts))
	for i, db := range hosts {
		id, log := []string{"one", "two", "pooled"}[i], slog.New(slog.NewTextHandler(&logs[i], nil))
		locks = append(locks, startLock(t, db, id, log))
		n, err := sharing.NewNotices(db, id, log)
		if err != nil {
			t.Fatal(err)
		}
		said, heard[i] = append(said, n), make(chan string, 100)
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = n.Run(ctx, func(notice string) { heard[i] <- notice }) })
		t.Cleanup(func() { cancel(); running.Wait() })
		if first := <-heard[i]; first != "" {
			t.Errorf("%s hears %q first", id, first)
		}
	}
	said[0].Send("of one")
	said[2].Send("of the pooled one")
	got := map[string]bool{<-heard[1]: true, <-heard[1]: true}
	if !got["of one"] || !got["of the pooled one"] || len(heard[2]) > 0 {
		t.Errorf("the second host has heard %v, that behind the pooler %d notices", got, len(heard[2]))
	}
	waits(t, "who has the server's address holds its lock", func() bool { return locks[0].Held() && locks[1].Held() })
	waits(t, "who has not says so", func() bool {
		return strings.Contains(logs[2].String(), "no notices of others") && strings.Contains(logs[2].String(), "SWITCHBOARD_DATABASE_DIRECT_URL")
	})
	if locks[2].Held() || strings.Contains(logs[0].String()+logs[1].String(), "pooler") {
		t.Errorf("the host behind the pooler holds its lock: %v; the others say\n%s%s", locks[2].Held(), &logs[0], &logs[1])
	}
}

// A PgBouncer that refuses what a host sets when connecting is not waited for: the error says what
// to do.
func TestAPgBouncerMustBeToldOfTheLimits(t *testing.T) {
	t.Parallel()
	_, pooler := startPooler(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := sqldb.Open(ctx, pooler.URL("postgres"))
	if integration.KindOf(err) != integration.KindInvalid || !strings.Contains(err.Error(), postgres.PoolerPasses) {
		t.Errorf("a pooler that refuses limits: %v", err)
	}
}
