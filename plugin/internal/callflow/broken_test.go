package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// takenByAlice brings a call to Alice having pressed 1.
func takenByAlice(t *testing.T, conf config.Config) *testCall {
	t.Helper()
	c := newCall(t, conf).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.phase(call.PhaseConnecting)
	return c
}

// ends lists the legs that are hung up on.
func ends(effects []effect.Effect) []string {
	var out []string
	for _, e := range of[effect.EndLeg](effects) {
		out = append(out, e.Leg)
	}
	return out
}

func TestAnAnnouncementForAnotherCallConnectsNobody(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, config.Defaults())
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("9")})
	c.phase(call.PhaseConnecting)
	c.leg("1", call.LegTaking, "")
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.phase(call.PhaseTalking)
	c.logged("Alice Example (" + alicePhone + ") is being connected with the caller.")
}

func TestAResponderGivenUpIsConnectedAfterAll(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, config.Defaults())
	c.wait(stillInQueue).hold() // the caller still waits
	c.phase(call.PhaseHolding)
	c.leg("1", call.LegUnreached, call.ReasonLost)
	c.ack("ack-2", "bob")
	c.answered("2")
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.phase(call.PhaseTalking)
	c.leg("1", call.LegTalking, "")
	c.leg("2", call.LegUnreached, call.ReasonTaken)
	same(t, ends(c.effects), []string{"2"})
}

func TestAQueueThatFailsDuringTheConnectionEndsTheLeg(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, config.Defaults())
	c.do(event.Event{Kind: event.Left, QueueResult: "error", Step: c.state.Hold.Step})
	c.phase(call.PhaseHolding)
	c.leg("1", call.LegUnreached, call.ReasonLost)
	same(t, ends(c.effects), []string{"1"})
	// And when it fails too often the caller does not stay.
	c = takenByAlice(t, withVoicemail())
	c.state.Hold.Errors = holdRetries
	c.do(event.Event{Kind: event.Left, QueueResult: "error", Step: c.state.Hold.Step})
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitHoldFails)
}

func TestAQueueThatFailsWhileTheyTalkEndsTheLeg(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).talking()
	c.do(event.Event{Kind: event.Left, QueueResult: "error", Step: c.state.Hold.Step})
	c.phase(call.PhaseHolding)
	same(t, ends(c.effects), []string{"1"})
}

func TestTheLengthOfAConversationIsWrittenDown(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).talking()
	c.wait(2 * time.Minute).do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 95})
	c.ended(call.EndConnected)
	same(t, legOf(c.state, "1").Seconds, 95)
	c.logged("took 1 min 35 s")
	// Where Twilio does not say it is counted from the announcement.
	c = newCall(t, config.Defaults()).talking()
	c.wait(2*time.Minute).legStatus("1", event.StatusCompleted)
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes})
	c.ended(call.EndConnected)
	same(t, legOf(c.state, "1").Seconds, 120)
}

func TestABridgeWithoutItsAnnouncementIsAConversation(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, config.Defaults())
	c.wait(time.Minute).do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 55})
	c.ended(call.EndConnected)
	c.leg("1", call.LegEnded, call.ReasonTalked)
	c.logged("The conversation with Alice Example (" + alicePhone + ") took 55 s.")
	if contains(c.story(), "is being connected") {
		t.Errorf("the story says of a connection that is over that it begins:\n%s", c.story())
	}
	// The caller may hang up before the leg's end is known.
	c = takenByAlice(t, config.Defaults())
	c.wait(time.Minute).do(event.Event{Kind: event.Left, QueueResult: "bridged", CallStatus: event.StatusCompleted, Step: c.state.Hold.Step})
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 55})
	c.ended(call.EndConnected)
	c.leg("1", call.LegEnded, call.ReasonTalked)
}

func TestAPhoneIsHungUpWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	// Nobody presses a key, and no request says so.
	c := newCall(t, config.Defaults()).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.wait(askLimit).timer("leg-1")
	c.leg("1", call.LegUnreached, call.ReasonNoKey)
	same(t, ends(c.effects), []string{"1"})
	// It rings for too long.
	c = newCall(t, config.Defaults()).holding()
	c.ack("ack-1", "alice")
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
	c.wait(c.c.RingTimeout + ringUnheard).timer("leg-1")
	c.leg("1", call.LegUnreached, call.ReasonNoAnswer)
	same(t, ends(c.effects), []string{"1"})
}

func TestASecondCallOfALegIsHungUp(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("9")})
	got := of[effect.EndLeg](c.effects)
	if len(got) != 1 || got[0].CallSid != legSid("9") {
		t.Errorf("hung up: %v, want the second call", got)
	}
	same(t, legOf(c.state, "1").CallSid, legSid("1"))
}

func TestAPlatformWithoutLayersRingsThePeopleOnCall(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	for escalate, want := range map[bool][]string{false: {alicePhone}, true: nil} {
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.Escalate = escalate
		c.holding()
		c.alert(integration.AlertOpen, 0)
		same(t, dials(c.all), want)
	}
}
