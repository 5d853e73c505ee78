// Package yamltree reads a YAML document as a tree whose values know where they stand, so that
// everything that is wrong with a document can be reported with line and column. The switchboard
// file and router rules share it. JSON is YAML too.
//
//	yamltree.go  Node and how to find one
//	read.go      the document as a tree, within limits
package yamltree

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Kind is the kind of a [Node].
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	Map
	List
)

// Node is a value that remembers where it stands. It is not changed after Parse, so goroutines may
// share a tree.
type Node struct {
	Kind    Kind
	Line    int     // from 1; 0: not known
	Column  int     // from 1
	Pointer string  // JSON pointer from the document's root
	Value   any     // of a scalar: nil, bool, float64 or string
	Raw     string  // of a number: as it is written
	Keys    []Key   // of a map, in the order of the document, merged ones last
	Items   []*Node // of a list; of a map: the values, by Keys

	numbers map[string]int // of a map: the numbers of its keys
}

// Key is a key of a map. At knows its place and the pointer of its value.
type Key struct {
	Name string
	At   *Node
}

// add appends a key that map n does not have. The index is kept beside the order, as a map may have
// thousands of keys. The caller has made sure that the key is new.
func (n *Node) add(key Key, value *Node) {
	if n.numbers == nil {
		n.numbers = map[string]int{}
	}
	n.numbers[key.Name] = len(n.Keys)
	n.Keys = append(n.Keys, key)
	n.Items = append(n.Items, value)
}

// Child returns the value under a key; nil when there is none. A nil node has no children.
func (n *Node) Child(name string) *Node {
	if n == nil {
		return nil
	}
	if i, ok := n.numbers[name]; ok {
		return n.Items[i]
	}
	return nil
}

// Find returns the value at a pointer below n; nil when there is none.
func (n *Node) Find(pointer string) *Node {
	found, exact := n.nearest(pointer)
	if !exact {
		return nil
	}
	return found
}

// Nearest returns the value at a pointer below n, or what is nearest around it.
func (n *Node) Nearest(pointer string) *Node {
	found, _ := n.nearest(pointer)
	return found
}

// nearest follows a pointer as far as it leads. found is never nil if n is not: for a pointer that
// leads nowhere it is the last value on the way, which is where a person must look.
func (n *Node) nearest(pointer string) (found *Node, exact bool) {
	for _, part := range SplitPointer(pointer) {
		next := n.Child(part)
		if i, err := strconv.Atoi(part); n.Kind == List && err == nil && i >= 0 && i < len(n.Items) {
			next = n.Items[i]
		}
		if next == nil {
			return n, false
		}
		n = next
	}
	return n, true
}

// KeyAt returns the place of a key of map n, or of n when it has no such key.
func (n *Node) KeyAt(name string) *Node {
	if i, ok := n.numbers[name]; ok {
		return n.Keys[i].At
	}
	return n
}

// Has reports whether map n has a key.
func (n *Node) Has(name string) bool { return n.Child(name) != nil }

// Plain returns the value as encoding/json would decode it: maps, lists, text, float64, bool, nil.
// Schema validators and decoders take such values; places are lost in it.
func (n *Node) Plain() any {
	switch n.Kind {
	case Map:
		m := make(map[string]any, len(n.Keys))
		for i, k := range n.Keys {
			m[k.Name] = n.Items[i].Plain()
		}
		return m
	case List:
		l := make([]any, len(n.Items))
		for i, item := range n.Items {
			l[i] = item.Plain()
		}
		return l
	case Scalar:
	}
	return n.Value
}

// JSON returns the value as JSON.
func (n *Node) JSON() []byte {
	text, err := json.Marshal(n.Plain())
	if err != nil { // never: the reader lets only finite numbers in
		return []byte("null")
	}
	return text
}

// Measure returns how many values n has, itself included, and how deep they are nested. A scalar
// has a depth of 1.
func (n *Node) Measure() (values, depth int) {
	for _, item := range n.Items {
		v, d := item.Measure()
		values, depth = values+v, max(depth, d)
	}
	return values + 1, depth + 1
}

// Show writes the value for a message, cut after 60 characters. A mapping or a list is only named:
// quoting it would fill the message.
func (n *Node) Show() string {
	switch n.Kind {
	case Map:
		return "a mapping"
	case List:
		return "a list"
	case Scalar:
	}
	switch v := n.Value.(type) {
	case nil:
		return "nothing"
	case string:
		return strconv.Quote(Shorten(v))
	default:
		return fmt.Sprint(v)
	}
}

// Shorten cuts a text of the document for a message, after 60 characters. It counts characters and
// cuts between them, so a message stays valid text.
func Shorten(text string) string {
	n := 0
	for i := range text {
		if n++; n > 60 {
			return text[:i] + "…"
		}
	}
	return text
}

// SplitPointer returns the unescaped parts of a JSON pointer (RFC 6901). The empty pointer is the
// root and has no parts.
func SplitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i, p := range parts {
		parts[i] = unescape.Replace(p)
	}
	return parts
}

// EscapePointer writes a key as a part of a JSON pointer.
func EscapePointer(key string) string { return escape.Replace(key) }

var (
	// A replacer goes through the text once, so that ~01 becomes ~1 and not /.
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)
