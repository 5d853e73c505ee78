package twiliosim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// node is one element of a TwiML document.
type node struct {
	name     string
	attrs    map[string]string
	children []*node
	text     string   // character data outside children, trimmed
	spoken   string   // character data inside, children's too, in order
	fault    *problem // what is fatally wrong with it, once it is reached
}

func (n *node) attr(name, fallback string) string {
	if v, ok := n.attrs[name]; ok {
		return v
	}
	return fallback
}

// allText is the text of the element and everything inside, with single spaces: what a <Say> speaks.
func (n *node) allText() string { return strings.Join(strings.Fields(n.spoken), " ") }

// largestDocument is the size limit of a fetched document. Source: Twilio docs, api/errors/11750.
const largestDocument = 64 << 10

// parseTwiML reads a document. Source of the rules: Twilio docs, api/errors/12100.
func parseTwiML(body []byte) (*node, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &problem{code: 11770, text: "empty document"}
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if i := bytes.Index(body, []byte("<?xml")); i > 0 {
		return nil, &problem{code: 12100, text: "text before <?xml"}
	}
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") {
			return in, nil
		}
		return nil, fmt.Errorf("encoding %q: want UTF-8", charset)
	}
	var root *node
	var open []*node
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, &problem{code: 12100, text: "document is not well-formed: " + err.Error()}
		}
		switch t := tok.(type) {
		case xml.StartElement:
			n := &node{name: t.Name.Local, attrs: map[string]string{}}
			if t.Name.Space != "" {
				n.name = t.Name.Space + ":" + t.Name.Local
			}
			for _, a := range t.Attr {
				name := a.Name.Local
				if a.Name.Space != "" {
					name = a.Name.Space + ":" + name
				}
				if _, twice := n.attrs[name]; twice {
					return nil, &problem{code: 12100, text: fmt.Sprintf("document is not well-formed: attribute %q twice", name)}
				}
				n.attrs[name] = a.Value
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, n)
			case root != nil:
				return nil, &problem{code: 12100, text: "more than one root element"}
			default:
				root = n
			}
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
				for _, n := range open {
					n.spoken += string(t) + " "
				}
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, &problem{code: 12100, text: "text outside the root element"}
			}
		}
	}
	if root == nil {
		return nil, &problem{code: 12100, text: "no root element"}
	}
	if root.name != "Response" {
		return nil, &problem{code: 12100, text: fmt.Sprintf("root element is <%s>, want <Response>", root.name)}
	}
	trim(root)
	return root, nil
}

func trim(n *node) {
	n.text = strings.TrimSpace(n.text)
	for _, c := range n.children {
		trim(c)
	}
}

// document is a TwiML document in execution.
type document struct {
	root *node
	base *url.URL // of relative URLs; nil: the document came inline by REST
	mode mode
	// liveUpdate: it is the first document after a REST update of a live call.
	liveUpdate bool
}

// mode is where a document runs, which decides the verbs it may hold.
type mode int

const (
	modeCall     mode = iota // the call's own document
	modeWait                 // waitUrl of an Enqueue
	modeWhisper              // url of a Number
	modeAnnounce             // url of a Queue
)

func (m mode) String() string {
	return [...]string{"call", "waitUrl", "whisper", "queue announcement"}[m]
}

// resolve makes an absolute URL of one that stands in this document.
func (d *document) resolve(ref string) (string, error) {
	ref = strings.TrimSpace(ref)
	u, err := url.Parse(ref)
	if err != nil {
		return "", &problem{code: 11100, text: "invalid URL", url: ref}
	}
	if u.IsAbs() {
		if (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
			return "", &problem{code: 11100, text: "invalid URL", url: ref}
		}
		if strings.Contains(u.Hostname(), "_") {
			return "", &problem{code: 11100, text: "invalid URL: underscore in the host name", url: ref}
		}
		return ref, nil
	}
	if d.base == nil {
		return "", &problem{code: 15004, text: "relative URL in TwiML given by REST: an absolute one is needed", url: ref}
	}
	out := d.base.ResolveReference(u)
	if ref == "" {
		out = d.base
	}
	return out.String(), nil
}
