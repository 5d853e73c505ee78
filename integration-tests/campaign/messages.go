package campaign

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// After the end of a call people are rung to hear the message that was left (docs/call-flow.md).
// These checks judge what they, and the alert, were told.

// isFor reports whether the telephone rang for the call's message, and not for its caller: then the
// caller was gone already. Nobody is dialed for a caller who leaves a message.
func (l *legFacts) isFor(c *callFacts) bool {
	return c.Plan.Hotline.delivers() && len(l.Events) > 0 && !c.Over.IsZero() && l.Events[0].At.After(c.Over)
}

// delivers reports whether people of the hotline are rung to hear messages.
func (h *hotline) delivers() bool { return h.Options["deliver_messages"] == "on" }

// listens reports whether the audio of a message was played on a leg, of this or of another call:
// who listens to one message is sent on to the next.
func (l *legFacts) listens() bool {
	return slices.ContainsFunc(l.Events, func(e twiliosim.Event) bool {
		return e.Kind == twiliosim.EventPlayed && strings.Contains(e.URL, "/call-media/")
	})
}

// messageLegs are the legs that rang for messages, by number.
func (r *record) messageLegs() map[string][]*legFacts {
	out := map[string][]*legFacts{}
	for _, c := range r.Calls {
		for _, l := range c.Legs {
			if l.isFor(c) {
				out[l.To] = append(out[l.To], l)
			}
		}
	}
	return out
}

// lines counts the lines of the alert that tell something.
func (c *callFacts) lines(words string) (n int) {
	for _, a := range c.Alerts {
		for _, l := range a.Log {
			if strings.Contains(l.Message, words) {
				n++
			}
		}
	}
	return n
}

// messagesAreHeard: somebody heard each message, or the alert says that nobody did, and everybody
// on call was rung.
func messagesAreHeard(r *record) []complaint {
	legs := r.messageLegs()
	return r.perCall(func(c *callFacts) string {
		t := c.team()
		if c.Ended != endMessage || !c.Plan.Hotline.delivers() || t == nil || len(c.Alerts) != 1 || len(c.Sounds) == 0 {
			return ""
		}
		heard, unheard := c.lines("heard the message"), c.lines("Nobody has heard the message")
		heard -= unheard
		switch {
		case c.Alerts[0].Status == "resolved":
		case unheard > len(c.Sounds):
			return fmt.Sprintf("the alert says %d times that nobody has heard the message", unheard)
		case heard <= 0 && unheard == 0:
			return "nobody has heard the message, and the alert does not say so"
		case heard > 0 && !slices.ContainsFunc(flat(legs), func(l *legFacts) bool { return l.listens() && l.Over.After(c.Over) }):
			return "the alert says that somebody heard the message, but no phone played one"
		case heard <= 0:
			return r.notRung(c, t, legs)
		}
		return ""
	})
}

// notRung names somebody who was on call for a message that nobody has heard, and was not rung.
func (r *record) notRung(c *callFacts, t *team, legs map[string][]*legFacts) string {
	people := t.people()
	if by := c.acknowledgers(); len(by) > 0 {
		people = by
	}
	for _, p := range people {
		number := c.Plan.Hotline.phoneOf(p)
		if !slices.ContainsFunc(legs[number], func(l *legFacts) bool { return l.Over.IsZero() || l.Over.After(c.Over) }) && !r.excusesCalls(c) {
			return "nobody has heard the message, and " + number + " was not rung"
		}
	}
	return ""
}

// excusesCalls reports whether calls to people may have failed since the caller's end.
func (r *record) excusesCalls(c *callFacts) bool {
	return c.Injected > 0 || c.did("resolve") || r.during(c.Over, c.Over.Add(24*time.Hour), restRefuses, hostKilled, clockStepped)
}

// acknowledgers are the people who acknowledged the alert.
func (c *callFacts) acknowledgers() (users []string) {
	for _, a := range c.Actions {
		if a.Do == "acknowledge" && a.Refused == "" {
			users = append(users, a.User)
		}
	}
	return users
}

func flat(legs map[string][]*legFacts) (all []*legFacts) {
	for _, list := range legs {
		all = append(all, list...)
	}
	return all
}

// nobodyIsRungAgain: who passed a message, or took care of it, is not rung for it again.
func nobodyIsRungAgain(r *record) []complaint {
	return r.perCall(func(c *callFacts) string {
		done := map[string]int{}
		for _, l := range c.Legs {
			// Both who passes a message and who takes care of it presses 2.
			if l.isFor(c) && l.Passed && l.Injected == 0 {
				done[l.To]++
			}
		}
		for number, n := range done {
			if n > max(1, len(c.Sounds)) {
				return fmt.Sprintf("%s was rung again after it had passed the message or had taken care of it: %d times", number, n)
			}
		}
		return ""
	})
}

// lastSentence is how long a person may hear the last sentence of a call that has let them go. A
// message that comes in meanwhile does not know of it.
const lastSentence = 10 * time.Second

// deniedBefore reports whether Twilio had said by then that it knows no such call (404), or that
// the call is not in progress (400, error 21220): the host takes a call for over that was to be
// canceled, although the phone rings on.
func (l *legFacts) deniedBefore(at time.Time) bool {
	return slices.ContainsFunc(l.Events, func(e twiliosim.Event) bool {
		return e.Kind == twiliosim.EventREST && (e.Status == http.StatusNotFound || e.Status == http.StatusBadRequest) && e.At.Before(at)
	})
}

// callersComeFirst: no telephone rings for a message while it rings, or is in use, for anything
// else.
func callersComeFirst(r *record) (out []complaint) {
	type rung struct {
		*legFacts
		call *callFacts
	}
	byNumber := map[string][]rung{}
	for _, c := range r.Calls {
		for _, l := range c.Legs {
			if !l.Rang.IsZero() {
				byNumber[l.To] = append(byNumber[l.To], rung{l, c})
			}
		}
	}
	for number, all := range byNumber {
		for _, l := range all {
			if !l.isFor(l.call) {
				continue
			}
			for _, other := range all {
				begun := other.Rang.Before(l.Rang) && (other.Over.IsZero() || other.Over.After(l.Rang.Add(lastSentence)))
				if other.legFacts != l.legFacts && begun && !other.deniedBefore(l.Rang) {
					out = append(out, complaint{Call: l.call.Sid, Text: fmt.Sprintf("%s rang for a message while its person had a call of %s", number, other.call.Sid)})
				}
			}
		}
	}
	return out
}
