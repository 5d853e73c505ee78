package app

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/twilio"
)

// Kinds of tasks. They are stored in payloads: a kind may be added, but neither renamed nor given
// another meaning.
const (
	taskDial            = "dial"
	taskEndLeg          = "end_leg"
	taskLookLeg         = "look_leg"
	taskLookCall        = "look_call"
	taskDequeue         = "dequeue"
	taskDeleteQueue     = "delete_queue"
	taskFetch           = "fetch_recording"
	taskLookRecordings  = "look_recordings"
	taskDeleteRecording = "delete_recording"
	taskSweep           = "sweep"
)

// timerSweep is the periodic timer that removes forgotten queues.
const timerSweep = "sweep"

// payload is what a task carries (format 1): JSON in the host's outbox, where it may wait for a day
// and outlast an upgrade. Which fields are set depends on the kind; fields are only ever added.
type payload struct {
	Kind    string `json:"kind"`
	Leg     string `json:"leg,omitempty"`
	CallSID string `json:"call_sid,omitempty"`
	Phone   string `json:"phone,omitempty"`
	From    string `json:"from,omitempty"`
	Ring    int    `json:"ring,omitempty"` // seconds
	Step    int    `json:"step,omitempty"`
	// Tell sends the leg to a document that says why, instead of hanging up.
	Tell bool `json:"tell,omitempty"`
	// When the leg was commanded: a call to its number that began before cannot be it.
	Since time.Time `json:"since,omitzero"`
	// CallSids of other legs, which a search by number must not take for this one.
	Not          []string `json:"not,omitempty"`
	QueueSID     string   `json:"queue_sid,omitempty"`
	RecordingSID string   `json:"recording_sid,omitempty"`
}

// result is what a task found out (format 1). The host stores it between Perform and HandleTask, so
// it may be read by another process, or another release, than the one that wrote it.
type result struct {
	Result          event.Result `json:"result"`
	Busy            bool         `json:"busy,omitempty"` // too many requests
	Code            string       `json:"code,omitempty"` // Twilio's, of an error
	Detail          string       `json:"detail,omitempty"`
	CallSID         string       `json:"call_sid,omitempty"`
	CallStatus      event.Status `json:"call_status,omitempty"`
	RecordingSID    string       `json:"recording_sid,omitempty"`
	RecordingStatus string       `json:"recording_status,omitempty"`
	Seconds         int          `json:"seconds,omitempty"`
	Recordings      []listed     `json:"recordings,omitempty"` // of the call
	Removed         int          `json:"removed,omitempty"`    // queues, by the sweep
}

// listed is a recording in a list of Twilio's.
type listed struct {
	SID     string `json:"sid"`
	Status  string `json:"status,omitempty"`
	Seconds int    `json:"seconds,omitempty"`
}

// encode makes the JSON of a payload or result.
func encode(v any) []byte {
	out, err := json.Marshal(v)
	if err != nil {
		return nil // structs of plain values do not fail
	}
	return out
}

// timerName keeps timers apart from tasks, which share one space of names in the contract.
func timerName(name string) string { return "timer-" + name }

// HandleTask implements [integration.Integration]. Timers that are early, late or unknown are
// events like any other: the call flow looks at its own deadlines and not at the name of a timer.
func (a *App) HandleTask(_ context.Context, req integration.TaskRequest) (integration.Outcome, error) {
	f := req.Facts
	// The integration's own session has no call.
	if f.SessionKey == integration.IntegrationSessionKey || (f.Session != nil && f.Session.Key == integration.IntegrationSessionKey) {
		return periodic(req), nil
	}
	if f.Session == nil || !twilio.IsSID(twilio.SIDCall, f.Session.Key) {
		return integration.Outcome{}, nil // the call was forgotten meanwhile
	}
	e, ok := taskEvent(req)
	if !ok {
		return integration.Outcome{}, nil
	}
	return a.step(f, a.documents.load(f.Instance), e, f.Session.Key)
}

// taskEvent is what happened in the call flow's words; false where the flow does not want to know.
// Names of timers are deadlines of the call flow, whatever release has set them.
func taskEvent(req integration.TaskRequest) (event.Event, bool) {
	switch req.Event {
	case integration.TimerDue:
		switch req.Task.Name { // the host's own, which share no name with ours
		case integration.TimerPersonFree, integration.TimerPersonWanted, integration.TimerHostStarted, integration.TimerHostChanged, integration.TimerCallerSilent:
			return event.Event{Kind: event.Timer, Timer: req.Task.Name}, true
		}
		name, ok := strings.CutPrefix(req.Task.Name, timerName(""))
		return event.Event{Kind: event.Timer, Timer: name}, ok
	case integration.CommandFailed:
		if req.Command == nil {
			return event.Event{}, false
		}
		return event.Event{
			Kind: event.CommandFailed, Command: req.Command, Detail: failure(req.Failure),
		}, true
	case integration.TaskDone, integration.TaskFailed:
		if req.Task.Name == integration.TaskMail || req.Task.Name == integration.TaskMailSent {
			return mailEvent(req), true
		}
		return resultEvent(req)
	}
	return event.Event{}, false
}

// mailEvent says to whom a mail was sent, or to whom it could not be delivered, and why.
func mailEvent(req integration.TaskRequest) event.Event {
	address := oneline.Clean(string(req.Task.Payload), 254)
	if req.Task.Name == integration.TaskMailSent {
		return event.Event{Kind: event.Mailed, Result: event.Done, Detail: address}
	}
	why := "the host does not say why"
	if req.Failure != nil {
		why = strings.TrimSuffix(oneline.Clean(req.Failure.Message, 300), ".")
	}
	if address != "" {
		why = address + ": " + why
	}
	return event.Event{Kind: event.Mailed, Result: event.Failed, Detail: why}
}

// resultEvent is the result of one of our tasks as an event; false for kinds whose result the flow
// does not wait for, such as the end of a leg.
func resultEvent(req integration.TaskRequest) (event.Event, bool) {
	var p payload
	if err := json.Unmarshal(req.Task.Payload, &p); err != nil {
		return event.Event{}, false
	}
	// Ends of legs and deletions of recordings are missing on purpose.
	kind, ok := map[string]event.Kind{
		taskDial: event.Dialed, taskLookLeg: event.LookedAtLeg, taskLookCall: event.LookedAtCall,
		taskDequeue: event.Dequeued, taskDeleteQueue: event.QueueDeleted, taskFetch: event.Fetched,
		taskLookRecordings: event.RecordingsList,
	}[p.Kind]
	if !ok {
		return event.Event{}, false
	}
	r := failed(p.Kind, req.Failure)
	if req.Event == integration.TaskDone {
		r = result{}
		if err := json.Unmarshal(req.Result, &r); err != nil || r.Result == "" {
			// Unknown is the safe reading: the flow looks before it repeats anything.
			r = result{Result: event.Unknown, Detail: "the result cannot be read"}
		}
	}
	e := event.Event{
		Kind: kind, Leg: p.Leg, Result: r.Result, Code: r.Code, Busy: r.Busy, Detail: r.Detail, CallSid: r.CallSID, CallStatus: r.CallStatus,
		RecordingSid: r.RecordingSID, RecordingStatus: r.RecordingStatus, Seconds: r.Seconds,
	}
	for _, l := range r.Recordings {
		e.Recordings = append(e.Recordings, event.ListedRecording{Sid: l.SID, Status: l.Status, Seconds: l.Seconds})
	}
	if p.Kind == taskLookRecordings && r.RecordingSID != "" {
		// The release before named the newest alone.
		e.Recordings = []event.ListedRecording{{Sid: r.RecordingSID, Status: r.RecordingStatus, Seconds: r.Seconds}}
	}
	if p.Kind == taskFetch {
		e.RecordingSid = p.RecordingSID
		// The host has stored the audio, and names it here; the bytes themselves never come back.
		if len(req.Media) > 0 {
			e.Media = &req.Media[0]
		} else if e.Result == event.Done {
			e.Result, e.Detail = event.Failed, "the audio was not kept"
		}
	}
	return e, true
}

// failed is the result of a task that failed for good in the host's eyes. The host gives up by its
// own rules, so what is missing is said by the kind of its error.
func failed(kind string, err *integration.Error) result {
	r := result{Result: event.Failed, Detail: failure(err)}
	switch {
	case err == nil:
	case err.Kind == integration.KindNotFound:
		r.Result = event.NotFound
	case err.Kind == integration.KindDeadline && kind == taskDial:
		r.Result = event.Unknown // it may have been started and lost in the middle
	case err.Kind == integration.KindDeadline && kind == taskLookCall:
		r.Busy = true // its turn did not come: that says nothing of Twilio
	}
	return r
}

// failure is an error in at most 300 characters of one line, as it is shown to people.
func failure(err *integration.Error) string {
	if err == nil {
		return ""
	}
	return oneline.Clean(err.Error(), 300)
}

// periodic handles what concerns no call: the daily sweep of forgotten queues.
func periodic(req integration.TaskRequest) integration.Outcome {
	switch req.Event {
	case integration.TimerDue:
		if req.Task.Name != timerSweep {
			return integration.Outcome{}
		}
		// Generations must rise; the time does, and needs no state to count in. After an hour the
		// sweep is given up: the next day brings another.
		now := req.Facts.Now
		return integration.Outcome{Tasks: []integration.Task{{
			Name: "sweep-queues", Generation: now.Unix(), NotAfter: now.Add(time.Hour), Payload: encode(payload{Kind: taskSweep}), Format: taskFormat,
		}}}
	case integration.TaskDone:
		var r result
		if json.Unmarshal(req.Result, &r) == nil && r.Removed > 0 {
			return integration.Outcome{Log: []integration.LogLine{{Level: "info", Message: "forgotten queues removed: " + r.Detail}}}
		}
	case integration.TaskFailed:
		return integration.Outcome{Log: []integration.LogLine{{Level: "warn", Message: "queues could not be swept: " + failure(req.Failure)}}}
	case integration.CommandFailed:
	}
	return integration.Outcome{}
}
