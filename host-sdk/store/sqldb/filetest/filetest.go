// Package filetest gives tests SQLite databases whose tables exist already. To make the tables
// costs several times as much as all that a small test does with them, and ten times that under the
// race detector.
package filetest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Template is a database with tables and without rows, which is made once per test binary. It may
// be used by several tests at once.
type Template struct {
	migrate []func(context.Context, *sqldb.DB) error
	once    sync.Once
	content []byte
	err     error
}

// New returns a template with the tables that these functions make. Nothing is made before it is
// needed.
func New(migrate ...func(context.Context, *sqldb.DB) error) *Template {
	return &Template{migrate: migrate}
}

// At makes a copy at path, unless there is a database already, and returns its address for
// sqldb.Open.
func (t *Template) At(tb testing.TB, path string) string {
	tb.Helper()
	t.once.Do(t.make)
	if t.err != nil {
		tb.Fatal(t.err)
	}
	if _, err := os.Stat(path); os.IsNotExist(err) {
		if err := os.WriteFile(path, t.content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return "sqlite:" + path
}

// Open opens the database at path, which is made by [Template.At], and closes it when the test has
// ended.
func (t *Template) Open(tb testing.TB, path string) *sqldb.DB {
	tb.Helper()
	db, err := sqldb.Open(context.Background(), t.At(tb, path))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Errorf("close the database: %v", err)
		}
	})
	return db
}

// make makes the database and reads it into memory; its error is for every test that asks.
func (t *Template) make() {
	dir, err := os.MkdirTemp("", "template-")
	if err != nil {
		t.err = err
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "template.db")
	if t.err = t.Fill("sqlite:" + path); t.err == nil {
		t.content, t.err = os.ReadFile(path)
	}
}

// Fill makes the tables in the database at url, such as one on a server. What is in the write-ahead
// log is in the file once the database is closed.
func (t *Template) Fill(url string) error {
	ctx := context.Background()
	db, err := sqldb.Open(ctx, url)
	if err != nil {
		return err
	}
	for _, migrate := range t.migrate {
		if err = migrate(ctx, db); err != nil {
			break
		}
	}
	if closed := db.Close(); err == nil {
		err = closed
	}
	return err
}
