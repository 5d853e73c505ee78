package wire

import (
	"strings"
	"time"
)

// The ways by which a platform says that alerts changed.
const (
	HintsWebhook = "webhook" // it calls the host
	HintsChanges = "changes" // the host asks and waits
	HintsNone    = "none"    // it does not
)

// Protocol is what a platform speaks. It is the only answer that has no number in its path, so its
// members mean the same in all protocols.
type Protocol struct {
	Protocols []int  `json:"protocols"`
	Name      string `json:"name"`
	Version   string `json:"version,omitempty"`
	Hints     string `json:"hints"`
	Limits    Limits `json:"limits,omitzero"`
	Docs      string `json:"docs,omitempty"`
}

// Limits are what a platform asks its callers to keep.
type Limits struct {
	// Of all hosts together.
	Concurrent int `json:"concurrent,omitempty"` // requests at once; 0: 16
}

// ProblemType is the media type of an error.
const ProblemType = "application/problem+json"

// Problem is an error (RFC 9457). Kind, Field and Code are ours: see integration.Error. Status
// repeats that of the answer, for whoever reads the body alone.
type Problem struct {
	Type   string `json:"type,omitempty"`
	Title  string `json:"title,omitempty"`
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Field  string `json:"field,omitempty"`
	Code   string `json:"code,omitempty"`
	// Protocols is set with status 412: what the platform speaks.
	Protocols []int `json:"protocols,omitempty"`
}

// EventAlertChanged is the type of the only hint.
const EventAlertChanged = "alert.changed"

// Event is a hint as a platform sends it. Timestamp is for people: what counts is the time in the
// header, which is signed with it.
type Event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      EventData `json:"data"`
}

// EventData names the alerts that changed.
type EventData struct {
	Alerts []AlertRef `json:"alerts"`
}

// AlertRef names an alert. It names what changed and not how: the host reads the alert.
type AlertRef struct {
	Tenant      string `json:"tenant,omitempty"`
	Integration string `json:"integration"`
	AlertKey    string `json:"alert_key"`
}

// Changes is the answer to a question that waits for changes. The cursor is the platform's own
// text, which the host sends back as it came.
type Changes struct {
	Cursor string     `json:"cursor"`
	Alerts []AlertRef `json:"alerts"`
}

// CheckID says why an id cannot be part of a path, "" if it can. Gateways decode %2F before they
// route and remove "." and "..". Escaping does not help there, so such an id cannot be used with
// this protocol at all.
func CheckID(id string) string {
	switch {
	case id == "":
		return "it is empty"
	case strings.Contains(id, "/"):
		return `it holds "/"`
	case id == "." || id == "..":
		return "it is a step within a path"
	}
	return ""
}
