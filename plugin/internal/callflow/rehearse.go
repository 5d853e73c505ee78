package callflow

import (
	"fmt"
	"slices"
	"time"
)

// Rehearsal is a call that never was: what the flow would do at a moment, if nobody answered.
type Rehearsal struct {
	Menu     *MenuReply // what the caller is asked; nil: there is no menu
	NoChoice bool       // the keys pressed choose nothing
	Team     *Team      // whom the caller reaches; nil: nobody was chosen
	Notes    []string   // what the alert's log would say until somebody is rung
	Reach    Reach      // how people are reached: acknowledge, ring or both
	Layers   []RehearsedLayer
	Unknown  bool // the platform could not say who is on call

	// Exit is why the caller finally leaves, and Farewell what the caller is then given: a RecordReply, a HangupReply or a RejectReply;
	// nil where the rehearsal ends at the menu.
	Exit     Exit
	Farewell Reply
}

// RehearsedLayer is a layer of people. Layers without anybody between others are listed, empty.
type RehearsedLayer struct {
	Layer  int
	People []RehearsedPerson
}

// RehearsedPerson is somebody on call.
type RehearsedPerson struct {
	User   User
	Phones []string      // in the order in which they are dialed, each if the one before is not answered
	After  time.Duration // from the acknowledgement, or from the layer's turn, to the first dialing
	Log    string        // what is noted where there is no phone
}

// Reaches reports whether anybody at all would be rung.
func (r Rehearsal) Reaches() bool {
	return slices.ContainsFunc(r.Layers, func(l RehearsedLayer) bool {
		return slices.ContainsFunc(l.People, func(p RehearsedPerson) bool { return len(p.Phones) > 0 })
	})
}

// Rehearse finds out who would be reached, by running [Step] itself with requests as Twilio would make them, and with a
// platform that pages one layer after the other: nobody answers, until nobody is left. Digits are the keys pressed in the
// menu; "": none. If needs come back, the rehearsal is to be run again with their answers among facts; the need for people on
// call is for all layers (Layer 0), see [Answer].
func Rehearse(config Config, facts Facts, caller Caller, digits string, now time.Time) (Rehearsal, []Need) {
	if caller.Sid == "" {
		caller.Sid = "CA" + fmt.Sprintf("%032x", 0)
	}
	facts.Alert = nil
	x := &rehearsal{c: config, f: facts, caller: caller, now: now}
	x.out.Reach = config.reach(facts.Capabilities)
	x.run(digits)
	if len(x.needs) > 0 {
		return Rehearsal{}, x.needs
	}
	return x.out, nil
}

// rehearsal is one run of Rehearse.
type rehearsal struct {
	c      Config
	f      Facts
	caller Caller
	now    time.Time

	s        State
	reply    Reply
	layer    int // whose turn it is
	escalate int // the layer that the flow asked the platform to leave; 0: none
	needs    []Need
	out      Rehearsal
}

func (x *rehearsal) run(digits string) {
	if !x.do(Event{Kind: EventArrival, CallStatus: StatusRinging}) {
		return
	}
	if menu, ok := x.reply.(MenuReply); ok {
		x.out.Menu = &menu
		if digits == "" || !x.do(Event{Kind: EventMenuKeys, Digits: digits, Step: x.s.Step}) {
			return
		}
		if x.out.NoChoice = x.s.Phase == PhaseChoosing; x.out.NoChoice {
			return
		}
	}
	x.out.Team = x.s.Team
	if x.s.Phase == PhaseHolding {
		if !x.do(Event{Kind: EventTick, QueueSid: "QU"}) || !x.people() || !x.reach() || !x.bye() {
			return
		}
	}
	x.out.Exit, x.out.Farewell = x.s.Exit, x.reply
}

// do is one step, with the answers that are known.
func (x *rehearsal) do(e Event) bool {
	e.Auth, e.Facts = AuthSigned, x.f
	if e.Kind.callerLeg() {
		caller := x.caller
		e.Caller = &caller
		if e.CallStatus == "" {
			e.CallStatus = StatusInProgress
		}
	}
	for {
		s, reply, effects := Step(x.c, x.s, e, x.now)
		needs := Needs(effects)
		if len(needs) == 0 {
			x.s, x.reply = s, reply
			x.note(effects)
			return true
		}
		e.Facts.Answers = slices.Clone(e.Facts.Answers)
		for _, n := range needs {
			if a, ok := x.known(n); ok {
				e.Facts.Answers = append(e.Facts.Answers, a)
			}
		}
		if len(x.needs) > 0 {
			return false
		}
	}
}

// known answers from what was asked before; what is missing is asked for.
func (x *rehearsal) known(n Need) (Answer, bool) {
	ask := func(n Need) {
		if !slices.Contains(x.needs, n) {
			x.needs = append(x.needs, n)
		}
	}
	switch n.Kind {
	case NeedOnCall:
		all := Need{Kind: NeedOnCall, Team: n.Team}
		for _, a := range x.f.Answers {
			if a.Need == all {
				out := Answer{Need: n, NoAnswer: a.NoAnswer}
				for i, u := range a.OnCall {
					if i < len(a.Layers) && a.Layers[i] == n.Layer {
						u.OccupiedBy = ""
						out.OnCall = append(out.OnCall, u)
					}
				}
				return out, true
			}
		}
		ask(all)
	case NeedUser:
		for _, l := range x.out.Layers {
			for _, p := range l.People {
				if p.User.ID == n.User {
					u := p.User
					u.OccupiedBy = ""
					return Answer{Need: n, User: &u}, true
				}
			}
		}
		return Answer{Need: n}, true // nobody whom this rehearsal knows
	case NeedRoute:
		ask(n)
	}
	return Answer{}, false
}

// people asks for everybody on call and lists them by layer.
func (x *rehearsal) people() bool {
	all := Need{Kind: NeedOnCall, Team: x.s.Team.ID}
	i := slices.IndexFunc(x.f.Answers, func(a Answer) bool { return a.Need == all })
	if i < 0 {
		x.needs = append(x.needs, all)
		return false
	}
	a := x.f.Answers[i]
	x.out.Unknown = a.NoAnswer
	for i, u := range a.OnCall {
		if i >= len(a.Layers) || a.Layers[i] < 1 {
			continue
		}
		for len(x.out.Layers) < a.Layers[i] {
			x.out.Layers = append(x.out.Layers, RehearsedLayer{Layer: len(x.out.Layers) + 1})
		}
		l := &x.out.Layers[a.Layers[i]-1]
		l.People = append(l.People, RehearsedPerson{User: u})
	}
	return true
}

// note keeps what a step would have done.
func (x *rehearsal) note(effects []Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case DialLeg:
			leg := (&machine{s: x.s}).leg(e.Leg)
			layer := leg.Layer
			if layer == 0 { // rung for an acknowledgement
				layer = x.layer
			}
			if p := x.person(layer, leg.User); p != nil && !slices.Contains(p.Phones, e.Phone) {
				if len(p.Phones) == 0 {
					p.After = e.At.Sub(x.now)
				}
				p.Phones = append(p.Phones, e.Phone)
			}
		case Command:
			switch {
			case e.Kind == CommandEscalate:
				x.escalate = e.Layer
			case e.Kind != CommandLog:
			case x.layer == 0:
				x.out.Notes = append(x.out.Notes, e.Text)
			case e.Actor != "":
				if p := x.person(x.layer, e.Actor); p != nil && len(p.Phones) == 0 {
					p.Log = e.Text
				}
			}
		default:
		}
	}
}

func (x *rehearsal) person(layer int, user string) *RehearsedPerson {
	if layer < 1 || layer > len(x.out.Layers) {
		return nil
	}
	for i := range x.out.Layers[layer-1].People {
		if p := &x.out.Layers[layer-1].People[i]; p.User.ID == user {
			return p
		}
	}
	return nil
}

// alert is what the platform tells of the alert.
func (x *rehearsal) alert(status AlertStatus, layer int, acks ...Ack) bool {
	x.escalate = 0
	x.f.Alert = &Snapshot{
		Status: status, Teams: []string{x.s.Team.ID}, Layer: layer, Round: min(layer, 1), Acknowledgements: acks,
		LastCommand: x.s.Alert.Commands, ReadAt: x.now,
	}
	return x.do(Event{Kind: EventAlert})
}

// after is the next layer that has anybody; 0: none.
func (x *rehearsal) after(layer int) int {
	for _, l := range x.out.Layers {
		if l.Layer > layer && len(l.People) > 0 {
			return l.Layer
		}
	}
	return 0
}

// reach lets every layer have its turn.
func (x *rehearsal) reach() bool {
	for x.layer = x.after(0); x.layer > 0; x.layer = x.after(x.layer) {
		if !x.alert(AlertOpen, x.layer) {
			return false
		}
		if x.out.Reach == ReachAcknowledge {
			if !x.acknowledge() {
				return false
			}
			continue
		}
		for x.escalate == 0 && x.s.Exit == "" && x.s.Phase == PhaseHolding {
			if ok, more := x.nobodyAnswers(""); !ok || !more {
				return ok
			}
		}
		if x.s.Exit != "" || x.s.Phase != PhaseHolding {
			return true // a platform that pages no second layer: the flow has rung them all
		}
	}
	x.layer = len(x.out.Layers) + 1
	return x.alert(AlertDropped, 0)
}

// acknowledge lets each person of the layer acknowledge, each in a world of their own.
func (x *rehearsal) acknowledge() bool {
	for _, p := range x.out.Layers[x.layer-1].People {
		world := *x
		user := p.User.ID
		if !x.f.Capabilities.AcknowledgedByUser {
			user = ""
		}
		if !world.alert(AlertAcknowledged, x.layer, Ack{ID: "rehearsed", User: user, At: x.now}) {
			x.needs = world.needs
			return false
		}
		for {
			if ok, more := world.nobodyAnswers(user); !ok || !more {
				x.needs = world.needs
				break
			}
		}
		if user == "" {
			break // whoever acknowledges, all of the layer are rung
		}
	}
	return len(x.needs) == 0
}

// nobodyAnswers lets one phone ring out, one of the user's if there is a user, or lets time pass where the flow wants to look
// again. more is false when nothing is left to happen.
func (x *rehearsal) nobodyAnswers(user string) (ok, more bool) {
	for i := range x.s.Legs {
		l := x.s.Legs[i]
		if !l.live() || user != "" && l.User != user {
			continue
		}
		sid := fmt.Sprintf("CA%032x", i+1)
		ok = x.do(Event{Kind: EventDialed, Leg: l.ID, Result: Done, CallSid: sid}) &&
			x.do(Event{Kind: EventLegStatus, Leg: l.ID, CallSid: sid, CallStatus: StatusNoAnswer})
		return ok, ok
	}
	if at := x.s.Alert.AskAgainAt; user == "" && !at.IsZero() && !x.out.Unknown {
		x.now = at
		return x.do(Event{Kind: EventTimer, Timer: "ask-again"}), true
	}
	return true, false
}

// bye leads the caller out of the queue. A call that is stuck waits for as long as is set.
func (x *rehearsal) bye() bool {
	if x.s.Phase == PhaseHolding {
		x.now = x.s.Hold.MaxWaitAt
		if !x.do(Event{Kind: EventTimer, Timer: "max-wait"}) {
			return false
		}
	}
	return x.do(Event{Kind: EventTick, QueueSid: "QU", Tick: 1}) &&
		x.do(Event{Kind: EventLeft, QueueResult: "leave", QueueSid: "QU", Step: x.s.Step})
}
