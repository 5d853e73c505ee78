package callflow

import (
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// legAnswer: a responder's phone was answered while the caller holds. The first question is step 1;
// keys carry the step they answer.
func (m *machine) legAnswer() {
	leg := m.s.leg(m.e.Leg)
	if leg == nil || !m.adopt(leg) {
		return
	}
	switch leg.State {
	case LegPlanned, LegRinging:
	case LegUnreached:
		// The leg was given up for want of an answer, and is answered after all. Somebody who was
		// asked before is not asked again; somebody who was let go hears why.
		if !leg.AskedAt.IsZero() || leg.Reason == ReasonTaken || leg.Reason == ReasonCaller {
			return
		}
	case LegAsked, LegTaking, LegTalking, LegHearing, LegDeclined, LegEnded:
		return
	}
	if leg.State == LegPlanned && leg.Requested {
		leg.Requested = false
	}
	leg.State, leg.Reason, leg.EndedAt, leg.Step = LegAsked, "", time.Time{}, 1
	leg.AskedAt, leg.DueAt = m.at(), m.now.Add(askLimit)
	// Without the question, answering is accepting.
	if !m.confirm(leg) {
		m.accept(leg)
	}
}

// legKey: a responder pressed a key, or none in time, while the caller holds.
func (m *machine) legKey() {
	leg := m.s.leg(m.e.Leg)
	if leg != nil && m.adopt(leg) && leg.State == LegAsked {
		m.askedKey(leg, m.accept)
	}
}

// askedKey is the answer to the question whether the responder wants the call or the message; take
// is what 1 does.
func (m *machine) askedKey(leg *Leg, take func(*Leg)) {
	switch {
	case m.e.Digits == "1":
		take(leg)
	case m.e.Digits == "2":
		m.legOver(*leg, ReasonPassed)
	case m.e.Step != leg.Step:
		// An earlier question's answer, come again.
	case leg.Step >= questions:
		m.legOver(*leg, ReasonNoKey)
	default:
		leg.Step++
	}
}

// accept gives the call to a responder: the one transition that decides among several. Each press
// of 1 comes here on the newest state, as the host commits by compare-and-swap, and only while the
// caller holds; so the first wins and the others find another phase.
func (m *machine) accept(leg *Leg) {
	m.log(leg.person()+" takes the call.", leg.User)
	leg.State, leg.TakingAt, leg.DueAt, leg.Looks = LegTaking, m.now, m.now.Add(takeLimit), 0
	m.enter(PhaseConnecting)
	a := &m.s.Alert
	m.tallyRings()
	// Nobody has said that they take care, so it is said in the name of the one who does. While a
	// command of ours is on its way, another would acknowledge twice.
	if len(a.Acks) == 0 && a.Status != integration.AlertAcknowledged && a.Status != integration.AlertResolved && a.Status != integration.AlertDeleted &&
		m.f.Instance.Capabilities.AcknowledgeAs && !a.AckPending {
		a.AckPending, a.AckUser = true, leg.User
		m.decide(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: leg.User})
		a.AckCommand = a.Decisive
	}
	m.release(leg.ID, ReasonTaken)
}

// legElsewhere handles a late answer or key press: it changes no state but the leg's CallSid, where
// that is not known yet; the reply explains why.
func (m *machine) legElsewhere() {
	if leg := m.s.leg(m.e.Leg); leg != nil {
		m.adopt(leg)
		if m.early(leg) {
			leg.DueAt = m.now.Add(takeLimit) // it has not been tried yet
		}
	}
}

// early reports whether a responder has taken the call before the caller was in the queue: one who
// may hear a long welcome first. There is nobody to be connected with yet. Should no request of the
// queue come for long, it is tried all the same.
func (m *machine) early(leg *Leg) bool {
	return leg.State == LegTaking && m.s.Hold.QueueSid == "" && !m.s.Hold.PleaseWait && m.now.Sub(leg.AskedAt) < earlyLimit
}

// legDocument answers a request of a responder's leg by the state of leg and call. Requests that
// come late or twice get the document of now: it never asks again what was answered.
func (m *machine) legDocument() Reply {
	leg := m.s.leg(m.e.Leg)
	if leg == nil {
		return HangupReply{Say: []Prompt{{Key: PromptGoodbye}}}
	}
	// A second call under this leg's id; it is hung up on.
	if m.e.CallSid != "" && leg.CallSid != m.e.CallSid {
		return HangupReply{Say: []Prompt{{Key: PromptNotConnected}}}
	}
	if leg.Message {
		return m.messageDocument(leg)
	}
	switch leg.State {
	case LegAsked:
		team := ""
		if m.s.Team != nil {
			team = m.s.Team.Name
		}
		return AskReply{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Say: []Prompt{
			{Key: PromptAsk, Team: team, Number: m.s.Caller.aloud(), Called: m.s.Caller.Called}, {Key: PromptAskKeys},
		}}
	case LegTaking:
		if !m.s.GoneAt.IsZero() {
			return HangupReply{Say: []Prompt{{Key: PromptCallerLeft, Number: m.s.Caller.aloud()}}}
		}
		if m.early(leg) {
			r := StayReply{Leg: leg.ID, Step: leg.Step}
			if m.e.Kind == EventLegKey {
				r.Say = []Prompt{{Key: PromptConnecting}}
			}
			return r
		}
		// Twilio's minimum of the time-out. The caller is in the queue already, so that is ample.
		return DialQueueReply{Leg: leg.ID, Step: leg.Step, Timeout: 5 * time.Second, Say: []Prompt{{Key: PromptConnecting}}}
	case LegDeclined:
		return HangupReply{Say: []Prompt{{Key: PromptPassed}}}
	case LegTalking, LegEnded:
		return HangupReply{}
	case LegPlanned, LegRinging, LegHearing, LegUnreached:
	}
	if leg.Reason == ReasonNoKey {
		return HangupReply{Say: []Prompt{{Key: PromptNoKey}}}
	}
	return m.legFarewell()
}

// legFarewell tells a responder, by the state of the call, why there is nothing to take.
func (m *machine) legFarewell() Reply {
	number := m.s.Caller.aloud()
	switch m.phase() {
	case PhaseLeavingMessage, PhaseAwaitingRecording:
		return HangupReply{Say: []Prompt{{Key: PromptCallerMessage, Number: number}}}
	case PhaseDelivering, PhaseEnded:
		switch m.s.End {
		case EndMessageLeft:
			return HangupReply{Say: []Prompt{{Key: PromptCallerMessage, Number: number}}}
		case EndConnected:
			if leg := m.s.leg(m.e.Leg); leg != nil && leg.State == LegEnded {
				return HangupReply{}
			}
			return HangupReply{Say: []Prompt{{Key: PromptTaken}}}
		case EndNoMessage, EndToldGoodbye, EndHungUp, EndRejected:
			return HangupReply{Say: []Prompt{{Key: PromptCallerLeft, Number: number}}}
		}
	case PhaseConnecting, PhaseTalking:
		if leg := m.s.leg(m.e.Leg); leg != nil && (leg.State == LegEnded || leg.State == LegTalking) {
			return HangupReply{}
		}
		return HangupReply{Say: []Prompt{{Key: PromptTaken}}}
	case PhaseArrived, PhaseChoosing, PhaseHolding:
	}
	return HangupReply{Say: []Prompt{{Key: PromptNotConnected}}}
}

// announcement is what the caller hears just before being connected. It is asked for while the
// responder's leg already waits (Twilio docs: voice/twiml/queue, url).
func (m *machine) announcement() Reply {
	return AnnounceReply{Say: []Prompt{{Key: PromptBeforeConnect}}}
}

// announce: Twilio is about to bridge the caller and the leg that dialed the queue.
func (m *machine) announce() {
	leg := m.s.legIn(LegTaking)
	if sid := m.e.DequeuedBy; sid != "" && (leg == nil || leg.CallSid != "" && leg.CallSid != sid) {
		leg = nil
		for i := range m.s.Legs {
			// One that was given up as not connected, and is connected after all.
			if l := &m.s.Legs[i]; l.CallSid == sid && l.State == LegUnreached && l.Reason == ReasonLost {
				leg = l
			}
		}
	}
	if leg != nil {
		m.talk(leg)
	}
}
