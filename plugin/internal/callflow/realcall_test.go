package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// unsigned is a call on hold of which it is not known yet whether it is real.
func unsigned(t *testing.T, conf Config) *call {
	t.Helper()
	c := newCall(t, conf)
	c.do(Event{Kind: EventArrival, Auth: AuthNoToken})
	return c
}

func (c *call) unsignedTick() Reply {
	c.t.Helper()
	return c.do(Event{Kind: EventTick, Auth: AuthNoToken, QueueSid: queueSid})
}

// notFound has Twilio say, as often as it is asked, that it does not know the call.
func (c *call) notFound() {
	c.t.Helper()
	for range len(notFoundPauses) + 1 {
		c.wait(10 * time.Second).do(Event{Kind: EventLookedAtCall, Result: NotFound})
	}
	same(c.t, c.state.Verify.Verdict, VerdictNotFound)
}

// findings lists codes and severities.
func findings(effects []Effect) map[string]integration.FindingSeverity {
	out := map[string]integration.FindingSeverity{}
	for _, f := range of[integration.Finding](effects) {
		out[f.Code] = f.Severity
	}
	return out
}

func TestASignedCallClearsWarnings(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.arrive()
	same(t, findings(c.effects), map[string]integration.FindingSeverity{
		FindingSignature: integration.FindingClear, FindingCallsNotFound: integration.FindingClear,
	})
}

func TestALaterSignatureProvesTheCall(t *testing.T) {
	t.Parallel()
	c := unsigned(t, Defaults())
	c.unsignedTick()
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.hold()
	same(t, c.state.Verify.Verdict, VerdictSigned)
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
}

func TestTwilioFindsACallLate(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.unsignedTick()
	c.notFound()
	c.phase(PhaseLeavingMessage) // nobody was rung, so nobody is waited for
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusInProgress})
	same(t, c.state.Verify.Verdict, VerdictFound)
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
	// What is known stays known.
	c.do(Event{Kind: EventLookedAtCall, Result: NotFound})
	same(t, c.state.Verify.Verdict, VerdictFound)
}

func TestWithoutAVerdictTwilioIsAskedAgainAndThenTheCallIsServed(t *testing.T) {
	t.Parallel()
	for _, result := range []Result{Unknown, Refused, Failed} {
		c := unsigned(t, Defaults())
		c.unsignedTick()
		c.do(Event{Kind: EventLookedAtCall, Result: result})
		looks := of[LookCall](c.effects)
		if len(looks) != 1 || !looks[0].At.Equal(c.now.Add(verifyRetry)) {
			t.Errorf("%s: looks %v, want one in %s", result, looks, verifyRetry)
		}
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
		c.wait(verifyPatient).timer("verify")
		same(t, c.state.Verify.Verdict, VerdictUnverified)
		same(t, findings(c.effects)[FindingUnverified], integration.FindingWarning)
		same(t, len(commands(c.effects, integration.AlertRoute)), 1)
		// Nobody asks once it is served.
		c.do(Event{Kind: EventLookedAtCall, Result: result})
		same(t, len(of[LookCall](c.effects)), 0)
	}
}

func TestAMessageProvesTheCall(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := unsigned(t, conf)
	c.do(Event{Kind: EventRecorded, Auth: AuthNoToken, RecordingSid: "RE1", Seconds: 8})
	c.do(Event{Kind: EventRecording, Auth: AuthNoToken, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
	same(t, c.state.Verify.Verdict, VerdictFound)
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
}

func TestRequestsOfUnknownCallsGetAnAnswerOfTheirKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event Event
		want  Reply
	}{
		"a document":             {Event{Kind: EventRecorded}, HangupReply{Say: say(PromptGoodbye)}},
		"a responder's document": {Event{Kind: EventLegKey, Leg: "1", CallStatus: StatusInProgress}, HangupReply{Say: say(PromptGoodbye)}},
		"a call that is over":    {Event{Kind: EventArrival, CallStatus: StatusCompleted}, EmptyReply{}},
		"a report":               {Event{Kind: EventRecording, RecordingStatus: "completed"}, EmptyReply{}},
		"an announcement":        {Event{Kind: EventAnnounce}, AnnounceReply{}},
	} {
		fresh := newCall(t, Defaults())
		got := fresh.do(c.event)
		if mustJSON(t, got) != mustJSON(t, c.want) {
			t.Errorf("%s: reply %#v, want %#v", name, got, c.want)
		}
		same(t, len(commands(fresh.all, integration.AlertCreate)), 0)
	}
}

func TestACallNobodyHearsOfEndsAtLast(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.c.MaxWait = 24 * time.Hour
	c.state.Hold.MaxWaitAt = c.now.Add(24 * time.Hour)
	c.wait(presenceLimit).timer("present")
	same(t, len(of[LookCall](c.effects)), 1)
	c.phase(PhaseHolding)
	// Twilio is asked again before silence counts as the end.
	c.wait(silenceEnd).timer("present")
	c.phase(PhaseHolding)
	for range 2 {
		c.wait(presenceLimit).timer("present")
	}
	c.ended(EndHungUp)
}

func TestACallIsLookedAtAfterItsEndOnlyForItsVerdict(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	if !Wanted(c.state, "look-call") {
		t.Error("a running call is not looked at")
	}
	c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
	if Wanted(c.state, "look-call") {
		t.Error("a call that is over is looked at")
	}
	u := unsigned(t, Defaults())
	u.do(Event{Kind: EventLeft, Auth: AuthNoToken, QueueResult: "hangup"})
	u.ended(EndHungUp)
	if !Wanted(u.state, "look-call") {
		t.Error("the verdict on a call that is over is not asked for")
	}
}

// A caller may hang up before Twilio has said whether the call is real; the team then hears of the
// missed call as soon as that is known.
func TestAMissedCallIsRoutedOnceTheCallIsKnownToBeReal(t *testing.T) {
	t.Parallel()
	conf := Defaults()
	conf.SkipResolveOnHangup = true
	for name, c := range map[string]struct {
		verdict func(*call)
		routes  int
	}{
		"found": {func(c *call) { c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted}) }, 1},
		"never": {func(c *call) {
			c.do(Event{Kind: EventLookedAtCall, Result: Failed})
			c.wait(verifyPatient).timer("verify")
		}, 1},
		"not found": {func(c *call) { c.do(Event{Kind: EventLookedAtCall, Result: NotFound}) }, 0},
	} {
		one := unsigned(t, conf)
		one.do(Event{Kind: EventLeft, Auth: AuthNoToken, QueueResult: "hangup"})
		one.ended(EndHungUp)
		same(t, len(commands(one.all, integration.AlertRoute)), 0)
		c.verdict(one)
		if n := len(commands(one.all, integration.AlertRoute)); n != c.routes {
			t.Errorf("%s: routed %d times, want %d", name, n, c.routes)
		}
	}
}

func TestTheVerdictIsNotWaitedForLongerInTheMenu(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.facts.Destinations = []integration.Destination{devops, support}
	c.do(Event{Kind: EventArrival, Auth: AuthNoToken})
	c.phase(PhaseChoosing)
	c.do(Event{Kind: EventLookedAtCall, Result: Failed})
	c.wait(verifyPatient).timer("verify")
	same(t, c.state.Verify.Verdict, VerdictUnverified)
}

func TestATokenThatChangesDuringACallIsLookedIntoOnce(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	for range 20 {
		c.wait(15 * time.Second).do(Event{Kind: EventTick, QueueSid: queueSid, Tick: 1, Auth: AuthMismatch})
		if len(of[LookCall](c.effects)) > 0 {
			c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusInProgress})
		}
	}
	same(t, len(of[LookCall](c.all)), 1)
}
