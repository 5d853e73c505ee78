package call

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Phase is where the call stands.
type Phase string

// The phases. A call without a session is in PhaseArrived ("" means the same).
const (
	PhaseArrived           Phase = "arrived"
	PhaseChoosing          Phase = "choosing"
	PhaseHolding           Phase = "holding"
	PhaseConnecting        Phase = "connecting"
	PhaseTalking           Phase = "talking"
	PhaseLeavingMessage    Phase = "leaving_message"
	PhaseAwaitingRecording Phase = "awaiting_recording"
	// The call has ended; people are rung to hear its message.
	PhaseDelivering Phase = "delivering"
	PhaseEnded      Phase = "ended"
)

// End is how a call ended; "" while it runs.
type End string

// The ends: each call has exactly one.
const (
	EndConnected   End = "connected"
	EndMessageLeft End = "message_left"
	EndNoMessage   End = "no_message" // was offered voicemail and recorded nothing
	EndToldGoodbye End = "told_goodbye"
	EndHungUp      End = "hung_up"
	EndRejected    End = "rejected"
)

// Exit is why the caller is to leave the hold for voicemail (or goodbye, where voicemail is off);
// "" if not.
type Exit string

// The exits. All but Star wait until no responder's leg is live; an accept still wins over them.
const (
	ExitDropped  Exit = "dropped"
	ExitResolved Exit = "resolved"
	ExitDeleted  Exit = "deleted"
	ExitMaxWait  Exit = "max_wait"
	// Everybody on call has passed or cannot be rung, or nobody is on call.
	ExitNobody      Exit = "nobody"
	ExitOneRound    Exit = "one_round"  // by option: everybody was tried once
	ExitAccount     Exit = "account"    // Twilio refuses all calls of the account
	ExitRefused     Exit = "refused"    // the platform finally refused to create or route the alert
	ExitRemoved     Exit = "removed"    // the integration was deleted
	ExitNotProven   Exit = "not_proven" // Twilio did not confirm the call in time
	ExitFlood       Exit = "flood"      // the number calls too often
	ExitNotFound    Exit = "not_found"  // Twilio does not know the call: account or region is wrong
	ExitStar        Exit = "star"       // the caller asked for it
	ExitMenu        Exit = "menu"       // three rounds without a valid key
	ExitNoTeam      Exit = "no_team"    // there is nobody to call
	ExitStraight    Exit = "straight"   // by option
	ExitMaintenance Exit = "upkeep"     // the host is in maintenance; the word is stored
	ExitHoldFails   Exit = "hold_fails" // the queue could not be entered
)

// State is all that is remembered of a call. The zero State is a call that has not arrived.
// Serialise it as JSON.
type State struct {
	Format int   `json:"format"`
	Phase  Phase `json:"phase,omitempty"`
	// Step numbers the documents that the caller was given; URLs carry it, so that a late or
	// repeated key is noticed.
	Step int `json:"step,omitempty"`
	// Serial counts task generations; see Task of package effect.
	Serial int64 `json:"serial,omitempty"`

	Caller Caller `json:"caller"`

	Verify Verify `json:"verify"`

	// Chosen at arrival, in menu order, for the whole call.
	Teams []Team `json:"teams,omitempty"`
	// The caller's choice, or where the alert was handed to since.
	Team      *Team `json:"team,omitempty"`
	MenuTries int   `json:"menu_tries,omitempty"`

	Alert Alert `json:"alert"`
	Hold  Hold  `json:"hold"`

	// Legs are the responders' phone connections: those that live, and for each phone the newest
	// that is over.
	Legs     []Leg `json:"legs,omitempty"`
	LegCount int   `json:"leg_count,omitempty"`
	// People were brought into the call, in the order in which they are rung.
	People  []Person `json:"people,omitempty"`
	Numbers []Number `json:"numbers,omitempty"`
	// RingAt is when it is decided next who is rung; zero: not before something happens.
	RingAt time.Time `json:"ring_at,omitzero"`
	// AccountErrorAt is when Twilio first refused to dial for a reason of the account, not of the
	// number; zero: it did not, or has dialed since. AccountRefused: it refused again after a
	// pause, and nobody can be rung any more.
	AccountErrorAt time.Time `json:"account_error_at,omitzero"`
	AccountRefused bool      `json:"account_refused,omitempty"`
	Exit           Exit      `json:"exit,omitempty"`
	// Farewell is what a caller without voicemail, or after a conversation, was told; a repeated
	// request is told the same.
	Farewell reply.PromptKey `json:"farewell,omitempty"`

	Voicemail Voicemail `json:"voicemail"`
	Delivery  Delivery  `json:"delivery,omitzero"`
	// Dead are the recording fields whose file could not be played: our own music and words take
	// their place for the rest of the call.
	Dead []reply.PromptKey `json:"dead,omitempty"`
	// AnnounceFailed: the announcement's file kept the caller and the responder apart, who are
	// connected once more without it.
	AnnounceFailed bool `json:"announce_failed,omitempty"`

	ArrivedAt time.Time `json:"arrived_at,omitzero"`
	// Last request of the caller's leg; brought up to date every 45 s at most.
	SeenAt   time.Time `json:"seen_at,omitzero"`
	LookedAt time.Time `json:"looked_at,omitzero"`
	// Unanswered counts looks at the caller's call since anything was heard of it.
	Unanswered int       `json:"unanswered,omitempty"`
	TalkingAt  time.Time `json:"talking_at,omitzero"`
	// The connection is over; what it was is not known yet.
	TalkOverAt time.Time `json:"talk_over_at,omitzero"`
	// The responder's leg is expected to say so by then.
	VerdictBy  time.Time `json:"verdict_by,omitzero"`
	TalkLooked bool      `json:"talk_looked,omitempty"` // Twilio was asked for the responder's leg
	GoneAt     time.Time `json:"gone_at,omitzero"`      // when the caller was known to be gone

	End     End       `json:"end,omitempty"`
	EndedAt time.Time `json:"ended_at,omitzero"`
	Reason  string    `json:"reason,omitempty"` // of the end, for pages

	// QueueTries counts attempts at deleting the queue after the end; QueueDeleteAt is the next.
	QueueTries    int       `json:"queue_tries,omitempty"`
	QueueDeleteAt time.Time `json:"queue_delete_at,omitzero"`
}

// Hold is the bookkeeping of the caller's waiting.
type Hold struct {
	Since      time.Time `json:"since,omitzero"`
	MaxWaitAt  time.Time `json:"max_wait_at,omitzero"`
	QueueSid   string    `json:"queue_sid,omitempty"` // known from the first tick
	PleaseWait bool      `json:"please_wait,omitempty"`
	// Of the document that last put the caller on hold: what is told of an earlier one is old news.
	Step int `json:"step,omitempty"`
	// Times the queue was entered again after an error.
	Errors int `json:"errors,omitempty"`
}

// Phases lists every phase, in the order of a call.
func Phases() []Phase {
	return []Phase{
		PhaseArrived, PhaseChoosing, PhaseHolding, PhaseConnecting, PhaseTalking,
		PhaseLeavingMessage, PhaseAwaitingRecording, PhaseDelivering, PhaseEnded,
	}
}

// Clone returns a copy that shares nothing with s: Step must not change its arguments. A new field
// that is a slice or a pointer needs a line here.
func (s State) Clone() State {
	s.Teams = slices.Clone(s.Teams)
	if s.Team != nil {
		t := *s.Team
		s.Team = &t
	}
	s.Alert.Acks = slices.Clone(s.Alert.Acks)
	s.Alert.SeenAcks = slices.Clone(s.Alert.SeenAcks)
	s.Alert.OwnAcks = slices.Clone(s.Alert.OwnAcks)
	s.Legs = slices.Clone(s.Legs)
	for i := range s.Legs {
		s.Legs[i].Playing, s.Legs[i].Went = slices.Clone(s.Legs[i].Playing), slices.Clone(s.Legs[i].Went)
	}
	s.Delivery.Acks = slices.Clone(s.Delivery.Acks)
	s.People = slices.Clone(s.People)
	for i := range s.People {
		s.People[i] = s.People[i].clone()
	}
	s.Numbers, s.Dead = slices.Clone(s.Numbers), slices.Clone(s.Dead)
	s.Alert.Notes = slices.Clone(s.Alert.Notes)
	s.Alert.Declined, s.Alert.Reached = slices.Clone(s.Alert.Declined), slices.Clone(s.Alert.Reached)
	s.Voicemail.Recordings = slices.Clone(s.Voicemail.Recordings)
	for i := range s.Voicemail.Recordings {
		if media := s.Voicemail.Recordings[i].Media; media != nil {
			own := *media
			s.Voicemail.Recordings[i].Media = &own
		}
	}
	return s
}

// VerdictLimit is how long the end of the responder's leg, which says what the connection was, is
// waited for. Then Twilio is asked for that leg, and its answer is waited for as long again.
const VerdictLimit = 15 * time.Second
