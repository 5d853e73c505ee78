package sqldb_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

var ctx = context.Background()

var tables = fstest.MapFS{"00001_notes.sql": {Data: []byte("-- +goose Up\ncreate table notes (name text not null primary key, value bigint not null);\n")}}

func open(t testing.TB, path string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(ctx, "sqlite:"+path)
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

func openNotes(t testing.TB) *sqldb.DB {
	t.Helper()
	db := open(t, filepath.Join(t.TempDir(), "notes.db"))
	if err := db.Migrate(ctx, "notes", tables); err != nil {
		t.Fatal(err)
	}
	return db
}

func add(db *sqldb.DB, name string, value int) error {
	return db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, "insert into notes (name, value) values ($1, $2)", name, value)
		return err
	})
}

func count(t testing.TB, db *sqldb.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(ctx, "select count(*) from notes").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(file, []byte("this is no database, whatever else it may be, and it is long enough to tell"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url  string
		kind integration.Kind
	}{
		{"", integration.KindInvalid},
		{"/var/lib/x.db", integration.KindInvalid},
		{"mysql://u:s3cr3t@h/x", integration.KindInvalid},
		{"sqlite:", integration.KindInvalid},
		{"sqlite::memory:", integration.KindInvalid},
		{"postgres://u:s3cr3t@h:port/x", integration.KindInvalid},
		{"postgresql://u:s3cr3t@h/x?sslmode=perhaps", integration.KindInvalid},
		{"sqlite:" + file + "/below/a/file.db", integration.KindUnavailable},
		{"sqlite:" + filepath.Dir(file), integration.KindUnavailable},
		{"sqlite:" + file, integration.KindInternal},
	} {
		db, err := sqldb.Open(ctx, c.url)
		if err == nil {
			_ = db.Close()
			t.Errorf("Open(%q) succeeds", c.url)
			continue
		}
		if integration.KindOf(err) != c.kind {
			t.Errorf("Open(%q) = %v, want kind %s", c.url, err, c.kind)
		}
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), "s3cr3t") {
			t.Errorf("Open(%q) repeats the password: %v", c.url, err)
		}
	}
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "deep")
	path := filepath.Join(dir, "odd name %20?#é.db")
	db := open(t, path)
	if err := db.Migrate(ctx, "notes", tables); err != nil {
		t.Fatal(err)
	}
	if err := add(db, "a", 1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v, want %v", filepath.Base(name), got, want)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".writable*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // that is the case under test
		t.Fatal(err)
	}
	again := open(t, path)
	if n := count(t, again); n != 1 {
		t.Errorf("%d rows after opening again, want 1", n)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file that others could read is left so: %v %v", info.Mode(), err)
	}
}

func TestSettingsOfEveryConnection(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"}
	err := db.Write(ctx, func(tx sqldb.Tx) error {
		for name, v := range want {
			var got string
			if err := tx.QueryRowContext(ctx, "pragma "+name).Scan(&got); err != nil || got != v {
				t.Errorf("writer: %s = %q, want %q (%v)", name, got, v, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := db.Read().QueryContext(ctx, "insert into notes (name, value) values ('x', 1) returning name"); err == nil {
		for rows.Next() {
		}
		if rows.Err() == nil {
			t.Error("a reader can write")
		}
		_ = rows.Close()
	}
	if n := count(t, db); n != 0 {
		t.Errorf("a reader wrote %d rows", n)
	}
}

func TestViewIsOneState(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	err := db.Read().View(ctx, func(q sqldb.Queryer) error {
		var before, after int
		if err := q.QueryRowContext(ctx, "select count(*) from notes").Scan(&before); err != nil {
			return err
		}
		if err := add(db, "x", 1); err != nil {
			return err
		}
		if err := q.QueryRowContext(ctx, "select count(*) from notes").Scan(&after); err != nil {
			return err
		}
		if before != 0 || after != 0 {
			t.Errorf("the view saw %d, then %d rows", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows afterwards, want 1", n)
	}
}

func TestUseAfterClose(t *testing.T) {
	t.Parallel()
	db := openNotes(t)
	_ = count(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := add(db, "x", 1); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("write: %v", err)
	}
	if err := db.Read().View(ctx, func(sqldb.Queryer) error { return nil }); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("view: %v", err)
	}
	var n int
	if err := sqldb.Error("read", db.Read().QueryRowContext(ctx, "select 1").Scan(&n)); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("read: %v", err)
	}
	if err := db.Migrate(ctx, "notes", tables); integration.KindOf(err) != integration.KindUnavailable {
		t.Errorf("migrate: %v", err)
	}
	if _, err := os.Stat(db.Name() + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the log is not folded into the file: %v", err)
	}
}
