package callflow

import (
	"slices"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	// deliverPause is the time from a message's delivery to the alert until it is decided who is rung:
	// the host has it by then.
	deliverPause = time.Second
	// platformPatience is how long the platform may take to say which layer it pages for a message.
	// Then the first layer is rung without it.
	platformPatience = 15 * time.Second
	// deliverLimit is how long the platform may stay at one layer while a later one has people. Then
	// the round counts as over.
	deliverLimit = 24 * time.Hour
)

// A message is of use when somebody hears it. After the call's end people are rung and it is played
// to them: whoever acknowledged the alert, else those on call, layer by layer as the platform reaches
// them. Everybody is rung once for a message. Delivery never pages anybody: it follows the platform.

// over reports whether the call has ended, whatever is still to be told to people.
func (m *machine) over() bool { return m.phase() == PhaseEnded || m.phase() == PhaseDelivering }

// delivers reports whether people are rung to hear a message of this call. A host of the release
// before knows no such phase: while it may have to read the call, the message is mailed and attached
// alone.
func (m *machine) delivers() bool {
	if f := m.f.WriteFormats.State; f > 0 && f < FormatDelivery {
		return false
	}
	return m.c.Delivers(m.f.Instance.Capabilities) && m.f.Instance.State != integration.HostDeleted
}

// unheard lists the recordings that can be played and that nobody has heard.
func (v *Voicemail) unheard() []*Recording {
	var out []*Recording
	for i := range v.Recordings {
		if r := &v.Recordings[i]; r.Media != nil && r.Told && !r.Heard && !r.Gone {
			out = append(out, r)
		}
	}
	return out
}

// beginDelivery has people rung for a message that has just been delivered to the alert. Who was rung
// for an earlier message of the call is rung for this one too.
func (m *machine) beginDelivery() {
	if !m.delivers() || len(m.s.Voicemail.unheard()) == 0 {
		return
	}
	d := &m.s.Delivery
	if m.s.Phase == PhaseDelivering {
		d.Since, d.EndBy, d.Unread, d.Judged = m.now, m.now.Add(deliverLimit), true, false
		return
	}
	m.enter(PhaseDelivering)
	*d = Delivery{Since: m.now, EndBy: m.now.Add(deliverLimit), Unread: true}
	// The call's own bookkeeping of people is closed: passing the call is not passing its message.
	m.s.People, m.s.RingAt, m.s.AccountErrorAt, m.s.AccountRefused = nil, time.Time{}, time.Time{}, false
	var refused []Number
	for _, n := range m.s.Numbers {
		if n.Refused {
			refused = append(refused, Number{Phone: n.Phone, Refused: true, Code: n.Code})
		}
	}
	m.s.Numbers = refused
}

// pursueMessage brings the delivery forward after each event.
func (m *machine) pursueMessage() {
	if m.yield(); len(m.questions) > 0 {
		return
	}
	m.noteAlert()
	why := m.deliveryDone()
	if why == "" && m.listenersDue() {
		if why = m.ringListeners(); len(m.questions) > 0 {
			return
		}
	}
	if why != "" {
		m.letListenersGo()
		if m.live() == 0 {
			m.endDelivery(why)
		}
		return
	}
	m.s.RingAt = m.nextListener()
	if !m.s.RingAt.IsZero() && !m.s.RingAt.After(m.now) {
		m.s.RingAt = m.now.Add(askAgain)
	}
}

// noteAlert takes from the alert which layer the platform has reached, and who acknowledged.
func (m *machine) noteAlert() {
	a, d := &m.s.Alert, &m.s.Delivery
	if !a.ReadAgainAt.After(m.now) {
		a.ReadAgainAt = time.Time{}
	}
	var acks []string
	for _, k := range a.Acks {
		acks = append(acks, k.ID)
	}
	if !slices.Equal(acks, d.Acks) {
		d.Acks, d.Unread, d.Judged = acks, true, false
	}
	layer := 0
	if a.Status == integration.AlertOpen || a.Status == integration.AlertAcknowledged {
		layer = a.Layer
		if d.Round == 0 {
			d.Round = a.Round
		}
	}
	if layer == 0 && d.Layer == 0 && (a.Unpaged != "" || !m.now.Before(d.Since.Add(platformPatience))) {
		layer = 1
	}
	if layer > d.Layer {
		d.Layer, d.Unread, d.Judged = layer, true, false
	}
}

// deliveryDone says why nobody new is rung; "": somebody may be.
func (m *machine) deliveryDone() string {
	a, d := &m.s.Alert, &m.s.Delivery
	switch {
	case len(m.s.Voicemail.unheard()) == 0:
		return "the message was heard"
	case m.f.Instance.State == integration.HostDeleted:
		return "the integration was deleted"
	case a.Status == integration.AlertResolved, a.Resolved:
		return "the alert was resolved"
	case a.Status == integration.AlertDeleted:
		return "the alert was deleted"
	case a.Status == integration.AlertDropped:
		return "the alert was dropped"
	case a.Status == integration.AlertOpen && d.Round > 0 && a.Round > d.Round:
		return "everybody on call was rung once"
	case m.s.AccountRefused:
		return "Twilio refuses calls of this account"
	case !m.now.Before(d.EndBy):
		return "the platform reached nobody else for a day"
	}
	return ""
}

// acknowledgers are the people who acknowledged the alert, each once. An automation is nobody.
func (m *machine) acknowledgers() []string {
	var users []string
	for _, k := range m.s.Alert.Acks {
		if k.User != "" && !slices.Contains(users, k.User) {
			users = append(users, k.User)
		}
	}
	return users
}

// readListeners reads who is to hear the message now. ok is false where that was asked only now, and
// where the platform cannot say.
func (m *machine) readListeners() (ok bool) {
	if users := m.acknowledgers(); len(users) > 0 {
		return m.readAcknowledgers(users)
	}
	d := &m.s.Delivery
	var entries []integration.OnCallEntry
	ok = true
	for _, team := range m.teamIDs() {
		answer, said := m.ask(AskOnCall(team, 0))
		ok = ok && said && answer.Err == nil
		if said && answer.Err == nil {
			m.noteAge(answer)
			entries = append(entries, answer.OnCall...)
		}
	}
	if !ok {
		return false
	}
	entries = entries[:min(len(entries), maxOnCall)]
	m.nobodyListens()
	for _, e := range entries {
		if e.Layer <= d.Layer {
			m.listener(e.User, e.Layer)
		}
	}
	d.Next, d.Unread = laterLayer(entries, d.Layer), false
	return true
}

// readAcknowledgers has whoever acknowledged hear the message, and nobody else.
func (m *machine) readAcknowledgers(users []string) (ok bool) {
	var people []integration.User
	ok = true
	for _, user := range users {
		answer, said := m.ask(AskUser(user))
		ok = ok && said && !unanswered(answer)
		u := integration.User{ID: user}
		if answer.User != nil {
			u = *answer.User
			u.ID = user
		}
		people = append(people, u)
	}
	if !ok {
		return false
	}
	m.nobodyListens()
	for _, u := range people {
		m.listener(u, 0)
	}
	m.s.Delivery.Next, m.s.Delivery.Unread = 0, false
	return true
}

func (m *machine) nobodyListens() {
	for i := range m.s.People {
		m.s.People[i].OnCall = false
	}
}

// listener brings in somebody who is to hear the message. A message that they were not rung for yet
// begins a turn.
func (m *machine) listener(u integration.User, layer int) {
	n := m.s.Voicemail.attached()
	if p := m.person(u.ID); p != nil && p.Rung >= n && p.OccupiedBy == "" && m.done(p) {
		u.OccupiedBy = "" // they are not waited for again
	}
	p := m.bring(u, layer)
	p.OnCall = true
	if p.Rung < n && !m.atWork(p) {
		p.Rung, p.Passed, p.Dialed, p.StartAt = n, false, nil, time.Time{}
		if p.OccupiedBy == "" {
			p.TurnAt = time.Time{}
		}
	}
}

// layersByUs reports whether layers are rung in turn without the platform: it names none, or it pages
// nobody for the alert (any more).
func (m *machine) layersByUs() bool {
	a := &m.s.Alert
	return a.Layer == 0 || a.Unpaged != "" || a.Status == integration.AlertAcknowledged
}

// ringListeners reads who is to hear the message, and dials the next phone of everybody whose turn it
// is. Where the platform does not page layers, the next one is rung when everybody of the last was. It
// says why the round is over; "": it is not.
func (m *machine) ringListeners() string {
	d := &m.s.Delivery
	for {
		if !m.readListeners() {
			if len(m.questions) == 0 {
				m.s.Alert.ReadAgainAt = m.now.Add(askAgain)
			}
			return ""
		}
		m.dialListeners()
		d.Judged = m.heardOut()
		switch {
		case d.Judged && d.Next == 0:
			return m.roundOver()
		case !d.Judged || !m.layersByUs():
			return ""
		}
		d.Layer = d.Next
	}
}

// dialListeners dials the next phone of everybody whose turn it is. Where somebody acknowledged they
// are rung alone: phones of others stop ringing.
func (m *machine) dialListeners() {
	for i := range m.s.People {
		p := &m.s.People[i]
		if !p.OnCall || p.OccupiedBy != "" {
			continue
		}
		if phone, at, ok := m.nextRing(p, false); ok && !at.After(m.now) {
			m.ring(p, phone, m.now)
		}
	}
	for i := range m.s.Legs {
		l := &m.s.Legs[i]
		if (l.State == LegPlanned || l.State == LegRinging) && !m.rungForListener(l) {
			m.hangUp(l, false)
			m.closeLeg(l, ReasonNotNeeded)
		}
	}
}

// rungForListener reports whether a phone rings for somebody who is to hear the message.
func (m *machine) rungForListener(l *Leg) bool {
	return slices.ContainsFunc(m.s.People, func(p Person) bool { return p.OnCall && slices.Contains(p.Phones, l.Phone) })
}

// heardOut reports whether nothing more is expected of anybody who was to hear the message.
func (m *machine) heardOut() bool {
	return !slices.ContainsFunc(m.s.People, func(p Person) bool {
		return p.OnCall && !p.Passed && (p.OccupiedBy != "" || !m.done(&p))
	})
}

// roundOver says why nobody else is rung, once everybody was.
func (m *machine) roundOver() string {
	switch {
	case !slices.ContainsFunc(m.s.People, func(p Person) bool { return p.OnCall && !m.unringable(&p) }):
		return "nobody who is on call can be rung"
	case len(m.acknowledgers()) > 0:
		return "whoever acknowledged was rung once"
	}
	return "everybody on call was rung once"
}

// listenersDue reports whether there is something to decide now.
func (m *machine) listenersDue() bool {
	d := &m.s.Delivery
	if !m.s.Alert.ReadAgainAt.IsZero() || m.now.Before(d.Since.Add(deliverPause)) {
		return false
	}
	if d.Layer == 0 && len(m.acknowledgers()) == 0 && len(m.teamIDs()) > 0 {
		return false // the platform has not said yet whom it pages
	}
	at := m.nextListener()
	return d.Unread || !d.Judged && m.heardOut() || !at.IsZero() && !at.After(m.now)
}

// nextListener is when something is to be decided next, at the latest when the platform is not waited
// for any longer.
func (m *machine) nextListener() time.Time {
	a, d := &m.s.Alert, &m.s.Delivery
	next := d.EndBy
	earliest := func(at time.Time) {
		if at.Before(next) {
			next = at
		}
	}
	if start := d.Since.Add(deliverPause); start.After(m.now) {
		earliest(start)
	}
	if !a.ReadAgainAt.IsZero() {
		earliest(a.ReadAgainAt)
	}
	if d.Layer == 0 {
		earliest(d.Since.Add(platformPatience))
	}
	for i := range m.s.People {
		p := &m.s.People[i]
		if !p.OnCall || p.Passed {
			continue
		}
		if end := p.TurnAt.Add(m.turn()); !p.TurnAt.IsZero() && end.After(m.now) {
			earliest(end)
		}
		if p.OccupiedBy != "" {
			earliest(p.LookAt)
		} else if _, at, ok := m.nextRing(p, false); ok {
			earliest(at)
		}
	}
	return next
}

// letListenersGo stops phones that ring for a message that nobody has to hear any more. Who listens
// to it hears it to the end; who is being asked hears why not.
func (m *machine) letListenersGo() {
	for i := range m.s.Legs {
		l := &m.s.Legs[i]
		if !l.live() || l.State == LegHearing {
			continue
		}
		m.hangUp(l, l.State == LegAsked)
		m.closeLeg(l, ReasonNotNeeded)
	}
	m.s.RingAt = time.Time{}
}

// endDelivery ends the phase. A message that nobody has heard stays marked so, and people are told
// once.
func (m *machine) endDelivery(why string) {
	lost := slices.ContainsFunc(m.s.Voicemail.Recordings, func(r Recording) bool { return r.Gone && !r.Heard })
	unheard := len(m.s.Voicemail.unheard()) > 0
	if lost && !unheard {
		unheard, why = true, "its recording cannot be played any more"
	}
	m.enter(PhaseEnded)
	m.tallyRings()
	m.s.Delivery, m.s.RingAt = Delivery{}, time.Time{}
	if !unheard {
		return
	}
	text := "Nobody has heard the message: " + why + ". "
	m.log(text+m.callBack(), "")
	m.emit(integration.Finding{Code: FindingUnheard, Severity: integration.FindingError, At: m.now,
		Message: "Nobody has heard a message of " + m.s.Caller.label() + ": " + why + ". Listen to it on the page of the call."})
}

// yield lets go whoever a caller waits for: callers come before messages. It is looked at when the
// host says so, and with each request of a leg.
func (m *machine) yield() {
	all := m.e.Kind == EventTimer && m.e.Timer == integration.TimerPersonWanted
	for i := range m.s.Legs {
		l := &m.s.Legs[i]
		own := (m.e.Kind == EventLegAnswer || m.e.Kind == EventLegKey) && m.e.Leg == l.ID
		if !l.live() || !all && !own {
			continue
		}
		answer, ok := m.ask(AskUser(l.User))
		if !ok || answer.User == nil || !wantedByCaller(*answer.User) {
			continue
		}
		m.hangUpUnlessOwn(l, own)
		m.closeLeg(l, ReasonYielded)
		m.log(l.person()+" was let go for a caller who waits for them, and is rung for the message afterwards.", l.User)
		if p := m.person(l.User); p != nil {
			p.Dialed, p.TurnAt, p.Rung = nil, time.Time{}, 0
			p.OccupiedBy, p.LookAt = answer.User.OccupiedBy, m.now.Add(occupiedLook)
		}
		m.s.Delivery.Judged = false
	}
}

// hangUpUnlessOwn ends a leg at Twilio; one whose own request this is gets told by its answer.
func (m *machine) hangUpUnlessOwn(l *Leg, own bool) {
	if !own {
		m.hangUp(l, l.State == LegAsked || l.State == LegHearing)
	}
}

// wantedByCaller reports whether a call whose caller is there occupies a person, or waits for them.
func wantedByCaller(u integration.User) bool {
	return u.OccupiedBy != "" && (u.OccupiedHow == integration.OccupiedWaiting || u.OccupiedHow == integration.OccupiedTalking || u.OccupiedHow == integration.OccupiedRinging)
}

// messageAnswer: a phone that rings for a message was answered. A leg that hears one and asks for its
// first document again comes from the fallback address: what it was to play cannot be played.
func (m *machine) messageAnswer() {
	leg := m.leg(m.e.Leg)
	if leg == nil || !m.adopt(leg) {
		return
	}
	switch leg.State {
	case LegPlanned, LegRinging:
	case LegHearing:
		if len(leg.Went) > 0 {
			m.goOn(leg) // back from another call's message
			return
		}
		if m.e.ErrorURL != "" && m.e.FailedRequest == "" {
			m.cannotPlay(leg)
		}
		return
	case LegUnreached:
		if !leg.AskedAt.IsZero() || leg.Reason == ReasonNotNeeded || leg.Reason == ReasonYielded || leg.Reason == ReasonCaller || !leg.Message {
			return
		}
	case LegAsked, LegTaking, LegTalking, LegDeclined, LegEnded:
		return
	}
	leg.State, leg.Reason, leg.EndedAt, leg.Step, leg.Requested = LegAsked, "", time.Time{}, 1, false
	leg.AskedAt, leg.DueAt = m.now, m.now.Add(askLimit)
	m.s.Delivery.Judged = false
}

// messageKey: a key of somebody who is asked whether they want to hear a message, or who hears it.
func (m *machine) messageKey() {
	leg := m.leg(m.e.Leg)
	switch {
	case leg == nil || !m.adopt(leg):
	case leg.State == LegAsked:
		m.askedKey(leg)
	case leg.State == LegHearing && m.e.Step == leg.Step:
		m.hearingKey(leg)
	}
}

// askedKey is the answer to the question.
func (m *machine) askedKey(leg *Leg) {
	switch {
	case m.e.Digits == "1":
		m.play(leg)
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

// hearingKey is a key, or none in time, while messages are played or afterwards.
func (m *machine) hearingKey(leg *Leg) {
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

// joinLimit is how long somebody may listen to the messages of other calls on a leg of this one. The
// leg's end is told to this call all the while, so it only matters where that is lost.
const joinLimit = 10 * time.Minute

// goOn sends somebody who has heard this call's messages to those of other calls that wait for them, one
// after the other, so that their phone need not ring again. The leg stays this call's until it is over.
func (m *machine) goOn(leg *Leg) {
	if leg.Guest {
		m.legOver(*leg, ReasonHeard) // back to the call it came from
		return
	}
	answer, ok := m.ask(AskUser(leg.User))
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
	m.legOver(*leg, ReasonHeard)
}

// legJoins: somebody whose phone rang for another call's message, and who is waited for here, comes to
// hear this one's. Their leg is that call's; what becomes of it is looked up when that lets them go.
func (m *machine) legJoins() {
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.Guest && l.CallSid == m.e.CallSid {
			m.e.Leg = l.ID // the request came twice
			return
		}
	}
	i := slices.IndexFunc(m.s.People, func(p Person) bool {
		return p.OnCall && !p.Passed && p.OccupiedBy != "" && slices.Contains(p.Phones, m.e.Phone)
	})
	if i < 0 || m.e.CallSid == "" || m.e.CallStatus.Over() || m.deliveryDone() != "" {
		return
	}
	p := &m.s.People[i]
	n := m.number(m.e.Phone)
	n.DialedAt = m.now
	n.Rings++
	p.noteDial(m.e.Phone, m.now)
	m.s.LegCount++
	leg := Leg{
		ID: strconv.Itoa(m.s.LegCount), User: p.User, Name: p.Name, Phone: m.e.Phone, Layer: p.Layer, Message: true, Guest: true,
		Home: p.OccupiedBy, HomeLeg: m.e.Step, State: LegAsked, CallSid: m.e.CallSid, Step: 1, PlannedAt: m.now, AskedAt: m.now, DueAt: m.now.Add(askLimit),
	}
	p.OccupiedBy, p.LookAt = "", time.Time{}
	m.s.Legs = append(m.s.Legs, leg)
	m.e.Leg = leg.ID
	m.s.Delivery.Judged = false
}

// lookForGuests asks Twilio for the legs of other calls on which people hear this call's messages.
func (m *machine) lookForGuests() {
	for i := range m.s.Legs {
		if l := &m.s.Legs[i]; l.Guest && l.live() {
			m.lookLeg(l)
		}
	}
}

// menuAgain asks once more what to do next, a few times.
func (m *machine) menuAgain(leg *Leg) {
	if leg.Menus++; leg.Menus >= questions {
		m.legOver(*leg, ReasonHeard)
		return
	}
	leg.Step++
}

// play gives a leg the messages that nobody has heard; one that has heard them gets the same again.
func (m *machine) play(leg *Leg) {
	var sids []string
	var length time.Duration
	v := &m.s.Voicemail
	for i := range v.Recordings {
		r := &v.Recordings[i]
		again := slices.Contains(leg.Playing, r.Sid)
		if r.Media == nil || !r.Told || r.Gone || r.Heard && !again {
			continue
		}
		if m.f.MediaURLs[r.Media.Ref] == "" {
			m.gone(r, "its audio was deleted")
			continue
		}
		sids = append(sids, r.Sid)
		length += r.length()
	}
	leg.Step++
	leg.State, leg.HearingAt, leg.Playing, leg.Menus = LegHearing, m.now, sids, 0
	leg.DueAt = m.now.Add(length + askLimit)
	if p := m.person(leg.User); p != nil {
		p.Rung = v.attached() // those that came while the phone rang are read as well
	}
	if len(sids) == 0 {
		m.closeLeg(leg, ReasonNotNeeded)
	}
}

// length is how long a recording is, as far as it is known.
func (r *Recording) length() time.Duration {
	if r.Media != nil && r.Media.Duration > 0 {
		return r.Media.Duration
	}
	return time.Duration(r.Seconds) * time.Second
}

// gone notes that a recording cannot be played any more.
func (m *machine) gone(r *Recording, why string) {
	if !r.Gone {
		r.Gone = true
		m.log("The message of "+r.length().Round(time.Second).String()+" cannot be played: "+why+". "+m.callBack(), "")
	}
}

// cannotPlay: Twilio could not fetch or play the audio that it was given. The person hears so, and
// nobody else is rung for it.
func (m *machine) cannotPlay(leg *Leg) {
	for _, sid := range leg.Playing {
		if r := m.s.Voicemail.recording(sid); r != nil && !r.Heard {
			m.gone(r, "Twilio could not fetch its audio"+m.errorCode())
		}
	}
	m.closeLeg(leg, ReasonNotNeeded)
}

// played marks the recordings that a leg has heard to their end within a time; playedAll those that it
// was given.
func (m *machine) played(leg *Leg, took time.Duration) {
	if leg.Menus > 0 {
		return // marked already
	}
	end := time.Duration(0)
	for _, sid := range leg.Playing {
		if r := m.s.Voicemail.recording(sid); r != nil {
			if end += r.length(); took < end {
				return
			}
			m.heard(r, leg)
		}
	}
}

func (m *machine) playedAll(leg *Leg) {
	for _, sid := range leg.Playing {
		if r := m.s.Voicemail.recording(sid); r != nil {
			m.heard(r, leg)
		}
	}
}

// heard notes that a person has heard a recording.
func (m *machine) heard(r *Recording, leg *Leg) {
	if r.Heard || r.Media == nil {
		return
	}
	r.Heard = true
	m.emit(integration.Heard{Ref: r.Media.Ref, User: leg.User, At: m.now})
	m.log(leg.person()+" heard the message"+m.whichMessage(r)+".", leg.User)
	for _, f := range m.f.Findings {
		if f.Code == FindingUnheard && f.Severity != integration.FindingClear {
			m.emit(integration.Finding{Code: FindingUnheard, Severity: integration.FindingClear, At: m.now})
			break
		}
	}
}

// whichMessage tells several messages of a call apart by their length.
func (m *machine) whichMessage(r *Recording) string {
	if m.s.Voicemail.attached() < 2 {
		return ""
	}
	return " of " + r.length().Round(time.Second).String()
}

// acknowledgeFor acknowledges the alert in the name of somebody who has heard the message, unless
// somebody has done so.
func (m *machine) acknowledgeFor(leg *Leg) {
	a := &m.s.Alert
	if len(a.Acks) > 0 || a.Status == integration.AlertAcknowledged || a.AckPending || m.closed() {
		return
	}
	if !m.f.Instance.Capabilities.AcknowledgeAs {
		m.log(leg.person()+" takes care of the message; the alert cannot be acknowledged in somebody's name on this platform.", leg.User)
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

// messageOver ends a leg of a message. Who hung up in the middle has heard what was played until then.
func (m *machine) messageOver(leg *Leg, reason LegReason) {
	was := *leg
	if len(was.Went) > 0 {
		reason = ReasonHeard
	}
	if was.State == LegHearing && reason != ReasonHeard {
		m.played(leg, m.at().Sub(leg.HearingAt))
		if slices.ContainsFunc(leg.Playing, func(sid string) bool { r := m.s.Voicemail.recording(sid); return r != nil && r.Heard }) {
			reason = ReasonHeard
		}
	}
	m.closeLeg(m.leg(was.ID), reason)
	m.s.Delivery.Judged = false
	if reason == ReasonPassed {
		if p := m.person(was.User); p != nil {
			p.Passed = true
		}
	}
	if reason != ReasonHeard {
		m.tellLeg(&was, reason)
	}
}

// messageDocument is what a leg hears that was rung for a message, by its state.
func (m *machine) messageDocument(leg *Leg) Reply {
	number := m.s.Caller.aloud()
	bye := func(key PromptKey) Reply { return HangupReply{Say: []Prompt{{Key: key, Number: number}}} }
	switch leg.State {
	case LegAsked:
		return AskReply{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Say: []Prompt{m.messagePrompt(), {Key: PromptMessageKeys}}}
	case LegHearing:
		if n := len(leg.Went); n > 0 {
			id, _ := strconv.Atoi(leg.ID)
			return JoinReply{Say: []Prompt{{Key: PromptMessageNext}}, Call: leg.Went[n-1], Leg: id}
		}
		after := []Prompt{{Key: PromptMessageAfter, Number: number}}
		if leg.Menus > 0 {
			return AskReply{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Say: after}
		}
		r := PlayReply{Leg: leg.ID, Step: leg.Step, Timeout: keyTimeout, Between: []Prompt{{Key: PromptMessageNext}}, Say: after}
		for _, sid := range leg.Playing {
			if rec := m.s.Voicemail.recording(sid); rec != nil && rec.Media != nil {
				r.Media = append(r.Media, rec.Media.Ref)
			}
		}
		return r
	case LegDeclined:
		return bye(PromptPassed)
	case LegPlanned, LegRinging, LegTaking, LegTalking, LegUnreached, LegEnded:
	}
	switch leg.Reason {
	case ReasonHeard:
		switch {
		case leg.Guest:
			return JoinReply{Call: leg.Home, Leg: leg.HomeLeg, Back: true}
		case len(leg.Went) > 0:
			return bye(PromptGoodbye)
		}
		return bye(PromptMessageTaken)
	case ReasonNoKey:
		return bye(PromptNoKey)
	case ReasonYielded:
		return bye(PromptMessageLater)
	default:
	}
	if slices.ContainsFunc(m.s.Voicemail.Recordings, func(r Recording) bool { return r.Gone && !r.Heard }) {
		return bye(PromptMessageGone)
	}
	return bye(PromptMessageDone)
}

// messagePrompt says what is waiting to be heard.
func (m *machine) messagePrompt() Prompt {
	p := Prompt{Key: PromptMessage, Number: m.s.Caller.aloud()}
	if m.s.Team != nil {
		p.Team = m.s.Team.Name
	}
	var length time.Duration
	unheard := m.s.Voicemail.unheard()
	for _, r := range unheard {
		length += r.length()
	}
	p.Seconds, p.Count = int(length.Round(time.Second)/time.Second), len(unheard)
	switch {
	case p.Count > 1:
		p.Key = PromptMessages
	case p.Seconds < 2:
		p.Key = PromptMessageShort
	}
	return p
}
