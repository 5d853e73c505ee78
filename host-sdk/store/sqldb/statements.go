package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

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
	byText map[string]*kept
}

// kept is a prepared statement whose placeholders have no names: where they have, the driver asks
// SQLite for each of them at every run.
type kept struct {
	*sql.Stmt
	places []int // which argument each placeholder stands for, from 0; nil: they are in order
	most   int   // how many arguments the text names
}

// placeholder is one of the text, or a literal in quotes, which may look like one.
var placeholder = regexp.MustCompile(`'[^']*'|\$[0-9]+`)

// unnamed is a text with ? in place of $1…$n, and what kept says of these.
func unnamed(query string) (text string, places []int, most int) {
	ordered := true
	text = placeholder.ReplaceAllStringFunc(query, func(found string) string {
		n, err := strconv.Atoi(strings.TrimPrefix(found, "$"))
		if err != nil {
			return found
		}
		ordered = ordered && n == len(places)+1
		places, most = append(places, n-1), max(most, n)
		return "?"
	})
	if ordered {
		places = nil
	}
	return text, places, most
}

// arrange gives each placeholder its argument.
func (k *kept) arrange(args []any) []any {
	if k.places == nil {
		return args
	}
	list := make([]any, len(k.places))
	for i, n := range k.places {
		list[i] = args[n]
	}
	return list
}

// newStatements keeps statements for a connection, or for all connections of a pool.
func newStatements(on preparer, seen *texts) *statements {
	return &statements{on: on, seen: seen, byText: map[string]*kept{}}
}

// get returns nil when the text cannot be prepared or names arguments that are not there: it is
// then run as it is, and fails with the database's own words.
func (s *statements) get(ctx context.Context, query string, args int) *kept {
	if s.seen != nil {
		s.seen.of(query)
	}
	s.mu.RLock()
	stmt, full := s.byText[query], len(s.byText) >= maxKept
	s.mu.RUnlock()
	if stmt == nil && !full {
		stmt = s.prepare(ctx, query)
	}
	if stmt == nil || stmt.most > args {
		return nil
	}
	return stmt
}

// prepare keeps a statement of the text; nil: it has none. Preparing goes on without the lock, so
// two may prepare the same text.
func (s *statements) prepare(ctx context.Context, query string) *kept {
	text, places, most := unnamed(query)
	made, err := s.on.PrepareContext(ctx, text)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.byText[query]; other != nil { // somebody was faster
		_ = made.Close()
		return other
	}
	k := &kept{made, places, most}
	s.byText[query] = k
	return k
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
	if stmt := s.get(ctx, query, len(args)); stmt != nil {
		return stmt.QueryContext(ctx, stmt.arrange(args)...)
	}
	return s.on.QueryContext(ctx, query, args...)
}

// QueryRowContext implements Queryer.
func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := s.get(ctx, query, len(args)); stmt != nil {
		return stmt.QueryRowContext(ctx, stmt.arrange(args)...)
	}
	return s.on.QueryRowContext(ctx, query, args...)
}

// ExecContext runs a statement without rows.
func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := s.get(ctx, query, len(args)); stmt != nil {
		return stmt.ExecContext(ctx, stmt.arrange(args)...)
	}
	return s.on.ExecContext(ctx, query, args...)
}
