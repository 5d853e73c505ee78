package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// contract lists what the Go package of a folder exports: its constants and types with the first
// sentence of their comments, a section for each file.
func contract(folder string) (string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			return "", err
		}
		var rows []string
		for _, decl := range parsed.Decls {
			rows = append(rows, rowsOf(decl)...)
		}
		if len(rows) == 0 {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "## %s\n\n| name | is |\n|---|---|\n%s", filepath.Base(file), strings.Join(rows, ""))
	}
	return out.String(), nil
}

// rowsOf are the rows of what a declaration exports.
func rowsOf(decl ast.Decl) (rows []string) {
	row := func(name string, comments ...*ast.CommentGroup) {
		text := ""
		for _, c := range comments {
			if text == "" && c != nil {
				text = new(doc.Package).Synopsis(c.Text())
			}
		}
		if token.IsExported(name[strings.LastIndex(name, ".")+1:]) {
			rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", name, strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)))
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			row(d.Name.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				row(s.Name.Name, s.Doc, s.Comment, d.Doc)
				if i, ok := s.Type.(*ast.InterfaceType); ok {
					for _, method := range i.Methods.List {
						for _, name := range method.Names {
							row(s.Name.Name+"."+name.Name, method.Doc, method.Comment)
						}
					}
				}
			case *ast.ValueSpec:
				for _, name := range s.Names {
					own := []*ast.CommentGroup{s.Doc, s.Comment}
					if len(d.Specs) == 1 {
						own = slices.Concat(own, []*ast.CommentGroup{d.Doc})
					}
					row(name.Name, own...)
				}
			}
		}
	}
	return rows
}
