package callflow

import (
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/wording"
)

const (
	// firstTurn is how long somebody is tried at least before the next layer is brought in, where
	// the ring limit is shorter.
	firstTurn = 20 * time.Second
	// retryFloor is the pause before a phone that was busy, failed or whose person is on another
	// call is tried again within the first turn.
	retryFloor = 10 * time.Second
	// ringFloor is the shortest time from one ringing of a number to the next, once the first turn
	// is over: a caller who waits an hour must not turn a phone into an alarm bell.
	ringFloor = 60 * time.Second
	// occupiedLook is how often somebody on another call is looked at, should the host's hint be
	// lost.
	occupiedLook = 15 * time.Second
)

// turn is how long a person is tried before the next layer is brought in.
func (m *machine) turn() time.Duration { return max(m.c.RingTimeout, firstTurn) }

// tried reports whether a person has had their turn: no phone is at work, each had an attempt (or
// the person is on another call), and the time of a turn went by since it began. Only then is the
// next layer brought in, so nobody is passed over because a phone of theirs was slow.
func (m *machine) tried(p *call.Person) bool {
	if p.TurnAt.IsZero() || m.s.AtWork(p) || m.now.Before(p.TurnAt.Add(m.turn())) {
		return false
	}
	return p.OccupiedBy != "" || m.untriedPhone(p) == ""
}

// done reports whether nothing more is expected of a person before the next layer is brought in. It
// does not say that they are not rung again: see again.
func (m *machine) done(p *call.Person) bool { return p.Passed || m.s.Unringable(p) || m.tried(p) }

// untriedPhone is the person's first usable phone without an attempt in this turn; "" if none.
func (m *machine) untriedPhone(p *call.Person) string {
	for _, phone := range m.s.Usable(p) {
		if !slices.Contains(p.Dialed, phone) {
			return phone
		}
	}
	return ""
}

// nextRing is the phone to dial next for a person, and the earliest time for it. ok is false where
// nothing is to be dialed. again says that people who had their turn are rung again. Phones come in
// the person's own order while they are tried for the first time, then by who may ring soonest.
func (m *machine) nextRing(p *call.Person, again bool) (phone string, at time.Time, ok bool) {
	if p.Passed || m.s.Unringable(p) || m.s.AtWork(p) {
		return "", time.Time{}, false
	}
	if phone = m.untriedPhone(p); phone != "" {
		return phone, p.StartAt, true
	}
	// All phones had an attempt. Within the turn a busy or failed one is tried again after a short
	// pause, later at ringFloor.
	end := p.TurnAt.Add(m.turn())
	for _, candidate := range m.s.Usable(p) {
		n := m.s.Known(candidate)
		due := n.EndedAt.Add(retryFloor)
		if inTurn := n.Reason.Passing() && due.Before(end) && m.now.Before(end); !inTurn {
			if !again {
				continue
			}
			if due = n.DialedAt.Add(ringFloor); due.Before(end) {
				due = end
			}
		}
		if !ok || due.Before(at) {
			phone, at, ok = candidate, due, true
		}
	}
	return phone, at, ok
}

// bring adds somebody to the call, or brings what is known of them up to date. The pointer is good
// until somebody else is brought in, as the list may move.
func (m *machine) bring(u integration.User, layer int) *call.Person {
	p := m.s.Person(u.ID)
	if p == nil {
		m.s.People = append(m.s.People, call.Person{User: u.ID, Layer: layer})
		p = &m.s.People[len(m.s.People)-1]
		p.Phones, _ = m.withoutOwn(u.Phones)
		m.countSharedRings(p)
	}
	if p.Layer == 0 {
		p.Layer = layer
	}
	own := false
	p.Name = u.Name
	p.Phones, own = m.withoutOwn(u.Phones)
	m.occupy(p, u.OccupiedBy, u.OccupiedHow)
	m.explain(p, own)
	return p
}

// withoutOwn leaves out the number that the caller dialed: a call to it would come back here, be
// answered, and go round for ever. own reports whether it was among the phones.
func (m *machine) withoutOwn(phones []string) (others []string, own bool) {
	for _, phone := range phones {
		if phone == m.s.Caller.Called {
			own = true
			continue
		}
		others = append(others, phone)
	}
	return others, own
}

// countSharedRings lets a number that was rung a moment ago for somebody else count for a person
// who is brought in: it rings once for both.
func (m *machine) countSharedRings(p *call.Person) {
	for _, phone := range p.Phones {
		if n := m.s.Known(phone); !n.DialedAt.IsZero() && m.now.Sub(n.DialedAt) < ringFloor {
			p.NoteDial(phone, n.DialedAt)
		}
	}
}

// occupy notes whether a person is on another call, or wanted by one that is older. how is one of
// the words of [integration.User.OccupiedHow]. The first time is a line of the story. Their turn
// begins all the same, so an occupied person holds up the next layer no longer than another.
func (m *machine) occupy(p *call.Person, by, how string) {
	switch {
	case by == "", m.s.Unringable(p):
		// Who cannot be rung is not rung when the other call ends either.
		p.OccupiedBy, p.LookAt = "", time.Time{}
	case m.s.AtWork(p):
		// Both calls began to ring at the same moment. This one goes on: an accept decides.
		p.OccupiedBy, p.LookAt = "", time.Time{}
	default:
		if p.OccupiedBy == "" && !p.Passed {
			text := wording.Occupied(how)
			if m.s.Phase == call.PhaseDelivering {
				text = "is occupied by another call of this hotline, and is rung for the message afterwards."
			}
			m.log(p.Label()+" "+text, p.User)
		}
		if p.TurnAt.IsZero() {
			p.TurnAt = m.now
		}
		p.OccupiedBy, p.LookAt, p.Promised = by, m.now.Add(occupiedLook), !p.Passed
		if m.now.Before(p.TurnAt.Add(m.turn())) {
			p.LookAt = m.now.Add(retryFloor)
		}
	}
}

// explain tells the story once why somebody cannot be rung, or not by one of their phones.
// Explained is taken back once the person has a phone, so that a later loss is told again.
func (m *machine) explain(p *call.Person, own bool) {
	refused := len(p.Phones) > 0 && len(m.s.Usable(p)) == 0
	switch {
	case len(p.Phones) > 0 && !own && !refused:
		p.Explained = false
	case p.Explained:
	case own:
		p.Explained = true
		text := p.Label() + "'s phone " + m.s.Caller.Called + " is this hotline's own number"
		m.log(text+": it is not rung.", p.User)
		m.emit(integration.Finding{Code: effect.FindingLoop, Severity: integration.FindingError, Field: "destinations", At: m.now,
			Message: text + ", so it is not rung. Give " + p.Label() + " another phone."})
	case refused: // for somebody else, who has the same number
		p.Explained = true
		m.log(p.Label()+" cannot be called: Twilio refuses "+strings.Join(p.Phones, " and ")+".", p.User)
	default:
		p.Explained = true
		m.log(p.Label()+" has no phone on file.", p.User)
	}
}
