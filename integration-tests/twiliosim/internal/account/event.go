package account

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Kinds of events. What a person hears: said, played, tone, beep, heard. What a person does:
// pressed, spoke. The rest is what Twilio and the program under test do.
const (
	EventStatus    = "status"    // Text: the new CallStatus
	EventSaid      = "said"      // Text: words of a <Say>, or of Twilio itself
	EventPlayed    = "played"    // URL: a <Play>, or hold music
	EventTone      = "tone"      // Text: keys of a <Play digits>, or "ringing"
	EventBeep      = "beep"      // a recording begins
	EventHeard     = "heard"     // Text: words of the other person; Peer: who
	EventPressed   = "pressed"   // Text: keys; Note "nobody listens" when no verb takes them
	EventSpoke     = "spoke"     // Text: words
	EventBridged   = "bridged"   // Peer: the call talked to
	EventUnbridged = "unbridged" // Peer: the call talked to
	EventQueued    = "queued"    // Text: the queue's name
	EventDequeued  = "dequeued"  // Text: the queue's name; Note: QueueResult
	EventRecording = "recording" // Text: the recording's status; Note: its SID
	EventWebhook   = "webhook"   // Method, URL, Params, and Status of the answer (0: none)
	EventCallback  = "callback"  // the same, for status callbacks of calls and recordings
	EventMedia     = "media"     // the same, for files of <Play>
	EventREST      = "rest"      // Method, URL (path), Params, Status: a request to the REST API
	EventProblem   = "problem"   // Code, Text: what Twilio's debugger would show
	EventScript    = "script"    // Text: a step of a script, or why it failed
)

// Event is one line of the transcript.
type Event struct {
	Seq      int64             `json:"seq"`
	At       time.Time         `json:"at"`
	Call     string            `json:"call,omitempty"`
	Leg      string            `json:"leg,omitempty"` // whose end it is: the person's telephone number
	Kind     string            `json:"kind"`
	Text     string            `json:"text,omitempty"`
	Note     string            `json:"note,omitempty"`
	Peer     string            `json:"peer,omitempty"`
	Method   string            `json:"method,omitempty"`
	URL      string            `json:"url,omitempty"`
	Status   int               `json:"status,omitempty"`
	Code     int               `json:"code,omitempty"`
	Params   map[string]string `json:"params,omitempty"`
	Duration time.Duration     `json:"duration_ns,omitempty"`
}

// IsAudible reports whether the person at this end of the line hears it.
func (e Event) IsAudible() bool {
	switch e.Kind {
	case EventSaid, EventPlayed, EventTone, EventBeep, EventHeard:
		return true
	}
	return false
}

// AddEventLocked appends to the transcript, of the call as well, and wakes whoever follows it. The
// newest Config.EventLimit events are kept: a simulator may run for weeks.
func (a *Account) AddEventLocked(c *Call, e Event) {
	a.lastEvent++
	e.Seq = a.lastEvent
	e.At = a.Clock.Now()
	if c != nil {
		e.Call, e.Leg = c.Sid, c.PersonNumber()
		c.Events = append(c.Events, e)
	}
	a.events = append(a.events, e)
	for len(a.events) > a.Config.EventLimit {
		a.dropOldestLocked()
	}
	close(a.eventAdded)
	a.eventAdded = make(chan struct{})
	if c != nil {
		c.NotifyLocked()
	}
	if a.Config.Logger != nil {
		a.Config.Logger.Debug("event", "kind", e.Kind, "call", e.Call, "leg", e.Leg, "text", e.Text, "url", e.URL, "status", e.Status, "code", e.Code, "note", e.Note)
	}
}

// dropOldestLocked forgets an event. A call's events are a part of all, in the same order.
func (a *Account) dropOldestLocked() {
	oldest := a.events[0]
	a.events[0] = Event{} // so that its texts can be freed: the slice keeps the place
	a.events = a.events[1:]
	if c := a.callBySid[oldest.Call]; c != nil {
		c.Events[0] = Event{}
		c.Events = c.Events[1:]
	}
}

// AddEvent is AddEventLocked; it takes the lock.
func (a *Account) AddEvent(c *Call, e Event) {
	a.Lock()
	defer a.Unlock()
	a.AddEventLocked(c, e)
}

// Events returns what happened after the event numbered after (0: everything), oldest first. Of the
// oldest events, those beyond Config.EventLimit are missing.
func (a *Account) Events(after int64) []Event {
	a.Lock()
	defer a.Unlock()
	return a.eventsAfterLocked(after)
}

func (a *Account) eventsAfterLocked(after int64) []Event {
	wanted := min(max(a.lastEvent-after, 0), int64(len(a.events)))
	if wanted == 0 {
		return nil
	}
	return append([]Event(nil), a.events[int64(len(a.events))-wanted:]...)
}

// WaitEvents is Events, but waits for at least one event until ctx is done; then it returns none.
func (a *Account) WaitEvents(ctx context.Context, after int64) []Event {
	for {
		a.Lock()
		found, added := a.eventsAfterLocked(after), a.eventAdded
		a.Unlock()
		if len(found) > 0 {
			return found
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil
		case <-a.Context.Done():
			return nil
		}
	}
}

// Transcript returns the events of this call, oldest first.
func (c *Call) Transcript() []Event {
	c.Account.Lock()
	defer c.Account.Unlock()
	return append([]Event(nil), c.Events...)
}

// FormatTranscript writes events one a line: time, leg, words.
func FormatTranscript(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(FormatEvent(e))
		b.WriteByte('\n')
	}
	return b.String()
}

// FormatEvent writes one event as a line without a line end.
func FormatEvent(e Event) string {
	words := e.Text
	switch e.Kind {
	case EventPlayed:
		words = e.URL
	case EventWebhook, EventCallback, EventMedia, EventREST:
		words = fmt.Sprintf("%s %s -> %d", e.Method, e.URL, e.Status)
	case EventProblem:
		words = fmt.Sprintf("%d %s %s", e.Code, e.Text, e.URL)
	case EventBridged, EventUnbridged, EventHeard:
		words = strings.TrimSpace(e.Peer + " " + e.Text)
	}
	if e.Note != "" {
		words += " [" + e.Note + "]"
	}
	return fmt.Sprintf("%s  %-14s %-10s %s", e.At.UTC().Format("15:04:05.000"), e.Leg, e.Kind, words)
}
