package integration

import "time"

// DescribeRequest is empty today.
type DescribeRequest struct{}

// Description is what an integration says of itself.
type Description struct {
	ID      string // as in the manifest, such as "livecall"
	Name    string // for people
	Version string // semantic version

	ProtocolVersion int // major, see ProtocolVersion
	ProtocolMinor   int

	// Formats are the newest formats this version writes, where [Facts.WriteFormats] does not ask
	// for older ones. It reads these and those of the release before.
	Formats Formats

	Webhook  WebhookDescription
	Actions  []ActionDescription
	Periodic []PeriodicTask
}

// Formats numbers the layouts of what the host keeps for the plugin. A host never hands a plugin a
// session state or a task in a newer format than it writes. Options it does, so that calls are
// served after a plugin was taken back.
type Formats struct {
	State int `json:"state"` // session state
	// Task payloads, and results, which are in the format of their task.
	Task    int `json:"task"`
	Path    int `json:"path"`    // paths of URLs that the plugin issued
	Options int `json:"options"` // options document (x-schema-version)
}

// WebhookDescription lets a host route and, in an emergency, answer requests without knowing the
// foreign service. A GET is a fetch of a file if its path ends like a file's name or it has no
// parameters: it gets a copy of an immutable sound or status 503, never a fallback document.
type WebhookDescription struct {
	// SessionField is the form (or query) field that holds the session key on the plain endpoint
	// and on paths without a key.
	SessionField string
	// SessionPrefix precedes the session key in the path of every URL the plugin issues: with
	// "/c/", the path "/c/K/menu" belongs to session K.
	SessionPrefix string
	// ShapeFields must all be present for a request to look like one of the foreign service; such a
	// request is answered by NotInService when its integration does not exist.
	ShapeFields []string
	// IgnoredAnswerPaths are paths, with "*" for one segment, whose answer the foreign service
	// ignores. When no handler can be run they are stored, answered 204 and handled later.
	IgnoredAnswerPaths []string
	// NotInService is the answer for an unknown integration.
	NotInService Response
	// Refused is the fixed answer for a request that cannot be served for its own fault (bad form,
	// too large), without effect.
	Refused Response
	// Fallback is used where options were never validated; see FallbackAnswers.
	Fallback FallbackAnswers
	// RecentCalls is what a request that begins a session asks of earlier calls. A host may answer
	// it in advance, which spares a caller one run of the handler; an answer that the handler has
	// no use for does no harm. Zero: nothing.
	RecentCalls RecentCallsQuestion
}

// RecentCallsQuestion is a question of kind [AskRecentCalls] before it is asked.
type RecentCallsQuestion struct {
	// Form (or query) field that holds the number, Question.From, as it is to be asked about.
	Field    string
	IDPrefix string        // the number follows it in Question.ID
	Window   time.Duration // Question.Since is as long before Facts.Now
}

// ActionDescription is a button beside the form.
type ActionDescription struct {
	Name   string // in URLs: lower case, digits, hyphens
	Label  string // on the button
	Help   string // one sentence
	Fields []ActionField
	// Group is the title of the group of buttons that it belongs to; "": none.
	Group string
}

// ActionField is a value that a person supplies to an action.
type ActionField struct {
	Name, Label, Help string
	Required          bool
	// Format is what the value is, in JSON Schema's word: date-time, a time in RFC 3339; "": any
	// text.
	Format string
}

// PeriodicTask asks the host to run HandleTask with a timer of this name in the integration's own
// session (key [IntegrationSessionKey]) about this often.
type PeriodicTask struct {
	Name  string
	Every time.Duration // at least one minute
}

// IntegrationSessionKey is the key of the one session that every integration has for actions and
// periodic tasks.
const IntegrationSessionKey = "integration"
