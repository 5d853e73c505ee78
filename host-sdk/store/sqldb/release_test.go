package sqldb_test

import (
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// TestAHostAcceptsTablesOfTheNextReleaseAlone opens the tables of one release with the programs of
// others: hosts of two releases share them while they are rolled out, those of three do not.
func TestAHostAcceptsTablesOfTheNextReleaseAlone(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *sqldb.DB{
		"SQLite":     func(t *testing.T) *sqldb.DB { t.Helper(); return open(t, filepath.Join(t.TempDir(), "x.db")) },
		"PostgreSQL": openServer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			first := fstest.MapFS{"00001_counter.sql": counterTable["00001_counter.sql"]}
			second := fstest.MapFS{"00001_counter.sql": counterTable["00001_counter.sql"],
				"00002_more.sql": {Data: []byte("-- +goose Up\nalter table counter add column more bigint not null default 0;\n")}}
			migrate := func(release int64, files fstest.MapFS) integration.Kind {
				db.Of(release)
				return integration.KindOf(db.Migrate(t.Context(), "counter", files))
			}
			for i, step := range []struct {
				release int64
				files   fstest.MapFS
				want    integration.Kind
			}{
				{5, first, ""},
				{7, second, ""},
				{6, first, ""},
				{5, first, integration.KindUnsupported},
				{8, second, ""}, // which changes no tables, so that they stay of release 7
				{6, first, ""},
			} {
				if got := migrate(step.release, step.files); got != step.want {
					t.Errorf("step %d: a program of release %d with %d migrations: got %q, want %q", i+1, step.release, len(step.files), got, step.want)
				}
			}
			// A database of which nobody said to which release its tables belong is newer than is
			// known.
			execute(t, db, "delete from schema_releases")
			if got := migrate(6, first); got != integration.KindUnsupported {
				t.Errorf("without a release: got %q, want unsupported", got)
			}
		})
	}
}
