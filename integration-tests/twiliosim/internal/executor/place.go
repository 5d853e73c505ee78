package executor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// numbers lists the account's numbers for an error message.
func numbers(a *account.Account) string {
	all := a.AllNumbers()
	if len(all) == 0 {
		return "none"
	}
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = n.PhoneNumber
	}
	return strings.Join(out, ", ")
}

// Inbound has somebody at from dial to, a number of the account; withheld numbers are "anonymous"
// or "+266696687". The call rings, asks the number's VoiceURL what to do, and continues in the
// background. It fails if the account does not have the number.
func (x *Executor) Inbound(from, to string) (*account.Call, error) {
	a := x.account
	if a.IsClosed() {
		return nil, account.ErrClosed
	}
	a.Lock()
	n := a.NumberLocked(to)
	a.Unlock()
	if n == nil {
		return nil, fmt.Errorf("number %s: the account does not have it; it has %s", to, numbers(a))
	}
	// Status ringing is set before the first webhook, whose parameters hold it.
	c := a.NewCall(from, to, account.DirectionInbound, nil)
	a.Lock()
	number := *n // a REST update must not change a call that has begun
	c.Number, c.Callbacks = n, number.Callbacks()
	c.Fallback = webhook.Target{URL: number.VoiceFallbackURL, Method: number.VoiceFallbackMethod}
	c.Dialed = a.Clock.Now()
	c.SetStatusLocked(account.StatusRinging)
	a.Unlock()
	a.Go(func() {
		if number.VoiceApplicationSid != "" || number.TrunkSid != "" || number.VoiceURL == "" {
			a.AddEvent(c, transcript.Event{Kind: transcript.Problem, Text: "the number's VoiceUrl is not used: it is empty, or an application or a trunk is set"})
			c.End(account.StatusFailed)
			c.Finish()
			return
		}
		x.on(c).run(*request(webhook.Target{URL: number.VoiceURL, Method: number.VoiceMethod}, nil))
	})
	return c, nil
}

// Outbound starts a call that was made by REST, at its turn. timeout is how long it rings, limit
// how long it may last from its answer on; 0: for ever.
func (x *Executor) Outbound(c *account.Call, turn time.Time, timeout, limit time.Duration, first account.Instructions) {
	a := x.account
	a.Go(func() {
		r := x.on(c)
		if !r.connectOutbound(turn, timeout, limit) {
			if !a.IsClosed() {
				c.Finish()
			}
			return
		}
		r.run(step{Instructions: first})
	})
}

// connectOutbound takes an outbound call to where its document runs; false: it never gets there.
func (r runner) connectOutbound(turn time.Time, timeout, limit time.Duration) bool {
	a := r.Account
	if err := r.Pause(turn.Sub(a.Clock.Now()), nil); err != nil {
		// It may be canceled while it is queued.
		return false
	}
	if !r.dialOut(timeout) {
		return false
	}
	if limit > 0 {
		a.Go(func() {
			// A call that ends earlier ends this goroutine too.
			a.Await(r.Call, a.Clock.Now().Add(limit), r.IsOverLocked)
			if !a.IsClosed() {
				r.End(account.StatusCompleted)
			}
		})
	}
	// A call that was redirected while the detection ran still runs its documents: the redirection
	// is met there.
	err := r.detect()
	return !errors.Is(err, account.ErrEnded) && !errors.Is(err, account.ErrClosed)
}

// dialOut sets a call up, lets the telephone ring, and waits for an answer. It reports whether
// there was one.
func (r runner) dialOut(timeout time.Duration) bool {
	a := r.Account
	a.Lock()
	if r.IsOverLocked() {
		a.Unlock()
		return false
	}
	r.Dialed = a.Clock.Now()
	r.SendCallbackLocked("initiated")
	a.Unlock()
	if err := r.Pause(a.Config.Behaviour.SetupTime, nil); err != nil {
		return false
	}
	if !account.IsE164(r.To) || !r.executor.phones.Reachable(r.To) {
		a.AddEvent(r.Call, transcript.Event{Kind: transcript.Problem, Code: 13224, Note: "warning", Text: "the number cannot be called"})
		r.End(account.StatusFailed)
		return false
	}
	a.Lock()
	if r.IsOverLocked() {
		a.Unlock()
		return false
	}
	// Before the status callback, so that a person can answer as soon as it is sent.
	r.Ringing = true
	r.SetStatusLocked(account.StatusRinging)
	a.Unlock()
	r.executor.phones.Ring(r.Call)
	// Twilio adds some seconds to the time that it is given. Source: Twilio docs, voice/twiml/dial,
	// timeout.
	a.Await(r.Call, a.Clock.Now().Add(timeout+a.Config.Behaviour.RingExtra), func() bool {
		return r.Status == account.StatusInProgress || r.IsOverLocked()
	})
	a.Lock()
	defer a.Unlock()
	switch {
	case a.IsClosed() || r.IsOverLocked():
		return false
	case r.Status != account.StatusInProgress:
		r.EndLocked(account.StatusNoAnswer)
		return false
	}
	return true
}

// detect finds out who answered, as the call was asked to: before the document runs, or while it
// runs. Source: Twilio docs, voice/answering-machine-detection.
func (r runner) detect() error {
	if r.Detection.Mode == "" {
		return nil
	}
	a := r.Account
	takes := a.Config.Behaviour.MachineDetectionTime
	if !r.Detection.Async {
		err := r.Pause(takes, nil)
		r.setAnsweredBy()
		return err
	}
	// The call goes on meanwhile; the result comes by a callback.
	a.Go(func() {
		if !a.Sleep(takes) {
			return
		}
		answeredBy := r.setAnsweredBy()
		if r.Detection.Callback.URL == "" {
			return
		}
		params := webhook.Values("CallSid", r.Sid, "AccountSid", a.Config.AccountSid, "AnsweredBy", answeredBy,
			"MachineDetectionDuration", strconv.FormatInt(takes.Milliseconds(), 10))
		a.Deliver(r.Call, webhook.Request{On: fault.OnCallback, Target: r.Detection.Callback, Params: params})
	})
	return nil
}

// setAnsweredBy settles who answered, in Twilio's words, by what the telephone is set to be.
func (r runner) setAnsweredBy() string {
	r.Account.Lock()
	defer r.Account.Unlock()
	switch {
	case !r.IsMachine:
		r.AnsweredBy = "human"
	case r.Detection.Mode == "DetectMessageEnd":
		r.AnsweredBy = "machine_end_beep"
	default:
		r.AnsweredBy = "machine_start"
	}
	return r.AnsweredBy
}
