package campaign

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// person is somebody at a telephone: reactions to what is heard, some of them a little later.
type person struct {
	ctx  context.Context // ends with the call
	sim  *twiliosim.Sim
	call *twiliosim.Call
	wait sync.WaitGroup
}

// later does something after d of the simulator's time, unless the call is over by then.
func (p *person) later(d time.Duration, do func()) {
	p.wait.Go(func() {
		if clock.Sleep(p.ctx, p.sim.Clock(), d) == nil {
			do()
		}
	})
}

// follow hands the call's events to react, one after the other, until the call is over.
func (p *person) follow(o *observer, react func(twiliosim.Event)) {
	for i := 0; ; i++ {
		e, ok := o.next(p.ctx, p.call.Sid, i)
		if !ok {
			return
		}
		if e.Kind == twiliosim.EventStatus && isFinal(e.Text) {
			return
		}
		react(e)
	}
}

// caller plays one caller from the dialing to the end of the call.
type caller struct {
	person
	plan callerPlan

	mu       sync.Mutex
	hungUpAt time.Time
}

// hangUp hangs up and notes when.
func (c *caller) hangUp() {
	c.mu.Lock()
	if c.hungUpAt.IsZero() {
		c.hungUpAt = c.sim.Now()
	}
	c.mu.Unlock()
	c.call.HangsUp()
}

func (c *caller) hangUpTime() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hungUpAt
}

// play does what the plan says.
func (c *caller) play(ctx context.Context, o *observer) {
	ctx, cancel := context.WithCancel(ctx)
	defer c.wait.Wait()
	defer cancel()
	c.ctx = ctx
	p := c.plan
	if p.HangUp > 0 {
		c.later(p.HangUp, c.hangUp)
	}
	c.follow(o, func(e twiliosim.Event) {
		switch {
		case says(e, "press 1 for"):
			c.choose()
		case e.Kind == twiliosim.EventQueued && p.Kind == pressStar:
			c.later(p.Wait, func() { c.call.Presses("*") })
		case e.Kind == twiliosim.EventBeep:
			c.later(0, c.leaveMessage)
		case e.Kind == twiliosim.EventBridged && p.Talk > 0:
			c.later(p.Talk, c.hangUp)
		}
	})
}

// choose reacts to the menu.
func (c *caller) choose() {
	key := c.plan.Key
	switch c.plan.Kind {
	case menuOnly:
		return
	case wrongKeys:
		key = "0"
	}
	c.later(c.plan.Think, func() { c.call.Presses(key) })
}

// leaveMessage speaks after the tone.
func (c *caller) leaveMessage() {
	if c.plan.Message > 0 {
		c.call.SpeaksFor("Our shop is down, please call back.", c.plan.Message)
	}
	switch {
	case c.plan.Pound:
		c.call.Presses("#")
	case c.plan.Goes:
		c.hangUp()
	}
}

// responders sets what every telephone of a hotline does when it rings.
func (w *wave) responders(h *hotline) {
	for _, user := range h.people() {
		number := h.phoneOf(user)
		w.sim.Phone(number).Set("as the campaign wants it", func(ctx context.Context, call *twiliosim.Call) {
			w.mu.Lock()
			w.rings[number]++
			n := w.rings[number]
			w.mu.Unlock()
			r := &responder{person: person{sim: w.sim, call: call}, plan: planRing(w.seed, number, w.number*10_000+n)}
			r.play(ctx, w.observer)
		})
	}
}

// responder plays whoever is at a telephone that rings.
type responder struct {
	person
	plan ringPlan
}

func (r *responder) play(ctx context.Context, o *observer) {
	ctx, cancel := context.WithCancel(ctx)
	defer r.wait.Wait()
	defer cancel()
	r.ctx = ctx
	if r.plan.Kind == ignores || clock.Sleep(ctx, r.sim.Clock(), r.plan.After) != nil {
		return
	}
	if r.plan.Kind == busy {
		r.call.Declines()
		return
	}
	if !r.call.Answers() {
		return
	}
	switch r.plan.Kind {
	case leaves:
		r.later(r.plan.Think, r.call.HangsUp)
	case mailbox:
		r.later(0, func() { r.call.Says("You have reached my mailbox.") })
		r.later(time.Minute, r.call.HangsUp)
	}
	key := map[string]string{takes: "1", passes: "2", wrong: "7"}[r.plan.Kind]
	heard := 0
	r.follow(o, func(e twiliosim.Event) {
		switch {
		case e.Kind == twiliosim.EventPlayed && strings.Contains(e.URL, "/call-media/"):
			if r.plan.Cut > 0 {
				r.later(r.plan.Cut, r.call.HangsUp)
			}
		case says(e, "to hear it again"):
			heard++
			r.afterMessage(heard)
		case says(e, "press 1") && key != "":
			r.later(r.plan.Think, func() { r.call.Presses(key) })
		case e.Kind == twiliosim.EventBridged:
			r.later(r.plan.Talk, r.call.HangsUp)
		}
	})
}

// afterMessage does what the plan says when the message was played for the n-th time.
func (r *responder) afterMessage(n int) {
	switch {
	case r.plan.Then == hangsUp:
		r.later(r.plan.Think, r.call.HangsUp)
	case r.plan.Then == repeats && n == 1:
		r.later(r.plan.Think, func() { r.call.Presses("1") })
	case r.plan.Then == takesCare, r.plan.Then == repeats:
		r.later(r.plan.Think, func() { r.call.Presses("2") })
	}
}
