package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// takenByAlice brings a call to Alice having pressed 1.
func takenByAlice(t *testing.T, conf Config) *call {
	t.Helper()
	c := newCall(t, conf).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.phase(PhaseConnecting)
	return c
}

// ends lists the legs that are hung up on.
func ends(effects []Effect) []string {
	var out []string
	for _, e := range of[EndLeg](effects) {
		out = append(out, e.Leg)
	}
	return out
}

func TestAnAnnouncementForAnotherCallConnectsNobody(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, Defaults())
	c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("9")})
	c.phase(PhaseConnecting)
	c.leg("1", LegTaking, "")
	c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
	c.phase(PhaseTalking)
	c.logged("Alice Example (" + alicePhone + ") talks with the caller.")
}

func TestAResponderGivenUpIsConnectedAfterAll(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, Defaults())
	c.wait(stillInQueue).hold() // the caller still waits
	c.phase(PhaseHolding)
	c.leg("1", LegUnreached, ReasonLost)
	c.ack("ack-2", "bob")
	c.answered("2")
	c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
	c.phase(PhaseTalking)
	c.leg("1", LegTalking, "")
	c.leg("2", LegUnreached, ReasonTaken)
	same(t, ends(c.effects), []string{"2"})
}

func TestAQueueThatFailsDuringTheConnectionEndsTheLeg(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, Defaults())
	c.do(Event{Kind: EventLeft, QueueResult: "error", Step: c.state.Hold.Step})
	c.phase(PhaseHolding)
	c.leg("1", LegUnreached, ReasonLost)
	same(t, ends(c.effects), []string{"1"})
	// And when it fails too often the caller does not stay.
	c = takenByAlice(t, withVoicemail())
	c.state.Hold.Errors = holdRetries
	c.do(Event{Kind: EventLeft, QueueResult: "error", Step: c.state.Hold.Step})
	c.phase(PhaseLeavingMessage)
	same(t, c.state.Exit, ExitHoldFails)
}

func TestAQueueThatFailsWhileTheyTalkEndsTheLeg(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).talking()
	c.do(Event{Kind: EventLeft, QueueResult: "error", Step: c.state.Hold.Step})
	c.phase(PhaseHolding)
	same(t, ends(c.effects), []string{"1"})
}

func TestTheLengthOfAConversationIsWrittenDown(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).talking()
	c.wait(2 * time.Minute).do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 95})
	c.ended(EndConnected)
	same(t, legOf(c.state, "1").Seconds, 95)
	c.logged("took 1 min 35 s")
	// Where Twilio does not say it is counted from the announcement.
	c = newCall(t, Defaults()).talking()
	c.wait(2*time.Minute).legStatus("1", StatusCompleted)
	c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes})
	c.ended(EndConnected)
	same(t, legOf(c.state, "1").Seconds, 120)
}

func TestABridgeWithoutItsAnnouncementIsAConversation(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, Defaults())
	c.wait(time.Minute).do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 55})
	c.ended(EndConnected)
	c.leg("1", LegEnded, ReasonTalked)
	c.logged("talks with the caller")
	// The caller may hang up before the leg's end is known.
	c = takenByAlice(t, Defaults())
	c.wait(time.Minute).do(Event{Kind: EventLeft, QueueResult: "bridged", CallStatus: StatusCompleted, Step: c.state.Hold.Step})
	c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 55})
	c.ended(EndConnected)
	c.leg("1", LegEnded, ReasonTalked)
}

func TestAPhoneIsHungUpWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	// Nobody presses a key, and no request says so.
	c := newCall(t, Defaults()).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.wait(askLimit).timer("leg-1")
	c.leg("1", LegUnreached, ReasonNoKey)
	same(t, ends(c.effects), []string{"1"})
	// It rings for too long.
	c = newCall(t, Defaults()).holding()
	c.ack("ack-1", "alice")
	c.do(Event{Kind: EventDialed, Leg: "1", Result: Done, CallSid: legSid("1")})
	c.wait(c.c.RingTimeout + ringUnheard).timer("leg-1")
	c.leg("1", LegUnreached, ReasonNoAnswer)
	same(t, ends(c.effects), []string{"1"})
}

func TestASecondCallOfALegIsHungUp(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.ack("ack-1", "alice")
	c.answered("1")
	c.do(Event{Kind: EventDialed, Leg: "1", Result: Done, CallSid: legSid("9")})
	got := of[EndLeg](c.effects)
	if len(got) != 1 || got[0].CallSid != legSid("9") {
		t.Errorf("hung up: %v, want the second call", got)
	}
	same(t, legOf(c.state, "1").CallSid, legSid("1"))
}

func TestAPlatformWithoutLayersRingsThePeopleOnCall(t *testing.T) {
	t.Parallel()
	conf := Defaults()
	conf.Reach = ReachRing
	for escalate, want := range map[bool][]string{false: {alicePhone}, true: nil} {
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.Escalate = escalate
		c.holding()
		c.alert(integration.AlertOpen, 0)
		same(t, dials(c.all), want)
	}
}
