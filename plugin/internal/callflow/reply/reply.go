package reply

import "time"

// Reply is the answer to a request of Twilio, as a value.
type Reply interface{ reply() }

// PromptKey names a spoken text or a configured recording.
type PromptKey string

// The prompts. Where a form field exists for one, its recording or text replaces the default.
const (
	PromptWelcome       PromptKey = "welcome"        // field; no default: say nothing
	PromptPress         PromptKey = "press"          // Digit, Team: "Press 1 for Customer Support."
	PromptPressPound    PromptKey = "press_pound"    // "then press pound": menus of ten or more
	PromptInvalidKey    PromptKey = "invalid_key"    // that was not one of the choices
	PromptPleaseWait    PromptKey = "before_wait"    // field
	PromptMusic         PromptKey = "wait_music"     // field: it is played, and said nowhere
	PromptStillTrying   PromptKey = "still_trying"   // once a minute
	PromptStar          PromptKey = "star"           // press star to leave a message
	PromptBeforeConnect PromptKey = "before_connect" // field: you are now being connected
	PromptGreeting      PromptKey = "voicemail_greeting"
	PromptAfterMessage  PromptKey = "after_voicemail"
	PromptNoAnswer      PromptKey = "no_answer" // field: no one is available, goodbye
	PromptTooManyTries  PromptKey = "too_many_tries"
	PromptNoTeam        PromptKey = "no_team" // nobody to call is set up
	PromptGoodbye       PromptKey = "goodbye"

	PromptDisabled    PromptKey = "disabled"
	PromptMaintenance PromptKey = "maintenance"
	PromptUnavailable PromptKey = "unavailable"
	PromptRateLimited PromptKey = "rate_limited"
	PromptRefused     PromptKey = "refused"

	// To responders.
	// Team, Number (of the caller; "" = withheld), Called: a call for Team from Number.
	PromptAsk        PromptKey = "ask"
	PromptAskKeys    PromptKey = "ask_keys"    // press 1 to take the call, 2 to pass
	PromptConnecting PromptKey = "connecting"  // you are being connected
	PromptPassed     PromptKey = "passed"      // thank you, somebody else is asked
	PromptNoKey      PromptKey = "no_key"      // no key was pressed, goodbye
	PromptTaken      PromptKey = "taken"       // somebody else has taken the call
	PromptCallerLeft PromptKey = "caller_left" // Number: the caller has hung up, call back
	// Number: the caller is leaving, or has left, a message.
	PromptCallerMessage PromptKey = "caller_message"
	PromptNotConnected  PromptKey = "not_connected" // the call could not be connected

	// To responders, of a message.
	// Team, Number, Seconds: so many seconds were left for Team by Number.
	PromptMessage      PromptKey = "message"
	PromptMessageShort PromptKey = "message_short" // Team, Number: the same of a very short one
	PromptMessages     PromptKey = "messages"      // Team, Number, Seconds, Count
	PromptMessageKeys  PromptKey = "message_keys"  // press 1 to hear it, 2 to pass
	PromptMessageNext  PromptKey = "message_next"  // between two messages
	// Number: to call back; press 1 to hear it again, 2 to acknowledge.
	PromptMessageAfter PromptKey = "message_after"
	PromptMessageTaken PromptKey = "message_taken" // Number: thank you, to call back
	PromptMessageDone  PromptKey = "message_done"  // somebody else has heard it
	PromptMessageGone  PromptKey = "message_gone"  // Number: it cannot be played any more
	PromptMessageLater PromptKey = "message_later" // a caller waits for you: your phone rings again
)

// Prompt is one thing to say or play.
type Prompt struct {
	Key    PromptKey
	Digit  int    // PromptPress
	Team   string // name
	Number string // E.164 of the caller; "" = withheld
	Called string // E.164 of the number that was called
	// Seconds and Count are the length and number of messages.
	Seconds, Count int
}

// Reject refuses the call before it is answered.
type Reject struct {
	Busy bool // the caller hears a busy line
}

// Refused is the one fixed sentence for a request that cannot be trusted.
type Refused struct{}

// Empty is a document without verbs, where the answer is not executed. It would end a call
// that executes it.
type Empty struct{}

// Hangup says something and hangs up.
type Hangup struct{ Say []Prompt }

// Menu asks for a team. Keys are taken while prompts play; silence must be reported as well
// (with empty digits).
type Menu struct {
	Step int
	// Welcome, or a remark on the last key; inside the gathering, so that keys count already.
	Intro   []Prompt
	Items   []Prompt
	Digits  int           // keys to press at most: 1, or 2 ended by pound
	Timeout time.Duration // after the prompts
}

// Enqueue says something and puts the caller on hold, in the call's own queue.
type Enqueue struct {
	Step int
	Say  []Prompt
}

// Hold is the wait document. Its URL is asked for again when it has been played, with the next
// tick.
type Hold struct {
	Step int
	Say  []Prompt
	// Counts the documents of a stay in the queue, from 0: the pieces of the music follow it.
	Tick int
	// Said is how long the caller had waited when they were last told something; the next tick
	// brings it.
	Said time.Duration
	Star bool // the star key leaves a message
}

// LeaveQueue makes the caller leave the queue; Twilio then asks for what follows
// ([event.Left]).
type LeaveQueue struct{}

// Record says the greeting and records a message.
type Record struct {
	Step        int
	Say         []Prompt
	MaxLength   time.Duration
	Silence     time.Duration // that ends the recording
	FinishOnKey string
	Transcribe  bool
}

// Ask asks a responder whether to take the call. Silence must be reported as well (with empty
// digits).
type Ask struct {
	Leg     string
	Step    int
	Say     []Prompt
	Timeout time.Duration
}

// Play plays messages to a responder, then says something, and asks for a key. Keys are taken
// while it plays; silence must be reported as well (with empty digits).
type Play struct {
	Leg     string
	Step    int
	Media   []string // references of the media, see [integration.Facts].MediaURLs
	Between []Prompt // said between two of them
	Say     []Prompt // afterwards
	Timeout time.Duration
}

// Join says something to a responder and sends them on to the messages of another call, or
// back to their leg of the call that they came from.
type Join struct {
	Say  []Prompt
	Call string // the other caller's CallSid
	Leg  int    // the id of their leg: here, or, on the way back, there
	Back bool
}

// Stay keeps a responder who has taken the call on the line while the caller is not in the
// queue yet, and asks again a little later.
type Stay struct {
	Leg  string
	Step int
	Say  []Prompt
}

// DialQueue connects the responder's leg with the caller who waits in the call's queue.
type DialQueue struct {
	Leg     string
	Step    int
	Say     []Prompt
	Timeout time.Duration // how long to wait for the caller; Twilio's minimum is 5 s
}

// Announce is what the caller hears just before being connected.
type Announce struct{ Say []Prompt }

func (Reject) reply()     {}
func (Refused) reply()    {}
func (Empty) reply()      {}
func (Hangup) reply()     {}
func (Menu) reply()       {}
func (Enqueue) reply()    {}
func (Hold) reply()       {}
func (LeaveQueue) reply() {}
func (Record) reply()     {}
func (Ask) reply()        {}
func (Play) reply()       {}
func (Join) reply()       {}
func (Stay) reply()       {}
func (DialQueue) reply()  {}
func (Announce) reply()   {}
