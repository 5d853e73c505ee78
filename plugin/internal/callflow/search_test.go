package callflow

import (
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// node is one state of the search, with the time at which it was first reached and how.
type node struct {
	s      call.State
	now    time.Time
	parent int
	by     string
}

// world is a configuration and a platform, in which every event is tried in every state.
type world struct {
	name   string
	c      config.Config
	facts  integration.Facts
	people []integration.User
}

func worlds() []world {
	people := []integration.User{alice, bob}
	ack, ring, own, plain := withVoicemail(), withVoicemail(), withVoicemail(), config.Defaults()
	ack.Reach, ring.Reach, own.Reach, plain.Reach = config.ReachAcknowledge, config.ReachRing, config.ReachBoth, config.ReachAcknowledge
	plain.ConfirmAnswer, plain.SkipResolveOnHangup, plain.ForceInput, own.ForceInput = false, true, true, true
	ring.Sounds = map[reply.PromptKey]config.Sound{reply.PromptBeforeConnect: {Title: "Before Connect Recording", URLs: []string{"https://sounds.example.com/connect.mp3"}}}
	message := withVoicemail()
	message.Deliver, message.StraightToVoicemail = config.DeliverOn, true
	for _, c := range []*config.Config{&ack, &ring, &own, &plain, &message} {
		c.MaxWait = 3 * time.Minute
	}
	able := integration.Facts{Instance: integration.Instance{Capabilities: fullCapabilities}, Destinations: []integration.Destination{devops}}
	unable := able
	unable.Instance.Capabilities.Reopen, unable.Instance.Capabilities.Escalate, unable.Instance.Capabilities.AcknowledgedByUser = false, false, false
	plays := able
	plays.Instance.Capabilities.CallMedia = true
	plays.MediaURLs = map[string]string{audio.Ref: "https://host.example.com/call-media/1"}
	return []world{
		{"acknowledge, one responder", ack, able, people[:1]},
		{"ring, two responders", ring, able, people},
		{"both, on a platform that cannot escalate", own, unable, people},
		{"menu, no voicemail, no question", plain, able, people[:1]},
		{"message, two responders", message, plays, people},
	}
}

// answers answers any question of a state.
func (w world) answers(e event.Event, questions []integration.Question) []integration.Answer {
	var out []integration.Answer
	for _, n := range questions {
		a := integration.Answer{ID: n.ID}
		switch n.Kind {
		case integration.AskUser:
			for _, u := range w.people {
				if u.ID == n.User {
					if e.Timer == integration.TimerPersonWanted {
						u.OccupiedBy, u.OccupiedHow = "CA-of-a-caller", integration.OccupiedWaiting
					}
					a.User = &u
				}
			}
		case integration.AskOnCall:
			if n.Layer <= 1 {
				a.OnCall = onCall(1, w.people)
			}
		case integration.AskRecentCalls: // none
		case integration.AskRoute:
			a.Err = integration.Errorf(integration.KindUnavailable, "there are no routers")
		}
		out = append(out, a)
	}
	return out
}

func (w world) step(s call.State, e event.Event, now time.Time) (call.State, reply.Reply, []effect.Effect) {
	alert, host := e.Facts.Alert, e.Facts.Instance.State
	e.Facts = w.facts
	e.Facts.Now, e.Facts.Alert, e.Facts.Instance.State = now, alert, host
	for {
		next, reply, effects := Step(w.c, s, e)
		needs := effect.Questions(effects)
		if len(needs) == 0 {
			return next, reply, effects
		}
		e.Facts.Answers = append(e.Facts.Answers, w.answers(e, needs)...)
	}
}

// events lists every event that the small model tries in a state.
func (w world) events(s call.State, now time.Time) []event.Event {
	caller := &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum}
	var out []event.Event
	add := func(e event.Event) {
		if row(e.Kind).ofCaller {
			e.Caller = caller
			if e.CallStatus == "" {
				e.CallStatus = event.StatusInProgress
			}
		}
		out = append(out, e)
	}
	if normal(s.Phase) == call.PhaseArrived {
		for _, k := range []event.Kind{event.Arrival, event.Resume, event.MenuKeys, event.Left, event.Voicemail} {
			for _, h := range []integration.HostState{integration.HostActive, integration.HostDisabled, integration.HostMaintenance} {
				add(event.Event{Kind: k, Facts: integration.Facts{Instance: integration.Instance{State: h}}})
				add(event.Event{Kind: k, Facts: integration.Facts{Instance: integration.Instance{State: h}}, Auth: event.AuthNoToken})
			}
		}
		return out
	}
	add(event.Event{Kind: event.Arrival})
	add(event.Event{Kind: event.Resume})
	add(event.Event{Kind: event.MenuKeys, Digits: "1", Step: s.Step})
	add(event.Event{Kind: event.MenuKeys, Step: s.Step})
	add(event.Event{Kind: event.MenuKeys, Digits: "1", Step: s.Step - 1})
	add(event.Event{Kind: event.Tick, QueueSid: queueSid})
	add(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
	for _, r := range []string{"bridged", "leave", "redirected", "error", "hangup"} {
		add(event.Event{Kind: event.Left, QueueResult: r})
	}
	add(event.Event{Kind: event.Left, QueueResult: "bridged", CallStatus: event.StatusCompleted})
	add(event.Event{Kind: event.Voicemail})
	add(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 5})
	add(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Digits: "hangup", CallStatus: event.StatusCompleted})
	add(event.Event{Kind: event.Announce})
	add(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	add(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted, Auth: event.AuthNoToken})
	add(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
	add(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "absent"})
	add(event.Event{Kind: event.Transcription, RecordingSid: "RE1", Text: "text"})
	for _, l := range s.Legs {
		sid := legSid(l.ID)
		leg := func(e event.Event) { e.Leg, e.CallSid = l.ID, sid; add(e) }
		leg(event.Event{Kind: event.LegAnswer})
		leg(event.Event{Kind: event.LegAnswer, ErrorURL: "https://host.example.com/call-media/1"})
		leg(event.Event{Kind: event.LegJoins, Phone: l.Phone})
		leg(event.Event{Kind: event.LegKey, Digits: "1", Step: l.Step})
		leg(event.Event{Kind: event.LegKey, Digits: "2", Step: l.Step})
		leg(event.Event{Kind: event.LegKey, Step: l.Step})
		leg(event.Event{Kind: event.LegEnded})
		leg(event.Event{Kind: event.LegEnded, Bridged: event.BridgeYes})
		leg(event.Event{Kind: event.LegEnded, Bridged: event.BridgeYes, Seconds: 60})
		leg(event.Event{Kind: event.LegEnded, Bridged: event.BridgeNo})
		for _, st := range []event.Status{event.StatusRinging, event.StatusCompleted, event.StatusBusy, event.StatusNoAnswer} {
			leg(event.Event{Kind: event.LegStatus, CallStatus: st})
		}
		leg(event.Event{Kind: event.Dialed, Result: event.Done})
		add(event.Event{Kind: event.Dialed, Leg: l.ID, Result: event.Unknown})
		add(event.Event{Kind: event.Dialed, Leg: l.ID, Result: event.Refused})
		add(event.Event{Kind: event.Dialed, Leg: l.ID, Result: event.Failed})
		leg(event.Event{Kind: event.LookedAtLeg, Result: event.Done, CallStatus: event.StatusInProgress})
		leg(event.Event{Kind: event.LookedAtLeg, Result: event.Done, CallStatus: event.StatusCompleted})
		add(event.Event{Kind: event.LookedAtLeg, Leg: l.ID, Result: event.NotFound})
		leg(event.Event{Kind: event.Announce, DequeuedBy: sid})
	}
	for _, r := range []event.Result{event.NotFound, event.Failed} {
		add(event.Event{Kind: event.LookedAtCall, Result: r})
		add(event.Event{Kind: event.RecordingsList, Result: r})
		add(event.Event{Kind: event.Fetched, Result: r})
		add(event.Event{Kind: event.QueueDeleted, Result: r})
	}
	add(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusInProgress})
	add(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
	add(event.Event{Kind: event.RecordingsList, Result: event.Done, Recordings: []event.ListedRecording{{Sid: "RE1", Status: "completed"}}})
	add(event.Event{Kind: event.Fetched, Result: event.Done, RecordingSid: "RE1", Media: &audio})
	add(event.Event{Kind: event.Mailed, Result: event.Done, Detail: "ops@example.com"})
	add(event.Event{Kind: event.Mailed, Result: event.Failed, Detail: "ops@example.com: 550"})
	add(event.Event{Kind: event.Timer, Timer: integration.TimerPersonWanted})
	add(event.Event{Kind: event.Timer, Timer: integration.TimerPersonFree})
	add(event.Event{Kind: event.Dequeued, Result: event.NotFound})
	add(event.Event{Kind: event.QueueDeleted, Result: event.Done})
	for _, k := range []integration.AlertCommandKind{integration.AlertRoute, integration.AlertReopen, integration.AlertAcknowledge} {
		add(event.Event{Kind: event.CommandFailed, Command: &integration.AlertCommand{Number: s.Alert.Decisive, Kind: k}})
	}
	snap := func(st integration.AlertStatus, layer int, acks ...integration.Acknowledgement) {
		add(event.Event{Kind: event.Alert, Facts: integration.Facts{Alert: &integration.AlertSnapshot{
			Status: st, Layer: layer, Round: 1, Acknowledgements: acks, LastCommand: s.Alert.Commands, ReadAt: now,
		}}})
	}
	snap(integration.AlertOpen, 1)
	snap(integration.AlertOpen, 2)
	add(event.Event{Kind: event.Alert, Facts: integration.Facts{Alert: &integration.AlertSnapshot{
		Status: integration.AlertQueued, Round: 1, Unpaged: "the service is full", LastCommand: s.Alert.Decisive - 1, ReadAt: now,
	}}})
	add(event.Event{Kind: event.Alert, Facts: integration.Facts{Alert: &integration.AlertSnapshot{
		Status: integration.AlertOpen, Layer: 1, Round: 2, LastCommand: s.Alert.Commands, ReadAt: now,
	}}})
	snap(integration.AlertDropped, 1)
	snap(integration.AlertResolved, 1)
	if n := len(s.Alert.SeenAcks); n < 2 {
		for _, u := range w.people {
			snap(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a" + strconv.Itoa(n), User: u.ID, At: now})
		}
		snap(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a" + strconv.Itoa(n), At: now})
	}
	return out
}

const maxLegs = 3 // the bound of the model: states with more legs are found but not gone on from

// key tells states apart. Times are abstracted to which of their thresholds they have passed and
// which deadline comes next; counters that only number things are left out.
func key(s call.State, now time.Time, b []byte) []byte {
	num := func(n int) { b = binary.AppendVarint(b, int64(n)) }
	str := func(x string) { b = append(append(b, x...), 0) }
	yes := func(xs ...bool) {
		n := 0
		for _, x := range xs {
			n <<= 1
			if x {
				n |= 1
			}
		}
		num(n)
	}
	age := func(at time.Time, thresholds ...time.Duration) {
		if at.IsZero() {
			num(-1)
			return
		}
		n := 0
		for _, t := range thresholds {
			if now.Sub(at) >= t {
				n++
			}
		}
		num(n)
	}
	str(string(s.Phase))
	str(string(s.End))
	str(string(s.Exit))
	str(string(s.Verify.Verdict))
	num(s.Verify.NotFound)
	num(s.MenuTries)
	yes(s.RingAt.IsZero(), s.AccountRefused)
	num(min(s.Hold.Errors, 6))
	num(s.QueueTries)
	yes(s.Team != nil, s.Hold.QueueSid != "", s.Hold.PleaseWait, s.TalkLooked, s.GoneAt.IsZero(), s.QueueDeleteAt.IsZero())
	a := &s.Alert
	yes(a.RouteWanted, a.Routed, a.Resolved, a.AckPending, a.Stubborn, a.Decisive > 0, a.FailedAck, len(a.Acks) > 0, len(a.OwnAcks) > 0,
		a.LastLayer, a.Judged, a.EscalateBy.IsZero(), a.LeftLayer > 0, a.Unpaged != "")
	str(string(a.Status))
	num(a.Layer)
	num(len(a.Reached))
	num(len(a.SeenAcks))
	v := &s.Voicemail
	yes(v.Offered, v.Offers > 1, v.Finished, v.Absent, v.Looked)
	for i := range v.Recordings {
		r := &v.Recordings[i]
		str(r.Sid)
		yes(r.Absent, r.Failed, r.Fetching, r.Media != nil, r.Told, r.Transcribed, r.Heard, r.Gone)
	}
	d := &s.Delivery
	yes(d.Unread, d.Judged, d.Next > 0)
	num(d.Layer)
	num(d.Round)
	num(len(d.Acks))
	age(d.Since, deliverPause, platformPatience)
	age(s.TalkingAt, shortBridge, stillInQueue)
	yes(s.TalkOverAt.IsZero())
	age(s.SeenAt, presenceRefresh)
	for i := range s.Legs {
		l := &s.Legs[i]
		str(l.User)
		str(string(l.State))
		str(string(l.Reason))
		yes(l.CallSid != "", l.Requested, l.Ack != "", l.AskedAt.IsZero(), l.RingingAt.IsZero(), l.Dials > 1, l.Message)
		num(l.Menus)
		num(len(l.Playing))
		if l.Live() {
			num(l.Step)
			num(l.Looks)
			age(l.TakingAt, stillInQueue, takeLimit)
		}
	}
	for _, p := range s.People {
		str(p.User)
		yes(p.OnCall, p.Passed, len(p.Acks) > 0, p.OccupiedBy != "", p.TurnAt.IsZero(), now.Before(p.StartAt))
		num(len(p.Dialed))
		num(p.Rung)
		age(p.TurnAt, 25*time.Second)
	}
	for _, n := range s.Numbers {
		str(n.Phone)
		str(string(n.Reason))
		yes(n.Refused)
		age(n.DialedAt, ringFloor)
		age(n.EndedAt, retryFloor)
	}
	for _, d := range deadlines(&s) {
		str(d.name)
	}
	next, _ := Deadline(s)
	str(next)
	return b
}

// Limits of the search, in states of each world that every event is tried in. A search to the full
// limit must see everything happen that the table declares, and takes one to two minutes
// without the race detector (make search). The quick one runs with all other tests.
const (
	fullSearch  = 20000
	quickSearch = 300
)

// searchTime bounds the search: one that is not done by then fails, as it does not show what it
// promises.
const searchTime = 10 * time.Minute

// TestSearch_EveryEventInEveryState visits the states of small worlds breadth first and tries every
// event in each of them, now, a little later, and at the next deadline. Each step must keep the
// rules, and from each state found a caller who is gone must reach an end by timers alone.
// CALLFLOW_SEARCH_STATES limits the states of each world; "full" is [fullSearch].
func TestSearch_EveryEventInEveryState(t *testing.T) {
	t.Parallel()
	limit := quickSearch
	switch text := os.Getenv("CALLFLOW_SEARCH_STATES"); text {
	case "":
	case "full":
		limit = fullSearch
	default:
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("CALLFLOW_SEARCH_STATES is %q: it must be a number or \"full\"", text)
		}
		limit = n
	}
	end := time.Now().Add(searchTime)
	var total found
	taken := map[arrow]bool{}
	var mu sync.Mutex // protects both
	t.Run("worlds", func(t *testing.T) {
		for _, w := range worlds() {
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				f, arrows := w.search(t, limit, end)
				t.Log(f)
				mu.Lock()
				defer mu.Unlock()
				total.states, total.visited, total.steps = total.states+f.states, total.visited+f.visited, total.steps+f.steps
				maps.Copy(taken, arrows)
			})
		}
	})
	t.Logf("in all: %d states found, every event tried in %d of them, %d transitions", total.states, total.visited, total.steps)
	if limit < fullSearch {
		t.Log("arrows of the table that were never taken are looked for at the full limit alone: make search")
		return
	}
	declared := 0
	for _, e := range events {
		for _, c := range e.in {
			for _, from := range c.at {
				for _, to := range c.next {
					declared++
					if !taken[arrow{from, e.kind, to}] {
						t.Errorf("declared, but not taken within the bounds: %s --%s--> %s", from, e.kind, to)
					}
				}
			}
		}
	}
	t.Logf("%d declared arrows looked for", declared)
}

// found says how far a search came.
type found struct {
	states    int // found
	visited   int // of those, the ones in which every event was tried
	steps     int // transitions tried
	exhausted bool
}

func (f found) String() string {
	exhausted := "the space is exhausted"
	if !f.exhausted {
		exhausted = "the space is not exhausted"
	}
	return fmt.Sprintf("%d states found, every event tried in %d of them, %d transitions; %s", f.states, f.visited, f.steps, exhausted)
}

// arrow is a transition that was taken.
type arrow struct {
	from call.Phase
	kind event.Kind
	to   call.Phase
}

// deep walks an ordinary call to each phase and gives the states on its way. A search from the
// first state alone spends its limit on the many ways of ringing people, and comes to few
// conversations and messages.
func (w world) deep(t *testing.T) []node {
	t.Helper()
	s, now := call.State{}, start
	var out []node
	step := func(e event.Event) {
		if row(e.Kind).ofCaller {
			e.Caller = &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum}
			if e.CallStatus == "" {
				e.CallStatus = event.StatusInProgress
			}
		}
		next, reply, effects := w.step(s, e, now)
		if bad := check(s, e, next, reply, effects, now); bad != "" {
			t.Fatalf("%s: %s in %s: %s", w.name, e.Kind, normal(s.Phase), bad)
		}
		s = next
		out = append(out, node{s: s, now: now, parent: 0, by: "deep: " + string(e.Kind)})
		now = now.Add(time.Second)
	}
	alert := func(status integration.AlertStatus, acks ...integration.Acknowledgement) {
		e := event.Event{Kind: event.Alert}
		e.Facts.Alert = &integration.AlertSnapshot{
			Status: status, Layer: 1, Round: 1, Acknowledgements: acks, LastCommand: s.Alert.Commands, ReadAt: now,
		}
		step(e)
	}
	step(event.Event{Kind: event.Arrival})
	if s.Phase == call.PhaseChoosing {
		step(event.Event{Kind: event.MenuKeys, Digits: "1", Step: s.Step})
	}
	if s.Phase == call.PhaseLeavingMessage { // straight: the message is what this world is about
		step(event.Event{Kind: event.Resume})
		step(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 5})
		step(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
		step(event.Event{Kind: event.Fetched, Result: event.Done, RecordingSid: "RE1", Media: &audio})
		alert(integration.AlertOpen)
		step(event.Event{Kind: event.Timer, Timer: "ring"})
		id := s.Legs[0].ID
		step(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
		step(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id)})
		step(event.Event{Kind: event.LegKey, Leg: id, CallSid: legSid(id), Digits: "1", Step: 1})
		return out
	}
	step(event.Event{Kind: event.Tick, QueueSid: queueSid})
	for range holdRetries - 1 {
		step(event.Event{Kind: event.Left, QueueResult: "error"})
	}
	alert(integration.AlertOpen)
	if len(s.Legs) == 0 {
		alert(integration.AlertAcknowledged, integration.Acknowledgement{ID: "deep", User: w.people[0].ID, At: now})
	}
	id := s.Legs[0].ID
	step(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	step(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id)})
	if s.Phase == call.PhaseHolding {
		step(event.Event{Kind: event.LegKey, Leg: id, CallSid: legSid(id), Digits: "1", Step: 1})
	}
	held := s // as it is before the two are joined
	step(event.Event{Kind: event.Announce, DequeuedBy: legSid(id)})
	now = now.Add(time.Minute)
	step(event.Event{Kind: event.LegStatus, Leg: id, CallSid: legSid(id), CallStatus: event.StatusCompleted})
	now = now.Add(call.VerdictLimit)
	step(event.Event{Kind: event.Timer, Timer: "talk-over"}) // Twilio is asked for the leg
	s = held
	step(event.Event{Kind: event.LegEnded, Leg: id, CallSid: legSid(id), Bridged: event.BridgeNo})
	if !w.c.Voicemail {
		return out
	}
	step(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
	step(event.Event{Kind: event.Left, QueueResult: "leave"})
	step(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 5})
	step(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
	return out
}

// search tries every event in up to limit states, and gives the transitions that were taken.
func (w world) search(t *testing.T, limit int, end time.Time) (f found, taken map[arrow]bool) {
	taken = map[arrow]bool{}
	nodes := append([]node{{now: start, parent: -1}}, w.deep(t)...)
	seen := map[string]bool{}
	var buf []byte
	for _, n := range nodes {
		buf = key(n.s, n.now, buf[:0])
		seen[string(buf)] = true
	}
	ends := map[call.End]bool{}
	outOfTime := false
	for i := 0; i < len(nodes); i++ {
		n := nodes[i]
		if len(n.s.Legs) > maxLegs {
			continue
		}
		if f.visited == limit {
			break
		}
		if time.Now().After(end) {
			t.Errorf("%s: %d states visited in %s, of %d", w.name, f.visited, searchTime, limit)
			outOfTime = true
			break
		}
		f.visited++
		try := func(e event.Event, now time.Time) {
			f.steps++
			s, reply, effects := w.step(n.s, e, now)
			if bad := check(n.s, e, s, reply, effects, now); bad != "" {
				t.Fatalf("%s: %s\n%s", w.name, bad, history(nodes, i, e))
			}
			w.facts.Instance.State = e.Facts.Instance.State
			if bad := checkKept(w.c, w.facts, n.s, e, s, reply, effects, now); bad != "" {
				t.Fatalf("%s: %s\n%s", w.name, bad, history(nodes, i, e))
			}
			ends[s.End] = true
			taken[arrow{normal(n.s.Phase), e.Kind, normal(s.Phase)}] = true
			buf = key(s, now, buf[:0])
			if !seen[string(buf)] {
				seen[string(buf)] = true
				by := string(e.Kind) + " " + e.Leg + " " + e.Digits + string(e.CallStatus) + e.QueueResult + string(e.Result) + " at " + now.Sub(start).String()
				nodes = append(nodes, node{s, now, i, by})
				if !w.reachesEnd(s, now) {
					t.Fatalf("%s: no end\n%s\n%s", w.name, history(nodes, i, e), mustJSON(t, s))
				}
			}
		}
		for _, e := range w.events(n.s, n.now) {
			try(e, n.now)
		}
		if _, at := Deadline(n.s); !at.IsZero() {
			name, _ := Deadline(n.s)
			try(event.Event{Kind: event.Timer, Timer: name}, at)
			// The timer is lost: whatever comes next acts instead.
			try(event.Event{Kind: event.Tick, QueueSid: queueSid, CallStatus: event.StatusInProgress, Caller: &call.Caller{Sid: callerSid}}, at)
			for _, later := range []time.Duration{6 * time.Second, 21 * time.Second} {
				if now := n.now.Add(later); now.Before(at) {
					try(event.Event{Kind: event.Tick, QueueSid: queueSid, CallStatus: event.StatusInProgress, Caller: &call.Caller{Sid: callerSid}}, now)
					try(event.Event{Kind: event.Left, QueueResult: "bridged", CallStatus: event.StatusInProgress, Caller: &call.Caller{Sid: callerSid}}, now)
					try(event.Event{Kind: event.HoldKey, QueueSid: queueSid, CallStatus: event.StatusInProgress, Caller: &call.Caller{Sid: callerSid}}, now)
				}
			}
		}
	}
	for _, e := range []call.End{call.EndConnected, call.EndHungUp, call.EndToldGoodbye, call.EndMessageLeft, call.EndNoMessage} {
		reachable := w.c.Voicemail || e != call.EndMessageLeft && e != call.EndNoMessage
		if w.c.StraightToVoicemail && (e == call.EndConnected || e == call.EndHungUp) {
			// Nobody is rung for the caller, who either leaves a message or does not.
			reachable = false
		}
		if !reachable && ends[e] || reachable && !ends[e] && limit >= fullSearch {
			t.Errorf("%s: end %s reached: %v", w.name, e, ends[e])
		}
	}
	f.states = len(nodes)
	f.exhausted = f.visited < limit && !outOfTime
	return f, taken
}

// reachesEnd: from here the caller is gone, no callback comes, and Twilio answers when it is asked.
func (w world) reachesEnd(s call.State, now time.Time) bool {
	// Two people who are rung for a message, and Twilio says nothing of their phones.
	for range 120 {
		if !call.Live(s) {
			return true
		}
		name, at := Deadline(s)
		if at.After(now) {
			now = at
		}
		var effects []effect.Effect
		s, _, effects = w.step(s, event.Event{Kind: event.Timer, Timer: name}, now)
		for _, e := range effects {
			switch e.(type) {
			case effect.LookCall:
				s, _, _ = w.step(s, event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted}, now)
			case effect.LookRecordings:
				s, _, _ = w.step(s, event.Event{Kind: event.RecordingsList, Result: event.NotFound}, now)
			}
		}
	}
	return false
}

// history tells how a state was reached.
func history(nodes []node, i int, e event.Event) string {
	out := "then " + string(e.Kind) + " " + e.Leg + " " + e.Digits + string(e.CallStatus) + e.QueueResult + string(e.Result)
	for ; i > 0; i = nodes[i].parent {
		out = nodes[i].by + "\n" + out
	}
	return out
}
