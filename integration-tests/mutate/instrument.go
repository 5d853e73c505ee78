package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"sort"
	"strings"
)

// A mutant is one defect that can be switched on.
type mutant struct {
	Number int    // counts from 1 within a run
	File   string // path as in the go command's output, relative to the module
	Line   int
	Kind   string // "negated" or "removed"
	Text   string // the condition or statement on one line, shortened to maxText bytes
}

const (
	negated = "negated"
	removed = "removed"
	maxText = 100
)

// String is the mutant as a line of the report.
func (m mutant) String() string { return fmt.Sprintf("%s:%d: %s: %s", m.File, m.Line, m.Kind, m.Text) }

// An insertion puts text around the bytes from start to end.
type insertion struct {
	start, end  int
	open, close string
}

// An instrumenter collects the mutants of a package, file by file.
type instrumenter struct {
	mutants []mutant

	file    string
	src     string
	fset    *token.FileSet
	inserts []insertion // of the current file, outer nodes before inner ones
	seen    map[ast.Node]bool
}

// instrument returns src with a switch around every mutant. Lines keep their numbers, so that
// failures and stack traces point into the original.
func (in *instrumenter) instrument(file, src string) (string, error) {
	in.file, in.src, in.fset, in.inserts = file, src, token.NewFileSet(), nil
	in.seen = map[ast.Node]bool{}
	tree, err := parser.ParseFile(in.fset, file, src, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	ast.Inspect(tree, in.visit)
	return in.rewrite(), nil
}

func (in *instrumenter) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.Tok == token.VAR // a call is not allowed in a constant, or in an array's length
	case *ast.IfStmt:
		in.condition(n.Cond)
	case *ast.ForStmt:
		in.condition(n.Cond)
	case *ast.SwitchStmt:
		if n.Tag == nil {
			for _, clause := range n.Body.List {
				for _, e := range clause.(*ast.CaseClause).List {
					in.condition(e)
				}
			}
		}
	case *ast.BinaryExpr:
		switch n.Op {
		case token.LAND, token.LOR, token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			in.condition(n)
		default: // no boolean
		}
	case *ast.BlockStmt:
		in.statements(n.List)
	case *ast.CaseClause:
		in.statements(n.Body)
	case *ast.CommClause:
		in.statements(n.Body)
	}
	return true
}

// condition adds a mutant for an expression of type bool; && and || get one for each operand
// instead, because those decide the whole.
func (in *instrumenter) condition(e ast.Expr) {
	if e == nil || in.seen[e] {
		return
	}
	in.seen[e] = true
	switch x := e.(type) {
	case *ast.ParenExpr:
		in.condition(x.X)
		return
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			in.condition(x.X)
			in.condition(x.Y)
			return
		}
	case *ast.UnaryExpr:
		in.seen[ast.Unparen(x.X)] = true // the negation of !x is x: the same mutant
	}
	in.add(e, negated, "mutantNegate(%d, ", ")")
}

// statements adds a mutant for each assignment and call. Declarations stay, because what follows
// needs them.
func (in *instrumenter) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE || isBlank(s) {
				continue
			}
		case *ast.IncDecStmt:
		case *ast.ExprStmt:
			if !worthRemoving(s.X) {
				continue
			}
		default:
			continue
		}
		in.add(s, removed, "if mutantKeep(%d) { ", " }")
	}
}

func isBlank(s *ast.AssignStmt) bool {
	for _, e := range s.Lhs {
		if id, ok := e.(*ast.Ident); !ok || id.Name != "_" {
			return false
		}
	}
	return true
}

// worthRemoving is false for calls whose absence tests cannot or need not notice: logging, locks
// (the race detector's task), and panics, which may end a function.
func worthRemoving(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false // a receive only waits
	}
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name != "panic"
	case *ast.SelectorExpr:
		switch f.Sel.Name {
		case "Lock", "Unlock", "RLock", "RUnlock", "Debug", "Info", "Warn", "Error",
			"DebugContext", "InfoContext", "WarnContext", "ErrorContext", "Log", "LogAttrs":
			return false
		}
	}
	return true
}

func (in *instrumenter) add(n ast.Node, kind, open, end string) {
	from, to := in.fset.Position(n.Pos()), in.fset.Position(n.End())
	text := strings.Join(strings.Fields(in.src[from.Offset:to.Offset]), " ")
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	m := mutant{Number: len(in.mutants) + 1, File: in.file, Line: from.Line, Kind: kind, Text: text}
	in.mutants = append(in.mutants, m)
	in.inserts = append(in.inserts, insertion{from.Offset, to.Offset, fmt.Sprintf(open, m.Number), end})
}

// rewrite applies the insertions. Nodes nest, so at one offset closings come before openings, inner
// closings before outer ones, and outer openings before inner ones.
func (in *instrumenter) rewrite() string {
	type edit struct {
		at, rank int
		text     string
	}
	var edits []edit
	for _, x := range in.inserts {
		width := x.end - x.start
		edits = append(edits, edit{x.start, 2*len(in.src) - width, x.open}, edit{x.end, width, x.close})
	}
	sort.SliceStable(edits, func(a, b int) bool {
		if edits[a].at != edits[b].at {
			return edits[a].at < edits[b].at
		}
		return edits[a].rank < edits[b].rank
	})
	var out strings.Builder
	last := 0
	for _, e := range edits {
		out.WriteString(in.src[last:e.at] + e.text)
		last = e.at
	}
	return out.String() + in.src[last:]
}
