package callflow

import (
	"fmt"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

const (
	// At least, between spoken lines: the length of a tick is the music's.
	lineEvery   = time.Minute
	holdRetries = 5 // times that the queue is entered again after an error
	// A tick so long after the accept cannot be a late one: the caller was not connected.
	stillInQueue = 20 * time.Second
)

// tick is a request for the wait document: the caller is in the queue. Twilio names the queue in
// each request of its wait document; the name is needed to move the caller out and to delete the
// queue.
func (m *machine) tick() {
	if m.e.QueueSid != "" {
		m.s.Hold.QueueSid = m.e.QueueSid
	}
}

// tickConnecting: the caller still waits although a responder took the call. A tick that was on its
// way when the responder pressed 1 proves nothing, so it needs some age.
func (m *machine) tickConnecting() {
	m.tick()
	if leg := m.s.LegIn(call.LegTaking); leg != nil && m.now.Sub(leg.TakingAt) >= stillInQueue {
		m.loseLeg(leg)
	}
}

// tickTalking: the caller waits in the queue, so there is no conversation (any more).
func (m *machine) tickTalking() {
	leg := m.s.LegIn(call.LegTalking)
	switch {
	// A state that should not be; the caller's own request says what is true.
	case leg == nil:
		m.backToHold()
	case m.s.TalkOverAt.IsZero() && m.now.Sub(m.s.TalkingAt) >= stillInQueue:
		m.loseLeg(leg)
	}
}

// holdKey: the star key leaves a message at once. While a responder is being connected it comes too
// late.
func (m *machine) holdKey() {
	m.tick()
	if m.e.Digits == "*" && m.c.Voicemail {
		m.log("The caller pressed star to leave a message.", "")
		m.leave(call.ExitStar)
	}
}

// waitDocument answers a request of the queue. While somebody is being connected, or talks, it
// plays music and says nothing: a late request, or a caller who fell out of the conversation, of
// whom the leg's end will tell. What was said, and when, travels in the address of the next tick,
// so a tick need not store anything.
func (m *machine) waitDocument() reply.Reply {
	switch m.phase() {
	case call.PhaseArrived, call.PhaseChoosing, call.PhaseLeavingMessage:
		return reply.LeaveQueue{}
	case call.PhaseHolding, call.PhaseConnecting, call.PhaseTalking:
		waited := max(m.now.Sub(m.s.Hold.Since), 0)
		// The clock may have been set back.
		r := reply.Hold{Step: m.s.Step, Tick: m.e.Tick, Said: min(m.e.Said, waited)}
		if m.s.Phase != call.PhaseHolding {
			return r
		}
		r.Star = m.c.Voicemail
		switch {
		case !m.s.Hold.PleaseWait:
			m.s.Hold.PleaseWait, r.Said = true, waited
			r.Say = []reply.Prompt{{Key: reply.PromptPleaseWait}}
		case m.e.Tick == 0:
			r.Said = waited
		case m.e.Kind == event.Tick && waited-r.Said >= lineEvery:
			r.Say, r.Said = []reply.Prompt{{Key: reply.PromptStillTrying}}, waited
			if r.Star {
				r.Say = append(r.Say, reply.Prompt{Key: reply.PromptStar})
			}
		}
		return r
	case call.PhaseAwaitingRecording, call.PhaseDelivering, call.PhaseEnded:
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
	}
	return reply.Hangup{}
}

// left is the end of the caller's time in the queue, as Twilio tells it while the caller holds
// (Twilio docs: voice/twiml/enqueue, QueueResult). The caller is sent into the queue again by the
// answer; after holdRetries errors in this call voicemail is better than a circle.
func (m *machine) left() {
	if m.leftQuietly() {
		return
	}
	// "bridged" and "leave" as well: the caller is out of the queue, and alive, and should be in
	// it.
	m.s.Step++
	if m.holdSoundFailed() {
		m.s.Hold.Step = m.s.Step
		return
	}
	m.s.Hold.Errors++
	m.s.Hold.Step = m.s.Step
	if m.s.Hold.Errors > holdRetries {
		m.log("The caller could not be put on hold ("+m.e.QueueResult+").", "")
		m.leave(call.ExitHoldFails)
	}
}

// leftQuietly handles what concerns neither phase: the caller is gone, or Twilio only reports what
// we do ourselves.
func (m *machine) leftQuietly() bool {
	switch m.e.QueueResult {
	case "hangup":
		m.callerGone("the caller hung up while waiting")
		m.reply = reply.Empty{}
		return true
	case "redirected", "redirected-from-bridged", "bridging-in-process":
		// Asked for during our own redirect, or while the bridge is being built: the answer is not
		// executed.
		m.reply = reply.Empty{}
		return true
	}
	// Come late or twice: the caller has been put on hold again since.
	return m.e.Step > 0 && m.e.Step < m.s.Hold.Step
}

// leftElsewhere answers by state, without change.
func (m *machine) leftElsewhere() { m.leftQuietly() }

// leaveIfDue takes a pending exit as soon as no responder can accept any more. Until then somebody
// who picks up at the last moment still gets the call. It runs after every event of a hold, last.
func (m *machine) leaveIfDue() {
	if m.s.Phase != call.PhaseHolding || m.s.Exit == "" {
		return
	}
	for i := range m.s.Legs {
		// What Twilio was not given yet is cancelled; a phone that rings may still be answered.
		if leg := &m.s.Legs[i]; leg.State == call.LegPlanned && (leg.DialAt.After(m.now) || leg.Dials > 1 || leg.Looks > 0) {
			reason := call.ReasonCaller
			if leg.Dials > 1 || leg.Looks > 0 {
				reason = call.ReasonFailed // Twilio could not be asked all the while
			}
			m.closeLeg(leg, reason)
		}
	}
	if m.s.LiveLegs() == 0 {
		m.leave(m.s.Exit)
	}
}

// pend asks for an exit. The first reason stays, and is told. Nothing is taken yet: leaveIfDue does
// that when no phone can win any more.
func (m *machine) pend(x call.Exit) {
	if m.s.Exit == "" {
		m.s.Exit = x
		m.log(m.exitSentence(x), "")
	}
}

// exitSentence is the line of the story about an exit that is pending. Exits without a case of
// their own are told where they arise.
func (m *machine) exitSentence(x call.Exit) string {
	switch x {
	case call.ExitDropped:
		return "Nobody acknowledged: nobody else is called."
	case call.ExitResolved:
		return "The alert was resolved while the caller waited."
	case call.ExitDeleted:
		return "The alert was deleted while the caller waited."
	case call.ExitMaxWait:
		return fmt.Sprintf("The caller has waited %s: the longest time set is over.", wording.Lasting(m.now.Sub(m.s.Hold.Since)))
	case call.ExitNobody:
		return "Nobody is left to call: " + m.whyNobody() + "."
	case call.ExitOneRound:
		return "Everybody on call was tried once; the integration is set to give up then."
	case call.ExitAccount:
		return "Nobody can be called: Twilio refuses calls of this account."
	case call.ExitRefused:
		return "The platform refused the alert, so nobody is paged."
	case call.ExitRemoved:
		return "The integration was deleted while the caller waited."
	case call.ExitNotProven, call.ExitFlood, call.ExitNotFound, call.ExitStar, call.ExitMenu, call.ExitNoTeam, call.ExitStraight, call.ExitMaintenance, call.ExitHoldFails:
	}
	return "The caller leaves the hold: " + string(x) + "."
}

// whyNobody says of the people who could be rung, on call or because they acknowledged, why none of
// them can be.
func (m *machine) whyNobody() string {
	passed, unable := false, false
	for i := range m.s.People {
		if p := &m.s.People[i]; p.OnCall || len(p.Acks) > 0 {
			passed, unable = passed || p.Passed, unable || !p.Passed
		}
	}
	switch {
	case passed && unable:
		return "everybody on call has passed or cannot be rung"
	case passed:
		return "everybody on call has passed"
	case unable:
		return "nobody on call can be rung"
	}
	return "nobody is on call"
}
