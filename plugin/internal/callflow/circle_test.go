package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
)

// declined has the platform report who declined, beside what it reported last.
func (c *testCall) declined(users ...string) {
	c.t.Helper()
	c.facts.Alert.Declined, c.facts.Alert.ReadAt, c.facts.Alert.LastCommand = users, c.now, c.state.Alert.Commands
	c.do(event.Event{Kind: event.Alert})
}

func TestTwoPhonesRefusedAtOnceForTheAccountAreDialedOnceMore(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice, carol}}
	c.alert(integration.AlertOpen, 1)
	for _, leg := range []string{"1", "2"} {
		c.do(event.Event{Kind: event.Dialed, Leg: leg, Result: event.AccountError, Code: "20003"})
		same(t, of[effect.DialLeg](c.effects)[0].At, c.now.Add(dialRetry))
	}
	c.phase(call.PhaseHolding)
	c.wait(dialRetry)
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
	c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.AccountError, Code: "20003"})
	c.phase(call.PhaseHolding)
	same(t, c.state.AccountRefused, false)
}

func TestAScheduleThatEmptiesInTheMiddleOfACallEndsTheHold(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(30 * time.Second)
	c.onCall = nil
	p.run(3 * time.Minute)
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitNobody)
}

func TestALayerThatWasEmptyIsRungOnceSomebodyIsOnCall(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.facts.Instance.Capabilities.Escalate = false
	c.onCall = map[int][]integration.User{1: {alice}, 3: {bob}}
	p.does[alicePhone] = reaction{3 * time.Second, "", "2"}
	p.does[bobPhone] = reaction{20 * time.Second, "", "2"}
	c.alert(integration.AlertOpen, 1)
	p.run(10 * time.Second)
	c.onCall[2] = []integration.User{carol}
	p.run(time.Minute)
	c.phase(call.PhaseHolding)
	same(t, len(p.of(carolPhone)), 1)
}

func TestAPersonWhomThePlatformCannotNameSilencesNobodyElse(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.unknown = []string{"dave"}
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Second)
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a1", User: "dave", At: c.now})
	p.run(4 * time.Minute)
	c.phase(call.PhaseHolding)
	if len(p.of(alicePhone)) < 3 || len(p.of(bobPhone)) < 3 {
		t.Errorf("calls: %v", p.rung)
	}
}

func TestAnAcknowledgementThatThePlatformDoesNotConfirmHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.follows = false
	p.does[alicePhone] = reaction{20 * time.Second, "", "1"}
	c.alert(integration.AlertOpen, 1)
	p.run(21 * time.Second)
	c.phase(call.PhaseConnecting)
	delete(p.does, alicePhone)
	c.wait(6 * time.Second).do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo})
	p.run(3 * time.Minute)
	same(t, c.state.Alert.AckPending, true)
	if len(p.of(bobPhone)) == 0 {
		t.Errorf("calls: %v", p.rung)
	}
}

func TestTheNextLayerIsPagedWhenWhoeverAcknowledgedPasses(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.Reach = config.ReachAcknowledge })
	p.does[alicePhone] = reaction{3 * time.Second, "", "2"}
	c.alert(integration.AlertOpen, 1)
	c.wait(time.Second).ack("a1", "alice")
	p.run(10 * time.Second)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	escalations := commands(c.all, integration.AlertEscalate)
	same(t, len(escalations), 1)
	same(t, escalations[0].Layer, 1)
}

// occupied has the platform say by which call a person is occupied; "" = by none.
func (c *testCall) occupied(u integration.User, by string) {
	u.OccupiedBy = by
	c.users[u.ID] = u
}

func TestWhoWasOnAnotherCallIsRungWhenItEndsInWhateverLayer(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}, 2: {bob}, 3: {carol}}
	p.does[alicePhone] = reaction{time.Second, event.StatusBusy, ""}
	p.does[bobPhone] = reaction{5 * time.Minute, event.StatusNoAnswer, ""}
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Second)
	c.occupied(alice, "CA2")
	p.run(40 * time.Second)
	same(t, len(p.of(alicePhone)), 1)
	c.occupied(alice, "")
	c.timer(integration.TimerPersonFree)
	p.run(62 * time.Second) // a minute after the first attempt
	same(t, len(p.of(alicePhone)), 2)
	same(t, c.state.Alert.LastLayer, false)
}

func TestWhoAcknowledgesDuringAnotherCallIsRungWhenItEnds(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.Reach = config.ReachAcknowledge })
	c.occupied(alice, "CA2")
	c.alert(integration.AlertOpen, 1)
	c.ack("a1", "alice")
	p.run(2 * time.Minute)
	same(t, len(commands(c.all, integration.AlertReopen)), 1) // the platform's clock counts again
	same(t, call.WaitsFor(c.state), []string{"alice"})
	c.occupied(alice, "")
	c.timer(integration.TimerPersonFree)
	p.run(2*time.Minute + 2*time.Second)
	same(t, len(p.of(alicePhone)), 1)
	p.run(5 * time.Minute)
	same(t, len(p.of(alicePhone)), 1) // she did not answer: that was it
}

func TestSomebodyOnAnotherCallIsLookedAtEveryTenSecondsInTheFirstTurn(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.occupied(alice, "CA2")
	c.alert(integration.AlertOpen, 1)
	p.run(9 * time.Second)
	c.occupied(alice, "")
	p.run(30 * time.Second)
	same(t, p.of(alicePhone)[0], 10*time.Second)
}

func TestADeclineIsUndoneByAnAcknowledgementEvenAfterItIsTakenBack(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.follows = false
	c.onCall = map[int][]integration.User{1: {alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(3 * time.Second)
	c.onCall[1] = []integration.User{alice, bob}
	c.declined("alice")
	same(t, c.times("Alice Example declined."), 1)
	p.run(5 * time.Second)
	c.facts.Alert.Status = integration.AlertAcknowledged
	c.facts.Alert.Acknowledgements = []integration.Acknowledgement{{ID: "a1", User: "alice", At: c.now}}
	c.declined("alice")
	p.run(40 * time.Second)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	c.facts.Alert.Status, c.facts.Alert.Acknowledgements = integration.AlertOpen, nil
	c.declined("alice")
	p.run(3 * time.Minute)
	same(t, c.times("Alice Example declined."), 1)
	if len(p.of(alicePhone)) < 3 {
		t.Errorf("calls: %v", p.rung)
	}
}

func TestASharedPhoneRingsOnForTheOther(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	shared := integration.User{ID: "dave", Name: "Dave Example", Phones: []string{alicePhone}}
	c.users["dave"] = shared
	c.onCall = map[int][]integration.User{1: {alice, shared}}
	c.alert(integration.AlertOpen, 1)
	p.run(3 * time.Second)
	same(t, call.Occupies(c.state), []string{"alice", "dave"})
	c.declined("alice")
	c.leg("1", call.LegRinging, "")
}

func TestAnAutomationThatAlwaysAcknowledgesDoesNotGoRoundInCircles(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	p.run(2 * time.Second)
	for n := range 100 {
		c.wait(100 * time.Millisecond)
		c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a" + string(rune('0'+n)), At: c.now})
		c.alert(integration.AlertOpen, 1)
	}
	if n := len(commands(c.all, integration.AlertReopen)); n > 2 {
		t.Errorf("%d acknowledgements were taken back in ten seconds", n)
	}
}

func TestAnAlertThatWasClosedDuringTheMenuIsNotRouted(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.facts.Destinations = []integration.Destination{devops, support}
	c.arrive()
	c.alert(integration.AlertResolved, 0)
	c.keys("2")
	c.phase(call.PhaseLeavingMessage)
	c.wait(time.Second).do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 0})
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
}

func TestAHandOverToATeamThatIsNotPagedYetIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.facts.Destinations = []integration.Destination{devops, support}
	c.alert(integration.AlertOpen, 1)
	p.run(10 * time.Second)
	c.onCall = map[int][]integration.User{1: {bob}}
	c.facts.Alert.Teams, c.facts.Alert.ReadAt, c.facts.Alert.Layer = []string{"support"}, c.now, 0
	c.do(event.Event{Kind: event.Alert})
	p.run(time.Minute)
	same(t, len(p.of(bobPhone)), 1)
}

func TestTheStoryTellsOfPhonesThatRangWhileTheCallerLeft(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice, carol}}
	p.does[carolPhone] = reaction{3 * time.Second, "", ""}
	c.alert(integration.AlertOpen, 1)
	p.run(7 * time.Second)
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	c.logged("Alice Example (" + alicePhone + ") had rung for 7 s when the caller left.")
	c.logged("Carol Example (" + carolPhone + ") was being asked when the caller left.")
}

func TestTheStoryNamesNoTimesThatAClockSetBackHasMade(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(7 * time.Second)
	c.now = c.now.Add(-time.Minute)
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	c.logged("Alice Example (" + alicePhone + ") was ringing when the caller left.")

	c = newCall(t, config.Defaults()).talking()
	c.wait(-time.Minute).do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes})
	c.logged("The conversation with Alice Example (" + alicePhone + ") is over.")
}

func TestTheStoryCountsRepetitionsAtEveryEndOfTheHold(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(2*time.Minute + 30*time.Second)
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	same(t, c.times("was called 3 times in all"), 1)
}

func TestNoNewPhoneIsDialedOnceTheCallerIsAboutToLeave(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice, carol}}
	c.alert(integration.AlertOpen, 1)
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
	c.wait(time.Second).alert(integration.AlertResolved, 1)
	c.phase(call.PhaseHolding)
	same(t, Wanted(c.state, "dial-2"), false) // it waited for its turn at Twilio
	c.effects = nil
	c.do(event.Event{Kind: event.Dialed, Leg: "2", Result: event.Failed, Detail: "not wanted any more"})
	same(t, len(of[integration.Finding](c.effects)), 0)
	c.leg("2", call.LegUnreached, call.ReasonCaller)
}

func TestNobodyIsPromisedACallWhoCannotBeRung(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	c.occupied(integration.User{ID: "dave", Name: "Dave Example"}, "CA2")
	c.onCall = map[int][]integration.User{1: {alice, {ID: "dave"}}}
	c.alert(integration.AlertOpen, 1)
	same(t, c.times("Dave Example has no phone on file."), 1)
	same(t, c.times("Dave Example is on another call"), 0)
}

func TestAPhoneSharedWithSomebodyOnAnotherCallLeavesTheTickQuiet(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	shared := integration.User{ID: "dave", Name: "Dave Example", Phones: []string{alicePhone}, OccupiedBy: "CA2"}
	c.users["dave"] = shared
	c.occupied(alice, "CA3")
	c.onCall = map[int][]integration.User{1: {shared, alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Second)
	c.occupied(alice, "")
	p.run(21 * time.Second)
	same(t, len(p.of(alicePhone)), 1) // for Alice; Dave is looked at again meanwhile
	p.run(25 * time.Second)
	c.hold()
	before := c.state
	c.hold()
	same(t, Changed(before, c.state), false)
}

func TestADialThatWasCancelledInTimeIsNoAttempt(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.does[alicePhone] = reaction{40 * time.Second, event.StatusNoAnswer, ""}
	c.alert(integration.AlertOpen, 1)
	p.run(3 * time.Second)
	c.ack("a1", "bob") // rung after a pause
	c.wait(500*time.Millisecond).alert(integration.AlertResolved, 1)
	same(t, legOf(c.state, "2").State, call.LegUnreached)
	c.wait(2*time.Second).alert(integration.AlertOpen, 2)
	p.run(10 * time.Second)
	same(t, len(p.of(bobPhone)), 1)
	c.do(event.Event{Kind: event.Left, QueueResult: "hangup", CallStatus: event.StatusCompleted})
	same(t, c.times("in all"), 0)
}

func TestEachPersonOfARefusedNumberHasALineInTheStory(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	shared := integration.User{ID: "dave", Name: "Dave Example", Phones: []string{alicePhone}}
	c.users["dave"] = shared
	c.onCall = map[int][]integration.User{1: {alice, shared}}
	c.alert(integration.AlertOpen, 1)
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Refused, Code: "21211"})
	same(t, c.times("Alice Example"), 1)
	same(t, c.times("Dave Example cannot be called: Twilio refuses "+alicePhone), 1)
	same(t, c.state.Exit, call.ExitNobody)
}
