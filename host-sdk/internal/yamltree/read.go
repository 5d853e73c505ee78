package yamltree

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of any document. They protect the reader; a caller may have stricter ones.
const (
	maxDepth    = 100  // maps and lists inside one another
	maxBrackets = 1000 // the YAML library takes time quadratic in the depth of brackets
)

// Problem is something that makes a document unreadable or ambiguous.
type Problem struct {
	Line    int // from 1; 0: the document as a whole
	Column  int
	Pointer string
	Message string
}

// Parse reads a document of at most maxValues values; aliases count where they are used, so that a
// small text cannot become a huge tree. All problems are returned. The node is nil when there is
// nothing to look at: the text is not YAML, exceeds a limit, or (then without a problem) is empty.
func Parse(data []byte, maxValues int) (root *Node, problems []Problem) {
	if depth := bracketDepth(data); depth > maxBrackets {
		return nil, []Problem{{Message: fmt.Sprintf("brackets are nested %d deep, more than %d", depth, maxBrackets)}}
	}
	// A defect in the YAML library must not stop a host that reads a person's text.
	defer func() {
		if p := recover(); p != nil {
			root, problems = nil, []Problem{{Message: "is not YAML that can be read: check the indentation and the quotes"}}
		}
	}()
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := Problem{Message: "is not YAML: " + err.Error()}
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			p.Message = "is not YAML: " + syntax.GetMessage()
			p.Line, p.Column = place(syntax.GetToken())
		}
		return nil, []Problem{p}
	}
	r := &reader{anchors: map[string]ast.Node{}, open: map[string]bool{}, maxValues: maxValues}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case root != nil:
			at := at(doc.Body.GetToken(), "")
			r.problem(at, "a second document begins here: write everything into one")
			return root, r.problems
		default:
			if root = r.read(doc.Body, "", 0); r.tooMuch {
				return nil, append(r.problems, Problem{
					Message: fmt.Sprintf("has more than %d values or is nested more than %d deep", maxValues, maxDepth)})
			}
		}
	}
	return root, r.problems
}

// bracketDepth returns an upper bound of the depth of flow collections: brackets in quotes count
// too.
func bracketDepth(data []byte) int {
	depth, deepest := 0, 0
	for _, b := range data {
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

type reader struct {
	anchors   map[string]ast.Node
	open      map[string]bool // aliases being expanded: an anchor inside itself has no end
	count     int
	maxValues int
	tooMuch   bool
	expanding int // aliases around the value at hand: its problems are known from the anchor
	problems  []Problem
}

// problem reports once what is wrong with an anchor, however often it is used.
func (r *reader) problem(n *Node, format string, args ...any) {
	if r.expanding > 0 {
		return
	}
	r.problems = append(r.problems, Problem{n.Line, n.Column, n.Pointer, fmt.Sprintf(format, args...)})
}

// place is the position of a token, 0 when it has none.
func place(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 0, 0
	}
	return t.Position.Line, t.Position.Column
}

// at makes a node at the place of a token.
func at(t *token.Token, pointer string) *Node {
	n := &Node{Pointer: pointer}
	n.Line, n.Column = place(t)
	return n
}

// read turns the syntax tree of the YAML library, which alone knows positions, into nodes.
func (r *reader) read(n ast.Node, pointer string, depth int) *Node {
	r.count++
	if r.count > r.maxValues || depth > maxDepth {
		r.tooMuch = true
	}
	if n == nil || r.tooMuch {
		return &Node{Pointer: pointer}
	}
	out := at(n.GetToken(), pointer)
	switch v := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.Value = v.Value
	case *ast.StringNode:
		out.Value = v.Value
	case *ast.LiteralNode:
		out.Value = v.Value.Value
	case *ast.IntegerNode:
		r.number(out, v.Value, v.GetToken().Value)
	case *ast.FloatNode:
		r.number(out, v.Value, v.GetToken().Value)
	case *ast.InfinityNode, *ast.NanNode:
		r.number(out, math.NaN(), "")
	case *ast.MappingNode:
		if len(v.Values) > 0 && !v.IsFlowStyle { // the token of a block mapping is its first colon
			out.Line, out.Column = place(v.Values[0].Key.GetToken())
		}
		r.readMap(out, v.Values, depth)
	case *ast.MappingValueNode:
		out.Line, out.Column = place(v.Key.GetToken())
		r.readMap(out, []*ast.MappingValueNode{v}, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for i, item := range v.Values {
			out.Items = append(out.Items, r.read(item, pointer+"/"+strconv.Itoa(i), depth+1))
		}
	case *ast.AnchorNode:
		name := v.Name.GetToken().Value
		r.anchors[name] = v.Value
		r.open[name] = true
		defer delete(r.open, name)
		return r.read(v.Value, pointer, depth)
	case *ast.AliasNode:
		return r.readAlias(v, out, depth)
	case *ast.TagNode:
		return r.readTag(v, out, depth)
	default:
		r.problem(out, "%s cannot stand here", strings.ToLower(n.Type().String()))
	}
	return out
}

// number keeps a number as the float64 that JSON and ECMAScript have, and as it is written.
func (r *reader) number(out *Node, value any, raw string) {
	var f float64
	switch v := value.(type) {
	case int64:
		f = float64(v)
	case uint64:
		f = float64(v)
	case float64:
		f = v
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.problem(out, "is not a finite number")
		f = 0
	}
	out.Value, out.Raw = f, raw
}

// readAlias reads the anchor's value again, so that its pointers are those of the place where it is
// used. The values inside keep the lines where they are written: there they are mended.
func (r *reader) readAlias(v *ast.AliasNode, out *Node, depth int) *Node {
	name := v.Value.GetToken().Value
	target, ok := r.anchors[name]
	switch {
	case !ok:
		r.problem(out, "*%s is not defined above (as &%s)", name, name)
		return out
	case r.open[name]:
		r.problem(out, "*%s stands inside &%s itself", name, name)
		return out
	}
	r.open[name] = true
	r.expanding++
	defer func() { delete(r.open, name); r.expanding-- }()
	read := r.read(target, out.Pointer, depth)
	read.Line, read.Column = out.Line, out.Column
	return read
}

// readTag knows !!str, with which a number is written as text. Other tags would need types that
// JSON lacks.
func (r *reader) readTag(v *ast.TagNode, out *Node, depth int) *Node {
	read := r.read(v.Value, out.Pointer, depth)
	if v.Start.Value != "!!str" || read.Kind != Scalar {
		r.problem(out, "tags such as %s are not used here", v.Start.Value)
		return read
	}
	if _, ok := read.Value.(string); !ok {
		read.Value = v.Value.String()
		if read.Raw != "" {
			read.Value, read.Raw = read.Raw, ""
		}
	}
	return read
}

// readMap keeps the first of two equal keys and reports the second.
func (r *reader) readMap(out *Node, values []*ast.MappingValueNode, depth int) {
	out.Kind = Map
	var merged []*Node
	taken := make(map[string]bool, len(values))
	for _, kv := range values {
		if kv.Key.IsMergeKey() {
			merged = append(merged, r.readMerged(kv.Value, out.Pointer, depth)...)
			continue
		}
		name := strings.TrimSpace(kv.Key.GetToken().Value) // a key is text, however it looks
		if k, ok := kv.Key.(*ast.StringNode); ok {
			name = k.Value
		}
		key := Key{name, at(kv.Key.GetToken(), out.Pointer+"/"+EscapePointer(name))}
		switch kv.Key.(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		default:
			r.problem(key.At, "a key must be text")
		}
		if taken[name] {
			r.problem(key.At, "%q is given twice", name)
			continue
		}
		taken[name] = true
		out.Keys = append(out.Keys, key)
		out.Items = append(out.Items, r.read(kv.Value, key.At.Pointer, depth+1))
	}
	for _, from := range merged {
		if from.Kind != Map {
			r.problem(from, "<< takes a mapping")
			continue
		}
		for i, key := range from.Keys {
			if !taken[key.Name] { // what is written here wins over what is merged in
				taken[key.Name] = true
				out.Keys = append(out.Keys, key)
				out.Items = append(out.Items, from.Items[i])
			}
		}
	}
}

// readMerged reads the mapping under <<, or each of a list of mappings, as if it stood at pointer.
func (r *reader) readMerged(n ast.Node, pointer string, depth int) []*Node {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return []*Node{r.read(n, pointer, depth+1)}
	}
	out := make([]*Node, 0, len(list.Values))
	for _, item := range list.Values {
		out = append(out, r.read(item, pointer, depth+1))
	}
	return out
}
