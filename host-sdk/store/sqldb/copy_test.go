package sqldb_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Tables as components have them: ids that count, bytes, a column that may be empty, names that are
// words of SQL.
var copiedTables = fstest.MapFS{"00001_things.sql": {Data: []byte(`-- +goose Up
create table things (
	id    integer primary key autoincrement,
	key   text   not null,
	data  blob   not null,
	until bigint
);
create table empty (
	name text not null primary key
);
`)}}

// sourceAndTarget are two databases with the same tables.
func sourceAndTarget(t *testing.T) (source, target *sqldb.DB) {
	t.Helper()
	source, target = openURL(t, "sqlite:"+filepath.Join(t.TempDir(), "source.db")), openServer(t)
	for _, db := range []*sqldb.DB{source, target} {
		if err := copiedComponents(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	return source, target
}

func copiedComponents(ctx context.Context, db *sqldb.DB) error {
	return db.Migrate(ctx, "things", copiedTables)
}

func copied(t *testing.T, source, target *sqldb.DB) (list []sqldb.Copied, err error) {
	t.Helper()
	err = sqldb.Copy(t.Context(), source, target, copiedComponents, func(c sqldb.Copied) { list = append(list, c) })
	return list, err
}

// things are the rows of the table.
func things(t *testing.T, db *sqldb.DB) (rows [][3]any) {
	t.Helper()
	list, err := db.Read().QueryContext(t.Context(), "select id, key, data, until from things order by id")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = list.Close() }()
	for list.Next() {
		var id int64
		var key string
		var data []byte
		var until *int64
		if err := list.Scan(&id, &key, &data, &until); err != nil {
			t.Fatal(err)
		}
		if until == nil {
			id = -id
		}
		rows = append(rows, [3]any{id, key, data})
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCopyKeepsEveryRowAndGoesOnCounting(t *testing.T) {
	t.Parallel()
	source, target := sourceAndTarget(t)
	large := bytes.Repeat([]byte{0, 1, 2, 255}, 1<<20)
	execute(t, source, "insert into things (key, data, until) values ('a', $1, 17), ('ü€😀', $2, null), ($3, $2, 1), ('last', $2, 2)", large, []byte{}, []byte("bytes in a text"))
	execute(t, source, "delete from things where key = 'last'")

	list, err := copied(t, source, target)
	if err != nil {
		t.Fatal(err)
	}
	want := [][3]any{{int64(1), "a", large}, {int64(-2), "ü€😀", []byte{}}, {int64(3), "bytes in a text", []byte{}}}
	// Compared as a whole: byte by byte it would take seconds.
	if diff := cmp.Diff(want, things(t, target), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("the copy (-want +got):\n%.2000s", diff)
	}
	if len(list) != 2 || list[0].Table != "empty" || list[0].Rows != 0 || list[1].Table != "things" || list[1].Rows != 3 || list[1].Bytes < int64(len(large)) || list[1].Replaced != 0 {
		t.Errorf("the report: %+v", list)
	}
	execute(t, target, "insert into things (key, data, until) values ('next', $1, 0)", []byte("x"))
	// 4 was given to a row that is gone: whoever still names it must not meet another.
	if rows := things(t, target); rows[len(rows)-1][0] != int64(5) {
		t.Errorf("the next id: %v, want 5", rows[len(rows)-1][0])
	}
}

func TestCopyReplacesWhatPostgreSQLCannotStore(t *testing.T) {
	t.Parallel()
	source, target := sourceAndTarget(t)
	execute(t, source, "insert into things (key, data, until) values ($1, $2, 1), ('good', $2, 2)", "a\x00b\xffc", []byte("a\x00\xff"))
	list, err := copied(t, source, target)
	if err != nil {
		t.Fatal(err)
	}
	want := [][3]any{{int64(1), "a\uFFFDb\uFFFDc", []byte("a\x00\xff")}, {int64(2), "good", []byte("a\x00\xff")}}
	if diff := cmp.Diff(want, things(t, target)); diff != "" {
		t.Errorf("the copy (-want +got):\n%s", diff)
	}
	if list[1].Replaced != 1 {
		t.Errorf("%d texts are said to be changed, want 1", list[1].Replaced)
	}
}

// Each case spoils something; the target keeps what it had.
func TestCopyThatIsNotRightLeavesTheTargetAsItWas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, source, target *sqldb.DB)
		kind  integration.Kind
		says  string
		rows  int
	}{
		"rows differ": {func(t *testing.T, _, target *sqldb.DB) {
			execute(t, target, "create function spoil() returns trigger language plpgsql as $$ begin new.key = upper(new.key); return new; end $$")
			execute(t, target, "create trigger spoil before insert on things for each row execute function spoil()")
		}, integration.KindInternal, "the rows differ", 0},
		"rows are missing": {func(t *testing.T, _, target *sqldb.DB) {
			execute(t, target, "create function spoil() returns trigger language plpgsql as $$ begin return null; end $$")
			execute(t, target, "create trigger spoil before insert on things for each row when (new.id = 2) execute function spoil()")
		}, integration.KindInternal, "the rows differ", 0},
		"rows are there": {func(t *testing.T, _, target *sqldb.DB) {
			execute(t, target, "insert into things (key, data) values ('theirs', $1)", []byte{})
		}, integration.KindConflict, "has rows in things", 1},
		"a wrong type": {func(t *testing.T, source, _ *sqldb.DB) {
			execute(t, source, "insert into things (key, data, until) values ('b', $1, 'tomorrow')", []byte{})
		}, integration.KindInternal, "things.until is bigint", 0},
		"a table of its own": {func(t *testing.T, source, _ *sqldb.DB) {
			execute(t, source, "create table forgotten (n bigint)")
		}, integration.KindInternal, "forgotten.n", 0},
		"a column of its own": {func(t *testing.T, source, _ *sqldb.DB) {
			execute(t, source, "alter table things add column more text")
		}, integration.KindInternal, "things.more", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := sourceAndTarget(t)
			execute(t, source, "insert into things (key, data, until) values ('a', $1, 1), ('b', $1, 2)", []byte("x"))
			c.spoil(t, source, target)
			_, err := copied(t, source, target)
			if integration.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v, want %s with %q", err, c.kind, c.says)
			}
			if got := len(things(t, target)); got != c.rows {
				t.Errorf("the target has %d rows, want %d", got, c.rows)
			}
		})
	}
}

// Whoever opens the database during the copy must not take it for an empty one.
func TestNobodySeesHalfACopy(t *testing.T) {
	t.Parallel()
	source, target := sourceAndTarget(t)
	execute(t, source, "insert into things (key, data, until) values ('a', $1, 1)", []byte("x"))
	count := func(ctx context.Context) (n int, err error) {
		err = target.Read().QueryRowContext(ctx, "select count(*) from things").Scan(&n)
		return n, err
	}
	err := sqldb.Copy(t.Context(), source, target, copiedComponents, func(c sqldb.Copied) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if n, err := count(ctx); err == nil {
			t.Errorf("after table %s, somebody else reads %d things", c.Table, n)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := count(t.Context()); n != 1 || err != nil {
		t.Errorf("after the copy there are %d things (%v)", n, err)
	}
}

// A copy that is cut off in the middle leaves nothing, and can be begun anew.
func TestCopyThatIsInterruptedIsBegunAnew(t *testing.T) {
	t.Parallel()
	source, target := sourceAndTarget(t)
	execute(t, source, "insert into things (key, data, until) values ('a', $1, 1)", []byte("x"))
	ctx, cancel := context.WithCancel(t.Context())
	if err := sqldb.Copy(ctx, source, target, copiedComponents, func(sqldb.Copied) { cancel() }); err == nil {
		t.Fatal("the copy was not interrupted")
	}
	if rows := things(t, target); len(rows) != 0 {
		t.Errorf("rows are left: %v", rows)
	}
	if _, err := copied(t, source, target); err != nil {
		t.Fatal(err)
	}
	if rows := things(t, target); len(rows) != 1 {
		t.Errorf("the second copy: %v", rows)
	}
	if _, err := copied(t, target, source); integration.KindOf(err) != integration.KindUnsupported {
		t.Errorf("from PostgreSQL to SQLite: %v", err)
	}
}

// A database that an older program uses is left alone, its tables too.
func TestCopyDoesNotMigrateADatabaseInUse(t *testing.T) {
	t.Parallel()
	source, target := sourceAndTarget(t)
	execute(t, target, "insert into empty (name) values ('theirs')")
	err := sqldb.Copy(t.Context(), source, target, func(context.Context, *sqldb.DB) error {
		t.Error("the target was migrated")
		return nil
	}, func(sqldb.Copied) {})
	if integration.KindOf(err) != integration.KindConflict {
		t.Errorf("a target with rows: %v", err)
	}
}
