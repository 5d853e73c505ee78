package callflow

import (
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

func TestPT58_TwilioFailingIsNotTheRespondersFailure(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.MaxWait = time.Minute
	c := newCall(t, conf).holding()
	c.ack("a1", "alice")
	for range 5 {
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Failed, Detail: "401"})
		same(t, len(of[effect.DialLeg](c.effects)), 1)
		same(t, of[effect.DialLeg](c.effects)[0].At, c.now.Add(10*time.Second))
		c.wait(10 * time.Second)
	}
	same(t, len(commands(c.all, integration.AlertReopen)), 0)
	c.wait(20 * time.Second)
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	c.leg("1", call.LegUnreached, call.ReasonFailed)
}

func TestPlatformWithoutReopenOrEscalate(t *testing.T) {
	t.Parallel()
	for _, reach := range []config.Reach{config.ReachAcknowledge, config.ReachRing, config.ReachBoth} {
		conf := withVoicemail()
		conf.Reach = reach
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.Reopen, c.facts.Instance.Capabilities.Escalate = false, false
		c.holding()
		if reach == config.ReachAcknowledge {
			c.ack("a1", "alice")
		} else {
			c.alert(integration.AlertOpen, 1)
		}
		same(t, dials(c.all), []string{alicePhone})
		p := newPhones(c)
		p.c.effects = c.all
		p.run(5 * time.Minute)
		c.phase(call.PhaseHolding)
		if len(p.of(alicePhone)) < 4 || len(p.of(bobPhone)) < 4 {
			t.Errorf("%s: calls %v", reach, p.rung)
		}
		same(t, len(commands(c.all, integration.AlertReopen))+len(commands(c.all, integration.AlertEscalate)), 0)
	}
}

func TestReopenRefused(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.ack("a1", "alice")
	c.wait(26*time.Second).legStatus("1", event.StatusNoAnswer)
	esc := commands(c.effects, integration.AlertEscalate)[0]
	c.do(event.Event{Kind: event.CommandFailed, Command: &integration.AlertCommand{Number: esc.Number, Kind: integration.AlertEscalate}})
	same(t, dials(c.all), []string{alicePhone})
	c.ack("a1", "alice")
	if got := dials(c.all); !slices.Contains(got, bobPhone) {
		t.Fatalf("dialed %v, want the next layer as well", got)
	}
}

func TestRouteRefused(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.do(event.Event{Kind: event.CommandFailed, Command: &integration.AlertCommand{Number: 2, Kind: integration.AlertRoute}, Detail: "no such team"})
	c.phase(call.PhaseLeavingMessage)
}

func TestThePlatformCannotAnswer(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	e := event.Event{Kind: event.Alert, Facts: c.facts}
	e.Facts.Alert = &integration.AlertSnapshot{Status: integration.AlertAcknowledged, LastCommand: c.state.Alert.Commands, ReadAt: c.now, Acknowledgements: []integration.Acknowledgement{{ID: "a1", User: "alice"}}}
	e.Facts.Now = c.now
	e.Facts.Answers = []integration.Answer{{ID: effect.AskUser("alice").ID, Err: integration.Errorf(integration.KindUnavailable, "out of order")}}
	s, _, effects := Step(c.c, c.state, e)
	same(t, len(dials(effects)), 0)
	same(t, len(commands(effects, integration.AlertReopen)), 0)
	name, at := Deadline(s)
	same(t, name, "ask-again")
	same(t, at, c.now.Add(10*time.Second))
	// Asked again, it can.
	c.state, c.facts.Alert = s, e.Facts.Alert
	c.wait(10 * time.Second).timer("ask-again")
	same(t, dials(c.effects), []string{alicePhone})
}

func TestAnnotationsThatThePlatformDoesNotKeepAreNoFault(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{true, false} {
		c := newCall(t, withVoicemail()).holding()
		c.facts.Instance.Capabilities.Annotations = keeps
		c.do(event.Event{Kind: event.CommandFailed, Command: &integration.AlertCommand{Number: 3, Kind: integration.AlertLog}, Detail: "unsupported"})
		warned := slices.ContainsFunc(c.effects, func(e effect.Effect) bool {
			f, ok := e.(integration.Finding)
			return ok && f.Code == effect.FindingAlert
		})
		same(t, warned, keeps)
		c.do(event.Event{Kind: event.CommandFailed, Command: &integration.AlertCommand{Number: 4, Kind: integration.AlertResolve}, Detail: "refused"})
		warned = slices.ContainsFunc(c.effects, func(e effect.Effect) bool {
			f, ok := e.(integration.Finding)
			return ok && f.Code == effect.FindingAlert
		})
		same(t, warned, true)
	}
}

func TestANumberAtWhichTwilioAlwaysFailsDoesNotHoldBackTheNextPhone(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone, "+12025550145"}}
	c.holding()
	c.ack("a1", "alice")
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Failed, Detail: "503"})
	c.wait(dialRetry).do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Failed, Detail: "503"})
	c.leg("1", call.LegUnreached, call.ReasonFailed)
	same(t, dials(c.effects), []string{"+12025550145"})
	// The first phone is tried again beside it: Twilio may do better by then.
	c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.Done, CallSid: legSid("2")})
	c.legStatus("2", event.StatusBusy)
	c.wait(dialRetry).timer("ring")
	same(t, dials(c.effects), []string{alicePhone})
}

func TestTheWarningThatTwilioDoesNotDialGoesWhenItDials(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.ack("a1", "alice")
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Failed, Detail: "503"})
	same(t, findings(c.effects)[effect.FindingDialing], integration.FindingError)
	c.facts.Findings = of[integration.Finding](c.effects)
	c.wait(dialRetry).do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
	same(t, findings(c.effects)[effect.FindingDialing], integration.FindingClear)
	// A dial that was to be expected leaves nothing.
	c.facts.Findings = nil
	c.legStatus("1", event.StatusBusy)
	c.wait(dialRetry).timer("ring")
	c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.Done, CallSid: legSid("2")})
	same(t, len(of[integration.Finding](c.effects)), 0)
}
