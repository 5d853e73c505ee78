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

// unsigned is a call on hold of which it is not known yet whether it is real.
func unsigned(t *testing.T, conf config.Config) *testCall {
	t.Helper()
	c := newCall(t, conf)
	c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
	return c
}

func (c *testCall) unsignedTick() reply.Reply {
	c.t.Helper()
	return c.do(event.Event{Kind: event.Tick, Auth: event.AuthNoToken, QueueSid: queueSid})
}

// notFound has Twilio say, as often as it is asked, that it does not know the call.
func (c *testCall) notFound() {
	c.t.Helper()
	for range len(notFoundPauses) + 1 {
		c.wait(10 * time.Second).do(event.Event{Kind: event.LookedAtCall, Result: event.NotFound})
	}
	same(c.t, c.state.Verify.Verdict, call.VerdictNotFound)
}

// findings lists codes and severities.
func findings(effects []effect.Effect) map[string]integration.FindingSeverity {
	out := map[string]integration.FindingSeverity{}
	for _, f := range of[integration.Finding](effects) {
		out[f.Code] = f.Severity
	}
	return out
}

func TestASignedCallClearsWarnings(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.arrive()
	same(t, findings(c.effects), map[string]integration.FindingSeverity{
		effect.FindingSignature: integration.FindingClear, effect.FindingCallsNotFound: integration.FindingClear,
	})
}

func TestALaterSignatureProvesTheCall(t *testing.T) {
	t.Parallel()
	c := unsigned(t, config.Defaults())
	c.unsignedTick()
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.hold()
	same(t, c.state.Verify.Verdict, call.VerdictSigned)
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
}

func TestTwilioFindsACallLate(t *testing.T) {
	t.Parallel()
	c := unsigned(t, withVoicemail())
	c.unsignedTick()
	c.notFound()
	c.phase(call.PhaseLeavingMessage) // nobody was rung, so nobody is waited for
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusInProgress})
	same(t, c.state.Verify.Verdict, call.VerdictFound)
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
	// What is known stays known.
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.NotFound})
	same(t, c.state.Verify.Verdict, call.VerdictFound)
}

func TestWithoutAVerdictTwilioIsAskedAgainAndThenTheCallIsServed(t *testing.T) {
	t.Parallel()
	for _, result := range []event.Result{event.Unknown, event.Refused, event.Failed} {
		c := unsigned(t, config.Defaults())
		c.unsignedTick()
		c.do(event.Event{Kind: event.LookedAtCall, Result: result})
		looks := of[effect.LookCall](c.effects)
		if len(looks) != 1 || !looks[0].At.Equal(c.now.Add(verifyRetry)) {
			t.Errorf("%s: looks %v, want one in %s", result, looks, verifyRetry)
		}
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
		c.wait(verifyPatient).timer("verify")
		same(t, c.state.Verify.Verdict, call.VerdictUnverified)
		same(t, findings(c.effects)[effect.FindingUnverified], integration.FindingWarning)
		same(t, len(commands(c.effects, integration.AlertRoute)), 1)
		// Nobody asks once it is served.
		c.do(event.Event{Kind: event.LookedAtCall, Result: result})
		same(t, len(of[effect.LookCall](c.effects)), 0)
	}
}

func TestAMessageProvesTheCall(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := unsigned(t, conf)
	c.do(event.Event{Kind: event.Recorded, Auth: event.AuthNoToken, RecordingSid: "RE1", Seconds: 8})
	c.do(event.Event{Kind: event.Recording, Auth: event.AuthNoToken, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	same(t, c.state.Verify.Verdict, call.VerdictFound)
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
}

func TestRequestsOfUnknownCallsGetAnAnswerOfTheirKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event event.Event
		want  reply.Reply
	}{
		"a document":             {event.Event{Kind: event.Recorded}, reply.Hangup{Say: say(reply.PromptGoodbye)}},
		"a responder's document": {event.Event{Kind: event.LegKey, Leg: "1", CallStatus: event.StatusInProgress}, reply.Hangup{Say: say(reply.PromptGoodbye)}},
		"a call that is over":    {event.Event{Kind: event.Arrival, CallStatus: event.StatusCompleted}, reply.Empty{}},
		"a report":               {event.Event{Kind: event.Recording, RecordingStatus: "completed"}, reply.Empty{}},
		"an announcement":        {event.Event{Kind: event.Announce}, reply.Announce{}},
	} {
		fresh := newCall(t, config.Defaults())
		got := fresh.do(c.event)
		if mustJSON(t, got) != mustJSON(t, c.want) {
			t.Errorf("%s: reply %#v, want %#v", name, got, c.want)
		}
		same(t, len(commands(fresh.all, integration.AlertCreate)), 0)
	}
}

func TestACallNobodyHearsOfEndsAtLast(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.c.MaxWait = 24 * time.Hour
	c.state.Hold.MaxWaitAt = c.now.Add(24 * time.Hour)
	c.wait(presenceLimit).timer("present")
	same(t, len(of[effect.LookCall](c.effects)), 1)
	c.phase(call.PhaseHolding)
	// Twilio is asked again before silence counts as the end.
	c.wait(silenceEnd).timer("present")
	c.phase(call.PhaseHolding)
	for range 2 {
		c.wait(presenceLimit).timer("present")
	}
	c.ended(call.EndHungUp)
}

func TestACallIsLookedAtAfterItsEndOnlyForItsVerdict(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	if !Wanted(c.state, "look-call") {
		t.Error("a running call is not looked at")
	}
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
	if Wanted(c.state, "look-call") {
		t.Error("a call that is over is looked at")
	}
	u := unsigned(t, config.Defaults())
	u.do(event.Event{Kind: event.Left, Auth: event.AuthNoToken, QueueResult: "hangup"})
	u.ended(call.EndHungUp)
	if !Wanted(u.state, "look-call") {
		t.Error("the verdict on a call that is over is not asked for")
	}
}

// A caller may hang up before Twilio has said whether the call is real; the team then hears of the
// missed call as soon as that is known.
func TestAMissedCallIsRoutedOnceTheCallIsKnownToBeReal(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.SkipResolveOnHangup = true
	for name, c := range map[string]struct {
		verdict func(*testCall)
		routes  int
	}{
		"found": {func(c *testCall) {
			c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
		}, 1},
		"never": {func(c *testCall) {
			c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
			c.wait(verifyPatient).timer("verify")
		}, 1},
		"not found": {func(c *testCall) { c.do(event.Event{Kind: event.LookedAtCall, Result: event.NotFound}) }, 0},
	} {
		one := unsigned(t, conf)
		one.do(event.Event{Kind: event.Left, Auth: event.AuthNoToken, QueueResult: "hangup"})
		one.ended(call.EndHungUp)
		same(t, len(commands(one.all, integration.AlertRoute)), 0)
		c.verdict(one)
		if n := len(commands(one.all, integration.AlertRoute)); n != c.routes {
			t.Errorf("%s: routed %d times, want %d", name, n, c.routes)
		}
	}
}

func TestTheVerdictIsNotWaitedForLongerInTheMenu(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.facts.Destinations = []integration.Destination{devops, support}
	c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
	c.phase(call.PhaseChoosing)
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
	c.wait(verifyPatient).timer("verify")
	same(t, c.state.Verify.Verdict, call.VerdictUnverified)
}

func TestATokenThatChangesDuringACallIsLookedIntoOnce(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	for range 20 {
		c.wait(15 * time.Second).do(event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: 1, Auth: event.AuthMismatch})
		if len(of[effect.LookCall](c.effects)) > 0 {
			c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusInProgress})
		}
	}
	same(t, len(of[effect.LookCall](c.all)), 1)
}
