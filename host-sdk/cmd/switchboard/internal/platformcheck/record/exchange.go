package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/platform/remote/wire"
)

// Exchange is a request and what came back. It is not changed once it was recorded.
type Exchange struct {
	number    int
	try       string // Livecall-Request-Id
	Operation string // of the OpenAPI document; "": none
	Method    string
	Target    string // path below the base URL, and query
	Sent      []byte
	Status    int // 0: no answer
	Header    http.Header
	Body      []byte
	Err       error
	Begun     time.Time
	Took      time.Duration
	Reused    bool // an earlier request's connection
}

// Read reads an answer's body; false if it was none. Members that T does not have are passed over.
func Read[T any](x *Exchange) (out T, ok bool) {
	return out, x.Err == nil && x.Status == http.StatusOK && json.Unmarshal(x.Body, &out) == nil
}

// Text is the exchange for people, without the token. Long bodies are cut.
func (x *Exchange) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", x.Method, ownIntegration.ReplaceAllString(x.Target, "${1}integration=…"))
	if len(x.Sent) > 0 {
		fmt.Fprintf(&b, "\n  %s", excerptOf(Excerpt(x.Sent), 250))
	}
	switch {
	case x.Err != nil && x.Status == 0:
		fmt.Fprintf(&b, "\n  no answer: %v", Cause(x.Err))
	case x.Err != nil:
		fmt.Fprintf(&b, "\n  %d, then cut short: %v", x.Status, Cause(x.Err))
	default:
		fmt.Fprintf(&b, "\n  %d %s", x.Status, Excerpt(x.Body))
	}
	return b.String()
}

// ownIntegration is the same in all requests and long.
var ownIntegration = regexp.MustCompile(`([?&])integration=livecall-test-[0-9a-f]+`)

// Excerpt is one line of a body. At most 500 characters, also of a body that is no text.
func Excerpt(body []byte) string {
	const most = 500
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*most)]), "?")), " ")
	if utf8.RuneCountInString(text) > most {
		text = string([]rune(text)[:most]) + "…"
	}
	if text == "" {
		return "(no body)"
	}
	return text
}

// Cause leaves out the address, which *url.Error repeats.
func Cause(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// Kind is the kind of a problem document, "" if the answer is none.
func (x *Exchange) Kind() string {
	var doc wire.Problem
	if x.Status < 400 || json.Unmarshal(x.Body, &doc) != nil {
		return ""
	}
	return doc.Kind
}

// Says is the answer in a few words. It is for sentences: "was answered with …".
func (x *Exchange) Says() string {
	switch {
	case x.Err != nil:
		return "no answer (" + Cause(x.Err).Error() + ")"
	case x.Kind() != "":
		return strconv.Itoa(x.Status) + " with the kind " + x.Kind()
	}
	return "status " + strconv.Itoa(x.Status)
}

// WithoutQuery is the path of a target.
func WithoutQuery(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}
