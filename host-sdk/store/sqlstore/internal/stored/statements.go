package stored

import (
	"context"
	"database/sql"

	"github.com/livecallrouting/livecall/host-sdk/store/sqldb"
)

// Many reads what a query selects, row by row. A row that cannot be read fails the whole. nil:
// there are none.
func Many[T any](ctx context.Context, q sqldb.Queryer, what string, scan func(func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, sqldb.Error(what, err)
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, sqldb.Error(what, err)
		}
		list = append(list, v)
	}
	return list, sqldb.Error(what, rows.Err())
}

// SessionLock names what a transaction locks that changes a session's row or its lanes. Every
// transaction that adds to, removes from or moves up a lane takes it first.
func SessionLock(integrationID, key string) string { return "session/" + integrationID + "/" + key }

// Affected is how many rows a statement has changed.
func Affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Update runs a statement that sets all of a row; before it, where that costs less, the statement
// few with the same arguments, which sets what often changes, in a row where the rest is as it is
// to be. It returns how many rows changed. On PostgreSQL few is not tried: which columns are set
// makes no difference there, only which values change.
func Update(ctx context.Context, tx sqldb.Tx, d sqldb.Dialect, few, all string, args ...any) (int64, error) {
	if d.SetIndexes {
		if n, err := Affected(tx.ExecContext(ctx, few, args...)); err != nil || n > 0 {
			return n, err
		}
	}
	return Affected(tx.ExecContext(ctx, all, args...))
}

// Insert runs an insert that does nothing where a row is in its way: that is the error taken.
// The database decides, so that two at once cannot both succeed.
func Insert(ctx context.Context, db *sqldb.DB, taken error, query string, args ...any) error {
	return db.Write(ctx, func(tx sqldb.Tx) error {
		done, err := tx.ExecContext(ctx, query+" on conflict do nothing", args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return taken
	})
}

// Run runs one statement. It does not say whether a row was changed.
func Run(ctx context.Context, db *sqldb.DB, query string, args ...any) error {
	return db.Write(ctx, func(tx sqldb.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// DefaultList is how many sessions or calls a filter without a limit returns.
const DefaultList = 100

// ExpireBatch bounds how many rows one transaction removes, as the commits of calls wait for it.
const ExpireBatch = 100
