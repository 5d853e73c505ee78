package sqldb_test

import (
	"bytes"
	"context"
	"database/sql"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Not parallel: it looks at the default logger.
func TestAFolderThatOthersMayWriteIsReported(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	for mode, want := range map[os.FileMode]bool{
		0o700: false, 0o755: false, 0o777: true, 0o770: true,
		0o777 | os.ModeSticky: false, // others cannot exchange our file there
	} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		open(t, filepath.Join(dir, "x.db"))
		if got := strings.Contains(log.String(), dir); got != want {
			t.Errorf("mode %v: reported is %t, want %t: %s", mode, got, want, log.String())
		}
	}
}

func TestTheAddressMayHaveTwoSlashes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, "//"+path)
	if db.Name() != path {
		t.Errorf("sqlite://%s is the file %s", path, db.Name())
	}
}

func TestAMisspelledColumnIsAnError(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	if err := add(db, "a", 1); err != nil {
		t.Fatal(err)
	}
	// By default SQLite takes an unknown name in double quotes for a text.
	var got string
	if err := db.Read().QueryRowContext(ctx, `select "naem" from notes`).Scan(&got); err == nil {
		t.Errorf("an unknown column is read as %q", got)
	}
}

func TestAnEndedContextIsADeadline(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	err := db.Read().View(ended, func(sqldb.Queryer) error { return nil })
	if integration.KindOf(err) != integration.KindDeadline {
		t.Errorf("a view with an ended context: %v", err)
	}
	_, err = db.Read().QueryContext(ended, "select 1")
	if got := sqldb.Error("read", err); integration.KindOf(got) != integration.KindDeadline {
		t.Errorf("a query with an ended context: %v", got)
	}
}

func TestACommitThatFailsIsReportedToItsWriter(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, `create table replies (note text not null references notes (name) deferrable initially deferred)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(tx sqldb.Tx) error {
		// Fails only at the commit.
		_, err := tx.ExecContext(ctx, "insert into replies (note) values ('no such note')")
		return err
	})
	if err == nil {
		t.Error("a write that could not be committed succeeds")
	}
	if err := add(db, "after", 1); err != nil {
		t.Errorf("the next write: %v", err)
	}
	var n int
	if err := db.Read().QueryRowContext(ctx, "select count(*) from replies").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d replies of the failed write are there (%v)", n, err)
	}
}

func TestALockHeldByAnotherProcessIsUnavailable(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "pragma busy_timeout = 0") // do not wait in a test
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", db.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	conn, err := other.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "begin immediate"); err != nil {
		t.Fatal(err)
	}
	if err := add(db, "a", 1); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("a write while another process writes: %v", err)
	}
	if _, err := conn.ExecContext(ctx, "rollback"); err != nil {
		t.Fatal(err)
	}
	if err := add(db, "a", 1); err != nil {
		t.Errorf("a write after that: %v", err)
	}
}

// overtaken are migration files: when the first of them is read for the first time, another process
// migrates. Files are read by several goroutines.
type overtaken struct {
	fs.FS
	once  sync.Once
	other func()
}

func (o *overtaken) Open(name string) (fs.File, error) {
	if name == "00001_notes.sql" {
		o.once.Do(o.other)
	}
	return o.FS.Open(name)
}

func TestAMigrationOvertakenByAnotherProcessGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	db, other := open(t, path), open(t, path)
	first := fstest.MapFS{"00001_notes.sql": tables["00001_notes.sql"]}
	both := fstest.MapFS{
		"00001_notes.sql": tables["00001_notes.sql"],
		"00002_more.sql":  {Data: []byte("-- +goose Up\nalter table notes add column more text;\n")},
	}
	ran := false
	files := &overtaken{FS: both, other: func() {
		ran = true
		if err := other.Migrate(ctx, "notes", first); err != nil {
			t.Errorf("the other process: %v", err)
		}
	}}
	if err := db.Migrate(ctx, "notes", files); err != nil {
		t.Fatalf("the migration that was overtaken: %v", err)
	}
	if !ran {
		t.Fatal("the files were never read: this test shows nothing")
	}
	var n int
	if err := db.Read().QueryRowContext(ctx, "select count(more) from notes").Scan(&n); err != nil {
		t.Errorf("the second step is missing: %v", err)
	}
}
