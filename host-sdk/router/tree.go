package router

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

type nodeKind int

const (
	scalarNode nodeKind = iota
	mapNode
	listNode
)

// node is a value that remembers where it stands.
type node struct {
	kind         nodeKind
	line, column int
	pointer      string
	value        any    // of a scalar: nil, bool, float64 or string
	raw          string // of a plain number: as it is written
	keys         []mapKey
	items        []*node // of a list; of a map: the values, by keys
}

type mapKey struct {
	text string
	at   *node
}

func (n *node) child(key string) *node {
	if n == nil || n.kind != mapNode {
		return nil
	}
	for i, k := range n.keys {
		if k.text == key {
			return n.items[i]
		}
	}
	return nil
}

// show writes a value for a message, cut short.
func (n *node) show() string {
	switch n.kind {
	case mapNode:
		return "a mapping"
	case listNode:
		return "a list"
	case scalarNode:
	}
	switch v := n.value.(type) {
	case nil:
		return "nothing"
	case string:
		if r := []rune(v); len(r) > 60 {
			v = string(r[:60]) + "…"
		}
		return strconv.Quote(v)
	default:
		return fmt.Sprint(v)
	}
}

// plain turns the tree into the values that facts are made of.
func (n *node) plain() any {
	switch n.kind {
	case mapNode:
		m := make(map[string]any, len(n.keys))
		for i, k := range n.keys {
			m[k.text] = n.items[i].plain()
		}
		return m
	case listNode:
		l := make([]any, len(n.items))
		for i, item := range n.items {
			l[i] = item.plain()
		}
		return l
	case scalarNode:
	}
	return n.value
}

// relabel writes pointers as seen from the list of rules.
func relabel(n *node, pointer string) {
	n.pointer = pointer
	for i, item := range n.items {
		part := strconv.Itoa(i)
		if n.kind == mapNode {
			part = strings.ReplaceAll(strings.ReplaceAll(n.keys[i].text, "~", "~0"), "/", "~1")
			n.keys[i].at.pointer = pointer + "/" + part
		}
		relabel(item, pointer+"/"+part)
	}
}

var errTooMuch = errors.New("too large")

// reader builds nodes within the limits.
type reader struct {
	anchors  map[string]ast.Node
	open     map[string]bool // anchors being expanded: an anchor inside itself has no end
	count    int
	problems []Problem
}

func (r *reader) problem(line, column int, format string, args ...any) {
	r.problems = append(r.problems, Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
}

func tooLarge(n int) []Problem {
	return []Problem{{Message: fmt.Sprintf("the rules have %d bytes, more than %d", n, MaxBytes)}}
}

func readYAML(document []byte) (root *node, problems []Problem) {
	if len(document) > MaxBytes {
		return nil, tooLarge(len(document))
	}
	// The YAML library recurses into brackets and takes time quadratic in their depth.
	if depth := bracketDepth(document); depth > 8*MaxDepth {
		return nil, []Problem{{Message: fmt.Sprintf("brackets are nested %d deep, more than %d", depth, MaxDepth)}}
	}
	defer func() {
		if p := recover(); p != nil { // a defect in the YAML library must not stop a host that reads a person's text
			root, problems = nil, []Problem{{Message: "this is not YAML that can be read: check the indentation and the quotes"}}
		}
	}()
	file, err := parser.ParseBytes(document, 0)
	if err != nil {
		p := Problem{Message: "this is not YAML: " + err.Error()}
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			p.Message = "this is not YAML: " + syntax.GetMessage()
			p.Line, p.Column = place(syntax.GetToken())
		}
		return nil, []Problem{p}
	}
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			line, column := place(doc.Body.GetToken())
			return nil, []Problem{{Line: line, Column: column, Message: "a second document begins here: write all rules into one"}}
		default:
			body = doc.Body
		}
	}
	if body == nil {
		return nil, []Problem{{Message: "there is nothing here: begin with rules: and a list of rules"}}
	}
	return readAST(body)
}

// bracketDepth is an upper bound of the depth of flow collections: brackets in quotes count too.
func bracketDepth(document []byte) int {
	depth, deepest := 0, 0
	for _, b := range document {
		switch b {
		case '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ']', '}':
			depth = max(depth-1, 0)
		}
	}
	return deepest
}

func place(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

func readAST(n ast.Node) (*node, []Problem) {
	r := &reader{anchors: map[string]ast.Node{}, open: map[string]bool{}}
	root, err := r.read(n, 0)
	if err != nil {
		return nil, append(r.problems, Problem{Message: fmt.Sprintf("the rules have more than %d values or are nested more than %d deep", MaxValues, MaxDepth)})
	}
	return root, r.problems
}

func (r *reader) read(n ast.Node, depth int) (*node, error) {
	r.count++
	if r.count > MaxValues || depth > MaxDepth {
		return nil, errTooMuch
	}
	if n == nil {
		return &node{}, nil
	}
	out := &node{}
	out.line, out.column = place(n.GetToken())
	switch v := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.value = v.Value
	case *ast.StringNode:
		out.value = v.Value
	case *ast.LiteralNode:
		out.value = v.Value.Value
	case *ast.IntegerNode:
		out.raw = v.GetToken().Value
		switch i := v.Value.(type) {
		case int64:
			out.value = float64(i)
		case uint64:
			out.value = float64(i)
		default:
			r.problem(out.line, out.column, "%s is no number that can be used here", out.raw)
		}
	case *ast.FloatNode:
		out.raw, out.value = v.GetToken().Value, v.Value
	case *ast.InfinityNode, *ast.NanNode:
		r.problem(out.line, out.column, "%s is not a finite number", n.GetToken().Value)
	case *ast.MappingNode:
		if len(v.Values) > 0 && !v.IsFlowStyle {
			out.line, out.column = place(v.Values[0].Key.GetToken())
		}
		return out, r.readMap(out, v.Values, depth)
	case *ast.MappingValueNode:
		out.line, out.column = place(v.Key.GetToken())
		return out, r.readMap(out, []*ast.MappingValueNode{v}, depth)
	case *ast.SequenceNode:
		out.kind = listNode
		for _, item := range v.Values {
			child, err := r.read(item, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, child)
		}
	case *ast.AnchorNode:
		name := v.Name.GetToken().Value
		r.anchors[name] = v.Value
		r.open[name] = true
		defer delete(r.open, name)
		return r.read(v.Value, depth)
	case *ast.AliasNode:
		return r.readAlias(v, out, depth)
	case *ast.TagNode:
		return r.readTag(v, depth)
	default:
		r.problem(out.line, out.column, "%s cannot stand here", strings.ToLower(n.Type().String()))
	}
	return out, nil
}

func (r *reader) readAlias(v *ast.AliasNode, at *node, depth int) (*node, error) {
	name := v.Value.GetToken().Value
	target, ok := r.anchors[name]
	switch {
	case !ok:
		r.problem(at.line, at.column, "*%s is not defined above as &%s", name, name)
		return at, nil
	case r.open[name]:
		r.problem(at.line, at.column, "*%s stands inside &%s itself", name, name)
		return at, nil
	}
	r.open[name] = true
	defer delete(r.open, name)
	out, err := r.read(target, depth)
	if err != nil {
		return nil, err
	}
	out.line, out.column = at.line, at.column // the values inside keep the place where they are written
	return out, nil
}

func (r *reader) readTag(v *ast.TagNode, depth int) (*node, error) {
	out, err := r.read(v.Value, depth)
	if err != nil {
		return nil, err
	}
	line, column := place(v.GetToken())
	tag := v.GetToken().Value
	if tag != "!!str" || out.kind != scalarNode {
		r.problem(line, column, "the tag %s is not known here: only !!str is", tag)
		return out, nil
	}
	if out.raw != "" {
		out.value, out.raw = out.raw, ""
	} else if _, ok := out.value.(string); !ok {
		out.value = v.Value.String()
	}
	return out, nil
}

func (r *reader) readMap(out *node, values []*ast.MappingValueNode, depth int) error {
	out.kind = mapNode
	var merged []*node
	taken := make(map[string]bool, len(values))
	for _, kv := range values {
		child, err := r.read(kv.Value, depth+1)
		if err != nil {
			return err
		}
		if kv.Key.IsMergeKey() {
			if child.kind == listNode {
				merged = append(merged, child.items...)
			} else {
				merged = append(merged, child)
			}
			continue
		}
		at := &node{}
		at.line, at.column = place(kv.Key.GetToken())
		text := kv.Key.GetToken().Value
		switch k := kv.Key.(type) {
		case *ast.StringNode:
			text = k.Value
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode: // a key is text, however it looks
		default:
			r.problem(at.line, at.column, "a key must be text")
		}
		if taken[text] {
			r.problem(at.line, at.column, "the key %q is given twice", text)
			continue
		}
		taken[text] = true
		out.keys = append(out.keys, mapKey{text, at})
		out.items = append(out.items, child)
	}
	for _, from := range merged {
		if from.kind != mapNode {
			r.problem(from.line, from.column, "<< takes a mapping")
			continue
		}
		for i, key := range from.keys {
			if !taken[key.text] { // what is written here wins over what is merged in
				taken[key.text] = true
				out.keys = append(out.keys, key)
				out.items = append(out.items, from.items[i])
			}
		}
	}
	return nil
}

func readJSON(document []byte) (*node, []Problem) {
	if len(document) > MaxBytes {
		return nil, tooLarge(len(document))
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	r := &reader{}
	root, err := r.readJSON(d, 0)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the rules")
		}
	}
	switch {
	case errors.Is(err, errTooMuch):
		return nil, []Problem{{Message: fmt.Sprintf("the rules have more than %d values or are nested more than %d deep", MaxValues, MaxDepth)}}
	case err != nil:
		return nil, []Problem{{Message: "this is not JSON: " + err.Error()}}
	}
	return root, r.problems
}

func (r *reader) readJSON(d *json.Decoder, depth int) (*node, error) {
	r.count++
	if r.count > MaxValues || depth > MaxDepth {
		return nil, errTooMuch
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	out := &node{}
	taken := map[string]bool{}
	switch v := t.(type) {
	case json.Delim:
		out.kind = listNode
		if v == '{' {
			out.kind = mapNode
		}
		for d.More() {
			if out.kind == mapNode {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				text, _ := key.(string)
				if taken[text] {
					r.problem(0, 0, "the key %q is given twice", text)
				}
				taken[text] = true
				out.keys = append(out.keys, mapKey{text, &node{}})
			}
			child, err := r.readJSON(d, depth+1)
			if err != nil {
				return nil, err
			}
			out.items = append(out.items, child)
		}
		_, err := d.Token() // the closing delimiter
		return out, err
	case json.Number:
		f, err := v.Float64()
		if err != nil || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s is no number that can be used here", v)
		}
		out.value, out.raw = f, v.String()
	default:
		out.value = v
	}
	return out, nil
}
