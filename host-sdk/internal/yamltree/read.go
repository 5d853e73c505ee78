package yamltree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Limits of any document. They protect the reader; a caller may have stricter ones. A person's
// document is a few levels deep; a hundred keeps recursion far from the end of the stack.
const (
	maxDepth    = 100 // maps and lists inside one another
	maxProblems = 20  // that are reported one by one
)

// Problem is something that makes a document unreadable or ambiguous.
type Problem struct {
	Line    int // from 1; 0: the document as a whole
	Column  int
	Pointer string
	Message string
}

// Parse reads a document of at most maxValues values; aliases count where they are used, so that a
// small text cannot become a huge tree. All problems are returned, beyond the first 20 their
// number. The node is nil when there is nothing to look at: the text is not YAML, exceeds a limit,
// or (then without a problem) is empty. Documents are written by people and sent by programs, so
// nothing in one may cost memory or time out of proportion.
func Parse(data []byte, maxValues int) (root *Node, problems []Problem) {
	// A defect in the YAML library must not stop a host that reads a person's text.
	defer func() {
		if p := recover(); p != nil {
			root, problems = nil, []Problem{{Message: "is not YAML that can be read: check the indentation and the quotes"}}
		}
	}()
	// The library's own check of aliases is switched off (CheckAlias): the reader counts values
	// where they are used, which also bounds what aliases can grow to.
	r := &reader{open: map[*yaml.Node]bool{}, maxValues: maxValues}
	loader, err := yaml.NewLoader(bytes.NewReader(plainEscapes(data)), yaml.WithPlugin(limits{}))
	if err != nil {
		return nil, []Problem{syntaxProblem(err)}
	}
	for {
		var document yaml.Node
		err := loader.Load(&document)
		switch {
		case errors.Is(err, io.EOF):
			return root, r.reported()
		case err != nil:
			return nil, []Problem{syntaxProblem(err)}
		// A document of comments alone, or an empty one before the first ---.
		case len(document.Content) == 0:
			continue
		case root != nil:
			r.problem(at(document.Content[0], ""), "a second document begins here: write everything into one")
			return root, r.reported()
		}
		// With too much in it the tree is not whole, and nothing must be concluded from it.
		if root = r.read(document.Content[0], "", 0); r.tooMuch {
			return nil, append(r.reported(), Problem{Message: fmt.Sprintf("has more than %d values or is nested more than %d deep", maxValues, maxDepth)})
		}
	}
}

// limits stops the YAML library where a document is nested too deeply. The library's parser
// recurses too, and runs before the reader can count anything.
type limits struct{}

// CheckDepth is called by the YAML library for each mapping or list that begins.
func (limits) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > maxDepth {
		return fmt.Errorf("is nested more than %d deep", maxDepth)
	}
	return nil
}

// CheckAlias is called by the YAML library where it follows aliases, which only the reader does.
func (limits) CheckAlias(int, int) error { return nil }

// unknownAnchor is the YAML library's message for an alias without an anchor.
var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.{0,64})' referenced$`)

// syntaxProblem takes the place out of an error of the YAML library. The library's message has the
// line inside; ours keeps it apart, so that an editor can jump there.
func syntaxProblem(err error) Problem {
	var at *yaml.LoadError
	if !errors.As(err, &at) {
		return Problem{Message: "is not YAML: " + Shorten(err.Error())}
	}
	message := "is not YAML: " + Shorten(at.Message)
	if name := unknownAnchor.FindStringSubmatch(at.Message); name != nil {
		message = fmt.Sprintf("*%s is not defined above (as &%s)", name[1], name[1])
	}
	place := at.Mark
	if strings.Contains(at.Message, "end of stream") && at.ContextMark.Line > 0 {
		place = at.ContextMark // where the quote begins that has no end
		message += " " + at.ContextMsg
	}
	return Problem{Line: place.Line, Column: place.Column, Message: message}
}

// plainEscapes writes the surrogate pairs of a JSON document as characters: JSON has them and YAML
// does not. Other documents stay as they are. The length does not stay the same, so columns behind
// such a pair are smaller than in the text.
func plainEscapes(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u`)) || !json.Valid(data) {
		return data
	}
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		if len(data) >= 12 && data[0] == '\\' && data[1] == 'u' && data[6] == '\\' && data[7] == 'u' {
			high, _ := strconv.ParseUint(string(data[2:6]), 16, 16)
			low, _ := strconv.ParseUint(string(data[8:12]), 16, 16)
			if r := utf16.DecodeRune(rune(high), rune(low)); r != utf8.RuneError {
				out, data = utf8.AppendRune(out, r), data[12:]
				continue
			}
		}
		n := 1
		if data[0] == '\\' {
			n = 2 // the character behind begins no escape of its own
		}
		out, data = append(out, data[:n]...), data[n:]
	}
	return out
}

// reader turns the nodes of the YAML library into ours. It reads one document. It is used once and
// by one goroutine.
type reader struct {
	open      map[*yaml.Node]bool // anchors being read: one inside itself has no end
	count     int
	maxValues int
	tooMuch   bool
	expanding int // aliases around the value at hand: its problems are known from the anchor
	problems  []Problem
	more      int // problems that are only counted
}

// problem reports once what is wrong with an anchor, however often it is used. An anchor's value is
// read again at each alias; without this, one mistake would be reported a thousand times and hide
// all others.
func (r *reader) problem(n *Node, format string, args ...any) {
	switch {
	case r.expanding > 0:
	case len(r.problems) == maxProblems:
		r.more++
	default:
		r.problems = append(r.problems, Problem{n.Line, n.Column, n.Pointer, fmt.Sprintf(format, args...)})
	}
}

// reported returns the problems, with the number of those that are only counted.
func (r *reader) reported() []Problem {
	if r.more == 0 {
		return r.problems
	}
	return append(r.problems, Problem{Message: fmt.Sprintf("… and %d more of this kind", r.more)})
}

// at makes a node at the place of another. The new node has no value yet, so it is null until one
// is read into it.
func at(n *yaml.Node, pointer string) *Node {
	return &Node{Pointer: pointer, Line: n.Line, Column: n.Column}
}

// read turns a value and everything below it into nodes. It returns a node in any case. Once too
// much was read it descends no further, and Parse drops the tree.
func (r *reader) read(n *yaml.Node, pointer string, depth int) *Node {
	r.count++
	if r.count > r.maxValues || depth > maxDepth {
		r.tooMuch = true
	}
	out := at(n, pointer)
	if r.tooMuch {
		return out
	}
	// An anchor is open while its own value is read: an alias to it in there would never end.
	if n.Anchor != "" {
		r.open[n] = true
		defer delete(r.open, n)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		r.readScalar(out, n)
	case yaml.MappingNode:
		r.readMap(out, n.Content, depth)
	case yaml.SequenceNode:
		out.Kind = List
		for i, item := range n.Content {
			out.Items = append(out.Items, r.read(item, pointer+"/"+strconv.Itoa(i), depth+1))
		}
	case yaml.AliasNode:
		return r.readAlias(n, out, depth)
	default:
		r.problem(out, "this cannot stand here")
	}
	// A tag could make a text anything, such as binary data or a type of another language. Only
	// !!str is of use, to keep a number text.
	if tag := n.ShortTag(); n.Style&yaml.TaggedStyle != 0 && (tag != "!!str" || n.Kind != yaml.ScalarNode) {
		r.problem(out, "tags such as %s are not used here", Shorten(tag))
	}
	return out
}

// readScalar knows text, numbers, true, false and null. !!str makes a number text; dates are text,
// as JSON has no other form of them. An empty value is null and stays nil, as Node's zero value.
func (r *reader) readScalar(out *Node, n *yaml.Node) {
	switch n.ShortTag() {
	case "!!null":
	case "!!bool":
		out.Value = strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		r.number(out, n)
	default:
		out.Value = n.Value
	}
}

// number keeps a number as the float64 that JSON and ECMAScript have, and as it is written. It
// keeps the text, since 0123 and +4930 are numbers to YAML that people mean as text; callers can
// warn.
func (r *reader) number(out *Node, n *yaml.Node) {
	var value any
	err := n.Decode(&value)
	var f float64
	switch v := value.(type) {
	case int:
		f = float64(v)
	case int64:
		f = float64(v)
	case uint64:
		f = float64(v)
	case float64:
		f = v
	}
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		r.problem(out, "is not a finite number")
		f = 0
	}
	out.Value, out.Raw = f, n.Value
}

// readAlias reads the anchor's value again, so that its pointers are those of the place where it is
// used. The values inside keep the lines where they are written, as that is where people correct
// them.
func (r *reader) readAlias(n *yaml.Node, out *Node, depth int) *Node {
	if r.open[n.Alias] {
		r.problem(out, "*%s stands inside &%s itself", Shorten(n.Value), Shorten(n.Value))
		return out
	}
	r.expanding++
	defer func() { r.expanding-- }()
	read := r.read(n.Alias, out.Pointer, depth)
	read.Line, read.Column = out.Line, out.Column
	return read
}

// readMap keeps the first of two equal keys and reports the second. content holds keys and values
// in turn. Values after a duplicate are not read: they would report problems at a place that does
// not count.
func (r *reader) readMap(out *Node, content []*yaml.Node, depth int) {
	out.Kind = Map
	// Merged keys come last, however early << stands: what is written in the mapping itself wins.
	var merged []*Node
	taken := make(map[string]bool, len(content)/2)
	for i := 0; i+1 < len(content) && !r.tooMuch; i += 2 {
		name, value := content[i], content[i+1]
		if name.ShortTag() == "!!merge" {
			merged = append(merged, r.readMerged(value, out.Pointer, depth)...)
			continue
		}
		// A key is text, however it looks.
		key := Key{name.Value, at(name, out.Pointer+"/"+EscapePointer(name.Value))}
		switch {
		case name.Kind != yaml.ScalarNode:
			r.problem(key.At, "a key must be text")
		case taken[key.Name]:
			r.problem(key.At, "%q is given twice", Shorten(key.Name))
		default:
			taken[key.Name] = true
			out.add(key, r.read(value, key.At.Pointer, depth+1))
		}
	}
	for _, from := range merged {
		if from.Kind != Map {
			r.problem(from, "<< takes a mapping")
			continue
		}
		for i, key := range from.Keys {
			if !taken[key.Name] { // what is written here wins over what is merged in
				taken[key.Name] = true
				out.add(key, from.Items[i])
			}
		}
	}
}

// readMerged reads the mapping under <<, or each of a list of mappings, as if it stood at pointer.
func (r *reader) readMerged(n *yaml.Node, pointer string, depth int) []*Node {
	if n.Kind != yaml.SequenceNode {
		return []*Node{r.read(n, pointer, depth+1)}
	}
	out := make([]*Node, 0, len(n.Content))
	for _, item := range n.Content {
		out = append(out, r.read(item, pointer, depth+1))
	}
	return out
}
