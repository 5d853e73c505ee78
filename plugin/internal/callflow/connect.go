package callflow

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// legAnswer: a responder's phone was answered while the caller holds. The first question is step 1;
// keys carry the step they answer.
func (m *machine) legAnswer() {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil || !m.adopt(leg) {
		return
	}
	switch leg.State {
	case call.LegPlanned, call.LegRinging:
	case call.LegUnreached:
		// The leg was given up for want of an answer, and is answered after all. Somebody who was
		// asked before is not asked again; somebody who was let go hears why.
		if !leg.AskedAt.IsZero() || leg.Reason == call.ReasonTaken || leg.Reason == call.ReasonCaller {
			return
		}
	case call.LegAsked, call.LegTaking, call.LegTalking, call.LegHearing, call.LegDeclined, call.LegEnded:
		return
	}
	// The phone answers before Twilio has said that it dials: the task need not be waited for.
	if leg.State == call.LegPlanned && leg.Requested {
		leg.Requested = false
	}
	leg.State, leg.Reason, leg.EndedAt, leg.Step = call.LegAsked, "", time.Time{}, 1
	leg.AskedAt, leg.DueAt = m.at(), m.now.Add(askLimit)
	// Without the question, answering is accepting.
	if !m.confirm(leg) {
		m.accept(leg)
	}
}

// legKey: a responder pressed a key, or none in time, while the caller holds. A key in another
// state is late, or repeated; legDocument says what is so now.
func (m *machine) legKey() {
	leg := m.s.Leg(m.e.Leg)
	if leg != nil && m.adopt(leg) && leg.State == call.LegAsked {
		m.askedKey(leg, m.accept)
	}
}

// askedKey is the answer to the question whether the responder wants the call or the message; take
// is what 1 does. Any other key, and silence, bring the question again, a few times.
func (m *machine) askedKey(leg *call.Leg, take func(*call.Leg)) {
	switch {
	case m.e.Digits == "1":
		take(leg)
	case m.e.Digits == "2":
		m.legOver(*leg, call.ReasonPassed)
	case m.e.Step != leg.Step:
		// An earlier question's answer, come again.
	case leg.Step >= questions:
		m.legOver(*leg, call.ReasonNoKey)
	default:
		leg.Step++
	}
}

// accept gives the call to a responder: the one transition that decides among several. Each press
// of 1 comes here on the newest state, as the host commits by compare-and-swap, and only while the
// caller holds; so the first wins and the others find another phase.
func (m *machine) accept(leg *call.Leg) {
	m.log(leg.Label()+" takes the call.", leg.User)
	leg.State, leg.TakingAt, leg.DueAt, leg.Looks = call.LegTaking, m.now, m.now.Add(takeLimit), 0
	m.enter(call.PhaseConnecting)
	a := &m.s.Alert
	// The hold is over for now, so the story tells how often phones rang.
	m.tallyRings()
	// Nobody has said that they take care, so it is said in the name of the one who does. While a
	// command of ours is on its way, another would acknowledge twice.
	if len(a.Acks) == 0 && a.Status != integration.AlertAcknowledged && a.Status != integration.AlertResolved && a.Status != integration.AlertDeleted &&
		m.f.Instance.Capabilities.AcknowledgeAs && !a.AckPending {
		a.AckPending, a.AckUser = true, leg.User
		m.decide(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: leg.User})
		a.AckCommand = a.Decisive
	}
	m.release(leg.ID, call.ReasonTaken)
}

// legElsewhere handles a late answer or key press: it changes no state but the leg's CallSid, where
// that is not known yet; the reply explains why. Taking a leg's CallSid matters even now: by it the
// leg can be hung up, or told from a second call.
func (m *machine) legElsewhere() {
	if leg := m.s.Leg(m.e.Leg); leg != nil {
		m.adopt(leg)
		if m.early(leg) {
			leg.DueAt = m.now.Add(takeLimit) // it has not been tried yet
		}
	}
}

// early reports whether a responder has taken the call before the caller was in the queue: one who
// may hear a long welcome first. There is nobody to be connected with yet. Should no request of the
// queue come for long, it is tried all the same. Dialing the queue then would find it empty and end
// the leg.
func (m *machine) early(leg *call.Leg) bool {
	return leg.State == call.LegTaking && m.s.Hold.QueueSid == "" && !m.s.Hold.PleaseWait && m.now.Sub(leg.AskedAt) < earlyLimit
}

// legDocument answers a request of a responder's leg by the state of leg and call. Requests that
// come late or twice get the document of now: it never asks again what was answered.
func (m *machine) legDocument() reply.Reply {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil {
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
	}
	// A second call under this leg's id; it is hung up on.
	if m.e.CallSid != "" && leg.CallSid != m.e.CallSid {
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptNotConnected}}}
	}
	if leg.Message {
		return m.messageDocument(leg)
	}
	switch leg.State {
	case call.LegAsked:
		team := ""
		if m.s.Team != nil {
			team = m.s.Team.Name
		}
		return reply.Ask{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Say: []reply.Prompt{
			{Key: reply.PromptAsk, Team: team, Number: m.s.Caller.Aloud(), Called: m.s.Caller.Called}, {Key: reply.PromptAskKeys},
		}}
	case call.LegTaking:
		if !m.s.GoneAt.IsZero() {
			return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerLeft, Number: m.s.Caller.Aloud()}}}
		}
		if m.early(leg) {
			r := reply.Stay{Leg: leg.ID, Step: leg.Step}
			if m.e.Kind == event.LegKey {
				r.Say = []reply.Prompt{{Key: reply.PromptConnecting}}
			}
			return r
		}
		// Twilio's minimum of the time-out. The caller is in the queue already, so that is ample.
		return reply.DialQueue{Leg: leg.ID, Step: leg.Step, Timeout: 5 * time.Second, Say: []reply.Prompt{{Key: reply.PromptConnecting}}}
	case call.LegDeclined:
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptPassed}}}
	case call.LegTalking, call.LegEnded:
		return reply.Hangup{}
	case call.LegPlanned, call.LegRinging, call.LegHearing, call.LegUnreached:
	}
	if leg.Reason == call.ReasonNoKey {
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptNoKey}}}
	}
	return m.legFarewell()
}

// legFarewell tells a responder, by the state of the call, why there is nothing to take. It also
// answers the end of a conversation, where the leg needs no words.
func (m *machine) legFarewell() reply.Reply {
	number := m.s.Caller.Aloud()
	switch m.phase() {
	case call.PhaseLeavingMessage, call.PhaseAwaitingRecording:
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerMessage, Number: number}}}
	case call.PhaseDelivering, call.PhaseEnded:
		switch m.s.End {
		case call.EndMessageLeft:
			return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerMessage, Number: number}}}
		case call.EndConnected:
			if leg := m.s.Leg(m.e.Leg); leg != nil && leg.State == call.LegEnded {
				return reply.Hangup{}
			}
			return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptTaken}}}
		case call.EndNoMessage, call.EndToldGoodbye, call.EndHungUp, call.EndRejected:
			return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerLeft, Number: number}}}
		}
	case call.PhaseConnecting, call.PhaseTalking:
		if leg := m.s.Leg(m.e.Leg); leg != nil && (leg.State == call.LegEnded || leg.State == call.LegTalking) {
			return reply.Hangup{}
		}
		return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptTaken}}}
	case call.PhaseArrived, call.PhaseChoosing, call.PhaseHolding:
	}
	return reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptNotConnected}}}
}

// announcement is what the caller hears just before being connected. It is asked for while the
// responder's leg already waits (Twilio docs: voice/twiml/queue, url).
func (m *machine) announcement() reply.Reply {
	return reply.Announce{Say: []reply.Prompt{{Key: reply.PromptBeforeConnect}}}
}

// announce: Twilio is about to bridge the caller and the leg that dialed the queue. The request
// names the leg that dialed (DequeuedBy). Another one than that which took the call counts only if
// it was given up as not connected.
func (m *machine) announce() {
	leg := m.s.LegIn(call.LegTaking)
	if sid := m.e.DequeuedBy; sid != "" && (leg == nil || leg.CallSid != "" && leg.CallSid != sid) {
		leg = nil
		for i := range m.s.Legs {
			// One that was given up as not connected, and is connected after all.
			if l := &m.s.Legs[i]; l.CallSid == sid && l.State == call.LegUnreached && l.Reason == call.ReasonLost {
				leg = l
			}
		}
	}
	if leg != nil {
		m.talk(leg, beingJoined)
	}
}
