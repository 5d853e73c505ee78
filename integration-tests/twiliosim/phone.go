package twiliosim

import (
	"context"
	"time"
)

// Responder is what somebody does when a telephone rings: it is started beside, and may answer, listen, press, speak
// and hang up by the methods of Call. ctx ends with the call.
type Responder func(ctx context.Context, call *Call)

// Phone is a telephone outside of the account. One that was given no behaviour rings until somebody answers it by
// Phone.Answer, or the caller gives up.
type Phone struct {
	Number string

	sim         *Sim
	responder   Responder
	behaviour   string // how it was set, for display
	unreachable bool
}

// Phone returns the telephone of a number (+E.164).
func (s *Sim) Phone(number string) *Phone {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phones[number]
	if p == nil {
		p = &Phone{Number: number, sim: s, behaviour: "ring"}
		s.phones[number] = p
	}
	return p
}

// Set gives the telephone a behaviour; description says which, for people.
func (p *Phone) Set(description string, r Responder) {
	p.sim.mu.Lock()
	defer p.sim.mu.Unlock()
	p.responder, p.behaviour, p.unreachable = r, description, false
}

// Rings makes the telephone ring until somebody answers it by hand.
func (p *Phone) Rings() { p.Set("ring", nil) }

// Unreachable makes calls to the number fail.
func (p *Phone) Unreachable() {
	p.Set("unreachable", nil)
	p.sim.mu.Lock()
	defer p.sim.mu.Unlock()
	p.unreachable = true
}

// Busy makes calls end as busy.
func (p *Phone) Busy() {
	p.Set("busy", func(_ context.Context, c *Call) { c.Declines() })
}

// AnswersAfter picks up after a while, and once it hears hear (part of what is said, any case; empty: at once) presses keys.
// It stays on the line.
func (p *Phone) AnswersAfter(d time.Duration, hear, keys string) {
	p.Set("answers after "+d.String()+", presses "+keys, func(ctx context.Context, c *Call) {
		if !c.sim.sleepIn(ctx, d) || !c.Answers() {
			return
		}
		if hear != "" && !c.hearing(ctx, hear, c.sim.clock.Now().Add(10*time.Minute)) {
			return
		}
		c.Presses(keys)
	})
}

// Mailbox answers after a while, speaks its greeting, beeps in silence for a minute, and hangs up. It never presses.
func (p *Phone) Mailbox(after time.Duration, greeting string) {
	p.Set("mailbox after "+after.String(), func(ctx context.Context, c *Call) {
		p.sim.mu.Lock()
		c.isMachine = true
		p.sim.mu.Unlock()
		if !c.sim.sleepIn(ctx, after) || !c.Answers() {
			return
		}
		c.Says(greeting)
		if c.sim.sleepIn(ctx, time.Minute) {
			c.HangsUp()
		}
	})
}

// Follows runs a script (see Script) each time it rings.
func (p *Phone) Follows(script string) error {
	parsed, err := ParseScript(script)
	if err != nil {
		return err
	}
	p.Set(script, func(ctx context.Context, c *Call) { _ = c.Follow(ctx, parsed) })
	return nil
}

func (p *Phone) isUnreachable() bool {
	p.sim.mu.Lock()
	defer p.sim.mu.Unlock()
	return p.unreachable
}

// ring starts the responder.
func (p *Phone) ring(c *Call) {
	p.sim.mu.Lock()
	r := p.responder
	p.sim.mu.Unlock()
	if r == nil {
		return
	}
	p.sim.spawn(func() {
		ctx, cancel := c.life()
		defer cancel()
		r(ctx, c)
	})
}

// life is a context that ends with the call.
func (c *Call) life() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(c.sim.ctx)
	c.sim.spawn(func() {
		for {
			c.sim.mu.Lock()
			changed, over := c.changed, terminal(c.status)
			c.sim.mu.Unlock()
			if over {
				cancel()
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return ctx, cancel
}

// sleepIn waits d; false: ctx ended first.
func (s *Sim) sleepIn(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := s.clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Ringing returns the call that rings at this telephone; nil: none.
func (p *Phone) Ringing() *Call {
	p.sim.mu.Lock()
	defer p.sim.mu.Unlock()
	for _, c := range p.sim.callOrder {
		if c.Direction != DirectionInbound && c.To == p.Number && c.ringing {
			return c
		}
	}
	return nil
}

// Calls returns the calls to this telephone, oldest first.
func (p *Phone) Calls() []*Call {
	p.sim.mu.Lock()
	defer p.sim.mu.Unlock()
	var out []*Call
	for _, c := range p.sim.callOrder {
		if c.Direction != DirectionInbound && c.To == p.Number {
			out = append(out, c)
		}
	}
	return out
}
