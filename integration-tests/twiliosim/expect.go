package twiliosim

import (
	"context"
	"strings"
	"time"
)

// TB is what this package needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// patience is how long an expectation waits, of the simulator's time and of real time, whichever is longer. It decides
// only when a failing test gives up.
const (
	patience     = 2 * time.Minute
	patienceReal = 20 * time.Second
	afterlife    = 15 * time.Second
)

// eventually waits until pred (called with sim.mu held) is true, the call has been over for a while, or patience runs
// out.
func (c *Call) eventually(pred func() bool) bool {
	s := c.sim
	ok := false
	look := func() bool {
		ok = pred()
		return ok || c.finished
	}
	started := time.Now() // real time on purpose: a fast clock must not shorten what a slow machine needs
	for !s.await(c, s.clock.Now().Add(patience), look) {
		if s.ctx.Err() != nil || time.Since(started) >= patienceReal {
			return ok
		}
	}
	if !ok { // recordings and scripts end a little later than their call
		s.await(c, s.clock.Now().Add(afterlife), func() bool { ok = pred(); return ok })
	}
	return ok
}

func (c *Call) fail(t TB, format string, args ...any) {
	t.Helper()
	t.Fatalf("twiliosim: %s (%s): "+format+"\ntranscript:\n%s", append(append([]any{c.personNumber(), c.Sid}, args...), FormatTranscript(c.Transcript()))...)
}

// Hears waits until the person hears words that contain text (any case; words said, words of the other person, or the
// URL of a file), after what it heard last.
func (c *Call) Hears(t TB, text string) Event {
	t.Helper()
	var found Event
	ok := c.eventually(func() bool {
		e, ok := c.hearLocked(text)
		if ok {
			found = e
		}
		return ok
	})
	if !ok {
		c.fail(t, "did not hear %q", text)
	}
	return found
}

// hearLocked finds text in what was heard since the last find, and moves on.
func (c *Call) hearLocked(text string) (Event, bool) {
	for i := c.heard; i < len(c.events); i++ {
		e := c.events[i]
		if e.audible() && (contains(e.Text, text) || contains(e.URL, text)) {
			c.heard = i + 1
			return e, true
		}
	}
	return Event{}, false
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// HeardNothingLike fails if the person has heard such words so far.
func (c *Call) HeardNothingLike(t TB, text string) {
	t.Helper()
	for _, e := range c.Transcript() {
		if e.audible() && (contains(e.Text, text) || contains(e.URL, text)) {
			c.fail(t, "heard %q", text)
		}
	}
}

// hearing waits for words until the deadline; false: they did not come.
func (c *Call) hearing(ctx context.Context, text string, deadline time.Time) bool {
	found := false
	stop := context.AfterFunc(ctx, func() {
		c.sim.mu.Lock()
		defer c.sim.mu.Unlock()
		c.notifyLocked()
	})
	defer stop()
	c.sim.await(c, deadline, func() bool {
		_, found = c.hearLocked(text)
		return found || ctx.Err() != nil || terminal(c.status)
	})
	return found
}

// ConnectedTo waits until the call talks to the telephone of a number (any, if empty), and returns the other leg.
func (c *Call) ConnectedTo(t TB, number string) *Call {
	t.Helper()
	var other *Call
	ok := c.eventually(func() bool {
		if c.bridge == nil {
			return false
		}
		other = c.bridge.other(c)
		return number == "" || other.personNumber() == number
	})
	if !ok {
		c.fail(t, "was not connected to %q", number)
	}
	return other
}

// Ended waits until the call is over and its last webhook answered, and returns the final status.
func (c *Call) Ended(t TB) string {
	t.Helper()
	if !c.eventually(func() bool { return c.finished }) {
		c.fail(t, "did not end")
	}
	return c.Status()
}

// Reaches waits for a status of the call.
func (c *Call) Reaches(t TB, status string) {
	t.Helper()
	if !c.eventually(func() bool { return c.status == status }) {
		c.fail(t, "did not become %s", status)
	}
}

// Saw waits for an event of the call that pred accepts; what names it in the failure.
func (c *Call) Saw(t TB, what string, pred func(Event) bool) Event {
	t.Helper()
	var found Event
	ok := c.eventually(func() bool {
		for _, e := range c.events {
			if pred(e) {
				found = e
				return true
			}
		}
		return false
	})
	if !ok {
		c.fail(t, "did not see %s", what)
	}
	return found
}

// RingsNext waits until the telephone rings and returns the call.
func (p *Phone) RingsNext(t TB) *Call {
	t.Helper()
	started := time.Now() // real time on purpose, as in eventually
	limit := p.sim.clock.Now().Add(patience)
	var after int64
	for {
		if c := p.Ringing(); c != nil {
			return c
		}
		if p.sim.clock.Now().After(limit) && time.Since(started) >= patienceReal || p.sim.ctx.Err() != nil {
			t.Fatalf("twiliosim: %s did not ring", p.Number)
			return nil
		}
		ctx, cancel := context.WithTimeout(p.sim.ctx, time.Second)
		for _, e := range p.sim.WaitEvents(ctx, after) {
			after = e.Seq
		}
		cancel()
	}
}
