package account

import (
	"context"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// AddEventLocked appends to the transcript, of the call as well (nil: of none), and wakes whoever
// follows it.
func (a *Account) AddEventLocked(c *Call, e transcript.Event) {
	e.At = a.Clock.Now()
	if c != nil {
		e.Call, e.Leg = c.Sid, c.PersonNumber()
	}
	e, dropped := a.log.Add(e)
	if dropped != nil {
		a.dropEventLocked(dropped)
	}
	if c != nil {
		c.Events = append(c.Events, e)
		c.NotifyLocked()
	}
	if a.Config.Logger != nil {
		a.Config.Logger.Debug("event", "kind", e.Kind, "call", e.Call, "leg", e.Leg, "text", e.Text, "url", e.URL, "status", e.Status, "code", e.Code, "note", e.Note)
	}
}

// dropEventLocked drops an event from its call as well, where it is the oldest: a call's events are
// a part of all, in the same order.
func (a *Account) dropEventLocked(oldest *transcript.Event) {
	if c := a.callBySid[oldest.Call]; c != nil {
		c.Events[0] = transcript.Event{}
		c.Events = c.Events[1:]
	}
}

// AddEvent is AddEventLocked; it takes the lock.
func (a *Account) AddEvent(c *Call, e transcript.Event) {
	a.Lock()
	defer a.Unlock()
	a.AddEventLocked(c, e)
}

// Events returns what happened after the event numbered after (0: everything), oldest first. Of the
// oldest events, those beyond Config.EventLimit are missing.
func (a *Account) Events(after int64) []transcript.Event { return a.log.After(after) }

// WaitEvents is Events, but waits for at least one event until ctx is done or the account is
// closed; then it returns none.
func (a *Account) WaitEvents(ctx context.Context, after int64) []transcript.Event {
	return a.log.Wait(ctx, a.Context.Done(), after)
}

// Transcript returns the events of this call, oldest first.
func (c *Call) Transcript() []transcript.Event {
	c.Account.Lock()
	defer c.Account.Unlock()
	return append([]transcript.Event(nil), c.Events...)
}
