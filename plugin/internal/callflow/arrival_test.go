package callflow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/draft"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

func TestPT01_BannedCallersAreRejected(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	same(t, c.do(event.Event{Kind: event.Arrival, CallStatus: event.StatusRinging, Caller: &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Banned: true}}), reply.Reply(reply.Reject{}))
	c.ended(call.EndRejected)
	if got := of[integration.AlertCommand](c.all); len(got) > 0 {
		t.Fatalf("commands for a banned caller: %v", got)
	}
	same(t, c.do(event.Event{Kind: event.Arrival, CallStatus: event.StatusRinging}), reply.Reply(reply.Reject{}))
}

func TestABannedCallerWhomAFallbackHasAnsweredIsHungUp(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	banned := &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Banned: true}
	same(t, c.do(event.Event{Kind: event.Arrival, CallStatus: event.StatusInProgress, Caller: banned}), reply.Reply(reply.Hangup{}))
	c.ended(call.EndRejected)
}

// A hotline that is forwarded to itself, or is somebody's own phone, must not call itself for ever.
func TestACallFromTheNumberThatWasCalledIsAnsweredBusy(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	same(t, c.do(event.Event{Kind: event.Arrival, CallStatus: event.StatusRinging, Caller: &call.Caller{Sid: callerSid, Number: calledNum, Called: calledNum, Loop: true}}), reply.Reply(reply.Reject{Busy: true}))
	c.ended(call.EndRejected)
	same(t, len(of[integration.AlertCommand](c.all)), 0)
	same(t, of[integration.Finding](c.all)[0].Code, effect.FindingLoop)
	same(t, c.do(event.Event{Kind: event.Arrival, CallStatus: event.StatusRinging}), reply.Reply(reply.Reject{Busy: true}))
}

func TestPT03_WithheldNumbersAreServed(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.do(event.Event{Kind: event.Arrival, Caller: &call.Caller{Sid: callerSid, Called: calledNum, Withheld: true}})
	c.phase(call.PhaseHolding)
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Title, "Incoming call from a withheld number")
}

func TestPT04_UntrustedRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		if !Request(kind) {
			continue
		}
		c := newCall(t, config.Defaults()).holding()
		before := mustJSON(t, c.state)
		same(t, c.do(event.Event{Kind: kind, Auth: event.AuthRefused, CallStatus: event.StatusCompleted, QueueResult: "hangup"}), reply.Reply(reply.Refused{}))
		same(t, mustJSON(t, c.state), before)
		same(t, len(c.effects), 0)
		// A call that had a valid signature does not come in again without one, and no status of it
		// counts.
		if kind == event.Arrival || kind == event.CallStatus {
			same(t, c.do(event.Event{Kind: kind, Auth: event.AuthMismatch, CallStatus: event.StatusCompleted}), reply.Reply(reply.Refused{}))
			same(t, mustJSON(t, c.state), before)
		}
	}
}

func TestPT05to08_HostStatesAreSpoken(t *testing.T) {
	t.Parallel()
	for host, key := range map[integration.HostState]reply.PromptKey{
		integration.HostDisabled: reply.PromptDisabled, integration.HostUnavailable: reply.PromptUnavailable, integration.HostMaintenance: reply.PromptMaintenance, integration.HostRateLimited: reply.PromptRateLimited,
	} {
		c := newCall(t, config.Defaults())
		c.facts.Instance.State = host
		same(t, c.arrive(), reply.Reply(reply.Hangup{Say: say(key)}))
		c.ended(call.EndToldGoodbye)
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		same(t, c.arrive(), reply.Reply(reply.Hangup{Say: say(key)}))
	}
}

func TestPT07_MaintenanceOffersVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.facts.Instance.State = integration.HostMaintenance
	r, ok := c.arrive().(reply.Record)
	if !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
	same(t, r.Say, say(reply.PromptWelcome, reply.PromptMaintenance, reply.PromptGreeting))
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
}

func TestPT09to12_OneAlertWithFields(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.arrive()
	c.arrive()
	c.hold()
	created := commands(c.all, integration.AlertCreate)
	same(t, len(created), 1)
	same(t, created[0].Draft.Title, "Incoming call from "+callerNum)
	same(t, created[0].Draft.Fields, []integration.AlertField{
		draft.PhoneField("Caller Phone", callerNum), draft.PhoneField("Called Number", calledNum), draft.TextField("Caller Zipcode", "10001"),
	})
}

func TestPT13_TheFirstAnswerIsTheRealOne(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	same(t, c.arrive(), reply.Reply(reply.Enqueue{Step: 1, Say: say(reply.PromptWelcome)}))
	for _, e := range c.effects {
		switch e.(type) {
		case effect.LookCall, effect.DialLeg, effect.Dequeue:
			t.Fatalf("a request to Twilio on the arrival path: %#v", e)
		}
	}
}

func TestPT17_RepeatedArrivalResumes(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	first := c.arrive()
	same(t, c.arrive(), first)
	same(t, c.do(event.Event{Kind: event.Resume}), first)
	c.hold()
	same(t, c.do(event.Event{Kind: event.Resume}), reply.Reply(reply.Enqueue{Step: 1}))
}

func TestResumeServesACallWhoseArrivalWasLost(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	same(t, c.do(event.Event{Kind: event.Resume}), reply.Reply(reply.Enqueue{Step: 1, Say: say(reply.PromptWelcome)}))
	c.phase(call.PhaseHolding)
}

func TestPT18to23_RoutersChooseTheTeams(t *testing.T) {
	t.Parallel()
	r1, r2 := integration.Destination{Kind: integration.DestinationRouter, ID: "r1"}, integration.Destination{Kind: integration.DestinationRouter, ID: "r2"}
	sales := integration.Destination{ID: "sales", Name: "Sales"}
	for name, tc := range map[string]struct {
		dest   []integration.Destination
		routes map[string]integration.RouteVerdict
		want   []string
	}{
		"assigned in order, doubles dropped": {[]integration.Destination{r1, r2, sales}, map[string]integration.RouteVerdict{
			"r1": {Receivers: []integration.Destination{support, devops}, Default: []integration.Destination{sales}}, "r2": {Receivers: []integration.Destination{devops, sales}},
		}, []string{"support", "devops", "sales"}},
		"none assigned: default receivers": {[]integration.Destination{r1, r2}, map[string]integration.RouteVerdict{
			"r1": {Default: []integration.Destination{devops}}, "r2": {Default: []integration.Destination{support}},
		}, []string{"devops", "support"}},
		"routers name nobody: own teams": {[]integration.Destination{r1, support, devops}, map[string]integration.RouteVerdict{"r1": {}}, []string{"support", "devops"}},
		"a router that cannot be asked":  {[]integration.Destination{r1, devops}, nil, []string{"devops"}},
		"a router of routers": {[]integration.Destination{r1}, map[string]integration.RouteVerdict{
			"r1": {Receivers: []integration.Destination{r2}}, "r2": {Default: []integration.Destination{devops}},
		}, []string{"devops"}},
		"a circle": {[]integration.Destination{r1}, map[string]integration.RouteVerdict{
			"r1": {Receivers: []integration.Destination{r2, devops}}, "r2": {Receivers: []integration.Destination{r1}},
		}, []string{"devops"}},
		"own teams by name, whatever the case": {[]integration.Destination{{ID: "z", Name: "alpha"}, {ID: "a", Name: "Beta"}, {ID: "b", Name: "GAMMA"}}, nil,
			[]string{"z", "a", "b"}},
		"missing teams are skipped": {[]integration.Destination{{ID: "x", Name: "X", Missing: true}, devops}, nil, []string{"devops"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := config.Defaults()
			conf.ForceInput = true
			c := newCall(t, conf)
			c.facts.Destinations, c.routes = tc.dest, tc.routes
			c.arrive()
			var got []string
			for _, team := range c.state.Teams {
				got = append(got, team.ID)
			}
			same(t, got, tc.want)
			// The list is kept for the whole call.
			c.facts.Destinations = []integration.Destination{sales}
			c.keys("9999")
			same(t, len(c.state.Teams), len(tc.want))
		})
	}
}

func TestPT25_NoTeams(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.facts.Destinations = nil
	same(t, c.arrive(), reply.Reply(reply.Hangup{Say: say(reply.PromptWelcome, reply.PromptNoTeam, reply.PromptGoodbye)}))
	c.ended(call.EndToldGoodbye)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)

	c = newCall(t, withVoicemail())
	c.facts.Destinations = nil
	if _, ok := c.arrive().(reply.Record); !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) *testCall {
		c := newCall(t, withVoicemail())
		c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
		c.phase(call.PhaseHolding)
		same(t, len(of[effect.LookCall](c.effects)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
		return c
	}
	look := func(c *testCall, r event.Result, s event.Status) {
		c.do(event.Event{Kind: event.LookedAtCall, Result: r, CallStatus: s})
	}
	tick := func(c *testCall) reply.Reply {
		return c.do(event.Event{Kind: event.Tick, Auth: event.AuthNoToken, QueueSid: queueSid})
	}
	t.Run("found", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		look(c, event.Done, event.StatusInProgress)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
		same(t, c.state.Verify.Verdict, call.VerdictFound)
	})
	t.Run("not found, asked again after 2, 5, 10 s, then voicemail at the next tick", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for _, pause := range []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second} {
			look(c, event.NotFound, "")
			looks := of[effect.LookCall](c.effects)
			same(t, len(looks), 1)
			same(t, looks[0].At, c.now.Add(pause))
			c.wait(pause)
			c.phase(call.PhaseHolding)
		}
		look(c, event.NotFound, "")
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
		same(t, tick(c), reply.Reply(reply.LeaveQueue{}))
		if !slices.ContainsFunc(of[integration.Finding](c.all), func(f integration.Finding) bool {
			return f.Code == effect.FindingCallsNotFound && f.Severity == integration.FindingError
		}) {
			t.Fatal("no finding")
		}
	})
	t.Run("no verdict for ten seconds: served, marked unverified", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		look(c, event.Failed, "")
		c.wait(10 * time.Second)
		tick(c) // the timer was lost
		same(t, c.state.Verify.Verdict, call.VerdictUnverified)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
	})
	t.Run("a wrong signature: nobody is called, and no alert made, before Twilio confirms the call", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, config.Defaults())
		c.do(event.Event{Kind: event.Arrival, Auth: event.AuthMismatch})
		c.phase(call.PhaseHolding)
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		same(t, len(of[integration.Finding](c.all)), 0)
		look(c, event.Done, event.StatusInProgress)
		same(t, of[integration.Finding](c.effects)[0].Code, effect.FindingSignature)
		same(t, len(commands(c.all, integration.AlertCreate)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
	})
	t.Run("a wrong signature and no verdict: never called, a message after thirty seconds", func(t *testing.T) {
		t.Parallel()
		for _, busy := range []bool{true, false} {
			c := newCall(t, withVoicemail())
			c.do(event.Event{Kind: event.Arrival, Auth: event.AuthMismatch})
			for range 9 {
				c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed, Busy: busy})
				c.wait(3 * time.Second)
				c.do(event.Event{Kind: event.Tick, Auth: event.AuthMismatch, QueueSid: queueSid})
				c.phase(call.PhaseHolding)
			}
			c.wait(3 * time.Second).timer("verify")
			c.phase(call.PhaseLeavingMessage)
			same(t, c.state.Exit, call.ExitNotProven)
			same(t, len(of[integration.AlertCommand](c.all)), 0)
		}
	})
	t.Run("too many requests are no reason to serve a call unverified", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for range 4 {
			c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed, Busy: true})
			c.wait(3 * time.Second)
			tick(c)
		}
		same(t, c.state.Verify.Verdict, call.VerdictPending)
		look(c, event.Done, event.StatusInProgress)
		same(t, c.state.Verify.Verdict, call.VerdictFound)
	})
	t.Run("a token changed during a call loses it not, and is told", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, config.Defaults()).holding()
		c.do(event.Event{Kind: event.Tick, Auth: event.AuthMismatch, QueueSid: queueSid})
		same(t, len(of[effect.LookCall](c.effects)), 1)
		c.do(event.Event{Kind: event.Tick, Auth: event.AuthMismatch, QueueSid: queueSid})
		same(t, len(of[effect.LookCall](c.effects)), 0)
		c.phase(call.PhaseHolding)
		look(c, event.Done, event.StatusInProgress)
		same(t, of[integration.Finding](c.effects)[0].Code, effect.FindingSignature)
	})
	t.Run("the story of a call begins with what was noted before it was proven", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, config.Defaults())
		c.facts.Destinations = []integration.Destination{devops, support}
		c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
		c.do(event.Event{Kind: event.MenuKeys, Auth: event.AuthNoToken, Digits: "2", Step: c.state.Step})
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		look(c, event.Done, event.StatusInProgress)
		var kinds []integration.AlertCommandKind
		for _, cmd := range of[integration.AlertCommand](c.effects) {
			kinds = append(kinds, cmd.Kind)
		}
		same(t, kinds, []integration.AlertCommandKind{integration.AlertCreate, integration.AlertLog, integration.AlertRoute})
	})
	t.Run("a caller who hangs up before the call is proven leaves an alert once it is", func(t *testing.T) {
		t.Parallel()
		conf := config.Defaults()
		conf.SkipResolveOnHangup = true
		c := newCall(t, conf)
		c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
		c.do(event.Event{Kind: event.Left, Auth: event.AuthNoToken, QueueResult: "hangup", CallStatus: event.StatusCompleted})
		c.ended(call.EndHungUp)
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		look(c, event.Done, event.StatusCompleted)
		same(t, len(commands(c.all, integration.AlertCreate)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
		c.logged("Call back")
	})
	t.Run("a later signature proves the call", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for range 4 {
			look(c, event.NotFound, "")
		}
		c.phase(call.PhaseLeavingMessage)
	})
	t.Run("a call not found wakes nobody even by a message without audio", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for range 4 {
			look(c, event.NotFound, "")
		}
		c.do(event.Event{Kind: event.Left, Auth: event.AuthNoToken, QueueResult: "leave"})
		c.do(event.Event{Kind: event.Recorded, Auth: event.AuthNoToken, RecordingSid: "RE1", Seconds: 5})
		c.wait(6 * time.Minute).timer("recording")
		c.ended(call.EndNoMessage)
		same(t, len(of[effect.Mail](c.all)), 0)
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
	})
}

// What is no telephone number is not withheld: it is shown, and read aloud where it is made of
// digits.
func TestACallerWithoutATelephoneNumberIsShownAsItCame(t *testing.T) {
	t.Parallel()
	for address, aloud := range map[string]string{"201": "201", "12025550199": "12025550199", "sip:alice@example.com": ""} {
		c := newCall(t, config.Defaults())
		c.do(event.Event{Kind: event.Arrival, Caller: &call.Caller{Sid: callerSid, Address: address, Called: calledNum}})
		same(t, commands(c.all, integration.AlertCreate)[0].Draft.Title, "Incoming call from "+address)
		same(t, call.View(c.state).From, address)
		c.hold()
		c.ack("a1", "alice")
		ask, ok := c.answered("1").(reply.Ask)
		if !ok || ask.Say[0].Number != aloud {
			t.Errorf("%s: asked with %q", address, ask.Say[0].Number)
		}
		c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
		if strings.Contains(c.story(), "withheld") {
			t.Errorf("%s is taken for withheld:\n%s", address, c.story())
		}
	}
}
