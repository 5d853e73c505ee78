package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// One leg reads all that waits; a message that comes later makes the phone ring once more.
func TestOneLegReadsAllMessages(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	second := audio
	second.Ref = "media:01"
	id := c.rings("alice")
	c.message("RE2", second)
	ask, _ := c.answered(id).(reply.Ask)
	same(t, ask.Say[0], reply.Prompt{Key: reply.PromptMessages, Team: "DevOps", Number: callerNum, Seconds: 46, Count: 2})
	play, _ := c.press(id, "1").(reply.Play)
	same(t, play.Media, []string{audio.Ref, second.Ref})
	third := audio
	third.Ref = "media:02"
	c.message("RE3", third)
	c.press(id, "2")
	same(t, c.heard(), []string{"alice " + audio.Ref, "alice " + second.Ref})
	c.phase(call.PhaseDelivering)
	id = c.rings("alice")
	c.answered(id)
	play, _ = c.press(id, "1").(reply.Play)
	same(t, play.Media, []string{third.Ref})
	c.press(id, "2")
	c.ended(call.EndMessageLeft)
}

// Who hangs up between two messages has heard the first.
func TestHangingUpBetweenTwoMessagesLeavesTheSecondUnheard(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	second := audio
	second.Ref = "media:01"
	id := c.rings("alice")
	c.message("RE2", second)
	c.answered(id)
	c.press(id, "1")
	c.wait(30 * time.Second)
	c.legStatus(id, event.StatusCompleted)
	same(t, c.heard(), []string{"alice " + audio.Ref})
	same(t, len(c.state.Voicemail.Unheard()), 1)
}

func (c *testCall) wanted(user string, by, how string) {
	u := c.users[user]
	u.OccupiedBy, u.OccupiedHow = by, how
	c.users[user] = u
}

func TestACallerComesBeforeAMessage(t *testing.T) {
	t.Parallel()
	// Nobody is rung for a message while a call waits for them.
	c := messageLeft(t, func(c *testCall) { c.onCall = map[int][]integration.User{1: {alice}} })
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.legStatus(id, event.StatusRinging)
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	c.timer(integration.TimerPersonWanted)
	c.leg(id, call.LegUnreached, call.ReasonYielded)
	if ends := of[effect.EndLeg](c.effects); len(ends) != 1 {
		t.Errorf("the phone rings on: %+v", c.effects)
	}
	same(t, call.WaitsFor(c.state), []string{"alice"})
	same(t, call.Occupies(c.state), []string(nil))
	c.wait(5 * time.Minute).timer("ring")
	c.phase(call.PhaseDelivering)
	same(t, len(call.Occupies(c.state)), 0)
	// The call is over: it was no ring for the message.
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	id = c.rings("alice")
	// Whoever picks up while a caller waits hears so.
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	same(t, c.answered(id), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageLater, Number: callerNum}}}))
	c.phase(call.PhaseDelivering)
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	id = c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	c.timer(integration.TimerPersonWanted)
	// Who listens is left alone; at the next key they are let go.
	if ends := of[effect.EndLeg](c.effects); len(ends) != 0 {
		t.Errorf("whoever listens is cut off: %+v", ends)
	}
	c.leg(id, call.LegHearing, "")
	c.wait(time.Second)
	same(t, c.press(id, "7"), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageLater, Number: callerNum}}}))
	// Another message is no caller.
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	id = c.rings("alice")
	c.wanted("alice", "CA-of-a-message", integration.OccupiedTelling)
	c.answered(id)
	c.leg(id, call.LegAsked, "")
}

// Nobody is rung while a caller waits for them, and who has heard the message to its end is free
// for the caller at once.
func TestWhoHasHeardAMessageIsLetGoForACaller(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	c.timer(integration.TimerPersonWanted)
	c.leg(id, call.LegHearing, "")
	c.wait(31 * time.Second)
	same(t, c.press(id, ""), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageTaken, Number: callerNum}}}))
	c.leg(id, call.LegEnded, call.ReasonHeard)
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.ended(call.EndMessageLeft)
}

// Whoever has heard one call's message goes on to another's that waits for them, on the same leg.
func TestOneLegGoesOnToTheMessagesOfAnotherCall(t *testing.T) {
	t.Parallel()
	const other = "CA00000000000000000000000000000009"
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	u := c.users["alice"]
	u.AwaitedBy = []string{other}
	c.users["alice"] = u
	same(t, c.press(id, "2"), reply.Reply(reply.Join{Say: say(reply.PromptMessageNext), Call: other, Leg: 1}))
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.phase(call.PhaseDelivering) // the leg is this call's until it is over
	same(t, call.Occupies(c.state), []string{"alice"})

	// The other call, for which she could not be rung meanwhile.
	o := messageLeft(t, func(c *testCall) {
		c.wanted("alice", callerSid, integration.OccupiedTelling)
		c.onCall = map[int][]integration.User{1: {alice}}
	})
	same(t, call.WaitsFor(o.state), []string{"alice"})
	joins := event.Event{Kind: event.LegJoins, CallSid: legSid(id), Phone: alicePhone, Step: 1, CallStatus: event.StatusInProgress}
	stranger := joins
	stranger.Phone = bobPhone
	same(t, o.do(stranger), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
	ask, ok := o.do(joins).(reply.Ask)
	if !ok || ask.Say[0].Key != reply.PromptMessage {
		t.Fatalf("who joins hears %#v", o.reply)
	}
	same(t, o.do(joins), reply.Reply(ask)) // the request came twice
	guest := ask.Leg
	o.do(event.Event{Kind: event.LegKey, Leg: guest, CallSid: legSid(id), Digits: "1", Step: 1})
	acknowledged := *o
	same(t, acknowledged.do(event.Event{Kind: event.LegKey, Leg: guest, CallSid: legSid(id), Digits: "2", Step: 2}), reply.Reply(reply.Join{Call: callerSid, Leg: 1, Back: true}))
	acknowledged.ended(call.EndMessageLeft)
	back := *c
	same(t, back.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id)}), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptGoodbye, Number: callerNum}}}))
	back.ended(call.EndMessageLeft)
	o.wait(24 * time.Second)
	// She hangs up instead. Twilio says so to the first call, which lets her go; this one is told
	// by the host.
	c.wait(24 * time.Second)
	c.legStatus(id, event.StatusCompleted)
	c.ended(call.EndMessageLeft)
	same(t, call.WaitsFor(o.state), []string{"alice"})
	o.wanted("alice", "", "")
	o.timer(integration.TimerPersonFree)
	if looks := of[effect.LookLeg](o.effects); len(looks) != 1 || looks[0].CallSid != legSid(id) {
		t.Fatalf("Twilio is not asked for her leg: %+v", o.effects)
	}
	o.do(event.Event{Kind: event.LookedAtLeg, Leg: guest, Result: event.Done, CallSid: legSid(id), CallStatus: event.StatusCompleted})
	same(t, o.heard(), []string{"alice " + audio.Ref})
	o.ended(call.EndMessageLeft)
	if n := len(of[effect.DialLeg](o.all)); n > 0 {
		t.Errorf("her phone rang %d times more", n)
	}
}
