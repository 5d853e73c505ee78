package twiliosim

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// defaultHoldMusic stands for Twilio's own playlist.
const defaultHoldMusic = "https://com.twilio.sounds.music.s3.amazonaws.com/ (Twilio's default hold music)"

// enqueue puts the call into a queue, and says how it left. Source: Twilio docs, voice/twiml/enqueue.
func (c *Call) enqueue(d *document, n *node) (*step, error) {
	s := c.sim
	action, hasAction, err := c.actionOf(d, n, false)
	if err != nil {
		return nil, err
	}
	wait := step{}
	if ref, given := n.attrs["waitUrl"]; given && ref != "" {
		if wait.url, err = d.resolve(ref); err != nil {
			return nil, err
		}
		wait.method = methodOr(n.attrs["waitUrlMethod"], http.MethodPost)
	} else if !given {
		wait.url, wait.method = defaultHoldMusic, ""
	}

	s.mu.Lock()
	m := s.joinLocked(c, n.text)
	s.mu.Unlock()
	if m == nil {
		s.report(c, &problem{code: 14207, warning: true, text: "queue " + n.text + " is full", injected: true})
		if !hasAction {
			return nil, nil
		}
		return &step{target: action, params: values("QueueResult", "queue-full")}, nil
	}
	err = c.hold(wait, m)

	var p *problem
	s.mu.Lock()
	switch {
	case errors.Is(err, errClosed):
	case errors.Is(err, errRedirected):
		s.leaveLocked(m, "redirected")
	case errors.Is(err, errLeave):
		s.leaveLocked(m, "leave")
	case errors.Is(err, errHangup):
		c.endLocked(StatusCompleted)
		err = errEnded
	case errors.Is(err, errDropped):
		s.leaveLocked(m, s.cfg.Behaviour.DialerGoneResult)
	case errors.As(err, &p):
		s.reportLocked(c, p)
		s.leaveLocked(m, "error")
	case err == nil:
		s.leaveLocked(m, "bridged")
	}
	c.member = nil
	params := values("QueueResult", m.result, "QueueSid", m.queue.sid, "QueueTime", wholeSeconds(m.waited(s.clock.Now())))
	s.mu.Unlock()

	switch {
	case errors.Is(err, errClosed):
		return nil, err
	case errors.Is(err, errEnded), errors.Is(err, errRedirected):
		if s.cfg.Behaviour.StatusCallbackFirst && errors.Is(err, errEnded) {
			c.finish()
		}
		c.fetchIgnored(action, params)
		return nil, err
	case hasAction:
		return &step{target: action, params: params}, nil
	}
	return nil, nil
}

// hold plays the wait document again and again until the call leaves the queue. nil: it talked to somebody.
func (c *Call) hold(wait step, m *member) error {
	s := c.sim
	for {
		started := s.clock.Now()
		err := c.waitOnce(wait, m)
		if errors.Is(err, errTaken) {
			return c.connect(m)
		}
		if err != nil {
			return err
		}
		if took := s.clock.Now().Sub(started); took < s.cfg.Behaviour.WaitPause {
			if err := c.pause(s.cfg.Behaviour.WaitPause-took, nil); errors.Is(err, errTaken) {
				return c.connect(m)
			} else if err != nil {
				return err
			}
		}
	}
}

// waitOnce runs the wait document and what it leads to, once.
func (c *Call) waitOnce(wait step, m *member) error {
	switch wait.url {
	case "":
		return c.pause(24*time.Hour, nil)
	case defaultHoldMusic:
		c.sim.addEvent(c, Event{Kind: EventPlayed, URL: defaultHoldMusic, Duration: time.Minute})
		return c.pause(time.Minute, nil)
	}
	st := wait
	st.params = c.queueParams(m)
	for {
		next, err := c.perform(st, modeWait)
		if err != nil {
			return err
		}
		if next == nil {
			return nil
		}
		st = *next
	}
}

func (c *Call) queueParams(m *member) url.Values {
	s := c.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	q, now := m.queue, s.clock.Now()
	return values("QueueSid", q.sid, "QueueTime", wholeSeconds(m.waited(now)), "AvgQueueTime", wholeSeconds(q.averageWait(now)),
		"QueuePosition", strconv.Itoa(q.position(m)), "CurrentQueueSize", strconv.Itoa(len(q.members)), "MaxQueueSize", strconv.Itoa(q.maxSize))
}

// connect plays the dialer's announcement to the queued call and lets the two talk. nil: they did.
func (c *Call) connect(m *member) error {
	s := c.sim
	s.mu.Lock()
	if m.state == memberTaken {
		m.state = memberAnnounced
	}
	st := m.noun
	if st.url != "" {
		st.params = values("QueueSid", m.queue.sid, "QueueTime", wholeSeconds(m.waited(s.clock.Now())), "DequeingCallSid", m.dialer.Sid)
	}
	s.mu.Unlock()
	for st.url != "" {
		next, err := c.perform(st, modeAnnounce)
		var p *problem
		switch {
		case errors.As(err, &p):
			s.report(c, p)
			next = nil
		case err != nil && !errors.Is(err, errHangup):
			return err
		}
		if next == nil {
			break
		}
		st = *next
	}
	s.mu.Lock()
	if err := c.interruptLocked(); err != nil {
		s.mu.Unlock()
		return err
	}
	m.state = memberBridged
	m.talk = s.startBridgeLocked(c, m.dialer)
	talk := m.talk
	s.mu.Unlock()
	var why error
	s.await(c, time.Time{}, func() bool {
		why = c.interruptLocked()
		return why != nil || !talk.until.IsZero()
	})
	if s.ctx.Err() != nil {
		return errClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(why, errRedirected) {
		s.endBridgeLocked(talk)
	} else if m.state == memberBridged {
		m.state = memberReleased
	}
	return why
}
