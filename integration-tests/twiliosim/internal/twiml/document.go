// Package twiml reads TwiML and validates it by a closed table of verbs and attributes. It shares
// no code with the program under test, so that the two cannot agree on something that Twilio does
// not have.
//
//	document.go  text to a tree
//	grammar.go   the table of verbs and attributes
//	check.go     checks of attribute values
//	validate.go  validating a tree by the table; which verbs a document may hold
package twiml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
)

// Node is one element of a TwiML document.
type Node struct {
	Name     string
	Attrs    map[string]string
	Children []*Node
	Text     string // character data outside children, trimmed
	// Fatal is what ends the document once the element is reached; nil: nothing.
	Fatal *problem.Problem

	spoken string // character data inside, children's too, in order
}

// Attr returns an attribute's value, or fallback if the element does not have it.
func (n *Node) Attr(name, fallback string) string {
	if v, ok := n.Attrs[name]; ok {
		return v
	}
	return fallback
}

// Seconds returns an attribute's value as a time, or fallback, in seconds, without one.
func (n *Node) Seconds(name string, fallback int) time.Duration {
	return time.Duration(n.Int(name, fallback)) * time.Second
}

// Int returns an attribute's value as a number, or fallback without one.
func (n *Node) Int(name string, fallback int) int {
	if v, err := strconv.Atoi(n.Attrs[name]); err == nil {
		return v
	}
	return fallback
}

// AllText returns the text of the element and of everything inside, with single spaces: what a
// <Say> speaks.
func (n *Node) AllText() string { return strings.Join(strings.Fields(n.spoken), " ") }

// LargestDocument is the size limit of a fetched document, in bytes. Source: Twilio docs,
// api/errors/11750.
const LargestDocument = 64 << 10

// Parse reads a document. Its error is a *problem.Problem. Source of the rules: Twilio docs,
// api/errors/12100.
func Parse(body []byte) (*Node, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &problem.Problem{Code: 11770, Text: "empty document"}
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if i := bytes.Index(body, []byte("<?xml")); i > 0 { // Go's decoder accepts that
		return nil, malformed("text before <?xml")
	}
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") {
			return in, nil
		}
		return nil, fmt.Errorf("encoding %q: want UTF-8", charset)
	}
	var b builder
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformed("document is not well-formed: " + err.Error())
		}
		if p := b.add(tok); p != nil {
			return nil, p
		}
	}
	switch {
	case b.root == nil:
		return nil, malformed("no root element")
	case b.root.Name != "Response":
		return nil, malformed(fmt.Sprintf("root element is <%s>, want <Response>", b.root.Name))
	}
	trim(b.root)
	return b.root, nil
}

// malformed is Twilio's error for what is no document at all.
func malformed(text string) *problem.Problem { return &problem.Problem{Code: 12100, Text: text} }

// builder makes a tree of tokens.
type builder struct {
	root *Node
	open []*Node // elements that have not ended, outermost first
}

// add takes the next token.
func (b *builder) add(tok xml.Token) *problem.Problem {
	switch t := tok.(type) {
	case xml.StartElement:
		return b.start(t)
	case xml.EndElement:
		b.open = b.open[:len(b.open)-1]
	case xml.CharData:
		if len(b.open) == 0 {
			if len(bytes.TrimSpace(t)) > 0 {
				return malformed("text outside the root element")
			}
			return nil
		}
		b.open[len(b.open)-1].Text += string(t)
		for _, n := range b.open {
			n.spoken += string(t) + " "
		}
	}
	return nil
}

// start opens an element.
func (b *builder) start(t xml.StartElement) *problem.Problem {
	n := &Node{Name: qualified(t.Name), Attrs: map[string]string{}}
	for _, a := range t.Attr {
		name := qualified(a.Name)
		if _, twice := n.Attrs[name]; twice { // which Go's decoder does not object to
			return malformed(fmt.Sprintf("document is not well-formed: attribute %q twice", name))
		}
		n.Attrs[name] = a.Value
	}
	switch {
	case len(b.open) > 0:
		parent := b.open[len(b.open)-1]
		parent.Children = append(parent.Children, n)
	case b.root != nil:
		return malformed("more than one root element")
	default:
		b.root = n
	}
	b.open = append(b.open, n)
	return nil
}

// qualified is a name with its namespace: such an element is none that Twilio knows.
func qualified(name xml.Name) string {
	if name.Space != "" {
		return name.Space + ":" + name.Local
	}
	return name.Local
}

// trim removes the white space around the text of all elements.
func trim(n *Node) {
	n.Text = strings.TrimSpace(n.Text)
	for _, c := range n.Children {
		trim(c)
	}
}
