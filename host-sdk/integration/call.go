package integration

import "time"

// CallView is the host-neutral picture of a call.
type CallView struct {
	ID        string // the session key
	From      string // "" = withheld
	To        string
	State     string // the flow's word, such as choosing, holding, talking, ended
	Ended     string // how it ended, such as connected, message_left, hung_up; "" while it runs
	Team      string // team id the caller reached, if any
	TeamName  string
	StartedAt time.Time
	EndedAt   time.Time // zero while it runs
	Legs      []LegView
	// Unproven says that the carrier has not confirmed this call: it may be made up, with somebody
	// else's number.
	Unproven bool
}

// LegView is one phone connection of a call.
type LegView struct {
	ID    string
	Role  string // RoleCaller or RoleResponder
	User  string // responder's user id
	Name  string
	Phone string
	// The flow's word, such as LegPlanned, ringing, asked, LegTalking, declined, unreached, ended.
	State     string
	Reason    string // why it ended, such as no_answer, busy, passed, LegTalked
	StartedAt time.Time
	EndedAt   time.Time // zero while it lasts
}

// The roles of legs.
const (
	RoleCaller    = "caller"
	RoleResponder = "responder"
)

// Words of LegView that every flow uses in the same sense, since hosts count by them. All other
// words are the flow's own, and shown or counted as they are.
const (
	LegPlanned = "planned" // State: decided, but no phone has been asked to ring
	LegTalking = "talking" // State: the responder speaks with the caller
	LegTalked  = "talked"  // Reason: the responder has spoken with the caller
)
