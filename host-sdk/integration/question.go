package integration

import "time"

// QuestionKind names what a handler may ask.
type QuestionKind string

// The question kinds.
const (
	AskRoute  QuestionKind = "route"   // a router's verdict for given facts
	AskOnCall QuestionKind = "on_call" // who is on call for a team (and layer)
	AskUser   QuestionKind = "user"    // a user by id
	// AskRecentCalls asks for this instance's other calls from one number, since minor 1.
	AskRecentCalls QuestionKind = "recent_calls"
)

// Question is data that a handler needs before it can decide. The host answers and runs the handler
// again.
type Question struct {
	ID     string // chosen by the handler; the answer carries it
	Kind   QuestionKind
	Router string    // AskRoute: router id
	Facts  []byte    // AskRoute: JSON object that rules see
	Team   string    // AskOnCall: team id
	Layer  int       // AskOnCall: 0 = all layers
	User   string    // AskUser: user id
	At     time.Time // AskRoute, AskOnCall: the moment asked about; zero = now
	From   string    // AskRecentCalls: the caller's number or address, as in CallView.From
	Since  time.Time // AskRecentCalls: calls that started at or after it
}

// Answer answers the question of the same ID. Exactly one of the pointers or lists is set by kind;
// or Err.
type Answer struct {
	ID     string
	Route  *RouteVerdict
	OnCall []OnCallEntry // by layer, then the schedule's order; empty: nobody
	User   *User
	Calls  []RecentCall // newest first, without the asking session's own; at most 100
	Err    *Error       // could not be answered; the handler takes the way that loses no caller
	// AsOf is when the platform said so, if it cannot be asked now and this is what it said last;
	// zero: it said so just now. Who is on call is at most ten minutes old, a user a day. Since
	// minor 1.
	AsOf time.Time
}

// RouteVerdict is what a router says.
type RouteVerdict struct {
	// Of all assign actions of the first matching rule, in written order; empty: none matched.
	Receivers []Destination
	Default   []Destination // the router's default receiver
	Notes     []string      // for the alert's log: rules that failed, actions that were skipped
	// How the verdict came about, for people who try their rules: a sentence for each router asked.
	Trace []string
}

// RecentCall is an earlier call of the same caller.
type RecentCall struct {
	ID        string // the session key
	StartedAt time.Time
	Ended     string // how it ended, as in CallView.Ended; "" while it runs
	AlertURL  string // page of its alert for people; "" if there is none
	Unproven  bool   // as in CallView.Unproven
}
