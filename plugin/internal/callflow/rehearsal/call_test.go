package rehearsal

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

const (
	callerNum = "+12025550100"
	calledNum = "+12025550101"
	queueSid  = "QU00000000000000000000000000000001"
)

var (
	support = integration.Destination{ID: "support", Name: "Customer Support"}
	devops  = integration.Destination{ID: "devops", Name: "DevOps"}
	alice   = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{"+12025550143"}}
	bob     = integration.User{ID: "bob", Name: "Bob Example", Phones: []string{"+12025550144"}}
)

var fullCapabilities = integration.Capabilities{
	UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true, Annotations: true,
	Routers: true, PagesByItself: true, Audiences: true,
}

// active are the facts of an integration that serves calls, at the start.
func active() integration.Facts {
	return integration.Facts{
		Now: start, Instance: integration.Instance{Capabilities: fullCapabilities, State: integration.HostActive},
		Destinations: []integration.Destination{devops},
	}
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func same(t failer, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

// answer is what a platform with these people on call says.
func answer(q integration.Question, onCall map[int][]integration.User) integration.Answer {
	a := integration.Answer{ID: q.ID}
	for layer := 1; layer <= 9; layer++ {
		for _, u := range onCall[layer] {
			if q.Kind == integration.AskOnCall && (q.Layer == 0 || q.Layer == layer) {
				a.OnCall = append(a.OnCall, integration.OnCallEntry{Layer: layer, User: u})
			}
			if q.Kind == integration.AskUser && q.User == u.ID {
				a.User = &u
			}
		}
	}
	return a
}

// playedCall is a call whose phones ring out, played through Step one event after the other, as a
// host does: the platform escalates when it is asked to.
type playedCall struct {
	t      failer
	c      config.Config
	facts  integration.Facts
	onCall map[int][]integration.User
	state  call.State
	now    time.Time
	tick   int
	// rung are the phones of each person that rang, in the order of their first ringing.
	rung    map[string][]string
	pending []happening
}

// happening is something that is to come about at a time.
type happening struct {
	at time.Time
	do func()
}

func newCall(t failer, c config.Config) *playedCall {
	return &playedCall{t: t, c: c, facts: active(), onCall: map[int][]integration.User{}, now: start, rung: map[string][]string{}}
}

// play lets the call take its course, from its arrival to the document that ends the wait.
func (c *playedCall) play(digits string) reply.Reply {
	c.t.Helper()
	c.do(event.Event{Kind: event.Arrival})
	if digits != "" {
		c.do(event.Event{Kind: event.MenuKeys, Digits: digits, Step: c.state.Step})
	}
	c.hold()
	if len(c.onCall) == 0 {
		c.alert(integration.AlertDropped, 0)
	} else {
		c.alert(integration.AlertOpen, 1)
	}
	for range 5000 {
		if c.state.Phase != call.PhaseHolding {
			same(c.t, c.hold(), reply.Reply(reply.LeaveQueue{}))
			return c.do(event.Event{Kind: event.Left, QueueResult: "leave", QueueSid: queueSid, Step: c.state.Step})
		}
		c.next()
	}
	c.t.Fatalf("the caller waits for ever")
	return nil
}

// next goes on to whatever happens first: something that is pending, a timer, or the next tick.
func (c *playedCall) next() {
	at, do := c.now.Add(15*time.Second), func() { c.hold() }
	if name, due := callflow.Deadline(c.state); !due.IsZero() && due.Before(at) {
		at, do = due, func() { c.do(event.Event{Kind: event.Timer, Timer: name}) }
	}
	which := -1
	for i, h := range c.pending {
		if !h.at.After(at) {
			at, do, which = h.at, h.do, i
		}
	}
	if which >= 0 {
		c.pending = slices.Delete(c.pending, which, which+1)
	}
	if at.After(c.now) {
		c.now = at
	}
	do()
}

func (c *playedCall) hold() reply.Reply {
	c.tick++
	return c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: c.tick - 1})
}

// alert has the platform report a snapshot that includes all our commands.
func (c *playedCall) alert(status integration.AlertStatus, layer int) {
	c.facts.Alert = &integration.AlertSnapshot{Status: status, Layer: layer, Round: 1, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	c.do(event.Event{Kind: event.Alert})
}

// do is one event with what follows from it.
func (c *playedCall) do(e event.Event) reply.Reply {
	c.t.Helper()
	e.Facts = c.facts
	e.Facts.Now = c.now
	if callflow.OfCaller(e.Kind) {
		e.Caller, e.CallStatus = &call.Caller{Sid: "CA1", Number: callerNum, Called: calledNum}, event.StatusInProgress
	}
	for range 4 {
		s, document, effects := callflow.Step(c.c, c.state, e)
		questions := effect.Questions(effects)
		if len(questions) == 0 {
			c.state = s
			c.follow(effects)
			return document
		}
		for _, q := range questions {
			e.Facts.Answers = append(e.Facts.Answers, answer(q, c.onCall))
		}
	}
	c.t.Fatalf("%s: more than three rounds of questions", e.Kind)
	return nil
}

// follow performs effects: a phone that is dialed rings out, an alert that is escalated pages the
// next layer.
func (c *playedCall) follow(effects []effect.Effect) {
	later := func(at time.Time, do func()) { c.pending = append(c.pending, happening{at, do}) }
	for _, e := range effects {
		switch e := e.(type) {
		case effect.DialLeg:
			at := e.At
			if at.Before(c.now) {
				at = c.now
			}
			later(at, func() { c.ring(e) })
		case effect.EndLeg:
			later(c.now, func() {
				c.do(event.Event{Kind: event.LegStatus, Leg: e.Leg, CallSid: e.CallSid, CallStatus: event.StatusCanceled})
			})
		case integration.AlertCommand:
			layer := e.Layer + 1
			if snap := c.facts.Alert; e.Kind == integration.AlertEscalate && snap.Layer == e.Layer && len(c.onCall[layer]) > 0 {
				later(c.now, func() { c.alert(integration.AlertOpen, layer) })
			}
		}
	}
}

// ring has a phone ring until Twilio gives up.
func (c *playedCall) ring(d effect.DialLeg) {
	if !callflow.Wanted(c.state, d.Task.Name) {
		return
	}
	user := c.state.Leg(d.Leg).User
	if !slices.Contains(c.rung[user], d.Phone) {
		c.rung[user] = append(c.rung[user], d.Phone)
	}
	sid := "CA-leg-" + d.Leg
	c.do(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Done, CallSid: sid})
	c.do(event.Event{Kind: event.LegStatus, Leg: d.Leg, CallSid: sid, CallStatus: event.StatusRinging})
	c.pending = append(c.pending, happening{c.now.Add(d.Ring), func() {
		c.do(event.Event{Kind: event.LegStatus, Leg: d.Leg, CallSid: sid, CallStatus: event.StatusNoAnswer})
	}})
}
