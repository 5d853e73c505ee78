package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestAnOrderToEndALegNeverCutsAConversation(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.wait(stillInQueue).hold() // given up as not connected: an order to end it waits for Twilio
	sid := of[EndLeg](c.all)[0].CallSid
	same(t, WantedEnd(c.state, sid), true)
	c.do(Event{Kind: EventAnnounce, DequeuedBy: sid}) // and it joins after all
	c.phase(PhaseTalking)
	same(t, WantedEnd(c.state, sid), false)
	same(t, WantedEnd(c.state, legSid("7")), true)
}

func TestAClockThatJumpsEndsNoHold(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.MaxWait = time.Hour
	c := newCall(t, conf).holding()
	c.wait(3 * time.Hour)
	c.timer("present")
	same(t, len(of[LookCall](c.all)), 1)
	if normal(c.state.Phase) == PhaseEnded {
		t.Fatal("a live hold is closed as hung up without asking Twilio")
	}
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusInProgress})
	if normal(c.state.Phase) == PhaseEnded {
		t.Fatal("a caller whose call is in progress is taken for gone")
	}
}

func TestTheQueueIsDeletedThoughTheCallerLeftBeforeTheFirstTick(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.arrive()
	c.do(Event{Kind: EventLeft, QueueResult: "hangup", QueueSid: queueSid, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
	same(t, of[DeleteQueue](c.all)[0].QueueSid, queueSid)
	// The name may come to light only after the end.
	c = newCall(t, Defaults())
	c.arrive()
	c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
	c.do(Event{Kind: EventLeft, QueueResult: "hangup", QueueSid: queueSid, CallStatus: StatusCompleted})
	same(t, of[DeleteQueue](c.all)[0].QueueSid, queueSid)
}

func TestADeletedIntegrationEndsTheHoldInOrder(t *testing.T) {
	t.Parallel()
	for _, voicemail := range []bool{true, false} {
		conf := Defaults()
		conf.Voicemail = voicemail
		c := newCall(t, conf).holding()
		c.ack("a1", "alice")
		c.do(Event{Kind: EventDialed, Leg: "1", Result: Done, CallSid: legSid("1")})
		c.facts.Instance.State = integration.HostDeleted
		c.timer(integration.TimerHostChanged)
		c.phase(PhaseLeavingMessage)
		same(t, ends(c.all), []string{"1"})
		c.logged("The integration was deleted while the caller waited.")
		same(t, c.hold(), Reply(LeaveQueueReply{}))
	}
	// A conversation goes on.
	c := newCall(t, Defaults()).talking()
	c.facts.Instance.State = integration.HostDeleted
	c.timer(integration.TimerHostChanged)
	c.phase(PhaseTalking)
	// Disabled and maintenance concern new calls only.
	for _, state := range []integration.HostState{integration.HostDisabled, integration.HostMaintenance} {
		c := newCall(t, Defaults()).holding()
		c.facts.Instance.State = state
		c.timer(integration.TimerHostChanged)
		c.phase(PhaseHolding)
	}
}

func TestAfterAStartOfTheHostTheCallerIsLookedFor(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.wait(40 * time.Second).timer(integration.TimerHostStarted)
	same(t, len(of[LookCall](c.all)), 1)
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
}
