package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/datadir"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/settings"
	"github.com/livecallrouting/livecall/host-sdk/store"
	"github.com/livecallrouting/livecall/host-sdk/store/seal"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
	"github.com/livecallrouting/livecall/host-sdk/store/sqlstore"
	"github.com/livecallrouting/livecall/integration-tests/postgres"
)

// dataDir is a data directory with a database in which each table of the program has rows.
func dataDir(t *testing.T) settings.Settings {
	t.Helper()
	s := settings.Settings{DataDir: t.TempDir(), Clock: clock.System()}
	kept := s
	if err := kept.KeepSecrets(); err != nil {
		t.Fatal(err)
	}
	db := begin(t, kept, datadir.DatabaseURL(s))
	if err := migrateAll(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	for table, columns := range tablesOf(t, db) {
		fill(t, db, table, columns)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return s
}

// begin opens a store and writes a sealed setting and a medium into it.
func begin(t *testing.T, s settings.Settings, url string) *sqldb.DB {
	t.Helper()
	kept, db := openStore(t, s, url)
	if _, err := kept.InitSetting(t.Context(), "sealed", "a secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.PutMedium(t.Context(), medium()); err != nil {
		t.Fatal(err)
	}
	return db
}

// openStore opens a store at url with the key of the settings.
func openStore(t *testing.T, s settings.Settings, url string) (*sqlstore.Store, *sqldb.DB) {
	t.Helper()
	key, err := seal.ParseKey(s.SecretKey.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	kept, err := sqlstore.New(t.Context(), db, key, s.Clock)
	if err != nil {
		t.Fatal(err)
	}
	return kept, db
}

func medium() store.Medium {
	m := store.Medium{Data: []byte(strings.Repeat("RIFF\x00\xff", 200_000))}
	m.Name, m.ContentType = "m.wav", "audio/wav"
	return m
}

// tablesOf are the columns of all tables with their types, of SQLite.
func tablesOf(t *testing.T, db *sqldb.DB) map[string][][2]string {
	t.Helper()
	rows, err := db.Read().QueryContext(t.Context(), "select t.name, c.name, c.type from sqlite_master t, pragma_table_info(t.name) c where t.type = 'table' and t.name not like 'sqlite%'")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	tables := map[string][][2]string{}
	for rows.Next() {
		var table string
		var column [2]string
		if err := rows.Scan(&table, &column[0], &column[1]); err != nil {
			t.Fatal(err)
		}
		tables[table] = append(tables[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for table := range tables {
		if strings.HasSuffix(table, "_version") || table == "schema_releases" { // of the migrations
			delete(tables, table)
		}
	}
	return tables
}

// fill puts three rows into a table, whatever its columns mean.
func fill(t *testing.T, db *sqldb.DB, table string, columns [][2]string) {
	t.Helper()
	for n := int64(1); n <= 3; n++ {
		var names, places []string
		var values []any
		for i, c := range columns {
			names, places = append(names, `"`+c[0]+`"`), append(places, fmt.Sprintf("$%d", i+1))
			switch c[1] {
			case "TEXT", "text":
				values = append(values, fmt.Sprintf("%s %d ü", c[0], n))
			case "BLOB", "blob":
				values = append(values, []byte{0, byte(n), 255})
			default:
				values = append(values, 1000+n)
			}
		}
		text := fmt.Sprintf("insert into %s (%s) values (%s)", table, strings.Join(names, ", "), strings.Join(places, ", "))
		if err := db.Write(t.Context(), func(tx sqldb.Tx) error { _, err := tx.ExecContext(t.Context(), text, values...); return err }); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
}

// tablesInMigrations are the names of all tables that some migration of the host makes.
func tablesInMigrations(t *testing.T) (names []string) {
	t.Helper()
	made := regexp.MustCompile(`(?m)^create table ([a-z_]+)`)
	root := os.DirFS(filepath.Join("..", "..", "..", ".."))
	err := fs.WalkDir(root, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(path, "/migrations/") || filepath.Ext(path) != ".sql" {
			return err
		}
		text, err := fs.ReadFile(root, path)
		for _, m := range made.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		return err
	})
	if err != nil || len(names) < 10 {
		t.Fatalf("only the tables %v were found: %v", names, err)
	}
	return names
}

// TestCopyDatabaseForgetsNoTable copies a database in which each table of each migration has rows.
func TestCopyDatabaseForgetsNoTable(t *testing.T) {
	t.Parallel()
	url := postgres.Database(t)
	s := dataDir(t)
	copied := map[string]sqldb.Copied{}
	if _, err := Copy(t.Context(), s, settings.Secret(url), func(c sqldb.Copied) { copied[c.Table] = c }); err != nil {
		t.Fatal(err)
	}
	names := tablesInMigrations(t)
	for _, name := range names {
		if copied[name].Rows < 3 {
			t.Errorf("table %s: %d rows were copied, want 3 or more", name, copied[name].Rows)
		}
	}
	for name := range copied {
		if !slices.Contains(names, name) {
			t.Errorf("table %s is in no migration", name)
		}
	}
	// The store opens with the same key, and finds what was sealed and what is large.
	if err := s.KeepSecrets(); err != nil {
		t.Fatal(err)
	}
	kept, _ := openStore(t, s, url)
	if value, err := kept.Setting(t.Context(), "sealed"); value != "a secret" {
		t.Errorf("the sealed setting is %q (%v)", value, err)
	}
	sum := sha256.Sum256(medium().Data)
	if m, err := kept.Medium(t.Context(), "media:"+hex.EncodeToString(sum[:])); err != nil || string(m.Data) != string(medium().Data) {
		t.Errorf("the medium has %d bytes (%v)", len(m.Data), err)
	}
}

func TestCopyDatabaseRefuses(t *testing.T) {
	t.Parallel()
	const password = "canary-password"
	for name, c := range map[string]struct {
		prepare func(t *testing.T, s *settings.Settings) (target string)
		says    []string
	}{
		"no database": {func(t *testing.T, s *settings.Settings) string {
			s.DataDir = t.TempDir()
			return postgres.Database(t)
		}, []string{"contains no database switchboard.db", "--data-dir"}},
		"a host that runs": {func(t *testing.T, s *settings.Settings) string {
			release, err := datadir.Lock(s.DataDir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(release)
			return postgres.Database(t)
		}, []string{"another switchboard", "is using it", "stop that one"}},
		"another key": {func(t *testing.T, s *settings.Settings) string {
			s.SecretKey = settings.Secret(seal.NewKey())
			return postgres.Database(t)
		}, []string{"SWITCHBOARD_SECRET_KEY"}},
		"a lost key": {func(t *testing.T, s *settings.Settings) string {
			if err := os.Remove(filepath.Join(s.DataDir, settings.SecretKeyFile)); err != nil {
				t.Fatal(err)
			}
			return postgres.Database(t)
		}, []string{"secret-key holds no key", "SWITCHBOARD_SECRET_KEY"}},
		"a malformed address": {func(*testing.T, *settings.Settings) string {
			return "postgres://u:" + password + "@127.0.0.1/x?sslmode=perhaps"
		}, []string{"database URL: cannot be read"}},
		"a target that a host has used": {func(t *testing.T, s *settings.Settings) string {
			url := postgres.Database(t)
			used := *s
			used.SecretKey = settings.Secret(seal.NewKey())
			begin(t, used, url)
			return url
		}, []string{"is not empty", "media, meta, settings", "make an empty database"}},
		"a newer target": {func(t *testing.T, _ *settings.Settings) string {
			url := postgres.Database(t)
			db, err := sqldb.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			if err := migrateAll(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			newer(t, db)
			return url
		}, []string{"run the newer program"}},
		"a newer source": {func(t *testing.T, s *settings.Settings) string {
			db, err := sqldb.Open(t.Context(), datadir.DatabaseURL(*s))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			newer(t, db)
			return postgres.Database(t)
		}, []string{"switchboard.db", "run the newer program"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dataDir(t)
			target := c.prepare(t, &s)
			_, err := Copy(t.Context(), s, settings.Secret(target), func(c sqldb.Copied) { t.Errorf("%s was copied", c.Table) })
			if err == nil {
				t.Fatal("it was not refused")
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q is not said: %v", words, err)
				}
			}
			if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error holds a secret or several lines: %v", err)
			}
		})
	}
}

// newer makes a database look as if a later release had migrated it.
func newer(t *testing.T, db *sqldb.DB) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(context.Background(), "insert into store_version (version_id, is_applied) values (9000, $1)", true)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
