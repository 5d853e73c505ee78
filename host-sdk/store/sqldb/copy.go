package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Copied is what [Copy] has copied of a table and found again. Both sides can be compared by hand
// with it.
type Copied struct {
	Table    string
	Rows     int64
	Bytes    int64  // of all values; a number has eight
	Checksum string // of all rows, whatever their order
	Replaced int64  // texts in which characters were replaced that PostgreSQL cannot store
}

// copyLockTime is how long Copy waits for those who have the target's tables locked.
const copyLockTime = 10 * time.Second

// Copy copies the rows of all tables of a SQLite database into an empty PostgreSQL database, in
// which migrate, called once the target is known to be empty, makes the same tables. Tables and
// columns are those of the catalogue, whoever made them. What was sealed stays as it is. Ids that
// count go on after the highest one ever given. Memory is bounded by the largest row, not by the
// database.
//
// All of it is one transaction, which nobody sees before its end. It has the target's tables
// locked, so that a host that starts meanwhile waits, and finds everything or nothing. Every table
// is read back and compared by count and checksum before the commit: a difference is internal, rows
// in the target are a conflict, and after any error the target has no rows of the copy. The caller
// sees to it that nobody writes to the source. done is called for each table, once it is compared.
func Copy(ctx context.Context, from, to *DB, migrate func(context.Context, *DB) error, done func(Copied)) error {
	_, lite := from.base.(*lite)
	target, ok := to.base.(*server)
	if !lite || !ok {
		return integration.Errorf(integration.KindUnsupported, "copy from %s to %s: only from SQLite to PostgreSQL", from.dialect.Name, to.dialect.Name)
	}
	// One statement here may take as long as the largest table.
	config := target.unlimited()
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(copyLockTime.Milliseconds())
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Error("copy to "+to.Name(), err)
	}
	// Also when ctx has ended: the server should not have to notice it.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var tables []copyTable
	// One view for all tables, so that they are of one moment.
	err = from.Pages().View(ctx, func(q Queryer) error {
		source, err := sourceTables(ctx, q)
		if err != nil {
			return err
		}
		// An older program may be at work there: its tables must not be changed.
		if err := refuseRows(ctx, conn, source, to.Name()); err != nil {
			return err
		}
		if err := migrate(ctx, to); err != nil {
			return err
		}
		// It looks for rows once more, now with the tables locked.
		tables, err = copyAll(ctx, q, conn, source, to.Name(), done)
		return err
	})
	if err != nil {
		return Error("copy to "+to.Name(), err)
	}
	// Else the server guesses how large the tables are until it looks by itself.
	for _, t := range tables {
		_, _ = conn.Exec(ctx, "analyze "+t.sql())
	}
	return nil
}

// copyAll is the transaction of [Copy]. An error leaves nothing behind, unless the commit itself
// was cut off.
func copyAll(ctx context.Context, from Queryer, conn *pgx.Conn, source []copyTable, target string, done func(Copied)) (tables []copyTable, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	// After a commit, nothing; of a lost connection, the server's own.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if tables, err = matched(ctx, tx, source); err != nil {
		return nil, err
	}
	var all []string
	for _, t := range tables {
		all = append(all, t.sql())
	}
	// Exclusive: a host that starts waits with its first statement.
	if _, err := tx.Exec(ctx, "lock table "+strings.Join(all, ", ")+" in access exclusive mode"); err != nil {
		return nil, err
	}
	if err := refuseRows(ctx, tx, tables, target); err != nil {
		return nil, err
	}
	for _, t := range tables {
		c, err := t.copy(ctx, from, tx)
		if err != nil {
			return nil, Error("table "+t.name, err)
		}
		done(c)
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, integration.Errorf(integration.KindUnavailable, "the connection was lost at the end, and whether the copy is complete is not known: copy again, which is refused if it is: %w", err)
	}
	return tables, nil
}

// copyTable is a table that both databases have. Names come from the databases' catalogues and are
// quoted all the same.
type copyTable struct {
	name    string
	columns []copyColumn
}

// copyColumn is a column, with its type in PostgreSQL.
type copyColumn struct {
	name, kind string
	counts     bool // its values are given by the database
}

func (t copyTable) sql() string { return pgx.Identifier{t.name}.Sanitize() }

// names are the columns' names in an SQL list, which both databases read in the same way.
func (t copyTable) names() string {
	quoted := make([]string, len(t.columns))
	for i, c := range t.columns {
		quoted[i] = pgx.Identifier{c.name}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}

// sourceTables are the tables of SQLite, with the names of their columns. Tables of SQLite itself
// and those that count migrations are left out: migrate has made the latter.
func sourceTables(ctx context.Context, from Queryer) ([]copyTable, error) {
	rows, err := from.QueryContext(ctx, `select t.name, c.name from sqlite_master t, pragma_table_info(t.name) c
		where t.type = 'table' and t.name not like 'sqlite\_%' escape '\' order by t.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var tables []copyTable
	for rows.Next() {
		var table string
		var c copyColumn
		if err := rows.Scan(&table, &c.name); err != nil {
			return nil, err
		}
		if n := len(tables); n == 0 || tables[n-1].name != table {
			tables = append(tables, copyTable{name: table})
		}
		last := &tables[len(tables)-1]
		last.columns = append(last.columns, c)
	}
	return slices.DeleteFunc(tables, copyTable.countsMigrations), rows.Err()
}

// countsMigrations reports whether goose made the table, or it says of which release the tables
// are. It goes by the columns, as each component names its own table.
func (t copyTable) countsMigrations() bool {
	has := func(name string) bool {
		return slices.ContainsFunc(t.columns, func(c copyColumn) bool { return c.name == name })
	}
	return t.name == releasesTable || has("version_id") && has("is_applied")
}

// matched are the tables with the types that their columns have in the target, which must have the
// same. A difference is internal: migrate has just made the tables.
func matched(ctx context.Context, to pgx.Tx, source []copyTable) ([]copyTable, error) {
	there, err := targetColumns(ctx, to)
	if err != nil {
		return nil, err
	}
	var tables []copyTable
	for _, s := range source {
		t := copyTable{name: s.name}
		for _, column := range s.columns {
			c, ok := there[s.name][column.name]
			if !ok {
				return nil, integration.Errorf(integration.KindInternal, "the target has no column %s.%s: was it migrated by this program?", s.name, column.name)
			}
			t.columns = append(t.columns, c)
		}
		if len(there[t.name]) != len(t.columns) {
			return nil, integration.Errorf(integration.KindInternal, "table %s has %d columns in the target and %d in the source", t.name, len(there[t.name]), len(t.columns))
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// targetColumns are the columns of the target's tables, by table and name. In the schema that the
// connection uses, which an address may choose.
func targetColumns(ctx context.Context, to pgxQueryer) (map[string]map[string]copyColumn, error) {
	rows, err := to.Query(ctx, `select table_name::text, column_name::text, data_type::text, is_identity = 'YES'
		from information_schema.columns where table_schema = current_schema()`)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]copyColumn{}
	var table string
	var c copyColumn
	_, err = pgx.ForEachRow(rows, []any{&table, &c.name, &c.kind, &c.counts}, func() error {
		if out[table] == nil {
			out[table] = map[string]copyColumn{}
		}
		out[table][c.name] = c
		return nil
	})
	return out, err
}

// pgxQueryer is a connection or a transaction.
type pgxQueryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// refuseRows refuses a target of which one of these tables is there and has rows. A table that is
// missing is as good as an empty one.
func refuseRows(ctx context.Context, to pgxQueryer, tables []copyTable, target string) error {
	there, err := targetColumns(ctx, to)
	if err != nil {
		return err
	}
	var full []string
	for _, t := range tables {
		if there[t.name] == nil {
			continue
		}
		var has bool
		// The first row is enough: a count would read all of it.
		if err := to.QueryRow(ctx, "select exists (select 1 from "+t.sql()+")").Scan(&has); err != nil {
			return err
		}
		if has {
			full = append(full, t.name)
		}
	}
	if len(full) == 0 {
		return nil
	}
	return integration.Errorf(integration.KindConflict, "the database %s is not empty: it has rows in %s, of a switchboard that uses it or of a copy that is complete; make an empty database and copy into that",
		target, strings.Join(full, ", "))
}

// copy copies the rows of a table, compares them, and lets its ids go on after them. In that order,
// within the caller's transaction.
func (t copyTable) copy(ctx context.Context, from Queryer, to pgx.Tx) (Copied, error) {
	rows, err := from.QueryContext(ctx, "select "+t.names()+" from "+t.sql())
	if err != nil {
		return Copied{}, err
	}
	defer func() { _ = rows.Close() }()
	source := &copyRows{table: t, rows: rows}
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	if _, err := to.CopyFrom(ctx, pgx.Identifier{t.name}, names, source); err != nil {
		if source.err != nil { // which the server's answer repeats as its own
			err = source.err
		}
		return Copied{}, err
	}
	_ = rows.Close()
	if err := t.compare(ctx, from, to, source.sum); err != nil {
		return Copied{}, err
	}
	for _, c := range t.columns {
		if err := t.continueIDs(ctx, c, from, to); err != nil {
			return Copied{}, err
		}
	}
	return Copied{Table: t.name, Rows: source.sum.rows, Bytes: source.sum.bytes, Checksum: source.sum.String(), Replaced: source.replaced}, nil
}

// compare counts the source's rows anew, and reads the target's. The count finds rows that the
// reading itself has missed; the checksum, values that were changed on the way.
func (t copyTable) compare(ctx context.Context, from Queryer, to pgx.Tx, read checksum) error {
	var count int64
	if err := from.QueryRowContext(ctx, "select count(*) from "+t.sql()).Scan(&count); err != nil {
		return err
	}
	rows, err := to.Query(ctx, "select "+t.names()+" from "+t.sql())
	if err != nil {
		return err
	}
	defer rows.Close()
	var found checksum
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		found.add(values)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if read.rows != count || found != read {
		return integration.Errorf(integration.KindInternal, "the rows differ after the copy: %d rows in the source, of which %d were read with checksum %v; %d rows in the target with checksum %v",
			count, read.rows, read, found.rows, found)
	}
	return nil
}

// continueIDs lets the ids of a column that counts go on after the highest one that the source has
// ever given: that of a row which is gone must not come again. SQLite keeps that number in a table
// of its own (autoincrement).
func (t copyTable) continueIDs(ctx context.Context, c copyColumn, from Queryer, to pgx.Tx) error {
	if !c.counts {
		return nil
	}
	var highest int64
	err := from.QueryRowContext(ctx, "select seq from sqlite_sequence where name = $1", t.name).Scan(&highest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // no row: there was never an id
		return err
	}
	// A parameter is not possible here.
	_, err = to.Exec(ctx, fmt.Sprintf("alter table %s alter column %s restart with %d", t.sql(), pgx.Identifier{c.name}.Sanitize(), highest+1))
	return err
}
