package sqldb

import (
	"context"
	"database/sql"
	"slices"
	"sync"
	"sync/atomic"
)

// Queryer reads. The methods are those of database/sql.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Reader reads what was last committed, each query by itself; see [Reader.View] for several queries
// that must agree. It cannot write. It may be used concurrently.
type Reader struct {
	db   *DB
	pool *sql.DB
	on   Queryer
	// again tries anew what has lost its connection; nil: that does not happen.
	again func(ctx context.Context, try func() error) error
}

var _ Queryer = (*Reader)(nil)

// Read is the reader for what a call waits for.
func (db *DB) Read() *Reader { return db.reader }

// Pages is the reader for what people look at: pages and API. It has connections of its own, so
// that however many people look, a call finds a free one.
func (db *DB) Pages() *Reader { return db.pages }

// QueryContext implements Queryer.
func (r *Reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.on.QueryContext(ctx, query, args...)
}

// QueryRowContext implements Queryer.
func (r *Reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.on.QueryRowContext(ctx, query, args...)
}

// View runs f on one consistent state of the database. f must end the rows it opens. Only the
// beginning is tried again: f may have handed on what it read.
func (r *Reader) View(ctx context.Context, f func(q Queryer) error) error {
	var tx *sql.Tx
	begin := func() (err error) {
		tx, err = r.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: r.db.dialect.view})
		return unwritten(err)
	}
	again := r.again
	if again == nil {
		again = func(_ context.Context, try func() error) error { return try() }
	}
	if err := again(ctx, begin); err != nil {
		return Error("begin reading", r.db.closedError(err))
	}
	defer func() { _ = tx.Rollback() }()
	return f(view{tx, &r.db.texts})
}

// view is the state that View shows. Its statements are not kept: to prepare one for the pool while
// the view has a connection takes a second one, for which views may wait for one another for ever.
type view struct {
	tx    *sql.Tx
	texts *texts
}

// QueryContext implements Queryer.
func (v view) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return v.tx.QueryContext(ctx, v.texts.of(query), v.texts.storable(args)...)
}

// QueryRowContext implements Queryer.
func (v view) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return v.tx.QueryRowContext(ctx, v.texts.of(query), v.texts.storable(args)...)
}

// maxTexts bounds how many texts of statements are remembered.
const maxTexts = 1000

// texts remembers the texts of the statements that were run, as the code has them and as the
// database gets them. Texts that are put together at run time would fill it, hence the limit.
type texts struct {
	rewrite func(query string) string // nil: both are the same
	seen    sync.Map                  // of string to string
	count   atomic.Int32
}

// of returns the text that the database gets, and remembers it. Beyond maxTexts it is rewritten
// each time.
func (t *texts) of(query string) string {
	if text, known := t.seen.Load(query); known {
		return text.(string)
	}
	text := query
	if t.rewrite != nil {
		text = t.rewrite(query)
	}
	if t.count.Load() < maxTexts {
		if _, known := t.seen.LoadOrStore(query, text); !known {
			t.count.Add(1)
		}
	}
	return text
}

// storable makes arguments such as the database can hold; see the function of this name.
func (t *texts) storable(args []any) []any {
	if t.rewrite == nil { // SQLite holds anything
		return args
	}
	return storable(args)
}

// Statements are the texts of the statements that were run on this database, at most a thousand,
// for tests that look at how the database runs them.
func (db *DB) Statements() []string {
	var list []string
	db.texts.seen.Range(func(_, text any) bool { list = append(list, text.(string)); return true })
	slices.Sort(list)
	return list
}

// closedError tells "closed by us" from other failures.
func (db *DB) closedError(err error) error {
	select {
	case <-db.closing:
		return errClosed()
	default:
		return err
	}
}
