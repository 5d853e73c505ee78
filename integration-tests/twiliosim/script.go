package twiliosim

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Script is what a person does, step by step. Steps are separated by ";" or line ends; "#" at the start of a line is a
// comment:
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
	verb  string
	text  string
	span  time.Duration
	plain string // as written
}

// ParseScript reads a script; errors name the step.
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
	st := scriptStep{verb: verb, plain: part}
	quoted := func(option string) error {
		if len(rest) < 2 || rest[0] != '\'' && rest[0] != '"' {
			return fmt.Errorf("want words in quotes")
		}
		end := strings.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return fmt.Errorf("the quote does not end")
		}
		st.text = rest[1 : end+1]
		tail := strings.TrimSpace(rest[end+2:])
		if tail == "" {
			return nil
		}
		span, found := strings.CutPrefix(tail, option+" ")
		if !found {
			return fmt.Errorf("%q: want %s and a time, or nothing", tail, option)
		}
		var err error
		st.span, err = time.ParseDuration(strings.TrimSpace(span))
		return err
	}
	switch verb {
	case "answer", "decline", "ring", "ended", "hangup":
		if rest != "" {
			return st, fmt.Errorf("takes nothing more")
		}
	case "hear":
		return st, quoted("within")
	case "say":
		return st, quoted("for")
	case "press":
		if rest == "" || strings.Trim(rest, "0123456789*#ABCDw") != "" {
			return st, fmt.Errorf("want keys of 0-9 * # A-D, w waits half a second")
		}
		st.text = rest
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return st, fmt.Errorf("want a time such as 5s")
		}
		st.span = d
	case "connected":
		st.text = rest
	default:
		return st, fmt.Errorf("unknown; want answer, decline, ring, hear, press, say, wait, connected, ended or hangup")
	}
	return st, nil
}

// Follow does what a script says. An error names the step that could not be done: words that did not come, a call that
// was over too soon.
func (c *Call) Follow(ctx context.Context, sc Script) error {
	for i, st := range sc.steps {
		c.sim.addEvent(c, Event{Kind: EventScript, Text: st.plain})
		if err := c.followStep(ctx, st); err != nil {
			err = fmt.Errorf("step %d, %q: %w", i+1, st.plain, err)
			c.sim.addEvent(c, Event{Kind: EventScript, Text: err.Error(), Note: "failed"})
			return err
		}
	}
	return nil
}

func (c *Call) followStep(ctx context.Context, st scriptStep) error {
	limit := func(d time.Duration) time.Time { return c.sim.clock.Now().Add(d) }
	over := func() bool { return terminal(c.Status()) }
	switch st.verb {
	case "ring":
	case "answer":
		if !c.Answers() {
			return fmt.Errorf("it does not ring")
		}
	case "decline":
		if !c.Declines() {
			return fmt.Errorf("it does not ring")
		}
	case "hear":
		span := st.span
		if span == 0 {
			span = 2 * time.Minute
		}
		if !c.hearing(ctx, st.text, limit(span)) {
			return fmt.Errorf("did not hear it")
		}
	case "press":
		if over() {
			return fmt.Errorf("the call is over: %s", c.Status())
		}
		c.Presses(st.text)
	case "say":
		if over() {
			return fmt.Errorf("the call is over: %s", c.Status())
		}
		if st.span > 0 {
			c.SpeaksFor(st.text, st.span)
		} else {
			c.Says(st.text)
		}
	case "wait":
		c.sim.await(c, limit(st.span), func() bool { return terminal(c.status) })
	case "connected":
		found := false
		c.sim.await(c, limit(2*time.Minute), func() bool {
			found = c.bridge != nil && (st.text == "" || c.bridge.other(c).personNumber() == st.text)
			return found || terminal(c.status)
		})
		if !found {
			return fmt.Errorf("was not connected")
		}
	case "ended":
		if !c.sim.await(c, limit(10*time.Minute), func() bool { return terminal(c.status) }) {
			return fmt.Errorf("the call did not end")
		}
	case "hangup":
		c.HangsUp()
	}
	return nil
}
