package account

import (
	"errors"
	"net/http"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Call statuses. Source: Twilio docs, voice/api/call-resource, status. "initiated" appears in
// status callbacks alone.
const (
	StatusQueued     = "queued"
	StatusInitiated  = "initiated"
	StatusRinging    = "ringing"
	StatusInProgress = "in-progress"
	StatusCompleted  = "completed"
	StatusBusy       = "busy"
	StatusFailed     = "failed"
	StatusNoAnswer   = "no-answer"
	StatusCanceled   = "canceled"
)

// Directions of a call. Source: Twilio docs, voice/api/call-resource, direction.
const (
	DirectionInbound      = "inbound"
	DirectionOutboundAPI  = "outbound-api"
	DirectionOutboundDial = "outbound-dial"
)

// Call is one leg: a telephone connected, or being connected, to Twilio.
type Call struct {
	// Sid (CA…), From and To as Twilio reports them, Direction, the SID of the leg that dialed this
	// one, and when it was created. They do not change.
	Sid, From, To, Direction, ParentSid string
	Created                             time.Time
	Account                             *Account

	// The account's lock guards what follows.

	Status     string
	Number     *Number // the account's number that was dialed or is shown
	Updated    time.Time
	Dialed     time.Time // start_time
	EndedAt    time.Time
	AnsweredBy string             // what machine detection found
	QueueTime  time.Duration      // of the last queue it was in
	Events     []transcript.Event // its transcript
	Finished   bool               // it is over, and its last webhook has been answered
	Deleted    bool               // the record of the call was deleted by REST

	// Fallback is where errors go, Callbacks what the program wants to hear of, Detection whether
	// to find out who answers.
	Fallback  webhook.Target
	Callbacks CallbackPlan
	Detection Detection
	// Update is a REST update that has not been taken up.
	Update *Instructions

	// Ringing: the telephone rings and a person may answer. Listening: a verb takes keys. Keys were
	// pressed and not taken. Speech is what the person says, or said last.
	Ringing, Listening bool
	Keys               []rune
	Speech             Speech
	IsMachine          bool // an answering machine answers

	Member *Member // its stay in a queue
	Bridge *Bridge // its conversation

	parent     *Call
	cookies    http.CookieJar
	changed    chan struct{} // closed and replaced at every change
	answeredAt time.Time
	finishing  bool          // the last status callback is on its way
	sequence   int           // SequenceNumber of the next status callback
	lastSent   chan struct{} // closed when the latest status callback has been sent
}

// Instructions say which document a call is to run: a URL, or TwiML given by REST.
type Instructions struct {
	webhook.Target
	TwiML string
}

// Detection is what a call was asked to find out about who answers. Source: Twilio docs,
// voice/answering-machine-detection.
type Detection struct {
	Mode     string // "" (none), Enable or DetectMessageEnd
	Async    bool
	Callback webhook.Target
}

// Why a verb stops before it is done.
var (
	ErrEnded      = errors.New("the call is over")
	ErrRedirected = errors.New("the call was redirected")
	ErrTaken      = errors.New("the call was taken from the queue")
	ErrDropped    = errors.New("the dialer left")
)

// IsFinal reports whether a call with this status is over.
func IsFinal(status string) bool {
	switch status {
	case StatusCompleted, StatusBusy, StatusFailed, StatusNoAnswer, StatusCanceled:
		return true
	}
	return false
}

// IsOverLocked reports whether the call has ended.
func (c *Call) IsOverLocked() bool { return IsFinal(c.Status) }

// NewCall registers a call; parent is the leg that dials it, or nil.
func (a *Account) NewCall(from, to, direction string, parent *Call) *Call {
	c := &Call{
		Sid: NewSid("CA"), From: from, To: to, Direction: direction, Account: a, parent: parent,
		changed: make(chan struct{}), Status: StatusQueued, Created: a.Clock.Now(), cookies: webhook.NewJar(),
	}
	c.Updated = c.Created
	if parent != nil {
		c.ParentSid = parent.Sid
	}
	a.Lock()
	defer a.Unlock()
	a.callBySid[c.Sid] = c
	a.Calls = append(a.Calls, c)
	return c
}

// CallBySid finds a call; nil if there is none.
func (a *Account) CallBySid(sid string) *Call {
	a.Lock()
	defer a.Unlock()
	return a.callBySid[sid]
}

// CurrentStatus returns the call's status; it takes the lock.
func (c *Call) CurrentStatus() string {
	c.Account.Lock()
	defer c.Account.Unlock()
	return c.Status
}

// PersonNumber returns the number of the telephone at this leg's far end.
func (c *Call) PersonNumber() string {
	if c.Direction == DirectionInbound {
		return c.From
	}
	return c.To
}

// NotifyLocked wakes who waits on this call, its parent, and who talks to it or takes it from a
// queue.
func (c *Call) NotifyLocked() {
	wake := func(x *Call) {
		close(x.changed)
		x.changed = make(chan struct{})
	}
	wake(c)
	if c.parent != nil {
		wake(c.parent)
	}
	if c.Bridge != nil {
		wake(c.Bridge.Other(c))
	}
	if c.Member != nil && c.Member.Dialer != nil {
		wake(c.Member.Dialer)
	}
}

// Changed returns a channel that is closed at the call's next change, and whether the call is over.
func (c *Call) Changed() (changed <-chan struct{}, over bool) {
	c.Account.Lock()
	defer c.Account.Unlock()
	return c.changed, c.IsOverLocked()
}

// InterruptLocked says why a verb must stop now; nil if it need not.
func (c *Call) InterruptLocked() error {
	switch {
	case c.Account.closed:
		return ErrClosed
	case c.IsOverLocked():
		return ErrEnded
	case c.Update != nil:
		return ErrRedirected
	case c.Member != nil && c.Member.State == MemberTaken:
		return ErrTaken
	case c.Member != nil && c.Member.State == MemberDropped:
		return ErrDropped
	}
	return nil
}

// Interrupt is InterruptLocked; it takes the lock.
func (c *Call) Interrupt() error {
	c.Account.Lock()
	defer c.Account.Unlock()
	return c.InterruptLocked()
}

// Pause waits d of the call. It returns early, with the reason, when the call is interrupted, and
// without one when stop (called with the lock held; may be nil) is true.
func (c *Call) Pause(d time.Duration, stop func() bool) error {
	var why error
	c.Account.Await(c, c.Account.Clock.Now().Add(d), func() bool {
		why = c.InterruptLocked()
		return why != nil || stop != nil && stop()
	})
	if why == nil && c.Account.IsClosed() {
		return ErrClosed
	}
	return why
}

// SetStatusLocked changes the status and sends the status callback for it, except that of the end:
// it is sent when the last verb is done, by Finish.
func (c *Call) SetStatusLocked(status string) {
	if c.IsOverLocked() || c.Status == status {
		return
	}
	now := c.Account.Clock.Now()
	c.Status, c.Updated = status, now
	switch {
	case status == StatusInProgress:
		c.answeredAt = now
	case IsFinal(status):
		c.EndedAt = now
		c.Ringing = false
	}
	c.Account.AddEventLocked(c, transcript.Event{Kind: transcript.Status, Text: status})
	switch status {
	case StatusRinging:
		c.SendCallbackLocked("ringing")
	case StatusInProgress:
		c.SendCallbackLocked("answered")
	}
}

// EndLocked ends the call: it leaves its queue and its conversation at once.
func (c *Call) EndLocked(status string) {
	if c.IsOverLocked() {
		return
	}
	c.SetStatusLocked(status)
	if c.Bridge != nil {
		c.Account.EndBridgeLocked(c.Bridge)
	}
	if c.Member != nil {
		c.Account.LeaveLocked(c.Member, "hangup")
	}
	c.NotifyLocked()
}

// End is EndLocked; it takes the lock.
func (c *Call) End(status string) {
	c.Account.Lock()
	defer c.Account.Unlock()
	c.EndLocked(status)
}

// DurationLocked returns how long the call was connected, in whole seconds; 0 if it never was, or
// still is.
func (c *Call) DurationLocked() time.Duration {
	if c.answeredAt.IsZero() || c.EndedAt.IsZero() {
		return 0
	}
	return c.EndedAt.Sub(c.answeredAt).Round(time.Second)
}

// Finish sends the final status callback and waits for its answer. It is the last thing a call
// does.
func (c *Call) Finish() {
	a := c.Account
	a.Lock()
	if c.finishing {
		a.Unlock()
		return
	}
	c.finishing = true
	c.SendCallbackLocked("completed")
	sent := c.lastSent
	a.Unlock()
	if sent != nil {
		select {
		case <-sent:
		case <-a.Context.Done():
			return
		}
	}
	a.Lock()
	defer a.Unlock()
	c.Finished = true
	c.NotifyLocked()
}
