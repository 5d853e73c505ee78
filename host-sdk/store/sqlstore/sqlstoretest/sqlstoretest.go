// Package sqlstoretest gives tests a store of their own.
package sqlstoretest

import (
	"path/filepath"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb/filetest"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
)

var template = filetest.New(sqlstore.Migrate)

// Open returns an empty store in a file of SQLite. It is closed when the test has ended.
func Open(tb testing.TB, clk clock.Clock) *sqlstore.Store {
	tb.Helper()
	return On(tb, template.Open(tb, filepath.Join(tb.TempDir(), "store.db")), clk)
}

// On returns the store in a database, whose secrets are sealed with a key that nobody else has.
func On(tb testing.TB, db *sqldb.DB, clk clock.Clock) *sqlstore.Store {
	tb.Helper()
	key, err := seal.ParseKey(seal.NewKey())
	if err != nil {
		tb.Fatal(err)
	}
	s, err := sqlstore.New(tb.Context(), db, key, clk)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
