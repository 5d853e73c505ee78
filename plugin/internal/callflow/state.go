package callflow

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
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
	// Serial counts task generations; see Task.
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
	Farewell PromptKey `json:"farewell,omitempty"`

	Voicemail Voicemail `json:"voicemail"`
	Delivery  Delivery  `json:"delivery,omitzero"`
	// Dead are the recording fields whose file could not be played: our own music and words take
	// their place for the rest of the call.
	Dead []PromptKey `json:"dead,omitempty"`
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

// Caller is what is known of the caller and the number that was called.
type Caller struct {
	Sid string `json:"sid,omitempty"` // the caller's CallSid: the session key
	// E.164, to call back; "" = withheld, or no telephone number.
	Number string `json:"number,omitempty"`
	Called string `json:"called,omitempty"` // E.164
	// Address is what came in place of a number: sip:alice@example.com, an extension, a short code.
	// It is shown and read aloud; nothing can be dialed. Withheld: the caller hides the number.
	Address  string `json:"address,omitempty"`
	Withheld bool   `json:"withheld,omitempty"`
	// Banned and Loop concern the arrival: the number is on the list of banned ones; the call comes
	// from the number that was called.
	Banned  bool   `json:"-"`
	Loop    bool   `json:"-"`
	Name    string `json:"name,omitempty"` // looked-up caller name, if Twilio sent one
	City    string `json:"city,omitempty"`
	State   string `json:"state,omitempty"`
	Zip     string `json:"zip,omitempty"`
	Country string `json:"country,omitempty"`
	// Twilio's word on whether the number is the caller's (StirVerstat).
	Attest  string `json:"attest,omitempty"`
	Forward string `json:"forward,omitempty"` // the number the call was forwarded from
}

// Team is a team of the platform.
type Team struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Verdict says whether the call is known to be real.
type Verdict string

// The verdicts. Nobody is woken before one of Signed, Found and Unverified.
const (
	VerdictPending    Verdict = ""           // Twilio is being asked
	VerdictSigned     Verdict = "signed"     // a request of the call had a valid signature
	VerdictFound      Verdict = "found"      // Twilio confirmed it
	VerdictNotFound   Verdict = "not_found"  // Twilio says there is no such call
	VerdictUnverified Verdict = "unverified" // Twilio could not be asked
)

// Verify is the progress of finding out whether the call is real.
type Verify struct {
	Verdict  Verdict `json:"verdict,omitempty"`
	NotFound int     `json:"not_found,omitempty"` // answers "no such call" so far
	// Without any answer by then the call is served unverified.
	GiveUpAt time.Time `json:"give_up_at,omitzero"`
	Wrong    bool      `json:"wrong,omitempty"` // the signature was wrong
	// Busy: the last answer was that too many requests are made, to Twilio or to us. NoVerdict:
	// Twilio was asked once at least and could not say.
	Busy      bool `json:"busy,omitempty"`
	NoVerdict bool `json:"no_verdict,omitempty"`
	Asked     int  `json:"asked,omitempty"` // requests to Twilio for the call before it was proven
}

// Alert is the bookkeeping of the call's one alert.
type Alert struct {
	// Wanted: the alert is created when the call is known to be real. Notes are the lines of its
	// story until then, Repeat what its title says of earlier calls. Quiet: it waits for a message.
	Wanted  bool   `json:"wanted,omitempty"`
	Quiet   bool   `json:"quiet,omitempty"`
	Repeat  string `json:"repeat,omitempty"`
	Notes   []Note `json:"notes,omitempty"`
	Created bool   `json:"created,omitempty"`
	// To be routed as soon as the call is known to be real.
	RouteWanted bool  `json:"route_wanted,omitempty"`
	Routed      bool  `json:"routed,omitempty"`
	Resolved    bool  `json:"resolved,omitempty"` // commanded by us
	Commands    int64 `json:"commands,omitempty"` // numbers given out so far
	// Our last command that changes status or layer: an older snapshot is ignored.
	Decisive int64                   `json:"decisive,omitempty"`
	Status   integration.AlertStatus `json:"status,omitempty"`    // as last observed; "" before
	Layer    int                     `json:"layer,omitempty"`     // as last observed
	Round    int                     `json:"round,omitempty"`     // as last observed
	Acks     []Ack                   `json:"acks,omitempty"`      // in force, as last observed
	SeenAcks []string                `json:"seen_acks,omitempty"` // ids acted upon, oldest first
	// OwnAcks are ids of acknowledgements that we commanded. AckUser is in whose name the last one
	// was commanded and AckCommand its number, until a snapshot includes it.
	OwnAcks    []string  `json:"own_ack_ids,omitempty"`
	AckUser    string    `json:"ack_user,omitempty"`
	AckCommand int64     `json:"ack_command,omitempty"`
	ReadAt     time.Time `json:"read_at,omitzero"` // of the snapshot that last changed something
	// SeenCommand and Change are its last command and the number of the change, by which an older
	// one is told; 0: the host gave no number.
	SeenCommand int64 `json:"seen_command,omitempty"`
	Change      int64 `json:"change,omitempty"`
	// In this round and not paged again since, as last observed.
	Declined []string `json:"declined,omitempty"`
	// Why the platform pages nobody for it although it should; "": it does.
	Unpaged string `json:"unpaged,omitempty"`
	// Reached are the layers that were brought in, by the platform or by us, each once a call.
	Reached []int `json:"reached,omitempty"`
	// Unread: a layer was reached whose people have not been read yet.
	Unread bool `json:"unread,omitempty"`
	// LastLayer: no layer after the newest has anybody on call, as last read.
	LastLayer bool `json:"last_layer,omitempty"`
	// Judged: it was decided what follows from everybody having been tried.
	Judged    bool `json:"judged,omitempty"`
	LeftLayer int  `json:"left_layer,omitempty"` // the last layer that we commanded to leave
	LeftRound int  `json:"left_round,omitempty"`
	// The platform is expected to page the next layer by then.
	EscalateBy time.Time `json:"escalate_by,omitzero"`
	// OldOnCall: who is on call, as last read, is what the platform said a while ago; the story
	// says so.
	OldOnCall bool `json:"old_on_call,omitempty"`
	// FailedAck: the acknowledgement in force came to nothing and cannot be taken back.
	FailedAck bool `json:"failed_ack,omitempty"`
	// The platform could not answer: ask again then.
	AskAgainAt time.Time `json:"ask_again_at,omitzero"`
	// The platform could not say who is on call: ask again then.
	ReadAgainAt time.Time `json:"read_again_at,omitzero"`
	// When acknowledgements were last taken back.
	TakenBackAt time.Time `json:"taken_back_at,omitzero"`
	// Our acknowledgement is in no snapshot yet.
	AckPending bool `json:"ack_pending,omitempty"`
	// Reopening or escalating failed: we ring the layers ourselves.
	Stubborn bool `json:"stubborn,omitempty"`
}

// Note is a line of the story that waits for the alert.
type Note struct {
	Text  string `json:"text"`
	Actor string `json:"actor,omitempty"`
}

// Ack is one acknowledgement, as it is remembered.
type Ack struct {
	ID   string    `json:"id"`
	User string    `json:"user,omitempty"` // "" = not a known person
	At   time.Time `json:"at,omitzero"`
	// Command is the number of our command that made it, where the platform says so; 0: unknown or
	// not ours.
	Command int64 `json:"command,omitempty"`
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

// Voicemail is the bookkeeping of what the caller records.
type Voicemail struct {
	Offered   bool      `json:"offered,omitempty"` // the recording document was served
	OfferedAt time.Time `json:"offered_at,omitzero"`
	// Times that it was served, two standing for more.
	Offers   int  `json:"offers,omitempty"`
	Finished bool `json:"finished,omitempty"` // Twilio said that a recording stopped
	// Of the call, in the order in which they came to light.
	Recordings []Recording `json:"recordings,omitempty"`
	Absent     bool        `json:"absent,omitempty"` // it is known that nothing was recorded
	// Twilio was asked for the call's recordings.
	Looked bool      `json:"looked,omitempty"`
	LookAt time.Time `json:"look_at,omitzero"` // when they are looked up
	// When what is known is delivered without audio.
	GiveUpAt time.Time `json:"give_up_at,omitzero"`
}

// Recording is one recording of the call.
type Recording struct {
	Sid         string `json:"sid"`
	Seconds     int    `json:"seconds,omitempty"`
	Absent      bool   `json:"absent,omitempty"`   // Twilio says that it holds nothing
	Failed      bool   `json:"failed,omitempty"`   // Twilio says that recording failed
	Fetching    bool   `json:"fetching,omitempty"` // its audio was asked for
	Media       *Media `json:"media,omitempty"`    // where the host keeps the audio
	Told        bool   `json:"told,omitempty"`     // delivered, with or without audio
	Transcribed bool   `json:"transcribed,omitempty"`
	Transcript  string `json:"transcript,omitempty"` // until the mail is sent
	Heard       bool   `json:"heard,omitempty"`      // somebody has listened to it on the phone
	// The host does not have the audio any more, or it cannot be played.
	Gone bool `json:"gone,omitempty"`
}

// Delivery is the bookkeeping of the way of a call's messages to somebody who hears them.
type Delivery struct {
	// When the newest message was there to be heard; zero: nobody is rung for one.
	Since time.Time `json:"since,omitzero"`
	EndBy time.Time `json:"end_by,omitzero"` // when the platform is no longer waited for
	// Layer is the last layer whose people are rung, Round the alert's round that counts; 0: not
	// known yet.
	Layer int `json:"layer,omitempty"`
	Round int `json:"round,omitempty"`
	// Acks are the acknowledgements by which it was last decided who is rung.
	Acks []string `json:"acks,omitempty"`
	// Who is to be rung has changed, and was not read since.
	Unread bool `json:"unread,omitempty"`
	// The next layer that has anybody on call, as last read; 0: none.
	Next int `json:"next,omitempty"`
	// It was decided what follows from everybody having been rung.
	Judged bool `json:"judged,omitempty"`
	// GoneSince is since when the platform says that it does not have a team of the call; zero: it
	// has all.
	GoneSince time.Time `json:"gone_since,omitzero"`
}

// Media names a stored recording. It has the fields of [integration.MediaRef], and names of its own
// in JSON.
type Media struct {
	Ref         string        `json:"ref"`
	Name        string        `json:"name,omitempty"`
	ContentType string        `json:"content_type,omitempty"`
	Bytes       int64         `json:"bytes,omitempty"`
	Duration    time.Duration `json:"duration,omitempty"`
}

// reference is the medium in the contract's words; nil for nil.
func (m *Media) reference() *integration.MediaRef {
	if m == nil {
		return nil
	}
	ref := integration.MediaRef(*m)
	return &ref
}
