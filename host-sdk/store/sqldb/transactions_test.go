package sqldb_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// There is one writer, so whatever runs inside a write transaction holds up every call. It may run
// statements, read their rows, and encode a little; nothing that computes over the input of people,
// asks a clock, a platform or a network, or calls a function that somebody else has given.
func TestInsideAWriteTransactionThereIsOnlySQL(t *testing.T) {
	t.Parallel()
	found := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(dir string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		s := &txScan{Errorf: t.Errorf, files: token.NewFileSet(), decls: map[string][]*ast.FuncDecl{}, seen: map[ast.Node]bool{}}
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return err
		}
		for _, name := range names {
			if !strings.HasSuffix(name, "_test.go") {
				s.add(name, nil)
			}
		}
		found += s.check()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 20 {
		t.Errorf("only %d transactions were found: the scan looks at the wrong place", found)
	}
}

func TestTheScanOfTransactionsFindsWhatIsNotSQL(t *testing.T) {
	t.Parallel()
	const begin = `package x
import ("time"; "net/http"; "github.com/livecallrouting/livecall/host-sdk/store/sqldb")
type s struct{ db *sqldb.DB; file func() int; clock interface{ Now() time.Time }; team interface{ OnCallAt(int) []string } }
func helper() { time.Sleep(1) }
func innocent(tx sqldb.Tx) error { _, err := tx.ExecContext(nil, "delete from x"); return err }
func (s *s) do(given func() error) error { return s.db.Write(nil, func(tx sqldb.Tx) error { `
	for body, want := range map[string]bool{
		`return innocent(tx)`: false,
		`rows, err := tx.QueryContext(nil, "select 1"); for rows.Next() {}; return err`: false,
		`s.file(); return nil`:                   true,
		`return given()`:                         true,
		`s.clock.Now(); return nil`:              true,
		`s.team.OnCallAt(1); return nil`:         true,
		`helper(); return nil`:                   true,
		`http.Get("http://x"); return nil`:       true,
		`go func() {}(); return nil`:             true,
		`return func() error { return nil }()`:   false,
		`return s.db.Write(nil, nil)`:            true,
		`for { }; return nil`:                    true,
		`for i := 0; i < 3; i++ { }; return nil`: false,
	} {
		problems := 0
		s := &txScan{Errorf: func(string, ...any) { problems++ }, files: token.NewFileSet(), decls: map[string][]*ast.FuncDecl{}, seen: map[ast.Node]bool{}}
		s.add("x.go", begin+body+" }) }")
		if s.check(); problems > 0 != want {
			t.Errorf("%s: found is %v, want %v", body, problems > 0, want)
		}
	}
}

// txScan looks at the transactions of one package.
type txScan struct {
	Errorf   func(string, ...any)
	files    *token.FileSet
	parsed   []*ast.File
	decls    map[string][]*ast.FuncDecl // functions and methods of the package by name
	declared []string                   // its types
	seen     map[ast.Node]bool
}

// add parses a file.
func (s *txScan) add(name string, source any) {
	file, err := parser.ParseFile(s.files, name, source, parser.SkipObjectResolution)
	if err != nil {
		s.Errorf("%v", err)
		return
	}
	s.parsed = append(s.parsed, file)
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.decls[d.Name.Name] = append(s.decls[d.Name.Name], d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if named, ok := spec.(*ast.TypeSpec); ok {
					s.declared = append(s.declared, named.Name.Name)
				}
			}
		}
	}
}

// check looks at every function that is given a transaction, and returns how many there are.
func (s *txScan) check() (found int) {
	for _, file := range s.parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil && takesTx(n.Type) {
					found++
					s.body(n.Body)
				}
			case *ast.FuncLit:
				if takesTx(n.Type) {
					found++
					s.body(n.Body)
				}
			}
			return true
		})
	}
	return found
}

// takesTx reports whether a function has a parameter of type sqldb.Tx.
func takesTx(f *ast.FuncType) bool {
	return slices.ContainsFunc(f.Params.List, func(p *ast.Field) bool {
		return types.ExprString(p.Type) == "sqldb.Tx"
	})
}

// What may be called: packages that compute on what they are given alone, single functions of
// others, and methods of database/sql and of values.
var (
	txPackages = []string{"errors", "fmt", "strings", "slices", "maps", "cmp", "strconv", "json", "sql", "sqldb", "integration", "store",
		// Of the store: values, and functions that take a transaction. These are looked at where
		// they are.
		"stored", "outbox", "records", "sharing"}
	txCalls   = []string{"time.UnixMilli", "time.Duration"}
	txMethods = []string{
		"QueryContext", "QueryRowContext", "ExecContext", "Lock", "Scan", "Next", "Err", "Close", "RowsAffected",
		"IsZero", "UTC", "UnixMilli", "Compare", "Before", "After", "Add", "Milliseconds", "Dialect",
	}
)

// body looks at everything that a function calls. Functions of the same package are followed.
func (s *txScan) body(body *ast.BlockStmt) {
	if s.seen[body] {
		return
	}
	s.seen[body] = true
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			s.problem(n, "a goroutine")
		case *ast.ForStmt:
			if n.Cond == nil {
				s.problem(n, "a loop without an end")
			}
		case *ast.CallExpr:
			s.call(n)
		}
		return true
	})
}

// call looks at one call.
func (s *txScan) call(c *ast.CallExpr) {
	switch f := c.Fun.(type) {
	case *ast.FuncLit, *ast.ArrayType, *ast.MapType: // looked at by itself; a conversion
	case *ast.Ident:
		// A builtin, a type, the scan of a row that readers of rows are given, or a function of the
		// package.
		if types.Universe.Lookup(f.Name) == nil && !slices.Contains(s.declared, f.Name) && f.Name != "scan" && !s.follow(f.Name) {
			s.problem(c, f.Name+", which somebody else has given")
		}
	case *ast.SelectorExpr:
		name := types.ExprString(f)
		if x, ok := f.X.(*ast.Ident); ok && slices.Contains(txPackages, x.Name) || slices.Contains(txCalls, name) ||
			slices.Contains(txMethods, f.Sel.Name) || f.Sel.Name != "Write" && s.follow(f.Sel.Name) {
			return
		}
		s.problem(c, name)
	default:
		s.problem(c, types.ExprString(c.Fun))
	}
}

// follow looks at the functions and methods of the package that have a name; false if there is
// none.
func (s *txScan) follow(name string) bool {
	for _, d := range s.decls[name] {
		if d.Body != nil {
			s.body(d.Body)
		}
	}
	return len(s.decls[name]) > 0
}

func (s *txScan) problem(n ast.Node, what string) {
	s.Errorf("%s: inside a write transaction: %s; decide before it, and let it only write", s.files.Position(n.Pos()), fmt.Sprint(what))
}
