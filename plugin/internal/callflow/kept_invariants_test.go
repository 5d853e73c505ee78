package callflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// checkKept says what a single step broke of the promise that the caller is kept; "" if nothing.
func checkKept(conf config.Config, f integration.Facts, before call.State, e event.Event, after call.State, reply reply.Reply, effects []effect.Effect, now time.Time) string {
	for _, bad := range []string{
		checkExit(conf, f, before, e, after, now),
		checkRinging(conf, f, after, now),
		checkFloors(before, after, effects, now),
		checkGone(after, reply),
	} {
		if bad != "" {
			return bad
		}
	}
	return ""
}

// checkExit: nobody is told goodbye, or sent to voicemail, from the hold but by one of the ends
// that the call flow lists, and only where its cause holds.
func checkExit(conf config.Config, f integration.Facts, before call.State, e event.Event, after call.State, now time.Time) string {
	from, to := normal(before.Phase), normal(after.Phase)
	left := from == call.PhaseHolding && (to == call.PhaseLeavingMessage || to == call.PhaseEnded && after.End == call.EndToldGoodbye)
	if !left {
		return ""
	}
	cause := false
	switch after.Exit {
	case call.ExitDropped, call.ExitResolved:
		// A dropped alert may be resolved, or deleted, before the caller leaves.
		cause = slices.Contains([]integration.AlertStatus{integration.AlertDropped, integration.AlertResolved, integration.AlertDeleted}, after.Alert.Status)
	case call.ExitDeleted:
		// Never withdrawn.
		cause = after.Alert.Status == integration.AlertDeleted || before.Exit == call.ExitDeleted
	case call.ExitMaxWait:
		cause = !now.Before(after.Hold.MaxWaitAt)
	case call.ExitNobody:
		m := &machine{c: conf, s: after.Clone(), f: f, now: now}
		cause = !slices.ContainsFunc(m.s.People, func(p call.Person) bool { return p.OnCall && !p.Passed && !m.s.Unringable(&p) })
	case call.ExitOneRound:
		cause = conf.GiveUp == config.GiveUpOneRound
	case call.ExitAccount:
		cause = after.AccountRefused
	case call.ExitRefused:
		cause = before.Exit == call.ExitRefused || e.Kind == event.CommandFailed
	case call.ExitRemoved:
		cause = f.Instance.State == integration.HostDeleted
	case call.ExitStar:
		cause = e.Kind == event.HoldKey && e.Digits == "*"
	case call.ExitHoldFails:
		cause = after.Hold.Errors > holdRetries
	case call.ExitNotFound, call.ExitNotProven:
		cause = after.Verify.Verdict == call.VerdictNotFound
	case call.ExitMenu, call.ExitNoTeam, call.ExitStraight, call.ExitMaintenance, call.ExitFlood, "":
	}
	if !cause {
		return fmt.Sprintf("the hold ends by %q without its cause", after.Exit)
	}
	return ""
}

// checkRinging: while somebody holds, a phone is dialed, rings or asks, or is due within a minute,
// or somebody on another call is waited for. Where people are rung when they acknowledge, an open
// alert will do; so will an acknowledgement that is not for us to answer, and an exit that is
// pending.
func checkRinging(conf config.Config, f integration.Facts, after call.State, now time.Time) string {
	a := &after.Alert
	if after.Phase != call.PhaseHolding || after.Exit != "" || !a.Routed || a.AckPending {
		return ""
	}
	soon := func(at time.Time) bool { return !at.IsZero() && !at.After(now.Add(ringFloor)) }
	reach := conf.ReachOn(f.Instance.Capabilities)
	if reach == config.ReachAcknowledge && a.Unpaged != "" {
		reach = config.ReachBoth
	}
	switch {
	case slices.ContainsFunc(after.Legs, func(l call.Leg) bool { return l.Live() }):
	case soon(after.RingAt), soon(a.AskAgainAt), soon(a.EscalateBy):
	case slices.ContainsFunc(after.People, func(p call.Person) bool { return p.OccupiedBy != "" }):
	case reach == config.ReachAcknowledge && (a.Status != integration.AlertAcknowledged || len(a.Acks) == 0):
	case reach == config.ReachRing && a.Status == integration.AlertAcknowledged:
	case a.Status == integration.AlertDropped || a.Status == integration.AlertResolved || a.Status == integration.AlertDeleted:
	default:
		return fmt.Sprintf("the caller holds and nobody is called: alert %q, people %+v", a.Status, after.People)
	}
	return ""
}

// checkFloors: a number is not rung again within ten seconds, nor within a minute where its last
// attempt was more than a busy or broken line in the first turn; a new acknowledgement and a dial
// that was lost excepted.
func checkFloors(before, after call.State, effects []effect.Effect, now time.Time) string {
	for _, x := range effects {
		d, ok := x.(effect.DialLeg)
		if !ok {
			continue
		}
		at := d.At
		if at.Before(now) {
			at = now
		}
		if slices.ContainsFunc(before.Legs, func(l call.Leg) bool { return l.ID == d.Leg }) {
			continue // the same leg: Twilio could not be asked, or the dial was lost
		}
		i := slices.IndexFunc(before.Numbers, func(n call.Number) bool { return n.Phone == d.Phone })
		if i < 0 {
			continue
		}
		n := before.Numbers[i]
		// Whoever acknowledged during a conversation that fell apart is rung for that now.
		acknowledged := normal(before.Phase) != call.PhaseHolding ||
			slices.ContainsFunc(before.People, func(p call.Person) bool {
				return slices.Contains(p.Phones, d.Phone) && !slices.Contains(p.Dialed, d.Phone)
			}) ||
			slices.ContainsFunc(after.Alert.SeenAcks, func(id string) bool { return !slices.Contains(before.Alert.SeenAcks, id) })
		switch gap := at.Sub(n.DialedAt); {
		case acknowledged:
		case gap >= ringFloor:
		case n.Reason.Passing():
			if gap = at.Sub(n.EndedAt); gap < retryFloor {
				return fmt.Sprintf("%s is rung again %s after it %s", d.Phone, gap, wording.Reason(n.Reason))
			}
		default:
			return fmt.Sprintf("%s is rung again after %s, though it %s", d.Phone, gap, wording.Reason(n.Reason))
		}
	}
	return ""
}

// checkGone: nobody is asked, or connected, for a caller who is proven to be gone.
func checkGone(after call.State, answer reply.Reply) string {
	if after.GoneAt.IsZero() {
		return ""
	}
	if p := normal(after.Phase); p == call.PhaseChoosing || p == call.PhaseHolding {
		return "a caller who is gone is " + string(p)
	}
	if after.Phase == call.PhaseDelivering {
		return "" // people are asked about the message
	}
	switch answer.(type) {
	case reply.Ask, reply.Stay, reply.DialQueue, reply.Enqueue, reply.Hold, reply.Menu, reply.Record:
		return fmt.Sprintf("%T for a caller who is gone", answer)
	}
	return ""
}
