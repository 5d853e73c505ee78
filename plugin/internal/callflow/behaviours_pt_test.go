package callflow

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// Each of these tests shows one of the behaviours that docs/behaviours.md lists; PT ("parity test")
// and a number name the behaviour, here and in all other tests.

func TestPT10_OnlyWhatIsKnownBecomesAField(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.do(Event{Kind: EventArrival, Caller: &Caller{Sid: callerSid, Number: callerNum, Called: calledNum, City: "WASHINGTON", Zip: "20001", Country: "US"}})
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Fields, []integration.AlertField{
		phoneField("Caller Phone", callerNum), phoneField("Called Number", calledNum), textField("Caller City", "WASHINGTON"),
		textField("Caller Zipcode", "20001"), textField("Caller Country", "US"),
	})
}

func TestPT11_TheAlertTellsWhatWasCalled(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.do(Event{Kind: EventArrival, Caller: &Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Name: "EXAMPLE CORP", Forward: "+12025550177"}})
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Fields, []integration.AlertField{
		phoneField("Caller Phone", callerNum), phoneField("Called Number", calledNum), textField("Caller Name", "EXAMPLE CORP"),
		phoneField("Forwarded From", "+12025550177"),
	})
}

func TestPT12_TheAlertIsNotRoutedBeforeATeamIsChosen(t *testing.T) {
	t.Parallel()
	c := menuCall(t, Defaults(), 2)
	same(t, len(commands(c.all, integration.AlertCreate)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.keys("9")
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.keys("1")
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
}

func TestPT14_ACallerWhoIsGoneIsResolved(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.do(Event{Kind: EventLookedAtCall, Result: Done, CallStatus: StatusCompleted})
	c.ended(EndHungUp)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
}

func TestPT15_TwilioRefusingOurRequestsCutsNobodyOff(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	for _, e := range []Event{
		{Kind: EventLookedAtCall, Result: Failed, Detail: "401"}, {Kind: EventLookedAtCall, Result: Unknown}, {Kind: EventLookedAtCall, Result: Refused},
		{Kind: EventDequeued, Result: Failed}, {Kind: EventQueueDeleted, Result: Failed},
	} {
		c.do(e)
		c.phase(PhaseHolding)
	}
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	if r, ok := c.hold().(HoldReply); !ok {
		t.Fatalf("reply = %T %+v, want HoldReply", c.reply, r)
	}
}

func routed(t *testing.T, conf Config, dest []integration.Destination, routes map[string]integration.RouteVerdict) *call {
	t.Helper()
	conf.ForceInput = true
	c := newCall(t, conf)
	c.facts.Destinations, c.routes = dest, routes
	c.arrive()
	return c
}

func (c *call) teams() []string {
	var got []string
	for _, team := range c.state.Teams {
		got = append(got, team.ID)
	}
	return got
}

var (
	hours = integration.Destination{Kind: integration.DestinationRouter, ID: "hours"}
	sites = integration.Destination{Kind: integration.DestinationRouter, ID: "sites"}
	sales = integration.Destination{ID: "sales", Name: "Sales"}
)

func TestPT20_WithoutAnAssignmentTheDefaultReceiversAreMeant(t *testing.T) {
	t.Parallel()
	c := routed(t, Defaults(), []integration.Destination{hours, sites}, map[string]integration.RouteVerdict{"hours": {Default: []integration.Destination{devops}}, "sites": {Default: []integration.Destination{support, devops}}})
	same(t, c.teams(), []string{"devops", "support"})
	// One assignment, and no default receiver counts.
	c = routed(t, Defaults(), []integration.Destination{hours, sites}, map[string]integration.RouteVerdict{"hours": {Default: []integration.Destination{devops}}, "sites": {Receivers: []integration.Destination{sales}, Default: []integration.Destination{support}}})
	same(t, c.teams(), []string{"sales"})
}

func TestPT21_ReceiversThatAreNoTeams(t *testing.T) {
	t.Parallel()
	c := routed(t, Defaults(), []integration.Destination{hours}, map[string]integration.RouteVerdict{
		"hours": {Receivers: []integration.Destination{{ID: "gone", Name: "Gone", Missing: true}, sites, devops}},
		"sites": {Receivers: []integration.Destination{hours, support}}, // a circle
	})
	same(t, c.teams(), []string{"support", "devops"})
	c.logged("Gone is a receiver of the router but no longer exists")
	c.logged("in a circle")
}

func TestPT22_WhatARouterNamesReplacesTheOwnTeams(t *testing.T) {
	t.Parallel()
	own := []integration.Destination{sales, hours}
	same(t, routed(t, Defaults(), own, map[string]integration.RouteVerdict{"hours": {Receivers: []integration.Destination{devops}}}).teams(), []string{"devops"})
	c := routed(t, Defaults(), own, map[string]integration.RouteVerdict{"hours": {}})
	same(t, c.teams(), []string{"sales"})
	// "None" is kept as well: the router is not asked again, whatever it would say now.
	c.routes["hours"] = integration.RouteVerdict{Receivers: []integration.Destination{devops}}
	c.keys("8")
	c.arrive()
	same(t, c.teams(), []string{"sales"})
}

func TestPT23_TheMenuStaysTheSameForTheWholeCall(t *testing.T) {
	t.Parallel()
	c := routed(t, Defaults(), []integration.Destination{hours}, map[string]integration.RouteVerdict{"hours": {Receivers: []integration.Destination{support, devops}}})
	first, _ := c.reply.(MenuReply)
	// Another time of day.
	c.routes["hours"] = integration.RouteVerdict{Receivers: []integration.Destination{sales}}
	c.facts.Destinations = []integration.Destination{sales}
	c.wait(time.Hour)
	r, _ := c.keys("7").(MenuReply)
	same(t, r.Items, first.Items)
	c.keys("2")
	same(t, c.state.Team.ID, "devops")
}

func TestPT26_OrderOfTheTeams(t *testing.T) {
	t.Parallel()
	own := []integration.Destination{{ID: "z", Name: "beta"}, {ID: "y", Name: "Alpha"}, {ID: "x", Name: "GAMMA"}}
	same(t, routed(t, Defaults(), own, nil).teams(), []string{"y", "z", "x"})
	same(t, routed(t, Defaults(), []integration.Destination{hours}, map[string]integration.RouteVerdict{"hours": {Receivers: own}}).teams(), []string{"z", "y", "x"})
}

func TestPT27_TheWelcomeIsPlayedOnceAndFirst(t *testing.T) {
	t.Parallel()
	c := menuCall(t, Defaults(), 2)
	r, _ := c.reply.(MenuReply)
	same(t, r.Intro, say(PromptWelcome))
	again, _ := c.keys("7").(MenuReply)
	same(t, again.Intro, say(PromptInvalidKey))
	same(t, c.keys("1"), Reply(EnqueueReply{Step: c.state.Step}))
	if hold, _ := c.hold().(HoldReply); slices.ContainsFunc(hold.Say, func(p Prompt) bool { return p.Key == PromptWelcome }) {
		t.Fatalf("welcomed again on hold: %v", hold.Say)
	}
}

func TestPT34_ANumberTooLargeRepeatsTheMenu(t *testing.T) {
	t.Parallel()
	c := menuCall(t, Defaults(), 3)
	r, _ := c.keys("4").(MenuReply)
	same(t, len(r.Items), 3)
	same(t, c.state.MenuTries, 1)
	c.keys("3")
	same(t, c.state.Team.ID, "t03")
}

func TestPT35_ZeroStarPoundAndNothingNeverChooseTheLastTeam(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"0", "*", "#", "", "00", " ", "1#"} {
		c := menuCall(t, Defaults(), 3)
		c.keys(keys)
		c.phase(PhaseChoosing)
		if c.state.Team != nil {
			t.Fatalf("%q chooses %s", keys, c.state.Team.ID)
		}
		same(t, c.state.MenuTries, 1)
	}
}

func TestPT36_SilenceIsARound(t *testing.T) {
	t.Parallel()
	c := menuCall(t, withVoicemail(), 2)
	for range 2 {
		if r, ok := c.keys("").(MenuReply); !ok || len(r.Items) != 2 {
			t.Fatalf("reply = %#v, want the menu again", c.reply)
		}
	}
	if _, ok := c.keys("").(RecordReply); !ok {
		t.Fatalf("reply = %T after three silent rounds, want RecordReply", c.reply)
	}
}

func TestPT37_ThreeRoundsThenTheAlertIsClosed(t *testing.T) {
	t.Parallel()
	// Nobody was paged: the option to keep the alert is about other calls.
	for _, skip := range []bool{false, true} {
		conf := Defaults()
		conf.SkipResolveOnHangup = skip
		c := menuCall(t, conf, 2)
		c.keys("8")
		c.keys("8")
		c.phase(PhaseChoosing)
		same(t, c.keys("8"), Reply(HangupReply{Say: say(PromptTooManyTries, PromptGoodbye)}))
		c.ended(EndToldGoodbye)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
	}
}

func TestPT40_ChosenPagedAndOnHold(t *testing.T) {
	t.Parallel()
	c := menuCall(t, Defaults(), 3)
	c.keys("2")
	// That one team alone.
	same(t, commands(c.effects, integration.AlertRoute)[0].Teams, []string{"t02"})
	if _, ok := c.reply.(EnqueueReply); !ok {
		t.Fatalf("reply = %T, want EnqueueReply", c.reply)
	}
	c.logged("The caller chose Team 02")
	r, _ := c.hold().(HoldReply)
	same(t, r.Say[0], Prompt{Key: PromptPleaseWait})
	r, _ = c.hold().(HoldReply)
	same(t, len(r.Say), 0) // once
}

func TestPT41_PagingNeedsNothingOfTwilio(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults())
	c.arrive()
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
	for _, e := range c.effects {
		switch e.(type) {
		case integration.AlertCommand, integration.Finding, StartTimer:
		default:
			t.Fatalf("an effect on the way into the hold: %#v", e)
		}
	}
}

func TestPT44_EveryResultOfTheQueue(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]Phase{
		"hangup": PhaseEnded, "redirected": PhaseHolding, "redirected-from-bridged": PhaseHolding, "bridging-in-process": PhaseHolding,
		"queue-full": PhaseLeavingMessage, "error": PhaseLeavingMessage, "system-error": PhaseLeavingMessage, "surprise": PhaseLeavingMessage,
	} {
		c := newCall(t, withVoicemail()).holding()
		for range holdRetries + 1 {
			if _, over := c.do(Event{Kind: EventLeft, QueueResult: result}).(HangupReply); over && want != PhaseEnded {
				t.Fatalf("%s: hung up on", result)
			}
		}
		if got := normal(c.state.Phase); got != want {
			t.Errorf("%s: phase %s, want %s", result, got, want)
		}
		if want == PhaseEnded {
			same(t, len(of[DeleteQueue](c.all)), 1)
		}
	}
}

func straight(t *testing.T) *call {
	t.Helper()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	return menuCall(t, conf, 2)
}

func TestPT47_StraightToVoicemailStillAsksForTheTeam(t *testing.T) {
	t.Parallel()
	c := straight(t)
	c.phase(PhaseChoosing)
	r, ok := c.keys("1").(RecordReply)
	if !ok {
		t.Fatalf("reply = %T, want RecordReply", c.reply)
	}
	same(t, r.Say, say(PromptGreeting))
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	same(t, len(of[DialLeg](c.all)), 0)
	conf := Defaults() // without voicemail the option means nothing
	conf.StraightToVoicemail = true
	c = newCall(t, conf)
	c.arrive()
	c.phase(PhaseHolding)
}

func TestPT48_RoutedOnceTheMessageIsLeft(t *testing.T) {
	t.Parallel()
	c := straight(t)
	c.keys("2")
	c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 8, Digits: "#"})
	same(t, len(commands(c.all, integration.AlertRoute)), 0) // not before it is known to be one
	c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
	same(t, commands(c.all, integration.AlertRoute)[0].Teams, []string{"t02"})
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestPT60_DroppedLeadsToVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	d := of[Dequeue](c.effects)
	same(t, len(d), 1)
	same(t, d[0].QueueSid, queueSid)
	// Twilio cannot: the caller is led there at the next tick, and is no longer waiting when that
	// is told.
	c.do(Event{Kind: EventDequeued, Result: Failed})
	same(t, c.hold(), Reply(LeaveQueueReply{}))
	c.do(Event{Kind: EventDequeued, Result: NotFound})
	c.phase(PhaseLeavingMessage)
}

func TestPT61_WhatIsAskedOfTheRecording(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	c := newCall(t, conf).holding()
	c.alert(integration.AlertDropped, 0)
	r, _ := c.do(Event{Kind: EventVoicemail}).(RecordReply)
	same(t, []any{r.MaxLength, r.FinishOnKey, r.Silence, r.Transcribe}, []any{time.Minute, "#", 10 * time.Second, false})
}

func TestPT62_ThanksAndTheMessageOnTheAlert(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	c.do(Event{Kind: EventVoicemail})
	same(t, c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 8, Digits: "#"}), Reply(HangupReply{Say: say(PromptAfterMessage)}))
	leaveMessage(c)
	attached := commands(c.all, integration.AlertAttach)
	same(t, len(attached), 1)
	same(t, []any{attached[0].Label, *attached[0].Media}, []any{"Voicemail", audio})
	c.logged("left a voicemail message of 7 s")
}

func TestPT66_OneMailForOneMessage(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	c.do(Event{Kind: EventVoicemail})
	leaveMessage(c)
	for range 3 {
		c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
		c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
	}
	mails := of[Mail](c.all)
	same(t, len(mails), 1)
	same(t, mails[0].Teams, []string{"devops"})
	// Nor a second one where the audio comes after the mail.
	late := newCall(t, withVoicemail()).holding()
	late.alert(integration.AlertDropped, 0)
	late.do(Event{Kind: EventVoicemail})
	late.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	late.wait(fetchPatience).timer("recording")
	same(t, len(of[Mail](late.all)), 1)
	late.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
	same(t, len(of[Mail](late.all)), 1)
	if !strings.Contains(mails[0].Subject, callerNum) || !strings.Contains(mails[0].Lead, "Call back "+callerNum) {
		t.Fatalf("mail %+v", mails[0])
	}
}

func maxWait(t *testing.T) *call {
	t.Helper()
	conf := withVoicemail()
	conf.MaxWait = 30 * time.Second
	return newCall(t, conf)
}

func TestPT69_MaxWaitCountsFromTheHold(t *testing.T) {
	t.Parallel()
	c := maxWait(t).holding()
	c.wait(29 * time.Second).hold()
	c.phase(PhaseHolding)
	c.wait(time.Second).timer("max-wait")
	c.phase(PhaseLeavingMessage)
	same(t, c.state.Exit, ExitMaxWait)
	if d := Defaults().MaxWait; d <= 0 || d > time.Hour {
		t.Fatalf("without the option a caller waits %v", d)
	}
}

func TestPT70_AcknowledgedAfterMaxWaitTearsNothing(t *testing.T) {
	t.Parallel()
	c := maxWait(t).holding()
	c.alert(integration.AlertOpen, 1)
	c.wait(30 * time.Second).timer("max-wait")
	c.do(Event{Kind: EventVoicemail})
	same(t, len(commands(c.all, integration.AlertResolve)), 0) // it stays open, and pages on
	c.ack("a1", "alice")
	same(t, len(of[DialLeg](c.all)), 0)
	c.logged("Acknowledged while the caller leaves a message: nobody is rung. Call back " + callerNum)
	c.phase(PhaseLeavingMessage)
}

func TestPT71_MaxWaitAsksTheCallNotTheAlert(t *testing.T) {
	t.Parallel()
	for _, status := range []integration.AlertStatus{integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged} {
		c := maxWait(t).holding()
		c.alert(status, 0)
		c.wait(30 * time.Second).timer("max-wait")
		c.phase(PhaseLeavingMessage)
	}
	// The timer was lost, with the process that had it: the next tick makes up for it.
	c := maxWait(t).holding()
	c.wait(31 * time.Second)
	same(t, c.hold(), Reply(LeaveQueueReply{}))
}

func TestPT74_EveryFinalStatusIsTheEndOfTheCall(t *testing.T) {
	t.Parallel()
	for _, s := range []CallStatus{StatusCompleted, StatusCanceled, StatusNoAnswer, StatusBusy, StatusFailed} {
		c := newCall(t, Defaults()).holding()
		c.do(Event{Kind: EventCallStatus, CallStatus: s})
		c.ended(EndHungUp)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
	}
	for _, s := range []CallStatus{StatusRinging, StatusInProgress, StatusQueued, ""} {
		c := newCall(t, Defaults()).holding()
		c.do(Event{Kind: EventCallStatus, CallStatus: s})
		c.phase(PhaseHolding)
	}
}
