package twiliosim

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Number is a telephone number of the account. Source of the fields: Twilio docs, phone-numbers/api/incomingphonenumber-resource.
type Number struct {
	Sid, PhoneNumber, FriendlyName string
	VoiceURL, VoiceMethod          string // method default POST
	VoiceFallbackURL               string
	VoiceFallbackMethod            string
	StatusCallback                 string
	StatusCallbackMethod           string
	VoiceCallerIDLookup            bool
	VoiceApplicationSid, TrunkSid  string // while one is set, VoiceURL is not used

	created, updated time.Time
}

// AddNumber gives the account a number (+E.164); it returns its SID.
func (s *Sim) AddNumber(n Number) (string, error) {
	if !e164.MatchString(n.PhoneNumber) {
		return "", fmt.Errorf("number %q: want +E.164", n.PhoneNumber)
	}
	if n.Sid == "" {
		n.Sid = newSid("PN")
	}
	if n.FriendlyName == "" {
		n.FriendlyName = n.PhoneNumber
	}
	n.VoiceMethod = methodOr(n.VoiceMethod, http.MethodPost)
	n.VoiceFallbackMethod = methodOr(n.VoiceFallbackMethod, http.MethodPost)
	n.StatusCallbackMethod = methodOr(n.StatusCallbackMethod, http.MethodPost)
	n.created = s.clock.Now()
	n.updated = n.created
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.numbers {
		if x.PhoneNumber == n.PhoneNumber {
			return "", fmt.Errorf("number %s: the account has it already", n.PhoneNumber)
		}
	}
	s.numbers = append(s.numbers, &n)
	return n.Sid, nil
}

// Numbers returns the account's numbers, oldest first.
func (s *Sim) Numbers() []Number {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Number, 0, len(s.numbers))
	for _, n := range s.numbers {
		out = append(out, *n)
	}
	return out
}

func (s *Sim) numberLocked(phone string) *Number {
	for _, n := range s.numbers {
		if n.PhoneNumber == phone {
			return n
		}
	}
	return nil
}

// Call has somebody at from dial to, a number of the account; withheld numbers are "anonymous" or "+266696687". The
// call rings, asks the number's VoiceURL what to do, and goes on by itself. An error: the account has no such number.
func (s *Sim) Call(from, to string) (*Call, error) {
	s.mu.Lock()
	n := s.numberLocked(to)
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed
	}
	if n == nil {
		return nil, fmt.Errorf("number %s: the account does not have it", to)
	}
	c := s.newCall(from, to, DirectionInbound, nil)
	s.mu.Lock()
	number := *n
	c.number, c.callbacks = n, number.plan()
	c.fallback = target{number.VoiceFallbackURL, number.VoiceFallbackMethod}
	c.dialed = s.clock.Now()
	c.setStatusLocked(StatusRinging)
	s.mu.Unlock()
	first := step{target: target{number.VoiceURL, number.VoiceMethod}}
	s.spawn(func() {
		if number.VoiceApplicationSid != "" || number.TrunkSid != "" || number.VoiceURL == "" {
			s.addEvent(c, Event{Kind: EventProblem, Text: "the number's VoiceUrl is not used: it is empty, or an application or a trunk is set"})
			c.end(StatusFailed)
			c.finish()
			return
		}
		c.run(first)
	})
	return c, nil
}

// machineDetection is what a call was asked to find out about who answers.
type machineDetection struct {
	mode  string // "", Enable, DetectMessageEnd
	async bool
	told  target
}

// dialOut sets a call up, lets the telephone ring, and waits for an answer; true: it was answered.
func (c *Call) dialOut(timeout time.Duration) bool {
	s := c.sim
	s.mu.Lock()
	if terminal(c.status) {
		s.mu.Unlock()
		return false
	}
	c.dialed = s.clock.Now()
	c.sendCallbackLocked("initiated")
	s.mu.Unlock()
	if err := c.pause(s.cfg.Behaviour.SetupTime, nil); err != nil {
		return false
	}
	phone := s.Phone(c.To)
	if !e164.MatchString(c.To) || phone.isUnreachable() {
		s.addEvent(c, Event{Kind: EventProblem, Code: 13224, Note: "warning", Text: "the number cannot be called"})
		c.end(StatusFailed)
		return false
	}
	s.mu.Lock()
	if terminal(c.status) {
		s.mu.Unlock()
		return false
	}
	c.ringing = true
	c.setStatusLocked(StatusRinging)
	s.mu.Unlock()
	phone.ring(c)
	s.await(c, s.clock.Now().Add(timeout+s.cfg.Behaviour.RingExtra), func() bool {
		return c.status == StatusInProgress || terminal(c.status)
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || terminal(c.status):
		return false
	case c.status != StatusInProgress:
		c.endLocked(StatusNoAnswer)
		return false
	}
	return true
}

// detect finds out who answered, as the call was asked to. Source: Twilio docs, voice/answering-machine-detection.
func (c *Call) detect() error {
	s := c.sim
	if c.detection.mode == "" {
		return nil
	}
	look := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.answeredBy = "human"
		if c.isMachine {
			c.answeredBy = "machine_start"
			if c.detection.mode == "DetectMessageEnd" {
				c.answeredBy = "machine_end_beep"
			}
		}
	}
	if !c.detection.async {
		err := c.pause(s.cfg.Behaviour.MachineDetectionTime, nil)
		look()
		return err
	}
	s.spawn(func() {
		if !s.sleep(s.cfg.Behaviour.MachineDetectionTime) {
			return
		}
		look()
		if c.detection.told.url != "" {
			s.mu.Lock()
			params := values("CallSid", c.Sid, "AccountSid", s.cfg.AccountSid, "AnsweredBy", c.answeredBy,
				"MachineDetectionDuration", fmt.Sprint(s.cfg.Behaviour.MachineDetectionTime.Milliseconds()))
			s.mu.Unlock()
			s.deliver(webhook{on: OnCallback, call: c, target: c.detection.told, params: params})
		}
	})
	return nil
}

// runOutbound is a call made by REST, from its turn in the queue to its end.
func (c *Call) runOutbound(turn time.Time, timeout, limit time.Duration, first step) {
	s := c.sim
	if err := c.pause(turn.Sub(s.clock.Now()), nil); err != nil {
		c.finish()
		return
	}
	if !c.dialOut(timeout) {
		if s.ctx.Err() == nil {
			c.finish()
		}
		return
	}
	if limit > 0 {
		s.spawn(func() {
			s.await(c, s.clock.Now().Add(limit), func() bool { return terminal(c.status) })
			if s.ctx.Err() == nil {
				c.end(StatusCompleted)
			}
		})
	}
	if err := c.detect(); errors.Is(err, errEnded) || errors.Is(err, errClosed) {
		if s.ctx.Err() == nil {
			c.finish()
		}
		return
	}
	c.run(first)
}
