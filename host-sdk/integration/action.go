package integration

// ActionRequest runs an action.
type ActionRequest struct {
	Facts  Facts // of the integration's own session; Answers to the questions of earlier rounds
	Name   string
	Values map[string]string
}

// ActionResult is what the action found or did, as lines for people.
type ActionResult struct {
	// Need asks for data; then nothing else is looked at, and the action is run again with the answers (at most MaxNeedRounds
	// times). An action asks before it changes anything.
	Need     []Question
	OK       bool
	Lines    []ActionLine
	Findings []Finding
	// State replaces the state of the integration's own session; nil leaves it. The host stores it with compare-and-swap.
	State  []byte
	Format int
}

// ActionLine is one line of an action's result.
type ActionLine struct {
	Level string // ok, info, warning, error
	Text  string
	Field string // option key it concerns, if any
}
