package executor

import (
	"errors"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// gathering is one <Gather> in execution.
type gathering struct {
	runner
	document   *document
	node       *twiml.Node
	action     webhook.Target
	wantSpeech bool
	before     account.Speech // what the caller said before it
	timeout    time.Duration
}

// gather plays prompts and takes keys or speech. Source: Twilio docs, voice/twiml/gather.
func (r runner) gather(d *document, n *twiml.Node) (*step, error) {
	a := r.Account
	if d.base == nil && n.Attrs["action"] == "" {
		return nil, &problem.Problem{Code: 15004, Text: "<Gather> in TwiML given by REST needs an absolute action"}
	}
	action, err := d.target(n, "action", "method")
	if err != nil {
		return nil, err
	}
	if err := r.loadPrompts(d, n); err != nil {
		return nil, err
	}
	input := n.Attr("input", "dtmf")
	g := gathering{runner: r, document: d, node: n, action: action, wantSpeech: strings.Contains(input, "speech"), timeout: n.Seconds("timeout", 5)}
	// Keys that were pressed before this verb are lost.
	a.Lock()
	r.Keys, r.Listening = nil, strings.Contains(input, "dtmf")
	g.before = r.Speech
	a.Unlock()
	defer r.stopListening()
	if err := g.prompt(); err != nil {
		return nil, err
	}
	return g.collect()
}

// stopListening makes keys that are pressed from now on go nowhere.
func (r runner) stopListening() {
	r.Account.Lock()
	defer r.Account.Unlock()
	r.Listening, r.Keys = false, nil
}

// loadPrompts fetches the files to be played: Twilio has all before it plays the first.
func (r runner) loadPrompts(d *document, n *twiml.Node) error {
	for _, child := range n.Children {
		if child.Name != "Play" || child.Attrs["digits"] != "" {
			continue
		}
		if _, _, err := r.loadSound(d, child); err != nil {
			var p *problem.Problem
			if !errors.As(err, &p) || !r.Account.Config.Behaviour.PlayFailureContinues {
				return err
			}
		}
	}
	return nil
}

// spokenLocked reports whether the caller has begun to speak since the verb began.
func (g *gathering) spokenLocked() bool { return g.wantSpeech && g.Speech != g.before }

// touchedLocked reports whether the caller has begun to answer, which ends the prompts.
func (g *gathering) touchedLocked() bool { return len(g.Keys) > 0 || g.spokenLocked() }

// prompt plays what is inside the verb, until the caller begins to answer.
func (g *gathering) prompt() error {
	for _, child := range g.node.Children {
		var err error
		switch child.Name {
		case "Say":
			err = g.say(child.AllText(), child, g.touchedLocked)
		case "Play":
			err = g.play(g.document, child, g.touchedLocked)
		case "Pause":
			err = g.Pause(child.Seconds("length", 1), g.touchedLocked)
		}
		if err != nil || g.isTrue(g.touchedLocked) {
			return err
		}
	}
	return nil
}

// timedOut stands for the key that ended the input when none did.
const timedOut = "timeout"

// collect takes the input; nil: there was none, and the next verb follows.
func (g *gathering) collect() (*step, error) {
	a := g.Account
	finish, wanted := g.node.Attr("finishOnKey", "#"), g.node.Int("numDigits", 0)
	digits, endedBy := "", ""
	deadline := a.Clock.Now().Add(g.timeout)
	// The time-out starts anew with each key. A key that ends the input is not a part of it, and as
	// the first key it means no input at all.
	for endedBy == "" && (wanted == 0 || len(digits) < wanted) {
		var key rune
		var speaksUntil time.Time
		var why error
		inTime := a.Await(g.Call, deadline, func() bool {
			why, key, speaksUntil = g.InterruptLocked(), 0, time.Time{}
			switch {
			case why != nil:
			case len(g.Keys) > 0:
				key, g.Keys = g.Keys[0], g.Keys[1:]
			case digits == "" && g.spokenLocked(): // after a key, speech is ignored
				speaksUntil = g.Speech.Until
			default:
				return false
			}
			return true
		})
		switch {
		case why != nil:
			return nil, why
		case a.IsClosed():
			return nil, account.ErrClosed
		case !inTime:
			endedBy = timedOut
		case !speaksUntil.IsZero():
			return g.collectSpeech(speaksUntil)
		case strings.ContainsRune(finish, key):
			endedBy = string(key)
		default:
			digits += string(key)
			deadline = a.Clock.Now().Add(g.timeout)
		}
	}
	return g.result(digits, endedBy), nil
}

// result is the request to the action; nil for an empty input that the program does not want to
// hear of.
func (g *gathering) result(digits, endedBy string) *step {
	if digits == "" && g.node.Attrs["actionOnEmptyResult"] != "true" {
		return nil
	}
	params := webhook.Values("Digits", digits)
	if g.Account.Config.Behaviour.LegacyGatherParameters {
		params.Set("msg", "Gather End")
		if endedBy != timedOut {
			params.Set("FinishedOnKey", endedBy)
		}
	}
	return request(g.action, params)
}

// collectSpeech waits for the end of what the caller says, and one second more: a pause within the
// speech does not end it.
func (g *gathering) collectSpeech(until time.Time) (*step, error) {
	a := g.Account
	// A speech that is still being spoken has the longest possible end until the real one is known.
	endedEarlier := func() bool { return g.Speech.Until.Before(until) } // its length was not known
	if err := g.Pause(until.Sub(a.Clock.Now()), endedEarlier); err != nil {
		return nil, err
	}
	if err := g.Pause(time.Second, nil); err != nil {
		return nil, err
	}
	a.Lock()
	defer a.Unlock()
	return request(g.action, webhook.Values("SpeechResult", g.Speech.Words, "Confidence", "0.9")), nil
}
