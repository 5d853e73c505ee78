package callflow

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// requests counts what a call has asked of Twilio.
func (c *testCall) requests() int {
	return len(of[effect.LookCall](c.all)) + len(of[effect.FetchRecording](c.all)) + len(of[effect.LookRecordings](c.all)) +
		len(of[effect.Dequeue](c.all)) + len(of[effect.DeleteQueue](c.all)) + len(of[effect.DialLeg](c.all))
}

func TestACallWhoseTurnToBeLookedUpHasNotComeWakesNobody(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]bool{"no answer at all": false, "too many requests": true} {
		c := unsigned(t, withVoicemail())
		c.unsignedTick()
		for range 3 {
			c.wait(10 * time.Second)
			if busy {
				c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed, Busy: true})
			}
			c.timer("verify")
		}
		same(t, c.state.Verify.Verdict, call.VerdictNotFound)
		if len(of[integration.AlertCommand](c.all)) > 0 || len(of[integration.Finding](c.all)) > 0 {
			t.Errorf("%s: effects %v", name, c.all)
		}
		c.phase(call.PhaseLeavingMessage)
	}
}

// Twilio's last word counts: when it was too busy first and then out of order, the call is served.
func TestWithoutAVerdictACallIsServedThoughTwilioWasTooBusyFirst(t *testing.T) {
	t.Parallel()
	c := unsigned(t, config.Defaults())
	c.unsignedTick()
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed, Busy: true})
	c.wait(verifyRetry).do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
	c.wait(verifyPatient).timer("verify")
	same(t, c.state.Verify.Verdict, call.VerdictUnverified)
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
}

func TestAnUnprovenCallCausesFewRequestsToTwilioWhateverIsMadeUp(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.unsignedTick()
	forged := func(e event.Event) {
		e.Auth = event.AuthNoToken
		c.do(e)
	}
	settle := func() { // Twilio knows nothing of it all
		for range of[effect.LookCall](c.effects) {
			c.do(event.Event{Kind: event.LookedAtCall, Result: event.NotFound})
		}
		for _, f := range of[effect.FetchRecording](c.effects) {
			c.do(event.Event{Kind: event.Fetched, RecordingSid: f.RecordingSid, Result: event.NotFound})
		}
	}
	for i := range 120 {
		c.wait(10 * time.Second)
		forged(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
		settle()
		forged(event.Event{Kind: event.HoldKey, Digits: "*", QueueSid: queueSid})
		forged(event.Event{Kind: event.Voicemail})
		forged(event.Event{Kind: event.Recorded, RecordingSid: fmt.Sprintf("RE%d", i), Seconds: 9})
		forged(event.Event{Kind: event.Recording, RecordingSid: fmt.Sprintf("RE%d", i), RecordingStatus: "completed", Seconds: 9})
		settle()
		c.timer("present")
		c.timer("recording")
		settle()
		c.timer(integration.TimerHostStarted)
	}
	c.phase(call.PhaseEnded)
	if n := c.requests(); n > 20 {
		t.Errorf("%d requests to Twilio, want 20 at most", n)
	}
	same(t, len(of[integration.AlertCommand](c.all)), 0)
}

func TestAnUnprovenCallEndsWhenNothingIsHeardOfIt(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.unsignedTick()
	c.notFound()
	c.phase(call.PhaseLeavingMessage)
	looks := len(of[effect.LookCall](c.all))
	c.wait(unprovenEnd).timer("present")
	c.ended(call.EndHungUp)
	same(t, len(of[effect.LookCall](c.all)), looks)
	same(t, len(of[effect.DeleteQueue](c.all)), 0)
}

func TestTheQueueOfACallProvenAfterItsEndIsDeleted(t *testing.T) {
	t.Parallel()
	c := unsigned(t, config.Defaults())
	c.unsignedTick()
	c.do(event.Event{Kind: event.Left, Auth: event.AuthNoToken, QueueResult: "hangup"})
	c.ended(call.EndHungUp)
	same(t, len(of[effect.DeleteQueue](c.all)), 0)
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
	same(t, len(of[effect.DeleteQueue](c.effects)), 1)
}

func TestATokenFilledInDuringACallMakesAWrongSignatureCount(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Auth: event.AuthMismatch})
	for range 12 {
		c.wait(verifyRetry).do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
		c.timer("verify")
	}
	same(t, c.state.Verify.Verdict, call.VerdictNotFound)
	same(t, len(of[integration.AlertCommand](c.all)), 0)
	same(t, c.state.Exit, call.ExitNotProven)
}
