package callflow

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// watched is a call on hold at a host that keeps when it heard of the caller, and was there long
// before.
func watched(t *testing.T) *testCall {
	t.Helper()
	c := newCall(t, config.Defaults())
	c.keeps, c.facts.HearingSince = true, start.Add(-time.Hour)
	return c.holding()
}

// unwritten fails if the last event changed the state, of which before is the one before it.
func (c *testCall) unwritten(before call.State) {
	c.t.Helper()
	if Changed(before, c.state) {
		c.t.Fatalf("the state was written:\n%s\n%s", mustJSON(c.t, before), mustJSON(c.t, c.state))
	}
}

// TestACallerOnHoldCostsNoWrite: the host keeps when it heard of the caller. Ticks write nothing,
// and once the host has heard of the caller, the timer that watches over them goes off rarely.
func TestACallerOnHoldCostsNoWrite(t *testing.T) {
	t.Parallel()
	c := watched(t)
	writes := 0
	c.state.Hold.MaxWaitAt = start.Add(2 * time.Hour)
	for range 357 { // nearly an hour
		c.wait(10 * time.Second)
		if !c.timers["present"].At.After(c.now) {
			c.timer("present")
			writes++
		}
		before := c.state
		c.hold()
		c.unwritten(before)
		same(t, c.effects, []effect.Effect{effect.CallerSeen{}})
	}
	same(t, writes, 1)
	same(t, len(of[effect.LookCall](c.all)), 0)
}

// TestTheStateFollowsWhatTheHostHears: a release or a host that goes by the state alone finds it no
// older than it may be before a caller counts as gone.
func TestTheStateFollowsWhatTheHostHears(t *testing.T) {
	t.Parallel()
	c := watched(t)
	c.state.Hold.MaxWaitAt = start.Add(4 * time.Hour)
	for range 1000 {
		c.wait(10 * time.Second)
		if c.timers["present"].At.Before(c.now) {
			c.timer("present")
		}
		c.hold()
		if age := c.now.Sub(c.state.SeenAt); age > silenceEnd-30*time.Minute {
			t.Fatalf("the state knows of the caller of %v ago", age)
		}
	}
	same(t, len(of[effect.LookCall](c.all)), 0)
	// A host that keeps nothing takes over: its first tick brings the state up to date.
	c.keeps, c.facts.SeenAt, c.facts.HearingSince = false, time.Time{}, time.Time{}
	c.wait(10 * time.Second).hold()
	same(t, c.state.SeenAt, c.now)
}

// TestTheStateOfAnUnprovenCallIsKeptUpToDate: a release that knows the state alone ends such a call
// without asking Twilio.
func TestTheStateOfAnUnprovenCallIsKeptUpToDate(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.keeps, c.facts.HearingSince = true, start.Add(-time.Hour)
	c.do(event.Event{Kind: event.Arrival, Auth: event.AuthMismatch})
	for range 10 {
		c.wait(10 * time.Second).do(event.Event{Kind: event.Tick, QueueSid: queueSid, Auth: event.AuthMismatch})
		if age := c.now.Sub(c.state.SeenAt); c.state.Phase != call.PhaseEnded && age >= presenceRefresh {
			t.Fatalf("the state knows of the caller of %v ago", age)
		}
	}
}

// TestASilentCallerIsLookedForAsSoonAsWithAnyHost: the last request counts, not when it was stored.
func TestASilentCallerIsLookedForAsSoonAsWithAnyHost(t *testing.T) {
	t.Parallel()
	c := watched(t)
	c.wait(80 * time.Second).hold()
	last := c.now
	c.wait(10 * time.Second).timer("present")
	same(t, len(of[effect.LookCall](c.effects)), 0)
	same(t, c.timers["present"].At, last.Add(presenceKept)) // should the host's word be lost
	c.now = last.Add(presenceLimit - time.Second)
	c.timer(integration.TimerCallerSilent)
	same(t, len(of[effect.LookCall](c.effects)), 0)
	c.now = last.Add(presenceLimit)
	c.timer(integration.TimerCallerSilent)
	same(t, len(of[effect.LookCall](c.effects)), 1)
	same(t, c.timers["present"].At, c.now.Add(presenceLimit))
	same(t, c.state.SeenAt, last)
	// The look goes unanswered, then the caller is there again: what counted looks begins anew.
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
	same(t, c.state.Unanswered, 1)
	c.wait(time.Second).hold()
	same(t, c.state.Unanswered, 0)
	c.phase(call.PhaseHolding)
}

// TestNobodyIsTakenForGoneForWhatAHostDidNotHear: a host that has just started has not heard of
// anybody. It gives everybody as long as callers have otherwise, and asks Twilio for one after the
// other.
func TestNobodyIsTakenForGoneForWhatAHostDidNotHear(t *testing.T) {
	t.Parallel()
	for _, proven := range []bool{true, false} {
		c := newCall(t, config.Defaults())
		c.keeps, c.facts.HearingSince = true, start.Add(-time.Hour)
		if !proven {
			c.do(event.Event{Kind: event.Arrival, Auth: event.AuthMismatch})
			c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Auth: event.AuthMismatch})
		} else {
			c.holding()
		}
		c.facts.SeenAt = c.now
		c.wait(3 * time.Hour)
		c.state.Hold.MaxWaitAt = c.now.Add(time.Hour)
		c.facts.HearingSince = c.now
		looks := len(of[effect.LookCall](c.all))
		c.timer("present")
		same(t, c.state.GoneAt, time.Time{})
		same(t, len(of[effect.LookCall](c.all)), looks)
		at := c.timers["present"].At
		if early, late := c.now.Add(presenceLimit), c.now.Add(2*presenceLimit); at.Before(early) || at.After(late) {
			t.Fatalf("the caller is missed at %v, want between %v and %v", at, early, late)
		}
		c.now = at
		c.timer("present")
		if proven {
			same(t, len(of[effect.LookCall](c.all)), looks+1)
			same(t, c.state.GoneAt, time.Time{})
		} else {
			same(t, c.state.GoneAt, c.now)
		}
	}
}

// TestAWordOfSilenceCountsAtOnceAtAHostThatWasAway: the host says it to one call after the other,
// and once.
func TestAWordOfSilenceCountsAtOnceAtAHostThatWasAway(t *testing.T) {
	t.Parallel()
	for i := range 20 { // some of them would be looked for late
		c := watched(t)
		c.state.Caller.Sid = fmt.Sprintf("CA%032x", i)
		c.wait(80 * time.Second).hold()
		c.wait(10 * time.Second).timer("present")
		c.facts.HearingSince = c.now
		c.now = c.facts.HearingSince.Add(presenceLimit)
		c.timer(integration.TimerCallerSilent)
		same(t, len(of[effect.LookCall](c.effects)), 1)
	}
}

// TestLooksAfterAStartAreSpread: with a thousand calls on hold, Twilio is not asked for all at
// once.
func TestLooksAfterAStartAreSpread(t *testing.T) {
	t.Parallel()
	seconds := map[time.Duration]int{}
	for i := range 1000 {
		m := machine{s: call.State{Phase: call.PhaseHolding, SeenAt: start, Verify: call.Verify{Verdict: call.VerdictSigned}}, f: integration.Facts{HearingSince: start.Add(time.Hour)}}
		m.s.Caller.Sid = fmt.Sprintf("CA%032x", i)
		seconds[m.presentBy().Sub(m.f.HearingSince.Add(presenceLimit)).Truncate(time.Second)]++
	}
	for second, n := range seconds {
		if second < 0 || second >= presenceLimit || n > 40 {
			t.Errorf("%d of 1000 looks in second %v", n, second)
		}
	}
}

// TestAStateOfAHostThatKeptNothingGoesOn: what the state says counts where it is later.
func TestAStateOfAHostThatKeptNothingGoesOn(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.wait(50 * time.Second).hold()
	same(t, c.state.SeenAt, c.now)
	// A new host takes over, whose store knows of an earlier time.
	c.keeps, c.facts.HearingSince, c.facts.SeenAt = true, c.now, c.now.Add(-time.Minute)
	before := c.state
	c.wait(10 * time.Second).hold()
	c.unwritten(before)
	c.wait(80 * time.Second).timer("present")
	same(t, len(of[effect.LookCall](c.effects)), 0)
}
