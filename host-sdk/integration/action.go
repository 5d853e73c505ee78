package integration

// ActionRequest runs an action.
type ActionRequest struct {
	Facts  Facts // of the integration's own session; Answers to the questions of earlier rounds
	Name   string
	Values map[string]string
}

// ActionWhoWouldAnswer is the name of an action by which an integration that routes calls says,
// without a call, who would be reached: a host may offer it as a command. It takes the values
// below, all optional, and changes nothing.
const ActionWhoWouldAnswer = "who-would-answer"

// Values of [ActionWhoWouldAnswer].
const (
	ValueAt     = "at"     // the moment, RFC 3339; "" = now
	ValueDigits = "digits" // the keys pressed in the menu
	ValueFrom   = "from"   // the caller's number, E.164; "" = withheld
	ValueTo     = "to"     // the number called, E.164
)

// ActionResult is what the action found or did, as lines for people.
type ActionResult struct {
	// Need asks for data; then nothing else is looked at, and the action is run again with the
	// answers (at most MaxActionRounds times). An action asks before it changes anything.
	Need     []Question
	OK       bool
	Lines    []ActionLine
	Findings []Finding
	// State replaces the state of the integration's own session; nil leaves it. The host stores it
	// with compare-and-swap.
	State  []byte
	Format int
}

// ActionLine is one line of an action's result.
type ActionLine struct {
	Level string // ok, info, warning, error
	Text  string
	Field string // option key, or field of the action, that it concerns, if any
	// Choice is a value that a person may choose for that field of the action, such as a phone
	// number of the account; "": none. Text says what it is. A host that does not know it shows the
	// text alone.
	Choice string
}
