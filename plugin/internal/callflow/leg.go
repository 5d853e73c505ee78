package callflow

import (
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// Times that a responder is asked to press a key: a phone may be at the ear when the first
	// question is read.
	questions  = 3
	keyTimeout = 8 * time.Second  // silence after a question until it counts as unanswered
	askLimit   = 90 * time.Second // for all questions together
	// How long the result of asking Twilio to dial is waited for, before the leg is looked up.
	dialPatience = 60 * time.Second
	// A dial task that has not started by then is given up, so that it ends before dialPatience
	// does.
	dialWindow = 45 * time.Second
	dialRetry  = 10 * time.Second // pause after Twilio could not be asked
	// Twilio rings about five seconds longer than it was asked to (Twilio docs: voice/twiml/dial,
	// timeout), and its final status takes a moment to arrive.
	ringExtra = 15 * time.Second
	// Stands for ringExtra where no callback said when the ringing began: it began after the call
	// was made.
	ringUnheard = 30 * time.Second
	// A busy line so soon after its owner acknowledged is the line that acknowledged: it is dialed
	// once more.
	busyWindow = 30 * time.Second
	busyRetry  = 10 * time.Second // pause before that
	// How often it is looked whether somebody's other call is over.
	occupiedLook = 15 * time.Second
	takeLimit    = 30 * time.Second // from the accept to the announcement; then the leg is looked up
	lookEvery    = 15 * time.Second // between two looks for the same leg
	maxLooks     = 4                // without a verdict; then the way that connects a caller is taken
)

// leg finds the leg that an event is about, or nil.
func (m *machine) leg(id string) *Leg {
	for i := range m.s.Legs {
		if m.s.Legs[i].ID == id {
			return &m.s.Legs[i]
		}
	}
	return nil
}

// legIn finds the leg in a state that one leg at most can have.
func (m *machine) legIn(state LegState) *Leg {
	for i := range m.s.Legs {
		if m.s.Legs[i].State == state {
			return &m.s.Legs[i]
		}
	}
	return nil
}

// live counts the legs that may still take the call.
func (m *machine) live() int {
	n := 0
	for i := range m.s.Legs {
		if m.s.Legs[i].live() {
			n++
		}
	}
	return n
}

func (l *Leg) live() bool {
	switch l.State {
	case LegPlanned, LegRinging, LegAsked, LegTaking, LegTalking:
		return true
	case LegDeclined, LegUnreached, LegEnded:
		return false
	}
	return false
}

func (l *Leg) person() string {
	name := l.Name
	if name == "" {
		name = l.User
	}
	if l.Phone == "" {
		return name
	}
	return name + " (" + l.Phone + ")"
}

// ring plans a leg to a person's first phone. It reports false where nobody can be rung.
func (m *machine) ring(u integration.User, cause Leg, pause time.Duration) bool {
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.User == u.ID && l.live() {
			return true
		}
	}
	cause.User, cause.Name = u.ID, u.Name
	if len(u.Phones) == 0 {
		m.log(cause.person()+" has no phone on file.", u.ID)
		return false
	}
	cause.Phone, cause.More = u.Phones[0], rest(u.Phones)
	cause.Occupied = u.OccupiedBy != ""
	m.plan(cause, m.now.Add(pause))
	return true
}

// rest is a copy of all phones but the first; nil where there are none, as it comes back from JSON.
func rest(phones []string) []string { return append([]string(nil), phones[1:]...) }

// plan stores a leg and has it dialed at a time. The leg is stored before Twilio is asked.
func (m *machine) plan(leg Leg, at time.Time) {
	m.s.LegCount++
	leg.ID = strconv.Itoa(m.s.LegCount)
	leg.State, leg.PlannedAt = LegPlanned, m.now
	if leg.Occupied {
		leg.DialAt = m.now.Add(occupiedLook)
		leg.DueAt = leg.DialAt
		m.log(leg.person()+" is on another call of this hotline and is rung when it ends.", leg.User)
		m.s.Legs = append(m.s.Legs, leg)
		return
	}
	m.dial(&leg, at)
	m.s.Legs = append(m.s.Legs, leg)
}

// dial asks Twilio to ring the leg's phone.
func (m *machine) dial(leg *Leg, at time.Time) {
	leg.Occupied, leg.Requested, leg.Looks = false, true, 0
	leg.Dials++
	leg.DialAt, leg.DueAt = at, at.Add(dialPatience)
	t := m.task("dial-" + leg.ID)
	leg.Serial = t.Generation
	m.emit(DialLeg{Task: t, Leg: leg.ID, Phone: leg.Phone, Ring: m.c.RingTimeout, Step: leg.Step, At: at, NotAfter: at.Add(dialWindow)})
}

// close ends a leg in our books.
func (m *machine) closeLeg(leg *Leg, reason LegReason) {
	if leg.State == LegPlanned && leg.Requested {
		m.effects = slices.DeleteFunc(m.effects, func(e Effect) bool { // asked for in this very step
			d, ok := e.(DialLeg)
			return ok && d.Leg == leg.ID
		})
		m.emit(CancelTask{Task: Task{Name: "dial-" + leg.ID, Generation: leg.Serial}})
	}
	switch reason {
	case ReasonPassed:
		leg.State = LegDeclined
	case ReasonTalked:
		leg.State = LegEnded
	case ReasonNoAnswer, ReasonBusy, ReasonFailed, ReasonBadNumber, ReasonNoKey, ReasonHungUp, ReasonTaken, ReasonCaller,
		ReasonLost, ReasonOccupied:
		leg.State = LegUnreached
	}
	leg.Reason, leg.EndedAt, leg.DueAt, leg.Occupied = reason, m.now, time.Time{}, false
}

// hangUp ends a leg's call at Twilio; with tell its person hears why.
func (m *machine) hangUp(leg *Leg, tell bool) {
	if leg.CallSid != "" {
		m.emit(EndLeg{Task: m.task("end-" + leg.ID), Leg: leg.ID, CallSid: leg.CallSid, Tell: tell, Step: leg.Step})
	}
}

// release ends all legs but one. Those who have answered hear why.
func (m *machine) release(but string, reason LegReason) {
	for i := range m.s.Legs {
		leg := &m.s.Legs[i]
		if leg.ID == but || !leg.live() {
			continue
		}
		m.hangUp(leg, leg.State == LegAsked || leg.State == LegTaking)
		m.closeLeg(leg, reason)
	}
}

// adopt takes the CallSid of a callback for the leg's. A second call under one leg id (Twilio was
// asked twice after a crash) is not the leg's: it is hung up on.
func (m *machine) adopt(leg *Leg) bool {
	if m.e.CallSid == "" || leg.CallSid == m.e.CallSid {
		return true
	}
	if leg.CallSid == "" {
		leg.CallSid = m.e.CallSid
		if !leg.live() && !m.e.CallStatus.Over() && m.e.Kind != EventLegAnswer && m.e.Kind != EventLegKey {
			m.hangUp(leg, false) // given up in the meantime
		}
		return true
	}
	return false
}

// endStranger hangs up on a second call under one leg id.
func (m *machine) endStranger(leg *Leg) {
	if !m.e.CallStatus.Over() {
		m.emit(EndLeg{Task: m.task("end-" + leg.ID + "-" + m.e.CallSid), Leg: leg.ID, CallSid: m.e.CallSid})
	}
}

// dialed is the result of asking Twilio to dial.
func (m *machine) dialed() {
	leg := m.leg(m.e.Leg)
	if leg == nil {
		return
	}
	if m.e.Result == Done {
		if !m.adopt(leg) {
			m.endStranger(leg)
			return
		}
		if leg.State == LegPlanned {
			leg.State, leg.Requested = LegRinging, false
			leg.DueAt = m.now.Add(m.c.RingTimeout + ringUnheard)
		}
		return
	}
	if leg.State != LegPlanned {
		return
	}
	switch m.e.Result {
	case Refused:
		m.legOver(*leg, ReasonBadNumber)
	case Unknown:
		m.lookLeg(leg)
	case Failed, NotFound, Done:
		m.emit(integration.Finding{Code: FindingDialing, Severity: integration.FindingError, At: m.now,
			Message: "Twilio could not be asked to call a responder; it is tried again. Check API key, region and the number shown to responders. " + m.e.Detail})
		m.dial(leg, m.now.Add(dialRetry))
	}
}

// lookLeg asks Twilio what became of a leg.
func (m *machine) lookLeg(leg *Leg) {
	leg.Looks++
	leg.Requested = false
	leg.DueAt = m.now.Add(lookEvery)
	look := LookLeg{Task: m.task("look-" + leg.ID), Leg: leg.ID, CallSid: leg.CallSid, Phone: leg.Phone, Since: leg.PlannedAt, At: m.now}
	for i := range m.s.Legs {
		if sid := m.s.Legs[i].CallSid; sid != "" && m.s.Legs[i].ID != leg.ID {
			look.Not = append(look.Not, sid)
		}
	}
	m.emit(look)
}

// lookedAtLeg takes Twilio's word on a leg.
func (m *machine) lookedAtLeg() {
	leg := m.leg(m.e.Leg)
	if leg == nil || !leg.live() {
		return
	}
	switch {
	case m.e.Result == Done && !m.adopt(leg):
	case m.e.Result == Done && m.e.CallStatus.Over():
		m.legOver(*leg, reasonOf(m.e.CallStatus, leg.State))
	case m.e.Result == Done && leg.State == LegPlanned:
		leg.State, leg.Looks = LegRinging, 0
		leg.DueAt = m.now.Add(m.c.RingTimeout + ringExtra)
	case m.e.Result == Done && leg.State == LegTaking && m.now.Sub(leg.TakingAt) >= takeLimit:
		m.talk(leg) // had the queue been empty, the leg would be over by now: they talk, and the announcement's request was lost
	case m.e.Result == NotFound && leg.State == LegPlanned && !leg.Requested:
		m.dial(leg, m.now)
	}
}

// legDue acts where something should have happened by now.
func (m *machine) legDue(leg *Leg) {
	switch leg.State {
	case LegPlanned:
		switch {
		case leg.Occupied:
			m.lookOccupied(leg)
		case leg.Looks < maxLooks:
			m.lookLeg(leg)
		default:
			m.dial(leg, m.now) // it may ring twice; it cannot connect twice
		}
	case LegRinging:
		m.hangUp(leg, false)
		m.legOver(*leg, ReasonNoAnswer)
	case LegAsked:
		m.hangUp(leg, false)
		m.legOver(*leg, ReasonNoKey)
	case LegTaking:
		if leg.Looks < maxLooks {
			m.lookLeg(leg)
			return
		}
		m.talk(leg) // nothing says otherwise; a tick will, if the caller still waits
	case LegTalking, LegDeclined, LegUnreached, LegEnded:
		leg.DueAt = time.Time{}
	}
}

// lookOccupied rings somebody whose other call may be over.
func (m *machine) lookOccupied(leg *Leg) {
	answer, ok := m.ask(AskUser(leg.User))
	if !ok {
		return
	}
	if answer.User != nil && answer.User.OccupiedBy != "" {
		leg.DialAt = m.now.Add(occupiedLook)
		leg.DueAt = leg.DialAt
		return
	}
	m.dial(leg, m.now)
}

// legStatus is a status callback of a leg.
func (m *machine) legStatus() {
	leg := m.leg(m.e.Leg)
	if leg == nil {
		return
	}
	if !m.adopt(leg) {
		m.endStranger(leg)
		return
	}
	if !leg.live() {
		return
	}
	if m.e.CallStatus.Over() {
		m.legOver(*leg, reasonOf(m.e.CallStatus, leg.State))
		return
	}
	if leg.State == LegPlanned {
		leg.State, leg.Requested = LegRinging, false
	}
	if leg.State == LegRinging && leg.RingingAt.IsZero() {
		leg.RingingAt = m.now
		leg.DueAt = m.now.Add(m.c.RingTimeout + ringExtra)
	}
}

// reasonOf turns Twilio's final status into why nobody took the call.
func reasonOf(s CallStatus, state LegState) LegReason {
	switch s {
	case StatusBusy:
		return ReasonBusy
	case StatusNoAnswer:
		return ReasonNoAnswer
	case StatusFailed:
		return ReasonFailed
	case StatusCompleted:
		if state == LegTalking {
			return ReasonTalked
		}
		return ReasonHungUp
	case StatusCanceled:
		return ReasonNoAnswer
	case StatusQueued, StatusInitiated, StatusRinging, StatusInProgress, StatusAnswered:
	}
	return ReasonFailed
}

// legOver ends a live leg for a reason of its own, and turns to the person's next phone. It takes a
// copy, since planning another leg may move the list.
func (m *machine) legOver(was Leg, reason LegReason) {
	leg := m.leg(was.ID)
	switch leg.State {
	case LegPlanned, LegRinging, LegAsked:
		m.closeLeg(leg, reason)
		m.log(was.person()+" "+reasonSentence(reason)+".", was.User)
		m.nextPhone(*leg)
	case LegTaking:
		m.dropTaken(leg)
	case LegTalking:
		m.talkOver(leg, m.e.Seconds)
	case LegDeclined, LegUnreached, LegEnded:
	}
}

// nextPhone goes on with the same phone, once, where it was busy with acknowledging, else with the
// person's next one.
func (m *machine) nextPhone(leg Leg) {
	if m.phase() != PhaseHolding || m.s.Exit != "" || leg.Reason == ReasonPassed {
		return
	}
	next := Leg{User: leg.User, Name: leg.Name, Ack: leg.Ack, AckedAt: leg.AckedAt, Layer: leg.Layer, Redial: leg.Redial}
	switch {
	case leg.Reason == ReasonBusy && leg.Ack != "" && !leg.Redial && m.now.Sub(leg.AckedAt) <= busyWindow:
		next.Phone, next.More, next.Redial = leg.Phone, slices.Clone(leg.More), true
		m.plan(next, m.now.Add(busyRetry))
	case len(leg.More) > 0:
		next.Phone, next.More = leg.More[0], rest(leg.More)
		m.plan(next, m.now)
	}
}

func reasonSentence(r LegReason) string {
	switch r {
	case ReasonNoAnswer:
		return "did not answer"
	case ReasonBusy:
		return "was busy"
	case ReasonFailed:
		return "could not be reached"
	case ReasonBadNumber:
		return "could not be dialed: the number was refused"
	case ReasonNoKey:
		return "answered but pressed no key"
	case ReasonHungUp:
		return "hung up without taking the call"
	case ReasonPassed:
		return "passed"
	case ReasonLost:
		return "took the call but was not connected"
	case ReasonOccupied:
		return "was on another call of this hotline"
	case ReasonTaken, ReasonCaller, ReasonTalked:
	}
	return "is no longer needed"
}
