package sqldb

import (
	"context"
	"database/sql"
	"errors"
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

// maxKept bounds the kept statements: a program has few texts, and a text made at run time
// goes without.
const maxKept = 300

// preparer is a *sql.DB or a *sql.Conn.
type preparer interface {
	Queryer
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// statements keeps prepared statements by their text: parsing costs more than most of our queries.
// One that is in use by a goroutine can be used by others: database/sql sees to it.
type statements struct {
	on     preparer
	seen   *texts // nil: not remembered
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// newStatements keeps statements for a connection, or for all connections of a pool.
func newStatements(on preparer, seen *texts) *statements {
	return &statements{on: on, seen: seen, byText: map[string]*sql.Stmt{}}
}

// get returns nil when the text cannot be prepared: it is then run as it is, and fails with the
// same error. Preparing goes on without the lock, so two may prepare the same text.
func (s *statements) get(ctx context.Context, query string) *sql.Stmt {
	if s.seen != nil {
		s.seen.of(query)
	}
	s.mu.RLock()
	stmt, full := s.byText[query], len(s.byText) >= maxKept
	s.mu.RUnlock()
	if stmt != nil || full {
		return stmt
	}
	made, err := s.on.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.byText[query]; other != nil { // somebody was faster
		_ = made.Close()
		return other
	}
	s.byText[query] = made
	return made
}

// close ends the kept statements; the connection stays open.
func (s *statements) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for text, stmt := range s.byText {
		errs = append(errs, stmt.Close())
		delete(s.byText, text)
	}
	return errors.Join(errs...)
}

// QueryContext implements Queryer.
func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if stmt := s.get(ctx, query); stmt != nil {
		return stmt.QueryContext(ctx, args...)
	}
	return s.on.QueryContext(ctx, query, args...)
}

// QueryRowContext implements Queryer.
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := s.get(ctx, query); stmt != nil {
		return stmt.QueryRowContext(ctx, args...)
	}
	return s.on.QueryRowContext(ctx, query, args...)
}

// ExecContext runs a statement without rows.
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := s.get(ctx, query); stmt != nil {
		return stmt.ExecContext(ctx, args...)
	}
	return s.on.ExecContext(ctx, query, args...)
}
