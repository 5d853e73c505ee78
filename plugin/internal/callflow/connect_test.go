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

func TestPT55_AMailboxNeverTakesTheCall(t *testing.T) {
	t.Parallel()
	for _, reach := range []config.Reach{config.ReachRing, config.ReachBoth} {
		conf := config.Defaults()
		conf.Reach, conf.ConfirmAnswer = reach, false
		c := newCall(t, conf).holding()
		c.alert(integration.AlertOpen, 1)
		if _, ok := c.answered("1").(reply.Ask); !ok {
			t.Fatalf("reach %s: reply = %T, want reply.Ask", reach, c.reply)
		}
	}
	conf := config.Defaults()
	conf.ConfirmAnswer = false
	c := newCall(t, conf).holding()
	c.ack("a1", "alice")
	if _, ok := c.answered("1").(reply.DialQueue); !ok {
		t.Fatalf("reply = %T, want reply.DialQueue", c.reply)
	}
	c.phase(call.PhaseConnecting)
}

func TestPT56_AcknowledgedDuringTheConversation(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).talking()
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "ack-1", User: "alice", At: start}, integration.Acknowledgement{ID: "a2", User: "bob", At: c.now})
	c.alert(integration.AlertDropped, 1)
	c.alert(integration.AlertResolved, 1)
	c.phase(call.PhaseTalking)
	for _, e := range c.effects {
		if _, ok := e.(integration.AlertCommand); !ok {
			t.Fatalf("effect %#v during a conversation", e)
		}
	}
	c.logged("during the conversation")
	c.logged("the conversation goes on")
}

func TestDialingIsNotRepeatedBlindly(t *testing.T) {
	t.Parallel()
	acked := func(t *testing.T) *testCall {
		c := newCall(t, config.Defaults()).holding()
		c.ack("a1", "alice")
		return c
	}
	t.Run("unknown result: Twilio's list is looked at", func(t *testing.T) {
		t.Parallel()
		c := acked(t)
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Unknown})
		same(t, len(of[effect.DialLeg](c.effects)), 0)
		same(t, of[effect.LookLeg](c.effects)[0].Phone, alicePhone)
		c.logged("Whether Twilio calls Alice Example (" + alicePhone + ") is not known")
		// A call to this number runs. Whose it is only the leg's own callback can say.
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusRinging})
		c.leg("1", call.LegPlanned, "")
		c.legStatus("1", event.StatusRinging)
		c.leg("1", call.LegRinging, "")
		same(t, legOf(c.state, "1").CallSid, legSid("1"))
	})
	t.Run("no such call: dialed again", func(t *testing.T) {
		t.Parallel()
		c := acked(t)
		first := of[effect.DialLeg](c.all)[0].Task
		c.wait(2 * time.Minute).timer("leg-1")
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.NotFound})
		again := of[effect.DialLeg](c.effects)[0].Task
		if again.Name != first.Name || again.Generation <= first.Generation {
			t.Fatalf("dialed again as %v after %v", again, first)
		}
	})
	t.Run("a second call on one leg is hung up on", func(t *testing.T) {
		t.Parallel()
		c := acked(t)
		c.answered("1")
		same(t, c.do(event.Event{Kind: event.LegAnswer, Leg: "1", CallSid: legSid("9")}), reply.Reply(reply.Hangup{Say: say(reply.PromptNotConnected)}))
		c.do(event.Event{Kind: event.LegStatus, Leg: "1", CallSid: legSid("9"), CallStatus: event.StatusInitiated})
		same(t, of[effect.EndLeg](c.effects)[0].CallSid, legSid("9"))
		c.leg("1", call.LegAsked, "")
	})
	t.Run("given up, and dialed after all: hung up on", func(t *testing.T) {
		t.Parallel()
		c := acked(t)
		c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
		same(t, len(of[effect.CancelTask](c.effects)), 1)
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
		same(t, of[effect.EndLeg](c.effects)[0].CallSid, legSid("1"))
		if Wanted(c.state, "dial-1") {
			t.Fatal("a leg is still to be dialed after the end")
		}
	})
	t.Run("an answer after the deadline still counts", func(t *testing.T) {
		t.Parallel()
		c := acked(t)
		c.legStatus("1", event.StatusRinging)
		c.wait(time.Minute)
		c.hold()
		c.leg("1", call.LegUnreached, call.ReasonNoAnswer)
		if _, ok := c.do(event.Event{Kind: event.LegAnswer, Leg: "1", CallSid: legSid("1")}).(reply.Ask); !ok {
			t.Fatalf("reply = %T, want reply.Ask", c.reply)
		}
	})
}

func TestAcceptIsOneTransition(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf)
	carol := integration.User{ID: "carol", Name: "Carol Example", Phones: []string{"+12025550145"}}
	dave := integration.User{ID: "dave", Name: "Dave Example", Phones: []string{"+12025550146"}}
	c.onCall[1] = []integration.User{alice, bob, carol, dave}
	c.holding()
	c.alert(integration.AlertOpen, 1)
	c.answered("1")
	c.answered("2")
	c.do(event.Event{Kind: event.Dialed, Leg: "3", Result: event.Done, CallSid: legSid("3")})
	c.press("1", "1")
	same(t, commands(c.effects, integration.AlertAcknowledge)[0].User, "alice")
	same(t, of[effect.EndLeg](c.effects), []effect.EndLeg{
		{Task: effect.Task{Name: "end-2", Generation: of[effect.EndLeg](c.effects)[0].Task.Generation}, Leg: "2", CallSid: legSid("2"), Tell: true, Step: 1},
		{Task: effect.Task{Name: "end-3", Generation: of[effect.EndLeg](c.effects)[1].Task.Generation}, Leg: "3", CallSid: legSid("3")},
	})
	same(t, of[effect.CancelTask](c.effects)[0].Task.Name, "dial-4")
	taken := reply.Reply(reply.Hangup{Say: say(reply.PromptTaken)})
	same(t, c.press("2", "1"), taken)
	same(t, c.do(event.Event{Kind: event.LegAnswer, Leg: "2", CallSid: legSid("2")}), taken)
	same(t, c.answered("4"), taken)
	if _, ok := c.press("1", "1").(reply.DialQueue); !ok { // doubled
		t.Fatalf("reply = %T, want reply.DialQueue", c.reply)
	}
	c.leg("1", call.LegTaking, "")
}

func TestTakenButNotConnected(t *testing.T) {
	t.Parallel()
	accepted := func(t *testing.T) *testCall {
		conf := config.Defaults()
		conf.Reach = config.ReachBoth
		c := newCall(t, conf).holding()
		c.alert(integration.AlertOpen, 1)
		c.answered("1")
		c.press("1", "1")
		c.phase(call.PhaseConnecting)
		return c
	}
	t.Run("the leg ends unbridged", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		same(t, c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1")}), reply.Reply(reply.Hangup{Say: say(reply.PromptNotConnected)}))
		c.phase(call.PhaseHolding)
		c.leg("1", call.LegUnreached, call.ReasonLost)
		// Our acknowledgement in Alice's name shows up: it rings nobody, and is taken back.
		same(t, len(commands(c.all, integration.AlertReopen)), 0)
		c.ack("a1", "alice")
		same(t, len(dials(c.all)), 1)
		same(t, commands(c.effects, integration.AlertReopen)[0].Ack, "a1")
	})
	t.Run("the caller still ticks", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.wait(10 * time.Second)
		c.hold()
		c.phase(call.PhaseConnecting)
		c.wait(10 * time.Second)
		c.hold()
		c.phase(call.PhaseHolding)
	})
	t.Run("no sign: Twilio is asked for the leg, which is up: they talk", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.wait(30 * time.Second).timer("leg-1")
		same(t, of[effect.LookLeg](c.effects)[0].CallSid, legSid("1"))
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusInProgress})
		c.phase(call.PhaseTalking)
	})
	t.Run("no sign, and the leg is over", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.wait(30 * time.Second).timer("leg-1")
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusCompleted})
		c.phase(call.PhaseConnecting) // the end of its attempt to be connected is waited for
		c.wait(call.VerdictLimit).timer("talk-over")
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusCompleted})
		c.phase(call.PhaseHolding)
	})
	t.Run("no sign, and Twilio does not answer: no conversation is torn", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.wait(30 * time.Second)
		for range 5 {
			c.timer("leg-1")
			c.wait(15 * time.Second)
		}
		c.phase(call.PhaseTalking)
		same(t, len(of[effect.EndLeg](c.all)), 0)
	})
	t.Run("announced after it was given up", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo})
		c.phase(call.PhaseHolding)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.phase(call.PhaseTalking)
	})
	t.Run("bridged for under five seconds: on hold again, each time", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		for _, id := range []string{"1", "2"} {
			c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid(id)})
			c.wait(2 * time.Second)
			c.do(event.Event{Kind: event.LegEnded, Leg: id, CallSid: legSid(id), Bridged: event.BridgeYes, Seconds: 1})
			c.phase(call.PhaseHolding)
			if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: c.state.Hold.Step - 1}).(reply.Enqueue); !ok {
				t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
			}
			if id == "1" {
				c.wait(retryFloor).timer("ring")
				c.answered("2")
				c.press("2", "1")
			}
		}
	})
	t.Run("the end of the queue comes first: the announcement's time is no conversation", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(6 * time.Second) // most of it the announcement
		if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: c.state.Hold.Step}).(reply.Enqueue); !ok {
			t.Fatalf("reply = %T, want reply.Enqueue: the caller cannot be kept after goodbye", c.reply)
		}
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 2})
		c.phase(call.PhaseHolding)
	})
	t.Run("the end of the queue comes first, after a short conversation: goodbye at the next document", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(10 * time.Second)
		c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: c.state.Hold.Step})
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 7})
		c.ended(call.EndConnected)
		same(t, c.hold(), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
	})
	t.Run("bridged briefly, the queue's end first: the end of the next conversation is no late request", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(2 * time.Second)
		step := c.state.Step
		if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: c.state.Hold.Step}).(reply.Enqueue); !ok {
			t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
		}
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 1})
		c.phase(call.PhaseHolding)
		c.wait(retryFloor).timer("ring")
		c.answered("2")
		c.press("2", "1")
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("2")})
		c.wait(time.Minute)
		same(t, c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: step}), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
	})
	for _, c := range []struct {
		name    string
		bridged event.Bridge
		end     call.End
	}{{"was joined", event.BridgeYes, call.EndConnected}, {"is not known to have been joined", event.BridgeUnknown, call.EndConnected}, {"was not joined", event.BridgeNo, call.EndToldGoodbye}} {
		t.Run("the clock was set forward, so that a caller was told goodbye who "+c.name+": nobody goes on waiting", func(t *testing.T) {
			t.Parallel()
			call := accepted(t)
			call.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
			call.wait(80 * time.Second)
			same(t, call.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: call.state.Hold.Step}), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
			call.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: c.bridged, Seconds: 4})
			call.ended(c.end)
			same(t, call.hold(), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
		})
	}
	t.Run("the clock was set back, and the leg's end was lost: a caller who is gone has talked", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(-30 * time.Second)
		c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
		c.wait(call.VerdictLimit).timer("talk-over")
		c.wait(call.VerdictLimit).timer("talk-over")
		c.ended(call.EndConnected)
	})
	for _, c := range []struct {
		name    string
		seconds int // from the answer, 4 s before the announcement
		end     call.End
	}{{"for long", 24, call.EndConnected}, {"briefly", 6, ""}, {"for a time that is not said", 0, ""}} {
		t.Run("the clock was set back, and the leg's end was lost: Twilio says that the leg was up "+c.name, func(t *testing.T) {
			t.Parallel()
			end, seconds := c.end, c.seconds
			c := accepted(t)
			c.wait(4*time.Second - c.now.Sub(c.state.Legs[0].AskedAt))
			c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
			c.wait(-30 * time.Second)
			c.do(event.Event{Kind: event.LegStatus, Leg: "1", CallSid: legSid("1"), CallStatus: event.StatusCompleted})
			c.wait(call.VerdictLimit).timer("talk-over")
			c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusCompleted, Seconds: seconds})
			if end == "" {
				c.phase(call.PhaseHolding) // perhaps nobody was reached: no goodbye
				return
			}
			c.ended(end)
			c.logged("took 20 s")
		})
	}
	t.Run("the end of the connection came to be known late: Twilio says that the leg was up briefly", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(time.Minute)
		c.do(event.Event{Kind: event.LegStatus, Leg: "1", CallSid: legSid("1"), CallStatus: event.StatusCompleted})
		c.wait(call.VerdictLimit).timer("talk-over")
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusCompleted, Seconds: 3})
		c.phase(call.PhaseHolding)
	})
	t.Run("the answer and the end of the connection came to be known late: Twilio says that the leg was up briefly", func(t *testing.T) {
		t.Parallel()
		conf := config.Defaults()
		conf.Reach = config.ReachBoth
		c := newCall(t, conf).holding()
		c.alert(integration.AlertOpen, 1)
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
		came := c.now
		c.wait(6 * time.Second)
		c.do(event.Event{Kind: event.LegAnswer, Leg: "1", CallSid: legSid("1"), ReceivedAt: came})
		c.press("1", "1")
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(time.Minute)
		c.do(event.Event{Kind: event.LegStatus, Leg: "1", CallSid: legSid("1"), CallStatus: event.StatusCompleted})
		c.wait(call.VerdictLimit).timer("talk-over")
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("1"), CallStatus: event.StatusCompleted, Seconds: 8})
		c.phase(call.PhaseHolding) // six seconds passed until the question was asked
	})
	t.Run("whether they were bridged is not said: the duration decides", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(5 * time.Minute)
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Seconds: 300})
		c.ended(call.EndConnected)
	})
	t.Run("the end of the queue is lost: a caller who comes back after a conversation hears goodbye", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(11 * time.Second)
		same(t, c.do(event.Event{Kind: event.Resume}), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 11})
		c.ended(call.EndConnected)
	})
	t.Run("the end of the queue comes late: when it came decides, not when it is worked on", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		received := c.now.Add(1500 * time.Millisecond)
		c.wait(time.Minute)
		c.do(event.Event{Kind: event.Left, QueueResult: "bridged", ReceivedAt: received, Step: c.state.Hold.Step})
		c.phase(call.PhaseTalking)
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), ReceivedAt: received})
		c.phase(call.PhaseHolding)
	})
	t.Run("the end of the leg is lost: Twilio is asked, then the times decide", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(time.Minute)
		c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
		c.phase(call.PhaseTalking)
		c.wait(call.VerdictLimit).timer("talk-over")
		same(t, of[effect.LookLeg](c.effects)[0].CallSid, legSid("1"))
		c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Failed})
		c.ended(call.EndConnected)
		c.logged("took 1 min")
	})
	t.Run("the announcement was lost, the bridge told", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.wait(40 * time.Second)
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 35})
		c.ended(call.EndConnected)
	})
	t.Run("a tick long after the announcement", func(t *testing.T) {
		t.Parallel()
		c := accepted(t)
		c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
		c.wait(time.Second)
		c.hold() // a late one
		c.phase(call.PhaseTalking)
		c.wait(30 * time.Second)
		c.hold()
		c.phase(call.PhaseHolding)
	})
}

func TestADoubledKeyPressConnectsNobodyToACallerWhoIsGone(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	same(t, c.press("1", "1"), reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptCallerLeft, Number: callerNum}}})
}

func TestTheFallbackAddressAfterAConversationSaysGoodbye(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).talking()
	c.wait(11 * time.Second)
	same(t, c.do(event.Event{Kind: event.Arrival, Fallback: true}), reply.Hangup{Say: say(reply.PromptGoodbye)})
}

func TestAnArrivalThatComesTwiceDoesNotEndAConversation(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).talking()
	c.wait(11 * time.Second).do(event.Event{Kind: event.Arrival})
	c.phase(call.PhaseTalking)
	same(t, c.state.TalkOverAt.IsZero(), true)
}

// A responder may answer, and press 1, while the caller still hears a long welcome: they wait for
// one another.
func TestAResponderWhoIsEarlyWaitsForTheCaller(t *testing.T) {
	t.Parallel()
	// One team, so there is no menu: people are called while the caller hears the welcome.
	c := newCall(t, config.Defaults())
	c.arrive()
	c.ack("a1", "alice")
	c.answered("1")
	if r, ok := c.press("1", "1").(reply.Stay); !ok || len(r.Say) == 0 {
		t.Fatalf("the early responder gets %#v", c.reply)
	}
	c.phase(call.PhaseConnecting)
	again := event.Event{Kind: event.LegAnswer, Leg: "1", CallSid: legSid("1"), Step: 1}
	for range 20 {
		c.wait(2 * time.Second)
		if r, ok := c.do(again).(reply.Stay); !ok || len(r.Say) != 0 {
			t.Fatalf("who waits for the caller gets %#v", c.reply)
		}
		c.timer("leg-1")
		c.leg("1", call.LegTaking, "")
	}
	c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Step: c.state.Step})
	c.leg("1", call.LegTaking, "")
	if _, ok := c.do(again).(reply.DialQueue); !ok {
		t.Fatalf("once the caller is in the queue the responder gets %#v", c.reply)
	}
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.phase(call.PhaseTalking)

	// A caller who leaves during the welcome leaves nobody waiting.
	c = newCall(t, config.Defaults())
	c.arrive()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	if _, ok := c.do(again).(reply.Hangup); !ok {
		t.Fatalf("after the caller has left the responder gets %#v", c.reply)
	}
}
