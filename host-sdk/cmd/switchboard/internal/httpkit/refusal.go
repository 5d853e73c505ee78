package httpkit

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Refusal is an error with a status and a text for people, the same on pages and in the API.
// Handlers return it as an error; whoever serves them makes a page or JSON of it.
type Refusal struct {
	Status         int    // of HTTP
	Title, Message string // pages show both, the API the message
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Message is the part of an error that is written for people, as a sentence. The text of a defect
// may hold an address or a query, and is left out.
func Message(err error) string {
	var known *integration.Error
	if what := Away(err); what != "" {
		return "The " + what + " cannot be used at the moment."
	}
	if errors.As(err, &known) && known.Kind != integration.KindInternal {
		return Sentence(known.Message)
	}
	return "Something went wrong."
}

// Away says what an error is of that does not answer at the moment, the database or the platform;
// "": neither. The error's own text, which may name a server and its user, is for the log.
func Away(err error) string {
	var known *integration.Error
	if !errors.As(err, &known) {
		return ""
	}
	return map[string]string{store.CodeAway: "database", platform.CodeAway: "platform"}[known.Code]
}

// Capital begins a text with a capital letter, of any alphabet.
func Capital(text string) string {
	if text == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[n:]
}

// Sentence makes an error's text, lower-case and without a period, a sentence.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	text = Capital(text)
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
