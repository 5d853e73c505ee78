package embedded

import (
	"bytes"
	"encoding/json"
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

// maxNodes bounds a file after its aliases are expanded, so that a small file cannot become a huge one.
const maxNodes = 200_000

// position is a place in the file, both from 1; the zero value is "the file as a whole".
type position struct{ line, column int }

// node is a YAML value that remembers where it stands. Maps keep their order.
type node struct {
	pos    position
	scalar any      // string, bool, json.Number or nil; unused by maps and lists
	keys   []string // of maps
	keyPos []position
	kids   []*node
	isMap  bool
	isList bool
}

// yamlReader turns the syntax tree of goccy/go-yaml into nodes, because only the syntax tree knows positions.
type yamlReader struct {
	anchors  map[string]*node
	count    int
	problems *problemList
}

// parseYAML returns nil when the text is no YAML mapping; the reasons are in problems.
func parseYAML(data []byte, problems *problemList) *node {
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax yaml.Error
		at := position{}
		text := err.Error()
		if errors.As(err, &syntax) {
			text = syntax.GetMessage()
			if t := syntax.GetToken(); t != nil {
				at = tokenPos(t)
			}
		}
		problems.add(at, "", "is not YAML: "+text)
		return nil
	}
	if len(file.Docs) > 1 && file.Docs[1].Body != nil {
		problems.add(tokenPos(file.Docs[1].Body.GetToken()), "", "a second document begins here: a switchboard file is one document")
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		problems.add(position{}, "", "the file is empty")
		return nil
	}
	r := yamlReader{anchors: map[string]*node{}, problems: problems}
	root := r.read(file.Docs[0].Body, "")
	if r.count > maxNodes {
		problems.add(position{}, "", fmt.Sprintf("the file has more than %d values", maxNodes))
		return nil
	}
	return root
}

func tokenPos(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{t.Position.Line, t.Position.Column}
}

func (r *yamlReader) read(n ast.Node, path string) *node {
	r.count++
	if n == nil || r.count > maxNodes {
		return &node{}
	}
	out := &node{pos: tokenPos(n.GetToken())}
	switch v := n.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		out.scalar = v.Value
	case *ast.StringNode:
		out.scalar = v.Value
	case *ast.LiteralNode:
		out.scalar = v.Value.Value
	case *ast.IntegerNode:
		out.scalar = json.Number(fmt.Sprint(v.Value))
	case *ast.FloatNode:
		out.scalar = r.float(v.Value, out.pos, path)
	case *ast.InfinityNode:
		out.scalar = r.float(v.Value, out.pos, path)
	case *ast.NanNode:
		out.scalar = r.float(math.NaN(), out.pos, path)
	case *ast.MappingNode:
		r.readMap(out, v.Values, path)
		if len(v.Values) > 0 && !v.IsFlowStyle {
			out.pos = tokenPos(v.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		r.readMap(out, []*ast.MappingValueNode{v}, path)
		out.pos = tokenPos(v.Key.GetToken())
	case *ast.SequenceNode:
		out.isList = true
		for i, item := range v.Values {
			out.kids = append(out.kids, r.read(item, path+"/"+strconv.Itoa(i)))
		}
	case *ast.AnchorNode:
		out = r.read(v.Value, path)
		r.anchors[v.Name.GetToken().Value] = out
	case *ast.AliasNode:
		name := v.Value.GetToken().Value
		target, ok := r.anchors[name]
		if !ok {
			r.problems.add(out.pos, path, fmt.Sprintf("*%s is not defined above (as &%s)", name, name))
			return out
		}
		copied := *target // the inner values keep the place where they are written
		copied.pos = out.pos
		r.count += target.size()
		return &copied
	case *ast.TagNode:
		r.problems.add(out.pos, path, "tags such as "+v.Start.Value+" are not used here")
		return r.read(v.Value, path)
	default:
		r.problems.add(out.pos, path, fmt.Sprintf("%s cannot stand here", strings.ToLower(n.Type().String())))
	}
	return out
}

func (r *yamlReader) float(f float64, at position, path string) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.problems.add(at, path, "is not a finite number")
		return json.Number("0")
	}
	return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
}

func (r *yamlReader) readMap(out *node, values []*ast.MappingValueNode, path string) {
	out.isMap = true
	var merged []*node
	for _, kv := range values {
		if _, ok := kv.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, r.read(kv.Value, path))
			continue
		}
		key := strings.TrimSpace(kv.Key.GetToken().Value)
		if s, ok := kv.Key.(*ast.StringNode); ok {
			key = s.Value
		}
		at := tokenPos(kv.Key.GetToken())
		if out.child(key) != nil {
			r.problems.add(at, path+"/"+escapePointer(key), fmt.Sprintf("%q is given twice", key))
			continue
		}
		out.keys = append(out.keys, key)
		out.keyPos = append(out.keyPos, at)
		out.kids = append(out.kids, r.read(kv.Value, path+"/"+escapePointer(key)))
	}
	for _, from := range merged {
		if !from.isMap {
			r.problems.add(from.pos, path, "<< takes a mapping")
			continue
		}
		for i, key := range from.keys {
			if out.child(key) == nil { // what is written here wins over what is merged in
				out.keys = append(out.keys, key)
				out.keyPos = append(out.keyPos, from.keyPos[i])
				out.kids = append(out.kids, from.kids[i])
			}
		}
	}
}

func (n *node) child(key string) *node {
	if !n.isMap {
		return nil
	}
	for i, k := range n.keys {
		if k == key {
			return n.kids[i]
		}
	}
	return nil
}

func (n *node) size() int {
	total := 1
	for _, k := range n.kids {
		total += k.size()
	}
	return total
}

// step goes to the value under a key or index; nil if there is none.
func (n *node) step(part string) *node {
	if n.isMap {
		return n.child(part)
	}
	if i := indexOf(part, len(n.kids)); n.isList && i >= 0 {
		return n.kids[i]
	}
	return nil
}

// find goes to the value at a pointer; an empty node if there is none.
func (n *node) find(pointer string) *node {
	for _, part := range splitPointer(pointer) {
		if n = n.step(part); n == nil {
			return &node{}
		}
	}
	return n
}

// indexOf reads a list index below length, -1 if it is none.
func indexOf(part string, length int) int {
	if i, err := strconv.Atoi(part); err == nil && i >= 0 && i < length {
		return i
	}
	return -1
}

// at returns the place of a JSON pointer, or of the nearest thing around it that exists.
func (n *node) at(pointer string) position {
	for _, part := range splitPointer(pointer) {
		next := n.step(part)
		if next == nil {
			break
		}
		n = next
	}
	return n.pos
}

// atKey returns the place of a key in the map at pointer.
func (n *node) atKey(pointer, key string) position {
	for _, part := range splitPointer(pointer) {
		next := n.step(part)
		if next == nil {
			return n.pos
		}
		n = next
	}
	for i, k := range n.keys {
		if k == key {
			return n.keyPos[i]
		}
	}
	return n.pos
}

// json writes the value with its maps in the file's order.
func (n *node) json() []byte {
	var b bytes.Buffer
	n.writeJSON(&b)
	return b.Bytes()
}

func (n *node) writeJSON(b *bytes.Buffer) {
	switch {
	case n.isMap:
		b.WriteByte('{')
		for i, k := range n.keys {
			if i > 0 {
				b.WriteByte(',')
			}
			writeScalar(b, k)
			b.WriteByte(':')
			n.kids[i].writeJSON(b)
		}
		b.WriteByte('}')
	case n.isList:
		b.WriteByte('[')
		for i, k := range n.kids {
			if i > 0 {
				b.WriteByte(',')
			}
			k.writeJSON(b)
		}
		b.WriteByte(']')
	default:
		writeScalar(b, n.scalar)
	}
}

func writeScalar(b *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil { // json.Number that is none; cannot come from the reader
		text = []byte("null")
	}
	b.Write(text)
}

func splitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "~1", "/"), "~0", "~")
	}
	return parts
}

func escapePointer(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}
