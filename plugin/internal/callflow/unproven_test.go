package callflow

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// requests counts what a call has asked of Twilio.
func (c *call) requests() int {
	return len(of[LookCall](c.all)) + len(of[FetchRecording](c.all)) + len(of[LookRecordings](c.all)) +
		len(of[Dequeue](c.all)) + len(of[DeleteQueue](c.all)) + len(of[DialLeg](c.all))
}

func TestACallWhoseTurnToBeLookedUpHasNotComeWakesNobody(t *testing.T) {
	t.Parallel()
	for name, busy := range map[string]bool{"no answer at all": false, "too many requests": true} {
		c := unsigned(t, withVoicemail())
		c.unsignedTick()
		for range 3 {
			c.wait(10 * time.Second)
			if busy {
				c.do(Event{Kind: EventLookedAtCall, Result: Failed, Busy: true})
			}
			c.timer("verify")
		}
		same(t, c.state.Verify.Verdict, VerdictNotFound)
		if len(of[integration.AlertCommand](c.all)) > 0 || len(of[integration.Finding](c.all)) > 0 {
			t.Errorf("%s: effects %v", name, c.all)
		}
		c.phase(PhaseLeavingMessage)
	}
}

// Twilio's last word counts: when it was too busy first and then out of order, the call is served.
func TestWithoutAVerdictACallIsServedThoughTwilioWasTooBusyFirst(t *testing.T) {
	t.Parallel()
	c := unsigned(t, Defaults())
	c.unsignedTick()
	c.do(Event{Kind: EventLookedAtCall, Result: Failed, Busy: true})
	c.wait(verifyRetry).do(Event{Kind: EventLookedAtCall, Result: Failed})
	c.wait(verifyPatient).timer("verify")
	same(t, c.state.Verify.Verdict, VerdictUnverified)
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
}

func TestAnUnprovenCallCausesFewRequestsToTwilioWhateverIsMadeUp(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.unsignedTick()
	forged := func(e Event) {
		e.Auth = AuthNoToken
		c.do(e)
	}
	settle := func() { // Twilio knows nothing of it all
		for range of[LookCall](c.effects) {
			c.do(Event{Kind: EventLookedAtCall, Result: NotFound})
		}
		for _, f := range of[FetchRecording](c.effects) {
			c.do(Event{Kind: EventFetched, RecordingSid: f.RecordingSid, Result: NotFound})
		}
	}
	for i := range 120 {
		c.wait(10 * time.Second)
		forged(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
		settle()
		forged(Event{Kind: EventHoldKey, Digits: "*", QueueSid: queueSid})
		forged(Event{Kind: EventVoicemail})
		forged(Event{Kind: EventRecorded, RecordingSid: fmt.Sprintf("RE%d", i), Seconds: 9})
		forged(Event{Kind: EventRecording, RecordingSid: fmt.Sprintf("RE%d", i), RecordingStatus: "completed", Seconds: 9})
		settle()
		c.timer("present")
		c.timer("recording")
		settle()
		c.timer(integration.TimerHostStarted)
	}
	c.phase(PhaseEnded)
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
	c.phase(PhaseLeavingMessage)
	looks := len(of[LookCall](c.all))
	c.wait(unprovenEnd).timer("present")
	c.ended(EndHungUp)
	same(t, len(of[LookCall](c.all)), looks)
	same(t, len(of[DeleteQueue](c.all)), 0)
}

func TestTheQueueOfACallProvenAfterItsEndIsDeleted(t *testing.T) {
	t.Parallel()
	c := unsigned(t, Defaults())
	c.unsignedTick()
	c.do(Event{Kind: EventLeft, Auth: AuthNoToken, QueueResult: "hangup"})
	c.ended(EndHungUp)
	same(t, len(of[DeleteQueue](c.all)), 0)
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted})
	same(t, len(of[DeleteQueue](c.effects)), 1)
}

func TestATokenFilledInDuringACallMakesAWrongSignatureCount(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.do(Event{Kind: EventTick, QueueSid: queueSid, Auth: AuthMismatch})
	for range 12 {
		c.wait(verifyRetry).do(Event{Kind: EventLookedAtCall, Result: Failed})
		c.timer("verify")
	}
	same(t, c.state.Verify.Verdict, VerdictNotFound)
	same(t, len(of[integration.AlertCommand](c.all)), 0)
	same(t, c.state.Exit, ExitNotProven)
}
