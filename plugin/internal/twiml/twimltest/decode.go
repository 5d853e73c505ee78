// Package twimltest reads TwiML back, for tests. It accepts only what package twiml writes, so that
// a test that decodes an answer also proves that the answer stays within the closed set of verbs.
//
//	decode.go   bytes to documents
package twimltest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/livecallrouting/livecall/plugin/internal/twiml"
)

// element is one XML element before its name is looked at.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []element
}

// Decode reads a document. Unknown verbs, attributes, nesting and values are errors.
func Decode(data []byte) (twiml.Document, error) {
	root, err := parse(data)
	if err != nil {
		return twiml.Document{}, err
	}
	if root.name != "Response" || len(root.attrs) > 0 || root.text != "" {
		return twiml.Document{}, fmt.Errorf("root <%s>: must be a plain <Response>", root.name)
	}
	verbs, err := verbsOf(root.children)
	return twiml.Document{Verbs: verbs}, err
}

// parse reads one well-formed document. The standard library's decoder accepts several roots, so
// they are counted here.
func parse(data []byte) (element, error) {
	if !bytes.HasPrefix(data, []byte("<?xml")) {
		return element{}, errors.New("document must start with the XML declaration")
	}
	dec := xml.NewDecoder(bytes.NewReader(data))
	var stack []element
	var root *element
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return element{}, fmt.Errorf("not well-formed: %w", err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if root != nil && len(stack) == 0 {
				return element{}, errors.New("more than one root")
			}
			stack = append(stack, element{name: t.Name.Local, attrs: t.Attr})
		case xml.EndElement:
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if len(e.children) > 0 {
				e.text = strings.TrimSpace(e.text)
			}
			if len(stack) == 0 {
				root = &e
			} else {
				p := &stack[len(stack)-1]
				p.children = append(p.children, e)
			}
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	if root == nil {
		return element{}, errors.New("no root element")
	}
	return *root, nil
}

func verbsOf(es []element) ([]twiml.Verb, error) {
	var out []twiml.Verb
	for _, e := range es {
		v, err := verbOf(e)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// reader takes attributes off an element and collects errors. What is left at the end is unknown.
type reader struct {
	e    element
	left map[string]string
	errs []error
}

func newReader(e element) *reader {
	r := &reader{e: e, left: map[string]string{}}
	for _, a := range e.attrs {
		if _, twice := r.left[a.Name.Local]; twice {
			r.fail("attribute %s is given twice", a.Name.Local)
		}
		r.left[a.Name.Local] = a.Value
	}
	return r
}

func (r *reader) fail(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("<"+r.e.name+">: "+format, args...))
}

func (r *reader) str(name string) string {
	v := r.left[name]
	delete(r.left, name)
	return v
}

func (r *reader) ptr(name string) *string {
	v, ok := r.left[name]
	delete(r.left, name)
	if !ok {
		return nil
	}
	return &v
}

func (r *reader) num(name string) int {
	v, ok := r.left[name]
	if !ok {
		return 0
	}
	delete(r.left, name)
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		r.fail("%s %q is not a positive number", name, v)
	}
	return n
}

func (r *reader) fixed(name, want string) {
	if v := r.str(name); v != want {
		r.fail("%s is %q, must be %q", name, v, want)
	}
}

func (r *reader) flag(name string) bool {
	switch v, ok := r.left[name]; {
	case !ok:
		return false
	case v == "true":
		delete(r.left, name)
		return true
	default:
		r.fail("%s %q: only true is written", name, v)
		delete(r.left, name)
		return false
	}
}

func (r *reader) done(text, children bool) error {
	for name := range r.left {
		r.fail("attribute %s is unknown", name)
	}
	if !text && strings.TrimSpace(r.e.text) != "" {
		r.fail("text %q is not allowed", r.e.text)
	}
	if !children && len(r.e.children) > 0 {
		r.fail("<%s> is not allowed inside", r.e.children[0].name)
	}
	return errors.Join(r.errs...)
}

func verbOf(e element) (twiml.Verb, error) {
	r := newReader(e)
	switch e.name {
	case "Say":
		return twiml.Say{Voice: r.str("voice"), Language: r.str("language"), Text: e.text}, r.done(true, false)
	case "Play":
		return twiml.Play{URL: e.text}, r.done(true, false)
	case "Pause":
		return twiml.Pause{Seconds: r.num("length")}, r.done(false, false)
	case "Gather":
		return decodeGather(r)
	case "Enqueue":
		r.fixed("method", "POST")
		r.fixed("waitUrlMethod", "POST")
		return twiml.Enqueue{Action: r.str("action"), WaitURL: r.str("waitUrl"), Name: e.text}, r.done(true, false)
	case "Leave":
		return twiml.Leave{}, r.done(false, false)
	case "Redirect":
		r.fixed("method", "POST")
		return twiml.Redirect{URL: e.text}, r.done(true, false)
	case "Hangup":
		return twiml.Hangup{}, r.done(false, false)
	case "Reject":
		reason := r.str("reason")
		if reason != "" && reason != "busy" {
			r.fail("reason %q is unknown", reason)
		}
		return twiml.Reject{Busy: reason == "busy"}, r.done(false, false)
	case "Record":
		return decodeRecord(r)
	case "Dial":
		return decodeDial(r)
	}
	return nil, fmt.Errorf("<%s> is not a verb of package twiml", e.name)
}

func decodeGather(r *reader) (twiml.Verb, error) {
	r.fixed("input", "dtmf")
	r.fixed("method", "POST")
	v := twiml.Gather{
		Action: r.str("action"), Timeout: r.num("timeout"), NumDigits: r.num("numDigits"),
		FinishOnKey: r.ptr("finishOnKey"), ActionOnEmptyResult: r.flag("actionOnEmptyResult"),
	}
	var err error
	v.Nested, err = verbsOf(r.e.children)
	return v, errors.Join(err, r.done(false, true))
}

func decodeRecord(r *reader) (twiml.Verb, error) {
	r.fixed("method", "POST")
	r.fixed("playBeep", "true")
	v := twiml.Record{
		Action: r.str("action"), MaxLength: r.num("maxLength"), Timeout: r.num("timeout"), FinishOnKey: r.str("finishOnKey"),
		StatusCallback: r.str("recordingStatusCallback"), Transcribe: r.flag("transcribe"), TranscribeCallback: r.str("transcribeCallback"),
	}
	if v.StatusCallback != "" {
		r.fixed("recordingStatusCallbackMethod", "POST")
		v.StatusEvents = strings.Fields(r.str("recordingStatusCallbackEvent"))
	}
	return v, r.done(false, false)
}

func decodeDial(r *reader) (twiml.Verb, error) {
	r.fixed("method", "POST")
	v := twiml.Dial{Action: r.str("action"), Timeout: r.num("timeout")}
	if len(r.e.children) != 1 || r.e.children[0].name != "Queue" {
		r.fail("must hold exactly one <Queue>")
		return v, r.done(false, true)
	}
	q := newReader(r.e.children[0])
	q.fixed("method", "POST")
	v.Queue = twiml.Queue{Name: q.e.text, URL: q.str("url")}
	return v, errors.Join(q.done(true, false), r.done(false, true))
}
