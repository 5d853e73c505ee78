// Package phone plays the people: telephones that ring, and callers and responders who listen,
// press keys, speak and hang up, by hand, by a Go function or by a script.
//
//	phone.go   telephones and how they behave when they ring
//	call.go    a call as a person at the telephone has it: press, answer, hang up
//	speech.go  what a person says, in words or in sound
//	expect.go  what a test expects a person to hear
//	script.go  the language of callers and responders
package phone

import (
	"context"
	"sync"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
)

// Responder is what somebody does when a telephone rings: it runs in its own goroutine, and may
// answer, listen, press, speak and hang up by the methods of Call. ctx ends with the call.
type Responder func(ctx context.Context, call *Call)

// Phones are all telephones outside of an account. It implements executor.Telephones.
type Phones struct {
	account *account.Account

	mu     sync.Mutex
	phones map[string]*Phone // by number
	calls  map[*account.Call]*Call
}

// New returns telephones for the calls of an account.
func New(a *account.Account) *Phones {
	return &Phones{account: a, phones: map[string]*Phone{}, calls: map[*account.Call]*Call{}}
}

// Phone is a telephone outside of the account. One that was given no behaviour rings until somebody
// answers it, or the caller gives up.
type Phone struct {
	Number string

	phones      *Phones
	responder   Responder // phones.mu guards what follows
	behaviour   string    // how it was set, for display
	unreachable bool
}

// Phone returns the telephone of a number (+E.164).
func (ps *Phones) Phone(number string) *Phone {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p := ps.phones[number]
	if p == nil { // every number has a telephone: a test need not declare those that nobody answers
		p = &Phone{Number: number, phones: ps, behaviour: "ring"}
		ps.phones[number] = p
	}
	return p
}

// All returns the telephones that somebody called or set.
func (ps *Phones) All() []*Phone {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	out := make([]*Phone, 0, len(ps.phones))
	for _, p := range ps.phones {
		out = append(out, p)
	}
	return out
}

// Reachable reports whether the telephone of a number can be called.
func (ps *Phones) Reachable(number string) bool {
	p := ps.Phone(number)
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return !p.unreachable
}

// Ring starts what somebody does when the telephone of an outbound call rings.
func (ps *Phones) Ring(c *account.Call) {
	p := ps.Phone(c.To)
	ps.mu.Lock()
	responder := p.responder
	ps.mu.Unlock()
	if responder == nil {
		return
	}
	ps.account.Go(func() {
		ctx, cancel := ps.untilOver(c)
		defer cancel()
		responder(ctx, ps.Of(c))
	})
}

// untilOver returns a context that ends with the call.
func (ps *Phones) untilOver(c *account.Call) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ps.account.Context)
	ps.account.Go(func() {
		for {
			changed, over := c.Changed()
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

// Set gives the telephone a behaviour; description says which, for people.
func (p *Phone) Set(description string, r Responder) {
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	p.responder, p.behaviour, p.unreachable = r, description, false
}

// Behaviour returns the description that was given with the behaviour.
func (p *Phone) Behaviour() string {
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	return p.behaviour
}

// Rings makes the telephone ring until somebody answers it by hand.
func (p *Phone) Rings() { p.Set("ring", nil) }

// Unreachable makes calls to the number fail.
func (p *Phone) Unreachable() {
	p.Set("unreachable", nil)
	p.phones.mu.Lock()
	defer p.phones.mu.Unlock()
	p.unreachable = true
}

// Busy makes calls end as busy.
func (p *Phone) Busy() {
	p.Set("busy", func(_ context.Context, c *Call) { c.Declines() })
}

// AnswersAfter picks up after a while, and presses keys once it hears hear (part of what is said,
// any case; empty: at once). It stays on the line.
func (p *Phone) AnswersAfter(d time.Duration, hear, keys string) {
	p.Set("answers after "+d.String()+", presses "+keys, func(ctx context.Context, c *Call) {
		if !c.sleep(ctx, d) || !c.Answers() {
			return
		}
		if hear != "" && !c.hears(ctx, hear, c.account().Clock.Now().Add(10*time.Minute)) {
			return
		}
		c.Presses(keys)
	})
}

// Mailbox answers after a while, speaks its greeting, is silent for a minute, and hangs up. It
// never presses a key.
func (p *Phone) Mailbox(after time.Duration, greeting string) {
	p.Set("mailbox after "+after.String(), func(ctx context.Context, c *Call) {
		a := c.account()
		a.Lock()
		c.leg.IsMachine = true
		a.Unlock()
		if !c.sleep(ctx, after) || !c.Answers() {
			return
		}
		c.Says(greeting)
		if c.sleep(ctx, time.Minute) {
			c.HangsUp()
		}
	})
}

// Follows runs a script (see Script) each time the telephone rings. It fails if the script cannot
// be read.
func (p *Phone) Follows(script string) error {
	parsed, err := ParseScript(script)
	if err != nil {
		return err
	}
	p.Set(script, func(ctx context.Context, c *Call) { _ = c.Follow(ctx, parsed) })
	return nil
}

// Calls returns the calls to this telephone, oldest first.
func (p *Phone) Calls() []*Call {
	return p.phones.find(func(c *account.Call) bool {
		return c.Direction != account.DirectionInbound && c.To == p.Number
	})
}

// Ringing returns the call that rings at this telephone; nil if none does.
func (p *Phone) Ringing() *Call {
	found := p.phones.find(func(c *account.Call) bool {
		return c.Direction != account.DirectionInbound && c.To == p.Number && c.Ringing
	})
	if len(found) == 0 {
		return nil
	}
	return found[0]
}
