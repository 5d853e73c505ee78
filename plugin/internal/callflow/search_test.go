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
)

// node is one state of the search, with the time at which it was first reached and how.
type node struct {
	s      State
	now    time.Time
	parent int
	by     string
}

// world is a configuration and a platform, in which every event is tried in every state.
type world struct {
	name   string
	c      Config
	facts  integration.Facts
	people []integration.User
}

func worlds() []world {
	people := []integration.User{alice, bob}
	ack, ring, own, plain := withVoicemail(), withVoicemail(), withVoicemail(), Defaults()
	ack.Reach, ring.Reach, own.Reach, plain.Reach = ReachAcknowledge, ReachRing, ReachBoth, ReachAcknowledge
	plain.ConfirmAnswer, plain.SkipResolveOnHangup, plain.ForceInput, own.ForceInput = false, true, true, true
	ring.Sounds = map[PromptKey]Sound{PromptBeforeConnect: {Title: "Before Connect Recording", URLs: []string{"https://sounds.example.com/connect.mp3"}}}
	message := withVoicemail()
	message.Deliver, message.StraightToVoicemail = DeliverOn, true
	for _, c := range []*Config{&ack, &ring, &own, &plain, &message} {
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
func (w world) answers(e Event, questions []integration.Question) []integration.Answer {
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

func (w world) step(s State, e Event, now time.Time) (State, Reply, []Effect) {
	alert, host := e.Facts.Alert, e.Facts.Instance.State
	e.Facts = w.facts
	e.Facts.Now, e.Facts.Alert, e.Facts.Instance.State = now, alert, host
	for {
		next, reply, effects := Step(w.c, s, e)
		needs := Questions(effects)
		if len(needs) == 0 {
			return next, reply, effects
		}
		e.Facts.Answers = append(e.Facts.Answers, w.answers(e, needs)...)
	}
}

// events lists every event that the small model tries in a state.
func (w world) events(s State, now time.Time) []Event {
	caller := &Caller{Sid: callerSid, Number: callerNum, Called: calledNum}
	var out []Event
	add := func(e Event) {
		if row(e.Kind).ofCaller {
			e.Caller = caller
			if e.CallStatus == "" {
				e.CallStatus = StatusInProgress
			}
		}
		out = append(out, e)
	}
	if normal(s.Phase) == PhaseArrived {
		for _, k := range []EventKind{EventArrival, EventResume, EventMenuKeys, EventLeft, EventVoicemail} {
			for _, h := range []integration.HostState{integration.HostActive, integration.HostDisabled, integration.HostMaintenance} {
				add(Event{Kind: k, Facts: integration.Facts{Instance: integration.Instance{State: h}}})
				add(Event{Kind: k, Facts: integration.Facts{Instance: integration.Instance{State: h}}, Auth: AuthNoToken})
			}
		}
		return out
	}
	add(Event{Kind: EventArrival})
	add(Event{Kind: EventResume})
	add(Event{Kind: EventMenuKeys, Digits: "1", Step: s.Step})
	add(Event{Kind: EventMenuKeys, Step: s.Step})
	add(Event{Kind: EventMenuKeys, Digits: "1", Step: s.Step - 1})
	add(Event{Kind: EventTick, QueueSid: queueSid})
	add(Event{Kind: EventHoldKey, QueueSid: queueSid, Digits: "*"})
	for _, r := range []string{"bridged", "leave", "redirected", "error", "hangup"} {
		add(Event{Kind: EventLeft, QueueResult: r})
	}
	add(Event{Kind: EventLeft, QueueResult: "bridged", CallStatus: StatusCompleted})
	add(Event{Kind: EventVoicemail})
	add(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 5})
	add(Event{Kind: EventRecorded, RecordingSid: "RE1", Digits: "hangup", CallStatus: StatusCompleted})
	add(Event{Kind: EventAnnounce})
	add(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	add(Event{Kind: EventCallStatus, CallStatus: StatusCompleted, Auth: AuthNoToken})
	add(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed"})
	add(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "absent"})
	add(Event{Kind: EventTranscription, RecordingSid: "RE1", Text: "text"})
	for _, l := range s.Legs {
		sid := legSid(l.ID)
		leg := func(e Event) { e.Leg, e.CallSid = l.ID, sid; add(e) }
		leg(Event{Kind: EventLegAnswer})
		leg(Event{Kind: EventLegAnswer, ErrorURL: "https://host.example.com/call-media/1"})
		leg(Event{Kind: EventLegJoins, Phone: l.Phone})
		leg(Event{Kind: EventLegKey, Digits: "1", Step: l.Step})
		leg(Event{Kind: EventLegKey, Digits: "2", Step: l.Step})
		leg(Event{Kind: EventLegKey, Step: l.Step})
		leg(Event{Kind: EventLegEnded})
		leg(Event{Kind: EventLegEnded, Bridged: BridgeYes})
		leg(Event{Kind: EventLegEnded, Bridged: BridgeYes, Seconds: 60})
		leg(Event{Kind: EventLegEnded, Bridged: BridgeNo})
		for _, st := range []CallStatus{StatusRinging, StatusCompleted, StatusBusy, StatusNoAnswer} {
			leg(Event{Kind: EventLegStatus, CallStatus: st})
		}
		leg(Event{Kind: EventDialed, Result: Done})
		add(Event{Kind: EventDialed, Leg: l.ID, Result: Unknown})
		add(Event{Kind: EventDialed, Leg: l.ID, Result: Refused})
		add(Event{Kind: EventDialed, Leg: l.ID, Result: Failed})
		leg(Event{Kind: EventLookedAtLeg, Result: Done, CallStatus: StatusInProgress})
		leg(Event{Kind: EventLookedAtLeg, Result: Done, CallStatus: StatusCompleted})
		add(Event{Kind: EventLookedAtLeg, Leg: l.ID, Result: NotFound})
		leg(Event{Kind: EventAnnounce, DequeuedBy: sid})
	}
	for _, r := range []Result{NotFound, Failed} {
		add(Event{Kind: EventLookedAtCall, Result: r})
		add(Event{Kind: EventRecordingsList, Result: r})
		add(Event{Kind: EventFetched, Result: r})
		add(Event{Kind: EventQueueDeleted, Result: r})
	}
	add(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusInProgress})
	add(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted})
	add(Event{Kind: EventRecordingsList, Result: Done, Recordings: []ListedRecording{{Sid: "RE1", Status: "completed"}}})
	add(Event{Kind: EventFetched, Result: Done, RecordingSid: "RE1", Media: &audio})
	add(Event{Kind: EventTimer, Timer: integration.TimerPersonWanted})
	add(Event{Kind: EventTimer, Timer: integration.TimerPersonFree})
	add(Event{Kind: EventDequeued, Result: NotFound})
	add(Event{Kind: EventQueueDeleted, Result: Done})
	for _, k := range []integration.AlertCommandKind{integration.AlertRoute, integration.AlertReopen, integration.AlertAcknowledge} {
		add(Event{Kind: EventCommandFailed, Command: &integration.AlertCommand{Number: s.Alert.Decisive, Kind: k}})
	}
	snap := func(st integration.AlertStatus, layer int, acks ...integration.Acknowledgement) {
		add(Event{Kind: EventAlert, Facts: integration.Facts{Alert: &integration.AlertSnapshot{
			Status: st, Layer: layer, Round: 1, Acknowledgements: acks, LastCommand: s.Alert.Commands, ReadAt: now,
		}}})
	}
	snap(integration.AlertOpen, 1)
	snap(integration.AlertOpen, 2)
	add(Event{Kind: EventAlert, Facts: integration.Facts{Alert: &integration.AlertSnapshot{
		Status: integration.AlertQueued, Round: 1, Unpaged: "the service is full", LastCommand: s.Alert.Decisive - 1, ReadAt: now,
	}}})
	add(Event{Kind: EventAlert, Facts: integration.Facts{Alert: &integration.AlertSnapshot{
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
func key(s State, now time.Time, b []byte) []byte {
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
		if l.live() {
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
	from Phase
	kind EventKind
	to   Phase
}

// deep walks an ordinary call to each phase and gives the states on its way. A search from the
// first state alone spends its limit on the many ways of ringing people, and comes to few
// conversations and messages.
func (w world) deep(t *testing.T) []node {
	t.Helper()
	s, now := State{}, start
	var out []node
	step := func(e Event) {
		if row(e.Kind).ofCaller {
			e.Caller = &Caller{Sid: callerSid, Number: callerNum, Called: calledNum}
			if e.CallStatus == "" {
				e.CallStatus = StatusInProgress
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
		e := Event{Kind: EventAlert}
		e.Facts.Alert = &integration.AlertSnapshot{
			Status: status, Layer: 1, Round: 1, Acknowledgements: acks, LastCommand: s.Alert.Commands, ReadAt: now,
		}
		step(e)
	}
	step(Event{Kind: EventArrival})
	if s.Phase == PhaseChoosing {
		step(Event{Kind: EventMenuKeys, Digits: "1", Step: s.Step})
	}
	if s.Phase == PhaseLeavingMessage { // straight: the message is what this world is about
		step(Event{Kind: EventResume})
		step(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 5})
		step(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed"})
		step(Event{Kind: EventFetched, Result: Done, RecordingSid: "RE1", Media: &audio})
		alert(integration.AlertOpen)
		step(Event{Kind: EventTimer, Timer: "ring"})
		id := s.Legs[0].ID
		step(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
		step(Event{Kind: EventLegAnswer, Leg: id, CallSid: legSid(id)})
		step(Event{Kind: EventLegKey, Leg: id, CallSid: legSid(id), Digits: "1", Step: 1})
		return out
	}
	step(Event{Kind: EventTick, QueueSid: queueSid})
	for range holdRetries - 1 {
		step(Event{Kind: EventLeft, QueueResult: "error"})
	}
	alert(integration.AlertOpen)
	if len(s.Legs) == 0 {
		alert(integration.AlertAcknowledged, integration.Acknowledgement{ID: "deep", User: w.people[0].ID, At: now})
	}
	id := s.Legs[0].ID
	step(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
	step(Event{Kind: EventLegAnswer, Leg: id, CallSid: legSid(id)})
	if s.Phase == PhaseHolding {
		step(Event{Kind: EventLegKey, Leg: id, CallSid: legSid(id), Digits: "1", Step: 1})
	}
	held := s // as it is before the two are joined
	step(Event{Kind: EventAnnounce, DequeuedBy: legSid(id)})
	now = now.Add(time.Minute)
	step(Event{Kind: EventLegStatus, Leg: id, CallSid: legSid(id), CallStatus: StatusCompleted})
	now = now.Add(verdictLimit)
	step(Event{Kind: EventTimer, Timer: "talk-over"}) // Twilio is asked for the leg
	s = held
	step(Event{Kind: EventLegEnded, Leg: id, CallSid: legSid(id), Bridged: BridgeNo})
	if !w.c.Voicemail {
		return out
	}
	step(Event{Kind: EventHoldKey, QueueSid: queueSid, Digits: "*"})
	step(Event{Kind: EventLeft, QueueResult: "leave"})
	step(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 5})
	step(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed"})
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
	ends := map[End]bool{}
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
			break
		}
		f.visited++
		try := func(e Event, now time.Time) {
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
			try(Event{Kind: EventTimer, Timer: name}, at)
			// The timer is lost: whatever comes next acts instead.
			try(Event{Kind: EventTick, QueueSid: queueSid, CallStatus: StatusInProgress, Caller: &Caller{Sid: callerSid}}, at)
			for _, later := range []time.Duration{6 * time.Second, 21 * time.Second} {
				if now := n.now.Add(later); now.Before(at) {
					try(Event{Kind: EventTick, QueueSid: queueSid, CallStatus: StatusInProgress, Caller: &Caller{Sid: callerSid}}, now)
					try(Event{Kind: EventLeft, QueueResult: "bridged", CallStatus: StatusInProgress, Caller: &Caller{Sid: callerSid}}, now)
					try(Event{Kind: EventHoldKey, QueueSid: queueSid, CallStatus: StatusInProgress, Caller: &Caller{Sid: callerSid}}, now)
				}
			}
		}
	}
	for _, e := range []End{EndConnected, EndHungUp, EndToldGoodbye, EndMessageLeft, EndNoMessage} {
		reachable := w.c.Voicemail || e != EndMessageLeft && e != EndNoMessage
		if w.c.StraightToVoicemail && (e == EndConnected || e == EndHungUp) {
			// Nobody is rung for the caller, who either leaves a message or does not.
			reachable = false
		}
		if !reachable && ends[e] || reachable && !ends[e] && limit >= fullSearch {
			t.Errorf("%s: end %s reached: %v", w.name, e, ends[e])
		}
	}
	f.states = len(nodes)
	f.exhausted = f.visited < limit
	return f, taken
}

// reachesEnd: from here the caller is gone, no callback comes, and Twilio answers when it is asked.
func (w world) reachesEnd(s State, now time.Time) bool {
	// Two people who are rung for a message, and Twilio says nothing of their phones.
	for range 120 {
		if !Live(s) {
			return true
		}
		name, at := Deadline(s)
		if at.After(now) {
			now = at
		}
		var effects []Effect
		s, _, effects = w.step(s, Event{Kind: EventTimer, Timer: name}, now)
		for _, e := range effects {
			switch e.(type) {
			case LookCall:
				s, _, _ = w.step(s, Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted}, now)
			case LookRecordings:
				s, _, _ = w.step(s, Event{Kind: EventRecordingsList, Result: NotFound}, now)
			}
		}
	}
	return false
}

// history tells how a state was reached.
func history(nodes []node, i int, e Event) string {
	out := "then " + string(e.Kind) + " " + e.Leg + " " + e.Digits + string(e.CallStatus) + e.QueueResult + string(e.Result)
	for ; i > 0; i = nodes[i].parent {
		out = nodes[i].by + "\n" + out
	}
	return out
}
