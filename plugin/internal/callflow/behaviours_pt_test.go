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

// Each of these tests shows one of the behaviours that docs/behaviours.md lists; PT ("parity test")
// and a number name the behaviour, here and in all other tests.

func TestPT10_OnlyWhatIsKnownBecomesAField(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.do(event.Event{Kind: event.Arrival, Caller: &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum, City: "WASHINGTON", Zip: "20001", Country: "US"}})
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Fields, []integration.AlertField{
		draft.PhoneField("Caller Phone", callerNum), draft.PhoneField("Called Number", calledNum), draft.TextField("Caller City", "WASHINGTON"),
		draft.TextField("Caller Zipcode", "20001"), draft.TextField("Caller Country", "US"),
	})
}

func TestPT11_TheAlertTellsWhatWasCalled(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.do(event.Event{Kind: event.Arrival, Caller: &call.Caller{Sid: callerSid, Number: callerNum, Called: calledNum, Name: "EXAMPLE CORP", Forward: "+12025550177"}})
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Fields, []integration.AlertField{
		draft.PhoneField("Caller Phone", callerNum), draft.PhoneField("Called Number", calledNum), draft.TextField("Caller Name", "EXAMPLE CORP"),
		draft.PhoneField("Forwarded From", "+12025550177"),
	})
}

func TestPT12_TheAlertIsNotRoutedBeforeATeamIsChosen(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 2)
	same(t, len(commands(c.all, integration.AlertCreate)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.keys("9")
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	c.keys("1")
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
}

func TestPT14_ACallerWhoIsGoneIsResolved(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Done, CallStatus: event.StatusCompleted})
	c.ended(call.EndHungUp)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
}

func TestPT15_TwilioRefusingOurRequestsCutsNobodyOff(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	for _, e := range []event.Event{
		{Kind: event.LookedAtCall, Result: event.Failed, Detail: "401"}, {Kind: event.LookedAtCall, Result: event.Unknown}, {Kind: event.LookedAtCall, Result: event.Refused},
		{Kind: event.Dequeued, Result: event.Failed}, {Kind: event.QueueDeleted, Result: event.Failed},
	} {
		c.do(e)
		c.phase(call.PhaseHolding)
	}
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	if r, ok := c.hold().(reply.Hold); !ok {
		t.Fatalf("reply = %T %+v, want reply.Hold", c.reply, r)
	}
}

func routed(t *testing.T, conf config.Config, dest []integration.Destination, routes map[string]integration.RouteVerdict) *testCall {
	t.Helper()
	conf.ForceInput = true
	c := newCall(t, conf)
	c.facts.Destinations, c.routes = dest, routes
	c.arrive()
	return c
}

func (c *testCall) teams() []string {
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
	c := routed(t, config.Defaults(), []integration.Destination{hours, sites}, map[string]integration.RouteVerdict{"hours": {Default: []integration.Destination{devops}}, "sites": {Default: []integration.Destination{support, devops}}})
	same(t, c.teams(), []string{"devops", "support"})
	// One assignment, and no default receiver counts.
	c = routed(t, config.Defaults(), []integration.Destination{hours, sites}, map[string]integration.RouteVerdict{"hours": {Default: []integration.Destination{devops}}, "sites": {Receivers: []integration.Destination{sales}, Default: []integration.Destination{support}}})
	same(t, c.teams(), []string{"sales"})
}

func TestPT21_ReceiversThatAreNoTeams(t *testing.T) {
	t.Parallel()
	c := routed(t, config.Defaults(), []integration.Destination{hours}, map[string]integration.RouteVerdict{
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
	same(t, routed(t, config.Defaults(), own, map[string]integration.RouteVerdict{"hours": {Receivers: []integration.Destination{devops}}}).teams(), []string{"devops"})
	c := routed(t, config.Defaults(), own, map[string]integration.RouteVerdict{"hours": {}})
	same(t, c.teams(), []string{"sales"})
	// "None" is kept as well: the router is not asked again, whatever it would say now.
	c.routes["hours"] = integration.RouteVerdict{Receivers: []integration.Destination{devops}}
	c.keys("8")
	c.arrive()
	same(t, c.teams(), []string{"sales"})
}

func TestPT23_TheMenuStaysTheSameForTheWholeCall(t *testing.T) {
	t.Parallel()
	c := routed(t, config.Defaults(), []integration.Destination{hours}, map[string]integration.RouteVerdict{"hours": {Receivers: []integration.Destination{support, devops}}})
	first, _ := c.reply.(reply.Menu)
	// Another time of day.
	c.routes["hours"] = integration.RouteVerdict{Receivers: []integration.Destination{sales}}
	c.facts.Destinations = []integration.Destination{sales}
	c.wait(time.Hour)
	r, _ := c.keys("7").(reply.Menu)
	same(t, r.Items, first.Items)
	c.keys("2")
	same(t, c.state.Team.ID, "devops")
}

func TestPT26_OrderOfTheTeams(t *testing.T) {
	t.Parallel()
	own := []integration.Destination{{ID: "z", Name: "beta"}, {ID: "y", Name: "Alpha"}, {ID: "x", Name: "GAMMA"}}
	same(t, routed(t, config.Defaults(), own, nil).teams(), []string{"y", "z", "x"})
	same(t, routed(t, config.Defaults(), []integration.Destination{hours}, map[string]integration.RouteVerdict{"hours": {Receivers: own}}).teams(), []string{"z", "y", "x"})
}

func TestPT27_TheWelcomeIsPlayedOnceAndFirst(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 2)
	r, _ := c.reply.(reply.Menu)
	same(t, r.Intro, say(reply.PromptWelcome))
	again, _ := c.keys("7").(reply.Menu)
	same(t, again.Intro, say(reply.PromptInvalidKey))
	same(t, c.keys("1"), reply.Reply(reply.Enqueue{Step: c.state.Step}))
	if hold, _ := c.hold().(reply.Hold); slices.ContainsFunc(hold.Say, func(p reply.Prompt) bool { return p.Key == reply.PromptWelcome }) {
		t.Fatalf("welcomed again on hold: %v", hold.Say)
	}
}

func TestPT34_ANumberTooLargeRepeatsTheMenu(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 3)
	r, _ := c.keys("4").(reply.Menu)
	same(t, len(r.Items), 3)
	same(t, c.state.MenuTries, 1)
	c.keys("3")
	same(t, c.state.Team.ID, "t03")
}

func TestPT35_ZeroStarPoundAndNothingNeverChooseTheLastTeam(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"0", "*", "#", "", "00", " ", "1#"} {
		c := menuCall(t, config.Defaults(), 3)
		c.keys(keys)
		c.phase(call.PhaseChoosing)
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
		if r, ok := c.keys("").(reply.Menu); !ok || len(r.Items) != 2 {
			t.Fatalf("reply = %#v, want the menu again", c.reply)
		}
	}
	if _, ok := c.keys("").(reply.Record); !ok {
		t.Fatalf("reply = %T after three silent rounds, want reply.Record", c.reply)
	}
}

func TestPT37_ThreeRoundsThenTheAlertIsClosed(t *testing.T) {
	t.Parallel()
	// Nobody was paged: the option to keep the alert is about other calls.
	for _, skip := range []bool{false, true} {
		conf := config.Defaults()
		conf.SkipResolveOnHangup = skip
		c := menuCall(t, conf, 2)
		c.keys("8")
		c.keys("8")
		c.phase(call.PhaseChoosing)
		same(t, c.keys("8"), reply.Reply(reply.Hangup{Say: say(reply.PromptTooManyTries, reply.PromptGoodbye)}))
		c.ended(call.EndToldGoodbye)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 0)
	}
}

func TestPT40_ChosenPagedAndOnHold(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 3)
	c.keys("2")
	// That one team alone.
	same(t, commands(c.effects, integration.AlertRoute)[0].Teams, []string{"t02"})
	if _, ok := c.reply.(reply.Enqueue); !ok {
		t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
	}
	c.logged("The caller chose Team 02")
	r, _ := c.hold().(reply.Hold)
	same(t, r.Say[0], reply.Prompt{Key: reply.PromptPleaseWait})
	r, _ = c.hold().(reply.Hold)
	same(t, len(r.Say), 0) // once
}

func TestPT41_PagingNeedsNothingOfTwilio(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.arrive()
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
	for _, e := range c.effects {
		switch e.(type) {
		case integration.AlertCommand, integration.Finding, effect.StartTimer:
		default:
			t.Fatalf("an effect on the way into the hold: %#v", e)
		}
	}
}

func TestPT44_EveryResultOfTheQueue(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]call.Phase{
		"hangup": call.PhaseEnded, "redirected": call.PhaseHolding, "redirected-from-bridged": call.PhaseHolding, "bridging-in-process": call.PhaseHolding,
		"queue-full": call.PhaseLeavingMessage, "error": call.PhaseLeavingMessage, "system-error": call.PhaseLeavingMessage, "surprise": call.PhaseLeavingMessage,
	} {
		c := newCall(t, withVoicemail()).holding()
		for range holdRetries + 1 {
			if _, over := c.do(event.Event{Kind: event.Left, QueueResult: result}).(reply.Hangup); over && want != call.PhaseEnded {
				t.Fatalf("%s: hung up on", result)
			}
		}
		if got := normal(c.state.Phase); got != want {
			t.Errorf("%s: phase %s, want %s", result, got, want)
		}
		if want == call.PhaseEnded {
			same(t, len(of[effect.DeleteQueue](c.all)), 1)
		}
	}
}

func straight(t *testing.T) *testCall {
	t.Helper()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	return menuCall(t, conf, 2)
}

func TestPT47_StraightToVoicemailStillAsksForTheTeam(t *testing.T) {
	t.Parallel()
	c := straight(t)
	c.phase(call.PhaseChoosing)
	r, ok := c.keys("1").(reply.Record)
	if !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
	same(t, r.Say, say(reply.PromptGreeting))
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	same(t, len(of[effect.DialLeg](c.all)), 0)
	conf := config.Defaults() // without voicemail the option means nothing
	conf.StraightToVoicemail = true
	c = newCall(t, conf)
	c.arrive()
	c.phase(call.PhaseHolding)
}

func TestPT48_RoutedOnceTheMessageIsLeft(t *testing.T) {
	t.Parallel()
	c := straight(t)
	c.keys("2")
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 8, Digits: "#"})
	same(t, len(commands(c.all, integration.AlertRoute)), 0) // not before it is known to be one
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	same(t, commands(c.all, integration.AlertRoute)[0].Teams, []string{"t02"})
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestPT60_DroppedLeadsToVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	d := of[effect.Dequeue](c.effects)
	same(t, len(d), 1)
	same(t, d[0].QueueSid, queueSid)
	// Twilio cannot: the caller is led there at the next tick, and is no longer waiting when that
	// is told.
	c.do(event.Event{Kind: event.Dequeued, Result: event.Failed})
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	c.do(event.Event{Kind: event.Dequeued, Result: event.NotFound})
	c.phase(call.PhaseLeavingMessage)
}

func TestPT61_WhatIsAskedOfTheRecording(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	c := newCall(t, conf).holding()
	c.alert(integration.AlertDropped, 0)
	r, _ := c.do(event.Event{Kind: event.Voicemail}).(reply.Record)
	same(t, []any{r.MaxLength, r.FinishOnKey, r.Silence, r.Transcribe}, []any{time.Minute, "#", 10 * time.Second, false})
}

func TestPT62_ThanksAndTheMessageOnTheAlert(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	c.do(event.Event{Kind: event.Voicemail})
	same(t, c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 8, Digits: "#"}), reply.Reply(reply.Hangup{Say: say(reply.PromptAfterMessage)}))
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
	c.do(event.Event{Kind: event.Voicemail})
	leaveMessage(c)
	for range 3 {
		c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
		c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	}
	mails := of[effect.Mail](c.all)
	same(t, len(mails), 1)
	same(t, mails[0].Teams, []string{"devops"})
	// Nor a second one where the audio comes after the mail.
	late := newCall(t, withVoicemail()).holding()
	late.alert(integration.AlertDropped, 0)
	late.do(event.Event{Kind: event.Voicemail})
	late.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	late.wait(fetchPatience).timer("recording")
	same(t, len(of[effect.Mail](late.all)), 1)
	late.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	same(t, len(of[effect.Mail](late.all)), 1)
	if !strings.Contains(mails[0].Subject, callerNum) || !strings.Contains(mails[0].Lead, "Call back "+callerNum) {
		t.Fatalf("mail %+v", mails[0])
	}
}

func maxWait(t *testing.T) *testCall {
	t.Helper()
	conf := withVoicemail()
	conf.MaxWait = 30 * time.Second
	return newCall(t, conf)
}

func TestPT69_MaxWaitCountsFromTheHold(t *testing.T) {
	t.Parallel()
	c := maxWait(t).holding()
	c.wait(29 * time.Second).hold()
	c.phase(call.PhaseHolding)
	c.wait(time.Second).timer("max-wait")
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitMaxWait)
	if d := config.Defaults().MaxWait; d <= 0 || d > time.Hour {
		t.Fatalf("without the option a caller waits %v", d)
	}
}

func TestPT70_AcknowledgedAfterMaxWaitTearsNothing(t *testing.T) {
	t.Parallel()
	c := maxWait(t).holding()
	c.alert(integration.AlertOpen, 1)
	c.wait(30 * time.Second).timer("max-wait")
	c.do(event.Event{Kind: event.Voicemail})
	same(t, len(commands(c.all, integration.AlertResolve)), 0) // it stays open, and pages on
	c.ack("a1", "alice")
	same(t, len(of[effect.DialLeg](c.all)), 0)
	c.logged("Acknowledged while the caller leaves a message: nobody is rung. Call back " + callerNum)
	c.phase(call.PhaseLeavingMessage)
}

func TestPT71_MaxWaitAsksTheCallNotTheAlert(t *testing.T) {
	t.Parallel()
	for _, status := range []integration.AlertStatus{integration.AlertQueued, integration.AlertOpen, integration.AlertAcknowledged} {
		c := maxWait(t).holding()
		c.alert(status, 0)
		c.wait(30 * time.Second).timer("max-wait")
		c.phase(call.PhaseLeavingMessage)
	}
	// The timer was lost, with the process that had it: the next tick makes up for it.
	c := maxWait(t).holding()
	c.wait(31 * time.Second)
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
}

func TestPT74_EveryFinalStatusIsTheEndOfTheCall(t *testing.T) {
	t.Parallel()
	for _, s := range []event.Status{event.StatusCompleted, event.StatusCanceled, event.StatusNoAnswer, event.StatusBusy, event.StatusFailed} {
		c := newCall(t, config.Defaults()).holding()
		c.do(event.Event{Kind: event.CallStatus, CallStatus: s})
		c.ended(call.EndHungUp)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
	}
	for _, s := range []event.Status{event.StatusRinging, event.StatusInProgress, event.StatusQueued, ""} {
		c := newCall(t, config.Defaults()).holding()
		c.do(event.Event{Kind: event.CallStatus, CallStatus: s})
		c.phase(call.PhaseHolding)
	}
}
