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

// Copied is what [Copy] has copied of a table and found again.
type Copied struct {
	Table    string
	Rows     int64
	Bytes    int64  // of all values; a number has eight
	Checksum string // of all rows, whatever their order
	Replaced int64  // texts in which characters were replaced that PostgreSQL cannot store
}

// copyLockTime is how long Copy waits for those who have the target's tables locked.
const copyLockTime = 10 * time.Second

// Copy copies the rows of all tables of a SQLite database into a PostgreSQL database whose tables are
// there and empty: both were migrated by the same program. Tables and columns are those of the
// catalogue, whoever made them. What was sealed stays as it is. Ids that count go on after the highest
// one ever given. Memory is bounded by the largest row, not by the database.
//
// All of it is one transaction, which nobody sees before its end. It has the target's tables locked, so
// that a host that starts meanwhile waits, and finds everything or nothing. Every table is read back
// and compared by count and checksum before the commit: a difference is internal, rows in the target
// are a conflict, and after any error the target is as it was. The caller sees to it that nobody writes
// to the source. done is called for each table, once it is compared.
func Copy(ctx context.Context, from, to *DB, done func(Copied)) error {
	_, lite := from.base.(*lite)
	target, ok := to.base.(*server)
	if !lite || !ok {
		return integration.Errorf(integration.KindUnsupported, "copy from %s to %s: only from SQLite to PostgreSQL", from.dialect.Name, to.dialect.Name)
	}
	config := target.unlimited()
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(copyLockTime.Milliseconds())
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return Error("copy to "+to.Name(), err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return Error("copy to "+to.Name(), err)
	}
	var tables []copyTable
	err = from.Pages().View(ctx, func(q Queryer) (err error) {
		if tables, err = plan(ctx, q, tx); err != nil {
			return err
		}
		if err := claim(ctx, tx, tables, to.Name()); err != nil {
			return err
		}
		for _, t := range tables {
			c, err := t.copy(ctx, q, tx)
			if err != nil {
				return Error("copy table "+t.name, err)
			}
			done(c)
		}
		return nil
	})
	if err != nil {
		return errors.Join(Error("copy to "+to.Name(), err), ignoreClosed(tx.Rollback(context.WithoutCancel(ctx))))
	}
	if err := tx.Commit(ctx); err != nil {
		return integration.Errorf(integration.KindUnavailable, "copy to %s: the connection was lost at the end, and whether the copy is complete is not known: copy again, which refuses if it is: %w", to.Name(), err)
	}
	for _, t := range tables { // else the server guesses how large the tables are until it looks by itself
		_, _ = conn.Exec(ctx, "analyze "+t.sql())
	}
	return nil
}

// ignoreClosed leaves out that a connection which was lost cannot undo: the server does so itself.
func ignoreClosed(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) || err != nil && connectionLost(err) {
		return nil
	}
	return err
}

// copyTable is a table that both databases have.
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

// isVersions reports whether a table is one in which goose counts migrations.
func isVersions(columns []string) bool {
	return slices.Contains(columns, "version_id") && slices.Contains(columns, "is_applied")
}

// plan finds the tables of the source, each with the same columns in the target.
func plan(ctx context.Context, from Queryer, to pgx.Tx) ([]copyTable, error) {
	there, err := targetColumns(ctx, to)
	if err != nil {
		return nil, err
	}
	rows, err := from.QueryContext(ctx, `select t.name, c.name from sqlite_master t, pragma_table_info(t.name) c
		where t.type = 'table' and t.name not like 'sqlite\_%' escape '\' order by t.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	here := map[string][]string{}
	var order []string
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			return nil, err
		}
		if here[table] == nil {
			order = append(order, table)
		}
		here[table] = append(here[table], column)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var tables []copyTable
	for _, name := range order {
		if isVersions(here[name]) {
			continue
		}
		t := copyTable{name: name}
		for _, column := range here[name] {
			c, ok := there[name][column]
			if !ok {
				return nil, integration.Errorf(integration.KindInternal, "the target has no column %s.%s: was it migrated by this program?", name, column)
			}
			t.columns = append(t.columns, c)
		}
		if len(there[name]) != len(t.columns) {
			return nil, integration.Errorf(integration.KindInternal, "table %s has %d columns in the target and %d in the source", name, len(there[name]), len(t.columns))
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// targetColumns are the columns of the target's tables, by table and name.
func targetColumns(ctx context.Context, to pgx.Tx) (map[string]map[string]copyColumn, error) {
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

// claim locks the target's tables, and refuses if one of them has rows.
func claim(ctx context.Context, to pgx.Tx, tables []copyTable, target string) error {
	var all, full []string
	for _, t := range tables {
		all = append(all, t.sql())
	}
	if _, err := to.Exec(ctx, "lock table "+strings.Join(all, ", ")+" in access exclusive mode"); err != nil {
		return err
	}
	for _, t := range tables {
		var has bool
		if err := to.QueryRow(ctx, "select exists (select 1 from "+t.sql()+")").Scan(&has); err != nil {
			return err
		}
		if has {
			full = append(full, t.name)
		}
	}
	if len(full) > 0 {
		return integration.Errorf(integration.KindConflict, "the database %s is in use or was copied to already: it has rows in %s. Make an empty database and copy into that", target, strings.Join(full, ", "))
	}
	return nil
}

// copy copies the rows of a table, compares them, and lets its ids go on after them.
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

// compare counts the source's rows anew, and reads the target's.
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

// continueIDs lets the ids of a column that counts go on after the highest one that the source has ever
// given: that of a row which is gone must not come again.
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
