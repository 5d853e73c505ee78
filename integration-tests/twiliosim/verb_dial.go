package twiliosim

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// dialed is how a <Dial> ended.
type dialed struct {
	status  string // DialCallStatus
	sid     string // DialCallSid
	bridged bool
	length  time.Duration
}

// dial connects the call to somebody. Source: Twilio docs, voice/twiml/dial, voice/twiml/number, voice/twiml/queue.
func (c *Call) dial(d *document, n *node) (*step, error) {
	s := c.sim
	action, hasAction, err := c.actionOf(d, n, false)
	if err != nil {
		return nil, err
	}
	numbers, q, err := dialTargets(n)
	if err != nil {
		return nil, err
	}
	if n.attr("record", "do-not-record") != "do-not-record" && n.attrs["record"] != "false" {
		return nil, &problem{text: "twiliosim does not simulate <Dial record>"}
	}
	var got dialed
	switch {
	case q != nil:
		got, err = c.dialQueue(d, n, q)
	default:
		got, err = c.dialNumbers(d, n, numbers)
	}
	var p *problem
	if errors.Is(err, errClosed) || errors.As(err, &p) {
		return nil, err
	}
	params := values("DialCallStatus", got.status, "DialBridged", "false")
	if got.sid != "" {
		params.Set("DialCallSid", got.sid)
	}
	if got.bridged {
		params.Set("DialBridged", "true")
		params.Set("DialCallDuration", wholeSeconds(got.length))
	}
	if err != nil { // the call is over, or redirected: the action is told, its answer ignored
		if !errors.Is(err, errEnded) || !s.cfg.Behaviour.NoDialActionOnHangup {
			c.fetchIgnored(action, params)
		}
		return nil, err
	}
	if hasAction {
		return &step{target: action, params: params}, nil
	}
	return nil, nil
}

// dialTargets finds the nouns of a <Dial>: one queue, or up to ten numbers.
func dialTargets(n *node) (numbers []*node, q *node, err error) {
	for _, child := range n.children {
		if child.fault != nil {
			return nil, nil, child.fault
		}
		switch child.name {
		case "Number":
			numbers = append(numbers, child)
		case "Queue":
			q = child
		default:
			return nil, nil, &problem{text: "twiliosim does not simulate <Dial><" + child.name + ">"}
		}
	}
	if n.text != "" {
		numbers = append(numbers, &node{name: "Number", text: n.text, attrs: map[string]string{}})
	}
	switch {
	case q != nil && (len(numbers) > 0 || len(n.children) > 1):
		return nil, nil, &problem{code: 13215, text: "<Dial> holds a <Queue> and something else"}
	case q == nil && len(numbers) == 0:
		return nil, nil, &problem{code: 13223, text: "<Dial> without anybody to dial"}
	case len(numbers) > 10:
		return nil, nil, &problem{code: 13215, text: "<Dial> holds more than ten numbers"}
	}
	return numbers, q, nil
}

// dialQueue takes the front of a queue.
func (c *Call) dialQueue(d *document, n, noun *node) (dialed, error) {
	s := c.sim
	announce := step{}
	if ref := noun.attrs["url"]; ref != "" {
		u, err := d.resolve(ref)
		if err != nil {
			return dialed{}, err
		}
		announce.target = target{u, methodOr(noun.attrs["method"], http.MethodPost)}
	}
	s.mu.Lock()
	q := s.queueByNameLocked(noun.text)
	if q == nil {
		s.mu.Unlock()
		return dialed{status: StatusFailed}, nil
	}
	q.dialers = append(q.dialers, c)
	s.addEventLocked(c, Event{Kind: EventTone, Text: "ringing"})
	s.mu.Unlock()
	var m *member
	var why error
	s.await(c, s.clock.Now().Add(attrSeconds(n, "timeout", 30)), func() bool {
		if why = c.interruptLocked(); why != nil {
			return true
		}
		for _, x := range q.members {
			if x.state == memberWaiting {
				m = x
				m.state, m.dialer, m.noun = memberTaken, c, announce
				s.outLocked(m)
				m.call.notifyLocked()
				return true
			}
		}
		return false
	})
	s.mu.Lock()
	q.removeDialer(c)
	s.mu.Unlock()
	switch {
	case s.ctx.Err() != nil:
		return dialed{}, errClosed
	case m == nil:
		return dialed{status: StatusNoAnswer}, why
	}
	s.await(c, time.Time{}, func() bool {
		why = c.interruptLocked()
		return why != nil || m.talk != nil || m.state == memberOut
	})
	if s.ctx.Err() != nil {
		return dialed{}, errClosed
	}
	s.mu.Lock()
	talk := m.talk
	if talk == nil && why != nil && m.state != memberOut {
		m.state = memberDropped
		m.call.notifyLocked()
	}
	s.mu.Unlock()
	if talk == nil {
		return dialed{status: s.cfg.Behaviour.QueueCallerGoneStatus, sid: m.call.Sid}, why
	}
	return c.talk(n, talk)
}

// talk waits for the end of a conversation.
func (c *Call) talk(n *node, talk *bridge) (dialed, error) {
	s := c.sim
	star := n.attrs["hangupOnStar"] == "true"
	var why error
	s.mu.Lock()
	c.keys = nil
	s.mu.Unlock()
	s.await(c, talk.since.Add(attrSeconds(n, "timeLimit", 14400)), func() bool {
		why = c.interruptLocked()
		return why != nil || !talk.until.IsZero() || star && strings.ContainsRune(string(c.keys), '*')
	})
	if s.ctx.Err() != nil {
		return dialed{}, errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endBridgeLocked(talk)
	return dialed{status: StatusCompleted, sid: talk.other(c).Sid, bridged: true, length: talk.until.Sub(talk.since)}, why
}

// dialNumbers rings telephones, all at once or one after the other; the first that answers is connected.
func (c *Call) dialNumbers(d *document, n *node, numbers []*node) (dialed, error) {
	s := c.sim
	shown := n.attr("callerId", "")
	switch {
	case shown != "" && !s.mayShow(shown) && shown != c.From && shown != c.To:
		s.report(c, &problem{code: 13214, warning: true, text: "callerId " + shown + " is neither the account's, nor verified, nor of this call"})
		return dialed{status: StatusFailed}, nil
	case shown == "" && isWithheld(c.From):
		s.report(c, &problem{code: 13214, warning: true, text: "<Dial> without callerId passes on the withheld number " + c.From})
		if s.cfg.Behaviour.AnonymousCallerIDFails {
			return dialed{status: StatusFailed}, nil
		}
	}
	if shown == "" {
		shown = c.From
	}
	var rounds [][]*node
	if n.attrs["sequential"] == "true" {
		for _, x := range numbers {
			rounds = append(rounds, []*node{x})
		}
	} else {
		rounds = [][]*node{numbers}
	}
	if c.Status() == StatusInProgress {
		s.addEvent(c, Event{Kind: EventTone, Text: "ringing"})
	}
	got := dialed{status: StatusNoAnswer}
	for _, round := range rounds {
		winner, last, err := c.ringAll(d, n, round, shown)
		if winner == nil {
			if last != nil {
				got = dialed{status: last.Status(), sid: last.Sid}
			}
			if err != nil {
				got.status = s.cfg.Behaviour.AbandonedDialStatus
				return got, err
			}
			continue
		}
		if err := c.whisperAndTalk(d, n, winner, &got); err != nil {
			return got, err
		}
		return got, nil
	}
	return got, nil
}

// leg is one number of a <Dial> and its call.
type leg struct {
	noun *node
	call *Call
}

// ringAll starts calls to numbers and waits for one to be answered; the others are canceled.
func (c *Call) ringAll(d *document, n *node, numbers []*node, shown string) (*leg, *Call, error) {
	s := c.sim
	var legs []*leg
	for _, noun := range numbers {
		plan := callbackPlan{}
		if ref := noun.attrs["statusCallback"]; ref != "" {
			u, err := d.resolve(ref)
			if err != nil {
				return nil, nil, err
			}
			plan, _ = newPlan(target{u, methodOr(noun.attrs["statusCallbackMethod"], http.MethodPost)}, strings.Fields(noun.attrs["statusCallbackEvent"]))
		}
		child := s.newCall(shown, noun.text, DirectionOutboundDial, c)
		child.callbacks = plan
		child.detection = machineDetection{mode: noun.attrs["machineDetection"], async: true}
		if ref := noun.attrs["amdStatusCallback"]; ref != "" {
			u, err := d.resolve(ref)
			if err != nil {
				return nil, nil, err
			}
			child.detection.told = target{u, methodOr(noun.attrs["amdStatusCallbackMethod"], http.MethodPost)}
		}
		legs = append(legs, &leg{noun, child})
	}
	timeout := attrSeconds(n, "timeout", 30)
	for _, l := range legs {
		s.spawn(func() {
			if l.call.dialOut(timeout) {
				s.await(l.call, time.Time{}, func() bool { return terminal(l.call.status) })
			}
			if s.ctx.Err() == nil {
				l.call.finish()
			}
		})
	}
	var winner *leg
	var why error
	s.await(c, time.Time{}, func() bool {
		why = c.interruptLocked()
		over := 0
		for _, l := range legs {
			if l.call.status == StatusInProgress && winner == nil {
				winner = l
			}
			if terminal(l.call.status) {
				over++
			}
		}
		return why != nil || winner != nil || over == len(legs)
	})
	if s.ctx.Err() != nil {
		return nil, nil, errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range legs {
		if l == winner && why == nil {
			continue
		}
		if l.call.status == StatusInProgress {
			l.call.endLocked(StatusCompleted)
		} else {
			l.call.endLocked(StatusCanceled)
		}
	}
	last := legs[len(legs)-1].call
	if why != nil {
		return nil, last, why
	}
	return winner, last, nil
}

// whisperAndTalk runs the whisper on the called party and connects the two.
func (c *Call) whisperAndTalk(d *document, n *node, l *leg, got *dialed) error {
	s := c.sim
	child := l.call
	*got = dialed{status: s.cfg.Behaviour.WhisperDeclineStatus, sid: child.Sid}
	if keys := l.noun.attrs["sendDigits"]; keys != "" {
		s.addEvent(child, Event{Kind: EventTone, Text: keys})
	}
	if err := child.detect(); err != nil {
		return err
	}
	if ref := l.noun.attrs["url"]; ref != "" {
		u, err := d.resolve(ref)
		if err != nil {
			child.end(StatusCompleted)
			return err
		}
		done, stays := false, false
		s.spawn(func() {
			ok := child.whisper(step{target: target{u, methodOr(l.noun.attrs["method"], http.MethodPost)}})
			s.mu.Lock()
			defer s.mu.Unlock()
			done, stays = true, ok
			child.notifyLocked()
		})
		var why error
		s.await(c, time.Time{}, func() bool {
			why = c.interruptLocked()
			return done || why != nil || terminal(child.status)
		})
		if s.ctx.Err() != nil {
			return errClosed
		}
		s.mu.Lock()
		if why != nil || !stays {
			child.endLocked(StatusCompleted)
			s.mu.Unlock()
			return why
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	if terminal(child.status) || terminal(c.status) {
		child.endLocked(StatusCompleted)
		err := c.interruptLocked()
		s.mu.Unlock()
		return err
	}
	if c.status == StatusRinging { // answerOnBridge
		c.setStatusLocked(StatusInProgress)
	}
	talk := s.startBridgeLocked(c, child)
	s.mu.Unlock()
	var err error
	*got, err = c.talk(n, talk)
	child.end(StatusCompleted)
	return err
}

// whisper runs a document on a called party; false: it hung up, or was hung up on.
func (c *Call) whisper(st step) bool {
	for {
		next, err := c.perform(st, modeWhisper)
		var p *problem
		switch {
		case err == nil && next == nil:
			return c.interrupt() == nil
		case err == nil:
			st = *next
		case errors.As(err, &p):
			c.sim.report(c, p)
			c.apologise()
			return false
		default:
			return false
		}
	}
}

// mayShow reports whether the account may show a number as caller.
func (s *Sim) mayShow(number string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.numbers {
		if n.PhoneNumber == number {
			return true
		}
	}
	for _, v := range s.cfg.VerifiedCallerIDs {
		if v == number {
			return true
		}
	}
	return false
}

// mediaURL is where Twilio says a recording is.
func (s *Sim) mediaURL(r *recording) string {
	host := "api.twilio.com"
	if s.cfg.Region != "us1" {
		host = "api." + regionEdges[s.cfg.Region] + "." + s.cfg.Region + ".twilio.com"
	}
	return (&url.URL{Scheme: "https", Host: host, Path: "/2010-04-01/Accounts/" + s.cfg.AccountSid + "/Recordings/" + r.sid}).String()
}
