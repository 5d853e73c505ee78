package callflow

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// check says what a single step broke of what must always hold; "" if nothing.
func check(before call.State, e event.Event, after call.State, answer reply.Reply, effects []effect.Effect, now time.Time) string {
	from, to := normal(before.Phase), normal(after.Phase)
	if _, refused := answer.(reply.Refused); refused {
		if Changed(before, after) || len(effects) > 0 {
			return "a refused request has an effect"
		}
		return ""
	}
	switch {
	case !Allowed(from, e.Kind, to):
		return fmt.Sprintf("undeclared transition %s -> %s", from, to)
	case Request(e.Kind) != (answer != nil):
		return fmt.Sprintf("reply %T", answer)
	case isOver(to) != (after.End != "") || isOver(to) != !after.EndedAt.IsZero():
		return "phase and end disagree"
	case isOver(from) && (after.End != before.End || !after.EndedAt.Equal(before.EndedAt)):
		return "a second end"
	case !isOver(from) && isOver(to) && after.Reason == "":
		return "an end without reason"
	case from == call.PhaseDelivering && to == call.PhaseEnded && after.Delivery.Since != (time.Time{}):
		return "a delivery that is over is remembered"
	}
	if bad := checkDelivery(before, after, effects); bad != "" {
		return bad
	}
	if bad := checkLegs(before, e, after, effects); bad != "" {
		return bad
	}
	if bad := checkTime(before, e, after, effects, now); bad != "" {
		return bad
	}
	return checkEffects(before, after, effects)
}

// isOver reports whether the call has ended in a phase.
func isOver(p call.Phase) bool { return p == call.PhaseEnded || p == call.PhaseDelivering }

// checkDelivery: nobody is rung twice for the same messages, what is heard is said once, and of
// somebody to whom it was played.
func checkDelivery(before, after call.State, effects []effect.Effect) string {
	heard := 0
	for i := range after.Voicemail.Recordings {
		r := &after.Voicemail.Recordings[i]
		was := before.Voicemail.Recording(r.Sid)
		if r.Heard && (was == nil || !was.Heard) {
			heard++
		}
	}
	for _, x := range effects {
		switch x := x.(type) {
		case integration.Heard:
			heard--
			if !slices.ContainsFunc(before.Legs, func(l call.Leg) bool { return l.User == x.User && l.State == call.LegHearing && len(l.Playing) > 0 }) {
				return "heard by somebody to whom nothing was played"
			}
		case effect.DialLeg:
			known := slices.ContainsFunc(before.Legs, func(l call.Leg) bool { return l.ID == x.Leg })
			i := slices.IndexFunc(before.Numbers, func(n call.Number) bool { return n.Phone == x.Phone })
			if before.Phase != call.PhaseDelivering || known || i < 0 {
				continue
			}
			fresh := slices.ContainsFunc(before.People, func(p call.Person) bool {
				return slices.Contains(p.Phones, x.Phone) && (p.Rung < after.Voicemail.Attached() || !slices.Contains(p.Dialed, x.Phone))
			})
			if r := before.Numbers[i].Reason; !fresh && !r.Passing() {
				return fmt.Sprintf("%s is rung again for a message, though it %s", x.Phone, wording.Reason(r))
			}
		}
	}
	if heard != 0 {
		return fmt.Sprintf("%d recordings were heard and not said to be, or the other way round", heard)
	}
	return ""
}

// checkLegs: at most one responder is connected, and a conversation is never torn apart by us.
func checkLegs(before call.State, e event.Event, after call.State, effects []effect.Effect) string {
	taking, talking := 0, 0
	for _, l := range after.Legs {
		switch l.State {
		case call.LegTaking:
			taking++
		case call.LegTalking:
			talking++
		case call.LegPlanned, call.LegRinging, call.LegAsked:
			if p := normal(after.Phase); p != call.PhaseHolding && p != call.PhaseDelivering || l.Message != (p == call.PhaseDelivering) {
				return "leg " + l.ID + " is " + string(l.State) + " in " + string(p)
			}
		case call.LegHearing:
			if after.Phase != call.PhaseDelivering || !l.Message || l.HearingAt.IsZero() {
				return "leg " + l.ID + " hears a message in " + string(after.Phase)
			}
		case call.LegDeclined, call.LegUnreached, call.LegEnded:
			if l.EndedAt.IsZero() || l.Reason == "" {
				return "leg " + l.ID + " is over without time or reason"
			}
		}
		if l.Live() && l.State != call.LegTalking && l.DueAt.IsZero() {
			return "leg " + l.ID + " has no deadline"
		}
	}
	if (taking == 1) != (after.Phase == call.PhaseConnecting) || taking > 1 {
		return fmt.Sprintf("%d legs are taking", taking)
	}
	if talking > 1 || talking == 1 && after.Phase != call.PhaseTalking {
		return fmt.Sprintf("%d legs are talking", talking)
	}
	if after.Phase == call.PhaseTalking && talking == 0 && after.TalkOverAt.IsZero() {
		return "a conversation with nobody"
	}
	// The caller's own request is the only proof that there is no conversation.
	proof := e.Kind == event.Tick || e.Kind == event.HoldKey || e.Kind == event.Left || !before.TalkOverAt.IsZero()
	for _, x := range effects {
		switch x := x.(type) {
		case effect.EndLeg:
			i := slices.IndexFunc(before.Legs, func(l call.Leg) bool { return l.ID == x.Leg && l.State == call.LegTalking && l.CallSid == x.CallSid })
			if i >= 0 && !proof {
				return "a conversation is torn apart"
			}
		case effect.DialLeg:
			if after.Phase != call.PhaseHolding && after.Phase != call.PhaseDelivering {
				return "somebody is dialed in " + string(after.Phase)
			}
			if !Wanted(after, x.Task.Name) {
				return x.Task.Name + " is not wanted when it is asked for"
			}
		case effect.Dequeue:
			if after.Phase != call.PhaseLeavingMessage || after.Voicemail.Offered {
				return "taken out of the queue in " + string(after.Phase)
			}
		}
	}
	return ""
}

// checkTime: nothing is overdue after a step, a running call has a deadline, and the timers are the
// deadlines.
func checkTime(before call.State, e event.Event, after call.State, effects []effect.Effect, now time.Time) string {
	ds := deadlines(&after)
	m := machine{s: after, f: e.Facts}
	for i, d := range ds {
		if d.name == "present" {
			d.at = m.presentBy()
			if !e.Facts.SeenAt.IsZero() || !e.Facts.HearingSince.IsZero() {
				ds[i].at = time.Time{} // the host knows more than the state; see [testCall.outbox]
			}
		}
		if !d.at.After(now) {
			return "still overdue: " + d.name
		}
	}
	if call.Live(after) && len(ds) == 0 {
		return "a running call without a deadline"
	}
	timers := map[string]time.Time{}
	for _, d := range deadlines(&before) {
		timers[d.name] = d.at
	}
	for _, x := range effects {
		switch x := x.(type) {
		case effect.StartTimer:
			timers[x.Task.Name] = x.At
		case effect.CancelTimer:
			delete(timers, x.Task.Name)
		}
	}
	for _, d := range ds {
		if at, there := timers[d.name]; !there || !at.Equal(d.at) && !d.at.IsZero() {
			return "no timer for " + d.name
		}
		delete(timers, d.name)
	}
	if len(timers) > 0 {
		return fmt.Sprintf("timers too many: %v", timers)
	}
	return ""
}

// checkEffects: numbers rise, and what must happen once happens once.
func checkEffects(before, after call.State, effects []effect.Effect) string {
	number, serial := before.Alert.Commands, before.Serial
	attachments, mails := before.Voicemail.Attached(), before.Voicemail.Told()
	generation := func(t effect.Task) string {
		if t.Generation <= serial {
			return "generation of " + t.Name + " does not rise"
		}
		serial = t.Generation
		return ""
	}
	for _, x := range effects {
		bad := ""
		switch x := x.(type) {
		case integration.AlertCommand:
			number++
			if x.Number != number {
				bad = fmt.Sprintf("command %d after %d", x.Number, number-1)
			}
			if x.Kind == integration.AlertCreate && before.Alert.Created {
				bad = "a second alert"
			}
			if x.Kind == integration.AlertAttach {
				attachments++
			}
			if x.Kind == integration.AlertRoute && len(x.Teams) == 0 {
				bad = "routed to nobody"
			}
			if x.Kind == integration.AlertRoute && !slices.Contains([]call.Verdict{call.VerdictSigned, call.VerdictFound, call.VerdictUnverified}, after.Verify.Verdict) {
				bad = "somebody is woken for a call not known to be real"
			}
		case effect.Mail:
			mails++
		case effect.DialLeg:
			bad = generation(x.Task)
			if bad == "" && !slices.Contains([]call.Verdict{call.VerdictSigned, call.VerdictFound, call.VerdictUnverified}, after.Verify.Verdict) {
				bad = "somebody is rung for a call not known to be real"
			}
		case effect.EndLeg:
			bad = generation(x.Task)
		case effect.LookLeg:
			bad = generation(x.Task)
		case effect.LookCall:
			bad = generation(x.Task)
		case effect.Dequeue:
			bad = generation(x.Task)
		case effect.DeleteQueue:
			bad = generation(x.Task)
			if !isOver(after.Phase) {
				bad = "the queue is deleted during the call"
			}
		case effect.FetchRecording:
			bad = generation(x.Task)
		case effect.LookRecordings:
			bad = generation(x.Task)
		case effect.StartTimer:
			bad = generation(x.Task)
		case effect.CancelTimer:
			bad = generation(x.Task)
		case effect.DeleteRecording:
			bad = generation(x.Task)
			if r := after.Voicemail.Recording(x.RecordingSid); r == nil || r.Media == nil {
				bad = "a recording is deleted that nobody keeps"
			}
		}
		if bad != "" {
			return bad
		}
	}
	if n := after.Voicemail.Attached(); n != attachments && after.Alert.Created {
		return fmt.Sprintf("%d recordings are kept, %d attached", n, attachments)
	}
	if n := after.Voicemail.Told(); n != mails {
		return fmt.Sprintf("%d messages are delivered, %d mailed", n, mails)
	}
	if after.Alert.Commands != number || after.Serial != serial {
		return "numbers of commands or tasks disagree with the state"
	}
	return ""
}
