package sqlstore_test

import (
	"context"
	"math/bits"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/plantest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/host-sdk/store/storetest"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

var secretKey = strings.Repeat("0123456789abcdef", 4)

// template has our tables, and so has onServer, on PostgreSQL.
var (
	template = filetest.New(sqlstore.Migrate)
	onServer = postgres.NewTemplate(template.Fill)
)

func open(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	s, err := tryURL(template.At(t, path), secretKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.Ping(context.Background()) == nil { // it is open: some tests close it themselves
			plantest.Check(t, s.DB())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func tryOpen(path, secret string) (*sqlstore.Store, error) { return tryURL("sqlite:"+path, secret) }

func tryURL(url, secret string) (*sqlstore.Store, error) {
	key, err := seal.ParseKey(secret)
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(context.Background(), url)
	if err != nil {
		return nil, err
	}
	s, err := sqlstore.New(context.Background(), db, key, clock.System())
	if err != nil {
		_ = db.Close()
	}
	return s, err
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Test(t, func(t *testing.T) (store.Store, func() store.Store) {
		path := filepath.Join(t.TempDir(), "store.db")
		s := open(t, path)
		return s, func() store.Store {
			plantest.Check(t, s.DB())
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = open(t, path)
			return s
		}
	})
}

// TestConformanceOnAServer is the suite on PostgreSQL, where each function of a transaction runs
// twice.
func TestConformanceOnAServer(t *testing.T) {
	t.Parallel()
	conformOnAServer(t, onServer.Database)
}

// TestConformanceBehindAPgBouncer is that suite through a PgBouncer in transaction mode, without
// the server's own address.
func TestConformanceBehindAPgBouncer(t *testing.T) {
	t.Parallel()
	postgres.NeedPooler(t)
	conformOnAServer(t, func(t testing.TB) string { return postgres.Pooled(t, onServer.Database(t)) })
}

func conformOnAServer(t *testing.T, database func(testing.TB) string) {
	t.Helper()
	storetest.Test(t, func(t *testing.T) (store.Store, func() store.Store) {
		url := database(t)
		open := func() *sqlstore.Store {
			s, err := tryURL(url, secretKey)
			if err != nil {
				t.Fatal(err)
			}
			s.DB().Twice()
			return s
		}
		s := open()
		t.Cleanup(func() {
			plantest.Check(t, s.DB())
			_ = s.Close()
		})
		return s, func() store.Store {
			plantest.Check(t, s.DB())
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s = open()
			return s
		}
	})
}

// TestConformanceWithTransactionsRunTwice is the suite on SQLite with functions that run twice.
func TestConformanceWithTransactionsRunTwice(t *testing.T) {
	t.Parallel()
	storetest.Test(t, func(t *testing.T) (store.Store, func() store.Store) {
		s := open(t, filepath.Join(t.TempDir(), "store.db"))
		s.DB().Twice()
		return s, nil
	})
}

// Every way to narrow the lists of sessions and calls has an index.
func TestEveryListOfSessionsAndCallsHasAnIndex(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "store.db")).ForPages()
	for bits := range 32 {
		var f store.SessionFilter
		if bits&1 != 0 {
			f.Integration = "int_1"
		}
		f.LiveOnly, f.CallsOnly = bits&2 != 0, bits&4 != 0
		if bits&8 != 0 {
			f.From = "+12025550143"
		}
		if bits&16 != 0 {
			f.Since = time.Now()
		}
		if _, err := s.ListSessions(t.Context(), f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if _, err := s.DeleteExpired(t.Context(), time.Now()); err != nil {
		t.Error(err)
	}
	for set := range 1 << 11 {
		if bits.OnesCount(uint(set)) > 3 {
			continue // pairs and threes say enough, in a tenth of the time
		}
		var f store.CallFilter
		for i, narrow := range []func(){
			func() { f.Integration = "int_1" }, func() { f.Team = "devops" }, func() { f.From = "+12025550143" }, func() { f.Ended = "hung_up" },
			func() { f.Since = time.Now() }, func() { f.LiveOnly = true }, func() { f.OverOnly = true }, func() { f.After = "1.1" },
			func() { f.Until = time.Now() }, func() { f.Unheard = true }, func() { f.Alerts = true },
		} {
			if set&(1<<i) != 0 {
				narrow()
			}
		}
		if _, _, err := s.ListCalls(t.Context(), f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if _, _, err := s.ListCalls(t.Context(), store.CallFilter{Text: "x"}); err != nil {
		t.Error(err)
	}
	if _, err := s.CallsByAlert(t.Context(), "int_1", []string{"CA1"}); err != nil {
		t.Error(err)
	}
	// The statements are looked at when the store is closed.
}
