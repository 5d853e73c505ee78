package callflow

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

const (
	// shortBridge is how short a connection is no conversation: one side fell out of the line at
	// once.
	shortBridge = 5 * time.Second
	// announcementLimit is how much of the time since the announcement was requested it may have
	// taken itself: so much is no proof that the two talked.
	announcementLimit = 10 * time.Second
)

// Whether there was a conversation is said by the end of the responder's leg: were the two bridged,
// and for how long. It is never judged by the end of the caller's time in the queue, nor by when a
// request happened to be worked on: after an outage both may be late.

// at is when the present event happened: a request carries when it came, however late it is
// handled.
func (m *machine) at() time.Time {
	if t := m.e.ReceivedAt.UTC().Round(0); !m.e.ReceivedAt.IsZero() && t.Before(m.now) {
		return t
	}
	return m.now
}

// What the story says of a connection while it lasts. Twilio tells nothing of it until it ends, so
// that the two talk is said by nobody: the line that says how long they did is the next one.
const (
	// The announcement was asked for.
	beingJoined = " is being connected with the caller."
	// It was not, and the leg goes on.
	seemsJoined = " is connected with the caller, as far as is known."
)

// talk begins the conversation and tells of it, unless text is "". From here on the caller's leg
// makes no requests, so its presence is looked for seldom.
func (m *machine) talk(leg *call.Leg, text string) {
	leg.State, leg.Reason, leg.EndedAt, leg.DueAt, leg.Looks = call.LegTalking, "", time.Time{}, time.Time{}, 0
	m.enter(call.PhaseTalking)
	m.s.TalkingAt, m.s.SeenAt = m.at(), m.now
	if text != "" {
		m.log(leg.Label()+text, leg.User)
	}
	m.release(leg.ID, call.ReasonTaken)
}

// joined is the leg that is being connected or talks; nil if none.
func (m *machine) joined() *call.Leg {
	if leg := m.s.LegIn(call.LegTaking); leg != nil {
		return leg
	}
	return m.s.LegIn(call.LegTalking)
}

// awaitVerdict notes that the connection is over, while what it was is not known yet. The first
// sign counts; what comes later moves nothing.
func (m *machine) awaitVerdict() {
	if m.s.TalkOverAt.IsZero() {
		m.s.TalkOverAt, m.s.VerdictBy = m.at(), m.now.Add(call.VerdictLimit)
	}
}

// legEnded: the responder's attempt to be connected, or the conversation, is over (Twilio docs:
// voice/twiml/dial, action). While the leg is only asked, its end is a hang-up.
func (m *machine) legEnded() {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil || !m.adopt(leg) {
		return
	}
	switch leg.State {
	case call.LegTaking, call.LegTalking:
		if !m.announceAgain(leg) {
			m.judge(leg, m.e.Bridged, m.e.Seconds)
		}
	case call.LegAsked:
		m.legOver(*leg, call.ReasonHungUp)
	case call.LegPlanned, call.LegRinging, call.LegHearing, call.LegDeclined, call.LegUnreached, call.LegEnded:
	}
}

// judge decides whether a connection that is over was a conversation. bridged and seconds are
// Twilio's; seconds of 0 say nothing.
func (m *machine) judge(leg *call.Leg, bridged event.Bridge, seconds int) {
	talked := time.Duration(seconds)*time.Second >= shortBridge
	switch {
	// Twilio's word that they were not joined outweighs any duration.
	case bridged == event.BridgeNo:
		talked = false
	case seconds > 0:
	case leg.State == call.LegTalking: // how long is not said: from the announcement to the end
		talked = m.talkedSince(leg)
	default:
		talked = bridged == event.BridgeYes
	}
	if !talked && (bridged == event.BridgeNo || !m.dismissed()) {
		m.noConversation(leg, bridged != event.BridgeNo && (bridged == event.BridgeYes || leg.State == call.LegTalking))
		return
	}
	if leg.State == call.LegTaking { // the announcement's request was lost
		m.talk(leg, "")
		m.s.TalkingAt = leg.TakingAt
	}
	m.talked(leg, seconds)
	m.end(call.EndConnected, "the conversation is over")
}

// talkedSince reports whether the time from the announcement to the end makes a conversation. An
// end before its beginning says that the clock was set back meanwhile: a caller who is gone is
// believed to have talked, one who may still be there must not be told goodbye for it.
func (m *machine) talkedSince(leg *call.Leg) bool {
	over := m.s.TalkOverAt
	if over.IsZero() {
		over = m.at()
	}
	took := over.Sub(m.s.TalkingAt)
	return leg.State == call.LegTalking && (took >= shortBridge || took < 0 && !m.s.GoneAt.IsZero())
}

// surelyTalked reports whether there was a conversation, before the leg's end says so. A caller who
// is told goodbye cannot be put back on hold. Without a leg the state does not say whether they
// talked: the caller is believed.
func (m *machine) surelyTalked(leg *call.Leg) bool {
	return leg == nil || leg.State == call.LegTalking && m.s.TalkOverAt.Sub(m.s.TalkingAt) >= announcementLimit+shortBridge
}

// dismissed reports whether the caller was told goodbye as after a conversation. Such a caller is
// gone and cannot go on waiting, even if the leg's end then names a shorter time: the clock was set
// forward in between.
func (m *machine) dismissed() bool { return m.s.Farewell == reply.PromptGoodbye }

// verdictDue acts where the leg's end is overdue: Twilio is asked for the leg once, then the times
// decide.
func (m *machine) verdictDue() {
	leg := m.joined()
	switch {
	case leg == nil:
		m.end(call.EndConnected, "the conversation is over")
	case !m.s.TalkLooked && leg.CallSid != "":
		m.s.TalkLooked, m.s.VerdictBy = true, m.now.Add(call.VerdictLimit)
		m.lookLeg(leg)
	default:
		m.judgeByTime(leg)
	}
}

// judgeByTime decides without the leg's own end, which was lost: by the times here, and by how long
// the leg was up, where Twilio has said that.
func (m *machine) judgeByTime(leg *call.Leg) {
	talked, seconds := m.talkedSince(leg), 0
	if took, known := m.lasted(leg); known {
		seconds = int(took / time.Second)
		talked = took >= shortBridge
	}
	if talked || m.dismissed() {
		m.talked(leg, seconds)
		m.end(call.EndConnected, "the conversation is over")
		return
	}
	m.hangUp(leg, true)
	m.noConversation(leg, leg.State == call.LegTalking)
}

// lasted is how long the connection lasted at most: Twilio's time from the leg's answer to its end,
// less what had passed here until the announcement. No clock that was set meanwhile is in it, and
// no request that came late; but the leg may have stayed up alone, so a shorter time here counts.
// False: Twilio has not said (Twilio docs: voice/api/call-resource, duration).
func (m *machine) lasted(leg *call.Leg) (time.Duration, bool) {
	before := m.s.TalkingAt.Sub(leg.AskedAt)
	if m.e.Kind != event.LookedAtLeg || !m.e.CallStatus.Over() || m.e.Seconds <= 0 || leg.State != call.LegTalking || leg.AskedAt.IsZero() || before < 0 {
		return 0, false
	}
	took := time.Duration(m.e.Seconds)*time.Second - before
	if here := m.s.TalkOverAt.Sub(m.s.TalkingAt); !m.s.TalkOverAt.IsZero() && here >= 0 {
		took = min(took, here)
	}
	return took, true
}

// noConversation: the responder who took the call was not connected, or so shortly that it was no
// conversation (briefly). A caller who is still there goes on waiting. In a call that is about to
// exit, the exit is taken as soon as no other phone rings.
func (m *machine) noConversation(leg *call.Leg, briefly bool) {
	talking := leg.State == call.LegTalking // as the story has said
	m.closeLeg(leg, call.ReasonLost)
	if !m.s.GoneAt.IsZero() {
		text := "The caller hung up before " + leg.Label() + " was connected. "
		if briefly {
			text = "The caller hung up within " + wording.Lasting(shortBridge) + " of being connected with " + leg.Label() + ". "
		}
		m.log(text+m.s.Caller.CallBack(), leg.User)
		m.end(call.EndHungUp, "the caller hung up while being connected")
		return
	}
	if m.dismissed() {
		m.log(leg.Label()+" was not connected, and the caller was told goodbye. "+m.s.Caller.CallBack(), leg.User)
		m.end(call.EndToldGoodbye, "the caller was taken for one who had talked")
		return
	}
	text := leg.Label() + " " + wording.Reason(call.ReasonLost)
	switch {
	case briefly:
		text = leg.Label() + " took the call and was connected for less than " + wording.Lasting(shortBridge)
	case talking:
		text += " after all"
	}
	if m.s.Exit == "" {
		text += "; the caller goes on waiting"
	}
	m.log(text+".", leg.User)
	if p := m.phase(); p == call.PhaseConnecting || p == call.PhaseTalking {
		m.backToHold()
	}
}

// loseLeg puts the caller back on hold though the leg's call may still be up: the caller's own
// request proves that the two are not connected.
func (m *machine) loseLeg(leg *call.Leg) {
	m.hangUp(leg, true)
	m.noConversation(leg, false)
}

// backFromTalk forgets a conversation that was none. Verdicts of an attempt must not count for the
// next.
func (m *machine) backFromTalk() {
	m.s.TalkingAt, m.s.TalkOverAt, m.s.VerdictBy, m.s.TalkLooked = time.Time{}, time.Time{}, time.Time{}, false
}

// backToHold: what was to become a conversation did not.
func (m *machine) backToHold() {
	// A caller who asked for a document since was given the queue, which ends with that step's
	// request: it must not be taken for a late one.
	asked, step := !m.s.TalkOverAt.IsZero(), m.s.Step
	m.backFromTalk()
	m.s.SeenAt = m.now
	// Who acknowledged during what was to be a conversation is rung now.
	m.s.Alert.SeenAcks = slices.DeleteFunc(m.s.Alert.SeenAcks, func(id string) bool {
		return slices.ContainsFunc(m.s.Alert.Acks, func(k call.Ack) bool { return k.ID == id && !m.ownAck(k) }) &&
			!slices.ContainsFunc(m.s.People, func(p call.Person) bool { return slices.Contains(p.Acks, id) })
	})
	if len(m.s.Alert.SeenAcks) == 0 {
		m.s.Alert.SeenAcks = nil
	}
	m.enter(call.PhaseHolding)
	m.s.Hold.Step = m.s.Step
	if asked {
		m.s.Hold.Step = step
	}
}

// talked closes the leg of a conversation and writes down how long it took. seconds of 0 or less:
// Twilio has not said, so the times here count.
func (m *machine) talked(leg *call.Leg, seconds int) {
	if leg == nil || !leg.Live() {
		return
	}
	if seconds <= 0 {
		over := m.s.TalkOverAt
		if over.IsZero() {
			over = m.at()
		}
		seconds = int(over.Sub(m.s.TalkingAt) / time.Second)
	}
	leg.Seconds = max(0, seconds)
	m.closeLeg(leg, call.ReasonTalked)
	took := " is over." // how long it took is not known: the clock was set back meanwhile
	if seconds >= 0 {
		took = " took " + wording.Lasting(time.Duration(seconds)*time.Second) + "."
	}
	m.log("The conversation with "+leg.Label()+took, leg.User)
}

// leftConnected is the end of the caller's time in the queue while the caller is being connected or
// talks. The caller is alive and asks for a document. After what was surely a conversation that is
// goodbye; else the queue again, where music plays until the leg's end says what the connection
// was.
func (m *machine) leftConnected() {
	if m.leftQuietly() {
		return
	}
	leg := m.joined()
	if m.s.Phase == call.PhaseConnecting && m.holdSoundFailed() || m.announceSoundFailed(leg) {
		return // the caller enters the queue again, where the responder's leg waits for them
	}
	if m.e.QueueResult != "bridged" && m.e.Kind == event.Left {
		m.s.Hold.Errors++
		if leg != nil {
			m.loseLeg(leg)
		} else {
			m.backToHold()
		}
		if m.s.Hold.Errors > holdRetries && m.s.Phase == call.PhaseHolding {
			m.leave(call.ExitHoldFails)
		}
		return
	}
	m.awaitVerdict()
	if m.surelyTalked(leg) {
		m.s.Farewell = reply.PromptGoodbye
		m.reply = reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
	}
}

// arriveAgain: a call that talks comes in once more. At the fallback address that says as much as a
// request to resume; at the address of arrivals it is the first request, come late or twice.
func (m *machine) arriveAgain() {
	if m.e.Fallback {
		m.resumeConnected()
	}
}

// resumeConnected: Twilio turned to the fallback address in a conversation. The caller's leg asks
// for a document, so it is not connected any more; but a late or repeated request looks the same
// while the two talk. So only the document is decided: goodbye after a conversation, else the
// queue, whose ticks say that the caller is back. Nothing is concluded from a single request,
// because it may be a repetition.
func (m *machine) resumeConnected() {
	leg := m.joined()
	switch {
	case m.s.Phase != call.PhaseTalking || m.announceBroke():
	case leg == nil || m.talkedSince(leg):
		m.reply = reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}
	}
}
