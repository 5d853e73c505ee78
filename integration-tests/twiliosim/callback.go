package twiliosim

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// callbackPlan says which events of a call are told, and where.
type callbackPlan struct {
	target
	events map[string]bool
}

// sendCallbackLocked tells an event, if it is subscribed to. Callbacks of one call go out in order, each when the one
// before was answered, unless Behaviour.ShuffleStatusCallbacks. Source: Twilio docs, voice/api/call-resource,
// StatusCallbackEvent.
func (c *Call) sendCallbackLocked(event string) {
	s := c.sim
	if c.callbacks.url == "" || !c.callbacks.events[event] {
		return
	}
	if event == "completed" && c.status == StatusCanceled && c.dialed.IsZero() {
		return // canceled while queued: nothing was fired
	}
	params := c.parametersLocked()
	params.Set("Timestamp", stamp(s.clock.Now()))
	params.Set("CallbackSource", "call-progress-events")
	params.Set("SequenceNumber", strconv.Itoa(c.sequence))
	c.sequence++
	switch event {
	case "initiated":
		params.Set("CallStatus", StatusInitiated)
	case "completed":
		d := c.durationLocked()
		params.Set("CallDuration", wholeSeconds(d))
		params.Set("Duration", strconv.Itoa(int((d+time.Minute-1)/time.Minute)))
	}
	w := webhook{on: OnCallback, call: c, target: c.callbacks.target, params: params}
	before, done := c.lastSent, make(chan struct{})
	c.lastSent = done
	s.spawn(func() {
		defer close(done)
		if s.cfg.Behaviour.ShuffleStatusCallbacks {
			s.sleep(time.Duration(rand.Int64N(int64(2 * time.Second)))) //nolint:gosec // no secret
		} else if before != nil {
			select {
			case <-before:
			case <-s.ctx.Done():
				return
			}
		}
		s.deliver(w)
	})
}

// deliver sends a callback whose answer does not matter.
func (s *Sim) deliver(w webhook) {
	if s.ctx.Err() != nil {
		return
	}
	if _, p := s.send(w); p != nil {
		p.warning = true
		s.report(w.call, p)
	}
}

// numberPlan is the plan of an inbound call: its end alone.
func (n *Number) plan() callbackPlan {
	return callbackPlan{target: target{n.StatusCallback, n.StatusCallbackMethod}, events: map[string]bool{"completed": true}}
}

// newPlan reads subscribed events; none means the end alone. One unknown name and nothing is told at all.
func newPlan(at target, events []string) (callbackPlan, bool) {
	p := callbackPlan{target: at, events: map[string]bool{}}
	if len(events) == 0 {
		events = []string{"completed"}
	}
	for _, e := range events {
		switch e {
		case "initiated", "ringing", "answered", "completed":
			p.events[e] = true
		default:
			return callbackPlan{}, false
		}
	}
	return p, true
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

func methodOr(m, fallback string) string {
	switch m {
	case http.MethodGet, http.MethodPost:
		return m
	}
	return fallback
}
