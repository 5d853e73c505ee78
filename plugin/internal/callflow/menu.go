package callflow

import (
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// menuRounds is how often the menu is read to a caller who presses nothing valid.
const menuRounds = 3

// menu asks for a team. Prompts and keys are one document, so that a key stops the prompts.
func (m *machine) menu() reply.Reply {
	// With one digit Twilio asks at once when a key is pressed; with two it waits for a second one
	// or the time-out.
	r := reply.Menu{Step: m.s.Step, Intro: m.welcome(), Digits: 1, Timeout: 10 * time.Second}
	// A caller who pressed nothing is not told that the key was wrong.
	if m.e.Kind == event.MenuKeys && m.e.Digits != "" && m.s.MenuTries > 0 {
		r.Intro = []reply.Prompt{{Key: reply.PromptInvalidKey}}
	}
	for i, t := range m.s.Teams {
		r.Items = append(r.Items, reply.Prompt{Key: reply.PromptPress, Digit: i + 1, Team: t.Name})
	}
	if len(m.s.Teams) > 9 {
		r.Digits = 2
		r.Timeout = 5 * time.Second // it also ends a single digit
		r.Items = append(r.Items, reply.Prompt{Key: reply.PromptPressPound})
	}
	return r
}

// menuKeys takes the caller's choice. Keys of an earlier round, come late or twice, are answered
// but not counted.
func (m *machine) menuKeys() {
	if m.e.Step != m.s.Step {
		return
	}
	if k := digits(m.e.Digits, len(m.s.Teams)); k > 0 {
		team := m.s.Teams[k-1]
		m.log("The caller chose "+team.Name+".", "")
		m.choose(team)
		return
	}
	// Wrong keys and silence count alike: a caller without a keypad must get somewhere, too.
	m.s.MenuTries++
	// A new step makes a repetition of this request an old one.
	m.s.Step++
	if m.s.MenuTries < menuRounds {
		return
	}
	if m.c.MenuFallback == config.FallbackFirstTeam {
		team := m.s.Teams[0]
		m.log("The caller chose no team; the first one is called: "+team.Name+".", "")
		m.choose(team)
		return
	}
	m.log("The caller chose no team.", "")
	m.leave(call.ExitMenu)
}

// digits parses pressed keys strictly: 1 to n without leading zero, nothing else. 0 means invalid.
// Ten teams and more make a single digit ambiguous only for Twilio, which waits; here 7 is the
// seventh.
func digits(s string, n int) int {
	if len(s) == 0 || len(s) > 2 || s[0] == '0' || (len(s) == 2 && n <= 9) {
		return 0
	}
	k := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0
		}
		k = k*10 + int(s[i]-'0')
	}
	if k > n {
		return 0
	}
	return k
}

// choose puts the caller on hold for a team, or sends the caller to leave a message where nobody is
// to be paged. The longest wait counts from here, and not from the beginning of the call. The
// menu's documents are out of date afterwards.
func (m *machine) choose(team call.Team) {
	m.s.Team = &team
	switch {
	case m.c.StraightToVoicemail && m.c.Voicemail:
		m.leave(call.ExitStraight)
	case m.s.Verify.Verdict == call.VerdictNotFound:
		m.leave(call.ExitNotFound)
	default:
		m.enter(call.PhaseHolding)
		m.s.Hold.Step = m.s.Step
		m.s.Hold.Since = m.now
		m.s.Hold.MaxWaitAt = m.now.Add(m.c.MaxWait)
		// An alert that somebody has closed already pages nobody.
		m.s.Alert.RouteWanted = m.s.Exit == ""
	}
}
