package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestPT72to74_EverySignalOfAHangup(t *testing.T) {
	t.Parallel()
	signals := map[string]Event{
		"left, hangup":    {Kind: EventLeft, QueueResult: "hangup", CallStatus: StatusCompleted},
		"left, no status": {Kind: EventLeft, QueueResult: "hangup"},
		"look":            {Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted},
		"a late tick":     {Kind: EventTick, CallStatus: StatusCompleted},
		"resume":          {Kind: EventResume, CallStatus: StatusFailed},
	}
	for _, s := range []CallStatus{StatusCompleted, StatusBusy, StatusFailed, StatusNoAnswer, StatusCanceled} {
		signals["status "+string(s)] = Event{Kind: EventCallStatus, CallStatus: s}
	}
	for name, e := range signals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, Defaults()).holding()
			c.do(e)
			c.ended(EndHungUp)
			same(t, len(commands(c.all, integration.AlertResolve)), 1)
			same(t, of[DeleteQueue](c.all)[0].QueueSid, queueSid)
			for _, again := range signals {
				c.do(again)
			}
			same(t, len(commands(c.all, integration.AlertResolve)), 1)
			same(t, len(of[DeleteQueue](c.all)), 1)
		})
	}
}

func TestWhatIsNoProofOfAHangup(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]Event{
		"no such call":                 {Kind: EventLookedAtCall, Result: NotFound},
		"no answer":                    {Kind: EventLookedAtCall, Result: Failed},
		"a member who no longer waits": {Kind: EventDequeued, Result: NotFound},
		"a live status":                {Kind: EventCallStatus, CallStatus: StatusInProgress},
		"an unsigned status":           {Kind: EventCallStatus, CallStatus: StatusCompleted, Auth: AuthNoToken},
		"a leg's status":               {Kind: EventLegStatus, Leg: "1", CallStatus: StatusCompleted},
		"our own redirect":             {Kind: EventLeft, QueueResult: "redirected"},
		"the bridge is being built":    {Kind: EventLeft, QueueResult: "bridging-in-process"},
		"redirected out of the bridge": {Kind: EventLeft, QueueResult: "redirected-from-bridged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, Defaults()).holding()
			c.do(e)
			c.phase(PhaseHolding)
		})
	}
	// Without an auth token, the status callback triggers a look.
	c := newCall(t, Defaults())
	c.do(Event{Kind: EventArrival, Auth: AuthNoToken})
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusInProgress})
	c.wait(time.Minute).do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted, Auth: AuthNoToken})
	c.phase(PhaseHolding)
	same(t, len(of[LookCall](c.effects)), 1)
}

func TestPT73_HangupInTheMenuResolves(t *testing.T) {
	t.Parallel()
	conf := Defaults()
	conf.SkipResolveOnHangup = true
	c := menuCall(t, conf, 2)
	c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
}

func TestPT75_KeptAlertTellsWhomToCallBack(t *testing.T) {
	t.Parallel()
	conf := Defaults()
	conf.SkipResolveOnHangup = true
	c := newCall(t, conf).holding()
	c.do(Event{Kind: EventLeft, QueueResult: "hangup"})
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	c.logged("Call back " + callerNum)
	c.ack("a9", "alice")
	c.logged("Acknowledged after the call was over. Call back " + callerNum)
	same(t, len(dials(c.all)), 0)
}

func TestHangupEndsLegsAndTellsWhoAnswered(t *testing.T) {
	t.Parallel()
	conf := Defaults()
	conf.Reach = ReachRing
	c := newCall(t, conf)
	c.onCall[1] = []integration.User{alice, bob}
	c.holding()
	c.alert(integration.AlertOpen, 1)
	c.answered("1")
	c.do(Event{Kind: EventDialed, Leg: "2", Result: Done, CallSid: legSid("2")})
	c.do(Event{Kind: EventLeft, QueueResult: "hangup"})
	ends := of[EndLeg](c.effects)
	same(t, []bool{ends[0].Tell, ends[1].Tell}, []bool{true, false})
	same(t, c.press("1", "1"), Reply(HangupReply{Say: []Prompt{{Key: PromptCallerLeft, Number: callerNum}}}))
	c.ended(EndHungUp)
}

func TestCallerHangsUpWhileBeingConnected(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(Event{Kind: EventLeft, QueueResult: "hangup", CallStatus: StatusCompleted})
	c.phase(PhaseConnecting) // the end of Alice's leg says what it was
	same(t, c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeNo}), Reply(HangupReply{Say: []Prompt{{Key: PromptCallerLeft, Number: callerNum}}}))
	c.ended(EndHungUp)
}

// TestACallerWhoHangsUpAtTheAnnouncementHadNoConversation: the responder hears the number to call
// back.
func TestACallerWhoHangsUpAtTheAnnouncementHadNoConversation(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).talking()
	c.wait(2 * time.Second).do(Event{Kind: EventLeft, QueueResult: "hangup", CallStatus: StatusCompleted})
	answer := c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeNo})
	same(t, answer, Reply(HangupReply{Say: []Prompt{{Key: PromptCallerLeft, Number: callerNum}}}))
	c.ended(EndHungUp)
	c.logged("The caller hung up before Alice Example")
}

func TestCallerHangsUpWhileTalking(t *testing.T) {
	t.Parallel()
	conf := Defaults()
	conf.ResolveOnCompleted = true
	c := newCall(t, conf).talking()
	c.wait(time.Minute)
	c.do(Event{Kind: EventLeft, QueueResult: "bridged", CallStatus: StatusCompleted})
	c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 60})
	c.ended(EndConnected)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
	c.logged("took 1 min")
	same(t, len(of[EndLeg](c.all)), 0)
}

func TestQueueErrorsAreRetriedThenVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	for range 5 {
		if _, ok := c.do(Event{Kind: EventLeft, QueueResult: "error"}).(EnqueueReply); !ok {
			t.Fatalf("reply = %T, want EnqueueReply", c.reply)
		}
	}
	if _, ok := c.do(Event{Kind: EventLeft, QueueResult: "queue-full"}).(RecordReply); !ok {
		t.Fatalf("reply = %T, want RecordReply", c.reply)
	}
}

func TestALateReportOfTheQueueTearsNothing(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	first := c.state.Step
	again := c.do(Event{Kind: EventLeft, QueueResult: "error", Step: first})
	same(t, c.do(Event{Kind: EventLeft, QueueResult: "error", Step: first}), again) // doubled
	same(t, c.state.Hold.Errors, 1)
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
	c.do(Event{Kind: EventLeft, QueueResult: "error", Step: first})
	c.do(Event{Kind: EventLeft, QueueResult: "bridged", Step: first})
	c.phase(PhaseTalking)
	same(t, len(of[EndLeg](c.all)), 0)
	goodbye := c.wait(time.Minute).do(Event{Kind: EventLeft, QueueResult: "bridged", Step: c.state.Hold.Step})
	same(t, goodbye, Reply(HangupReply{Say: say(PromptGoodbye)}))
	c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 60})
	c.ended(EndConnected)
}

func TestPresenceIsLookedAfterWhenTicksStop(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	name, at := Deadline(c.state)
	same(t, name, "present")
	same(t, at, start.Add(90*time.Second))
	c.wait(50 * time.Second)
	c.hold()
	_, at = Deadline(c.state)
	same(t, at, c.now.Add(90*time.Second))
	c.wait(90 * time.Second).timer("present")
	same(t, len(of[LookCall](c.effects)), 1)
	c.do(Event{Kind: EventLookedAtCall, Result: Failed})
	c.phase(PhaseHolding)
	c.wait(90 * time.Second).timer("present")
	same(t, len(of[LookCall](c.effects)), 1)
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
}

func TestPT45_QueueDeletionIsRetried(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.do(Event{Kind: EventLeft, QueueResult: "hangup"})
	for range 4 {
		c.do(Event{Kind: EventQueueDeleted, Result: Failed})
		name, at := Deadline(c.state)
		same(t, name, "queue")
		c.now = at
		c.timer("queue")
		same(t, len(of[DeleteQueue](c.effects)), 1)
	}
	c.do(Event{Kind: EventQueueDeleted, Result: Failed})
	if name, _ := Deadline(c.state); name != "" {
		t.Fatalf("still pending: %s", name)
	}
}

func TestStarActsAtOnce(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.ack("a1", "alice")
	c.answered("1")
	same(t, c.do(Event{Kind: EventHoldKey, Digits: "*"}), Reply(LeaveQueueReply{}))
	same(t, c.press("1", "1"), Reply(HangupReply{Say: []Prompt{{Key: PromptCallerMessage, Number: callerNum}}}))
	c.phase(PhaseLeavingMessage)

	c = newCall(t, Defaults()).holding() // no voicemail: star does nothing
	c.do(Event{Kind: EventHoldKey, Digits: "*"})
	c.phase(PhaseHolding)
	c = newCall(t, withVoicemail()).holding()
	c.do(Event{Kind: EventHoldKey, Digits: "5"})
	c.phase(PhaseHolding)
}

func TestView(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).talking()
	c.wait(time.Minute)
	c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 55})
	same(t, View(c.state), &integration.CallView{
		ID: callerSid, From: callerNum, To: calledNum, State: "ended", Ended: "connected",
		Team: "devops", TeamName: "DevOps", StartedAt: start, EndedAt: c.now,
		Legs: []integration.LegView{
			{ID: "caller", Role: "caller", Phone: callerNum, State: "ended", StartedAt: start, EndedAt: c.now},
			{ID: "1", Role: "responder", User: "alice", Name: "Alice Example", Phone: alicePhone, State: "ended", Reason: "talked",
				StartedAt: start, EndedAt: c.now},
		},
	})
	if Live(c.state) {
		t.Fatal("an ended call is live")
	}
}

// The caller comes out of a conversation into the queue again while the responder's leg says how
// long they talked: then the call is over, and its queue deleted, before the caller is in it once
// more.
func TestAQueueThatIsEnteredAfterItWasDeletedIsDeletedToo(t *testing.T) {
	t.Parallel()
	const another = "QU00000000000000000000000000000002"
	ended := func(t *testing.T) *call {
		c := newCall(t, Defaults()).talking()
		c.wait(15 * time.Second).do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 15})
		c.ended(EndConnected)
		same(t, of[DeleteQueue](c.effects)[0].QueueSid, queueSid)
		c.do(Event{Kind: EventQueueDeleted, Result: Done})
		return c
	}
	t.Run("its tick tells it", func(t *testing.T) {
		t.Parallel()
		c := ended(t)
		same(t, c.do(Event{Kind: EventTick, QueueSid: another}), Reply(HangupReply{Say: []Prompt{{Key: PromptGoodbye}}}))
		same(t, of[DeleteQueue](c.effects)[0].QueueSid, another)
		c.do(Event{Kind: EventQueueDeleted, Result: Failed}) // the caller hears goodbye in it
		name, at := Deadline(c.state)
		same(t, name, "queue")
		c.do(Event{Kind: EventLeft, QueueResult: "hangup", QueueSid: another, CallStatus: StatusCompleted})
		c.now = at
		c.timer("queue")
		same(t, of[DeleteQueue](c.effects)[0].QueueSid, another)
	})
	t.Run("its end alone tells it", func(t *testing.T) {
		t.Parallel()
		c := ended(t)
		c.do(Event{Kind: EventLeft, QueueResult: "hangup", QueueSid: another, CallStatus: StatusCompleted})
		same(t, of[DeleteQueue](c.effects)[0].QueueSid, another)
	})
	t.Run("a late word of the first changes nothing", func(t *testing.T) {
		t.Parallel()
		c := ended(t)
		c.do(Event{Kind: EventTick, QueueSid: another})
		c.do(Event{Kind: EventLeft, QueueResult: "bridged", QueueSid: queueSid})
		same(t, len(of[DeleteQueue](c.effects)), 0)
		same(t, c.state.Hold.QueueSid, another)
	})
}
