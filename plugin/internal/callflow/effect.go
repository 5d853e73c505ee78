package callflow

import "time"

// Effect is something that a step wants done, as a value. Order matters among alert commands alone.
type Effect interface{ effect() }

// Task names a piece of I/O or a timer within its call. A task of a lower generation that has not started is replaced
// by one of a higher.
type Task struct {
	Name       string // such as "dial-3", "look-call"
	Generation int64
}

// CommandKind names what an alert command does; the words are the host's.
type CommandKind string

// The command kinds.
const (
	CommandCreate      CommandKind = "create"
	CommandRoute       CommandKind = "route"
	CommandLog         CommandKind = "log"
	CommandAddField    CommandKind = "add_field"
	CommandAttach      CommandKind = "attach"
	CommandAcknowledge CommandKind = "acknowledge"
	CommandReopen      CommandKind = "reopen"
	CommandEscalate    CommandKind = "escalate"
	CommandResolve     CommandKind = "resolve"
)

// Command is a command for the call's alert (whose key is the caller's CallSid).
type Command struct {
	Number int64
	Kind   CommandKind
	Draft  *Draft   // create
	Teams  []string // route: team ids
	Text   string   // log: a sentence; reopen, escalate, resolve: the reason
	Actor  string   // user id, if a person did it
	Field  *Field   // add_field
	Media  *Media   // attach
	Label  string   // attach
	User   string   // acknowledge
	Ack    string   // reopen: the acknowledgement undone; "": a resolved or dropped alert is opened
	Layer  int      // escalate: the layer left
	Round  int      // escalate: the round left
	At     time.Time
}

// Draft is a new alert.
type Draft struct {
	Title       string // numbers as E.164
	Description string
	Fields      []Field
}

// FieldFormat says how to show a field.
type FieldFormat string

// The field formats.
const (
	FieldText  FieldFormat = "text"
	FieldPhone FieldFormat = "phone"
)

// Field is a labelled value on the alert.
type Field struct {
	Label  string
	Value  string
	Format FieldFormat
}

// DialLeg rings a responder's phone by REST. Not idempotent: a second attempt at the same task must report [Unknown]
// instead of dialing. Callbacks of the new call go to the leg's URLs, for every status event. Answer: [EventDialed].
type DialLeg struct {
	Task     Task
	Leg      string
	Phone    string // E.164
	Ring     time.Duration
	Step     int // for the URL asked for on answer
	At       time.Time
	NotAfter time.Time
}

// EndLeg ends a responder's call, or, with Tell, sends it to the leg's own URL where it hears why and is hung up on.
// Whatever comes of it is not reported: a call that is over is no error.
type EndLeg struct {
	Task    Task
	Leg     string
	CallSid string
	Tell    bool
	Step    int
}

// LookLeg asks Twilio for a responder's call: by CallSid, or, where that is "", for the newest call to Phone that began
// at or after Since and is none of Not. Answer: [EventLookedAtLeg].
type LookLeg struct {
	Task    Task
	Leg     string
	CallSid string
	Phone   string
	Since   time.Time
	Not     []string // CallSids of other legs
	At      time.Time
}

// LookCall asks Twilio for the caller's call. Answer: [EventLookedAtCall].
type LookCall struct {
	Task Task
	At   time.Time
}

// Dequeue takes the caller out of the queue to the voicemail URL: only a call that still waits is affected. Answer:
// [EventDequeued].
type Dequeue struct {
	Task     Task
	QueueSid string
	Step     int
}

// DeleteQueue deletes the call's queue, which is empty by then. Answer: [EventQueueDeleted].
type DeleteQueue struct {
	Task     Task
	QueueSid string
}

// FetchRecording fetches a recording's audio. Answer: [EventFetched].
type FetchRecording struct {
	Task         Task
	RecordingSid string
	At           time.Time
	NotAfter     time.Time
}

// LookRecordings lists the recordings of the caller's call. Answer: [EventRecordingsList].
type LookRecordings struct {
	Task Task
	At   time.Time
}

// DeleteRecording deletes a recording at Twilio, after the host keeps its audio.
type DeleteRecording struct {
	Task         Task
	RecordingSid string
}

// CancelTask forgets a task that has not started.
type CancelTask struct{ Task Task }

// StartTimer asks for [EventTimer] with Timer = Task.Name at a time; it replaces an earlier one of that name.
type StartTimer struct {
	Task Task
	At   time.Time
}

// CancelTimer forgets a timer.
type CancelTimer struct{ Task Task }

// Mail tells the configured recipients of a message.
type Mail struct {
	Key        string
	Teams      []string // whose people count for audiences
	Subject    string
	Lead       string  // a sentence that says what has happened
	Fields     []Field // caller, team, time and so on, in order
	Transcript string  // "" = not known
	Media      *Media  // nil: the audio could not be fetched in time
	At         time.Time
}

// Severity is how loudly a finding is shown.
type Severity string

// The severities; Clear takes the finding of that code back.
const (
	SeverityInfo    Severity = "info"
	SeverityWarning Severity = "warning"
	SeverityError   Severity = "error"
	SeverityClear   Severity = "clear"
)

// Finding is a warning for the person who configured the instance.
type Finding struct {
	Code     string
	Severity Severity
	Message  string
	Field    string // option key
	At       time.Time
}

// Log is a line for the operator's log.
type Log struct {
	Level   string // debug, info, warn, error
	Message string
}

func (Command) effect()         {}
func (DialLeg) effect()         {}
func (EndLeg) effect()          {}
func (LookLeg) effect()         {}
func (LookCall) effect()        {}
func (Dequeue) effect()         {}
func (DeleteQueue) effect()     {}
func (FetchRecording) effect()  {}
func (LookRecordings) effect()  {}
func (DeleteRecording) effect() {}
func (CancelTask) effect()      {}
func (StartTimer) effect()      {}
func (CancelTimer) effect()     {}
func (Mail) effect()            {}
func (Finding) effect()         {}
func (Log) effect()             {}
func (Need) effect()            {}

// Needs returns the questions among effects. If there are any, they are the only effects, and the step changed nothing.
func Needs(effects []Effect) []Need {
	var needs []Need
	for _, e := range effects {
		if n, ok := e.(Need); ok {
			needs = append(needs, n)
		}
	}
	return needs
}
