package twiml

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
)

// Mode is where a document runs, which decides the verbs it may hold.
type Mode int

// The modes.
const (
	ModeCall     Mode = iota // the call's own document
	ModeWait                 // waitUrl of an Enqueue
	ModeWhisper              // url of a Number
	ModeAnnounce             // url of a Queue
)

// String names the mode in problems.
func (m Mode) String() string {
	return [...]string{"call", "waitUrl", "whisper", "queue announcement"}[m]
}

// allowed lists the verbs by where the document runs. Source: Twilio docs, voice/twiml/enqueue
// (waitUrl), voice/twiml/number (url), voice/twiml/queue (url). Redirect in a whisper works
// although its page does not list it.
var allowed = map[Mode][]string{
	ModeWait:     {"Play", "Say", "Pause", "Hangup", "Redirect", "Leave", "Gather"},
	ModeWhisper:  {"Play", "Say", "Pause", "Gather", "Hangup", "Redirect"},
	ModeAnnounce: {"Play", "Say", "Pause", "Redirect"},
}

// Allows reports whether a document of this mode may hold a verb.
func (m Mode) Allows(verb string) bool {
	list, limited := allowed[m]
	return !limited || slices.Contains(list, verb)
}

// Simulated reports whether the simulator executes a verb or noun.
func Simulated(name string) bool { return grammar[name].simulated }

// ignored are attributes that Twilio has and this simulator does nothing about. A program that
// relies on one would only seem to work, so each use is a violation.
var ignored = []string{"partialResultCallback", "partialResultCallbackMethod", "referUrl", "referMethod", "reservationSid",
	"postWorkActivitySid", "workflowSid", "byoc", "passports", "events"}

// Validate checks a document by the table and returns all that is wrong with it, top to bottom.
// Unknown elements and attributes, and wrong values that have a default, are warnings: they are
// removed from the tree, as Twilio skips them. What is fatal stays, as Node.Fatal.
func Validate(root *Node) []*problem.Problem {
	var v validator
	v.element(root, grammar["Response"])
	return v.found
}

// Lint returns all that Twilio would object to in a document, one objection a line; nil if it is
// correct.
func Lint(body []byte) []string {
	root, err := Parse(body)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, p := range Validate(root) {
		out = append(out, p.Error())
	}
	return out
}

// validator collects what is wrong.
type validator struct {
	found []*problem.Problem
}

// warn notes what Twilio skips.
func (v *validator) warn(code int, format string, args ...any) {
	v.found = append(v.found, &problem.Problem{Code: code, Warning: true, Text: fmt.Sprintf(format, args...)})
}

// fatal notes what ends the document when its element is reached.
func (v *validator) fatal(n *Node, code int, format string, args ...any) {
	p := &problem.Problem{Code: code, Text: fmt.Sprintf(format, args...)}
	v.found = append(v.found, p)
	if n.Fatal == nil {
		n.Fatal = p
	}
}

// element checks an element and all inside, and removes what Twilio would skip.
func (v *validator) element(n *Node, rule verb) {
	v.attributes(n, rule)
	if n.Text != "" && !rule.text {
		v.warn(12200, "<%s> holds text %.40q", n.Name, n.Text)
	}
	kept := n.Children[:0]
	for _, c := range n.Children {
		if !slices.Contains(rule.children, c.Name) {
			v.warn(misplacedCode(n.Name), "<%s> inside <%s>", c.Name, n.Name)
			continue
		}
		kept = append(kept, c)
		if inner, ok := grammar[c.Name]; ok && inner.simulated {
			v.element(c, inner)
		}
	}
	n.Children = kept
	v.content(n)
}

// misplacedCode is the code of an element that another may not hold.
func misplacedCode(parent string) int {
	switch parent {
	case "Gather":
		return 13320
	case "Dial":
		return 13215
	}
	return 12200
}

// attributes checks names and values. Names are taken in order, so that findings are the same each
// time.
func (v *validator) attributes(n *Node, rule verb) {
	for _, name := range slices.Sorted(maps.Keys(n.Attrs)) {
		if strings.HasPrefix(name, "xmlns") || strings.Contains(name, "schemaLocation") || strings.HasPrefix(name, "xml:") {
			continue
		}
		a, known := rule.attrs[name]
		if !known {
			v.warn(12200, "<%s> has no attribute %q", n.Name, name)
			delete(n.Attrs, name)
			continue
		}
		if slices.Contains(ignored, name) {
			v.warn(0, "twiliosim does nothing about <%s %s>", n.Name, name)
		}
		value := n.Attrs[name]
		switch bad := a.check(value); {
		case bad == "":
		case a.fatal:
			v.fatal(n, a.code, "<%s %s=%q>: %s", n.Name, name, value, bad)
		default:
			v.warn(a.code, "<%s %s=%q>: %s", n.Name, name, value, bad)
			delete(n.Attrs, name)
		}
	}
}

// content checks what an element holds.
func (v *validator) content(n *Node) {
	length := len([]rune(n.Text))
	switch n.Name {
	case "Gather":
		for _, c := range n.Children {
			if c.Name == "Play" && c.Attrs["digits"] != "" {
				v.warn(13320, "<Play digits> inside <Gather>")
			}
		}
	case "Say":
		v.words(n)
	case "Enqueue":
		switch {
		case len(n.Children) > 0:
			v.fatal(n, 0, "twiliosim does not simulate <Task>")
		case n.Text == "":
			v.fatal(n, 14204, "<Enqueue> without a queue name")
		case length > longestQueueName:
			v.fatal(n, 14205, "<Enqueue> queue name has %d characters, at most %d", length, longestQueueName)
		}
	case "Queue":
		switch {
		case n.Text == "":
			v.fatal(n, 14212, "<Queue> without a name")
		case length > longestQueueName:
			v.fatal(n, 14213, "<Queue> name has %d characters, at most %d", length, longestQueueName)
		}
	}
}

// longestQueueName is in characters. Source: Twilio docs, api/errors/14205.
const longestQueueName = 64

// words checks what a <Say> speaks. Source of the limits: Twilio docs, voice/twiml/say.
func (v *validator) words(n *Node) {
	limit := 4096
	if strings.HasPrefix(n.Attrs["voice"], "Polly.") || strings.HasPrefix(n.Attrs["voice"], "Google.") {
		limit = 3000
	}
	text := n.AllText()
	if text == "" {
		v.warn(13520, "<Say> without words")
	}
	if k := len([]rune(text)); k > limit {
		v.warn(13521, "<Say> has %d characters, at most %d", k, limit)
	}
}
