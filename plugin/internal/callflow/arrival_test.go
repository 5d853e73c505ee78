package callflow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

func TestPT01_BannedCallersAreRejected(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	same(t, c.do(Event{Kind: EventArrival, CallStatus: StatusRinging, Caller: &Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Banned: true}}), Reply(RejectReply{}))
	c.ended(EndRejected)
	if got := of[integration.AlertCommand](c.all); len(got) > 0 {
		t.Fatalf("commands for a banned caller: %v", got)
	}
	same(t, c.do(Event{Kind: EventArrival, CallStatus: StatusRinging}), Reply(RejectReply{}))
}

func TestABannedCallerWhomAFallbackHasAnsweredIsHungUp(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	banned := &Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Banned: true}
	same(t, c.do(Event{Kind: EventArrival, CallStatus: StatusInProgress, Caller: banned}), Reply(HangupReply{}))
	c.ended(EndRejected)
}

// A hotline that is forwarded to itself, or is somebody's own phone, must not call itself for ever.
func TestACallFromTheNumberThatWasCalledIsAnsweredBusy(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	same(t, c.do(Event{Kind: EventArrival, CallStatus: StatusRinging, Caller: &Caller{Sid: callerSid, Number: calledNum, Called: calledNum, Loop: true}}), Reply(RejectReply{Busy: true}))
	c.ended(EndRejected)
	same(t, len(of[integration.AlertCommand](c.all)), 0)
	same(t, of[integration.Finding](c.all)[0].Code, FindingLoop)
	same(t, c.do(Event{Kind: EventArrival, CallStatus: StatusRinging}), Reply(RejectReply{Busy: true}))
}

func TestPT03_WithheldNumbersAreServed(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.do(Event{Kind: EventArrival, Caller: &Caller{Sid: callerSid, Called: calledNum, Withheld: true}})
	c.phase(PhaseHolding)
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Title, "Incoming call from a withheld number")
}

func TestPT04_UntrustedRequestsChangeNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		if !Request(kind) {
			continue
		}
		c := newCall(t, Defaults()).holding()
		before := mustJSON(t, c.state)
		same(t, c.do(Event{Kind: kind, Auth: AuthRefused, CallStatus: StatusCompleted, QueueResult: "hangup"}), Reply(RefusedReply{}))
		same(t, mustJSON(t, c.state), before)
		same(t, len(c.effects), 0)
		// A call that had a valid signature does not come in again without one, and no status of it
		// counts.
		if kind == EventArrival || kind == EventCallStatus {
			same(t, c.do(Event{Kind: kind, Auth: AuthMismatch, CallStatus: StatusCompleted}), Reply(RefusedReply{}))
			same(t, mustJSON(t, c.state), before)
		}
	}
}

func TestPT05to08_HostStatesAreSpoken(t *testing.T) {
	t.Parallel()
	for host, key := range map[integration.HostState]PromptKey{
		integration.HostDisabled: PromptDisabled, integration.HostUnavailable: PromptUnavailable, integration.HostMaintenance: PromptMaintenance, integration.HostRateLimited: PromptRateLimited,
	} {
		c := newCall(t, Defaults())
		c.facts.Instance.State = host
		same(t, c.arrive(), Reply(HangupReply{Say: say(key)}))
		c.ended(EndToldGoodbye)
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		same(t, c.arrive(), Reply(HangupReply{Say: say(key)}))
	}
}

func TestPT07_MaintenanceOffersVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.facts.Instance.State = integration.HostMaintenance
	r, ok := c.arrive().(RecordReply)
	if !ok {
		t.Fatalf("reply = %T, want RecordReply", c.reply)
	}
	same(t, r.Say, say(PromptWelcome, PromptMaintenance, PromptGreeting))
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
}

func TestPT09to12_OneAlertWithFields(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.arrive()
	c.arrive()
	c.hold()
	created := commands(c.all, integration.AlertCreate)
	same(t, len(created), 1)
	same(t, created[0].Draft.Title, "Incoming call from "+callerNum)
	same(t, created[0].Draft.Fields, []integration.AlertField{
		phoneField("Caller Phone", callerNum), phoneField("Called Number", calledNum), textField("Caller Zipcode", "10001"),
	})
}

func TestPT13_TheFirstAnswerIsTheRealOne(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	same(t, c.arrive(), Reply(EnqueueReply{Step: 1, Say: say(PromptWelcome)}))
	for _, e := range c.effects {
		switch e.(type) {
		case LookCall, DialLeg, Dequeue:
			t.Fatalf("a request to Twilio on the arrival path: %#v", e)
		}
	}
}

func TestPT17_RepeatedArrivalResumes(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	first := c.arrive()
	same(t, c.arrive(), first)
	same(t, c.do(Event{Kind: EventResume}), first)
	c.hold()
	same(t, c.do(Event{Kind: EventResume}), Reply(EnqueueReply{Step: 1}))
}

func TestResumeServesACallWhoseArrivalWasLost(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	same(t, c.do(Event{Kind: EventResume}), Reply(EnqueueReply{Step: 1, Say: say(PromptWelcome)}))
	c.phase(PhaseHolding)
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
			conf := Defaults()
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
	c := newCall(t, Defaults())
	c.facts.Destinations = nil
	same(t, c.arrive(), Reply(HangupReply{Say: say(PromptWelcome, PromptNoTeam, PromptGoodbye)}))
	c.ended(EndToldGoodbye)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)

	c = newCall(t, withVoicemail())
	c.facts.Destinations = nil
	if _, ok := c.arrive().(RecordReply); !ok {
		t.Fatalf("reply = %T, want RecordReply", c.reply)
	}
}

func TestVerification(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) *call {
		c := newCall(t, withVoicemail())
		c.do(Event{Kind: EventArrival, Auth: AuthNoToken})
		c.phase(PhaseHolding)
		same(t, len(of[LookCall](c.effects)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
		return c
	}
	look := func(c *call, r Result, s CallStatus) {
		c.do(Event{Kind: EventLookedAtCall, Result: r, CallStatus: s})
	}
	tick := func(c *call) Reply {
		return c.do(Event{Kind: EventTick, Auth: AuthNoToken, QueueSid: queueSid})
	}
	t.Run("found", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		look(c, Done, StatusInProgress)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
		same(t, c.state.Verify.Verdict, VerdictFound)
	})
	t.Run("not found, asked again after 2, 5, 10 s, then voicemail at the next tick", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for _, pause := range []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second} {
			look(c, NotFound, "")
			looks := of[LookCall](c.effects)
			same(t, len(looks), 1)
			same(t, looks[0].At, c.now.Add(pause))
			c.wait(pause)
			c.phase(PhaseHolding)
		}
		look(c, NotFound, "")
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
		same(t, tick(c), Reply(LeaveQueueReply{}))
		if !slices.ContainsFunc(of[integration.Finding](c.all), func(f integration.Finding) bool {
			return f.Code == FindingCallsNotFound && f.Severity == integration.FindingError
		}) {
			t.Fatal("no finding")
		}
	})
	t.Run("no verdict for ten seconds: served, marked unverified", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		look(c, Failed, "")
		c.wait(10 * time.Second)
		tick(c) // the timer was lost
		same(t, c.state.Verify.Verdict, VerdictUnverified)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
	})
	t.Run("a wrong signature: nobody is called, and no alert made, before Twilio confirms the call", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, Defaults())
		c.do(Event{Kind: EventArrival, Auth: AuthMismatch})
		c.phase(PhaseHolding)
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		same(t, len(of[integration.Finding](c.all)), 0)
		look(c, Done, StatusInProgress)
		same(t, of[integration.Finding](c.effects)[0].Code, FindingSignature)
		same(t, len(commands(c.all, integration.AlertCreate)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
	})
	t.Run("a wrong signature and no verdict: never called, a message after thirty seconds", func(t *testing.T) {
		t.Parallel()
		for _, busy := range []bool{true, false} {
			c := newCall(t, withVoicemail())
			c.do(Event{Kind: EventArrival, Auth: AuthMismatch})
			for range 9 {
				c.do(Event{Kind: EventLookedAtCall, Result: Failed, Busy: busy})
				c.wait(3 * time.Second)
				c.do(Event{Kind: EventTick, Auth: AuthMismatch, QueueSid: queueSid})
				c.phase(PhaseHolding)
			}
			c.wait(3 * time.Second).timer("verify")
			c.phase(PhaseLeavingMessage)
			same(t, c.state.Exit, ExitNotProven)
			same(t, len(of[integration.AlertCommand](c.all)), 0)
		}
	})
	t.Run("too many requests are no reason to serve a call unverified", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for range 4 {
			c.do(Event{Kind: EventLookedAtCall, Result: Failed, Busy: true})
			c.wait(3 * time.Second)
			tick(c)
		}
		same(t, c.state.Verify.Verdict, VerdictPending)
		look(c, Done, StatusInProgress)
		same(t, c.state.Verify.Verdict, VerdictFound)
	})
	t.Run("a token changed during a call loses it not, and is told", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, Defaults()).holding()
		c.do(Event{Kind: EventTick, Auth: AuthMismatch, QueueSid: queueSid})
		same(t, len(of[LookCall](c.effects)), 1)
		c.do(Event{Kind: EventTick, Auth: AuthMismatch, QueueSid: queueSid})
		same(t, len(of[LookCall](c.effects)), 0)
		c.phase(PhaseHolding)
		look(c, Done, StatusInProgress)
		same(t, of[integration.Finding](c.effects)[0].Code, FindingSignature)
	})
	t.Run("the story of a call begins with what was noted before it was proven", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, Defaults())
		c.facts.Destinations = []integration.Destination{devops, support}
		c.do(Event{Kind: EventArrival, Auth: AuthNoToken})
		c.do(Event{Kind: EventMenuKeys, Auth: AuthNoToken, Digits: "2", Step: c.state.Step})
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		look(c, Done, StatusInProgress)
		var kinds []integration.AlertCommandKind
		for _, cmd := range of[integration.AlertCommand](c.effects) {
			kinds = append(kinds, cmd.Kind)
		}
		same(t, kinds, []integration.AlertCommandKind{integration.AlertCreate, integration.AlertLog, integration.AlertRoute})
	})
	t.Run("a caller who hangs up before the call is proven leaves an alert once it is", func(t *testing.T) {
		t.Parallel()
		conf := Defaults()
		conf.SkipResolveOnHangup = true
		c := newCall(t, conf)
		c.do(Event{Kind: EventArrival, Auth: AuthNoToken})
		c.do(Event{Kind: EventLeft, Auth: AuthNoToken, QueueResult: "hangup", CallStatus: StatusCompleted})
		c.ended(EndHungUp)
		same(t, len(of[integration.AlertCommand](c.all)), 0)
		look(c, Done, StatusCompleted)
		same(t, len(commands(c.all, integration.AlertCreate)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 1)
		c.logged("Call back")
	})
	t.Run("a later signature proves the call", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for range 4 {
			look(c, NotFound, "")
		}
		c.phase(PhaseLeavingMessage)
	})
	t.Run("a call not found wakes nobody even by a message without audio", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		for range 4 {
			look(c, NotFound, "")
		}
		c.do(Event{Kind: EventLeft, Auth: AuthNoToken, QueueResult: "leave"})
		c.do(Event{Kind: EventRecorded, Auth: AuthNoToken, RecordingSid: "RE1", Seconds: 5})
		c.wait(6 * time.Minute).timer("recording")
		c.ended(EndNoMessage)
		same(t, len(of[Mail](c.all)), 0)
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
	})
}

// What is no telephone number is not withheld: it is shown, and read aloud where it is made of
// digits.
func TestACallerWithoutATelephoneNumberIsShownAsItCame(t *testing.T) {
	t.Parallel()
	for address, aloud := range map[string]string{"201": "201", "12025550199": "12025550199", "sip:alice@example.com": ""} {
		c := newCall(t, Defaults())
		c.do(Event{Kind: EventArrival, Caller: &Caller{Sid: callerSid, Address: address, Called: calledNum}})
		same(t, commands(c.all, integration.AlertCreate)[0].Draft.Title, "Incoming call from "+address)
		same(t, View(c.state).From, address)
		c.hold()
		c.ack("a1", "alice")
		ask, ok := c.answered("1").(AskReply)
		if !ok || ask.Say[0].Number != aloud {
			t.Errorf("%s: asked with %q", address, ask.Say[0].Number)
		}
		c.do(Event{Kind: EventLeft, QueueResult: "hangup", CallStatus: StatusCompleted})
		if strings.Contains(c.story(), "withheld") {
			t.Errorf("%s is taken for withheld:\n%s", address, c.story())
		}
	}
}
