package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// Queryer reads. The methods are those of database/sql.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Read reads what was last committed, each query by itself. It cannot write. See [DB.View] for
// several queries that must agree.
func (db *DB) Read() Queryer { return db.kept }

// View runs f on one consistent state of the database. f must end the rows it opens.
func (db *DB) View(ctx context.Context, f func(q Queryer) error) error {
	tx, err := db.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Error("begin reading", db.closedError(err))
	}
	defer func() { _ = tx.Rollback() }()
	return f(tx)
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
type statements struct {
	on     preparer
	mu     sync.RWMutex
	byText map[string]*sql.Stmt
}

// newStatements keeps statements for a connection, or for all connections of a pool.
func newStatements(on preparer) *statements {
	return &statements{on: on, byText: map[string]*sql.Stmt{}}
}

// get returns nil when the text cannot be prepared: it is then run as it is, and fails with the
// same error.
func (s *statements) get(ctx context.Context, query string) *sql.Stmt {
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
