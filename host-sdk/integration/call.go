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
}

// LegView is one phone connection of a call.
type LegView struct {
	ID        string
	Role      string // caller or responder
	User      string // responder's user id
	Name      string
	Phone     string
	State     string // the flow's word, such as ringing, asked, talking, declined, unreached, ended
	Reason    string // why it ended, such as no_answer, busy, passed
	StartedAt time.Time
	EndedAt   time.Time // zero while it lasts
}
