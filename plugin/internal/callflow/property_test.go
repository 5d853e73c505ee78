package callflow

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// randomCall is a call on a random configuration and platform, with answers drawn for each
// question.
func randomCall(t *rapid.T) *testCall {
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	conf := config.Defaults()
	conf.Reach = rapid.SampledFrom([]config.Reach{config.ReachAuto, config.ReachAcknowledge, config.ReachRing, config.ReachBoth}).Draw(t, "reach")
	conf.ConfirmAnswer, conf.ForceInput = flag("confirm"), flag("force")
	conf.Voicemail, conf.StraightToVoicemail = flag("voicemail"), rapid.IntRange(0, 4).Draw(t, "straight") == 0
	conf.SkipResolveOnHangup, conf.ResolveOnCompleted, conf.DeleteRecording = flag("skip"), flag("resolve"), flag("delete")
	conf.MenuFallback = rapid.SampledFrom([]config.Fallback{config.FallbackVoicemail, config.FallbackFirstTeam}).Draw(t, "fallback")
	conf.MaxWait = time.Duration(rapid.IntRange(30, 600).Draw(t, "maxwait")) * time.Second
	if flag("files") {
		conf.Sounds = soundFiles(reply.PromptWelcome, reply.PromptPleaseWait, reply.PromptMusic, reply.PromptBeforeConnect, reply.PromptGreeting, reply.PromptAfterMessage, reply.PromptNoAnswer)
	}
	c := newCall(t, conf)
	if c.keeps = flag("keeps"); c.keeps {
		c.facts.HearingSince = start.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "up")) * time.Second)
	}
	c.facts.Instance.Capabilities = integration.Capabilities{
		UnroutedAlerts: flag("c1"), Reopen: flag("c2"), Escalate: flag("c3"), AcknowledgeAs: flag("c4"), AcknowledgedByUser: flag("c5"),
		Annotations: flag("c6"), Routers: flag("c7"), PagesByItself: flag("c8"), Audiences: flag("c9"),
	}
	c.facts.Destinations = rapid.SampledFrom([][]integration.Destination{
		{devops}, {devops, support}, {{Kind: integration.DestinationRouter, ID: "r1"}, support}, {}, {devops},
	}).Draw(t, "destinations")
	c.routes["r1"] = integration.RouteVerdict{Receivers: []integration.Destination{devops, support}}
	c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone, "+12025550149"}}
	c.users["bob"] = rapid.SampledFrom([]integration.User{bob, {ID: "bob"}, {ID: "bob", Phones: []string{bobPhone}, OccupiedBy: "CA2"}}).Draw(t, "bob")
	c.onCall = rapid.SampledFrom([]map[int][]integration.User{
		{1: {alice}, 2: {bob}}, {1: {alice, bob}}, {}, {1: {{ID: "carol"}}, 2: {{ID: "dave"}}, 3: {alice}},
	}).Draw(t, "oncall")
	return c
}

// randomEvent is any event, plausible or not.
func randomEvent(t *rapid.T, c *testCall) event.Event {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	e := event.Event{
		Kind:        rapid.SampledFrom(Kinds()).Draw(t, "kind"),
		Auth:        event.Auth(pick("auth", "signed", "signed", "signed", "no_token", "mismatch", "refused")),
		Leg:         pick("leg", "1", "1", "2", "3", "9", ""),
		Digits:      pick("digits", "1", "1", "2", "", "*", "7", "hangup"),
		Step:        c.state.Step - rapid.IntRange(0, 1).Draw(t, "stale"),
		Tick:        rapid.IntRange(0, 9).Draw(t, "tick"),
		Said:        time.Duration(rapid.IntRange(0, 900).Draw(t, "said")) * time.Second,
		QueueResult: pick("result", "bridged", "leave", "redirected", "error", "bridging-in-process", "hangup", "queue-full", ""),
		Bridged:     rapid.SampledFrom([]event.Bridge{event.BridgeYes, event.BridgeNo, event.BridgeUnknown}).Draw(t, "bridged"),
		Seconds:     rapid.IntRange(0, 90).Draw(t, "seconds"),
		Result:      event.Result(pick("outcome", "done", "done", "not_found", "unknown", "refused", "failed")),
		Text:        "text",
	}
	if row(e.Kind).ofCaller {
		e.QueueSid = pick("queue", queueSid, "")
	}
	status := []string{"in-progress", "in-progress", "ringing", "completed", "busy", "no-answer", "failed", "canceled", ""}
	e.CallStatus = event.Status(pick("status", status...))
	if row(e.Kind).ofCaller && rapid.IntRange(0, 9).Draw(t, "alive") > 0 {
		e.CallStatus = event.StatusInProgress
	}
	e.CallSid = pick("sid", legSid(e.Leg), legSid(e.Leg), legSid("8"), "")
	e.DequeuedBy = pick("dequeued", legSid("1"), legSid("2"), "")
	e.RecordingSid = pick("recording", "RE1", "RE1", "RE2", "")
	e.RecordingStatus = pick("rstatus", "completed", "absent", "failed", "deleted", "in-progress")
	e.Fallback = (e.Kind == event.Arrival || e.Kind == event.Resume) && rapid.Bool().Draw(t, "fallback")
	e.ErrorURL = pick("error", "", "https://x.example.com/welcome", "https://x.example.com/voicemail_greeting", "https://elsewhere.example.com/")
	e.QueueTime = time.Duration(rapid.IntRange(0, 100).Draw(t, "qtime")) * time.Second
	e.FailedRequest = event.Kind(pick("failed", "", "", string(event.Recorded)))
	if e.Kind == event.RecordingsList {
		e.Recordings = []event.ListedRecording{{Sid: "RE1", Status: e.RecordingStatus}, {Sid: "RE3", Status: pick("other", "completed", "processing")}}
	}
	if e.Kind == event.Fetched {
		e.Media = &audio
	}
	if e.Kind == event.Timer {
		e.Timer, _ = c.due()
	}
	e.Command = &integration.AlertCommand{Number: rapid.Int64Range(0, c.state.Alert.Commands).Draw(t, "command")}
	e.Command.Kind = integration.AlertCommandKind(pick("ckind", "create", "route", "log", "reopen", "escalate", "acknowledge", "resolve"))
	if e.Kind == event.CommandFailed && rapid.IntRange(0, 3).Draw(t, "rare") > 0 {
		e.Kind = event.Tick
	}
	return e
}

func randomSnapshot(t *rapid.T, c *testCall) {
	snap := &integration.AlertSnapshot{
		Status: rapid.SampledFrom([]integration.AlertStatus{integration.AlertQueued, integration.AlertOpen, integration.AlertOpen, integration.AlertAcknowledged, integration.AlertAcknowledged, integration.AlertDropped,
			integration.AlertResolved, integration.AlertDeleted}).Draw(t, "astatus"),
		Layer: rapid.IntRange(0, 3).Draw(t, "layer"), Round: rapid.IntRange(0, 2).Draw(t, "round"),
		LastCommand: c.state.Alert.Commands - rapid.Int64Range(0, 2).Draw(t, "behind"),
		ReadAt:      c.now.Add(-time.Duration(rapid.IntRange(0, 2).Draw(t, "age")) * time.Second),
		Change:      max(0, c.state.Alert.Change+rapid.Int64Range(-1, 2).Draw(t, "change")),
		Teams:       rapid.SampledFrom([][]string{nil, {"devops"}, {"support"}}).Draw(t, "teams"),
		Unpaged:     rapid.SampledFrom([]string{"", "", "", "full", "in maintenance"}).Draw(t, "unpaged"),
	}
	if snap.Status == integration.AlertAcknowledged {
		for range rapid.IntRange(1, 2).Draw(t, "acks") {
			snap.Acknowledgements = append(snap.Acknowledgements, integration.Acknowledgement{
				ID:   fmt.Sprintf("a%d", rapid.IntRange(1, 6).Draw(t, "ack")),
				User: rapid.SampledFrom([]string{"alice", "bob", "carol", ""}).Draw(t, "who"), At: c.now,
			})
		}
	}
	c.facts.Alert = snap
}

var pauses = []time.Duration{0, 0, 0, time.Second, 4 * time.Second, 6 * time.Second, 15 * time.Second, 25 * time.Second, 50 * time.Second, 100 * time.Second, 6 * time.Minute, 3 * time.Hour}

// TestProperty_AnyHistoryKeepsTheRules plays random histories, with losses, doubles and
// reorderings, and then lets the world fall into order in one of three ways. Each must lead to the
// end.
func TestProperty_AnyHistoryKeepsTheRules(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := randomCall(t)
		c.do(event.Event{Kind: event.Arrival, Auth: event.Auth(rapid.SampledFrom([]string{"signed", "signed", "no_token", "mismatch"}).Draw(t, "auth0"))})
		var last event.Event
		for range rapid.IntRange(0, 40).Draw(t, "events") {
			c.wait(rapid.SampledFrom(pauses).Draw(t, "pause"))
			if rapid.IntRange(0, 3).Draw(t, "snapshot") == 0 {
				randomSnapshot(t, c)
			}
			e := randomEvent(t, c)
			if rapid.IntRange(0, 5).Draw(t, "double") == 0 && last.Kind != "" {
				e = last
			}
			last = e
			deterministic(t, c, e)
			c.do(e)
		}
		switch rapid.IntRange(0, 2).Draw(t, "ending") {
		case 0:
			c.finishGone()
		case 1:
			c.finishWaiting()
		case 2:
			c.finishSilent()
		}
		once(t, c)
	})
}

func deterministic(t failer, c *testCall, e event.Event) {
	e.Facts = c.facts
	e.Facts.Now = c.now
	s1, r1, f1 := Step(c.c, c.state, e)
	s2, r2, f2 := Step(c.c, c.state, e)
	same(t, s1, s2)
	same(t, r1, r2)
	same(t, f1, f2)
}

func once(t failer, c *testCall) {
	if n := len(commands(c.all, integration.AlertCreate)); n > 1 {
		t.Fatalf("%d alerts", n)
	}
	recordings := len(c.state.Voicemail.Recordings)
	if n := len(of[effect.Mail](c.all)); n > recordings {
		t.Fatalf("%d mails of %d recordings", n, recordings)
	}
	if n := len(commands(c.all, integration.AlertAttach)); n > recordings {
		t.Fatalf("%d attachments of %d recordings", n, recordings)
	}
}

// finishGone: the caller is gone and every signal of it is lost; only timers come, and Twilio
// answers when asked.
func (c *testCall) finishGone() {
	for range 60 {
		if !call.Live(c.state) {
			return
		}
		name, at := c.due()
		c.now = at
		c.do(event.Event{Kind: event.Timer, Timer: name})
		effects := c.effects
		if len(of[effect.LookCall](effects)) > 0 {
			c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
		}
		if len(of[effect.LookRecordings](effects)) > 0 {
			c.do(event.Event{Kind: event.RecordingsList, Result: event.NotFound})
		}
	}
	c.t.Fatalf("a caller who is gone reaches no end: %s", mustJSON(c.t, c.state))
}

// finishWaiting: the caller stays on the line and does what the documents say, every timer is lost,
// nobody else does anything.
func (c *testCall) finishWaiting() {
	c.facts.Alert = nil
	answer := c.do(event.Event{Kind: event.Resume})
	for range 3000 {
		if !call.Live(c.state) {
			return
		}
		c.wait(15 * time.Second)
		switch answer.(type) {
		case reply.Menu:
			answer = c.do(event.Event{Kind: event.MenuKeys, Step: c.state.Step})
		case reply.Enqueue, reply.Hold:
			answer = c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: 1})
		case reply.LeaveQueue:
			answer = c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
		case reply.Record:
			answer = c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE7", Seconds: 3})
		default: // hung up on: what is left is known to Twilio
			c.finishGone()
			return
		}
	}
	c.t.Fatalf("a caller who waits reaches no end: %s", mustJSON(c.t, c.state))
}

// finishSilent: nothing comes any more but timers; Twilio never answers.
func (c *testCall) finishSilent() {
	for range 2000 {
		if !call.Live(c.state) {
			return
		}
		name, at := c.due()
		c.now = at
		c.do(event.Event{Kind: event.Timer, Timer: name})
	}
	c.t.Fatalf("silence reaches no end: %s", mustJSON(c.t, c.state))
}
