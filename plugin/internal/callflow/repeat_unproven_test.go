package callflow

import (
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// TestCallsThatNobodyConfirmedUseUpNobodysCalls: whoever makes calls up could keep a real caller
// from being put through, or fill the alert with calls that never were.
func TestCallsThatNobodyConfirmedUseUpNobodysCalls(t *testing.T) {
	t.Parallel()
	for unproven, limited := range map[bool]bool{true: false, false: true} {
		c := newCall(t, config.Defaults())
		m := machine{c: c.c, now: c.now, e: event.Event{Caller: &call.Caller{Number: callerNum}}}
		m.f.Instance.ProtocolMinor = 1
		var calls []integration.RecentCall
		for range m.c.CallsPerNumber {
			calls = append(calls, integration.RecentCall{StartedAt: c.now.Add(-time.Minute), Unproven: unproven})
		}
		q := effect.AskRecentCalls(callerNum, c.now)
		m.f.Answers = []integration.Answer{{ID: q.ID, Calls: calls}}
		got, ok := m.recentCalls()
		if !ok || m.floods(got) != limited {
			t.Errorf("unproven %v: %d calls count, limited %v", unproven, len(got), m.floods(got))
		}
	}
	if s := call.View(call.State{Verify: call.Verify{Verdict: call.VerdictPending}}); !s.Unproven {
		t.Error("a call that is being looked up counts as confirmed")
	}
	if s := call.View(call.State{Verify: call.Verify{Verdict: call.VerdictSigned}}); s.Unproven || strings.Contains(s.State, "unproven") {
		t.Error("a signed call counts as made up")
	}
}
