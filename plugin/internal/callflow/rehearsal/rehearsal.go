package rehearsal

import (
	"fmt"
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// Result is a call that never was: what the flow would do at a moment, if nobody answered. It is
// words and lists for pages: nothing in it can be handed to a call.
type Result struct {
	Menu     *reply.Menu  // what the caller is asked; nil: there is no menu
	NoChoice bool         // the keys pressed choose nothing
	Team     *call.Team   // whom the caller reaches; nil: nobody was chosen
	Notes    []string     // what the alert's log would say until somebody is rung
	Reach    config.Reach // how people are reached: acknowledge, ring or both
	Layers   []Layer
	Unknown  bool // the platform could not say who is on call

	// Exit is why the caller finally leaves, and Farewell what the caller is then given: a
	// reply.Record, a reply.Hangup or a reply.Reject; nil where the rehearsal ends at the menu.
	Exit     call.Exit
	Farewell reply.Reply
}

// Layer is a layer of people. Layers without anybody between others are listed, empty. Its number
// is that of the platform, from 1.
type Layer struct {
	Layer int
	// After is when the layer is rung by itself, from the beginning of the hold; 0: at once, or not
	// before somebody acknowledges.
	After  time.Duration
	People []Person
}

// Person is somebody on call.
type Person struct {
	User integration.User
	// In the order in which they are dialed, each if the one before is not answered.
	Phones []string
	After  time.Duration // from the acknowledgement, or from the layer's turn, to the first dialing
	Log    string        // what is noted where there is no phone
	Busy   bool          // on another call of this hotline: rung when it ends
}

// Reaches reports whether anybody at all would be rung. A layer with people whose phones cannot be
// rung does not count.
func (r Result) Reaches() bool {
	return slices.ContainsFunc(r.Layers, func(l Layer) bool {
		return slices.ContainsFunc(l.People, func(p Person) bool { return len(p.Phones) > 0 })
	})
}

// Run finds out who would be reached at Facts.Now, by running [callflow.Step] itself with requests
// as Twilio would make them, and with a platform that pages one layer after the other: nobody
// answers, until nobody is left. Digits are the keys pressed in the menu; "": none. If questions
// come back, the rehearsal is to be run again with their answers among the facts; who is on call is
// asked for all layers at once. Parameters are as in [event.Event]. It sends nothing and stores
// nothing.
func Run(c config.Config, facts integration.Facts, caller call.Caller, parameters map[string]string, digits string) (Result, []integration.Question) {
	// Any SID will do, as long as it is always the same: the id of a call is part of what rules
	// see.
	if caller.Sid == "" {
		caller.Sid = "CA" + fmt.Sprintf("%032x", 0)
	}
	// A snapshot would be of another call.
	facts.Alert = nil
	x := &rehearsal{c: c, f: facts, caller: caller, parameters: parameters}
	x.out.Reach = c.ReachOn(facts.Instance.Capabilities)
	x.run(digits)
	if len(x.questions) > 0 {
		return Result{}, x.questions
	}
	return x.out, nil
}

// rehearsal is a call while it is played. It is played to its end, or to the first answer that is
// missing; then all of it is played again.
type rehearsal struct {
	c      config.Config
	f      integration.Facts
	caller call.Caller
	// parameters are those of the request that the call would arrive with
	parameters map[string]string

	s         call.State
	reply     reply.Reply
	heldAt    time.Time
	layer     int // whose turn it is
	escalate  int // the layer that the flow asked the platform to leave; 0: none
	questions []integration.Question
	out       Result
}

// run plays the call to its end: arrival, menu, hold, the way out.
func (x *rehearsal) run(digits string) {
	if !x.do(event.Event{Kind: event.Arrival, CallStatus: event.StatusRinging}) {
		return
	}
	if menu, ok := x.reply.(reply.Menu); ok {
		x.out.Menu = &menu
		if digits == "" || !x.do(event.Event{Kind: event.MenuKeys, Digits: digits, Step: x.s.Step}) {
			return
		}
		// Wrong keys leave the caller in the menu.
		if x.out.NoChoice = x.s.Phase == call.PhaseChoosing; x.out.NoChoice {
			return
		}
	}
	x.out.Team = x.s.Team
	// The first tick tells the queue's name, as a real one would.
	if x.s.Phase == call.PhaseHolding {
		x.heldAt = x.f.Now
		if !x.do(event.Event{Kind: event.Tick, QueueSid: "QU"}) || !x.people() || !x.reach() || !x.leaveQueue() {
			return
		}
	}
	x.out.Exit, x.out.Farewell = x.s.Exit, x.reply
	// Nobody was called who could be listed, and people are called to hear the message.
	if x.out.Team != nil && x.out.Exit == call.ExitStraight && x.c.Delivers(x.f.Instance.Capabilities) && !x.people() {
		return
	}
	for i := range x.out.Layers {
		for k := range x.out.Layers[i].People {
			p := &x.out.Layers[i].People[k]
			for n := 1; n <= i && len(p.Phones) == 0 && p.Log == ""; n++ {
				// Somebody of an earlier layer as well.
				if first := x.person(n, p.User.ID); first != nil {
					p.Phones, p.After, p.Log = first.Phones, first.After, first.Log
				}
			}
			if p.User.OccupiedBy != "" && len(p.Phones) == 0 && len(p.User.Phones) > 0 {
				p.Phones, p.Busy, p.Log = p.User.Phones, true, ""
			}
		}
	}
}

// do is one step, with the answers that are known; false where one is missing, which is then among
// the questions. Requests count as signed: a rehearsal is not about forgery. The loop ends because
// each question is answered once, by what is known or not at all.
func (x *rehearsal) do(e event.Event) bool {
	e.Auth, e.Facts = event.AuthSigned, x.f
	if callflow.OfCaller(e.Kind) {
		caller := x.caller
		e.Caller, e.Parameters = &caller, x.parameters
		if e.CallStatus == "" {
			e.CallStatus = event.StatusInProgress
		}
	}
	for {
		s, reply, effects := callflow.Step(x.c, x.s, e)
		questions := effect.Questions(effects)
		if len(questions) == 0 {
			x.s, x.reply = s, reply
			x.note(effects)
			return true
		}
		e.Facts.Answers = slices.Clone(e.Facts.Answers)
		for _, q := range questions {
			if a, ok := x.known(q); ok {
				e.Facts.Answers = append(e.Facts.Answers, a)
			}
		}
		if len(x.questions) > 0 {
			return false
		}
	}
}

// ask puts a question that only the platform can answer. Equal questions are asked once.
func (x *rehearsal) ask(q integration.Question) {
	if !slices.ContainsFunc(x.questions, func(other integration.Question) bool { return other.ID == q.ID }) {
		x.questions = append(x.questions, q)
	}
}

// known answers from what was asked before; what is missing is asked for. On-call questions for one
// layer are answered from the answer for all.
func (x *rehearsal) known(q integration.Question) (integration.Answer, bool) {
	switch q.Kind {
	case integration.AskOnCall:
		all := effect.AskOnCall(q.Team, 0)
		a, ok := effect.Answered(x.f.Answers, all)
		if !ok {
			x.ask(all)
			return a, false
		}
		return integration.Answer{ID: q.ID, Err: a.Err, OnCall: a.OnCall}, true
	case integration.AskUser:
		for _, l := range x.out.Layers {
			for _, p := range l.People {
				if p.User.ID == q.User {
					u := p.User
					return integration.Answer{ID: q.ID, User: &u}, true
				}
			}
		}
		return integration.Answer{ID: q.ID}, true // nobody whom this rehearsal knows
	case integration.AskRecentCalls:
		return integration.Answer{ID: q.ID}, true // a rehearsal is the first call
	case integration.AskRoute:
		x.ask(q)
	}
	return integration.Answer{}, false
}

// people asks for everybody on call and lists them by layer. False where the platform has to be
// asked first.
func (x *rehearsal) people() bool {
	all := effect.AskOnCall(x.s.Team.ID, 0)
	a, ok := effect.Answered(x.f.Answers, all)
	if !ok {
		x.ask(all)
		return false
	}
	x.out.Unknown = a.Err != nil
	for _, e := range a.OnCall {
		// No platform has such a layer; it would have no place in the list.
		if e.Layer < 1 {
			continue
		}
		for len(x.out.Layers) < e.Layer {
			x.out.Layers = append(x.out.Layers, Layer{Layer: len(x.out.Layers) + 1})
		}
		l := &x.out.Layers[e.Layer-1]
		if slices.ContainsFunc(l.People, func(p Person) bool { return p.User.ID == e.User.ID }) {
			continue // by two schedules
		}
		l.People = append(l.People, Person{User: e.User})
	}
	return true
}

// note keeps what a step would have done. Everything else that a call would do, such as commands,
// mails and timers, is left out.
func (x *rehearsal) note(effects []effect.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case effect.DialLeg:
			leg := x.s.Leg(e.Leg)
			layer := leg.Layer
			if layer == 0 { // rung for an acknowledgement
				layer = x.layer
			} else if l := &x.out.Layers[layer-1]; l.After == 0 {
				l.After = e.At.Sub(x.heldAt)
			}
			if p := x.person(layer, leg.User); p != nil && !slices.Contains(p.Phones, e.Phone) {
				if len(p.Phones) == 0 {
					p.After = e.At.Sub(x.f.Now)
				}
				p.Phones = append(p.Phones, e.Phone)
			}
		case integration.AlertCommand:
			switch {
			case e.Kind == integration.AlertEscalate:
				x.escalate = e.Layer
			case e.Kind != integration.AlertLog:
			case x.layer == 0:
				x.out.Notes = append(x.out.Notes, e.Text)
			case e.Actor != "" && !x.rung(e.Actor):
				for n := x.layer; n <= len(x.out.Layers); n++ {
					// Later ones are rung without the platform.
					if p := x.person(n, e.Actor); p != nil && len(p.Phones) == 0 {
						p.Log = e.Text
						break
					}
				}
			}
		default:
		}
	}
}

// rung reports whether a phone of somebody was dialed, for whatever layer. What the story says of
// them then is what became of that, and no reason why they cannot be reached.
func (x *rehearsal) rung(user string) bool {
	return slices.ContainsFunc(x.out.Layers, func(l Layer) bool {
		return slices.ContainsFunc(l.People, func(p Person) bool { return p.User.ID == user && len(p.Phones) > 0 })
	})
}

// person finds somebody in a layer of the result; nil if they are not there.
func (x *rehearsal) person(layer int, user string) *Person {
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

// alert is what the platform tells of the alert: a snapshot that includes all commands so far. It
// plays the platform's part: whatever was commanded has been done by then.
func (x *rehearsal) alert(status integration.AlertStatus, layer int, acks ...integration.Acknowledgement) bool {
	x.escalate = 0
	x.f.Alert = &integration.AlertSnapshot{
		Status: status, Teams: []string{x.s.Team.ID}, Layer: layer, Round: min(layer, 1), Acknowledgements: acks,
		LastCommand: x.s.Alert.Commands, ReadAt: x.f.Now,
	}
	return x.do(event.Event{Kind: event.Alert})
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

// maxSteps bounds a rehearsal: far more than layers, people and phones ask for. With many the
// result ends early instead of the person waiting.
const maxSteps = 2000

// reach lets every layer have its turn, as a platform does that pages one layer after the other and
// finally drops the alert. It leaves x.layer where notes about people belong.
func (x *rehearsal) reach() bool {
	x.layer = x.after(0)
	switch {
	case x.out.Unknown:
		x.layer = 1
		return true
	// Nobody is on call at all: the platform would drop the alert at once.
	case x.layer == 0:
		x.layer = 1
		return x.alert(integration.AlertDropped, 0)
	case x.out.Reach != config.ReachAcknowledge:
		return x.alert(integration.AlertOpen, x.layer) && x.nobodyAnswers("")
	}
	for ; x.layer > 0; x.layer = x.after(x.layer) {
		if !x.alert(integration.AlertOpen, x.layer) || !x.acknowledge() {
			return false
		}
	}
	x.layer = len(x.out.Layers) + 1
	return x.alert(integration.AlertDropped, 0)
}

// acknowledge lets each person of the layer acknowledge, each in a world of their own. One person's
// acknowledgement must not show in the next one's turn.
func (x *rehearsal) acknowledge() bool {
	for _, p := range x.out.Layers[x.layer-1].People {
		// The copy shares the layers of the result, which collect what happens in each world.
		world := *x
		user := p.User.ID
		if !x.f.Instance.Capabilities.AcknowledgedByUser {
			user = ""
		}
		ack := integration.Acknowledgement{ID: "rehearsed", User: user, At: x.f.Now}
		if !world.alert(integration.AlertAcknowledged, x.layer, ack) || !world.nobodyAnswers(p.User.ID) {
			x.questions = world.questions
			return false
		}
		if user == "" {
			break // whoever acknowledges, all of the layer are rung
		}
	}
	return true
}

// nobodyAnswers lets phones ring out and time pass until nothing new happens: the caller leaves,
// everybody was tried, or, with a user, nobody rings for that person any more. Time is moved from
// deadline to deadline, by the flow's own.
func (x *rehearsal) nobodyAnswers(user string) bool {
	for range maxSteps {
		live := slices.IndexFunc(x.s.Legs, func(l call.Leg) bool { return l.Live() })
		switch {
		case x.s.Phase != call.PhaseHolding:
			return true
		case x.s.Exit != "" && live < 0:
			return true // while a phone rings, its answer would still count
		case x.s.Exit != "":
			if !x.ringOut(x.s.Legs[live], live) {
				return false
			}
			continue
		}
		// The flow has asked for the next layer, and this platform does as it is told.
		if next := x.after(x.escalate); x.escalate > 0 && next > 0 && user == "" {
			x.layer = next
			if !x.alert(integration.AlertOpen, next) {
				return false
			}
			continue
		}
		if live >= 0 {
			if !x.ringOut(x.s.Legs[live], live) {
				return false
			}
			continue
		}
		_, at := callflow.Deadline(x.s)
		if user != "" && len(x.s.Alert.Acks) == 0 || x.everybodyTried() || !at.Before(x.s.Hold.MaxWaitAt) {
			return true
		}
		x.f.Now = at
		if !x.do(event.Event{Kind: event.Tick, QueueSid: "QU"}) {
			return false
		}
	}
	return true
}

// ringOut lets a phone ring until nobody answers. i makes a CallSid of its own for each leg.
func (x *rehearsal) ringOut(l call.Leg, i int) bool {
	sid := fmt.Sprintf("CA%032x", i+1)
	if l.DialAt.After(x.f.Now) {
		x.f.Now = l.DialAt
	}
	// Twilio takes every number here: what it would refuse is not known.
	if l.State == call.LegPlanned && !x.do(event.Event{Kind: event.Dialed, Leg: l.ID, Result: event.Done, CallSid: sid}) {
		return false
	}
	if end := l.DialAt.Add(x.c.RingTimeout + effect.RingLonger); end.After(x.f.Now) {
		x.f.Now = end
	}
	return x.do(event.Event{Kind: event.LegStatus, Leg: l.ID, CallSid: sid, CallStatus: event.StatusNoAnswer})
}

// leaveQueue leads the caller out of the queue. A call that is stuck waits for as long as is set.
// It makes the two requests that Twilio would make: the last tick, and the end of the stay in the
// queue.
func (x *rehearsal) leaveQueue() bool {
	if x.s.Phase == call.PhaseHolding {
		x.f.Now = later(x.f.Now, x.s.Hold.MaxWaitAt)
		if !x.do(event.Event{Kind: event.Timer, Timer: "max-wait"}) {
			return false
		}
	}
	return x.do(event.Event{Kind: event.Tick, QueueSid: "QU", Tick: 1}) &&
		x.do(event.Event{Kind: event.Left, QueueResult: "leave", QueueSid: "QU", Step: x.s.Step})
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// everybodyTried reports whether nothing new happens until the longest wait is over: those who were
// tried are rung over and over. Where one round is the end, the flow leaves by itself.
func (x *rehearsal) everybodyTried() bool {
	return x.s.Alert.LastLayer && x.s.Alert.Judged && x.c.GiveUp != config.GiveUpOneRound
}
