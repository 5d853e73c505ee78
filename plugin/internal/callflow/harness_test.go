package callflow

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

const (
	callerSid  = "CA00000000000000000000000000000001"
	queueSid   = "QU00000000000000000000000000000001"
	callerNum  = "+12025550100"
	calledNum  = "+12025550101"
	alicePhone = "+12025550143"
	bobPhone   = "+12025550144"
)

var (
	support = integration.Destination{ID: "support", Name: "Customer Support"}
	devops  = integration.Destination{ID: "devops", Name: "DevOps"}
	alice   = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone}}
	bob     = integration.User{ID: "bob", Name: "Bob Example", Phones: []string{bobPhone}}
)

var fullCapabilities = integration.Capabilities{
	UnroutedAlerts: true, Reopen: true, Escalate: true, AcknowledgeAs: true, AcknowledgedByUser: true, Annotations: true,
	Routers: true, PagesByItself: true, Audiences: true,
}

// testCall drives one call through Step the way the joining package does: it answers questions,
// keeps the state as JSON between events, and checks at each step what must hold at every step.
type testCall struct {
	t       failer
	c       config.Config
	facts   integration.Facts
	recent  []integration.RecentCall
	users   map[string]integration.User
	unknown []string                   // people whom the platform cannot name
	onCall  map[int][]integration.User // by layer
	asOf    time.Time                  // when the platform said so; zero: now
	// onCallKnown: the platform can say who is on call.
	onCallKnown bool
	goneTeams   []string // ids that the platform no longer has
	routes      map[string]integration.RouteVerdict
	state       call.State
	now         time.Time
	reply       reply.Reply
	effects     []effect.Effect // of the last event
	all         []effect.Effect // of the whole call
	tick        int
	said        time.Duration                // of the last wait document
	timers      map[string]effect.StartTimer // in the host's outbox, by name
	keeps       bool                         // the host keeps when it heard of the caller
}

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newCall(t failer, c config.Config) *testCall {
	t.Helper()
	return &testCall{
		t: t, c: c, now: start,
		facts:       integration.Facts{Instance: integration.Instance{Capabilities: fullCapabilities, State: integration.HostActive}, Destinations: []integration.Destination{devops}},
		users:       map[string]integration.User{"alice": alice, "bob": bob},
		onCall:      map[int][]integration.User{1: {alice}, 2: {bob}},
		onCallKnown: true,
		routes:      map[string]integration.RouteVerdict{},
		timers:      map[string]effect.StartTimer{},
	}
}

func (c *testCall) answer(q integration.Question) integration.Answer {
	a := integration.Answer{ID: q.ID}
	switch q.Kind {
	case integration.AskUser:
		if slices.Contains(c.unknown, q.User) {
			a.Err = integration.Errorf(integration.KindUnavailable, "out of order")
		} else if u, ok := c.users[q.User]; ok {
			a.User = &u
		}
	case integration.AskOnCall:
		if slices.Contains(c.goneTeams, q.Team) {
			a.Err = integration.Errorf(integration.KindNotFound, "team %q: there is none", q.Team)
			return a
		}
		if !c.onCallKnown {
			a.Err = integration.Errorf(integration.KindUnavailable, "out of order")
			return a
		}
		a.AsOf = c.asOf
		for layer := 1; layer <= 9; layer++ {
			if q.Layer == 0 || q.Layer == layer {
				a.OnCall = append(a.OnCall, onCall(layer, c.latest(c.onCall[layer]))...)
			}
		}
	case integration.AskRecentCalls:
		a.Calls = c.recent
	case integration.AskRoute:
		if r, ok := c.routes[q.Router]; ok {
			a.Route = &r
		} else {
			a.Err = integration.Errorf(integration.KindUnavailable, "the router is out of order")
		}
	}
	return a
}

// latest replaces people by what the platform knows of them now.
func (c *testCall) latest(people []integration.User) []integration.User {
	var out []integration.User
	for _, u := range people {
		if known, ok := c.users[u.ID]; ok {
			u = known
		}
		out = append(out, u)
	}
	return out
}

func onCall(layer int, users []integration.User) []integration.OnCallEntry {
	var out []integration.OnCallEntry
	for _, u := range users {
		out = append(out, integration.OnCallEntry{Layer: layer, User: u})
	}
	return out
}

func (c *testCall) do(e event.Event) reply.Reply {
	c.t.Helper()
	e.Facts = c.facts
	e.Facts.Now = c.now
	if row(e.Kind).ofCaller {
		if e.Caller == nil {
			e.Caller = &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Zip: "10001"}
		}
		if e.CallStatus == "" {
			e.CallStatus = event.StatusInProgress
		}
	}
	for round := 0; ; round++ {
		before := mustJSON(c.t, c.state)
		s, reply, effects := Step(c.c, c.state, e)
		if got := mustJSON(c.t, c.state); got != before {
			c.t.Fatalf("%s: Step changed its input:\n%s", e.Kind, cmp.Diff(before, got))
		}
		needs := effect.Questions(effects)
		if len(needs) == 0 {
			if bad := check(c.state, e, s, reply, effects, c.now); bad != "" {
				c.t.Fatalf("%s in %s: %s\n%s", e.Kind, normal(c.state.Phase), bad, mustJSON(c.t, s))
			}
			if bad := checkKept(c.c, e.Facts, c.state, e, s, reply, effects, c.now); bad != "" {
				c.t.Fatalf("%s in %s: %s\n%s", e.Kind, normal(c.state.Phase), bad, mustJSON(c.t, s))
			}
			if c.state = roundTrip(c.t, s); Changed(s, c.state) {
				c.t.Fatalf("%s: the state differs once it was stored: %s", e.Kind, cmp.Diff(s, c.state))
			}
			c.outbox(e, effects)
			c.reply, c.effects = reply, effects
			c.all = append(c.all, effects...)
			return reply
		}
		if round == 3 {
			c.t.Fatalf("%s: more than three rounds of questions: %v", e.Kind, needs)
		}
		if Changed(c.state, s) || reply != nil {
			c.t.Fatalf("%s: a round of questions changed something", e.Kind)
		}
		for _, n := range needs {
			e.Facts.Answers = append(e.Facts.Answers, c.answer(n))
		}
	}
}

// outbox does with timers what the host does: the one that went off is consumed, a generation that
// is not newer than the waiting one is ignored. The caller's presence must be watched until the
// end, though rarely where the host heard of the caller last.
func (c *testCall) outbox(e event.Event, effects []effect.Effect) {
	c.t.Helper()
	if e.Kind == event.Timer {
		delete(c.timers, e.Timer)
	}
	for _, x := range effects {
		switch x := x.(type) {
		case effect.StartTimer:
			if old, waits := c.timers[x.Task.Name]; waits && x.Task.Generation <= old.Task.Generation {
				c.t.Fatalf("%s: the host ignores timer %s: its generation %d is not newer than %d", e.Kind, x.Task.Name, x.Task.Generation, old.Task.Generation)
			}
			c.timers[x.Task.Name] = x
		case effect.CancelTimer:
			delete(c.timers, x.Task.Name)
		case effect.CallerSeen:
			if c.keeps {
				c.facts.SeenAt = c.now
			}
		}
	}
	if !c.keeps {
		return // then timers are the deadlines, see [checkTime]
	}
	m := machine{s: c.state, f: c.facts}
	latest := m.presentBy()
	if rare := c.facts.SeenAt.Add(presenceKept); rare.After(latest) {
		latest = rare
	}
	for _, d := range deadlines(&c.state) {
		if timer, waits := c.timers[d.name]; d.name == "present" && (!waits || timer.At.After(latest)) {
			c.t.Fatalf("%s in %s: the caller must be missed by %v, the timer is at %v", e.Kind, normal(c.state.Phase), latest, timer.At)
		}
	}
}

// quiet reports whether effects need no write: they say at most that the caller is there.
func quiet(effects []effect.Effect) bool {
	return len(effects) == len(of[effect.CallerSeen](effects))
}

// due is the timer that goes off next, and when.
func (c *testCall) due() (name string, at time.Time) {
	for _, t := range c.timers {
		if at.IsZero() || t.At.Before(at) || t.At.Equal(at) && t.Task.Name < name {
			name, at = t.Task.Name, t.At
		}
	}
	return name, at
}

func normal(p call.Phase) call.Phase {
	if p == "" {
		return call.PhaseArrived
	}
	return p
}

func mustJSON(t failer, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatalf("json: %v", err)
	}
	return string(b)
}

func roundTrip(t failer, s call.State) call.State {
	t.Helper()
	var out call.State
	if err := json.Unmarshal([]byte(mustJSON(t, s)), &out); err != nil {
		t.Fatalf("json: %v", err)
	}
	if !Changed(s, out) { // many times faster than finding the difference
		return out
	}
	if diff := cmp.Diff(s, out); diff != "" {
		t.Fatalf("state changed in JSON (-before +after):\n%s", diff)
	}
	return out
}

func (c *testCall) wait(d time.Duration) *testCall { c.now = c.now.Add(d); return c }

func (c *testCall) arrive() reply.Reply { c.t.Helper(); return c.do(event.Event{Kind: event.Arrival}) }

func (c *testCall) keys(digits string) reply.Reply {
	c.t.Helper()
	return c.do(event.Event{Kind: event.MenuKeys, Digits: digits, Step: c.state.Step})
}

func (c *testCall) hold() reply.Reply {
	c.t.Helper()
	r := c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: c.tick, Said: c.said})
	c.tick++
	if h, holds := r.(reply.Hold); holds {
		c.said = h.Said
	}
	return r
}

// holding brings a call to its first tick.
func (c *testCall) holding() *testCall {
	c.t.Helper()
	c.arrive()
	c.hold()
	c.phase(call.PhaseHolding)
	return c
}

// alert has the platform report a snapshot that includes all our commands.
func (c *testCall) alert(status integration.AlertStatus, layer int, acks ...integration.Acknowledgement) {
	c.t.Helper()
	c.facts.Alert = &integration.AlertSnapshot{
		Status: status, Layer: layer, Round: 1, Acknowledgements: acks,
		LastCommand: c.state.Alert.Commands, ReadAt: c.now,
	}
	c.do(event.Event{Kind: event.Alert})
}

func (c *testCall) ack(id, user string) {
	c.t.Helper()
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: id, User: user, At: c.now})
}

func (c *testCall) timer(name string) {
	c.t.Helper()
	c.do(event.Event{Kind: event.Timer, Timer: name})
}

func legSid(id string) string { return "CA1000000000000000000000000000000" + id }

// answered brings a planned leg to the question.
func (c *testCall) answered(id string) reply.Reply {
	c.t.Helper()
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.do(event.Event{Kind: event.LegStatus, Leg: id, CallSid: legSid(id), CallStatus: event.StatusInitiated})
	return c.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id), CallStatus: event.StatusInProgress})
}

func (c *testCall) press(id, digits string) reply.Reply {
	c.t.Helper()
	return c.do(event.Event{Kind: event.LegKey, Leg: id, CallSid: legSid(id), Digits: digits, Step: legOf(c.state, id).Step})
}

func (c *testCall) legStatus(id string, s event.Status) {
	c.t.Helper()
	c.do(event.Event{Kind: event.LegStatus, Leg: id, CallSid: legSid(id), CallStatus: s})
}

// talking brings a call to a conversation with Alice.
func (c *testCall) talking() *testCall {
	c.t.Helper()
	c.holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.phase(call.PhaseTalking)
	return c
}

func legOf(s call.State, id string) call.Leg {
	for _, l := range s.Legs {
		if l.ID == id {
			return l
		}
	}
	return call.Leg{}
}

func (c *testCall) phase(want call.Phase) {
	c.t.Helper()
	if got := normal(c.state.Phase); got != want {
		c.t.Fatalf("phase = %s, want %s", got, want)
	}
}

func (c *testCall) ended(want call.End) {
	c.t.Helper()
	c.phase(call.PhaseEnded)
	if c.state.End != want {
		c.t.Fatalf("end = %s (%s), want %s", c.state.End, c.state.Reason, want)
	}
}

func (c *testCall) leg(id string, want call.LegState, reason call.LegReason) {
	c.t.Helper()
	if l := legOf(c.state, id); l.State != want || l.Reason != reason {
		c.t.Fatalf("leg %s = %q %q, want %q %q", id, l.State, l.Reason, want, reason)
	}
}

// of lists the effects of one type.
func of[E effect.Effect](effects []effect.Effect) []E {
	var out []E
	for _, e := range effects {
		if x, ok := e.(E); ok {
			out = append(out, x)
		}
	}
	return out
}

func commands(effects []effect.Effect, kind integration.AlertCommandKind) []integration.AlertCommand {
	var out []integration.AlertCommand
	for _, c := range of[integration.AlertCommand](effects) {
		if c.Kind == kind {
			out = append(out, c)
		}
	}
	return out
}

// logged reports whether a log line holds a text.
func (c *testCall) logged(text string) {
	c.t.Helper()
	for _, l := range commands(c.all, integration.AlertLog) {
		if contains(l.Text, text) {
			return
		}
	}
	c.t.Fatalf("no log line with %q in:\n%s", text, c.story())
}

func (c *testCall) story() string {
	out := ""
	for _, l := range commands(c.all, integration.AlertLog) {
		out += l.At.Format("15:04:05") + " " + l.Text + "\n"
	}
	return out
}

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}

func same(t failer, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ringing{})); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func say(keys ...reply.PromptKey) []reply.Prompt {
	var out []reply.Prompt
	for _, k := range keys {
		out = append(out, reply.Prompt{Key: k})
	}
	return out
}

func withVoicemail() config.Config {
	c := config.Defaults()
	c.Voicemail = true
	return c
}
