package callflow

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// A call that the release before this one left waiting for somebody on another call is taken up.
func TestAStoredCallThatWaitedForSomebodyGoesOnWaiting(t *testing.T) {
	t.Parallel()
	var stored map[string]any
	if err := json.Unmarshal(mustRead(t, storedCalls+"holding.json"), &stored); err != nil {
		t.Fatal(err)
	}
	delete(stored["caller"].(map[string]any), "number")
	alert, _ := stored["alert"].(map[string]any)
	alert["status"], alert["layer"], alert["round"], alert["rung_layer"], alert["rung_round"] = "open", 1, 1, 1, 1
	stored["leg_count"] = 2
	stored["legs"] = []map[string]any{
		{"id": "1", "user": "bob", "phone": bobPhone, "layer": 1, "state": "unreached", "reason": "busy", "planned_at": "2026-01-05T08:59:50Z", "dial_at": "2026-01-05T08:59:50Z", "ended_at": "2026-01-05T08:59:58Z"},
		{"id": "2", "user": "alice", "name": "Alice Example", "phone": alicePhone, "more": []string{"+12025550149"}, "layer": 1, "state": "planned", "occupied": true, "planned_at": "2026-01-05T08:59:50Z", "dial_at": "2026-01-05T09:00:05Z", "due_at": "2026-01-05T09:00:05Z"},
	}
	c := newCall(t, withVoicemail())
	c.c.Reach = config.ReachRing
	var err error
	if c.state, err = call.Read([]byte(mustJSON(t, stored)), 1); err != nil {
		t.Fatal(err)
	}
	same(t, c.state.Caller.Withheld, true)
	same(t, len(c.state.Legs), 1) // Bob's, which is over
	if !slices.Contains(call.WaitsFor(c.state), "alice") {
		t.Fatalf("the call waits for %v", call.WaitsFor(c.state))
	}
	c.onCall = map[int][]integration.User{1: {alice, bob}}
	c.wait(5 * time.Second).hold()
	if !slices.Contains(dials(c.effects), alicePhone) {
		t.Errorf("dialed %v, want Alice, who is free", dials(c.effects))
	}
}

func TestTheSameRefusalOfEveryNumberIsAFinding(t *testing.T) {
	t.Parallel()
	refuse := func(second string) []integration.Finding {
		c, _ := ringingCall(t, nil)
		c.onCall = map[int][]integration.User{1: {alice, bob}}
		c.alert(integration.AlertOpen, 1)
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Refused, Code: "21215", Detail: "Twilio's error 21215."})
		same(t, len(of[integration.Finding](c.effects)), 0) // one number is its owner's business
		c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.Refused, Code: second, Detail: "Twilio's error " + second + "."})
		return of[integration.Finding](c.effects)
	}
	if f := refuse("21215"); len(f) != 1 || f[0].Code != effect.FindingDialing || !strings.Contains(f[0].Message, "21215") {
		t.Errorf("findings %v, want one with Twilio's code", f)
	}
	same(t, len(refuse("21211")), 0)
}

func TestALayerIsCommandedToBeLeftOnce(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.follows = false
	c.onCall = map[int][]integration.User{1: {alice}, 2: {bob}, 3: {carol}}
	c.alert(integration.AlertOpen, 1)
	p.run(4 * time.Minute)
	escalations := commands(c.all, integration.AlertEscalate)
	same(t, len(escalations), 1)
	if len(p.of(bobPhone)) == 0 || len(p.of(carolPhone)) == 0 {
		t.Errorf("a platform that does not follow was waited for: %v", p.rung)
	}
	c.logged("The people of layer 2 are rung as well.")
}

func TestTheAlertHasTheUrgencyOfTheIntegration(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults())
	c.facts.Instance.Urgency = "critical"
	c.arrive()
	same(t, commands(c.all, integration.AlertCreate)[0].Draft.Urgency, "critical")
}

func TestTheStorySaysThatACallCouldNotBeConfirmed(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.do(event.Event{Kind: event.Arrival, Auth: event.AuthNoToken})
	c.do(event.Event{Kind: event.LookedAtCall, Result: event.Failed})
	c.wait(verifyPatient).timer("verify")
	c.logged("it is served unverified")

	// A call that leaves a message is proven by it; its story says why nobody was called.
	c = newCall(t, withVoicemail())
	c.do(event.Event{Kind: event.Arrival, Auth: event.AuthMismatch})
	c.wait(verifyLimit).timer("verify")
	c.phase(call.PhaseLeavingMessage)
	leaveMessage(c)
	c.logged("Twilio did not confirm this call in time: nobody is called.")
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
}

func TestTheStorySaysThatTheCallerCouldNotBePutOnHold(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	for range holdRetries + 1 {
		c.do(event.Event{Kind: event.Left, QueueResult: "queue-full"})
	}
	c.phase(call.PhaseLeavingMessage)
	c.logged("could not be put on hold (queue-full)")
}

func TestAConversationWhoseAnnouncementWasLostCountsFromTheAccept(t *testing.T) {
	t.Parallel()
	c := takenByAlice(t, config.Defaults())
	c.wait(time.Minute).do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes})
	c.ended(call.EndConnected)
	same(t, legOf(c.state, "1").Seconds, 60)
}

func TestAPhoneThatWasFiledLaterIsCalled(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice, carol}}
	c.users["carol"] = integration.User{ID: "carol", Name: "Carol Example"}
	c.alert(integration.AlertOpen, 1)
	p.run(30 * time.Second)
	same(t, c.times("Carol Example has no phone on file."), 1)
	c.users["carol"] = carol
	p.run(2 * time.Minute)
	if len(p.of(carolPhone)) == 0 {
		t.Error("a phone that was filed during the call is not rung")
	}
	c.users["carol"] = integration.User{ID: "carol", Name: "Carol Example"}
	p.run(4 * time.Minute)
	same(t, c.times("Carol Example has no phone on file."), 2)
}

func TestOneRoundEndsOnlyWhenEverybodyHadTheirTurn(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.GiveUp = config.GiveUpOneRound })
	c.onCall = map[int][]integration.User{1: {alice, bob}}
	c.users["bob"] = integration.User{ID: "bob", Name: "Bob Example", Phones: []string{bobPhone, "+12025550149"}}
	c.alert(integration.AlertOpen, 1)
	p.run(40 * time.Second)
	c.phase(call.PhaseHolding) // Bob's second phone rings
	p.run(2 * time.Minute)
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitOneRound)
	same(t, []int{len(p.of(bobPhone)), len(p.of("+12025550149"))}, []int{1, 1})
}

func TestOneRoundIsNotOverWhileSomebodyIsOnAnotherCall(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.GiveUp = config.GiveUpOneRound })
	busy, free := bob, bob
	busy.OccupiedBy = "CA00000000000000000000000000000099"
	c.onCall, c.users["bob"] = map[int][]integration.User{1: {alice, busy}}, busy
	c.alert(integration.AlertOpen, 1)
	p.run(time.Minute)
	c.phase(call.PhaseHolding) // Alice was tried, Bob talks
	c.onCall, c.users["bob"] = map[int][]integration.User{1: {alice, free}}, free
	p.run(100 * time.Second)
	same(t, []int{len(p.of(alicePhone)), len(p.of(bobPhone))}, []int{1, 1})
	p.run(4 * time.Minute)
	same(t, c.state.Exit, call.ExitOneRound)
}

func TestTheMailNamesTheTeamThatWasChosen(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.facts.Destinations = []integration.Destination{devops, support}
	c.arrive()
	c.keys("2")
	c.hold()
	c.do(event.Event{Kind: event.HoldKey, Digits: "*", QueueSid: queueSid})
	c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
	leaveMessage(c)
	for _, f := range of[effect.Mail](c.all)[0].Fields {
		if f.Label == "Team" && f.Value != "DevOps" {
			t.Errorf("team %q", f.Value)
		}
	}
}

func TestACallerWhoHangsUpIsToldOnce(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup"})
	c.ended(call.EndHungUp)
	same(t, commands(c.effects, integration.AlertResolve)[0].Text, "the caller hung up")
	for _, l := range commands(c.effects, integration.AlertLog) {
		if strings.Contains(l.Text, "hung up") {
			t.Errorf("the story says it twice: %q", l.Text)
		}
	}
}
