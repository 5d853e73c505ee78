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
)

const carolPhone = "+12025550145"

var carol = integration.User{ID: "carol", Name: "Carol Example", Phones: []string{carolPhone}}

// ringing starts a call whose platform pages layer 1 and leaves reaching people to us.
func ringingCall(t *testing.T, change func(*config.Config)) (*testCall, *phones) {
	t.Helper()
	conf := withVoicemail()
	conf.Reach = config.ReachBoth
	if change != nil {
		change(&conf)
	}
	c := newCall(t, conf)
	c.facts.Instance.ProtocolMinor = 1
	c.users["carol"] = carol
	c.holding()
	p := newPhones(c)
	return c, p
}

func TestBusyPhonesDoNotEndTheHold(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.does[alicePhone] = reaction{time.Second, event.StatusBusy, ""}
	p.does[bobPhone] = reaction{time.Second, event.StatusBusy, ""}
	c.alert(integration.AlertOpen, 1)
	p.run(9 * time.Minute)
	c.phase(call.PhaseHolding)
	same(t, p.of(alicePhone)[:3], []time.Duration{0, 11 * time.Second, 22 * time.Second})
	for _, phone := range []string{alicePhone, bobPhone} {
		at := p.of(phone)
		if len(at) < 8 || len(at) > 14 {
			t.Errorf("%s was called %d times in 9 minutes: %v", phone, len(at), at)
		}
		for i := 3; i < len(at); i++ {
			if at[i]-at[i-1] < ringFloor {
				t.Errorf("%s was called again after %s", phone, at[i]-at[i-1])
			}
		}
	}
	// Somebody whose phone works again takes the call.
	p.does[alicePhone] = reaction{3 * time.Second, "", "1"}
	p.run(10 * time.Minute)
	c.phase(call.PhaseConnecting)
	c.logged("Alice Example (" + alicePhone + ") was called")
}

func TestMaxWaitEndsAHoldThatNobodyAnswers(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	p.run(15 * time.Minute)
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitMaxWait)
}

func TestTheNextLayerIsBroughtInWhenTheFirstHadItsTurn(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall[1] = []integration.User{alice, carol}
	p.does[carolPhone] = reaction{time.Second, event.StatusFailed, ""}
	c.alert(integration.AlertOpen, 1)
	p.run(2 * time.Minute)
	if first := p.of(bobPhone)[0]; first < 25*time.Second || first > 30*time.Second {
		t.Errorf("layer 2 was brought in after %s", first)
	}
	escalations := commands(c.all, integration.AlertEscalate)
	same(t, len(escalations), 1)
	same(t, escalations[0].Layer, 1)
	if len(p.of(alicePhone)) < 2 {
		t.Error("the first layer is rung no more once the second is")
	}
}

func TestOnePersonIsRungAgainAfterAMinute(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(3 * time.Minute)
	c.phase(call.PhaseHolding)
	same(t, p.of(alicePhone), []time.Duration{0, time.Minute, 2 * time.Minute})
	same(t, len(commands(c.all, integration.AlertEscalate)), 0) // a command never drops the alert
}

func TestAnEmptyLayerIsPassedOver(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.facts.Instance.Capabilities.Escalate, c.facts.Instance.Capabilities.Reopen = false, false
	c.onCall = map[int][]integration.User{1: {alice}, 3: {bob}}
	c.alert(integration.AlertOpen, 1)
	p.run(40 * time.Second)
	same(t, len(p.of(bobPhone)), 1)
}

func TestAPlatformThatDoesNotEscalateIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.follows = false
	c.alert(integration.AlertOpen, 1)
	p.run(60 * time.Second)
	same(t, len(p.of(bobPhone)), 1)
}

func TestOnAnotherCallIsSaidOfWhoTalksAlone(t *testing.T) {
	t.Parallel()
	for how, say := range map[string]string{
		integration.OccupiedTalking: "is on another call of this hotline, and is rung when it ends.",
		integration.OccupiedRinging: "is being rung for another caller, and is rung for this one when that call ends or somebody else takes it.",
		integration.OccupiedWaiting: "is awaited by a caller who called earlier, and is rung for this one afterwards.",
		"":                          "is occupied by another call of this hotline, and is rung when it ends.",
	} {
		c, p := ringingCall(t, nil)
		busy := alice
		busy.OccupiedBy, busy.OccupiedHow = "CA2", how
		c.onCall = map[int][]integration.User{1: {alice}}
		c.users["alice"] = busy
		c.alert(integration.AlertOpen, 1)
		p.run(time.Minute)
		c.logged("Alice Example " + say)
	}
}

func TestSomebodyOnAnotherCallIsRungWhenItEnds(t *testing.T) {
	t.Parallel()
	for name, hint := range map[string]bool{"with the host's hint": true, "without it": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := ringingCall(t, nil)
			busy := alice
			busy.OccupiedBy, busy.OccupiedHow = "CA2", integration.OccupiedTalking
			c.onCall = map[int][]integration.User{1: {alice}}
			c.users["alice"] = busy
			c.alert(integration.AlertOpen, 1)
			p.run(4 * time.Minute)
			c.phase(call.PhaseHolding)
			same(t, len(p.rung), 0)
			same(t, call.WaitsFor(c.state), []string{"alice"})
			same(t, len(call.Occupies(c.state)), 0)
			c.logged("Alice Example is on another call of this hotline, and is rung when it ends.")
			c.users["alice"] = alice
			if hint {
				c.wait(time.Second).timer(integration.TimerPersonFree)
				same(t, dials(c.effects), []string{alicePhone})
			}
			p.run(4*time.Minute + 16*time.Second)
			same(t, len(p.of(alicePhone)), 1)
			same(t, call.Occupies(c.state), []string{"alice"})
		})
	}
}

func TestEverybodyHavingPassedEndsTheHold(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.does[alicePhone] = reaction{3 * time.Second, "", "2"}
	p.does[bobPhone] = reaction{3 * time.Second, "", "2"}
	c.alert(integration.AlertOpen, 1)
	p.run(time.Minute)
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitNobody)
	same(t, len(p.rung), 2)
	declined := commands(c.all, integration.AlertDecline)
	same(t, len(declined), 1) // the last one of the last layer is not: it could drop the alert
	same(t, declined[0].User, "alice")
}

// The only one of the last layer passes while somebody of an earlier layer is on another call, and
// is rung when that ends: a platform that hears of it would drop the alert, and the caller be given
// up.
func TestWhoPassesAloneInTheLastLayerDoesNotEndTheWaitForOthers(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.occupied(alice, "CAother")
	p.does[bobPhone] = reaction{3 * time.Second, "", "2"}
	c.alert(integration.AlertOpen, 1)
	p.run(30 * time.Second)
	c.alert(integration.AlertOpen, 2)
	p.run(30 * time.Second)
	c.logged("Bob Example (" + bobPhone + ") passed.")
	same(t, len(commands(c.all, integration.AlertDecline)), 0)
	c.phase(call.PhaseHolding)
	c.users["alice"] = alice
	c.onCall[1] = []integration.User{alice}
	p.run(time.Minute)
	if len(p.of(alicePhone)) == 0 {
		t.Error("Alice is not rung when her other call has ended")
	}
}

func TestDecliningInTheAppIsPassing(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice, bob}}
	c.alert(integration.AlertOpen, 1)
	p.run(2 * time.Second)
	c.facts.Alert.Declined, c.facts.Alert.ReadAt = []string{"alice"}, c.now
	c.do(event.Event{Kind: event.Alert})
	c.logged("Alice Example declined.")
	p.run(5 * time.Minute)
	same(t, len(p.of(alicePhone)), 1)
	if len(p.of(bobPhone)) < 4 {
		t.Errorf("Bob was called %d times", len(p.of(bobPhone)))
	}
	// Acknowledging undoes it, and no floor holds the phone back.
	c.facts.Alert = nil
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a1", User: "alice", At: c.now})
	p.run(c.now.Sub(start) + 2*time.Second)
	same(t, len(p.of(alicePhone)), 2)
}

func TestGiveUpAfterOneRoundIsAnOption(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.GiveUp = config.GiveUpOneRound })
	c.alert(integration.AlertOpen, 1)
	p.run(9 * time.Minute)
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitOneRound)
	same(t, []int{len(p.of(alicePhone)), len(p.of(bobPhone))}, []int{1, 1})
}

func TestNobodyOnCallEndsTheHold(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	c.onCall = nil
	c.alert(integration.AlertOpen, 1)
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitNobody)
}

func TestANumberThatTwilioRefusesIsItsOwnersBusiness(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone, "+12025550149"}}
	c.alert(integration.AlertOpen, 1)
	p.take()
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Refused, Code: "21215", Detail: "Twilio error 21215: geographic permission. Allow the country in the console."})
	c.logged("Alice Example (" + alicePhone + ") could not be dialed: Twilio refuses the number. Twilio error 21215")
	same(t, dials(c.effects), []string{"+12025550149"})
	p.run(9 * time.Minute)
	if n := len(p.of(alicePhone)); n != 0 {
		t.Errorf("the refused number was called %d times", n)
	}
	c.phase(call.PhaseHolding)
}

func TestAnAccountErrorDoesNotHoldTheCaller(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.AccountError, Code: "20003", Detail: "Twilio error 20003."})
	same(t, len(of[integration.Finding](c.effects)), 1)
	same(t, of[effect.DialLeg](c.effects)[0].At, c.now.Add(dialRetry))
	c.phase(call.PhaseHolding)
	c.wait(dialRetry)
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.AccountError, Code: "20003", Detail: "Twilio error 20003."})
	c.phase(call.PhaseLeavingMessage)
	same(t, c.state.Exit, call.ExitAccount)
}

func TestOneSharedNumberRingsOnceForTwo(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	shared := integration.User{ID: "dave", Name: "Dave Example", Phones: []string{alicePhone}}
	c.users["dave"] = shared
	c.onCall = map[int][]integration.User{1: {alice, shared}}
	c.alert(integration.AlertOpen, 1)
	p.run(2*time.Minute + time.Second)
	same(t, p.of(alicePhone), []time.Duration{0, time.Minute, 2 * time.Minute})
}

func TestAShiftThatChangesInTheMiddleOfACallCounts(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}}
	c.alert(integration.AlertOpen, 1)
	p.run(30 * time.Second)
	c.onCall = map[int][]integration.User{1: {bob}}
	p.run(3 * time.Minute)
	same(t, len(p.of(alicePhone)), 1)
	if at := p.of(bobPhone); len(at) == 0 || at[0] > 61*time.Second {
		t.Errorf("Bob was called at %v", at)
	}
}

func TestAHandOverRingsTheNewPersonAtOnce(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.facts.Destinations = []integration.Destination{devops, support}
	c.alert(integration.AlertOpen, 1)
	p.run(10 * time.Second)
	c.onCall = map[int][]integration.User{1: {bob}}
	c.facts.Alert.Teams, c.facts.Alert.ReadAt = []string{"support"}, c.now
	c.do(event.Event{Kind: event.Alert})
	c.logged("handed to Customer Support")
	p.run(3 * time.Minute)
	same(t, p.of(bobPhone)[0], 10*time.Second)
	same(t, len(p.of(alicePhone)), 1)
}

func TestAnAcknowledgementThatCannotBeReachedIsTakenBack(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	p.run(2 * time.Second)
	c.facts.Alert = nil
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a1", User: "bob", At: c.now})
	p.run(29 * time.Second) // Bob's phone rings out; Alice's has rung on
	same(t, commands(c.all, integration.AlertReopen)[0].Ack, "a1")
	p.run(2 * time.Minute)
	c.phase(call.PhaseHolding)
	if len(p.of(alicePhone)) < 2 || len(p.of(bobPhone)) < 2 {
		t.Errorf("calls: %v", p.rung)
	}
}

func TestWithAcknowledgeNothingIsRungBeforeAnAcknowledgement(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.Reach = config.ReachAcknowledge })
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Minute)
	same(t, len(p.rung), 0)
	c.phase(call.PhaseHolding)
	for n := range 5 { // there is no limit on how often an acknowledgement is taken back
		c.facts.Alert = nil
		c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: string(rune('a' + n)), User: "alice", At: c.now})
		p.run(c.now.Sub(start) + 40*time.Second)
		same(t, len(commands(c.all, integration.AlertReopen)), n+1)
		same(t, len(p.of(alicePhone)), n+1)
	}
	c.phase(call.PhaseHolding)
}

func TestWithoutReopenTheAcknowledgedPersonIsRungAgain(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.Reach = config.ReachAcknowledge })
	c.facts.Instance.Capabilities.Reopen, c.facts.Instance.Capabilities.Escalate = false, false
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a1", User: "alice", At: c.now})
	p.run(4 * time.Minute)
	c.phase(call.PhaseHolding)
	if len(p.of(alicePhone)) < 3 || len(p.of(bobPhone)) < 2 {
		t.Errorf("calls: %v", p.rung)
	}
}

func TestEscalationNamesTheLayerOfTheOneWhoFailed(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	p.run(24 * time.Second)
	c.alert(integration.AlertOpen, 2) // by the platform's own clock
	p.run(24*time.Second + 100*time.Millisecond)
	p.does[alicePhone] = reaction{time.Second, event.StatusFailed, ""}
	c.alert(integration.AlertAcknowledged, 2, integration.Acknowledgement{ID: "a1", User: "alice", At: c.now})
	p.run(2 * time.Minute)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	same(t, len(commands(c.all, integration.AlertEscalate)), 0)
}

func TestOurOwnAcknowledgementIsKnownByItsID(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]bool{"the platform says which command made it": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, p := ringingCall(t, nil)
			p.does[alicePhone] = reaction{3 * time.Second, "", "1"}
			c.alert(integration.AlertOpen, 1)
			p.run(4 * time.Second)
			c.phase(call.PhaseConnecting)
			command := commands(c.all, integration.AlertAcknowledge)[0]
			own := integration.Acknowledgement{ID: "own", User: "alice", At: c.now}
			if says {
				own.Command = command.Number
			}
			c.alert(integration.AlertAcknowledged, 1, own)
			// The leg is lost before the bridge; then she acknowledges in the app.
			c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1")})
			c.phase(call.PhaseHolding)
			same(t, commands(c.all, integration.AlertReopen)[0].Ack, "own")
			delete(p.does, alicePhone)
			c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "hers", User: "alice", At: c.now})
			before := len(p.of(alicePhone))
			p.run(c.now.Sub(start) + 2*time.Second)
			same(t, len(p.of(alicePhone)), before+1)
			if slices.Contains(c.state.Alert.OwnAcks, "hers") {
				t.Error("her acknowledgement is taken for ours")
			}
		})
	}
}

func TestAResolutionByMistakeIsWithdrawn(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Second)
	c.alert(integration.AlertResolved, 1)
	same(t, c.state.Exit, call.ExitResolved)
	c.phase(call.PhaseHolding) // Alice's phone rings
	c.wait(2 * time.Second)
	c.alert(integration.AlertOpen, 1)
	same(t, c.state.Exit, call.Exit(""))
	p.run(5 * time.Minute)
	c.phase(call.PhaseHolding)
	c.logged("The alert is open again")
}

func TestWhatWasSeenWhileChoosingCountsAtTheHold(t *testing.T) {
	t.Parallel()
	for status, exit := range map[integration.AlertStatus]call.Exit{
		integration.AlertResolved: call.ExitResolved, integration.AlertDropped: call.ExitDropped, integration.AlertDeleted: call.ExitDeleted,
	} {
		c := newCall(t, withVoicemail())
		c.facts.Destinations = []integration.Destination{devops, support}
		c.arrive()
		c.alert(status, 0)
		c.phase(call.PhaseChoosing)
		c.keys("2")
		c.phase(call.PhaseLeavingMessage)
		same(t, c.state.Exit, exit)
	}
}

func TestAForgottenDialIsNeverTakenFromAnotherCall(t *testing.T) {
	t.Parallel()
	c, _ := ringingCall(t, nil)
	c.alert(integration.AlertOpen, 1)
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Unknown})
	// Some call to that number runs: whose, nobody can tell.
	c.do(event.Event{Kind: event.LookedAtLeg, Leg: "1", Result: event.Done, CallSid: legSid("8"), CallStatus: event.StatusInProgress})
	same(t, legOf(c.state, "1").CallSid, "")
	c.wait(70 * time.Second).hold()
	same(t, len(of[effect.EndLeg](c.all)), 0)
	if n := len(of[effect.DialLeg](c.all)); n < 2 {
		t.Errorf("dialed %d times: the leg's own callback never came", n)
	}
}

func TestWhatWasBegunForAWithdrawnAcknowledgementIsForgotten(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.does[alicePhone] = reaction{40 * time.Second, "", "2"}
	p.does[bobPhone] = reaction{40 * time.Second, event.StatusNoAnswer, ""}
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Second)
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a1", User: "alice", At: c.now})
	p.run(10 * time.Second)
	// The acknowledgement is withdrawn, and the platform pages layer 2.
	c.alert(integration.AlertOpen, 2)
	p.run(60 * time.Second)
	c.phase(call.PhaseHolding)
	same(t, len(p.of(bobPhone)) > 0, true)
	// Alice has passed meanwhile, for herself alone: Bob's turn is not cut short.
	same(t, len(commands(c.all, integration.AlertReopen)), 0)
	same(t, len(commands(c.all, integration.AlertEscalate)), 0)
	same(t, p.of(bobPhone)[0] < 20*time.Second, true)
}

func TestALayerThatThePlatformReachesIsRungAtOnce(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, nil)
	p.does[alicePhone] = reaction{2 * time.Minute, event.StatusNoAnswer, ""}
	c.alert(integration.AlertOpen, 1)
	p.run(5 * time.Second)
	c.alert(integration.AlertOpen, 2) // while the phone of the first layer rings
	p.run(10 * time.Second)
	same(t, p.of(bobPhone), []time.Duration{5 * time.Second})
}

func TestWhoAcknowledgedOnAnotherCallIsRungWhenItEndsThoughThatWasTakenBack(t *testing.T) {
	t.Parallel()
	c, p := ringingCall(t, func(conf *config.Config) { conf.Reach = config.ReachAcknowledge })
	busy := alice
	busy.OccupiedBy = "CA2"
	c.users["alice"] = busy
	c.onCall = map[int][]integration.User{1: {busy}}
	c.alert(integration.AlertAcknowledged, 1, integration.Acknowledgement{ID: "a1", User: "alice", At: c.now})
	p.run(2 * time.Minute)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	same(t, len(p.rung), 0)
	same(t, call.WaitsFor(c.state), []string{"alice"})
	c.users["alice"] = alice
	c.onCall[1] = []integration.User{alice}
	p.run(2*time.Minute + 16*time.Second)
	same(t, len(p.of(alicePhone)), 1)
	p.run(8 * time.Minute) // once, as nobody has acknowledged since
	same(t, len(p.of(alicePhone)), 1)
}
