package twiml

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

// ContentType is the media type of every document (Twilio docs: voice/twiml).
const ContentType = "text/xml; charset=utf-8"

// element is an XML element. The encoder is written by hand, because encoding/xml does not write
// empty elements in their short form, and people read these documents in golden files and in
// Twilio's console.
type element struct {
	name     string
	attrs    []attr
	text     string
	children []element
}

// attr is one attribute. They are kept in the order in which they were set, so that a document
// always has the same bytes: golden files and the fallback templates rely on it.
type attr struct{ name, value string }

// set adds an attribute, also with an empty value: an empty finishOnKey is not the same as none,
// which would mean the pound key (Twilio docs: voice/twiml/gather).
func (e *element) set(name, value string) { e.attrs = append(e.attrs, attr{name, value}) }

// setIf adds an attribute unless it is empty: Twilio's default applies then.
func (e *element) setIf(name, value string) {
	if value != "" {
		e.set(name, value)
	}
}

// setInt adds a number unless it is 0, which stands for Twilio's default everywhere in this
// package.
func (e *element) setInt(name string, value int) {
	if value != 0 {
		e.set(name, strconv.Itoa(value))
	}
}

func (v Say) element() element {
	e := element{name: "Say", text: v.Text}
	e.setIf("voice", v.Voice)
	e.setIf("language", v.Language)
	return e
}

func (v Play) element() element { return element{name: "Play", text: v.URL} }

func (v Pause) element() element {
	e := element{name: "Pause"}
	e.setInt("length", v.Seconds)
	return e
}

// element implements Verb. The method is always written, here and below: POST is Twilio's default,
// but a reader of the console should not have to know it.
func (v Gather) element() element {
	e := element{name: "Gather", children: elements(v.Nested)}
	e.set("input", "dtmf")
	e.set("action", v.Action)
	e.set("method", http.MethodPost)
	e.setInt("timeout", v.Timeout)
	e.setInt("numDigits", v.NumDigits)
	if v.FinishOnKey != nil {
		e.set("finishOnKey", *v.FinishOnKey)
	}
	if v.ActionOnEmptyResult {
		e.set("actionOnEmptyResult", "true")
	}
	return e
}

func (v Enqueue) element() element {
	e := element{name: "Enqueue", text: v.Name}
	e.set("action", v.Action)
	e.set("method", http.MethodPost)
	e.set("waitUrl", v.WaitURL)
	e.set("waitUrlMethod", http.MethodPost)
	return e
}

func (Leave) element() element { return element{name: "Leave"} }

func (v Redirect) element() element {
	e := element{name: "Redirect", text: v.URL}
	e.set("method", http.MethodPost)
	return e
}

func (Hangup) element() element { return element{name: "Hangup"} }

func (v Reject) element() element {
	e := element{name: "Reject"}
	if v.Busy {
		e.set("reason", "busy")
	}
	return e
}

func (v Record) element() element {
	e := element{name: "Record"}
	e.set("action", v.Action)
	e.set("method", http.MethodPost)
	e.setInt("maxLength", v.MaxLength)
	e.setInt("timeout", v.Timeout)
	e.set("finishOnKey", v.FinishOnKey)
	e.set("playBeep", "true")
	if v.StatusCallback != "" {
		e.set("recordingStatusCallback", v.StatusCallback)
		e.set("recordingStatusCallbackMethod", http.MethodPost)
		e.setIf("recordingStatusCallbackEvent", strings.Join(v.StatusEvents, " "))
	}
	if v.Transcribe {
		e.set("transcribe", "true")
		e.setIf("transcribeCallback", v.TranscribeCallback)
	}
	return e
}

func (v Dial) element() element {
	e := element{name: "Dial"}
	e.set("action", v.Action)
	e.set("method", http.MethodPost)
	e.setInt("timeout", v.Timeout)
	q := element{name: "Queue", text: v.Queue.Name}
	q.set("url", v.Queue.URL)
	q.set("method", http.MethodPost)
	e.children = []element{q}
	return e
}

func elements(verbs []Verb) []element {
	var out []element
	for _, v := range verbs {
		out = append(out, v.element())
	}
	return out
}

// documentSize has room for most documents, in bytes.
const documentSize = 1 << 10

// Bytes writes the document without checking it, for fixed documents and for templates in which a
// mark stands for a URL. Everything else goes through [Document.Encode]. Characters that XML cannot
// hold become U+FFFD.
func (d Document) Bytes() []byte {
	var b bytes.Buffer
	b.Grow(documentSize)
	b.WriteString(xml.Header)
	write(&b, element{name: "Response", children: elements(d.Verbs)}, "")
	return b.Bytes()
}

// write appends an element and what is in it, one element a line. An element has either children or
// text, never both: indentation next to a text would become part of it.
func write(b *bytes.Buffer, e element, indent string) {
	b.WriteString(indent + "<" + e.name)
	for _, a := range e.attrs {
		b.WriteString(" " + a.name + `="`)
		escape(b, a.value)
		b.WriteByte('"')
	}
	switch {
	case len(e.children) > 0:
		b.WriteString(">\n")
		for _, c := range e.children {
			write(b, c, indent+"  ")
		}
		b.WriteString(indent + "</" + e.name + ">\n")
	case e.text != "":
		b.WriteByte('>')
		escape(b, e.text)
		b.WriteString("</" + e.name + ">\n")
	default:
		b.WriteString("/>\n")
	}
}

// escape serves texts and attributes alike: it also escapes quotation marks and line ends.
func escape(b *bytes.Buffer, s string) {
	if isPlain(s) {
		b.WriteString(s)
		return
	}
	_ = xml.EscapeText(b, []byte(s)) // a bytes.Buffer does not fail
}

// isPlain reports whether a text is ASCII without anything to escape.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			return false
		}
	}
	return true
}
