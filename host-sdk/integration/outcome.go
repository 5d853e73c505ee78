package integration

import "time"

// Outcome is what a handler decided. The host commits it whole or not at all. The zero Outcome
// changes nothing.
type Outcome struct {
	// Need asks for data; then nothing else may be set, and the handler is run again (at most
	// MaxNeedRounds times).
	Need []Question
	// Response answers the webhook; nil for the other handlers.
	Response *Response
	// Session replaces the session's state; nil leaves it, and its version, as they are.
	Session *SessionUpdate
	// Alert commands run in this order, one after the other, after those committed earlier in this
	// session.
	Alert []AlertCommand
	// Tasks are I/O and timers.
	Tasks []Task
	// Mail is sent once to each recipient.
	Mail []Mail
	// Heard says who has listened to a recording of the session, so that the host can tell what
	// nobody has heard. The first time counts, for each person. Since minor 1.
	Heard []Heard
	// Findings are warnings shown beside the form. One finding per code: a newer one replaces it.
	Findings []Finding
	// Log lines for the operator's log; never secrets.
	Log []LogLine
	// Seen says that the request shows that the caller of this session is still there. The host
	// remembers it without a commit of its own and repeats it as [Facts.SeenAt]. Webhooks only
	// (since minor 1).
	Seen bool
}

// Quiet reports whether committing the outcome needs no write at all.
func (o Outcome) Quiet() bool {
	return o.Session == nil && len(o.Alert) == 0 && len(o.Tasks) == 0 && len(o.Mail) == 0 && len(o.Heard) == 0 && len(o.Findings) == 0
}

// Heard says that a person has listened to a recording of the session's call.
type Heard struct {
	Ref  string // of the medium, as it was attached to the alert
	User string // user id
	At   time.Time
}

// SessionUpdate is the new state of the session.
type SessionUpdate struct {
	State    []byte
	Format   int
	Occupies []string // user ids that other sessions of this instance must not ring
	// WaitsFor holds the ids of users this session would ring if they were not occupied. When a
	// commit frees one of them, the host runs HandleTask with the timer [TimerPersonFree] in the
	// sessions that wait, oldest first. Such hints may be lost. A live session whose call has ended
	// (Call.Ended), which only has something to tell people, waits behind all sessions whose
	// callers do, whatever their age.
	WaitsFor []string
	// Media are the references of stored media that belong to this session; see Facts.MediaURLs.
	Media []string
	// The host may delete the session after it; zero: 30 days after the last commit.
	ExpiresAt time.Time
	// Key of the session's alert, so that its snapshots come to HandleAlert; "" = none yet.
	AlertKey string
	Call     *CallView // what pages and APIs show of this call
	Live     bool      // the call still runs; false once it has ended
}

// FindingSeverity is how loudly a finding is shown.
type FindingSeverity string

// The severities. Clear removes the finding of that code.
const (
	FindingInfo    FindingSeverity = "info"
	FindingWarning FindingSeverity = "warning"
	FindingError   FindingSeverity = "error"
	FindingClear   FindingSeverity = "clear"
)

// Finding is something the person who configured the instance should know.
type Finding struct {
	Code     string // stable, such as "calls-not-found"
	Severity FindingSeverity
	Message  string // one or two sentences with the remedy
	Field    string // option key it concerns, if any
	At       time.Time
}

// LogLimit is the attribute of a LogLine that says that something was refused or cut because of a
// limit. Its value names the limit in lower case with underscores, such as calls_per_number; hosts
// count by it.
const LogLimit = "limit"

// LogLine is a line for the operator's log.
type LogLine struct {
	Level   string // debug, info, warn, error
	Message string
	Attrs   map[string]string
}
