package twiliosim

import (
	"strings"
	"time"
)

// speech is what a person says at the moment, or said last.
type speech struct {
	words string
	from  time.Time
	until time.Time
	voice *utterance // nil: words alone
}

// Presses presses keys (0-9 * # A-D, w waits half a second). A key that no verb listens to is lost, as at Twilio.
func (c *Call) Presses(keys string) {
	for _, k := range keys {
		if k == 'w' {
			if !c.sim.sleep(500 * time.Millisecond) {
				return
			}
			continue
		}
		c.sim.mu.Lock()
		if c.status == StatusInProgress {
			e := Event{Kind: EventPressed, Text: string(k)}
			if c.listening {
				c.keys = append(c.keys, k)
			} else if c.bridge == nil {
				e.Note = "nobody listens"
			}
			c.sim.addEventLocked(c, e)
			if c.bridge != nil {
				c.keys = append(c.keys, k) // hangupOnStar
				c.sim.addEventLocked(c.bridge.other(c), Event{Kind: EventTone, Text: string(k)})
			}
		}
		c.sim.mu.Unlock()
	}
}

// Says speaks words: they take time (Config.SpeechPerCharacter), are heard by whom the call is bridged to, and are
// recorded by a <Record>. It returns when they are said, or the call is over.
func (c *Call) Says(words string) {
	c.SpeaksFor(words, c.sim.speechTime(words))
}

// SpeaksFor is Says with a length of its own.
func (c *Call) SpeaksFor(words string, d time.Duration) {
	c.sim.mu.Lock()
	if c.status == StatusInProgress {
		now := c.sim.clock.Now()
		c.speech = speech{words: words, from: now, until: now.Add(d)}
		c.spokeLocked(words, "", d)
	}
	c.sim.mu.Unlock()
	c.sim.await(c, c.sim.clock.Now().Add(d), func() bool { return terminal(c.status) })
}

// HangsUp hangs up. Before the call is answered an inbound caller gives up, and a rung telephone declines.
func (c *Call) HangsUp() {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	if c.Direction != DirectionInbound && c.status != StatusInProgress {
		c.endLocked(StatusBusy)
		return
	}
	c.hangUpLocked()
}

// Answers picks up a ringing telephone; false: it does not ring (any more).
func (c *Call) Answers() bool {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	if !c.ringing || terminal(c.status) {
		return false
	}
	c.ringing = false
	c.setStatusLocked(StatusInProgress)
	c.notifyLocked()
	return true
}

// Declines refuses a ringing call: it ends as busy.
func (c *Call) Declines() bool {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	if !c.ringing {
		return false
	}
	c.endLocked(StatusBusy)
	return true
}

// IsRinging reports whether the telephone of this leg rings.
func (c *Call) IsRinging() bool {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return c.ringing
}

// speechTime is how long words take to speak.
func (s *Sim) speechTime(words string) time.Duration {
	d := time.Duration(len([]rune(strings.TrimSpace(words)))) * s.cfg.SpeechPerCharacter
	return max(d, 200*time.Millisecond)
}
