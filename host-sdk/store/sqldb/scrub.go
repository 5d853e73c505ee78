package sqldb

import (
	"context"
	"database/sql"
	"errors"
)

// vacuumUpTo is the size in bytes up to which Scrub writes a file of SQLite anew: that takes less
// than a second, for which commits wait.
const vacuumUpTo = 64 << 20

// Scrub makes the database let go of deleted content, as far as it can while it is in use. SQLite
// overwrites what is deleted; what earlier changes have left in unused parts of its pages goes when
// a small file is written anew. Its log is folded into the file and emptied. A server does this by
// itself, with autovacuum.
func (db *DB) Scrub(ctx context.Context) error { return db.base.scrub(ctx) }

// scrub implements base. The connection is one of its own, as vacuum runs in no transaction.
func (l *lite) scrub(ctx context.Context) (err error) {
	pool, err := sql.Open("sqlite", l.dsn(writerCache))
	if err != nil {
		return Error("scrub", err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	pool.SetMaxOpenConns(1)
	var pages, size int64
	if err := pool.QueryRowContext(ctx, "select page_count, page_size from pragma_page_count, pragma_page_size").Scan(&pages, &size); err != nil {
		return Error("scrub", err)
	}
	if pages*size <= vacuumUpTo {
		if _, err := pool.ExecContext(ctx, "vacuum"); err != nil {
			return Error("scrub", err)
		}
	}
	_, err = pool.ExecContext(ctx, "pragma wal_checkpoint(truncate)")
	return Error("scrub", err)
}

// scrub implements base.
func (s *server) scrub(context.Context) error { return nil }
