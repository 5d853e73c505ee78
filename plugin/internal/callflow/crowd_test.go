package callflow

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// crowd is a night of several callers, with people, telephones and a platform that behave at
// random, and a host that says who is on which call.
type crowd struct {
	t     *testing.T
	rnd   *rand.Rand
	now   time.Time
	queue []crowdEvent
	calls []*crowdCall
	users []integration.User
	// ringing says whose phone is in use for which call.
	ringing map[string]string
}

type crowdEvent struct {
	at time.Time
	do func()
}

// crowdCall is one caller with the alert of the call.
type crowdCall struct {
	*testCall
	w      *crowd
	name   string
	alert  integration.AlertSnapshot
	rounds int
	turn   int // generation of the platform's clock
	holds  bool
	gone   bool
}

func (w *crowd) later(d time.Duration, do func()) {
	w.queue = append(w.queue, crowdEvent{w.now.Add(d), do})
}

func (w *crowd) seconds(from, to int) time.Duration {
	return time.Duration(from+w.rnd.Intn(to-from+1)) * time.Second
}

func (w *crowd) chance(percent int) bool { return w.rnd.Intn(100) < percent }

// by says which other call occupies a person, as the store does.
func (w *crowd) by(except *crowdCall, user string) string {
	for _, x := range w.calls {
		if x != except && call.Live(x.state) && slices.Contains(call.Occupies(x.state), user) {
			return x.name
		}
	}
	for _, x := range w.calls {
		if x == except {
			return ""
		}
		if call.Live(x.state) && slices.Contains(call.WaitsFor(x.state), user) {
			return x.name
		}
	}
	return ""
}

// event is one step of one call, and what follows from it.
func (x *crowdCall) event(e event.Event) reply.Reply {
	before := x.state
	for id, u := range x.users {
		u.OccupiedBy = x.w.by(x, id)
		x.users[id] = u
	}
	x.now, x.effects = x.w.now, nil
	snap := x.alert
	snap.ReadAt = x.w.now
	x.facts.Alert = nil
	if x.state.Alert.Created {
		x.facts.Alert = &snap
	}
	reply := x.do(e)
	effects := x.effects
	x.effects = nil
	for _, effect := range effects {
		x.follow(effect)
	}
	var free []string
	for _, user := range call.Occupies(before) {
		if !slices.Contains(call.Occupies(x.state), user) {
			free = append(free, user)
		}
	}
	for _, user := range call.WaitsFor(before) {
		if !slices.Contains(call.Occupies(x.state), user) && !slices.Contains(call.WaitsFor(x.state), user) {
			free = append(free, user)
		}
	}
	if len(free) > 0 && x.w.chance(80) { // hints may be lost
		for _, other := range x.w.calls {
			if other != x && slices.ContainsFunc(call.WaitsFor(other.state), func(u string) bool { return slices.Contains(free, u) }) {
				x.w.later(0, func() { other.event(event.Event{Kind: event.Timer, Timer: integration.TimerPersonFree}) })
			}
		}
	}
	return reply
}

func (x *crowdCall) follow(what effect.Effect) {
	w := x.w
	switch e := what.(type) {
	case effect.StartTimer:
		if w.chance(90) { // timers may be lost: the next tick makes up for it
			w.later(e.At.Sub(w.now), func() { x.event(event.Event{Kind: event.Timer, Timer: e.Task.Name}) })
		}
	case effect.DialLeg:
		w.later(max(0, e.At.Sub(w.now)), func() { x.dial(e) })
	case effect.EndLeg:
		w.later(0, func() {
			x.hangUp(e.CallSid)
			x.event(event.Event{Kind: event.LegStatus, Leg: e.Leg, CallSid: e.CallSid, CallStatus: event.StatusCanceled})
		})
	case effect.LookLeg:
		w.later(0, func() { x.event(event.Event{Kind: event.LookedAtLeg, Leg: e.Leg, Result: event.NotFound}) })
	case effect.LookCall:
		status := event.StatusInProgress
		if x.gone {
			status = event.StatusCompleted
		}
		w.later(max(0, e.At.Sub(w.now)), func() { x.event(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: status}) })
	case effect.Dequeue:
		w.later(0, func() {
			if x.holds {
				x.holds = false
				x.record(x.event(event.Event{Kind: event.Voicemail, Step: e.Step}))
			}
		})
	case effect.LookRecordings:
		w.later(0, func() { x.event(event.Event{Kind: event.RecordingsList, Result: event.NotFound}) })
	case effect.FetchRecording:
		w.later(max(0, e.At.Sub(w.now)), func() {
			x.event(event.Event{Kind: event.Fetched, RecordingSid: e.RecordingSid, Result: event.Done, Media: &audio})
		})
	case integration.AlertCommand:
		w.later(time.Duration(w.rnd.Intn(3))*time.Second, func() { x.command(e) })
	}
}

func (x *crowdCall) hangUp(sid string) {
	for user, by := range x.w.ringing {
		if by == x.name+sid {
			delete(x.w.ringing, user)
		}
	}
}

// dial has a phone behave at random.
func (x *crowdCall) dial(d effect.DialLeg) {
	w := x.w
	if !Wanted(x.state, d.Task.Name) {
		x.event(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Failed, Detail: "not wanted any more"})
		return
	}
	switch w.rnd.Intn(20) {
	case 0:
		x.event(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Failed, Code: "20429"})
		return
	case 1:
		x.event(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Unknown})
		return
	case 2:
		if w.chance(30) {
			x.event(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Refused, Code: "21215", Detail: "Twilio's error 21215: no."})
			return
		}
	case 3:
		if w.chance(20) {
			x.event(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.AccountError, Code: "20003"})
			return
		}
	}
	sid := legSid(d.Leg)
	user := legOf(x.state, d.Leg).User
	if by := w.ringing[user]; by != "" && by[:1] != x.name[:1] {
		w.t.Fatalf("%s: %s rings for %s and for %s\n%s", w.now, user, by, x.name, x.story())
	}
	w.ringing[user] = x.name + sid
	over := func(s event.Status) {
		x.hangUp(sid)
		x.event(event.Event{Kind: event.LegStatus, Leg: d.Leg, CallSid: sid, CallStatus: s})
	}
	x.event(event.Event{Kind: event.Dialed, Leg: d.Leg, Result: event.Done, CallSid: sid})
	if w.chance(30) {
		s := []event.Status{event.StatusBusy, event.StatusFailed}[w.rnd.Intn(2)]
		w.later(time.Second, func() { over(s) })
		return
	}
	x.event(event.Event{Kind: event.LegStatus, Leg: d.Leg, CallSid: sid, CallStatus: event.StatusRinging})
	if w.chance(50) {
		w.later(d.Ring, func() { over(event.StatusNoAnswer) })
		return
	}
	w.later(w.seconds(2, 20), func() {
		answer := x.event(event.Event{Kind: event.LegAnswer, Leg: d.Leg, CallSid: sid, CallStatus: event.StatusInProgress})
		if _, asked := answer.(reply.Ask); !asked {
			over(event.StatusCompleted)
			return
		}
		w.later(w.seconds(1, 6), func() { x.answer(d.Leg, sid, over) })
	})
}

// answer presses a key, hangs up, or is a mailbox.
func (x *crowdCall) answer(leg, sid string, over func(event.Status)) {
	w := x.w
	switch w.rnd.Intn(6) {
	case 0, 1:
		x.event(event.Event{Kind: event.LegKey, Leg: leg, CallSid: sid, Digits: "2", Step: legOf(x.state, leg).Step})
		over(event.StatusCompleted)
	case 2:
		over(event.StatusCompleted)
	case 3:
		for range 3 {
			x.event(event.Event{Kind: event.LegKey, Leg: leg, CallSid: sid, Step: legOf(x.state, leg).Step})
		}
		over(event.StatusCompleted)
	default:
		r := x.event(event.Event{Kind: event.LegKey, Leg: leg, CallSid: sid, Digits: "1", Step: legOf(x.state, leg).Step})
		if _, ok := r.(reply.DialQueue); !ok {
			over(event.StatusCompleted)
			return
		}
		ended := func(b event.Bridge, seconds int) {
			x.event(event.Event{Kind: event.LegEnded, Leg: leg, CallSid: sid, Bridged: b, Seconds: seconds})
			over(event.StatusCompleted)
		}
		if !x.holds || w.chance(25) {
			w.later(2*time.Second, func() { ended(event.BridgeNo, 0) })
			return
		}
		x.holds = false
		x.event(event.Event{Kind: event.Announce, DequeuedBy: sid})
		talk := w.seconds(3, 120)
		w.later(talk, func() {
			ended(event.BridgeYes, int(talk/time.Second))
			x.left("bridged")
		})
	}
}

// left is the end of the caller's time in the queue.
func (x *crowdCall) left(result string) {
	x.holds = false
	x.record(x.event(event.Event{Kind: event.Left, QueueResult: result, Step: x.state.Step}))
}

// record does what the caller's document says.
func (x *crowdCall) record(r reply.Reply) {
	switch r.(type) {
	case reply.Record:
		x.w.later(9*time.Second, func() {
			x.event(event.Event{Kind: event.Recorded, RecordingSid: "RE" + x.name, Seconds: 5})
			x.event(event.Event{Kind: event.Recording, RecordingSid: "RE" + x.name, RecordingStatus: "completed", Seconds: 5})
		})
	case reply.Enqueue:
		x.holds = true
		x.w.later(time.Second, func() { x.tick(0) })
	}
}

func (x *crowdCall) tick(n int) {
	if !x.holds || x.gone {
		return
	}
	r := x.event(event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: n})
	if x.holds {
		e := event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: n, Facts: x.facts, CallStatus: event.StatusInProgress}
		e.Facts.Now = x.w.now
		if s, _, effects := Step(x.c, x.state, e); Changed(x.state, s) || !quiet(effects) {
			x.w.t.Fatalf("a quiet tick is not quiet: %v\n%s\n%s", effects, mustJSON(x.w.t, x.state), mustJSON(x.w.t, s))
		}
	}
	if _, leave := r.(reply.LeaveQueue); leave {
		x.left("leave")
		return
	}
	if _, over := r.(reply.Hangup); over {
		x.holds = false
		return
	}
	x.w.later(15*time.Second, func() { x.tick(n + 1) })
}

// command is a command that reaches the platform.
func (x *crowdCall) command(c integration.AlertCommand) {
	a := &x.alert
	a.LastCommand = max(a.LastCommand, c.Number)
	switch c.Kind {
	case integration.AlertCreate:
		a.Status = integration.AlertQueued
	case integration.AlertRoute:
		a.Status, a.Round = integration.AlertOpen, 1
		x.page(1)
	case integration.AlertAcknowledge:
		if a.Status == integration.AlertOpen || a.Status == integration.AlertQueued {
			x.acknowledge(c.User, c.Number)
		}
	case integration.AlertReopen:
		a.Acknowledgements = slices.DeleteFunc(slices.Clone(a.Acknowledgements), func(k integration.Acknowledgement) bool { return c.Ack == "" || k.ID == c.Ack })
		if len(a.Acknowledgements) == 0 {
			a.Status = integration.AlertOpen
		}
	case integration.AlertEscalate:
		if a.Status == integration.AlertOpen && a.Layer == c.Layer && x.after(a.Layer) > 0 {
			x.page(x.after(a.Layer))
		}
	case integration.AlertDecline:
		a.Declined = append(slices.Clone(a.Declined), c.User)
	case integration.AlertResolve:
		a.Status = integration.AlertResolved
	default:
		return
	}
	x.event(event.Event{Kind: event.Alert})
}

func (x *crowdCall) after(layer int) int {
	for n := layer + 1; n < 9; n++ {
		if len(x.onCall[n]) > 0 {
			return n
		}
	}
	return 0
}

// page pages a layer, and the next one when its time is up.
func (x *crowdCall) page(layer int) {
	a := &x.alert
	a.Layer, a.Declined = layer, nil
	x.turn++
	turn := x.turn
	x.w.later(x.w.seconds(20, 300), func() { x.timeUp(turn) })
}

func (x *crowdCall) timeUp(turn int) {
	a := &x.alert
	if turn != x.turn || a.Status != integration.AlertOpen {
		if turn == x.turn && call.Live(x.state) {
			x.w.later(20*time.Second, func() { x.timeUp(turn) })
		}
		return
	}
	switch next := x.after(a.Layer); {
	case next > 0:
		x.page(next)
	case x.rounds > 0:
		x.rounds--
		a.Round++
		x.page(max(x.after(0), 1))
	default:
		a.Status = integration.AlertDropped
	}
	x.event(event.Event{Kind: event.Alert})
}

func (x *crowdCall) acknowledge(user string, command int64) {
	a := &x.alert
	a.Status = integration.AlertAcknowledged
	if !x.facts.Instance.Capabilities.AcknowledgedByUser {
		user = ""
	}
	a.Acknowledgements = append(slices.Clone(a.Acknowledgements), integration.Acknowledgement{
		ID: fmt.Sprintf("%s-%d-%d", x.name, x.w.now.UnixNano(), len(a.Acknowledgements)), User: user, At: x.w.now, Command: command,
	})
}

// whim is something that a person does in the app, or a shift that changes.
func (x *crowdCall) whim() {
	w, a := x.w, &x.alert
	if !call.Live(x.state) {
		return
	}
	user := w.users[w.rnd.Intn(len(w.users))].ID
	switch w.rnd.Intn(9) {
	case 0, 1:
		if a.Status == integration.AlertOpen {
			x.acknowledge(user, 0)
		}
	case 2:
		if a.Status == integration.AlertAcknowledged {
			a.Status, a.Acknowledgements = integration.AlertOpen, nil
		}
	case 3:
		if a.Status == integration.AlertOpen {
			a.Declined = append(slices.Clone(a.Declined), user)
		}
	case 4:
		if a.Status == integration.AlertOpen && w.chance(20) {
			before := a.Status
			a.Status = integration.AlertResolved
			if w.chance(50) {
				w.later(3*time.Second, func() { a.Status = before; x.event(event.Event{Kind: event.Alert}) })
			}
		}
	case 5:
		layer := 1 + w.rnd.Intn(3)
		x.onCall[layer] = []integration.User{w.users[w.rnd.Intn(len(w.users))]}
		if w.chance(20) {
			delete(x.onCall, layer)
		}
	}
	x.event(event.Event{Kind: event.Alert})
	w.later(w.seconds(2, 60), x.whim)
}

func newCrowd(t *testing.T, seed int64) *crowd {
	w := &crowd{t: t, rnd: rand.New(rand.NewSource(seed)), now: start, ringing: map[string]string{}}
	for n := range 1 + w.rnd.Intn(4) {
		u := integration.User{ID: fmt.Sprintf("user%d", n), Name: fmt.Sprintf("User %d", n)}
		for range w.rnd.Intn(3) {
			u.Phones = append(u.Phones, fmt.Sprintf("+120255501%02d", 40+w.rnd.Intn(6)))
		}
		slices.Sort(u.Phones)
		u.Phones = slices.Compact(u.Phones)
		w.users = append(w.users, u)
	}
	layers := map[int][]integration.User{}
	for n := 1; n <= 1+w.rnd.Intn(4); n++ {
		for _, u := range w.users {
			if w.chance(40) {
				layers[n] = append(layers[n], u)
			}
		}
	}
	conf := withVoicemail()
	conf.Reach = []config.Reach{config.ReachAuto, config.ReachAcknowledge, config.ReachRing, config.ReachBoth, config.ReachBoth}[w.rnd.Intn(5)]
	conf.GiveUp = []config.GiveUp{config.GiveUpPolicy, config.GiveUpPolicy, config.GiveUpOneRound}[w.rnd.Intn(3)]
	conf.RingTimeout = w.seconds(10, 40)
	conf.MaxWait = w.seconds(30, 3600)
	caps := integration.Capabilities{UnroutedAlerts: true, Annotations: true, Reopen: w.chance(80), Escalate: w.chance(80), AcknowledgeAs: w.chance(80), AcknowledgedByUser: w.chance(80), PagesByItself: w.chance(50)}
	for n := range 1 + w.rnd.Intn(5) {
		c := newCall(t, conf)
		c.facts.Instance.Capabilities, c.facts.Instance.ProtocolMinor = caps, w.rnd.Intn(2)
		c.users, c.onCall = map[string]integration.User{}, map[int][]integration.User{}
		for _, u := range w.users {
			c.users[u.ID] = u
		}
		for l, people := range layers {
			c.onCall[l] = slices.Clone(people)
		}
		x := &crowdCall{testCall: c, w: w, name: string(rune('A' + n)), rounds: w.rnd.Intn(3)}
		w.later(w.seconds(0, 60), func() {
			w.calls = append(w.calls, x)
			x.record(x.event(event.Event{Kind: event.Arrival}))
		})
		w.later(w.seconds(61, 100), x.whim)
		if w.chance(30) {
			w.later(w.seconds(90, 2000), func() {
				if x.holds {
					x.gone, x.holds = true, false
					x.event(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
				}
			})
		}
	}
	return w
}

func (w *crowd) run() {
	for range 15000 {
		if len(w.queue) == 0 {
			return
		}
		i := 0
		for k := range w.queue {
			if w.queue[k].at.Before(w.queue[i].at) {
				i = k
			}
		}
		next := w.queue[i]
		w.queue = slices.Delete(w.queue, i, i+1)
		if next.at.After(w.now) {
			w.now = next.at
		}
		next.do()
	}
	w.t.Fatalf("the night does not end: %s %s", w.now, mustJSON(w.t, w.calls[0].state))
}

// crowds is how many nights are played; each takes a few hundredths of a second.
const crowds = 40

// TestACrowdOfCallersIsKept plays nights of several callers: each comes to an end, nobody is rung
// for two callers at once, a quiet tick asks and writes nothing, and the session stays small.
func TestACrowdOfCallersIsKept(t *testing.T) {
	t.Parallel()
	for seed := range int64(crowds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newCrowd(t, seed)
			w.run()
			for _, x := range w.calls {
				if call.Live(x.state) {
					t.Errorf("call %s reaches no end: %s\n%s", x.name, mustJSON(t, x.state), x.story())
				}
				if n := len(mustJSON(t, x.state)); n > 12000 {
					t.Errorf("the state has %d bytes: %s", n, mustJSON(t, x.state))
				}
				for _, line := range strings.Split(strings.TrimSpace(x.story()), "\n") {
					if n := strings.Count(x.story(), line[min(len(line), 9):]+"\n"); n > 40 {
						t.Errorf("%d times: %s\n%s", n, line, x.story())
						break
					}
				}
			}
		})
	}
}
