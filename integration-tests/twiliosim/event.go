package twiliosim

import (
	"context"
	"time"
)

// Kinds of events. What a person hears: said, played, tone, beep, heard. What a person does: pressed, spoke. The rest is
// what Twilio and the program under test do.
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

// audible reports whether it is something the person at this end of the line hears.
func (e Event) audible() bool {
	switch e.Kind {
	case EventSaid, EventPlayed, EventTone, EventBeep, EventHeard:
		return true
	}
	return false
}

// addEventLocked appends to the transcript and wakes whoever follows it. s.mu is held.
func (s *Sim) addEventLocked(c *Call, e Event) {
	e.Seq = int64(len(s.events)) + 1
	e.At = s.clock.Now()
	if c != nil {
		e.Call, e.Leg = c.Sid, c.personNumber()
		c.events = append(c.events, e)
	}
	s.events = append(s.events, e)
	close(s.eventAdded)
	s.eventAdded = make(chan struct{})
	if c != nil {
		c.notifyLocked()
	}
	if s.cfg.Logger != nil {
		s.cfg.Logger.Debug("event", "kind", e.Kind, "call", e.Call, "leg", e.Leg, "text", e.Text, "url", e.URL, "status", e.Status, "code", e.Code, "note", e.Note)
	}
}

func (s *Sim) addEvent(c *Call, e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addEventLocked(c, e)
}

// Events returns what happened after the event numbered after (0: everything), oldest first.
func (s *Sim) Events(after int64) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.eventsAfterLocked(after)
}

func (s *Sim) eventsAfterLocked(after int64) []Event {
	if after < 0 {
		after = 0
	}
	if after >= int64(len(s.events)) {
		return nil
	}
	return append([]Event(nil), s.events[after:]...)
}

// WaitEvents is Events, but waits for at least one event until ctx is done; then it returns none.
func (s *Sim) WaitEvents(ctx context.Context, after int64) []Event {
	for {
		s.mu.Lock()
		found, added := s.eventsAfterLocked(after), s.eventAdded
		s.mu.Unlock()
		if len(found) > 0 {
			return found
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil
		case <-s.ctx.Done():
			return nil
		}
	}
}

// Transcript returns the events of this call, oldest first.
func (c *Call) Transcript() []Event {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return append([]Event(nil), c.events...)
}
