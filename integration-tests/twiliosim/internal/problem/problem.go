// Package problem describes what the program under test does wrong, with Twilio's error codes.
package problem

import (
	"fmt"
	"time"
)

// Problem is an error of a document or of a request. As an error value it ends a document and sends
// the call to its fallback URL.
type Problem struct {
	// Code is Twilio's error code; 0 is a rule of the simulator alone. Source: Twilio docs,
	// api/errors.
	Code    int
	Warning bool
	Text    string
	URL     string
	// Injected says that a fault which a test asked for caused the problem, so that it is no
	// violation.
	Injected bool
	// Reported says that the transcript has it already: a fatal problem is found when the document
	// is validated, and met again when its verb is reached.
	Reported bool
}

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%d: %s", p.Code, p.Text) }

// Violation is a problem that the program under test is to blame for.
type Violation struct {
	At      time.Time `json:"at"`
	Call    string    `json:"call,omitempty"` // its SID
	Code    int       `json:"code"`           // 0: a rule of the simulator, see Text
	Warning bool      `json:"warning"`
	Text    string    `json:"text"`
	URL     string    `json:"url,omitempty"`
}

// String writes the violation as one line.
func (v Violation) String() string {
	kind := "error"
	if v.Warning {
		kind = "warning"
	}
	out := fmt.Sprintf("%s %d: %s", kind, v.Code, v.Text)
	if v.URL != "" {
		out += " (" + v.URL + ")"
	}
	return out
}
