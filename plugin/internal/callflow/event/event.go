package event

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
)

// Kind names what happened.
type Kind string

// Requests of the caller's leg. Each carries CallStatus, and Caller as far as the request tells.
const (
	Arrival Kind = "arrival" // "/": the call came, or came again
	// "/resume": Twilio fell back, or the document before asked for it.
	Resume   Kind = "resume"
	MenuKeys Kind = "menu_keys" // "/menu": Digits ("" = nothing was pressed), Step
	Tick     Kind = "tick"      // "/hold": QueueSid, Tick
	HoldKey  Kind = "hold_key"  // "/hold/key": Digits, Tick
	Left     Kind = "left"      // "/left": QueueResult, QueueSid, Step
	// "/voicemail": taken out of the queue to leave a message.
	Voicemail Kind = "voicemail"
	// "/recorded": RecordingSid, Seconds, Digits ("hangup" = the caller hung up).
	Recorded   Kind = "recorded"
	Announce   Kind = "announce"    // "/announce": DequeuedBy
	CallStatus Kind = "call_status" // "/status": the number's status callback; CallStatus
)

// Requests about a recording. Twilio ignores the answers.
const (
	// "/recording": RecordingSid, RecordingStatus, Seconds.
	Recording     Kind = "recording"
	Transcription Kind = "transcription" // "/transcription": RecordingSid, Text
)

// Requests of a responder's leg: Leg, and CallSid of that leg.
const (
	// "/leg/{id}": the phone was answered, or the leg was sent here to hear why it is not needed.
	LegAnswer Kind = "leg_answer"
	LegKey    Kind = "leg_key"    // "/leg/{id}/key": Digits, Step
	LegEnded  Kind = "leg_ended"  // "/leg/{id}/ended": Bridged, Seconds
	LegStatus Kind = "leg_status" // "/leg/{id}/status": CallStatus, Seconds
	// "/join": somebody who has heard another call's message comes to hear this one's: CallSid,
	// Phone, Step (the leg's id there).
	LegJoins Kind = "leg_joins"
)

// Events that are no requests.
const (
	Alert Kind = "alert" // the alert changed: Facts.Alert
	Timer Kind = "timer" // Timer
	// An alert command failed finally: Command, Detail.
	CommandFailed Kind = "command_failed"
)

// Results of tasks, good or finally bad. Each carries Result.
const (
	LookedAtCall Kind = "looked_at_call" // of LookCall: CallStatus when Result is Done
	Dialed       Kind = "dialed"         // of DialLeg: Leg, CallSid when Done
	// Of LookLeg: Leg; CallSid and CallStatus when Done; NotFound: no such call.
	LookedAtLeg Kind = "looked_at_leg"
	// Of Dequeue; NotFound: the caller no longer waits.
	Dequeued     Kind = "dequeued"
	QueueDeleted Kind = "queue_deleted" // of DeleteQueue; NotFound counts as done
	// Of FetchRecording: RecordingSid, Media when Done, Seconds if known, RecordingStatus if not
	// Done ("absent": there is none).
	Fetched Kind = "fetched"
	// Of Mail, for each address: Detail says to whom when Done, else to whom it was not delivered
	// and why.
	Mailed Kind = "mailed"
	// Of LookRecordings: Recordings; NotFound: none.
	RecordingsList Kind = "recordings_list"
)

// Result says how a task went.
type Result string

// The results.
const (
	Done     Result = "done"
	NotFound Result = "not_found" // Twilio knows no such thing
	// Unknown: it is not known whether the task took effect (a time-out, a crash in the middle). A
	// DialLeg that is performed a second time must not dial: it reports Unknown.
	Unknown Result = "unknown"
	// Of DialLeg: this number cannot be dialed (invalid, forbidden, unreachable by its nature).
	Refused Result = "refused"
	// AccountError, of DialLeg: Twilio refuses whatever number is dialed, for a reason of the
	// account or of the number shown.
	AccountError Result = "account_error"
	// Anything else: credentials, limits, Twilio out of order. Not the responder's failure.
	Failed Result = "failed"
)

// Status is Twilio's word for the status of a call leg (Twilio docs: voice/twiml, request
// parameters).
type Status string

// The call statuses. The last five are final.
const (
	StatusQueued     Status = "queued"
	StatusInitiated  Status = "initiated"
	StatusRinging    Status = "ringing"
	StatusInProgress Status = "in-progress"
	StatusAnswered   Status = "answered" // word of status callback events for in-progress
	StatusCompleted  Status = "completed"
	StatusBusy       Status = "busy"
	StatusFailed     Status = "failed"
	StatusNoAnswer   Status = "no-answer"
	StatusCanceled   Status = "canceled"
)

// Over reports whether the status is final.
func (s Status) Over() bool {
	switch s {
	case StatusCompleted, StatusBusy, StatusFailed, StatusNoAnswer, StatusCanceled:
		return true
	case StatusQueued, StatusInitiated, StatusRinging, StatusInProgress, StatusAnswered:
		return false
	}
	return false
}

// Auth says what is known of a request's origin. Requests below /c/ have already passed the check
// of their token.
type Auth string

// The kinds of origin.
const (
	AuthSigned  Auth = "signed"   // valid signature
	AuthNoToken Auth = "no_token" // no auth token is configured: nothing to check against
	// AuthMismatch: the signature is wrong. Somebody else may have sent the request, or the token
	// was changed at Twilio: nobody is woken before Twilio confirms the call.
	AuthMismatch Auth = "mismatch"
	AuthRefused  Auth = "refused" // wrong signature or wrong token: the fixed sentence, no effect
)

// Event is something that happened. Which fields matter is said at its kind.
type Event struct {
	Kind Kind
	// Facts is what the host says with every request. Facts.Now is the only clock a step has;
	// Facts.Session is not looked at: the state is an argument of its own.
	Facts integration.Facts
	// ReceivedAt is when a deferred request came; zero: now.
	ReceivedAt time.Time

	Auth Auth // of requests; "" counts as signed
	// Parameters are those of the request that a call arrives with, as they came: router rules see
	// them.
	Parameters map[string]string
	Caller     *call.Caller
	CallStatus Status
	CallSid    string // of the responder's leg
	Phone      string // of the person who joins, E.164
	// Fallback: Twilio asks at the fallback address, or a document of the operator's own sent it
	// there. ErrorURL is the address that failed, where it is none of our requests: a sound file's.
	Fallback bool
	ErrorURL string
	// FailedRequest is what Twilio wanted when it turned to the fallback address, as far as it says
	// so; "" = not known, or nothing of ours.
	FailedRequest Kind
	Leg           string // leg id
	Step          int    // the number that the URL carried
	Tick          int    // the number that the wait document's URL carried, from 0
	// Said is what the wait document's URL carried of [reply.Hold].Said, in whole seconds.
	Said     time.Duration
	Digits   string
	QueueSid string
	// QueueResult is Twilio's word (Twilio docs: voice/twiml/enqueue): bridged,
	// bridging-in-process, error, hangup, leave, redirected, redirected-from-bridged, queue-full,
	// system-error.
	QueueResult string
	QueueTime   time.Duration // of the stay in the queue that is over; 0: not known
	DequeuedBy  string        // CallSid of the leg that takes the caller out of the queue
	Bridged     Bridge        // DialBridged

	RecordingSid    string
	RecordingStatus string // completed, absent, failed, in-progress; of a fetch also deleted
	Recordings      []ListedRecording
	// Length of the conversation, of the recording, or of the leg that was looked at; 0: not known.
	Seconds int
	Text    string // transcript
	Media   *integration.MediaRef

	Timer   string // name of the timer
	Command *integration.AlertCommand
	Result  Result
	Code    string // Twilio's error code, of a failed task, a recording or a document; "" if none
	Busy    bool   // a failed task: Twilio answered that it has too many requests
	Detail  string // why a task or a command failed, with the remedy, for the log: never a secret
}

// ListedRecording is one recording in Twilio's list of a call's recordings.
type ListedRecording struct {
	Sid     string
	Status  string
	Seconds int
}

// Bridge says whether two legs were joined, in Twilio's word DialBridged.
type Bridge string

// The words. An absent parameter is not known: then the duration decides.
const (
	BridgeUnknown Bridge = ""
	BridgeYes     Bridge = "true"
	BridgeNo      Bridge = "false"
)
