package callflow

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

// Times of a responder's leg. Each state has a deadline, so a leg whose callbacks are lost is
// looked up or given up, and never holds the caller up.
const (
	questions    = 3                // times that a responder is asked
	keyTimeout   = 8 * time.Second  // after the question
	askLimit     = 90 * time.Second // for all questions together
	dialPatience = 60 * time.Second // for the result of asking Twilio to dial
	// A dial task not started by then is given up. One that a host which froze had claimed can
	// still be begun by another.
	dialWindow = integration.LongestTakeover + 5*time.Second
	dialRetry  = 10 * time.Second // after Twilio could not be asked
	// Until the callback that says that a phone has rung out must have come.
	ringExtra   = effect.RingLonger + 10*time.Second
	ringUnheard = 30 * time.Second // the same where no callback told when ringing began
	takeLimit   = 30 * time.Second // from the accept to the announcement
	// For which a responder waits for a caller who is not in the queue yet.
	earlyLimit = 5 * time.Minute
	lookEvery  = 15 * time.Second
	maxLooks   = 4
)

// plan stores a leg and has it dialed at a time. The leg is stored before Twilio is asked. Of the
// legs to this phone that are over only the newest is kept, for what may still come of it. Were it
// not stored first, a crash after the request would leave a phone that rings for a leg that nobody
// knows.
func (m *machine) plan(leg call.Leg, at time.Time) {
	newest := -1
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.Phone == leg.Phone && !l.Live() {
			newest = i
		}
	}
	// A new list: pointers into the old one may still be in use.
	kept := m.s.Legs[:0:0]
	for i, l := range m.s.Legs {
		if l.Phone != leg.Phone || l.Live() || i == newest {
			kept = append(kept, l)
		}
	}
	m.s.LegCount++
	leg.ID = strconv.Itoa(m.s.LegCount)
	leg.State, leg.PlannedAt = call.LegPlanned, m.now
	m.dial(&leg, at)
	m.s.Legs = append(kept, leg)
}

// dial asks Twilio to ring the leg's phone. The task of an earlier attempt, if it has not started,
// is replaced, as both have the leg's name. A task that is not started in time is given up rather
// than done late, as the caller may be gone. It may be called again for the same leg, which keeps
// its id, so whatever the first request rang is still the leg's.
func (m *machine) dial(leg *call.Leg, at time.Time) {
	leg.Requested, leg.Looks = true, 0
	leg.Dials++
	leg.DialAt, leg.DueAt = at, at.Add(dialPatience)
	t := m.task("dial-" + leg.ID)
	leg.Serial = t.Generation
	m.emit(effect.DialLeg{Task: t, Leg: leg.ID, Phone: leg.Phone, Ring: m.c.RingTimeout, Step: leg.Step, At: at, NotAfter: at.Add(dialWindow)})
}

// closeLeg ends a leg in our books, and notes at its number how the attempt ended. What is to be
// done at Twilio is hangUp's.
func (m *machine) closeLeg(leg *call.Leg, reason call.LegReason) {
	// Nothing that the phone did.
	ours := reason == call.ReasonCaller || reason == call.ReasonTaken || reason == call.ReasonNotNeeded || reason == call.ReasonYielded
	// It was never asked for, as its time had not come, or Twilio has just refused.
	early := ours && leg.State == call.LegPlanned && leg.CallSid == "" && leg.Dials == 1 && (leg.DialAt.After(m.now) || m.e.Kind == event.Dialed && m.e.Leg == leg.ID)
	if leg.State == call.LegPlanned && leg.Requested {
		// Asked for in this very step.
		m.effects = slices.DeleteFunc(m.effects, func(e effect.Effect) bool {
			d, ok := e.(effect.DialLeg)
			return ok && d.Leg == leg.ID
		})
		m.emit(effect.CancelTask{Task: effect.Task{Name: "dial-" + leg.ID, Generation: leg.Serial}})
	}
	switch reason {
	case call.ReasonPassed:
		leg.State = call.LegDeclined
	case call.ReasonTalked, call.ReasonHeard:
		leg.State = call.LegEnded
	case call.ReasonNoAnswer, call.ReasonBusy, call.ReasonFailed, call.ReasonBadNumber, call.ReasonNoKey, call.ReasonHungUp, call.ReasonTaken, call.ReasonCaller,
		call.ReasonLost, call.ReasonAccount, call.ReasonNotNeeded, call.ReasonYielded:
		leg.State = call.LegUnreached
	}
	leg.Reason, leg.EndedAt, leg.DueAt = reason, m.now, time.Time{}
	m.s.Alert.Judged = false
	if early {
		m.forgetDial(leg)
		return
	}
	n := m.s.Number(leg.Phone)
	n.EndedAt, n.Reason = m.now, reason
}

// forgetDial undoes what was noted of a dial that Twilio was never asked for: it was no attempt,
// and if the caller goes on waiting no floor holds the phone back.
func (m *machine) forgetDial(leg *call.Leg) {
	n := m.s.Number(leg.Phone)
	n.Rings--
	n.DialedAt = time.Time{}
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.Phone == leg.Phone && l.ID != leg.ID {
			n.DialedAt = l.DialAt
		}
	}
	for i := range m.s.People {
		p := &m.s.People[i]
		if !n.DialedAt.IsZero() && !n.DialedAt.Before(p.TurnAt) {
			continue // an earlier attempt of the same turn
		}
		p.Dialed = slices.DeleteFunc(p.Dialed, func(phone string) bool { return phone == leg.Phone })
		if len(p.Dialed) == 0 {
			p.Dialed = nil
			if p.OccupiedBy == "" {
				p.TurnAt = time.Time{}
			}
		}
	}
}

// hangUp ends a leg's call at Twilio; with tell its person hears why. Without a CallSid Twilio has
// not been asked, or not answered: adopt hangs up later.
func (m *machine) hangUp(leg *call.Leg, tell bool) {
	if leg.CallSid != "" {
		m.emit(effect.EndLeg{Task: m.task("end-" + leg.ID), Leg: leg.ID, CallSid: leg.CallSid, Tell: tell, Step: leg.Step})
	}
}

// release ends all legs but one. Those who have answered hear why. but is the leg that took the
// call; "" for none.
func (m *machine) release(but string, reason call.LegReason) {
	for i := range m.s.Legs {
		leg := &m.s.Legs[i]
		if leg.ID == but || !leg.Live() {
			continue
		}
		m.hangUp(leg, leg.State == call.LegAsked || leg.State == call.LegTaking)
		m.tellReleased(leg, reason)
		m.closeLeg(leg, reason)
	}
}

// adopt takes the CallSid of a callback for the leg's. A second call under one leg id (Twilio was
// asked twice after a crash) is not the leg's: it is hung up on. False: the request is of a call
// that is not the leg's.
func (m *machine) adopt(leg *call.Leg) bool {
	if m.e.CallSid == "" || leg.CallSid == m.e.CallSid {
		return true
	}
	if leg.CallSid == "" {
		leg.CallSid = m.e.CallSid
		if !leg.Live() && !m.e.CallStatus.Over() && m.e.Kind != event.LegAnswer && m.e.Kind != event.LegKey {
			m.hangUp(leg, false) // given up in the meantime
		}
		return true
	}
	return false
}

// endStranger hangs up on a second call under one leg id. It is the price of dialing again when it
// was not known whether Twilio had: two phones may ring, but only the first can take the call.
func (m *machine) endStranger(leg *call.Leg) {
	if !m.e.CallStatus.Over() {
		m.emit(effect.EndLeg{Task: m.task("end-" + leg.ID + "-" + m.e.CallSid), Leg: leg.ID, CallSid: m.e.CallSid})
	}
}

// dialed is the result of asking Twilio to dial. Only Done means that a call exists. The callbacks
// of that call may have come before. Refused, AccountError and Failed say that none exists; Unknown
// that it may.
func (m *machine) dialed() {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil {
		return
	}
	if m.e.Result == event.Done {
		if !m.adopt(leg) {
			m.endStranger(leg)
			return
		}
		m.s.AccountErrorAt = time.Time{}
		m.dialsAgain()
		if leg.State == call.LegPlanned {
			leg.State, leg.Requested = call.LegRinging, false
			leg.DueAt = m.now.Add(m.c.RingTimeout + ringUnheard)
		}
		return
	}
	if leg.State != call.LegPlanned {
		return
	}
	switch m.e.Result {
	case event.Refused:
		m.numberRefused(leg)
	case event.AccountError:
		m.accountError(leg)
	case event.Unknown:
		if leg.Dials == 1 {
			m.log("Whether Twilio calls "+leg.Label()+" is not known; Twilio's list of calls is looked at. "+m.e.Detail, leg.User)
		}
		m.lookLeg(leg)
	case event.Failed, event.NotFound, event.Done:
		if m.s.Exit != "" && !leg.Message {
			m.closeLeg(leg, call.ReasonCaller) // nobody new is rung
			return
		}
		if p := m.s.Person(leg.User); leg.Dials > 1 && p != nil && len(m.s.Usable(p)) > 1 {
			// Twilio fails at this number, perhaps not at their other phones.
			m.legOver(*leg, call.ReasonFailed)
			return
		}
		m.emit(integration.Finding{Code: effect.FindingDialing, Severity: integration.FindingError, At: m.now,
			Message: "Twilio could not be asked to call a responder; it is tried again. " + m.e.Detail})
		if leg.Dials == 1 && m.s.Known(leg.Phone).Rings <= 1 {
			m.log("Twilio could not be asked to call "+leg.Label()+"; it is tried again. "+m.e.Detail, leg.User)
		}
		retry := dialRetry
		if leg.Message {
			retry = ringFloor
		}
		m.dial(leg, m.now.Add(retry)) // no phone has rung, so nobody has had their turn
	}
}

// dialsAgain takes back the warning that Twilio does not dial, once it does. A finding that is
// cleared already is not cleared again, or each dial would write one.
func (m *machine) dialsAgain() {
	for _, f := range m.f.Findings {
		if f.Code == effect.FindingDialing && f.Severity != integration.FindingClear {
			m.emit(integration.Finding{Code: effect.FindingDialing, Severity: integration.FindingClear, At: m.now})
			return
		}
	}
}

// numberRefused: Twilio will not dial this number. Its person's next phone has its turn. It is
// remembered at the number, as several people may share it.
func (m *machine) numberRefused(leg *call.Leg) {
	n := m.s.Number(leg.Phone)
	n.Refused, n.Code = true, m.e.Code
	m.legOver(*leg, call.ReasonBadNumber)
	if p := m.s.Person(leg.User); p != nil && len(m.s.Usable(p)) == 0 {
		p.Explained = true // by the line about this number
	}
	same := 0
	for _, other := range m.s.Numbers {
		if other.Refused && other.Code == m.e.Code {
			same++
		}
	}
	// One number that cannot be dialed is its owner's business. The same answer for several is the
	// account's.
	if m.e.Code != "" && same > 1 && same == len(m.s.Numbers) {
		m.emit(integration.Finding{Code: effect.FindingDialing, Severity: integration.FindingError, At: m.now,
			Message: "Twilio refused every number that a call tried. " + m.e.Detail})
	}
}

// accountError: Twilio refuses the request because of the account, or of the number shown to
// responders, whatever number is dialed. It is asked once more; then nobody can be rung, and the
// caller need not wait for it.
func (m *machine) accountError(leg *call.Leg) {
	m.emit(integration.Finding{Code: effect.FindingDialing, Severity: integration.FindingError, At: m.now,
		Message: "Twilio refuses to call anybody for this account. " + m.e.Detail})
	if m.s.AccountErrorAt.IsZero() {
		m.s.AccountErrorAt = m.now
	}
	// Several phones may be refused at the same moment: that is one refusal, and each is dialed
	// once more.
	if again := m.s.AccountErrorAt.Add(dialRetry); m.now.Before(again) {
		m.dial(leg, again)
		return
	}
	m.s.AccountRefused = true
	m.legOver(*leg, call.ReasonAccount)
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.State == call.LegPlanned {
			m.closeLeg(l, call.ReasonAccount)
		}
	}
}

// lookLeg asks Twilio what became of a leg: by its CallSid, or by its number since it was planned.
// Calls of other legs are named, so that they are not taken for this one. Requested is false from
// here on, so a result of the dial that comes now finds the look in its place.
func (m *machine) lookLeg(leg *call.Leg) {
	leg.Looks++
	leg.Requested = false
	leg.DueAt = m.now.Add(lookEvery)
	// Since narrows the list that Twilio is asked for: a busy hotline has many calls to one number
	// in a day.
	look := effect.LookLeg{Task: m.task("look-" + leg.ID), Leg: leg.ID, CallSid: leg.CallSid, Phone: leg.Phone, Since: leg.PlannedAt, At: m.now}
	for i := range m.s.Legs {
		if sid := m.s.Legs[i].CallSid; sid != "" && m.s.Legs[i].ID != leg.ID {
			look.Not = append(look.Not, sid)
		}
	}
	m.emit(look)
}

// lookedAtLeg takes Twilio's word on a leg. No word, or one of another call, changes nothing: the
// leg's deadline brings the next look. It is the answer to lookLeg, whichever deadline asked.
func (m *machine) lookedAtLeg() {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil || !leg.Live() {
		return
	}
	switch {
	case m.s.TalkLooked && leg == m.joined():
		m.judgeByTime(leg)
	case leg.CallSid == "":
		m.lookedForLost(leg)
	case m.e.Result != event.Done || m.e.CallSid != leg.CallSid:
	case m.e.CallStatus.Over():
		m.legOver(*leg, reasonOf(m.e.CallStatus, leg.State))
	case leg.State == call.LegTaking && m.now.Sub(leg.TakingAt) >= takeLimit:
		// Had the queue been empty, the leg would be over by now: they talk, and the announcement's
		// request was lost.
		m.talk(leg, seemsJoined)
	}
}

// lookedForLost takes Twilio's word on a leg whose call is not known: that some call to this number
// runs, or that none does. Another call to the number, of another caller's perhaps, looks the same:
// so the leg's own callback is waited for until the phone must have rung out, and none but that
// names the call.
func (m *machine) lookedForLost(leg *call.Leg) {
	if leg.State != call.LegPlanned || leg.Requested {
		return
	}
	switch m.e.Result {
	case event.NotFound:
		m.dial(leg, m.now)
	case event.Done:
		if due := leg.DialAt.Add(m.c.RingTimeout + ringUnheard); due.After(m.now) {
			leg.DueAt, leg.Looks = due, maxLooks
		} else {
			m.dial(leg, m.now)
		}
	case event.Unknown, event.Refused, event.AccountError, event.Failed:
	}
}

// legDue acts where something should have happened by now. Looks come first, as callbacks are lost
// more often than calls. Every case moves the deadline or ends the leg.
func (m *machine) legDue(leg *call.Leg) {
	switch leg.State {
	case call.LegPlanned:
		switch {
		case leg.Looks < maxLooks:
			m.lookLeg(leg)
		case leg.Message && leg.Dials > 1:
			m.legOver(*leg, call.ReasonFailed) // nobody waits on the line
		default:
			m.dial(leg, m.now) // it may ring twice; it cannot connect twice
		}
	case call.LegRinging:
		m.hangUp(leg, false)
		m.legOver(*leg, call.ReasonNoAnswer)
	case call.LegAsked:
		m.hangUp(leg, false)
		m.legOver(*leg, call.ReasonNoKey)
	case call.LegHearing:
		if len(leg.Went) > 0 {
			m.closeLeg(leg, call.ReasonHeard) // its own messages were heard before
			return
		}
		// What they heard of it is not known, so it counts as unheard.
		m.hangUp(leg, false)
		m.log("Whether "+leg.Label()+" heard the message to its end is not known.", leg.User)
		m.closeLeg(leg, call.ReasonNoKey)
	case call.LegTaking:
		if leg.Looks < maxLooks {
			m.lookLeg(leg)
			return
		}
		m.talk(leg, seemsJoined) // nothing says otherwise; a tick will, if the caller still waits
	case call.LegTalking, call.LegDeclined, call.LegUnreached, call.LegEnded:
		leg.DueAt = time.Time{}
	}
}

// legStatus is a status callback of a leg. Callbacks may overtake one another (Twilio docs:
// voice/api/call-resource, StatusCallback), so only a step forward counts. A final status always
// counts, from whatever state.
func (m *machine) legStatus() {
	leg := m.s.Leg(m.e.Leg)
	if leg == nil {
		return
	}
	if !m.adopt(leg) {
		m.endStranger(leg)
		return
	}
	if !leg.Live() {
		return
	}
	if m.e.CallStatus.Over() {
		m.legOver(*leg, reasonOf(m.e.CallStatus, leg.State))
		return
	}
	if leg.State == call.LegPlanned {
		leg.State, leg.Requested = call.LegRinging, false
	}
	if leg.State == call.LegRinging && leg.RingingAt.IsZero() {
		leg.RingingAt = m.now
		leg.DueAt = m.now.Add(m.c.RingTimeout + ringExtra)
	}
}

// reasonOf turns Twilio's final status into why nobody took the call. "completed" means that it was
// answered: what was missing is the key.
func reasonOf(s event.Status, state call.LegState) call.LegReason {
	switch s {
	case event.StatusBusy:
		return call.ReasonBusy
	case event.StatusNoAnswer:
		return call.ReasonNoAnswer
	case event.StatusFailed:
		return call.ReasonFailed
	case event.StatusCompleted:
		if state == call.LegTalking {
			return call.ReasonTalked
		}
		return call.ReasonHungUp
	case event.StatusCanceled:
		return call.ReasonNoAnswer
	case event.StatusQueued, event.StatusInitiated, event.StatusRinging, event.StatusInProgress, event.StatusAnswered:
	}
	return call.ReasonFailed
}

// legOver ends a live leg for a reason of its own. Whose phone is rung next is decided when the
// event has been worked on. It takes a copy, since the list of legs may move.
func (m *machine) legOver(was call.Leg, reason call.LegReason) {
	leg := m.s.Leg(was.ID)
	switch leg.State {
	case call.LegPlanned, call.LegRinging, call.LegAsked, call.LegHearing:
		if leg.Message {
			m.messageOver(leg, reason)
			return
		}
		m.closeLeg(leg, reason)
		m.tellLeg(&was, reason)
		if reason == call.ReasonPassed {
			m.passed(was.User)
		}
	case call.LegTaking, call.LegTalking:
		m.awaitVerdict() // the end of its attempt to be connected says what it was
	case call.LegDeclined, call.LegUnreached, call.LegEnded:
	}
}

// tellLeg writes what became of a leg into the story. A phone's first attempt is told in full;
// repetitions are counted and told when the hold ends. Otherwise an hour on hold would fill the
// alert with hundreds of lines.
func (m *machine) tellLeg(leg *call.Leg, reason call.LegReason) {
	if n := m.s.Known(leg.Phone); n.Rings > 1 && reason.Passing() || n.Rings > 1 && reason == call.ReasonNoAnswer {
		return
	}
	text := leg.Label() + " " + wording.Reason(reason)
	if leg.Message && reason == call.ReasonHungUp {
		text = leg.Label() + " hung up without hearing the message"
	}
	if rang := m.rangFor(leg); rang != "" && reason == call.ReasonNoAnswer {
		text += fmt.Sprintf(" (rang for %s)", rang)
	}
	text += "."
	// Twilio's own words are the only hint at what somebody must put right.
	if m.e.Detail != "" && (reason == call.ReasonBadNumber || reason == call.ReasonFailed || reason == call.ReasonAccount) {
		text += " " + m.e.Detail
	}
	m.log(text, leg.User)
}

// rangFor spells how long a phone has rung; "" where that is not known: it has not rung, or the
// clock was set back meanwhile.
func (m *machine) rangFor(leg *call.Leg) string {
	if leg.RingingAt.IsZero() || m.now.Before(leg.RingingAt) {
		return ""
	}
	return wording.Lasting(m.now.Sub(leg.RingingAt))
}

// tellReleased writes of a phone that rings while the caller leaves, or is taken by somebody else.
func (m *machine) tellReleased(leg *call.Leg, reason call.LegReason) {
	var text string
	switch {
	case m.s.Known(leg.Phone).Rings > 1:
		return // counted
	case leg.State == call.LegAsked:
		text = " was being asked"
	case leg.State == call.LegRinging && leg.RingingAt.IsZero():
		text = " was being called"
	case leg.State == call.LegRinging && m.rangFor(leg) == "":
		text = " was ringing"
	case leg.State == call.LegRinging:
		text = " had rung for " + m.rangFor(leg)
	default:
		return
	}
	if reason == call.ReasonTaken {
		text += " when the call was taken."
	} else {
		text += " when the caller left."
	}
	m.log(leg.Label()+text, leg.User)
}

// tallyRings tells at an end of the hold how often each phone was called in all that was called
// more than once. Counted is what was told last: a phone that was not called since is not told
// again.
func (m *machine) tallyRings() {
	for i := range m.s.Numbers {
		n := &m.s.Numbers[i]
		if n.Rings < 2 || n.Rings == n.Counted {
			continue
		}
		name := n.Phone
		for _, p := range m.s.People {
			if slices.Contains(p.Phones, n.Phone) {
				name = p.Label() + " (" + n.Phone + ")"
				break
			}
		}
		m.log(fmt.Sprintf("%s was called %d times in all.", name, n.Rings), "")
		n.Counted = n.Rings
	}
}

// passed: somebody pressed 2. The platform is told, unless the last layer has nobody else who can
// still be asked: there the word could make it drop the alert, also while people of earlier layers
// are awaited, and dropping is not ours to do.
func (m *machine) passed(user string) {
	p := m.s.Person(user)
	if p == nil {
		return
	}
	// An acknowledgement that the person made before is outweighed by the key.
	p.Passed, p.Promised, p.Undone, p.Acks = true, false, false, nil
	others := slices.ContainsFunc(m.s.People, func(o call.Person) bool {
		return o.User != user && o.OnCall && !o.Passed && o.Layer == m.s.Alert.Layer
	})
	// A host before minor 1 does not know the command.
	if m.s.Alert.LastLayer && !others || m.f.Instance.ProtocolMinor < 1 {
		return
	}
	m.command(integration.AlertCommand{Kind: integration.AlertDecline, User: user})
}
