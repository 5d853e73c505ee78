package callflow

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

const (
	takeBackLimit = 3
	askAgain      = 10 * time.Second // after the platform could not answer a question
)

// pursue rings whom acknowledgements and escalation layers name. Each acknowledgement and each
// layer of a round counts once. With an exit pending no new leg is started.
func (m *machine) pursue() {
	a := &m.s.Alert
	if !a.AskAgainAt.IsZero() && !a.AskAgainAt.After(m.now) {
		a.AskAgainAt = time.Time{}
	}
	for _, k := range a.Acks {
		if !m.seen(k.ID) {
			m.pursueAck(k)
		}
	}
	// An acknowledgement that is still in force, though nobody is being rung for it, is one to be
	// taken back: it came during a conversation that fell apart, or taking it back did not work.
	if n := len(a.Acks); n > 0 && a.Status == integration.AlertAcknowledged && a.PursuedAck == "" && m.seen(a.Acks[n-1].ID) {
		a.PursuedAck = a.Acks[n-1].ID
	}
	m.pursueLayer()
}

// pursueAck rings whoever acknowledged.
func (m *machine) pursueAck(k Ack) {
	a := &m.s.Alert
	if k.At.IsZero() {
		k.At = m.now
	}
	switch {
	case k.User != "" && slices.Contains(a.OwnAcks, k.User):
		// Ours, in the name of the one who took the call.
	case m.s.Exit != "":
		m.log("Acknowledged, but the caller is about to leave the hold: nobody is rung.", k.User)
	case k.User == "" && !m.f.Instance.Capabilities.AcknowledgedByUser:
		// The platform does not say who: whoever is on call for the layer that was paged.
		people, ok := m.onCall(max(a.Layer, 1))
		if !ok {
			return
		}
		m.log("Acknowledged; whoever is on call is rung.", "")
		for _, u := range people {
			m.ring(u, Leg{Ack: k.ID, AckedAt: k.At, Layer: max(a.Layer, 1)}, m.c.DialPause)
		}
	case k.User == "":
		m.log("Acknowledged by an automation: there is no phone to ring.", "")
	case m.ringing(k.User):
		m.log("Acknowledged by somebody who is being rung already.", k.User)
	case m.c.reach(m.f.Instance.Capabilities) == ReachRing:
		m.log("Acknowledged; by option, phones are rung by layer only.", k.User)
	default:
		answer, ok := m.ask(AskUser(k.User))
		if !ok {
			return
		}
		if unanswered(answer) {
			a.AskAgainAt = m.now.Add(askAgain)
			return
		}
		u := integration.User{ID: k.User}
		if answer.User != nil {
			u = *answer.User
			u.ID = k.User
		}
		m.ring(u, Leg{Ack: k.ID, AckedAt: k.At}, m.c.DialPause)
	}
	m.see(k)
	a.PursuedAck = k.ID
}

// ringing reports whether a person's phone is being rung, or the person asked.
func (m *machine) ringing(user string) bool {
	return slices.ContainsFunc(m.s.Legs, func(l Leg) bool { return l.User == user && l.live() })
}

// pursueLayer rings the on-call people of a layer when the platform reaches it.
func (m *machine) pursueLayer() {
	a := &m.s.Alert
	caps := m.f.Instance.Capabilities
	layer := a.Layer
	if layer == 0 && !caps.Escalate {
		layer = 1 // a platform without layers to speak of
	}
	if m.s.Exit != "" || m.c.reach(caps) == ReachAcknowledge || !a.Routed || a.Status != integration.AlertOpen || a.AckPending || layer == 0 ||
		(layer == a.RungLayer && a.Round == a.RungRound) {
		return
	}
	if a.Round != a.RungRound {
		a.OwnLayer = 0 // the layers are paged over again
	}
	if layer > a.OwnLayer {
		people, ok := m.onCall(layer)
		if !ok {
			return
		}
		m.ringLayer(people, layer)
	}
	a.RungLayer, a.RungRound, a.OwnLayer = layer, a.Round, max(a.OwnLayer, layer)
}

// ringLayer rings the people of a layer and reports whether there was anybody.
func (m *machine) ringLayer(people []integration.User, layer int) {
	if len(people) == 0 {
		m.log("Nobody is on call at this level.", "")
	}
	for _, u := range people {
		m.ring(u, Leg{Layer: layer}, 0)
	}
}

func (m *machine) teamID() string {
	if m.s.Team == nil {
		return ""
	}
	return m.s.Team.ID
}

// nobodyTook goes on to the next people when no leg is live any more: an acknowledgement is taken
// back and the platform escalates; a layer is escalated once; on a platform that cannot, we ring
// the next layer ourselves.
func (m *machine) nobodyTook() {
	a := &m.s.Alert
	if m.s.Phase != PhaseHolding || m.s.Exit != "" || !a.Routed || a.AckPending || !a.AskAgainAt.IsZero() {
		return
	}
	layered := a.RungLayer > 0 && a.Status == integration.AlertOpen
	for i := range m.s.Legs {
		l := &m.s.Legs[i]
		if l.live() && (!l.Occupied || l.Ack != "" || a.PursuedAck != "") {
			return
		}
	}
	caps := m.f.Instance.Capabilities
	able := caps.Reopen && caps.Escalate && !a.Stubborn
	switch {
	case a.PursuedAck != "" && able:
		if m.s.TakeBacks >= takeBackLimit {
			m.pend(ExitNobody)
			return
		}
		m.takeBack()
	case a.PursuedAck != "":
		m.ownLayer()
	case layered && caps.Escalate && !a.Stubborn:
		if a.LeftLayer == a.RungLayer && a.LeftRound == a.RungRound {
			return // commanded; the platform goes on
		}
		a.LeftLayer, a.LeftRound = a.RungLayer, a.RungRound
		m.decide(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.RungLayer, Round: max(a.RungRound, 1), Text: "nobody at this level took the call"})
	case layered:
		m.ownLayer()
	}
}

// takeBack undoes what was acknowledged and has the platform turn to the next people. An alert that
// was acknowledged before it reached any layer begins with the first one when it is opened again:
// to escalate then would skip that layer.
func (m *machine) takeBack() {
	a := &m.s.Alert
	m.s.TakeBacks++
	for _, k := range a.Acks {
		m.decide(integration.AlertCommand{Kind: integration.AlertReopen, Ack: k.ID, Text: "the caller was not connected"})
	}
	if a.Layer > 0 {
		a.LeftLayer, a.LeftRound = a.Layer, a.Round
		m.decide(integration.AlertCommand{Kind: integration.AlertEscalate, Layer: a.Layer, Round: max(a.Round, 1), Text: "the caller was not connected"})
	} else {
		a.RungLayer, a.RungRound, a.LeftLayer, a.LeftRound, a.OwnLayer = 0, 0, 0, 0, 0
	}
	a.PursuedAck, a.Acks, a.Status = "", nil, integration.AlertOpen
}

// ownLayer rings the next on-call layer on a platform that cannot reopen or escalate. One layer an
// event: the rest is left to the next, which a timer brings if nothing else does.
func (m *machine) ownLayer() {
	a := &m.s.Alert
	next := max(a.OwnLayer, a.Layer, 1) + 1
	people, ok := m.onCall(next)
	switch {
	case !ok:
	case len(people) == 0:
		m.pend(ExitNobody)
	default:
		a.OwnLayer = next
		m.ringLayer(people, next)
		if m.live() == 0 {
			a.AskAgainAt = m.now.Add(time.Second)
		}
	}
}
