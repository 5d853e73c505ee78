package callflow

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

const (
	// deliverPause is the time from a message's delivery to the alert until it is decided who is
	// rung. By then the host has the message.
	deliverPause = time.Second
	// platformPatience is how long the platform may take to say which layer it pages for a message.
	// Then the first layer is rung without it.
	platformPatience = 15 * time.Second
	// deliverLimit is how long the platform may stay at one layer while a later one has people.
	// Then the round counts as over.
	deliverLimit = 24 * time.Hour
	// farewell is how long somebody whom another call has just freed is not rung for a message:
	// they are hearing that call's last sentence, and their phone would be busy.
	farewell = 10 * time.Second
)

// A message is of use when somebody hears it. After the call's end people are rung and it is played
// to them: whoever acknowledged the alert, else those on call, layer by layer as the platform
// reaches them. Everybody is rung once for a message. Delivery never pages anybody: it follows the
// platform.

// over reports whether the call has ended, whatever is still to be told to people. Callers are not
// heard of any more in either phase.
func (m *machine) over() bool {
	return m.phase() == call.PhaseEnded || m.phase() == call.PhaseDelivering
}

// delivers reports whether people are rung to hear a message of this call. A host of the release
// before knows no such phase: while it may have to read the call, the message is mailed and
// attached alone.
func (m *machine) delivers() bool {
	if f := m.f.WriteFormats.State; f > 0 && f < call.FormatDelivery {
		return false
	}
	return m.c.Delivers(m.f.Instance.Capabilities) && m.f.Instance.State != integration.HostDeleted
}

// beginDelivery has people rung for a message that has just been delivered to the alert. People who
// were rung for an earlier message of the call are rung for this one too.
func (m *machine) beginDelivery() {
	if !m.delivers() || len(m.s.Voicemail.Unheard()) == 0 {
		return
	}
	d := &m.s.Delivery
	// A second message: the round goes on with whoever was brought in, who are rung once more.
	if m.s.Phase == call.PhaseDelivering {
		d.Since, d.EndBy, d.Unread, d.Judged = m.now, m.now.Add(deliverLimit), true, false
		return
	}
	m.enter(call.PhaseDelivering)
	*d = call.Delivery{Since: m.now, EndBy: m.now.Add(deliverLimit), Unread: true}
	// The call's own bookkeeping of people is closed: passing the call is not passing its message.
	m.s.People, m.s.RingAt, m.s.AccountErrorAt, m.s.AccountRefused = nil, time.Time{}, time.Time{}, false
	var refused []call.Number
	for _, n := range m.s.Numbers {
		if n.Refused {
			refused = append(refused, call.Number{Phone: n.Phone, Refused: true, Code: n.Code})
		}
	}
	m.s.Numbers = refused
}

// pursueMessage brings the delivery forward after each event. It decides in this order: whom
// callers need, what the alert says, whether it is over, who is rung, when to look again.
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
		if m.s.LiveLegs() == 0 {
			m.endDelivery(why)
		}
		return
	}
	// The timer of a time that has come already would go off at once, again and again.
	m.s.RingAt = m.nextListener()
	if !m.s.RingAt.After(m.now) {
		m.s.RingAt = m.now.Add(askAgain)
	}
}

// noteAlert takes from the alert which layer the platform has reached, and who acknowledged. For
// one team layers only grow: a platform that goes back to its first layer brings nobody in anew.
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

// deliveryDone says why nobody new is rung; "": somebody may be. The text ends a sentence of the
// story and of the finding.
func (m *machine) deliveryDone() string {
	a, d := &m.s.Alert, &m.s.Delivery
	switch {
	case len(m.s.Voicemail.Unheard()) == 0:
		return "the message was heard"
	case m.f.Instance.State == integration.HostDeleted:
		return "the integration was deleted"
	case a.Status == integration.AlertResolved, a.Resolved:
		return "the alert was resolved"
	case a.Status == integration.AlertDeleted:
		return "the alert was deleted"
	case d.Judged:
		if why := m.pagedOut(); why != "" {
			return why
		}
	}
	switch {
	case m.s.AccountRefused:
		return "Twilio refuses calls of this account"
	case !m.now.Before(d.EndBy):
		return "the platform reached nobody else for a day"
	}
	return ""
}

// pagedOut says why the platform reaches no further layer in this round; "": it may. Whoever it has
// reached is rung all the same: the voicemail itself may take most of a layer's time, and a drop
// says that nobody answered, not that nobody need hear the message.
func (m *machine) pagedOut() string {
	a, d := &m.s.Alert, &m.s.Delivery
	switch {
	case a.Status == integration.AlertDropped:
		return "the alert was dropped"
	case a.Status == integration.AlertOpen && d.Round > 0 && a.Round > d.Round:
		return "everybody on call was rung once"
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

// readListeners reads who is to hear the message now. ok is false where that was asked only now,
// and where the platform cannot say. For a team that it no longer has, nobody is on call: the
// others of the call are served all the same. Each of the call's teams is asked, as a message that
// was left without a choice belongs to all.
func (m *machine) readListeners() (ok bool) {
	if users := m.acknowledgers(); len(users) > 0 {
		return m.readAcknowledgers(users)
	}
	d := &m.s.Delivery
	var entries []integration.OnCallEntry
	ok = true
	var gone time.Time // since when
	for _, team := range m.s.TeamIDs() {
		answer, said := m.ask(effect.AskOnCall(team, 0))
		switch {
		case !said:
			ok = false
		case answer.Err == nil:
			m.noteAge(answer)
			entries = append(entries, answer.OnCall...)
		// The platform cannot say just now: it is asked again rather than taken for nobody.
		case answer.Err.Kind != integration.KindNotFound:
			ok = false
		case d.GoneSince.IsZero():
			gone, ok = m.now, false
		default:
			gone = d.GoneSince
			ok = ok && !m.now.Before(gone.Add(platformPatience))
		}
	}
	if len(m.questions) == 0 {
		d.GoneSince = gone
	}
	if !ok {
		return false
	}
	// Bounded as in a call: each decision looks at all of them.
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

// teamsGone reports whether the platform has said that it has none of the call's teams.
func (m *machine) teamsGone() bool {
	teams := m.s.TeamIDs()
	return len(teams) > 0 && !slices.ContainsFunc(teams, func(id string) bool {
		answer, said := effect.Answered(m.f.Answers, effect.AskOnCall(id, 0))
		return !said || answer.Err == nil || answer.Err.Kind != integration.KindNotFound
	})
}

// readAcknowledgers has whoever acknowledged hear the message, and nobody else. A person whom the
// platform does not know stays among them: they have no phone, which the story says.
func (m *machine) readAcknowledgers(users []string) (ok bool) {
	var people []integration.User
	ok = true
	for _, user := range users {
		answer, said := m.ask(effect.AskUser(user))
		ok = ok && said && !effect.Unanswered(answer)
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

// nobodyListens takes everybody out before those who are to hear the message are brought in anew.
func (m *machine) nobodyListens() {
	for i := range m.s.People {
		m.s.People[i].OnCall = false
	}
}

// listener brings in somebody who is to hear the message. A message that they were not rung for yet
// begins a turn. n counts the messages so far: somebody who was rung for as many has had their
// turn.
func (m *machine) listener(u integration.User, layer int) {
	n := m.s.Voicemail.Attached()
	if p := m.s.Person(u.ID); p != nil && p.Rung >= n && p.OccupiedBy == "" && m.done(p) {
		u.OccupiedBy = "" // they are not waited for again
	}
	occupied := m.occupied(u.ID)
	p := m.bring(u, layer)
	p.OnCall = true
	if p.Rung < n && !m.s.AtWork(p) {
		p.Rung, p.Passed, p.Dialed, p.StartAt = n, false, nil, time.Time{}
		if p.OccupiedBy == "" {
			p.TurnAt = time.Time{}
		}
		m.countSharedMessageRings(p)
	}
	if occupied && p.OccupiedBy == "" {
		p.StartAt = m.now.Add(farewell)
	}
}

// countSharedMessageRings lets a number that has rung for the message for somebody else count for a
// person who is brought in: whoever shares it was rung as well.
func (m *machine) countSharedMessageRings(p *call.Person) {
	for i := range m.s.Legs {
		l := &m.s.Legs[i]
		if l.Message && l.User != p.User && !l.DialAt.Before(m.s.Delivery.Since) && slices.Contains(p.Phones, l.Phone) {
			p.NoteDial(l.Phone, l.DialAt)
		}
	}
}

// occupied reports whether a person was on another call, or wanted by one, when that was last
// looked at.
func (m *machine) occupied(user string) bool {
	p := m.s.Person(user)
	return p != nil && p.OccupiedBy != ""
}

// layersByUs reports whether layers are rung in turn without the platform: it names none, or it
// pages nobody for the alert (any more). An acknowledged alert pages nobody either.
func (m *machine) layersByUs() bool {
	a := &m.s.Alert
	return a.Layer == 0 || a.Unpaged != "" || a.Status == integration.AlertAcknowledged
}

// ringListeners reads who is to hear the message, and dials the next phone of everybody whose turn
// it is. Where the platform does not page layers, the next one is rung when everybody of the last
// was. It says why the round is over; "": it is not. The loop ends with the last layer at the
// latest, as d.Layer grows with each round of it.
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
		why := m.pagedOut()
		switch {
		case d.Judged && d.Next == 0:
			return m.roundOver()
		case d.Judged && why != "":
			return why
		case !d.Judged || !m.layersByUs():
			return ""
		}
		d.Layer = d.Next
	}
}

// dialListeners dials the next phone of everybody whose turn it is. Where somebody acknowledged
// they are rung alone: phones of others stop ringing. Nobody who had their turn is rung again: a
// message does not wake anybody twice.
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
		if l.Rings() && !m.rungForListener(l) {
			m.hangUp(l, false)
			m.closeLeg(l, call.ReasonNotNeeded)
		}
	}
}

// rungForListener reports whether a phone rings for somebody who is to hear the message.
func (m *machine) rungForListener(l *call.Leg) bool {
	return slices.ContainsFunc(m.s.People, func(p call.Person) bool { return p.OnCall && slices.Contains(p.Phones, l.Phone) })
}

// heardOut reports whether nothing more is expected of anybody who was to hear the message. Without
// anybody to hear it, nothing is expected.
func (m *machine) heardOut() bool {
	return !slices.ContainsFunc(m.s.People, func(p call.Person) bool {
		return p.OnCall && !p.Passed && (p.OccupiedBy != "" || !m.done(&p))
	})
}

// roundOver says why nobody else is rung, once everybody was.
func (m *machine) roundOver() string {
	switch {
	case m.teamsGone():
		return "the platform no longer has its team"
	case !slices.ContainsFunc(m.s.People, func(p call.Person) bool { return p.OnCall && !m.s.Unringable(&p) }):
		return "nobody who is on call can be rung"
	case len(m.acknowledgers()) > 0:
		return "whoever acknowledged was rung once"
	}
	return "everybody on call was rung once"
}

// listenersDue reports whether there is something to decide now. Otherwise the platform is not
// asked, so that the events of a delivery stay cheap.
func (m *machine) listenersDue() bool {
	d := &m.s.Delivery
	if !m.s.Alert.ReadAgainAt.IsZero() || m.now.Before(d.Since.Add(deliverPause)) {
		return false
	}
	if d.Layer == 0 && len(m.acknowledgers()) == 0 && len(m.s.TeamIDs()) > 0 {
		return false // the platform has not said yet whom it pages
	}
	at := m.nextListener()
	return d.Unread || !d.Judged && m.heardOut() || !at.IsZero() && !at.After(m.now)
}

// nextListener is when something is to be decided next, at the latest when the platform is not
// waited for any longer.
func (m *machine) nextListener() time.Time {
	a, d := &m.s.Alert, &m.s.Delivery
	next := d.EndBy
	earliest := func(at time.Time) {
		if at.Before(m.now) {
			at = m.now // a phone that may be dialed at once has no time
		}
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
		if !l.Live() || l.State == call.LegHearing {
			continue
		}
		m.hangUp(l, l.State == call.LegAsked)
		m.closeLeg(l, call.ReasonNotNeeded)
	}
	m.s.RingAt = time.Time{}
}

// endDelivery ends the phase. A message that nobody has heard stays marked so, and people are told
// once. A recording that cannot be played counts as unheard too: somebody should call back.
func (m *machine) endDelivery(why string) {
	lost := slices.ContainsFunc(m.s.Voicemail.Recordings, func(r call.Recording) bool { return r.Gone && !r.Heard })
	unheard := len(m.s.Voicemail.Unheard()) > 0
	remedy := "Listen to it on the page of the call."
	if lost && !unheard {
		unheard, why, remedy = true, "its recording cannot be played any more", m.s.Caller.CallBack()
	}
	m.enter(call.PhaseEnded)
	m.tallyRings()
	m.s.Delivery, m.s.RingAt = call.Delivery{}, time.Time{}
	if !unheard {
		return
	}
	m.command(integration.AlertCommand{Kind: integration.AlertLog, Text: "Nobody has heard the message: " + why + ". " + m.s.Caller.CallBack(), Event: integration.EventUnheard})
	m.emit(integration.Finding{Code: effect.FindingUnheard, Severity: integration.FindingError, At: m.now,
		Message: "Nobody has heard a message of " + m.s.Caller.Label() + ": " + why + ". " + remedy})
}

// yield lets go whoever a caller waits for: callers come before messages. A phone that rings stops
// when the host says so. A leg that is up is left alone until its next request, which comes when
// the person presses a key or has heard the message: nobody is cut off in the middle of it.
func (m *machine) yield() {
	hint := m.e.Kind == event.Timer && m.e.Timer == integration.TimerPersonWanted
	for i := range m.s.Legs {
		l := &m.s.Legs[i]
		own := (m.e.Kind == event.LegAnswer || m.e.Kind == event.LegKey) && m.e.Leg == l.ID
		if !l.Live() || !own && !(hint && l.Rings()) {
			continue
		}
		// Each person is asked about anew: the hint does not say who is wanted.
		answer, ok := m.ask(effect.AskUser(l.User))
		if !ok || answer.User == nil || !wantedByCaller(*answer.User) {
			continue
		}
		if l.State == call.LegHearing && len(m.s.Voicemail.Unheard()) == 0 {
			m.legOver(*l, call.ReasonHeard)
			continue
		}
		if !own {
			m.hangUp(l, false)
		}
		m.closeLeg(l, call.ReasonYielded)
		m.log(l.Label()+" was let go for a caller who waits for them, and is rung for the message afterwards.", l.User)
		if p := m.s.Person(l.User); p != nil {
			p.Dialed, p.TurnAt, p.Rung = nil, time.Time{}, 0
			p.OccupiedBy, p.LookAt = answer.User.OccupiedBy, m.now.Add(occupiedLook)
		}
		m.s.Delivery.Judged = false
	}
}

// wantedByCaller reports whether a call whose caller is there occupies a person, or waits for them.
// Another message that wants them is no caller; then the older goes first.
func wantedByCaller(u integration.User) bool {
	return u.OccupiedBy != "" && (u.OccupiedHow == integration.OccupiedWaiting || u.OccupiedHow == integration.OccupiedTalking || u.OccupiedHow == integration.OccupiedRinging)
}
