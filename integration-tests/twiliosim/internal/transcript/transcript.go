// Package transcript records what happens to the calls of an account: what people hear and do, what
// Twilio does, and which requests were made.
package transcript

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kinds of events: the values of Event.Kind. What a person hears: said, played, tone, beep, heard.
// What a person does: pressed, spoke. The rest is what Twilio and the program under test do.
const (
	Status    = "status"    // Text: the new CallStatus
	Said      = "said"      // Text: words of a <Say>, or of Twilio itself
	Played    = "played"    // URL: a <Play>, or hold music
	Tone      = "tone"      // Text: keys of a <Play digits>, or "ringing"
	Beep      = "beep"      // a recording begins
	Heard     = "heard"     // Text: words of the other person; Peer: who
	Pressed   = "pressed"   // Text: keys; Note "nobody listens" when no verb takes them
	Spoke     = "spoke"     // Text: words
	Bridged   = "bridged"   // Peer: the call talked to
	Unbridged = "unbridged" // Peer: the call talked to
	Queued    = "queued"    // Text: the queue's name
	Dequeued  = "dequeued"  // Text: the queue's name; Note: QueueResult
	Recording = "recording" // Text: the recording's status; Note: its SID
	Webhook   = "webhook"   // Method, URL, Params, and Status of the answer (0: none)
	Callback  = "callback"  // the same, for status callbacks of calls and recordings
	Media     = "media"     // the same, for files of <Play>
	REST      = "rest"      // Method, URL (path), Params, Status: a request to the REST API
	Problem   = "problem"   // Code, Text: what Twilio's debugger would show
	Script    = "script"    // Text: a step of a script, or why it failed
)

// Event is one line of the transcript. Seq numbers the events of a simulator from 1; fields that a
// kind does not use are empty.
type Event struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	Call string    `json:"call,omitempty"`
	// Whose end it is: the person's telephone number.
	Leg      string            `json:"leg,omitempty"`
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
	case Said, Played, Tone, Beep, Heard:
		return true
	}
	return false
}

// Log holds the newest events. Its methods may be used from several goroutines, and never wait but
// for Wait.
type Log struct {
	limit int

	mu     sync.Mutex
	events []Event
	last   int64         // number of the newest event
	added  chan struct{} // closed and replaced when an event is added
}

// NewLog returns a log of at most limit events.
func NewLog(limit int) *Log { return &Log{limit: limit, added: make(chan struct{})} }

// Add numbers an event, appends it and wakes whoever waits. It returns the event as numbered and,
// once the log is full, the one that it drops: a simulator may run for weeks.
func (l *Log) Add(e Event) (added Event, dropped *Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.Seq = l.last
	l.events = append(l.events, e)
	if len(l.events) > l.limit {
		oldest := l.events[0]
		dropped = &oldest
		l.events[0] = Event{} // so that its texts can be freed: the slice keeps the place
		l.events = l.events[1:]
	}
	close(l.added)
	l.added = make(chan struct{})
	return e, dropped
}

// After returns the events after the one numbered after (0: all that are kept), oldest first.
func (l *Log) After(after int64) []Event {
	found, _ := l.after(after)
	return found
}

// after also returns the channel that is closed by the next event, taken under the same lock: no
// event falls in between.
func (l *Log) after(after int64) (found []Event, added <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wanted := min(max(l.last-after, 0), int64(len(l.events)))
	if wanted == 0 {
		return nil, l.added
	}
	return slices.Clone(l.events[int64(len(l.events))-wanted:]), l.added
}

// Wait is After, but waits for at least one event until ctx or closed is done; then it returns
// none.
func (l *Log) Wait(ctx context.Context, closed <-chan struct{}, after int64) []Event {
	for {
		found, added := l.after(after)
		if len(found) > 0 {
			return found
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil
		case <-closed:
			return nil
		}
	}
}

// Format writes events one a line: time, leg, words.
func Format(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(FormatLine(e))
		b.WriteByte('\n')
	}
	return b.String()
}

// FormatLine writes one event as a line without a line end.
func FormatLine(e Event) string {
	words := e.Text
	switch e.Kind {
	case Played:
		words = e.URL
	case Webhook, Callback, Media, REST:
		words = fmt.Sprintf("%s %s -> %d", e.Method, e.URL, e.Status)
	case Problem:
		words = fmt.Sprintf("%d %s %s", e.Code, e.Text, e.URL)
	case Bridged, Unbridged, Heard:
		words = strings.TrimSpace(e.Peer + " " + e.Text)
	}
	if e.Note != "" {
		words += " [" + e.Note + "]"
	}
	return fmt.Sprintf("%s  %-14s %-10s %s", e.At.UTC().Format("15:04:05.000"), e.Leg, e.Kind, words)
}
