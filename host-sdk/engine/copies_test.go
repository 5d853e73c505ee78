package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// questioning lets the plugin answer with what it hears of a question: whom, and as of when,
// counted from the beginning.
func questioning(q integration.Question, began time.Time) func(integration.WebhookRequest) (integration.Outcome, error) {
	return func(req integration.WebhookRequest) (integration.Outcome, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.Outcome{Need: []integration.Question{q}}, nil
		}
		return integration.Outcome{Response: ok(heard(req.Facts.Answers[0], began))}, nil
	}
}

// heard says what an answer says.
func heard(a integration.Answer, began time.Time) string {
	if a.Err != nil {
		return string(a.Err.Kind)
	}
	text := ""
	for _, e := range a.OnCall {
		text += e.User.Name + e.User.OccupiedBy
	}
	if a.User != nil {
		text += a.User.Name + a.User.OccupiedBy
	}
	if !a.AsOf.IsZero() {
		text += fmt.Sprintf(" as of %v", a.AsOf.Sub(began).Round(time.Second))
	}
	return text
}

// asked is a host with a clock that stands still, whose platform has alice on call.
func asked(t *testing.T, q integration.Question) (*host, *clock.Manual) {
	t.Helper()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.platform.onCall = []integration.OnCallEntry{{Layer: 1, User: integration.User{ID: "alice", Name: "Alice"}}}
	h.plugin.webhook = questioning(q, clk.Now())
	return h, clk
}

// fail makes the platform answer everything with an error from now on; nil: it is well.
func (h *host) fail(err error) { h.platform.set(func(p *fakePlatform) { p.down = err }) }

var whoIsOnCall = integration.Question{ID: "q", Kind: integration.AskOnCall, Team: "devops"}

// TestWhoWasOnCallServesForTenMinutes while the platform cannot say who is; who is on another call
// is what the store says now.
func TestWhoWasOnCallServesForTenMinutes(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, whoIsOnCall)
	h.fail(errDown)
	h.expect(t, "/c/K/x", "unavailable", "nothing is known yet")
	h.fail(nil)
	h.expect(t, "/c/K/x", "Alice", "the platform says who")
	h.session(t, "other", clk.Now(), store.Session{Live: true, Occupies: []string{"alice"}})
	for _, err := range []error{errDown, errors.New("EOF"), integration.Errorf(integration.KindDeadline, "late")} {
		h.fail(err)
		clk.Advance(3 * time.Minute)
		h.expect(t, "/c/K/x", "Aliceother as of 0s", fmt.Sprintf("the platform fails: %v", err))
	}
	clk.Advance(time.Minute)
	h.expect(t, "/c/K/x", "Aliceother as of 0s", "after ten minutes")
	clk.Advance(time.Second)
	h.expect(t, "/c/K/x", "deadline", "later: the shift may have changed")
}

// TestWhoIsOnCallIsReadBeforeACallNeedsIt: a platform that pages people itself is rarely asked by
// calls, and yet somebody is known when it fails.
func TestWhoIsOnCallIsReadBeforeACallNeedsIt(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, whoIsOnCall)
	h.start(t)
	for i := range 2 {
		if i > 0 {
			h.fail(nil)
			clk.Advance(3 * time.Minute)
		}
		// Nothing but the loops of an idle engine waits.
		eventually(t, "it is read", func() bool { return len(h.platform.onCallAt()) > 2*i && clk.Waiting() == idleTimers })
		h.fail(errDown)
		h.expect(t, "/c/K/x", fmt.Sprintf("Alice as of %v", time.Duration(i)*3*time.Minute), "the first call of the outage")
	}
}

// TestAPlatformThatFailsIsNotAskedForEveryIntegration: while it hangs, each reading would wait its
// whole time, and the ones of the other integrations after it.
func TestAPlatformThatFailsIsNotAskedForEveryIntegration(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, whoIsOnCall)
	for _, name := range []string{"Second", "Third"} {
		if _, _, err := h.Configure(t.Context(), "", 0, draft(name)); err != nil {
			t.Fatal(err)
		}
	}
	before := h.platform.times("on_call")
	h.start(t)
	asked := func(more int) func() bool {
		return func() bool { return h.platform.times("on_call")-before == more && clk.Waiting() == idleTimers }
	}
	eventually(t, "each integration is read", asked(3))
	h.fail(errDown)
	clk.Advance(3 * time.Minute)
	eventually(t, "one is read in vain", asked(4))
	h.fail(nil)
	clk.Advance(3 * time.Minute)
	eventually(t, "each integration is read again", asked(7))
}

// TestWhatThePlatformDeniesIsNoLapse: an answer that is final is an answer.
func TestWhatThePlatformDeniesIsNoLapse(t *testing.T) {
	t.Parallel()
	h, _ := asked(t, whoIsOnCall)
	h.expect(t, "/c/K/x", "Alice", "the platform says who")
	h.fail(integration.Errorf(integration.KindNotFound, "there is no such team"))
	h.expect(t, "/c/K/x", "not_found", "the team is gone")
}

// TestWhoWillBeOnCallHasNoCopy: what is known is who is on call now.
func TestWhoWillBeOnCallHasNoCopy(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, whoIsOnCall)
	h.expect(t, "/c/K/x", "Alice", "who is on call now")
	tomorrow := whoIsOnCall
	tomorrow.At = clk.Now().Add(24 * time.Hour)
	h.plugin.webhook = questioning(tomorrow, clk.Now())
	h.fail(errDown)
	h.expect(t, "/c/K/x", "unavailable", "who is tomorrow")
}

// TestAUserServesForADay, also one that was read among the people on call.
func TestAUserServesForADay(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, integration.Question{ID: "q", Kind: integration.AskUser, User: "bob"})
	h.expect(t, "/c/K/x", "User bob", "the platform says who it is")
	h.fail(errDown)
	clk.Advance(24 * time.Hour)
	h.expect(t, "/c/K/x", "User bob as of 0s", "a day later")
	clk.Advance(time.Second)
	h.expect(t, "/c/K/x", "unavailable", "later")

	h.fail(nil)
	h.plugin.webhook = questioning(whoIsOnCall, clk.Now())
	h.expect(t, "/c/K/x", "Alice", "who is on call")
	h.plugin.webhook = questioning(integration.Question{ID: "q", Kind: integration.AskUser, User: "alice"}, clk.Now())
	h.fail(errDown)
	h.expect(t, "/c/K/x", "Alice as of 0s", "one of them")
}

// TestAPersonWhoAsksGetsNoCopies: they want to know whether the platform can say it.
func TestAPersonWhoAsksGetsNoCopies(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, whoIsOnCall)
	h.expect(t, "/c/K/x", "Alice", "a call")
	h.plugin.action = func(req integration.ActionRequest) (integration.ActionResult, error) {
		if len(req.Facts.Answers) == 0 {
			return integration.ActionResult{Need: []integration.Question{whoIsOnCall}}, nil
		}
		return integration.ActionResult{Lines: []integration.ActionLine{{Text: heard(req.Facts.Answers[0], clk.Now())}}}, nil
	}
	h.fail(errDown)
	if r, err := h.RunAction(t.Context(), h.id, "who", nil); err != nil || len(r.Lines) != 1 || r.Lines[0].Text != "unavailable" {
		t.Errorf("the action says %+v (%v)", r.Lines, err)
	}
}

// TestNamesOfDestinationsServeForADay; then callers hear ids, as of a platform that never answered.
func TestNamesOfDestinationsServeForADay(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return f.Destinations[0].Name })
	h.expect(t, "/c/K/x", "Team devops", "the platform says what it is called")
	h.fail(errDown)
	clk.Advance(24 * time.Hour)
	h.expect(t, "/c/L/x", "Team devops", "a day later")
	clk.Advance(time.Second)
	h.expect(t, "/c/M/x", "devops", "later")
}

// TestAPlatformThatFailsIsAskedForDestinationsOnceInAWhile: if it hangs, each question is a silence
// that a caller hears.
func TestAPlatformThatFailsIsAskedForDestinationsOnceInAWhile(t *testing.T) {
	t.Parallel()
	clk := newManual()
	h := newHost(t, manual(clk))
	h.plugin.webhook = answering(func(f integration.Facts) string { return f.Destinations[0].Name })
	h.expect(t, "/c/K/x", "Team devops", "the platform says what it is called")
	h.fail(errDown)
	clk.Advance(10 * time.Second)
	before := h.platform.times("destinations")
	for _, path := range []string{"/c/L/x", "/c/M/x", "/c/N/x"} {
		h.expect(t, path, "Team devops", "another call")
	}
	if n := h.platform.times("destinations") - before; n != 1 {
		t.Errorf("asked %d times for three calls", n)
	}
	clk.Advance(30 * time.Second)
	h.fail(nil)
	before = h.platform.times("destinations")
	h.expect(t, "/c/O/x", "Team devops", "a call after half a minute")
	if n := h.platform.times("destinations") - before; n != 1 {
		t.Errorf("asked %d times after half a minute", n)
	}
}

// TestCommandsAndAlertsHaveNoCopies: what the platform did not say about an alert is not known.
func TestCommandsAndAlertsHaveNoCopies(t *testing.T) {
	t.Parallel()
	h, _ := watched(t)
	h.show(integration.AlertOpen, 7)
	h.fail(errDown)
	h.expect(t, "/c/K/x", "none", "the platform does not answer")
}

// TestShiftsFollowTheClockOnTheWallAtOnce: when the machine's clock is set back, waits go on as
// they were, and the platform is asked about the time that people's clocks show.
func TestShiftsFollowTheClockOnTheWallAtOnce(t *testing.T) {
	t.Parallel()
	h, clk := asked(t, whoIsOnCall)
	clk.Set(-3 * time.Hour)
	h.expect(t, "/c/K/x", "Alice", "the clock was set back")
	soon := whoIsOnCall
	soon.At = clk.Now().Add(time.Hour)
	h.plugin.webhook = questioning(soon, clk.Now())
	h.expect(t, "/c/K/x", "Alice", "who is in an hour")
	want := []time.Time{clk.Now().Add(-3 * time.Hour), clk.Now().Add(-2 * time.Hour)}
	if diff := cmp.Diff(want, h.platform.onCallAt()); diff != "" {
		t.Errorf("times asked about: -want +got\n%s", diff)
	}
}
