package twiliosim

import (
	"net/url"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/audio"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/control"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/phone"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// The account: its configuration and what Twilio does not document, its numbers, what happens, and
// what the program under test does wrong.
type (
	Config    = account.Config
	Behaviour = account.Behaviour
	Place     = account.Place
	Number    = account.Number
	Event     = transcript.Event
	Violation = problem.Violation
)

// Telephones and people.
type (
	Phone     = phone.Phone
	Call      = phone.Call
	Responder = phone.Responder
	Script    = phone.Script
	TB        = phone.TB // what expectations need of a *testing.T
)

// Sound as a telephone carries it, and disturbances on demand.
type (
	Sound = audio.Sound
	Fault = fault.Fault
)

// Calls and telephones as the control API shows them.
type (
	CallView  = control.CallView
	PhoneView = control.PhoneView
)

// SoundRate is how many samples a second of Sound has.
const SoundRate = audio.Rate

// Defaults of an account, for demonstrations and tests.
const (
	DefaultAccountSid = account.DefaultAccountSid
	DefaultAuthToken  = account.DefaultAuthToken
	DefaultAPIKey     = account.DefaultAPIKey
	DefaultAPISecret  = account.DefaultAPISecret
)

// Call statuses.
const (
	StatusRinging    = account.StatusRinging
	StatusInProgress = account.StatusInProgress
	StatusCompleted  = account.StatusCompleted
	StatusBusy       = account.StatusBusy
	StatusFailed     = account.StatusFailed
	StatusNoAnswer   = account.StatusNoAnswer
	StatusCanceled   = account.StatusCanceled
)

// Kinds of events; what each holds stands at their definition.
const (
	EventStatus    = transcript.Status
	EventSaid      = transcript.Said
	EventPlayed    = transcript.Played
	EventTone      = transcript.Tone
	EventBeep      = transcript.Beep
	EventHeard     = transcript.Heard
	EventPressed   = transcript.Pressed
	EventSpoke     = transcript.Spoke
	EventBridged   = transcript.Bridged
	EventUnbridged = transcript.Unbridged
	EventQueued    = transcript.Queued
	EventDequeued  = transcript.Dequeued
	EventRecording = transcript.Recording
	EventWebhook   = transcript.Webhook
	EventCallback  = transcript.Callback
	EventMedia     = transcript.Media
	EventREST      = transcript.REST
	EventProblem   = transcript.Problem
	EventScript    = transcript.Script
)

// What a fault does to a request, and which requests it is for.
const (
	FaultLose       = fault.Lose
	FaultLoseAnswer = fault.LoseAnswer
	FaultDouble     = fault.Double
	FaultReset      = fault.Reset
	FaultDelay      = fault.Delay
	FaultStatus     = fault.Status

	OnWebhook  = fault.OnWebhook
	OnCallback = fault.OnCallback
	OnMedia    = fault.OnMedia
	OnREST     = fault.OnREST
)

// Sign returns the X-Twilio-Signature of a request; form is nil for GET. Source: Twilio docs,
// usage/webhooks/webhooks-security.
func Sign(authToken, requestURL string, form url.Values) string {
	return webhook.Sign(authToken, requestURL, form)
}

// ParseWAV reads a WAV file of 16-bit PCM, of any rate from 4 to 192 kHz and up to 8 channels.
func ParseWAV(b []byte) (Sound, error) { return audio.ParseWAV(b) }

// ParseScript reads a script (see Script); errors name the step.
func ParseScript(text string) (Script, error) { return phone.ParseScript(text) }

// ValidateTwiML returns all that Twilio would object to in a document, one objection a line,
// without executing it; nil if it is correct.
func ValidateTwiML(body []byte) []string { return twiml.Lint(body) }

// FormatTranscript writes events one a line: time, leg, words.
func FormatTranscript(events []Event) string { return transcript.Format(events) }
