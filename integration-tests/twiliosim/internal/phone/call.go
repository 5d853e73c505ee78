package phone

import (
	"context"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// Call is one leg: a telephone connected, or being connected, to Twilio. Its methods play the
// person at the telephone.
type Call struct {
	// Sid (CA…), From and To as Twilio reports them, Direction (inbound, outbound-api,
	// outbound-dial), and the SID of the leg that dialed this one.
	Sid, From, To, Direction, ParentSid string

	leg    *account.Call
	phones *Phones
	heard  int64 // events up to this number were heard by Hears; the account's lock guards it
}

// Of returns the call of a leg, always the same one; nil for nil.
func (ps *Phones) Of(leg *account.Call) *Call {
	if leg == nil {
		return nil
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	c := ps.calls[leg]
	if c == nil {
		c = &Call{Sid: leg.Sid, From: leg.From, To: leg.To, Direction: leg.Direction, ParentSid: leg.ParentSid, leg: leg, phones: ps}
		ps.calls[leg] = c
	}
	return c
}

// AllCalls returns all calls, oldest first.
func (ps *Phones) AllCalls() []*Call {
	return ps.find(func(*account.Call) bool { return true })
}

// find returns the calls that fit, oldest first. fits is called with the account's lock held.
func (ps *Phones) find(fits func(*account.Call) bool) []*Call {
	ps.account.Lock()
	var legs []*account.Call
	for _, c := range ps.account.Calls {
		if fits(c) {
			legs = append(legs, c)
		}
	}
	ps.account.Unlock()
	out := make([]*Call, 0, len(legs))
	for _, leg := range legs {
		out = append(out, ps.Of(leg))
	}
	return out
}

func (c *Call) account() *account.Account { return c.leg.Account }

// Status is the call's status now.
func (c *Call) Status() string { return c.leg.CurrentStatus() }

// Transcript returns the events of this call, oldest first.
func (c *Call) Transcript() []transcript.Event { return c.leg.Transcript() }

// Presses presses keys (0-9 * # A-D, w waits half a second). A key that no verb listens to is lost,
// as at Twilio.
func (c *Call) Presses(keys string) {
	for _, k := range keys {
		if k == 'w' {
			if !c.account().Sleep(500 * time.Millisecond) {
				return
			}
			continue
		}
		c.press(k)
	}
}

func (c *Call) press(key rune) {
	a, leg := c.account(), c.leg
	a.Lock()
	defer a.Unlock()
	if leg.Status != account.StatusInProgress {
		return
	}
	e := transcript.Event{Kind: transcript.Pressed, Text: string(key)}
	if leg.Listening {
		leg.Keys = append(leg.Keys, key)
	} else if leg.Bridge == nil {
		e.Note = "nobody listens"
	}
	a.AddEventLocked(leg, e)
	// In a conversation the keys are tones to the other person, and the star may end a <Dial>.
	if leg.Bridge != nil {
		leg.Keys = append(leg.Keys, key) // hangupOnStar
		a.AddEventLocked(leg.Bridge.Other(leg), transcript.Event{Kind: transcript.Tone, Text: string(key)})
	}
}

// HangsUp hangs up. Before the call is answered an inbound caller gives up, and a telephone that
// rings declines.
func (c *Call) HangsUp() {
	a, leg := c.account(), c.leg
	a.Lock()
	defer a.Unlock()
	switch {
	case leg.Status == account.StatusInProgress:
		leg.EndLocked(account.StatusCompleted)
	case leg.Direction == account.DirectionInbound:
		leg.EndLocked(a.Config.Behaviour.InboundAbandonStatus)
	default:
		leg.EndLocked(account.StatusBusy)
	}
}

// Answers picks up a ringing telephone; it reports false if the telephone does not ring (any more).
func (c *Call) Answers() bool {
	c.account().Lock()
	defer c.account().Unlock()
	if !c.leg.Ringing || c.leg.IsOverLocked() {
		return false
	}
	c.leg.Ringing = false
	c.leg.SetStatusLocked(account.StatusInProgress)
	c.leg.NotifyLocked()
	return true
}

// Declines refuses a ringing call, which ends as busy; it reports false if the telephone does not
// ring.
func (c *Call) Declines() bool {
	c.account().Lock()
	defer c.account().Unlock()
	if !c.leg.Ringing {
		return false
	}
	c.leg.EndLocked(account.StatusBusy)
	return true
}

// IsRinging reports whether the telephone of this leg rings.
func (c *Call) IsRinging() bool {
	c.account().Lock()
	defer c.account().Unlock()
	return c.leg.Ringing
}

// sleep waits d; it reports false if ctx ended first.
func (c *Call) sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := c.account().Clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// await waits until done, called with the account's lock held, is true; it reports false at the
// deadline (zero: none).
func (c *Call) await(deadline time.Time, done func() bool) bool {
	return c.account().Await(c.leg, deadline, done)
}
