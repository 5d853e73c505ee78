package phone

import (
	"context"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
)

// TB is what this package needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// patience is how long an expectation waits, of the simulator's time and of real time, whichever is
// longer. It decides only when a failing test gives up.
const (
	patience     = 2 * time.Minute
	patienceReal = 2 * time.Minute
	// patienceAfter is how much longer, of the simulator's time, it waits after the call:
	// recordings and scripts end a little later than their call.
	patienceAfter = 15 * time.Second
)

// eventually waits until done (called with the account's lock held) is true, the call has been over
// for a while, or patience runs out.
func (c *Call) eventually(done func() bool) bool {
	a := c.account()
	ok := false
	look := func() bool {
		ok = done()
		return ok || c.leg.Finished
	}
	// Real time on purpose: a fast clock must not shorten what a slow machine needs.
	started := time.Now()
	for !c.await(a.Clock.Now().Add(patience), look) {
		if a.IsClosed() || time.Since(started) >= patienceReal {
			return ok
		}
	}
	if !ok {
		c.await(a.Clock.Now().Add(patienceAfter), func() bool { ok = done(); return ok })
	}
	return ok
}

func (c *Call) fail(t TB, format string, args ...any) {
	t.Helper()
	t.Fatalf("twiliosim: %s (%s): "+format+"\ntranscript:\n%s",
		append(append([]any{c.leg.PersonNumber(), c.Sid}, args...), transcript.Format(c.Transcript()))...)
}

// Hears waits until the person hears words that contain text (any case; words said, words of the
// other person, or the URL of a file), after what it heard last.
func (c *Call) Hears(t TB, text string) transcript.Event {
	t.Helper()
	var found transcript.Event
	ok := c.eventually(func() bool {
		e, ok := c.hearNextLocked(text)
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

// hearNextLocked finds text in what was heard since the last find, and moves on.
func (c *Call) hearNextLocked(text string) (transcript.Event, bool) {
	for _, e := range c.leg.Events {
		if e.Seq > c.heard && isHeard(e, text) {
			c.heard = e.Seq
			return e, true
		}
	}
	return transcript.Event{}, false
}

// isHeard reports whether the person hears text in an event. The tone before a recording is heard
// as "beep".
func isHeard(e transcript.Event, text string) bool {
	text = strings.ToLower(text)
	if e.Kind == transcript.Beep {
		return strings.Contains("beep", text)
	}
	return e.IsAudible() && (strings.Contains(strings.ToLower(e.Text), text) || strings.Contains(strings.ToLower(e.URL), text))
}

// HeardNothingLike fails if the person has heard such words so far.
func (c *Call) HeardNothingLike(t TB, text string) {
	t.Helper()
	for _, e := range c.Transcript() {
		if isHeard(e, text) {
			c.fail(t, "heard %q", text)
		}
	}
}

// hears waits for words until the deadline, the end of ctx or of the call; it reports whether they
// came.
func (c *Call) hears(ctx context.Context, text string, deadline time.Time) bool {
	found := false
	stop := context.AfterFunc(ctx, func() {
		c.account().Lock()
		defer c.account().Unlock()
		c.leg.NotifyLocked()
	})
	defer stop()
	c.await(deadline, func() bool {
		_, found = c.hearNextLocked(text)
		return found || ctx.Err() != nil || c.leg.IsOverLocked()
	})
	return found
}

// isConnectedLocked reports whether the call talks to the telephone of a number; empty: to any.
func (c *Call) isConnectedLocked(number string) bool {
	return c.leg.Bridge != nil && (number == "" || c.leg.Bridge.Other(c.leg).PersonNumber() == number)
}

// ConnectedTo waits until the call talks to the telephone of a number (any, if empty), and returns
// the other leg.
func (c *Call) ConnectedTo(t TB, number string) *Call {
	t.Helper()
	var other *account.Call
	ok := c.eventually(func() bool {
		if !c.isConnectedLocked(number) {
			return false
		}
		other = c.leg.Bridge.Other(c.leg)
		return true
	})
	if !ok {
		c.fail(t, "was not connected to %q", number)
	}
	return c.phones.Of(other)
}

// Ended waits until the call is over and its last webhook answered, and returns the final status.
func (c *Call) Ended(t TB) string {
	t.Helper()
	if !c.eventually(func() bool { return c.leg.Finished }) {
		c.fail(t, "did not end")
	}
	return c.Status()
}

// Reaches waits for a status of the call.
func (c *Call) Reaches(t TB, status string) {
	t.Helper()
	if !c.eventually(func() bool { return c.leg.Status == status }) {
		c.fail(t, "did not become %s", status)
	}
}

// Saw waits for an event of the call that fits; what names it in the failure.
func (c *Call) Saw(t TB, what string, fits func(transcript.Event) bool) transcript.Event {
	t.Helper()
	var found transcript.Event
	ok := c.eventually(func() bool {
		for _, e := range c.leg.Events {
			if fits(e) {
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
	a := p.phones.account
	started := time.Now() // real time on purpose, as in eventually
	limit := a.Clock.Now().Add(patience)
	var after int64
	for {
		if c := p.Ringing(); c != nil {
			return c
		}
		if a.Clock.Now().After(limit) && time.Since(started) >= patienceReal || a.IsClosed() {
			t.Fatalf("twiliosim: %s did not ring", p.Number)
			return nil
		}
		ctx, cancel := context.WithTimeout(a.Context, time.Second)
		for _, e := range a.WaitEvents(ctx, after) {
			after = e.Seq
		}
		cancel()
	}
}
