package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// counting counts what reaches the database: preparations, and queries that were not prepared.
type counting struct {
	*sql.DB
	prepared, direct atomic.Int32
	before           func() // runs before a preparation; nil: nothing
}

func (c *counting) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if before := c.before; before != nil {
		c.before = nil
		before()
	}
	c.prepared.Add(1)
	return c.DB.PrepareContext(ctx, query)
}

func (c *counting) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	c.direct.Add(1)
	return c.DB.QueryContext(ctx, query, args...)
}

func (c *counting) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	c.direct.Add(1)
	return c.DB.QueryRowContext(ctx, query, args...)
}

func (c *counting) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	c.direct.Add(1)
	return c.DB.ExecContext(ctx, query, args...)
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &counting{DB: db}
}

// useAll runs one text through every method.
func useAll(t *testing.T, s *statements, query string) {
	t.Helper()
	rows, err := s.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	var n int
	if err := s.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Error(err)
	}
	if _, err := s.ExecContext(t.Context(), query); err != nil {
		t.Error(err)
	}
}

func TestAStatementIsPreparedOnce(t *testing.T) {
	t.Parallel()
	on := newCounting(t)
	s := newStatements(on, nil)
	for range 3 {
		useAll(t, s, "select 1")
	}
	if p, d := on.prepared.Load(), on.direct.Load(); p != 1 || d != 0 {
		t.Errorf("prepared %d times, %d times run without: want 1 and 0", p, d)
	}
}

func TestTwoFirstUsesKeepOneStatement(t *testing.T) {
	t.Parallel()
	on := newCounting(t)
	s := newStatements(on, nil)
	var other *kept
	// A second caller prepares meanwhile.
	on.before = func() { other = s.get(t.Context(), "select 1", 0) }
	first := s.get(t.Context(), "select 1", 0)
	if first == nil || first != other || s.get(t.Context(), "select 1", 0) != first {
		t.Error("two callers were given different statements")
	}
	useAll(t, s, "select 1")
	if n := on.prepared.Load(); n != 2 {
		t.Errorf("%d preparations, want 2", n)
	}
}

func TestKeptStatementsAreBounded(t *testing.T) {
	t.Parallel()
	on := newCounting(t)
	s := newStatements(on, nil)
	for i := range maxKept + 5 {
		useAll(t, s, fmt.Sprintf("select %d", i))
	}
	if p, d := on.prepared.Load(), on.direct.Load(); p != maxKept || d != 3*5 {
		t.Errorf("prepared %d, %d run without: want %d and 15", p, d, maxKept)
	}
}

func TestAWrongTextFailsAsTheDatabaseSays(t *testing.T) {
	t.Parallel()
	s := newStatements(newCounting(t), nil)
	rows, err := s.QueryContext(t.Context(), "select from nowhere")
	if err == nil {
		_ = rows.Close()
		t.Error("a wrong text succeeds")
	}
}

func TestClosedStatementsAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	on := newCounting(t)
	s := newStatements(on, nil)
	kept := s.get(t.Context(), "select 1", 0)
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if rows, err := kept.QueryContext(t.Context()); err == nil {
		_ = rows.Close()
		t.Error("the statement is still open")
	}
	useAll(t, s, "select 1")
}

func TestArgumentsReachTheirPlaceholders(t *testing.T) {
	t.Parallel()
	s := newStatements(newCounting(t), nil)
	for _, test := range []struct {
		query, want string
		args        []any
	}{
		{"select $1 || $2 || $3", "abc", []any{"a", "b", "c"}},
		{"select $3 || $1 || $2 || $1", "caba", []any{"a", "b", "c"}},
		{"select $2 || '$1' || $1", "b$1a", []any{"a", "b"}},
		{"select $2 || 'it''s $9' || $2", "bit's $9b", []any{"a", "b"}},
		{"select $11 || $1", "ka", []any{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}},
		{"select 'none'", "none", nil},
	} {
		var got string
		if err := s.QueryRowContext(t.Context(), test.query, test.args...).Scan(&got); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.query, got, err, test.want)
		}
	}
	var got string
	if err := s.QueryRowContext(t.Context(), "select $1 || $2", "a").Scan(&got); err == nil {
		t.Errorf("a text with an argument too many gives %q", got)
	}
}
