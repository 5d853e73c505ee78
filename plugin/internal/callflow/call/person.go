package call

import (
	"slices"
	"time"
)

// Person is somebody who was brought into the call: on call for a layer that was reached, or
// somebody who acknowledged.
type Person struct {
	User   string   `json:"user"`
	Name   string   `json:"name,omitempty"`
	Phones []string `json:"phones,omitempty"` // E.164, in the order in which to try them
	// By which they were brought in; 0: they are on call for none.
	Layer int `json:"layer,omitempty"`
	// OnCall says that they were on call for a layer that was reached when that was last read.
	OnCall bool `json:"on_call,omitempty"`
	// Acks are their acknowledgements in force that they are being rung for.
	Acks []string `json:"acks,omitempty"`
	// Pressed 2 or declined; a new acknowledgement undoes it.
	Passed bool `json:"passed,omitempty"`
	// StartAt is the earliest time of the first attempt: an acknowledgement is answered after a
	// pause.
	StartAt time.Time `json:"start_at,omitzero"`
	// TurnAt is when their turn began: the first attempt, or the first time they were found on
	// another call. Zero: not yet.
	TurnAt time.Time `json:"turn_at,omitzero"`
	// Dialed are the phones that had an attempt in this turn.
	Dialed []string `json:"dialed,omitempty"`
	// OccupiedBy is the other call that they are on, or that waits for them and is older.
	OccupiedBy string    `json:"occupied_by,omitempty"`
	LookAt     time.Time `json:"look_at,omitzero"` // when an occupied person is looked at again
	// Promised: they were on another call when it was their turn, and are rung when it ends.
	Promised bool `json:"promised,omitempty"`
	// Undone: they acknowledged after they had declined, whatever the platform still lists.
	Undone bool `json:"undone,omitempty"`
	// Rung counts the messages of the call that they were rung for.
	Rung int `json:"rung,omitempty"`
	// Explained says that the story has told why they cannot be rung.
	Explained bool `json:"explained,omitempty"`
}

// Label names a person in the story.
func (p *Person) Label() string {
	if p.Name != "" {
		return p.Name
	}
	return p.User
}

// NoteDial notes that a phone of the person is dialed in this turn.
func (p *Person) NoteDial(phone string, at time.Time) {
	if p.TurnAt.IsZero() || at.Before(p.TurnAt) {
		p.TurnAt = at
	}
	if !slices.Contains(p.Dialed, phone) {
		p.Dialed = append(p.Dialed, phone)
	}
	p.Promised = false
}

// clone returns a copy that shares nothing with p.
func (p Person) clone() Person {
	p.Phones, p.Acks, p.Dialed = slices.Clone(p.Phones), slices.Clone(p.Acks), slices.Clone(p.Dialed)
	return p
}

// Number is what is known of a phone that was dialed for this call. Two people may share one.
type Number struct {
	Phone    string    `json:"phone"`
	DialedAt time.Time `json:"dialed_at,omitzero"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	Reason   LegReason `json:"reason,omitempty"` // of the last attempt
	// Refused: Twilio will not dial it for the rest of this call.
	Refused bool   `json:"refused,omitempty"`
	Code    string `json:"code,omitempty"`    // Twilio's, of the refusal
	Rings   int    `json:"rings,omitempty"`   // attempts so far
	Counted int    `json:"counted,omitempty"` // attempts that the story has counted up
}
