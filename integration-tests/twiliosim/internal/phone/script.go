package phone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// Script is what a person does, step by step. Steps are separated by ";" or line ends; "#" at the
// start of a line is a comment:
//
//	answer                      pick up (a telephone that rings)
//	decline                     refuse: busy
//	ring                        let it ring
//	hear 'Press 1' [within 30s] wait for words (default limit 2m); any case; a part suffices, also of a file's URL
//	press 12#                   press keys
//	say 'words' [for 5s]        speak; takes time
//	wait 5s                     wait
//	connected [+12025550143]    wait until talking to somebody (limit 2m)
//	ended                       wait until the other side ends the call (limit 10m)
//	hangup                      hang up
type Script struct {
	steps []scriptStep
}

type scriptStep struct {
	verb     string
	text     string
	duration time.Duration
	written  string
}

// ParseScript reads a script; errors name the step. All steps are checked before the first is done.
func ParseScript(text string) (Script, error) {
	var sc Script
	var parts []string
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		parts = append(parts, splitSteps(line)...)
	}
	for _, part := range parts {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		st, err := parseStep(part)
		if err != nil {
			return Script{}, fmt.Errorf("step %q: %w", part, err)
		}
		sc.steps = append(sc.steps, st)
	}
	if len(sc.steps) == 0 {
		return Script{}, fmt.Errorf("script %q: has no step", text)
	}
	return sc, nil
}

// splitSteps splits at ";" outside quotes.
func splitSteps(line string) []string {
	var out []string
	var quote rune
	start := 0
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == ';':
			out = append(out, line[start:i])
			start = i + 1
		}
	}
	return append(out, line[start:])
}

func parseStep(part string) (scriptStep, error) {
	verb, rest, _ := strings.Cut(part, " ")
	rest = strings.TrimSpace(rest)
	st := scriptStep{verb: verb, written: part}
	var err error
	switch verb {
	case "answer", "decline", "ring", "ended", "hangup":
		if rest != "" {
			err = errors.New("takes nothing more")
		}
	case "hear":
		st.text, st.duration, err = quoted(rest, "within")
	case "say":
		st.text, st.duration, err = quoted(rest, "for")
	case "press":
		if st.text = rest; rest == "" || strings.Trim(rest, "0123456789*#ABCDw") != "" {
			err = errors.New("want keys of 0-9 * # A-D, w waits half a second")
		}
	case "wait":
		if st.duration, err = time.ParseDuration(rest); err != nil || st.duration < 0 {
			err = errors.New("want a time such as 5s")
		}
	case "connected":
		st.text = rest
	default:
		err = errors.New("unknown; want answer, decline, ring, hear, press, say, wait, connected, ended or hangup")
	}
	return st, err
}

// quoted reads words in quotes, and after them an option with a time, or nothing.
func quoted(rest, option string) (words string, d time.Duration, err error) {
	if len(rest) < 2 || rest[0] != '\'' && rest[0] != '"' {
		return "", 0, errors.New("want words in quotes")
	}
	end := strings.IndexByte(rest[1:], rest[0])
	if end < 0 {
		return "", 0, errors.New("the quote does not end")
	}
	words = rest[1 : end+1]
	tail := strings.TrimSpace(rest[end+2:])
	if tail == "" {
		return words, 0, nil
	}
	written, found := strings.CutPrefix(tail, option+" ")
	if !found {
		return "", 0, fmt.Errorf("%q: want %s and a time, or nothing", tail, option)
	}
	d, err = time.ParseDuration(strings.TrimSpace(written))
	return words, d, err
}

// Follow does what a script says. An error names the step that could not be done: words that did
// not come, a call that was over too soon.
func (c *Call) Follow(ctx context.Context, sc Script) error {
	a := c.account()
	for i, st := range sc.steps {
		a.AddEvent(c.leg, transcript.Event{Kind: transcript.Script, Text: st.written})
		if err := c.followStep(ctx, st); err != nil {
			err = fmt.Errorf("step %d, %q: %w", i+1, st.written, err)
			a.AddEvent(c.leg, transcript.Event{Kind: transcript.Script, Text: err.Error(), Note: "failed"})
			return err
		}
	}
	return nil
}

// Acts does what a script says, as a test's caller or responder: words, connections and ends are
// waited for as by Hears, ConnectedTo and Ended, so that a slow machine is given its time, and what
// does not come fails the test. A step with a limit of its own keeps to it.
func (c *Call) Acts(t TB, script string) {
	t.Helper()
	sc, err := ParseScript(script)
	if err != nil {
		c.fail(t, "%v", err)
	}
	for _, st := range sc.steps {
		c.account().AddEvent(c.leg, transcript.Event{Kind: transcript.Script, Text: st.written})
		switch {
		case st.verb == "hear" && st.duration == 0:
			c.Hears(t, st.text)
		case st.verb == "connected":
			c.ConnectedTo(t, st.text)
		case st.verb == "ended":
			c.Ended(t)
		default:
			if err := c.followStep(context.Background(), st); err != nil {
				c.fail(t, "%q: %v", st.written, err)
			}
		}
	}
}

// How long steps without a time wait.
const (
	scriptPatience    = 2 * time.Minute  // hear, connected
	scriptEndPatience = 10 * time.Minute // ended
)

func (c *Call) followStep(ctx context.Context, st scriptStep) error {
	until := func(d time.Duration) time.Time { return c.account().Clock.Now().Add(d) }
	switch st.verb {
	case "ring": // nothing is to be done
	case "answer":
		return rings(c.Answers())
	case "decline":
		return rings(c.Declines())
	case "hear":
		started, floor := time.Now(), time.Duration(0)
		if st.duration == 0 { // a fast clock must not shorten what a slow machine needs
			st.duration, floor = scriptPatience, patienceReal
		}
		for !c.hears(ctx, st.text, until(st.duration)) {
			if time.Since(started) >= floor || ctx.Err() != nil || account.IsFinal(c.Status()) {
				return errors.New("did not hear it")
			}
		}
	case "press", "say":
		if status := c.Status(); account.IsFinal(status) {
			return fmt.Errorf("the call is over: %s", status)
		}
		c.utter(st)
	case "wait":
		c.await(until(st.duration), c.leg.IsOverLocked)
	case "connected":
		found := false
		c.await(until(scriptPatience), func() bool {
			found = c.isConnectedLocked(st.text)
			return found || c.leg.IsOverLocked()
		})
		if !found {
			return errors.New("was not connected")
		}
	case "ended":
		if !c.await(until(scriptEndPatience), c.leg.IsOverLocked) {
			return errors.New("the call did not end")
		}
	case "hangup":
		c.HangsUp()
	}
	return nil
}

func rings(done bool) error {
	if !done {
		return errors.New("it does not ring")
	}
	return nil
}

// utter presses keys or speaks.
func (c *Call) utter(st scriptStep) {
	switch {
	case st.verb == "press":
		c.Presses(st.text)
	case st.duration > 0:
		c.SpeaksFor(st.text, st.duration)
	default:
		c.Says(st.text)
	}
}
