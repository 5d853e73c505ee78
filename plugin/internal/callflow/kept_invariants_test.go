package callflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// checkKept says what a single step broke of the promise that the caller is kept; "" if nothing.
func checkKept(conf Config, f integration.Facts, before State, e Event, after State, reply Reply, effects []Effect, now time.Time) string {
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
func checkExit(conf Config, f integration.Facts, before State, e Event, after State, now time.Time) string {
	from, to := normal(before.Phase), normal(after.Phase)
	left := from == PhaseHolding && (to == PhaseLeavingMessage || to == PhaseEnded && after.End == EndToldGoodbye)
	if !left {
		return ""
	}
	cause := false
	switch after.Exit {
	case ExitDropped, ExitResolved:
		// A dropped alert may be resolved, or deleted, before the caller leaves.
		cause = slices.Contains([]integration.AlertStatus{integration.AlertDropped, integration.AlertResolved, integration.AlertDeleted}, after.Alert.Status)
	case ExitDeleted:
		// Never withdrawn.
		cause = after.Alert.Status == integration.AlertDeleted || before.Exit == ExitDeleted
	case ExitMaxWait:
		cause = !now.Before(after.Hold.MaxWaitAt)
	case ExitNobody:
		m := &machine{c: conf, s: after.clone(), f: f, now: now}
		cause = !slices.ContainsFunc(m.s.People, func(p Person) bool { return p.OnCall && !p.Passed && !m.s.unringable(&p) })
	case ExitOneRound:
		cause = conf.GiveUp == GiveUpOneRound
	case ExitAccount:
		cause = after.AccountRefused
	case ExitRefused:
		cause = before.Exit == ExitRefused || e.Kind == EventCommandFailed
	case ExitRemoved:
		cause = f.Instance.State == integration.HostDeleted
	case ExitStar:
		cause = e.Kind == EventHoldKey && e.Digits == "*"
	case ExitHoldFails:
		cause = after.Hold.Errors > holdRetries
	case ExitNotFound, ExitNotProven:
		cause = after.Verify.Verdict == VerdictNotFound
	case ExitMenu, ExitNoTeam, ExitStraight, ExitMaintenance, ExitFlood, "":
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
func checkRinging(conf Config, f integration.Facts, after State, now time.Time) string {
	a := &after.Alert
	if after.Phase != PhaseHolding || after.Exit != "" || !a.Routed || a.AckPending {
		return ""
	}
	soon := func(at time.Time) bool { return !at.IsZero() && !at.After(now.Add(ringFloor)) }
	reach := conf.reach(f.Instance.Capabilities)
	if reach == ReachAcknowledge && a.Unpaged != "" {
		reach = ReachBoth
	}
	switch {
	case slices.ContainsFunc(after.Legs, func(l Leg) bool { return l.live() }):
	case soon(after.RingAt), soon(a.AskAgainAt), soon(a.EscalateBy):
	case slices.ContainsFunc(after.People, func(p Person) bool { return p.OccupiedBy != "" }):
	case reach == ReachAcknowledge && (a.Status != integration.AlertAcknowledged || len(a.Acks) == 0):
	case reach == ReachRing && a.Status == integration.AlertAcknowledged:
	case a.Status == integration.AlertDropped || a.Status == integration.AlertResolved || a.Status == integration.AlertDeleted:
	default:
		return fmt.Sprintf("the caller holds and nobody is called: alert %q, people %+v", a.Status, after.People)
	}
	return ""
}

// checkFloors: a number is not rung again within ten seconds, nor within a minute where its last
// attempt was more than a busy or broken line in the first turn; a new acknowledgement and a dial
// that was lost excepted.
func checkFloors(before, after State, effects []Effect, now time.Time) string {
	for _, x := range effects {
		d, ok := x.(DialLeg)
		if !ok {
			continue
		}
		at := d.At
		if at.Before(now) {
			at = now
		}
		if slices.ContainsFunc(before.Legs, func(l Leg) bool { return l.ID == d.Leg }) {
			continue // the same leg: Twilio could not be asked, or the dial was lost
		}
		i := slices.IndexFunc(before.Numbers, func(n Number) bool { return n.Phone == d.Phone })
		if i < 0 {
			continue
		}
		n := before.Numbers[i]
		// Whoever acknowledged during a conversation that fell apart is rung for that now.
		acknowledged := normal(before.Phase) != PhaseHolding ||
			slices.ContainsFunc(before.People, func(p Person) bool { return slices.Contains(p.Phones, d.Phone) && !slices.Contains(p.Dialed, d.Phone) }) ||
			slices.ContainsFunc(after.Alert.SeenAcks, func(id string) bool { return !slices.Contains(before.Alert.SeenAcks, id) })
		switch gap := at.Sub(n.DialedAt); {
		case acknowledged:
		case gap >= ringFloor:
		case n.Reason.passing():
			if gap = at.Sub(n.EndedAt); gap < retryFloor {
				return fmt.Sprintf("%s is rung again %s after it %s", d.Phone, gap, reasonSentence(n.Reason))
			}
		default:
			return fmt.Sprintf("%s is rung again after %s, though it %s", d.Phone, gap, reasonSentence(n.Reason))
		}
	}
	return ""
}

// checkGone: nobody is asked, or connected, for a caller who is proven to be gone.
func checkGone(after State, answer Reply) string {
	if after.GoneAt.IsZero() {
		return ""
	}
	if p := normal(after.Phase); p == PhaseChoosing || p == PhaseHolding {
		return "a caller who is gone is " + string(p)
	}
	if after.Phase == PhaseDelivering {
		return "" // people are asked about the message
	}
	switch answer.(type) {
	case AskReply, StayReply, DialQueueReply, EnqueueReply, HoldReply, MenuReply, RecordReply:
		return fmt.Sprintf("%T for a caller who is gone", answer)
	}
	return ""
}
