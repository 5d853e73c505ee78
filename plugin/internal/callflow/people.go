package callflow

import (
	"slices"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
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

// Person is somebody who was brought into the call: on call for a layer that was reached, or
// somebody who acknowledged.
type Person struct {
	User   string   `json:"user"`
	Name   string   `json:"name,omitempty"`
	Phones []string `json:"phones,omitempty"` // E.164, in the order in which to try them
	// By which they were brought in; 0: they are on call for none.
	Layer int `json:"layer,omitempty"`
	// OnCall says that they were on call for a layer that was reached when that was last read.
	OnCall bool `json:"on_call,omitempty"`
	// Acks are their acknowledgements in force that they are being rung for.
	Acks []string `json:"acks,omitempty"`
	// Pressed 2 or declined; a new acknowledgement undoes it.
	Passed bool `json:"passed,omitempty"`
	// StartAt is the earliest time of the first attempt: an acknowledgement is answered after a
	// pause.
	StartAt time.Time `json:"start_at,omitzero"`
	// TurnAt is when their turn began: the first attempt, or the first time they were found on
	// another call. Zero: not yet.
	TurnAt time.Time `json:"turn_at,omitzero"`
	// Dialed are the phones that had an attempt in this turn.
	Dialed []string `json:"dialed,omitempty"`
	// OccupiedBy is the other call that they are on, or that waits for them and is older.
	OccupiedBy string    `json:"occupied_by,omitempty"`
	LookAt     time.Time `json:"look_at,omitzero"` // when an occupied person is looked at again
	// Promised: they were on another call when it was their turn, and are rung when it ends.
	Promised bool `json:"promised,omitempty"`
	// Undone: they acknowledged after they had declined, whatever the platform still lists.
	Undone bool `json:"undone,omitempty"`
	// Rung counts the messages of the call that they were rung for.
	Rung int `json:"rung,omitempty"`
	// Explained says that the story has told why they cannot be rung.
	Explained bool `json:"explained,omitempty"`
}

// Number is what is known of a phone that was dialed for this call. Two people may share one.
type Number struct {
	Phone    string    `json:"phone"`
	DialedAt time.Time `json:"dialed_at,omitzero"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	Reason   LegReason `json:"reason,omitempty"` // of the last attempt
	// Refused: Twilio will not dial it for the rest of this call.
	Refused bool   `json:"refused,omitempty"`
	Code    string `json:"code,omitempty"`    // Twilio's, of the refusal
	Rings   int    `json:"rings,omitempty"`   // attempts so far
	Counted int    `json:"counted,omitempty"` // attempts that the story has counted up
}

// person finds somebody who was brought in, or nil.
func (m *machine) person(user string) *Person {
	for i := range m.s.People {
		if m.s.People[i].User == user {
			return &m.s.People[i]
		}
	}
	return nil
}

// number finds what is known of a phone; it is added if need be.
func (m *machine) number(phone string) *Number {
	for i := range m.s.Numbers {
		if m.s.Numbers[i].Phone == phone {
			return &m.s.Numbers[i]
		}
	}
	m.s.Numbers = append(m.s.Numbers, Number{Phone: phone})
	return &m.s.Numbers[len(m.s.Numbers)-1]
}

// known is number without adding: a question alone must leave the state as it is.
func (m *machine) known(phone string) Number {
	for _, n := range m.s.Numbers {
		if n.Phone == phone {
			return n
		}
	}
	return Number{Phone: phone}
}

// usable are the person's phones that Twilio does not refuse, in their order.
func (m *machine) usable(p *Person) []string {
	var out []string
	for _, phone := range p.Phones {
		if !m.known(phone).Refused {
			out = append(out, phone)
		}
	}
	return out
}

// unringable reports whether nothing can make this person's phone ring.
func (m *machine) unringable(p *Person) bool {
	return m.s.AccountRefused || len(m.usable(p)) == 0
}

// atWork reports whether a phone of the person is being dialed, rings, or asks. A number that two
// people share counts for both.
func (m *machine) atWork(p *Person) bool {
	return slices.ContainsFunc(m.s.Legs, func(l Leg) bool {
		return l.live() && (l.User == p.User || slices.Contains(p.Phones, l.Phone))
	})
}

// turn is how long a person is tried before the next layer is brought in.
func (m *machine) turn() time.Duration { return max(m.c.RingTimeout, firstTurn) }

// tried reports whether a person has had their turn: no phone is at work, each had an attempt (or
// the person is on another call), and the time of a turn went by since it began.
func (m *machine) tried(p *Person) bool {
	if p.TurnAt.IsZero() || m.atWork(p) || m.now.Before(p.TurnAt.Add(m.turn())) {
		return false
	}
	return p.OccupiedBy != "" || m.untriedPhone(p) == ""
}

// done reports whether nothing more is expected of a person before the next layer is brought in.
func (m *machine) done(p *Person) bool { return p.Passed || m.unringable(p) || m.tried(p) }

// untriedPhone is the person's first usable phone without an attempt in this turn; "" if none.
func (m *machine) untriedPhone(p *Person) string {
	for _, phone := range m.usable(p) {
		if !slices.Contains(p.Dialed, phone) {
			return phone
		}
	}
	return ""
}

// nextRing is the phone to dial next for a person, and the earliest time for it. ok is false where
// nothing is to be dialed. again says that people who had their turn are rung again.
func (m *machine) nextRing(p *Person, again bool) (phone string, at time.Time, ok bool) {
	if p.Passed || m.unringable(p) || m.atWork(p) {
		return "", time.Time{}, false
	}
	if phone = m.untriedPhone(p); phone != "" {
		return phone, p.StartAt, true
	}
	end := p.TurnAt.Add(m.turn())
	for _, candidate := range m.usable(p) {
		n := m.known(candidate)
		due := n.EndedAt.Add(retryFloor)
		if inTurn := n.Reason.passing() && due.Before(end) && m.now.Before(end); !inTurn {
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

// passing reports whether a reason may be gone in a few seconds: the phone itself may well ring
// then.
func (r LegReason) passing() bool {
	return r == ReasonBusy || r == ReasonFailed || r == ReasonLost
}

// bring adds somebody to the call, or brings what is known of them up to date.
func (m *machine) bring(u integration.User, layer int) *Person {
	p := m.person(u.ID)
	if p == nil {
		m.s.People = append(m.s.People, Person{User: u.ID, Layer: layer})
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
func (m *machine) countSharedRings(p *Person) {
	for _, phone := range p.Phones {
		if n := m.known(phone); !n.DialedAt.IsZero() && m.now.Sub(n.DialedAt) < ringFloor {
			p.noteDial(phone, n.DialedAt)
		}
	}
}

// noteDial notes that a phone of the person is dialed in this turn.
func (p *Person) noteDial(phone string, at time.Time) {
	if p.TurnAt.IsZero() || at.Before(p.TurnAt) {
		p.TurnAt = at
	}
	if !slices.Contains(p.Dialed, phone) {
		p.Dialed = append(p.Dialed, phone)
	}
	p.Promised = false
}

// occupy notes whether a person is on another call, or wanted by one that is older. how is one of
// the words of [integration.User.OccupiedHow].
func (m *machine) occupy(p *Person, by, how string) {
	switch {
	case by == "", m.unringable(p):
		// Who cannot be rung is not rung when the other call ends either.
		p.OccupiedBy, p.LookAt = "", time.Time{}
	case m.atWork(p):
		// Both calls began to ring at the same moment. This one goes on: an accept decides.
		p.OccupiedBy, p.LookAt = "", time.Time{}
	default:
		if p.OccupiedBy == "" && !p.Passed {
			text := occupiedText(how)
			if m.s.Phase == PhaseDelivering {
				text = "is occupied by another call of this hotline, and is rung for the message afterwards."
			}
			m.log(p.label()+" "+text, p.User)
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

// occupiedText says why somebody is not rung yet.
func occupiedText(how string) string {
	switch how {
	case integration.OccupiedTalking:
		return "is on another call of this hotline, and is rung when it ends."
	case integration.OccupiedRinging:
		return "is being rung for another caller, and is rung for this one when that call ends or somebody else takes it."
	case integration.OccupiedWaiting:
		return "is awaited by a caller who called earlier, and is rung for this one afterwards."
	case integration.OccupiedTelling:
		return "is being told of a message, and is rung for this caller now."
	}
	return "is occupied by another call of this hotline, and is rung when it ends."
}

// explain tells the story once why somebody cannot be rung, or not by one of their phones.
func (m *machine) explain(p *Person, own bool) {
	refused := len(p.Phones) > 0 && len(m.usable(p)) == 0
	switch {
	case len(p.Phones) > 0 && !own && !refused:
		p.Explained = false
	case p.Explained:
	case own:
		p.Explained = true
		text := p.label() + "'s phone " + m.s.Caller.Called + " is this hotline's own number"
		m.log(text+": it is not rung.", p.User)
		m.emit(integration.Finding{Code: FindingLoop, Severity: integration.FindingError, Field: "destinations", At: m.now,
			Message: text + ", so it is not rung. Give " + p.label() + " another phone."})
	case refused: // for somebody else, who has the same number
		p.Explained = true
		m.log(p.label()+" cannot be called: Twilio refuses "+strings.Join(p.Phones, " and ")+".", p.User)
	default:
		p.Explained = true
		m.log(p.label()+" has no phone on file.", p.User)
	}
}

// label names a person in the story.
func (p *Person) label() string {
	if p.Name != "" {
		return p.Name
	}
	return p.User
}

// clone returns a copy that shares nothing with p.
func (p Person) clone() Person {
	p.Phones, p.Acks, p.Dialed = slices.Clone(p.Phones), slices.Clone(p.Acks), slices.Clone(p.Dialed)
	return p
}
