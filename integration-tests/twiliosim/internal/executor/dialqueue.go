package executor

import (
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// dialQueue takes the front of a queue and talks to it. A queue of that name that does not exist is
// a failed dial. Source: Twilio docs, voice/twiml/queue.
func (r runner) dialQueue(d *document, n, noun *twiml.Node) (dialResult, error) {
	a := r.Account
	announce, err := d.optionalTarget(noun, "url", "method")
	if err != nil {
		return dialResult{}, err
	}
	a.Lock()
	q := a.QueueByNameLocked(noun.Text)
	if q == nil {
		a.Unlock()
		return dialResult{status: account.StatusFailed}, nil
	}
	q.Dialers = append(q.Dialers, r.Call)
	a.AddEventLocked(r.Call, transcript.Event{Kind: transcript.Tone, Text: "ringing"})
	a.Unlock()
	m, why := r.takeFront(q, announce, n.Seconds("timeout", 30))
	switch {
	case a.IsClosed():
		return dialResult{}, account.ErrClosed
	case m == nil:
		return dialResult{status: account.StatusNoAnswer}, why
	}
	// The member runs the announcement and then starts the conversation; see connect.
	a.Await(r.Call, time.Time{}, func() bool {
		why = r.InterruptLocked()
		return why != nil || m.Talk != nil || m.State == account.MemberOut
	})
	if a.IsClosed() {
		return dialResult{}, account.ErrClosed
	}
	a.Lock()
	// The dialer may leave, or be redirected, while the announcement runs: the member then has
	// nobody to talk to.
	talk := m.Talk
	if talk == nil && why != nil && m.State != account.MemberOut {
		m.State = account.MemberDropped
		m.Call.NotifyLocked()
	}
	a.Unlock()
	if talk == nil {
		return dialResult{status: a.Config.Behaviour.QueueCallerGoneStatus, sid: m.Call.Sid}, why
	}
	return r.talk(n, talk)
}

// takeFront waits for somebody in the queue and takes it out; nil: nobody came in time, or the
// dialer was interrupted, for the reason returned.
func (r runner) takeFront(q *account.Queue, announce webhook.Target, timeout time.Duration) (taken *account.Member, why error) {
	a := r.Account
	a.Await(r.Call, a.Clock.Now().Add(timeout), func() bool {
		if why = r.InterruptLocked(); why != nil {
			return true
		}
		for _, m := range q.Members {
			if m.State == account.MemberWaiting {
				// Taken out at once, so that no other dialer gets the same caller.
				taken = m
				m.State, m.Dialer, m.Announce = account.MemberTaken, r.Call, announce
				a.OutLocked(m)
				m.Call.NotifyLocked()
				return true
			}
		}
		return false
	})
	a.Lock()
	defer a.Unlock()
	q.RemoveDialer(r.Call)
	return taken, why
}
