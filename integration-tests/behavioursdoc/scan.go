package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// proof is a test of a behaviour.
type proof struct {
	dir  string // of its package, below the root
	test string // TestName, with /case where the case names the behaviour
}

// numbers are PT35, PT-35, PT34to36.
var numbers = regexp.MustCompile(`PT-?([0-9]{2})(?:to([0-9]{2}))?`)

// named lists the behaviours that a name holds.
func named(name string) []int {
	var out []int
	for _, m := range numbers.FindAllStringSubmatch(name, -1) {
		first, _ := strconv.Atoi(m[1]) // two digits
		last := first
		if m[2] != "" {
			last, _ = strconv.Atoi(m[2])
		}
		for n := first; n <= last; n++ {
			out = append(out, n)
		}
	}
	return out
}

// scan reads every test file below root.
func scan(root string) (map[int][]proof, error) {
	out := map[int][]proof{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		scanFile(file, filepath.ToSlash(dir), out)
		return nil
	})
	for n := range out {
		slices.SortFunc(out[n], func(a, b proof) int { return strings.Compare(a.dir+" "+a.test, b.dir+" "+b.test) })
		out[n] = slices.Compact(out[n])
	}
	return out, err
}

func scanFile(file *ast.File, dir string, out map[int][]proof) {
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") {
			continue
		}
		for _, n := range named(fn.Name.Name) {
			out[n] = append(out[n], proof{dir, fn.Name.Name})
		}
		for _, name := range caseNames(fn) {
			for _, n := range named(name) {
				out[n] = append(out[n], proof{dir, fn.Name.Name + "/" + name})
			}
		}
	}
}

// caseNames lists what a test calls its cases: keys of a map of cases, the first field or the field
// "name" of one, and the first argument of Run. A number in a message alone proves nothing.
func caseNames(fn *ast.FuncDecl) []string {
	var out []string
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil && numbers.MatchString(s) && strings.HasPrefix(s, "PT") {
				out = append(out, s)
			}
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			for i, e := range n.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				switch {
				case !ok && i == 0:
					add(e)
				case !ok:
				default:
					add(kv.Key)
					if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "name" {
						add(kv.Value)
					}
				}
			}
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Run" && len(n.Args) == 2 {
				add(n.Args[0])
			}
		}
		return true
	})
	return out
}
