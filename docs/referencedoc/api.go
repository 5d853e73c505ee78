package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// operation is a route of an OpenAPI document.
type operation struct {
	Tags       []string
	Summary    string
	Parameters []struct {
		Name, In string
		Ref      string `json:"$ref"`
	}
	method, path string
}

// api lists the routes of an OpenAPI document in a table for each tag.
func api(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var document struct {
		Tags       []struct{ Name string }
		Paths      map[string]map[string]json.RawMessage
		Components struct {
			Parameters map[string]struct{ Name, In string }
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	byTag := map[string][]operation{}
	for path, methods := range document.Paths {
		for method, raw := range methods {
			if !slices.Contains([]string{"get", "put", "post", "delete", "patch"}, method) {
				continue // what all methods of a path share
			}
			op := operation{method: strings.ToUpper(method), path: path}
			if err := json.Unmarshal(raw, &op); err != nil || len(op.Tags) != 1 {
				return "", fmt.Errorf("%s %s has %d tags, want one: %w", method, path, len(op.Tags), err)
			}
			for i, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					op.Parameters[i].Name, op.Parameters[i].In = document.Components.Parameters[name].Name, document.Components.Parameters[name].In
				}
			}
			byTag[op.Tags[0]] = append(byTag[op.Tags[0]], op)
		}
	}
	var out strings.Builder
	for i, tag := range document.Tags {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "## %s\n\n| request | does | in the query |\n|---|---|---|\n", strings.ToUpper(tag.Name[:1])+tag.Name[1:])
		list := byTag[tag.Name]
		slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.path+" "+a.method, b.path+" "+b.method) })
		for _, op := range list {
			var query []string
			for _, p := range op.Parameters {
				if p.In == "query" {
					query = append(query, "`"+p.Name+"`")
				}
			}
			fmt.Fprintf(&out, "| `%s %s` | %s | %s |\n", op.method, op.path, strings.ReplaceAll(op.Summary, "|", `\|`), strings.Join(query, ", "))
		}
		delete(byTag, tag.Name)
	}
	if len(byTag) > 0 {
		return "", fmt.Errorf("%s has operations with tags that it does not list: %d", file, len(byTag))
	}
	return out.String(), nil
}
