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

func TestAnOrderToEndALegNeverCutsAConversation(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	c.wait(stillInQueue).hold() // given up as not connected: an order to end it waits for Twilio
	sid := of[effect.EndLeg](c.all)[0].CallSid
	same(t, WantedEnd(c.state, sid), true)
	c.do(event.Event{Kind: event.Announce, DequeuedBy: sid}) // and it joins after all
	c.phase(call.PhaseTalking)
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
	same(t, len(of[effect.LookCall](c.all)), 1)
	if normal(c.state.Phase) == call.PhaseEnded {
		t.Fatal("a live hold is closed as hung up without asking Twilio")
	}
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusInProgress})
	if normal(c.state.Phase) == call.PhaseEnded {
		t.Fatal("a caller whose call is in progress is taken for gone")
	}
}

func TestTheQueueIsDeletedThoughTheCallerLeftBeforeTheFirstTick(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.arrive()
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", QueueSid: queueSid, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
	same(t, of[effect.DeleteQueue](c.all)[0].QueueSid, queueSid)
	// The name may come to light only after the end.
	c = newCall(t, config.Defaults())
	c.arrive()
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", QueueSid: queueSid, CallStatus: event.StatusCompleted})
	same(t, of[effect.DeleteQueue](c.all)[0].QueueSid, queueSid)
}

func TestADeletedIntegrationEndsTheHoldInOrder(t *testing.T) {
	t.Parallel()
	for _, voicemail := range []bool{true, false} {
		conf := config.Defaults()
		conf.Voicemail = voicemail
		c := newCall(t, conf).holding()
		c.ack("a1", "alice")
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
		c.facts.Instance.State = integration.HostDeleted
		c.timer(integration.TimerHostChanged)
		c.phase(call.PhaseLeavingMessage)
		same(t, ends(c.all), []string{"1"})
		c.logged("The integration was deleted while the caller waited.")
		same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	}
	// A conversation goes on.
	c := newCall(t, config.Defaults()).talking()
	c.facts.Instance.State = integration.HostDeleted
	c.timer(integration.TimerHostChanged)
	c.phase(call.PhaseTalking)
	// Disabled and maintenance concern new calls only.
	for _, state := range []integration.HostState{integration.HostDisabled, integration.HostMaintenance} {
		c := newCall(t, config.Defaults()).holding()
		c.facts.Instance.State = state
		c.timer(integration.TimerHostChanged)
		c.phase(call.PhaseHolding)
	}
}

func TestAfterAStartOfTheHostTheCallerIsLookedFor(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.wait(40 * time.Second).timer(integration.TimerHostStarted)
	same(t, len(of[effect.LookCall](c.all)), 1)
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
}
