package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

func TestPT72to74_EverySignalOfAHangup(t *testing.T) {
	t.Parallel()
	signals := map[string]event.Event{
		"left, hangup":    {Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted},
		"left, no status": {Kind: event.Left, QueueResult: "hangup"},
		"look":            {Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted},
		"a late tick":     {Kind: event.Tick, CallStatus: event.StatusCompleted},
		"resume":          {Kind: event.Resume, CallStatus: event.StatusFailed},
	}
	for _, s := range []event.Status{event.StatusCompleted, event.StatusBusy, event.StatusFailed, event.StatusNoAnswer, event.StatusCanceled} {
		signals["status "+string(s)] = event.Event{Kind: event.CallStatus, CallStatus: s}
	}
	for name, e := range signals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, config.Defaults()).holding()
			c.do(e)
			c.ended(call.EndHungUp)
			same(t, len(commands(c.all, integration.AlertResolve)), 1)
			same(t, of[effect.DeleteQueue](c.all)[0].QueueSid, queueSid)
			for _, again := range signals {
				c.do(again)
			}
			same(t, len(commands(c.all, integration.AlertResolve)), 1)
			same(t, len(of[effect.DeleteQueue](c.all)), 1)
		})
	}
}

func TestWhatIsNoProofOfAHangup(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]event.Event{
		"no such call":                 {Kind: event.LookedAtCall, Result: event.NotFound},
		"no answer":                    {Kind: event.LookedAtCall, Result: event.Failed},
		"a member who no longer waits": {Kind: event.Dequeued, Result: event.NotFound},
		"a live status":                {Kind: event.CallStatus, CallStatus: event.StatusInProgress},
		"an unsigned status":           {Kind: event.CallStatus, CallStatus: event.StatusCompleted, Auth: event.AuthNoToken},
		"a leg's status":               {Kind: event.LegStatus, Leg: "1", CallStatus: event.StatusCompleted},
		"our own redirect":             {Kind: event.Left, QueueResult: "redirected"},
		"the bridge is being built":    {Kind: event.Left, QueueResult: "bridging-in-process"},
		"redirected out of the bridge": {Kind: event.Left, QueueResult: "redirected-from-bridged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, config.Defaults()).holding()
			c.do(e)
			c.phase(call.PhaseHolding)
		})
	}
	// Without an auth token, the status callback triggers a look.
	c := newCall(t, config.Defaults())
	c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusInProgress})
	c.wait(time.Minute).do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted, Auth: event.AuthNoToken})
	c.phase(call.PhaseHolding)
	same(t, len(of[effect.LookCall](c.effects)), 1)
}

func TestPT73_HangupInTheMenuResolves(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.SkipResolveOnHangup = true
	c := menuCall(t, conf, 2)
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
}

func TestPT75_KeptAlertTellsWhomToCallBack(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.SkipResolveOnHangup = true
	c := newCall(t, conf).holding()
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup"})
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	c.logged("Call back " + callerNum)
	c.ack("a9", "alice")
	c.logged("Acknowledged after the call was over. Call back " + callerNum)
	same(t, len(dials(c.all)), 0)
}

func TestHangupEndsLegsAndTellsWhoAnswered(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf)
	c.onCall[1] = []integration.User{alice, bob}
	c.holding()
	c.alert(integration.AlertOpen, 1)
	c.answered("1")
	c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.Done, CallSid: legSid("2")})
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup"})
	ends := of[effect.EndLeg](c.effects)
	same(t, []bool{ends[0].Tell, ends[1].Tell}, []bool{true, false})
	same(t, c.press("1", "1"), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerLeft, Number: callerNum}}}))
	c.ended(call.EndHungUp)
}

func TestCallerHangsUpWhileBeingConnected(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	c.phase(call.PhaseConnecting) // the end of Alice's leg says what it was
	same(t, c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo}), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerLeft, Number: callerNum}}}))
	c.ended(call.EndHungUp)
}

// TestACallerWhoHangsUpAtTheAnnouncementHadNoConversation: the responder hears the number to call
// back.
func TestACallerWhoHangsUpAtTheAnnouncementHadNoConversation(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).talking()
	c.wait(2 * time.Second).do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	answer := c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo})
	same(t, answer, reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerLeft, Number: callerNum}}}))
	c.ended(call.EndHungUp)
	c.logged("The caller hung up before Alice Example")
}

func TestCallerHangsUpWhileTalking(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.ResolveOnCompleted = true
	c := newCall(t, conf).talking()
	c.wait(time.Minute)
	c.do(event.Event{Kind: event.Left, QueueResult: "bridged", CallStatus: event.StatusCompleted})
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 60})
	c.ended(call.EndConnected)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
	c.logged("took 1 min")
	same(t, len(of[effect.EndLeg](c.all)), 0)
}

func TestQueueErrorsAreRetriedThenVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	for range 5 {
		if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "error"}).(reply.Enqueue); !ok {
			t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
		}
	}
	if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "queue-full"}).(reply.Record); !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
}

func TestALateReportOfTheQueueTearsNothing(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	first := c.state.Step
	again := c.do(event.Event{Kind: event.Left, QueueResult: "error", Step: first})
	same(t, c.do(event.Event{Kind: event.Left, QueueResult: "error", Step: first}), again) // doubled
	same(t, c.state.Hold.Errors, 1)
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.do(event.Event{Kind: event.Left, QueueResult: "error", Step: first})
	c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: first})
	c.phase(call.PhaseTalking)
	same(t, len(of[effect.EndLeg](c.all)), 0)
	goodbye := c.wait(time.Minute).do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: c.state.Hold.Step})
	same(t, goodbye, reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 60})
	c.ended(call.EndConnected)
}

func TestPresenceIsLookedAfterWhenTicksStop(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	name, at := Deadline(c.state)
	same(t, name, "present")
	same(t, at, start.Add(90*time.Second))
	c.wait(50 * time.Second)
	c.hold()
	_, at = Deadline(c.state)
	same(t, at, c.now.Add(90*time.Second))
	c.wait(90 * time.Second).timer("present")
	same(t, len(of[effect.LookCall](c.effects)), 1)
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
	c.phase(call.PhaseHolding)
	c.wait(90 * time.Second).timer("present")
	same(t, len(of[effect.LookCall](c.effects)), 1)
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
}

func TestPT45_QueueDeletionIsRetried(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup"})
	for range 4 {
		c.do(event.Event{Kind: event.QueueDeleted, Result: event.Failed})
		name, at := Deadline(c.state)
		same(t, name, "queue")
		c.now = at
		c.timer("queue")
		same(t, len(of[effect.DeleteQueue](c.effects)), 1)
	}
	c.do(event.Event{Kind: event.QueueDeleted, Result: event.Failed})
	if name, _ := Deadline(c.state); name != "" {
		t.Fatalf("still pending: %s", name)
	}
}

func TestStarActsAtOnce(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.ack("a1", "alice")
	c.answered("1")
	same(t, c.do(event.Event{Kind: event.HoldKey, Digits: "*"}), reply.Reply(reply.LeaveQueue{}))
	same(t, c.press("1", "1"), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerMessage, Number: callerNum}}}))
	c.phase(call.PhaseLeavingMessage)

	c = newCall(t, config.Defaults()).holding() // no voicemail: star does nothing
	c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
	c.phase(call.PhaseHolding)
	c = newCall(t, withVoicemail()).holding()
	c.do(event.Event{Kind: event.HoldKey, Digits: "5"})
	c.phase(call.PhaseHolding)
}

func TestView(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).talking()
	c.wait(time.Minute)
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 55})
	same(t, call.View(c.state), &integration.CallView{
		ID: callerSid, From: callerNum, To: calledNum, State: "ended", Ended: "connected",
		Team: "devops", TeamName: "DevOps", StartedAt: start, EndedAt: c.now,
		Legs: []integration.LegView{
			{ID: "caller", Role: "caller", Phone: callerNum, State: "ended", StartedAt: start, EndedAt: c.now},
			{ID: "1", Role: "responder", User: "alice", Name: "Alice Example", Phone: alicePhone, State: "ended", Reason: "talked",
				StartedAt: start, EndedAt: c.now},
		},
	})
	if call.Live(c.state) {
		t.Fatal("an ended call is live")
	}
}

// The caller comes out of a conversation into the queue again while the responder's leg says how
// long they talked: then the call is over, and its queue deleted, before the caller is in it once
// more.
func TestAQueueThatIsEnteredAfterItWasDeletedIsDeletedToo(t *testing.T) {
	t.Parallel()
	const another = "QU00000000000000000000000000000002"
	ended := func(t *testing.T) *testCall {
		c := newCall(t, config.Defaults()).talking()
		c.wait(15 * time.Second).do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 15})
		c.ended(call.EndConnected)
		same(t, of[effect.DeleteQueue](c.effects)[0].QueueSid, queueSid)
		c.do(event.Event{Kind: event.QueueDeleted, Result: event.Done})
		return c
	}
	t.Run("its tick tells it", func(t *testing.T) {
		t.Parallel()
		c := ended(t)
		same(t, c.do(event.Event{Kind: event.Tick, QueueSid: another}), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye}}}))
		same(t, of[effect.DeleteQueue](c.effects)[0].QueueSid, another)
		c.do(event.Event{Kind: event.QueueDeleted, Result: event.Failed}) // the caller is leaving
		name, at := Deadline(c.state)
		same(t, name, "queue")
		c.do(event.Event{Kind: event.Left, QueueResult: "hangup", QueueSid: another, CallStatus: event.StatusCompleted})
		c.now = at
		c.timer("queue")
		same(t, of[effect.DeleteQueue](c.effects)[0].QueueSid, another)
	})
	t.Run("its end alone tells it", func(t *testing.T) {
		t.Parallel()
		c := ended(t)
		c.do(event.Event{Kind: event.Left, QueueResult: "hangup", QueueSid: another, CallStatus: event.StatusCompleted})
		same(t, of[effect.DeleteQueue](c.effects)[0].QueueSid, another)
	})
	t.Run("a late word of the first changes nothing", func(t *testing.T) {
		t.Parallel()
		c := ended(t)
		c.do(event.Event{Kind: event.Tick, QueueSid: another})
		c.do(event.Event{Kind: event.Left, QueueResult: "bridged", QueueSid: queueSid})
		same(t, len(of[effect.DeleteQueue](c.effects)), 0)
		same(t, c.state.Hold.QueueSid, another)
	})
}
