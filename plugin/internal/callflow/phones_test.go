package callflow

import (
	"slices"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// phones is a world of telephones for a [testCall]: each phone that is dialed behaves as its entry
// says, the platform follows commands, and time goes from one thing that happens to the next.
type phones struct {
	c *testCall
	// does says what a phone does when it is dialed; a phone without an entry rings until Twilio
	// gives up.
	does map[string]reaction
	// rung lists every call to a phone, with the time since the call flow's start.
	rung    []ringing
	pending []happening
	// platform follows escalations: the layer that is paged next, by the layer that is left.
	follows bool
}

// reaction is what a phone does, some time after it was dialed.
type reaction struct {
	after  time.Duration
	status event.Status // final status; "" = answered, then the keys are pressed
	keys   string
}

type ringing struct {
	phone string
	at    time.Duration
}

type happening struct {
	at time.Time
	do func()
}

func newPhones(c *testCall) *phones {
	return &phones{c: c, does: map[string]reaction{}, follows: true}
}

// run lets time pass until a moment after the start, or until the caller holds no more.
func (p *phones) run(until time.Duration) {
	p.c.t.Helper()
	end := start.Add(until)
	for range 5000 {
		p.take()
		if normal(p.c.state.Phase) != call.PhaseHolding {
			return
		}
		next := end
		var run func()
		name, at := Deadline(p.c.state)
		if !at.IsZero() && at.Before(next) {
			next, run = at, func() { p.c.do(event.Event{Kind: event.Timer, Timer: name}) }
		}
		if tick := p.c.now.Add(15 * time.Second); tick.Before(next) {
			next, run = tick, func() { p.c.hold() }
		}
		which := -1
		for i, h := range p.pending {
			if !h.at.After(next) {
				next, which = h.at, i
			}
		}
		if which >= 0 {
			run = p.pending[which].do
			p.pending = slices.Delete(p.pending, which, which+1)
		}
		if next.After(p.c.now) {
			p.c.now = next
		}
		if run == nil {
			return
		}
		p.c.effects = nil
		run()
	}
	p.c.t.Fatalf("time does not pass")
}

// take acts upon the effects of the last step.
func (p *phones) take() {
	effects := p.c.effects
	p.c.effects = nil
	for _, e := range effects {
		switch e := e.(type) {
		case effect.DialLeg:
			at := e.At
			if at.Before(p.c.now) {
				at = p.c.now
			}
			p.later(at, func() { p.dial(e) })
		case effect.EndLeg:
			p.later(p.c.now, func() {
				p.c.do(event.Event{Kind: event.LegStatus, Leg: e.Leg, CallSid: e.CallSid, CallStatus: event.StatusCanceled})
			})
		case effect.LookCall:
			p.later(p.c.now, func() {
				p.c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusInProgress})
			})
		case integration.AlertCommand:
			p.command(e)
		}
	}
}

func (p *phones) command(e integration.AlertCommand) {
	a := p.c.facts.Alert
	if a == nil || !p.follows {
		return
	}
	switch {
	case e.Kind == integration.AlertEscalate && a.Layer == e.Layer:
		for layer := e.Layer + 1; layer < 9; layer++ {
			if len(p.c.onCall[layer]) > 0 {
				p.later(p.c.now, func() { p.c.alert(integration.AlertOpen, layer) })
				return
			}
		}
	case e.Kind == integration.AlertReopen:
		layer := a.Layer
		p.later(p.c.now, func() { p.c.alert(integration.AlertOpen, layer) })
	}
}

func (p *phones) later(at time.Time, do func()) { p.pending = append(p.pending, happening{at, do}) }

// dial has a phone do what it does.
func (p *phones) dial(d effect.DialLeg) {
	if !Wanted(p.c.state, d.Task.Name) {
		return
	}
	p.rung = append(p.rung, ringing{d.Phone, p.c.now.Sub(start)})
	sid := legSid(d.Leg)
	p.c.do(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Done, CallSid: sid})
	r, ok := p.does[d.Phone]
	if !ok {
		r = reaction{after: d.Ring, status: event.StatusNoAnswer}
	}
	if r.status != event.StatusBusy && r.status != event.StatusFailed {
		p.c.legStatus(d.Leg, event.StatusRinging)
	}
	p.later(p.c.now.Add(r.after), func() {
		if r.status != "" {
			p.c.do(event.Event{Kind: event.LegStatus, Leg: d.Leg, CallSid: sid, CallStatus: r.status})
			return
		}
		p.c.do(event.Event{Kind: event.LegAnswer, Leg: d.Leg, CallSid: sid, CallStatus: event.StatusInProgress})
		if r.keys != "" {
			p.c.press(d.Leg, r.keys)
		}
	})
}

// of counts the calls to a phone.
func (p *phones) of(phone string) (at []time.Duration) {
	for _, r := range p.rung {
		if r.phone == phone {
			at = append(at, r.at)
		}
	}
	return at
}
