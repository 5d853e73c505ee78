package call

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// LegState is where a responder's leg stands.
type LegState string

// The leg states. Planned is stored before Twilio is asked to dial, since asking is not idempotent.
const (
	LegPlanned   LegState = integration.LegPlanned
	LegRinging   LegState = "ringing"
	LegAsked     LegState = "asked"
	LegHearing   LegState = "hearing" // a message is played to the person, or was
	LegTaking    LegState = "taking"
	LegTalking   LegState = integration.LegTalking
	LegDeclined  LegState = "declined"
	LegUnreached LegState = "unreached"
	LegEnded     LegState = "ended" // had talked
)

// LegReason is why a leg is over.
type LegReason string

// The reasons.
const (
	ReasonNoAnswer  LegReason = "no_answer"
	ReasonBusy      LegReason = "busy"
	ReasonFailed    LegReason = "failed"     // the carrier could not complete it
	ReasonBadNumber LegReason = "bad_number" // Twilio refuses to dial it
	ReasonNoKey     LegReason = "no_key"     // answered, pressed nothing: a mailbox, perhaps
	ReasonHungUp    LegReason = "hung_up"    // answered, hung up at the question
	ReasonPassed    LegReason = "passed"     // pressed 2
	ReasonTaken     LegReason = "taken"      // somebody else took the call
	ReasonCaller    LegReason = "caller"     // the caller left
	ReasonLost      LegReason = "lost"       // took the call, but was not connected
	ReasonAccount   LegReason = "account"    // Twilio refused because of the account
	ReasonTalked    LegReason = integration.LegTalked
	ReasonHeard     LegReason = "heard" // listened to the message
	// Somebody else heard the message, or nobody has to any more.
	ReasonNotNeeded LegReason = "no_longer"
	// Rung for a message when a caller came who waits for the person.
	ReasonYielded LegReason = "yielded"
)

// Passing reports whether a reason may be gone in a few seconds: the phone itself may well ring
// then.
func (r LegReason) Passing() bool {
	return r == ReasonBusy || r == ReasonFailed || r == ReasonLost
}

// Leg is one phone connection to a responder.
type Leg struct {
	ID    string `json:"id"` // "1", "2", … in order of planning; part of URLs
	User  string `json:"user"`
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone"`
	// Acknowledgement that caused it; "" = a layer was reached.
	Ack    string    `json:"ack,omitempty"`
	Layer  int       `json:"layer,omitempty"`  //
	State  LegState  `json:"state"`            //
	Reason LegReason `json:"reason,omitempty"` //
	// Adopted from the first callback or result that names one.
	CallSid string `json:"call_sid,omitempty"`
	// Step numbers the questions put to the responder; URLs carry it.
	Step      int  `json:"step,omitempty"`
	Requested bool `json:"requested,omitempty"` // Twilio was asked to dial; the result is out
	Dials     int  `json:"dials,omitempty"`     // times asked
	// Looks without a verdict since the last change.
	Looks     int       `json:"looks,omitempty"`
	Serial    int64     `json:"serial,omitempty"` // generation of the last dial task
	PlannedAt time.Time `json:"planned_at,omitzero"`
	DialAt    time.Time `json:"dial_at,omitzero"` // planned: not before
	DueAt     time.Time `json:"due_at,omitzero"`  // when something must have happened; zero: none
	RingingAt time.Time `json:"ringing_at,omitzero"`
	AskedAt   time.Time `json:"asked_at,omitzero"`
	TakingAt  time.Time `json:"taking_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Seconds   int       `json:"seconds,omitempty"` // of conversation
	// Message: the person is rung to hear the call's message, not to take the call. HearingAt is
	// when its audio was last given to them, Playing the SIDs of the recordings in it, and Menus
	// how often they were asked since what to do next.
	Message   bool      `json:"message,omitempty"`
	HearingAt time.Time `json:"hearing_at,omitzero"`
	Playing   []string  `json:"playing,omitempty"`
	Menus     int       `json:"menus,omitempty"`
	// Went are the other calls to whose messages the person went on with this leg, the present one
	// last. Guest: the leg is another call's (Home, by its id HomeLeg there), which is told of its
	// status.
	Went    []string `json:"went,omitempty"`
	Guest   bool     `json:"guest,omitempty"`
	Home    string   `json:"home,omitempty"`
	HomeLeg int      `json:"home_leg,omitempty"`
}

// Live reports whether the leg may still take the call, or has it.
func (l *Leg) Live() bool {
	switch l.State {
	case LegPlanned, LegRinging, LegAsked, LegTaking, LegTalking, LegHearing:
		return true
	case LegDeclined, LegUnreached, LegEnded:
		return false
	}
	return false
}

// Rings reports whether a phone is dialed or rings, and nobody has answered it.
func (l *Leg) Rings() bool { return l.State == LegPlanned || l.State == LegRinging }

// Label names the leg's person and phone in the story.
func (l *Leg) Label() string {
	name := l.Name
	if name == "" {
		name = l.User
	}
	if l.Phone == "" {
		return name
	}
	return name + " (" + l.Phone + ")"
}
