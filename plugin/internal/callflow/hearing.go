package callflow

import (
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// A leg of a message asks its person whether they want to hear it, plays it, and asks what to do
// next. A recording counts as heard when it was played to its end, or when its listener
// acknowledged.

// messageAnswer: a phone that rings for a message was answered. A leg that hears one and asks for
// its first document again comes from the fallback address: what it was to play cannot be played.
func (m *machine) messageAnswer() {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil || !m.adopt(leg) {
		return
	}
	switch leg.State {
	case call.LegPlanned, call.LegRinging:
	case call.LegHearing:
		if len(leg.Went) > 0 {
			m.goOn(leg) // back from another call's message
			return
		}
		if m.e.ErrorURL != "" && m.e.FailedRequest == "" {
			m.cannotPlay(leg)
		}
		return
	case call.LegUnreached:
		if !leg.AskedAt.IsZero() || leg.Reason == call.ReasonNotNeeded || leg.Reason == call.ReasonYielded || leg.Reason == call.ReasonCaller || !leg.Message {
			return
		}
	case call.LegAsked, call.LegTaking, call.LegTalking, call.LegDeclined, call.LegEnded:
		return
	}
	leg.State, leg.Reason, leg.EndedAt, leg.Step, leg.Requested = call.LegAsked, "", time.Time{}, 1, false
	leg.AskedAt, leg.DueAt = m.now, m.now.Add(askLimit)
	m.s.Delivery.Judged = false
}

// messageKey: a key of somebody who is asked whether they want to hear a message, or who hears it.
// A key of an earlier document is not counted: Step tells them apart.
func (m *machine) messageKey() {
	leg := m.s.Leg(m.e.Leg)
	switch {
	case leg == nil || !m.adopt(leg):
	case leg.State == call.LegAsked:
		m.askedKey(leg, m.play)
	case leg.State == call.LegHearing && m.e.Step == leg.Step:
		m.hearingKey(leg)
	}
}

// hearingKey is a key, or none in time, while messages are played or afterwards. Whatever was
// played before the key counts by its length, see played.
func (m *machine) hearingKey(leg *call.Leg) {
	switch m.e.Digits {
	case "1":
		m.played(leg, m.at().Sub(leg.HearingAt))
		m.play(leg)
	case "2":
		// As much of it as they wanted to hear.
		m.playedAll(leg)
		m.acknowledgeFor(leg)
		m.goOn(leg)
	case "":
		m.playedAll(leg) // silence is reported after the end
		m.menuAgain(leg)
	default:
		m.played(leg, m.at().Sub(leg.HearingAt))
		m.menuAgain(leg)
	}
}

// joinLimit is how long somebody may listen to the messages of other calls on a leg of this one.
// The leg's end is told to this call all the while, so it only matters where that is lost.
const joinLimit = 10 * time.Minute

// goOn sends somebody who has heard this call's messages to those of other calls that wait for
// them, one after the other, so that their phone need not ring again. The leg stays this call's
// until it is over. Where the person is wanted by a caller, or nothing else waits, the leg ends.
func (m *machine) goOn(leg *call.Leg) {
	if leg.Guest {
		m.legOver(*leg, call.ReasonHeard) // back to the call it came from
		return
	}
	answer, ok := m.ask(effect.AskUser(leg.User))
	if !ok {
		return
	}
	if u := answer.User; u != nil && !wantedByCaller(*u) {
		for _, call := range u.AwaitedBy {
			if !slices.Contains(leg.Went, call) {
				leg.Went, leg.DueAt = append(leg.Went, call), m.now.Add(joinLimit)
				leg.Step++
				return
			}
		}
	}
	m.legOver(*leg, call.ReasonHeard)
}

// legJoins: somebody whose phone rang for another call's message, and who is waited for here, comes
// to hear this one's. Their leg is that call's; what becomes of it is looked up when that lets them
// go. Without somebody who waits for this message with that phone, the leg hears what legDocument
// says to a stranger: goodbye.
func (m *machine) legJoins() {
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.Guest && l.CallSid == m.e.CallSid {
			m.e.Leg = l.ID // the request came twice
			return
		}
	}
	i := slices.IndexFunc(m.s.People, func(p call.Person) bool {
		return p.OnCall && !p.Passed && p.OccupiedBy != "" && slices.Contains(p.Phones, m.e.Phone)
	})
	if i < 0 || m.e.CallSid == "" || m.e.CallStatus.Over() || m.deliveryDone() != "" {
		return
	}
	p := &m.s.People[i]
	p.NoteDial(m.e.Phone, m.now)
	m.s.LegCount++
	leg := call.Leg{
		ID: strconv.Itoa(m.s.LegCount), User: p.User, Name: p.Name, Phone: m.e.Phone, Layer: p.Layer, Message: true, Guest: true,
		Home: p.OccupiedBy, HomeLeg: m.e.Step, State: call.LegAsked, CallSid: m.e.CallSid, Step: 1, PlannedAt: m.now, AskedAt: m.now, DueAt: m.now.Add(askLimit),
	}
	p.OccupiedBy, p.LookAt = "", time.Time{}
	m.s.Legs = append(m.s.Legs, leg)
	m.e.Leg = leg.ID
}

// lookForGuests asks Twilio for the legs of other calls on which people hear this call's messages.
func (m *machine) lookForGuests() {
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.Guest && l.Live() {
			m.lookLeg(l)
		}
	}
}

// menuAgain asks once more what to do next, a few times. A mailbox, or a phone that was put aside,
// ends so by itself.
func (m *machine) menuAgain(leg *call.Leg) {
	if leg.Menus++; leg.Menus >= questions {
		m.legOver(*leg, call.ReasonHeard)
		return
	}
	leg.Step++
}

// play gives a leg the messages that nobody has heard; one that has heard them gets the same again.
func (m *machine) play(leg *call.Leg) {
	var sids []string
	var length time.Duration
	v := &m.s.Voicemail
	for i := range v.Recordings {
		r := &v.Recordings[i]
		again := slices.Contains(leg.Playing, r.Sid)
		if r.Media == nil || !r.Told || r.Gone || r.Heard && !again {
			continue
		}
		// The host has no address for it: it deleted the audio, by retention or by somebody's
		// order.
		if m.f.MediaURLs[r.Media.Ref] == "" {
			m.gone(r, "its audio was deleted")
			continue
		}
		sids = append(sids, r.Sid)
		length += r.Length()
	}
	leg.Step++
	leg.State, leg.HearingAt, leg.Playing, leg.Menus = call.LegHearing, m.now, sids, 0
	leg.DueAt = m.now.Add(length + askLimit)
	if p := m.s.Person(leg.User); p != nil {
		p.Rung = v.Attached() // those that came while the phone rang are read as well
	}
	if len(sids) == 0 {
		m.closeLeg(leg, call.ReasonNotNeeded)
	}
}

// gone notes that a recording cannot be played any more. It is told once.
func (m *machine) gone(r *call.Recording, why string) {
	if !r.Gone {
		r.Gone = true
		m.log("The message of "+wording.Lasting(r.Length())+" cannot be played: "+why+". "+m.s.Caller.CallBack(), "")
	}
}

// cannotPlay: Twilio could not fetch or play the audio that it was given. The person hears so, and
// nobody else is rung for it.
func (m *machine) cannotPlay(leg *call.Leg) {
	for _, sid := range leg.Playing {
		if r := m.s.Voicemail.Recording(sid); r != nil && !r.Heard {
			m.gone(r, "Twilio could not fetch its audio"+m.errorCode())
		}
	}
	m.closeLeg(leg, call.ReasonNotNeeded)
}

// played marks the recordings that a leg has heard to their end within a time; playedAll those that
// it was given. They are played one after the other; the words between them are not counted, so one
// may count a second or two before its end.
func (m *machine) played(leg *call.Leg, took time.Duration) {
	if leg.Menus > 0 {
		return // marked already
	}
	end := time.Duration(0)
	for _, sid := range leg.Playing {
		if r := m.s.Voicemail.Recording(sid); r != nil {
			if end += r.Length(); took < end {
				return
			}
			m.heard(r, leg)
		}
	}
}

func (m *machine) playedAll(leg *call.Leg) {
	for _, sid := range leg.Playing {
		if r := m.s.Voicemail.Recording(sid); r != nil {
			m.heard(r, leg)
		}
	}
}

// heard notes that a person has heard a recording. Only the first listener counts: a message is
// heard once.
func (m *machine) heard(r *call.Recording, leg *call.Leg) {
	if r.Heard || r.Media == nil {
		return
	}
	r.Heard = true
	m.emit(integration.Heard{Ref: r.Media.Ref, User: leg.User, At: m.now})
	m.log(leg.Label()+" heard the message"+m.whichMessage(r)+".", leg.User)
	for _, f := range m.f.Findings {
		if f.Code == effect.FindingUnheard && f.Severity != integration.FindingClear {
			m.emit(integration.Finding{Code: effect.FindingUnheard, Severity: integration.FindingClear, At: m.now})
			break
		}
	}
}

// whichMessage tells several messages of a call apart by their length.
func (m *machine) whichMessage(r *call.Recording) string {
	if m.s.Voicemail.Attached() < 2 {
		return ""
	}
	return " of " + wording.Lasting(r.Length())
}

// acknowledgeFor acknowledges the alert in the name of somebody who has heard the message, unless
// somebody has done so. An acknowledgement of ours that is on its way counts as one.
func (m *machine) acknowledgeFor(leg *call.Leg) {
	a := &m.s.Alert
	if len(a.Acks) > 0 || a.Status == integration.AlertAcknowledged || a.AckPending || m.closed() {
		return
	}
	if !m.f.Instance.Capabilities.AcknowledgeAs {
		m.log(leg.Label()+" takes care of the message; the alert cannot be acknowledged in somebody's name on this platform.", leg.User)
		return
	}
	a.AckPending, a.AckUser = true, leg.User
	m.decide(integration.AlertCommand{Kind: integration.AlertAcknowledge, User: leg.User})
	a.AckCommand = a.Decisive
}

// closed reports whether the alert cannot be acknowledged any more.
func (m *machine) closed() bool {
	a := &m.s.Alert
	return a.Resolved || a.Status == integration.AlertResolved || a.Status == integration.AlertDeleted
}

// messageOver ends a leg of a message. Somebody who hung up in the middle has heard what was played
// until then. What the leg was is copied first, as closeLeg changes it.
func (m *machine) messageOver(leg *call.Leg, reason call.LegReason) {
	was := *leg
	if was.State == call.LegHearing && reason != call.ReasonHeard {
		m.played(leg, m.at().Sub(leg.HearingAt))
		if slices.ContainsFunc(leg.Playing, func(sid string) bool { r := m.s.Voicemail.Recording(sid); return r != nil && r.Heard }) {
			reason = call.ReasonHeard
		}
	}
	m.closeLeg(m.s.Leg(was.ID), reason)
	m.s.Delivery.Judged = false
	if reason == call.ReasonPassed {
		if p := m.s.Person(was.User); p != nil {
			p.Passed = true
		}
	}
	if reason != call.ReasonHeard {
		m.tellLeg(&was, reason)
	}
}

// messageDocument is what a leg hears that was rung for a message, by its state.
func (m *machine) messageDocument(leg *call.Leg) reply.Reply {
	number := m.s.Caller.Aloud()
	farewell := func(key reply.PromptKey) reply.Reply {
		return reply.Hangup{Say: []reply.Prompt{{Key: key, Number: number}}}
	}
	switch leg.State {
	case call.LegAsked:
		return reply.Ask{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Say: []reply.Prompt{m.messagePrompt(), {Key: reply.PromptMessageKeys}}}
	case call.LegHearing:
		if n := len(leg.Went); n > 0 {
			id, _ := strconv.Atoi(leg.ID)
			return reply.Join{Say: []reply.Prompt{{Key: reply.PromptMessageNext}}, Call: leg.Went[n-1], Leg: id}
		}
		after := []reply.Prompt{{Key: reply.PromptMessageAfter, Number: number}}
		if leg.Menus > 0 {
			return reply.Ask{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Say: after}
		}
		r := reply.Play{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Between: []reply.Prompt{{Key: reply.PromptMessageNext}}, Say: after}
		for _, sid := range leg.Playing {
			if rec := m.s.Voicemail.Recording(sid); rec != nil && rec.Media != nil {
				r.Media = append(r.Media, rec.Media.Ref)
			}
		}
		return r
	case call.LegDeclined:
		return farewell(reply.PromptPassed)
	case call.LegPlanned, call.LegRinging, call.LegTaking, call.LegTalking, call.LegUnreached, call.LegEnded:
	}
	switch leg.Reason {
	case call.ReasonHeard:
		switch {
		case leg.Guest:
			return reply.Join{Call: leg.Home, Leg: leg.HomeLeg, Back: true}
		case len(leg.Went) > 0:
			return farewell(reply.PromptGoodbye)
		}
		return farewell(reply.PromptMessageTaken)
	case call.ReasonNoKey:
		return farewell(reply.PromptNoKey)
	case call.ReasonYielded:
		return farewell(reply.PromptMessageLater)
	default:
	}
	if slices.ContainsFunc(m.s.Voicemail.Recordings, func(r call.Recording) bool { return r.Gone && !r.Heard }) {
		return farewell(reply.PromptMessageGone)
	}
	return farewell(reply.PromptMessageDone)
}

// messagePrompt says what is waiting to be heard. It names the team, the length of all messages
// together, and the number to call back.
func (m *machine) messagePrompt() reply.Prompt {
	p := reply.Prompt{Key: reply.PromptMessage, Number: m.s.Caller.Aloud()}
	if m.s.Team != nil {
		p.Team = m.s.Team.Name
	}
	var length time.Duration
	unheard := m.s.Voicemail.Unheard()
	for _, r := range unheard {
		length += r.Length()
	}
	p.Seconds, p.Count = int(length.Round(time.Second)/time.Second), len(unheard)
	switch {
	case p.Count > 1:
		p.Key = reply.PromptMessages
	case p.Seconds < 2:
		p.Key = reply.PromptMessageShort
	}
	return p
}
