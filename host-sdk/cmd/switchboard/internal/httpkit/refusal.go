package httpkit

import (
	"errors"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Refusal is an error with a status and a text for people, the same on pages and in the API.
type Refusal struct {
	Status         int    // of HTTP
	Title, Message string // pages show both, the API the message
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

// Message is the part of an error that is written for people, as a sentence.
func Message(err error) string {
	var known *integration.Error
	if errors.As(err, &known) && known.Kind != integration.KindInternal {
		return Sentence(known.Message)
	}
	return "Something went wrong."
}

// Sentence makes an error's text, lower-case and without a period, a sentence.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}
