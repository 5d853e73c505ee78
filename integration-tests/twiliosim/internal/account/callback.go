package account

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// CallbackPlan says which events of a call are reported, and where.
type CallbackPlan struct {
	webhook.Target
	events map[string]bool
}

// Callbacks returns the plan of a call to the number: its end alone is reported.
func (n *Number) Callbacks() CallbackPlan {
	p, _ := NewCallbackPlan(webhook.Target{URL: n.StatusCallback, Method: n.StatusCallbackMethod}, nil)
	return p
}

// NewCallbackPlan reads the events that a program subscribes to; none means the end alone. It
// reports false on an unknown name, and the plan is then empty, as at Twilio.
func NewCallbackPlan(at webhook.Target, events []string) (CallbackPlan, bool) {
	p := CallbackPlan{Target: at, events: map[string]bool{}}
	if len(events) == 0 {
		events = []string{"completed"}
	}
	for _, e := range events {
		switch e {
		case "initiated", "ringing", "answered", "completed":
			p.events[e] = true
		default:
			return CallbackPlan{}, false
		}
	}
	return p, true
}

// SendCallbackLocked reports an event to the program, if it subscribed to it. Callbacks of one call
// go out in order, each when the one before was answered, unless Behaviour.ShuffleStatusCallbacks.
// Source: Twilio docs, voice/api/call-resource, StatusCallbackEvent.
func (c *Call) SendCallbackLocked(event string) {
	a := c.Account
	if c.Callbacks.URL == "" || !c.Callbacks.events[event] {
		return
	}
	if event == "completed" && c.Status == StatusCanceled && c.Dialed.IsZero() {
		return // canceled while queued: nothing was fired
	}
	params := c.parametersLocked()
	params.Set("Timestamp", Date(a.Clock.Now()))
	params.Set("CallbackSource", "call-progress-events")
	params.Set("SequenceNumber", strconv.Itoa(c.sequence))
	c.sequence++
	switch event {
	case "initiated":
		params.Set("CallStatus", StatusInitiated)
	case "completed":
		d := c.DurationLocked()
		params.Set("CallDuration", Seconds(d))
		params.Set("Duration", strconv.Itoa(int((d+time.Minute-1)/time.Minute))) // minutes begun
	}
	r := webhook.Request{On: fault.OnCallback, Target: c.Callbacks.Target, Params: params}
	before, done := c.lastSent, make(chan struct{})
	c.lastSent = done
	a.Go(func() {
		defer close(done)
		if a.Config.Behaviour.ShuffleStatusCallbacks {
			a.Sleep(time.Duration(rand.Int64N(int64(2 * time.Second)))) //nolint:gosec // no secret
		} else if before != nil {
			select {
			case <-before:
			case <-a.Context.Done():
				return
			}
		}
		a.Deliver(c, r)
	})
}
