package callflow

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
)

const (
	askAgain = 10 * time.Second // after the platform could not answer a question
	// escalateLimit is how long the platform may take to page the next layer when it is commanded
	// to. Then we ring that layer ourselves: a platform that is slow or down must not keep a caller
	// waiting.
	escalateLimit = 15 * time.Second
	// takeBackPause is the shortest time from taking an acknowledgement back to taking back the
	// next: an automation that acknowledges whatever is opened must not go round in circles with
	// us.
	takeBackPause = 10 * time.Second
)

// pursue keeps phones ringing while the caller holds. It brings in the people of the layers that
// were reached and those who acknowledged, rings whose turn it is, and widens the circle when
// everybody in it has been tried. With an exit pending nobody new is rung.
//
// The platform is asked who is on call only when something is to be decided: a quiet tick stays
// quiet. It may run several times for one event, with more answers each time, so it must decide the
// same as long as nothing new is known.
func (m *machine) pursue() {
	a := &m.s.Alert
	if !a.AskAgainAt.After(m.now) {
		a.AskAgainAt = time.Time{}
	}
	if !a.ReadAgainAt.After(m.now) {
		a.ReadAgainAt = time.Time{}
	}
	// First what no longer counts, then what is new.
	m.forgetAcks()
	m.noteDeclined()
	for _, k := range a.Acks {
		if !m.seen(k.ID) {
			m.pursueAck(k)
		}
	}
	if len(m.questions) > 0 {
		m.ask(effect.AskOnCall(m.s.TeamID(), 0)) // in the same round: it is asked next
		return
	}
	// Acknowledgements were read all the same, for the story.
	if m.s.Exit != "" || !a.Routed {
		m.s.RingAt = time.Time{}
		return
	}
	if m.s.AccountRefused && m.s.LiveLegs() == 0 {
		m.pend(call.ExitAccount)
		m.s.RingAt = time.Time{}
		return
	}
	m.reachLayers()
	// What is decided may bring on the next decision: an acknowledgement that cannot be taken back
	// opens the layers, whose people are then rung.
	for range 3 {
		if !m.somethingDue() {
			break
		}
		entries, ok := m.readPeople()
		if len(m.questions) > 0 {
			return
		}
		if !ok {
			break
		}
		m.ringWhoIsDue()
		if !m.takeBack(entries) {
			m.widen(entries)
		}
	}
	m.s.RingAt = m.nextDecision()
	switch {
	case m.s.RingAt.IsZero() && m.byLayer() && m.s.LiveLegs() == 0 && m.s.Exit == "":
		// Nobody can be rung: another shift may bring somebody who can.
		m.s.RingAt = m.now.Add(ringFloor)
	case !m.s.RingAt.IsZero() && !m.s.RingAt.After(m.now):
		m.s.RingAt = m.now.Add(askAgain) // something waits for the platform
	}
}

// forgetAcks forgets what was pursued for acknowledgements that were taken back. A person who
// acknowledged and took it back must not be rung for it.
func (m *machine) forgetAcks() {
	for i := range m.s.People {
		p := &m.s.People[i]
		p.Acks = slices.DeleteFunc(p.Acks, func(id string) bool {
			return !slices.ContainsFunc(m.s.Alert.Acks, func(k call.Ack) bool { return k.ID == id })
		})
		if len(p.Acks) == 0 {
			p.Acks = nil // as it comes back from JSON
		}
	}
	if len(m.s.Alert.Acks) == 0 {
		m.s.Alert.FailedAck = false
	}
}

// noteDeclined takes the platform's word that somebody declined and was not paged again since. An
// acknowledgement in force outweighs it.
func (m *machine) noteDeclined() {
	for i := range m.s.People {
		p := &m.s.People[i]
		if !slices.Contains(m.s.Alert.Declined, p.User) {
			p.Undone = false
			continue
		}
		if p.Passed || p.Undone || len(p.Acks) > 0 {
			continue
		}
		p.Passed, p.Promised = true, false
		m.log(p.Label()+" declined.", p.User)
		for k := range m.s.Legs {
			// A phone that rings for somebody else as well rings on.
			if l := &m.s.Legs[k]; l.User == p.User && (l.State == call.LegPlanned || l.State == call.LegRinging) && !m.shared(l) {
				m.hangUp(l, false)
				m.closeLeg(l, call.ReasonPassed)
			}
		}
	}
}

// shared reports whether a leg rings for somebody else as well who may still take the call. Hanging
// up on it would take the call from whoever shares the phone.
func (m *machine) shared(l *call.Leg) bool {
	return slices.ContainsFunc(m.s.People, func(p call.Person) bool {
		return p.User != l.User && slices.Contains(p.Phones, l.Phone) && m.mayRing(&p) && !p.Passed
	})
}

// pursueAck has whoever acknowledged rung. Where something must be asked first it changes nothing.
// Only at the end is the acknowledgement noted as seen, so one that waits for an answer comes here
// again.
func (m *machine) pursueAck(k call.Ack) {
	a := &m.s.Alert
	caps := m.f.Instance.Capabilities
	switch {
	case m.ownAck(k):
		// Ours, in the name of the one who took the call.
	case m.s.Exit != "":
		m.log("Acknowledged, but the caller is about to leave the hold: nobody is rung.", k.User)
	case k.User == "" && !caps.AcknowledgedByUser:
		// The platform does not say who: whoever is on call for the layer that was paged.
		people, ok := m.onCall(max(a.Layer, 1))
		if !ok {
			return
		}
		m.log("Acknowledged; whoever is on call is rung.", "")
		for _, u := range people {
			m.startTurn(m.bring(u, max(a.Layer, 1)), k)
		}
	case k.User == "":
		m.log("Acknowledged by an automation: there is no phone to ring.", "")
	case m.reach() == config.ReachRing:
		m.log("Acknowledged; by option, phones are rung by layer only.", k.User)
		if p := m.s.Person(k.User); p != nil && p.Passed {
			p.Passed, p.Undone = false, true
		}
	default:
		answer, ok := m.ask(effect.AskUser(k.User))
		if !ok {
			return
		}
		if effect.Unanswered(answer) {
			a.AskAgainAt = m.now.Add(askAgain)
			return
		}
		u := integration.User{ID: k.User}
		if answer.User != nil {
			u = *answer.User
			u.ID = k.User
		}
		m.startTurn(m.bring(u, 0), k)
	}
	m.see(k)
	a.Judged = false
}

// startTurn begins a person's turn anew for an acknowledgement: no floor holds it back. Undone says
// that they had passed and take it back by this: the platform may still list them as declined.
func (m *machine) startTurn(p *call.Person, k call.Ack) {
	p.Undone = p.Passed || slices.Contains(m.s.Alert.Declined, p.User)
	p.Acks, p.Passed = append(p.Acks, k.ID), false
	m.s.Alert.FailedAck = false
	if m.s.AtWork(p) {
		m.log("Acknowledged by somebody who is being rung already.", p.User)
		return
	}
	p.Dialed, p.TurnAt, p.StartAt = nil, time.Time{}, m.now.Add(m.c.DialPause)
	if p.OccupiedBy != "" {
		p.TurnAt, p.Promised = m.now, true
	}
}

// reach is how people are reached in this call. Where the platform pages nobody for the alert,
// nobody will acknowledge it, so that the caller would wait in vain: phones are rung whatever the
// option says.
func (m *machine) reach() config.Reach {
	reach := m.c.ReachOn(m.f.Instance.Capabilities)
	if reach == config.ReachAcknowledge && m.s.Alert.Unpaged != "" {
		return config.ReachBoth
	}
	return reach
}

// byLayer reports whether phones are rung without an acknowledgement. With the option acknowledge
// that begins only when an acknowledgement came to nothing on a platform that cannot take it back,
// or when the platform pages nobody.
func (m *machine) byLayer() bool {
	return m.reach() != config.ReachAcknowledge || m.s.Alert.FailedAck
}

// confirm reports whether who answers this phone must press a key. A phone that rings for nobody's
// acknowledgement always asks: a mailbox would win every time.
func (m *machine) confirm(leg *call.Leg) bool {
	return m.c.ConfirmAnswer || leg.Ack == "" || m.reach() != config.ReachAcknowledge
}

// canReopen reports whether an acknowledgement can be taken back. Stubborn: it refused to once, and
// is not asked again in this call.
func (m *machine) canReopen() bool { return m.f.Instance.Capabilities.Reopen && !m.s.Alert.Stubborn }

// claimed reports whether somebody who acknowledged still has their turn: then nobody new is rung.
// Ringing somebody else meanwhile would take the call from whoever said that it is theirs.
func (m *machine) claimed() bool {
	return !m.s.Alert.FailedAck && slices.ContainsFunc(m.s.People, func(p call.Person) bool { return len(p.Acks) > 0 && !m.done(&p) })
}

// reachLayers notes which layers the platform has reached. For one team layers are only ever added:
// an alert that goes back to its first layer brings nobody in anew. Numbers of layers are the
// platform's, so layer 2 may be reached without anybody in layer 1.
func (m *machine) reachLayers() {
	a := &m.s.Alert
	layer := a.Layer
	if layer == 0 && (!m.f.Instance.Capabilities.Escalate || a.FailedAck || a.Unpaged != "") {
		// A platform without layers to speak of, one that was acknowledged before it paged any, or
		// one that pages nobody.
		layer = 1
	}
	if !m.byLayer() {
		return
	}
	// A platform that cannot create the alert has no better status than queued.
	if a.Status != integration.AlertOpen && a.Status != integration.AlertAcknowledged && a.Unpaged == "" {
		if len(a.Reached) == 0 && !a.EscalateBy.IsZero() && !a.EscalateBy.After(m.now) {
			m.log("The platform has told nothing of the alert yet; the people on call are rung.", "")
			m.reachLayer(1)
		}
		return
	}
	if layer == 0 && a.Status == integration.AlertOpen && len(a.Reached) == 0 && !a.EscalateBy.IsZero() && !a.EscalateBy.After(m.now) {
		layer = 1 // routed, and nobody is paged
	}
	// An earlier layer may have been passed so quickly that no snapshot showed it.
	for n := 1; n <= layer; n++ {
		m.reachLayer(n)
	}
}

// reachLayer brings a layer in, once for each team that has the call. Unread has its people asked
// for before anything is decided about them.
func (m *machine) reachLayer(n int) {
	a := &m.s.Alert
	if slices.Contains(a.Reached, n) {
		return
	}
	a.Reached = append(a.Reached, n)
	slices.Sort(a.Reached)
	a.EscalateBy, a.LastLayer, a.Judged, a.Unread = time.Time{}, false, false, true
}

// newestLayer is the last layer that was brought in, in the platform's order; 0: none yet.
func (m *machine) newestLayer() int {
	if n := len(m.s.Alert.Reached); n > 0 {
		return m.s.Alert.Reached[n-1]
	}
	return 0
}

// mayRing reports whether a person may be rung at all just now: whoever acknowledged always;
// everybody else only while nobody who acknowledged has their turn. Whether they are due is
// nextRing's business.
func (m *machine) mayRing(p *call.Person) bool {
	return len(p.Acks) > 0 || (p.OnCall && m.byLayer() || m.awaited(p)) && !m.claimed()
}

// awaited reports whether a person who is on call for no layer that was reached, and whose
// acknowledgement was taken back because of another call, is still rung when that call ends.
func (m *machine) awaited(p *call.Person) bool { return p.Promised && !m.byLayer() }

// again reports whether a person who had their turn is rung again: when no later layer has anybody,
// when another call of theirs has ended, and where somebody's acknowledgement cannot be taken back.
// Where one round is to be the end, nobody is rung again meanwhile: of several people one would
// always be ringing, and the round never over.
func (m *machine) again(p *call.Person) bool {
	return m.s.Alert.LastLayer && m.c.GiveUp != config.GiveUpOneRound || p.Promised || len(p.Acks) > 0 && !m.canReopen()
}

// exhausted reports whether nothing more is expected of anybody who may be rung. It is also true
// while nobody may be rung.
func (m *machine) exhausted() bool {
	return !slices.ContainsFunc(m.s.People, func(p call.Person) bool { return m.mayRing(&p) && !m.done(&p) })
}

// somethingDue reports whether there is something to decide now. It reads the state alone; only
// where it says so is the platform asked.
func (m *machine) somethingDue() bool {
	a := &m.s.Alert
	// What the platform could not answer a moment ago waits; the phones that are known do not.
	if a.ReadAgainAt.IsZero() && (m.ackFailed() || m.byLayer() && (a.Unread || !a.Judged && len(a.Reached) > 0 && m.exhausted())) {
		return true
	}
	at := m.nextDecision()
	return !at.IsZero() && !at.After(m.now)
}

// nextDecision is when something is to be decided next; zero: not before something happens.
func (m *machine) nextDecision() time.Time {
	a := &m.s.Alert
	var next time.Time
	earliest := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if !a.EscalateBy.IsZero() && !m.claimed() {
		earliest(a.EscalateBy)
	}
	if !a.ReadAgainAt.IsZero() {
		earliest(a.ReadAgainAt)
	}
	if at := a.TakenBackAt.Add(takeBackPause); len(a.Acks) > 0 && at.After(m.now) {
		earliest(at)
	}
	for i := range m.s.People {
		p := &m.s.People[i]
		if !m.mayRing(p) || p.Passed {
			continue
		}
		if end := p.TurnAt.Add(m.turn()); !p.TurnAt.IsZero() && end.After(m.now) {
			earliest(end) // the person may count as tried from then on
		}
		if p.OccupiedBy != "" {
			earliest(p.LookAt)
		} else if _, at, ok := m.nextRing(p, m.again(p)); ok {
			if at.Equal(p.StartAt) || at.Before(m.now) {
				at = m.now // a first attempt is planned at once, if it is for later
			}
			earliest(at)
		}
	}
	return next
}

// maxOnCall bounds the people who are called for one caller, all layers together. Twilio starts a
// call a second, so more could not be reached within the usual wait, and each decision looks at all
// of them: thousands would take longer than a request has, and slow down the calls of others.
const maxOnCall = 200

// readPeople reads who is on call, in all layers, and brings in those whose layer was reached. So a
// shift that changes in the middle of a call counts. Where the platform cannot say, those who are
// known already are rung. ok is false where that was asked only now, and where nobody is known. The
// answer holds everybody, but only those of reached layers are brought in. Names, phones and who is
// occupied are brought up to date with each reading.
func (m *machine) readPeople() (entries []integration.OnCallEntry, ok bool) {
	var onCall integration.Answer
	ok = true
	if m.byLayer() || len(m.s.Alert.Acks) > 0 {
		onCall, ok = m.ask(effect.AskOnCall(m.s.TeamID(), 0))
	}
	for _, p := range m.s.People {
		if len(p.Acks) > 0 || m.awaited(&p) {
			_, known := m.ask(effect.AskUser(p.User))
			ok = ok && known
		}
	}
	switch {
	case !ok:
		return nil, false
	// Nobody is known, so there is nobody to ring until the platform can say.
	case onCall.Err != nil && len(m.s.People) == 0:
		m.s.Alert.ReadAgainAt = m.now.Add(askAgain)
		return nil, false
	case onCall.Err != nil && m.s.Alert.Unread:
		m.s.Alert.ReadAgainAt = m.now.Add(askAgain)
	case onCall.Err == nil && onCall.ID != "":
		m.noteAge(onCall)
		// Not nil: nobody on call is an answer.
		entries = append([]integration.OnCallEntry{}, onCall.OnCall[:min(len(onCall.OnCall), maxOnCall)]...)
		before := len(m.s.People)
		m.bringLayers(entries)
		if before == 0 && len(m.s.People) > 0 && len(onCall.OnCall) > len(entries) {
			m.log(fmt.Sprintf("%d people are on call; the first %d are called.", len(onCall.OnCall), len(entries)), "")
		}
	}
	for _, p := range slices.Clone(m.s.People) {
		if len(p.Acks) == 0 && !m.awaited(&p) {
			continue
		}
		if answer, _ := m.ask(effect.AskUser(p.User)); answer.Err == nil && answer.User != nil {
			u := *answer.User
			u.ID = p.User
			m.bring(u, 0)
		}
	}
	return entries, true
}

// bringLayers brings in the people of the layers that were reached. Whoever is no longer on call is
// not rung again. OnCall is set anew each time, as a shift may have ended.
func (m *machine) bringLayers(entries []integration.OnCallEntry) {
	m.s.Alert.Unread = false
	for i := range m.s.People {
		m.s.People[i].OnCall = false
	}
	for _, n := range m.s.Alert.Reached {
		for _, e := range entries {
			if e.Layer == n {
				m.bring(e.User, n).OnCall = true
			}
		}
	}
	for i := range m.s.People {
		if p := &m.s.People[i]; m.byLayer() && !p.OnCall && len(p.Acks) == 0 {
			p.Promised = false
		}
	}
}

// ringWhoIsDue dials the next phone of everybody whose turn it is. All of a layer are rung at the
// same time: the first to press 1 wins.
func (m *machine) ringWhoIsDue() {
	for i := range m.s.People {
		p := &m.s.People[i]
		if !m.mayRing(p) || p.OccupiedBy != "" {
			continue
		}
		phone, at, ok := m.nextRing(p, m.again(p))
		if !ok || at.After(m.now) && !at.Equal(p.StartAt) {
			continue
		}
		m.ring(p, phone, at)
	}
}

// ring plans a leg to a phone of a person, who may be one of several with that number: the phone
// rings once, and counts for each of them.
func (m *machine) ring(p *call.Person, phone string, at time.Time) {
	if at.Before(m.now) {
		at = m.now
	}
	leg := call.Leg{User: p.User, Name: p.Name, Phone: phone, Layer: p.Layer, Message: m.s.Phase == call.PhaseDelivering}
	if len(p.Acks) > 0 {
		leg.Ack = p.Acks[len(p.Acks)-1]
	}
	// What was rung is kept by number, as the floor between two rings holds for the number, whoever
	// has it.
	n := m.s.Number(phone)
	n.DialedAt = at
	n.Rings++
	for i := range m.s.People {
		if other := &m.s.People[i]; slices.Contains(other.Phones, phone) {
			other.NoteDial(phone, at)
		}
	}
	m.plan(leg, at)
}

// takeBack undoes the acknowledgements whose people could not be reached, so that the platform's
// clock counts again. The next layer is paged only where the one who failed is of the layer that is
// being paged, and only if a later layer has anybody. It reports whether it took something back.
//
// Where the platform cannot reopen, the acknowledgement stays, and other layers are rung beside it.
func (m *machine) takeBack(entries []integration.OnCallEntry) bool {
	a := &m.s.Alert
	if !m.ackFailed() {
		return false
	}
	if !m.canReopen() {
		a.FailedAck = true
		m.reachLayers()
		return true
	}
	// Before the acknowledgements are forgotten, which say whose layer it was.
	layer := m.failedLayer(entries)
	for _, k := range a.Acks {
		m.decide(integration.AlertCommand{Kind: integration.AlertReopen, Ack: k.ID, Text: "the caller was not connected"})
	}
	a.Acks, a.Status = nil, integration.AlertOpen
	m.forgetAcks()
	if !m.byLayer() && layer > 0 && layer == a.Layer && laterLayer(entries, layer) > 0 {
		m.escalate(layer)
	}
	a.Judged, a.TakenBackAt = false, m.now
	if len(a.Reached) == 0 && m.byLayer() {
		a.EscalateBy = m.now.Add(escalateLimit) // the platform begins with the first layer
	}
	return true
}

// ackFailed reports whether the alert is acknowledged and nobody is rung, or still to be rung, for
// it: nobody who acknowledged could be reached, or the acknowledgement is our own and its
// conversation never came about.
func (m *machine) ackFailed() bool {
	a := &m.s.Alert
	if len(a.Acks) == 0 || a.Status != integration.AlertAcknowledged || a.AckPending || a.FailedAck || m.claimed() {
		return false
	}
	if m.canReopen() && m.now.Before(a.TakenBackAt.Add(takeBackPause)) || slices.ContainsFunc(a.Acks, func(k call.Ack) bool { return !m.seen(k.ID) }) {
		return false
	}
	// Where phones are rung by layer only, acknowledging is the person's own business.
	return m.reach() != config.ReachRing || slices.ContainsFunc(a.Acks, m.ownAck)
}

// failedLayer is the layer of those whose acknowledgement came to nothing; 0: of none. Schedules
// are asked first: the person may have moved since.
func (m *machine) failedLayer(entries []integration.OnCallEntry) int {
	for _, k := range m.s.Alert.Acks {
		for _, e := range entries {
			if e.User.ID == k.User {
				return e.Layer
			}
		}
		if p := m.s.Person(k.User); p != nil {
			return p.Layer
		}
	}
	return 0
}

// laterLayer is the next layer after one that has anybody on call; 0: none.
func laterLayer(entries []integration.OnCallEntry, layer int) int {
	next := 0
	for _, e := range entries {
		if e.Layer > layer && (next == 0 || e.Layer < next) {
			next = e.Layer
		}
	}
	return next
}

// nextLayer is the layer to bring in next: the next after the newest that has anybody, else one
// that was passed over because it was empty before a change of shifts. 0: none.
func (m *machine) nextLayer(entries []integration.OnCallEntry) int {
	if next := laterLayer(entries, m.newestLayer()); next > 0 {
		return next
	}
	reached := m.s.Alert.Reached
	for next := laterLayer(entries, 0); next > 0; next = laterLayer(entries, next) {
		if !slices.Contains(reached, next) {
			return next
		}
	}
	return 0
}

// escalate has the platform page the layer after one, once for each layer and round. The text is
// the reason in the alert's log.
func (m *machine) escalate(layer int) {
	a := &m.s.Alert
	if a.LeftLayer == layer && a.LeftRound == a.Round {
		return
	}
	a.LeftLayer, a.LeftRound = layer, a.Round
	m.decide(integration.AlertCommand{
		Kind: integration.AlertEscalate, Layer: layer, Round: max(a.Round, 1), Text: "nobody in this layer took the call",
	})
}

// widen brings in the next layer that has anybody when everybody of the newest has been tried, has
// passed or cannot be rung. Where there is none, those who were tried are rung again, unless nobody
// is left who could be. The platform is asked to page the layer first, so that its people are told
// by its own means as well; escalateLimit later phones are rung without it.
func (m *machine) widen(entries []integration.OnCallEntry) {
	a := &m.s.Alert
	if !m.byLayer() || len(a.Reached) == 0 || m.claimed() {
		return
	}
	next := m.nextLayer(entries)
	a.LastLayer = next == 0
	if !m.exhausted() {
		a.Judged = false
		return
	}
	a.Judged = true
	if next == 0 {
		m.giveUpIfHopeless(entries)
		return
	}
	able := m.f.Instance.Capabilities.Escalate && !a.Stubborn && a.Unpaged == "" && !a.AckPending && a.Status == integration.AlertOpen &&
		a.Layer == m.newestLayer() && next > a.Layer
	switch {
	case able && a.EscalateBy.IsZero():
		m.escalate(a.Layer)
		a.EscalateBy = m.now.Add(escalateLimit)
	case a.EscalateBy.After(m.now):
		// The platform has been commanded; its snapshot will tell.
	default:
		m.log("The people of layer "+strconv.Itoa(next)+" are rung as well.", "")
		m.reachLayer(next)
		m.bringLayers(entries)
		m.ringWhoIsDue()
		a.LastLayer = m.nextLayer(entries) == 0
	}
}

// giveUpIfHopeless ends the hold where nobody is left who could take the call. A person on another
// call, or one who may still be tried, is hope.
func (m *machine) giveUpIfHopeless(entries []integration.OnCallEntry) {
	a := &m.s.Alert
	if entries == nil && len(m.s.People) > 0 {
		return // the platform could not say who is on call
	}
	hope, awaited := false, false
	for i := range m.s.People {
		p := &m.s.People[i]
		if !p.OnCall && len(p.Acks) == 0 {
			continue
		}
		able := !p.Passed && !m.s.Unringable(p)
		hope, awaited = hope || able, awaited || able && p.Promised
	}
	switch {
	case m.s.LiveLegs() > 0 || len(a.Acks) > 0:
	case !hope:
		m.pend(call.ExitNobody)
	// Whoever is on another call was not rung yet.
	case m.c.GiveUp == config.GiveUpOneRound && !awaited:
		m.pend(call.ExitOneRound)
	}
}
