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

func TestNobodyHearsAMessageAndPeopleAreToldOnce(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	for layer, user := range []string{"alice", "bob"} {
		c.alert(integration.AlertOpen, layer+1)
		id := c.rings(user)
		c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
		c.legStatus(id, event.StatusRinging)
		c.wait(25 * time.Second)
		c.legStatus(id, event.StatusNoAnswer)
	}
	c.ended(call.EndMessageLeft)
	same(t, c.heard(), []string(nil))
	c.logged("Alice Example (" + alicePhone + ") did not answer (rang for 25 s).")
	c.logged("Nobody has heard the message: everybody on call was rung once. Call back " + callerNum + ".")
	same(t, c.finding(effect.FindingUnheard), integration.FindingError)
	told := 0
	for _, l := range commands(c.all, integration.AlertLog) {
		if l.Event == integration.EventUnheard {
			told++
		}
	}
	same(t, told, 1)
	reopened := commands(c.effects, integration.AlertReopen)
	if len(reopened) > 0 {
		t.Errorf("reopened: %+v", reopened)
	}
}

func TestAMessageIsNoLongerDeliveredWhenTheAlertIsClosed(t *testing.T) {
	t.Parallel()
	for status, why := range map[integration.AlertStatus]string{
		integration.AlertResolved: "the alert was resolved", integration.AlertDeleted: "the alert was deleted",
	} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
		c.alert(status, 1)
		c.ended(call.EndMessageLeft)
		c.leg(id, call.LegUnreached, call.ReasonNotNeeded)
		if ends := of[effect.EndLeg](c.effects); len(ends) != 1 || ends[0].Tell {
			t.Errorf("%s: %+v, want the phone to stop ringing", status, ends)
		}
		c.logged("Nobody has heard the message: " + why)
		// Who picks up at that moment hears why.
		same(t, c.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id)}), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageDone, Number: callerNum}}}))
	}
}

// A drop says that nobody answered, not that nobody need hear the message.
func TestWhoIsRungAboutAMessageWhenTheAlertIsDroppedMayStillHearIt(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]bool{"hears it": true, "does not answer": false} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
		c.alert(integration.AlertDropped, 0)
		c.phase(call.PhaseDelivering)
		if ends := of[effect.EndLeg](c.effects); len(ends) > 0 {
			t.Errorf("%s: the phone stops ringing: %+v", name, ends)
		}
		if answers {
			c.answered(id)
			c.press(id, "1")
			c.press(id, "2")
			same(t, c.heard(), []string{"alice " + audio.Ref})
		} else {
			c.wait(25*time.Second).legStatus(id, event.StatusNoAnswer)
			c.logged("Nobody has heard the message: the alert was dropped. Call back " + callerNum + ".")
		}
		c.ended(call.EndMessageLeft)
		// The platform did not reach Bob.
		if len(c.state.Legs) != 1 {
			t.Errorf("%s: %d phones rang, want one", name, len(c.state.Legs))
		}
	}
}

// Who had their turn before the drop is not waited for: it ends the delivery.
func TestADropEndsTheDeliveryOfAMessageThatEverybodyReachedHasPassed(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "2")
	c.phase(call.PhaseDelivering)
	c.alert(integration.AlertDropped, 0)
	c.ended(call.EndMessageLeft)
	c.logged("Nobody has heard the message: the alert was dropped.")
}

// The round is over when the platform begins another one.
func TestAnotherRoundOfThePlatformEndsTheDelivery(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.wait(25*time.Second).legStatus(id, event.StatusNoAnswer)
	c.phase(call.PhaseDelivering)
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertOpen, Layer: 1, Round: 2, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	c.do(event.Event{Kind: event.Alert})
	c.ended(call.EndMessageLeft)
}

func TestADeletedRecordingIsSaidToBeGone(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	delete(c.facts.MediaURLs, audio.Ref)
	same(t, c.press(id, "1"), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageGone, Number: callerNum}}}))
	c.ended(call.EndMessageLeft)
	same(t, c.heard(), []string(nil))
	c.logged("cannot be played: its audio was deleted")
	same(t, c.finding(effect.FindingUnheard), integration.FindingError)
	// In the middle: Twilio asks at the fallback address, with the address of the file.
	c = messageLeft(t, nil)
	id = c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	same(t, c.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id), ErrorURL: "https://host.example.com/call-media/1", Code: "11200"}),
		reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageGone, Number: callerNum}}}))
	c.ended(call.EndMessageLeft)
	c.logged("Twilio could not fetch its audio (error 11200)")
}
