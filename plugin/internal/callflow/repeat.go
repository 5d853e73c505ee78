package callflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// floodWindow is the time in which the calls of one number are limited.
const floodWindow = 10 * time.Minute

// recentCalls returns the caller's earlier calls, newest first. ok is false where that was asked
// only now. Withheld callers, and a host that cannot say, have none.
func (m *machine) recentCalls() (calls []integration.RecentCall, ok bool) {
	c := m.e.Caller
	if c.Number == "" || m.f.Instance.ProtocolMinor < 1 {
		return nil, true
	}
	answer, ok := m.ask(effect.AskRecentCalls(c.Number, m.now))
	// Whoever can make calls up must not use up somebody else's calls, nor tell of them in an
	// alert.
	return slices.DeleteFunc(slices.Clone(answer.Calls), func(r integration.RecentCall) bool { return r.Unproven }), ok
}

// floods reports whether a number calls so often that nobody is rung for it any more. Somebody who
// dials again and again in despair is still answered; but phones at night are not theirs to ring
// without end.
func (m *machine) floods(calls []integration.RecentCall) bool {
	// This call counts too.
	lately := 1
	for _, c := range calls {
		if m.now.Sub(c.StartedAt) < floodWindow {
			lately++
		}
	}
	return m.c.CallsPerNumber > 0 && lately > m.c.CallsPerNumber
}

// noteRepeat writes into a new alert that its caller called before. It comes before the alert is
// created, as the title is part of the draft.
func (m *machine) noteRepeat(calls []integration.RecentCall) {
	if len(calls) == 0 {
		return
	}
	oldest := calls[len(calls)-1]
	m.s.Alert.Repeat = fmt.Sprintf("%s call in %s", wording.Ordinal(len(calls)+1), wording.Minutes(m.now.Sub(oldest.StartedAt)))
	line := fmt.Sprintf("This number called before, at %s.", calls[0].StartedAt.UTC().Format("15:04 UTC"))
	for i, c := range calls {
		// The newest call that has an alert: one that was rejected, or came too often, has none.
		if c.AlertURL == "" {
			continue
		}
		which := "that call"
		if i > 0 {
			which = "its call at " + c.StartedAt.UTC().Format("15:04 UTC")
		}
		line += " The alert of " + which + ": " + c.AlertURL
		break
	}
	m.log(line, "")
}
