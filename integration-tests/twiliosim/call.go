package twiliosim

import (
	"errors"
	"net/http"
	"time"
)

// Call statuses. Source: Twilio docs, voice/api/call-resource, status. "initiated" appears in status callbacks alone.
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

// Directions of a call.
const (
	DirectionInbound      = "inbound"
	DirectionOutboundAPI  = "outbound-api"
	DirectionOutboundDial = "outbound-dial"
)

// Call is one leg: a telephone connected, or being connected, to Twilio. Its methods play the person at the telephone.
type Call struct {
	// Sid (CA…), From and To as Twilio reports them, Direction, and the Sid of the leg that dialed this one.
	Sid, From, To, Direction, ParentSid string

	sim    *Sim
	parent *Call
	number *Number // the account's number that was dialed or is shown
	cookie http.CookieJar

	// The rest is guarded by sim.mu.
	changed    chan struct{} // closed and replaced at every change
	status     string
	created    time.Time
	updated    time.Time
	dialed     time.Time // start_time
	answeredAt time.Time
	endedAt    time.Time
	answeredBy string
	queueTime  time.Duration
	events     []Event
	finishing  bool // the end is being told
	finished   bool // the last webhook of the call has been answered

	pending   *instruction // a REST update that has not been taken up
	fallback  target       // where errors go
	callbacks callbackPlan
	sequence  int           // of status callbacks
	lastSent  chan struct{} // closed when the latest status callback has been sent
	detection machineDetection

	listening bool // a verb takes keys
	keys      []rune
	speech    speech
	isMachine bool
	ringing   bool // the telephone rings and a person may answer
	heard     int  // events up to here were heard by Hears

	member *member
	bridge *bridge
}

// target is a URL and the method to request it with.
type target struct {
	url    string
	method string
}

// instruction is a REST update of a live call: another document to run.
type instruction struct {
	target
	twiml string
}

var (
	errEnded      = errors.New("the call is over")
	errRedirected = errors.New("the call was redirected")
	errTaken      = errors.New("the call was taken from the queue")
	errDropped    = errors.New("the dialer left")
	errHangup     = errors.New("hang up")
	errLeave      = errors.New("leave the queue")
)

func terminal(status string) bool {
	switch status {
	case StatusCompleted, StatusBusy, StatusFailed, StatusNoAnswer, StatusCanceled:
		return true
	}
	return false
}

// newCall registers a call.
func (s *Sim) newCall(from, to, direction string, parent *Call) *Call {
	c := &Call{
		Sid: newSid("CA"), From: from, To: to, Direction: direction, sim: s, parent: parent,
		changed: make(chan struct{}), status: StatusQueued, created: s.clock.Now(), cookie: newJar(),
	}
	c.updated = c.created
	if parent != nil {
		c.ParentSid = parent.Sid
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[c.Sid] = c
	s.callOrder = append(s.callOrder, c)
	return c
}

// CallBySid finds a call; nil: there is none.
func (s *Sim) CallBySid(sid string) *Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[sid]
}

// Calls returns all calls, oldest first.
func (s *Sim) Calls() []*Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Call(nil), s.callOrder...)
}

// Status is the call's status now.
func (c *Call) Status() string {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return c.status
}

// personNumber is the telephone at this leg's far end.
func (c *Call) personNumber() string {
	if c.Direction == DirectionInbound {
		return c.From
	}
	return c.To
}

// notifyLocked wakes who waits on this call, its parent, and who talks to it or takes it from a queue.
func (c *Call) notifyLocked() {
	wake := func(x *Call) {
		close(x.changed)
		x.changed = make(chan struct{})
	}
	wake(c)
	if c.parent != nil {
		wake(c.parent)
	}
	if c.bridge != nil {
		wake(c.bridge.other(c))
	}
	if c.member != nil && c.member.dialer != nil {
		wake(c.member.dialer)
	}
}

// interruptLocked says why a verb must stop now; nil: it need not.
func (c *Call) interruptLocked() error {
	switch {
	case c.sim.closed:
		return errClosed
	case terminal(c.status):
		return errEnded
	case c.pending != nil:
		return errRedirected
	case c.member != nil && c.member.state == memberTaken:
		return errTaken
	case c.member != nil && c.member.state == memberDropped:
		return errDropped
	}
	return nil
}

func (c *Call) interrupt() error {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return c.interruptLocked()
}

// pause waits d of the call; it returns early, with the reason, when the call is interrupted or stop is true.
func (c *Call) pause(d time.Duration, stop func() bool) error {
	var why error
	c.sim.await(c, c.sim.clock.Now().Add(d), func() bool {
		why = c.interruptLocked()
		return why != nil || stop != nil && stop()
	})
	if why == nil && c.sim.ctx.Err() != nil {
		return errClosed
	}
	return why
}

// setStatusLocked changes the status, and tells the status callbacks, except of the end: that is told when the last
// verb is done.
func (c *Call) setStatusLocked(status string) {
	if terminal(c.status) || c.status == status {
		return
	}
	now := c.sim.clock.Now()
	c.status, c.updated = status, now
	switch {
	case status == StatusInProgress:
		c.answeredAt = now
	case terminal(status):
		c.endedAt = now
		c.ringing = false
	}
	c.sim.addEventLocked(c, Event{Kind: EventStatus, Text: status})
	switch status {
	case StatusRinging:
		c.sendCallbackLocked("ringing")
	case StatusInProgress:
		c.sendCallbackLocked("answered")
	}
}

// endLocked ends the call: it leaves its queue and its conversation at once.
func (c *Call) endLocked(status string) {
	if terminal(c.status) {
		return
	}
	c.setStatusLocked(status)
	if c.bridge != nil {
		c.sim.endBridgeLocked(c.bridge)
	}
	if c.member != nil {
		c.sim.leaveLocked(c.member, "hangup")
	}
	c.notifyLocked()
}

func (c *Call) end(status string) {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	c.endLocked(status)
}

// hangUpLocked ends the call as its present status asks for.
func (c *Call) hangUpLocked() {
	switch {
	case c.status == StatusInProgress:
		c.endLocked(StatusCompleted)
	case c.Direction == DirectionInbound:
		c.endLocked(c.sim.cfg.Behaviour.InboundAbandonStatus)
	default:
		c.endLocked(StatusCanceled)
	}
}

// durationLocked is the length of the conversation with Twilio, whole seconds; zero if never answered.
func (c *Call) durationLocked() time.Duration {
	if c.answeredAt.IsZero() || c.endedAt.IsZero() {
		return 0
	}
	return c.endedAt.Sub(c.answeredAt).Round(time.Second)
}

// finish sends the final status callback and waits for its answer. It is the last thing a call does.
func (c *Call) finish() {
	s := c.sim
	s.mu.Lock()
	if c.finishing {
		s.mu.Unlock()
		return
	}
	c.finishing = true
	c.sendCallbackLocked("completed")
	sent := c.lastSent
	s.mu.Unlock()
	if sent != nil {
		select {
		case <-sent:
		case <-s.ctx.Done():
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.finished = true
	c.notifyLocked()
}

// bridge is a conversation of two calls.
type bridge struct {
	a, b  *Call
	since time.Time
	until time.Time // zero: they talk
}

func (b *bridge) other(c *Call) *Call {
	if b.a == c {
		return b.b
	}
	return b.a
}

func (s *Sim) startBridgeLocked(a, b *Call) *bridge {
	br := &bridge{a: a, b: b, since: s.clock.Now()}
	a.bridge, b.bridge = br, br
	s.addEventLocked(a, Event{Kind: EventBridged, Peer: b.personNumber(), Note: b.Sid})
	s.addEventLocked(b, Event{Kind: EventBridged, Peer: a.personNumber(), Note: a.Sid})
	return br
}

func (s *Sim) endBridgeLocked(br *bridge) {
	if !br.until.IsZero() {
		return
	}
	br.until = s.clock.Now()
	s.addEventLocked(br.a, Event{Kind: EventUnbridged, Peer: br.b.personNumber(), Note: br.b.Sid})
	s.addEventLocked(br.b, Event{Kind: EventUnbridged, Peer: br.a.personNumber(), Note: br.a.Sid})
	br.a.bridge, br.b.bridge = nil, nil
	br.a.notifyLocked()
	br.b.notifyLocked()
}
