package effect

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Effect is something that a step wants done, as a value: one of this file's types, or one of the
// contract's [integration.AlertCommand], [integration.Heard], [integration.Finding],
// [integration.LogLine] and [integration.Question]. Order matters among alert commands alone.
type Effect any

// Task names a piece of I/O or a timer within its call. A task of a lower generation that has not
// started is replaced by one of a higher.
type Task struct {
	Name       string // such as "dial-3", "look-call"
	Generation int64
}

// DialLeg rings a responder's phone by REST. Not idempotent: a second attempt at the same task must
// report [event.Unknown] instead of dialing. Callbacks of the new call go to the leg's URLs, for
// every status event. Answer: [event.Dialed].
type DialLeg struct {
	Task     Task
	Leg      string
	Phone    string // E.164
	Ring     time.Duration
	Step     int // for the URL asked for on answer
	At       time.Time
	NotAfter time.Time
}

// RingLonger is about how much longer than [DialLeg].Ring Twilio lets a phone ring (Twilio docs:
// voice/api/call-resource, Timeout).
const RingLonger = 5 * time.Second

// EndLeg ends a responder's call, or, with Tell, sends it to the leg's own URL where it hears why
// and is hung up on. Whatever comes of it is not reported: a call that is over is no error.
type EndLeg struct {
	Task    Task
	Leg     string
	CallSid string
	Tell    bool
	Step    int
}

// LookLeg asks Twilio for a responder's call: by CallSid, or, where that is "", for the newest call
// to Phone that began at or after Since and is none of Not. Answer: [event.LookedAtLeg].
type LookLeg struct {
	Task    Task
	Leg     string
	CallSid string
	Phone   string
	Since   time.Time
	Not     []string // CallSids of other legs
	At      time.Time
}

// LookCall asks Twilio for the caller's call. Answer: [event.LookedAtCall].
type LookCall struct {
	Task Task
	At   time.Time
}

// Dequeue takes the caller out of the queue to the voicemail URL: only a call that still waits is
// affected. Answer: [event.Dequeued].
type Dequeue struct {
	Task     Task
	QueueSid string
	Step     int
}

// DeleteQueue deletes the call's queue, which is empty by then. Answer: [event.QueueDeleted].
type DeleteQueue struct {
	Task     Task
	QueueSid string
}

// FetchRecording fetches a recording's audio. Answer: [event.Fetched].
type FetchRecording struct {
	Task         Task
	RecordingSid string
	At           time.Time
	NotAfter     time.Time
}

// LookRecordings lists the recordings of the caller's call. Answer: [event.RecordingsList].
type LookRecordings struct {
	Task Task
	At   time.Time
}

// DeleteRecording deletes a recording at Twilio, after the host keeps its audio.
type DeleteRecording struct {
	Task         Task
	RecordingSid string
}

// CallerSeen says that the present request shows that the caller is still there.
type CallerSeen struct{}

// CancelTask forgets a task that has not started.
type CancelTask struct{ Task Task }

// StartTimer asks for [event.Timer] with Timer = Task.Name at a time; it replaces an earlier one of
// that name.
type StartTimer struct {
	Task Task
	At   time.Time
}

// CancelTimer forgets a timer.
type CancelTimer struct{ Task Task }

// Mail tells the configured recipients of a message.
type Mail struct {
	Key        string
	Teams      []string // whose people count for audiences
	Subject    string
	Lead       string                   // a sentence that says what has happened
	Fields     []integration.AlertField // caller, team, time and so on, in order
	Transcript string                   // "" = not known
	Media      *integration.MediaRef    // nil: the audio could not be fetched in time
	At         time.Time
}

// Questions returns the questions among effects. If there are any, they are the only effects, and
// the step changed nothing.
func Questions(effects []Effect) []integration.Question {
	var questions []integration.Question
	for _, e := range effects {
		if q, ok := e.(integration.Question); ok {
			questions = append(questions, q)
		}
	}
	return questions
}
