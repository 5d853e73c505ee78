package twiliosim

import (
	"errors"
	"net/http"
	"strings"
	"time"
)

// gather plays prompts and takes keys or speech. Source: Twilio docs, voice/twiml/gather.
func (c *Call) gather(d *document, n *node) (*step, error) {
	s := c.sim
	if d.base == nil && n.attrs["action"] == "" {
		return nil, &problem{code: 15004, text: "<Gather> in TwiML given by REST needs an absolute action"}
	}
	action, _, err := c.actionOf(d, n, true)
	if err != nil {
		return nil, err
	}
	input := n.attr("input", "dtmf")
	wantKeys, wantSpeech := strings.Contains(input, "dtmf"), strings.Contains(input, "speech")
	finish := n.attr("finishOnKey", "#")
	most := attrInt(n, "numDigits", 0)
	timeout := attrSeconds(n, "timeout", 5)

	for _, child := range n.children { // all files are had before the first is played
		if child.name == "Play" && child.attrs["digits"] == "" {
			if _, _, err := c.loadSound(d, child); err != nil {
				var p *problem
				if !errors.As(err, &p) || !s.cfg.Behaviour.PlayFailureContinues {
					return nil, err
				}
			}
		}
	}

	s.mu.Lock()
	c.keys, c.listening = nil, wantKeys
	before := c.speech
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		c.listening, c.keys = false, nil
		s.mu.Unlock()
	}()
	spoken := func() bool { return wantSpeech && c.speech != before }
	touched := func() bool { return len(c.keys) > 0 || spoken() }

	for _, child := range n.children {
		switch child.name {
		case "Say":
			err = c.say(child.allText(), child, touched)
		case "Play":
			err = c.playVerb(d, child, touched)
		case "Pause":
			err = c.pause(attrSeconds(child, "length", 1), touched)
		}
		if err != nil {
			return nil, err
		}
		if c.stopped(touched) {
			break
		}
	}

	digits, key := "", ""
	deadline := s.clock.Now().Add(timeout)
	for key == "" && (most == 0 || len(digits) < most) {
		var next rune
		var speaking time.Time
		var why error
		got := s.await(c, deadline, func() bool {
			why, next, speaking = c.interruptLocked(), 0, time.Time{}
			if why != nil {
				return true
			}
			if len(c.keys) > 0 {
				next, c.keys = c.keys[0], c.keys[1:]
				return true
			}
			if digits == "" && spoken() {
				speaking = c.speech.until
				return true
			}
			return false
		})
		switch {
		case why != nil:
			return nil, why
		case s.ctx.Err() != nil:
			return nil, errClosed
		case !got:
			key = "timeout"
		case !speaking.IsZero():
			return c.heardSpeech(action, speaking)
		case strings.ContainsRune(finish, next):
			key = string(next)
		default:
			digits += string(next)
			deadline = s.clock.Now().Add(timeout)
		}
	}
	if digits == "" && n.attr("actionOnEmptyResult", "false") != "true" {
		return nil, nil
	}
	params := values("Digits", digits)
	if s.cfg.Behaviour.LegacyGatherParameters {
		params.Set("msg", "Gather End")
		if key != "timeout" {
			params.Set("FinishedOnKey", key)
		}
	}
	return &step{target: action, params: params}, nil
}

// heardSpeech waits for the end of what the caller says, and one second more.
func (c *Call) heardSpeech(action target, until time.Time) (*step, error) {
	stopped := func() bool { return c.speech.until.Before(until) } // its length was not known
	if err := c.pause(until.Sub(c.sim.clock.Now()), stopped); err != nil {
		return nil, err
	}
	if err := c.pause(time.Second, nil); err != nil {
		return nil, err
	}
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	return &step{target: target{action.url, methodOr(action.method, http.MethodPost)}, params: values("SpeechResult", c.speech.words, "Confidence", "0.9")}, nil
}
