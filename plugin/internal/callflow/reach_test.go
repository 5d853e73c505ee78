package callflow

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

func dials(effects []effect.Effect) []string {
	var out []string
	for _, d := range of[effect.DialLeg](effects) {
		out = append(out, d.Phone)
	}
	return out
}

func TestPT40to46_HoldAndTicks(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	c := newCall(t, conf)
	c.arrive()
	same(t, len(commands(c.effects, integration.AlertRoute)), 1)
	for i, want := range []reply.Hold{
		{Say: say(reply.PromptPleaseWait), Tick: 0},
		{Tick: 1},
		{Tick: 2},
		{Say: say(reply.PromptStillTrying, reply.PromptStar), Tick: 3, Said: time.Minute},
		{Tick: 4, Said: time.Minute},
	} {
		want.Step, want.Star = 1, true
		before := c.state
		same(t, c.hold(), reply.Reply(want))
		// The ordinary tick stores nothing. At the last ones it is noted that the caller is there.
		if i > 0 && i < 3 && (Changed(before, c.state) || !quiet(c.effects)) {
			t.Fatalf("tick %d is not quiet: %v", i, c.effects)
		}
		c.wait(20 * time.Second)
	}
	same(t, c.state.Hold.QueueSid, queueSid)
}

// However short or long a tick is, as the music of an https address sets it, callers are told that
// they still wait about once a minute.
func TestStillTryingIsSaidOnceAMinuteWhateverTheMusic(t *testing.T) {
	t.Parallel()
	for tick, want := range map[time.Duration]int{time.Second: 4, 2 * time.Second: 4, 15 * time.Second: 4, 50 * time.Second: 2, 2 * time.Minute: 1} {
		conf := withVoicemail()
		conf.MaxWait = time.Hour
		c := newCall(t, conf)
		c.arrive()
		said := 0
		for range (4*time.Minute + 30*time.Second) / tick {
			if r, holds := c.hold().(reply.Hold); !holds {
				t.Fatalf("the caller holds no longer: %T", c.reply)
			} else if len(r.Say) > 0 && r.Say[0].Key == reply.PromptStillTrying {
				said++
			}
			c.wait(tick)
		}
		if said != want {
			t.Errorf("with ticks of %v it is said %d times in four and a half minutes, want %d", tick, said, want)
		}
	}
}

// A caller who comes back into the queue, and one whose host's clock was set back, are told again a
// minute later.
func TestStillTryingCountsFromTheBeginningOfAStay(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.arrive()
	c.hold()
	c.wait(5 * time.Minute)
	said := func(tick int, at time.Duration) (bool, time.Duration) {
		r := c.do(event.Event{Kind: event.Tick, QueueSid: queueSid, Tick: tick, Said: at}).(reply.Hold)
		return len(r.Say) > 0, r.Said
	}
	if spoken, at := said(0, 0); spoken || at != 5*time.Minute {
		t.Errorf("the first tick of a second stay: spoken %v, %v", spoken, at)
	}
	if spoken, at := said(7, time.Hour); spoken || at != 5*time.Minute {
		t.Errorf("after the clock was set back: spoken %v, %v", spoken, at)
	}
	c.wait(time.Minute)
	if spoken, at := said(8, 5*time.Minute); !spoken || at != 6*time.Minute {
		t.Errorf("a minute later: spoken %v, %v", spoken, at)
	}
}

func TestPT46_DroppedBeforeTheCallerHolds(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.arrive()
	c.alert(integration.AlertDropped, 0)
	same(t, len(of[effect.Dequeue](c.effects)), 0) // no queue is known yet
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "leave"}).(reply.Record); !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
}

func TestPT52to53_AcknowledgedThenConnected(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.DialPause = 3 * time.Second
	c := newCall(t, conf).holding()
	c.ack("a1", "alice")
	d := of[effect.DialLeg](c.effects)
	same(t, len(d), 1)
	same(t, d[0].Phone, alicePhone)
	same(t, d[0].At, c.now.Add(3*time.Second))
	same(t, d[0].Ring, 25*time.Second)
	same(t, call.Occupies(c.state), []string{"alice"})
	same(t, c.answered("1"), reply.Reply(reply.Ask{Leg: "1", Step: 1, Timeout: keyTimeout, Say: []reply.Prompt{
		{Key: reply.PromptAsk, Team: "DevOps", Number: callerNum, Called: calledNum}, {Key: reply.PromptAskKeys},
	}}))
	same(t, c.press("1", "1"), reply.Reply(reply.DialQueue{Leg: "1", Step: 1, Timeout: 5 * time.Second, Say: say(reply.PromptConnecting)}))
	c.phase(call.PhaseConnecting)
	same(t, c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")}), reply.Reply(reply.Announce{Say: say(reply.PromptBeforeConnect)}))
	c.phase(call.PhaseTalking)
	c.wait(2 * time.Minute)
	same(t, c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 118}), reply.Reply(reply.Hangup{}))
	c.ended(call.EndConnected)
	same(t, c.do(event.Event{Kind: event.Left, QueueResult: "bridged"}), reply.Reply(reply.Hangup{Say: say(reply.PromptGoodbye)}))
	c.logged("took 1 min 58 s")
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	same(t, len(of[effect.DeleteQueue](c.all)), 1)
	same(t, len(commands(c.all, integration.AlertAcknowledge)), 0) // Alice had done so herself
	same(t, len(call.Occupies(c.state)), 0)
}

func TestPT53_DialedAtOnce(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.DialPause = 0
	c := newCall(t, conf).holding()
	c.ack("a1", "alice")
	same(t, of[effect.DialLeg](c.effects)[0].At, c.now)
}

func TestPT52_NoPhoneOnFile(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example"}
	c.ack("a1", "alice")
	c.logged("Alice Example has no phone on file")
	same(t, commands(c.effects, integration.AlertReopen)[0].Ack, "a1")
	same(t, commands(c.effects, integration.AlertEscalate)[0].Layer, 1)
	c.phase(call.PhaseHolding)
}

func TestPT54_NobodyTookIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		act    func(c *testCall)
		reason call.LegReason
		text   string
	}{
		"no answer":         {func(c *testCall) { c.legStatus("1", event.StatusNoAnswer) }, call.ReasonNoAnswer, "did not answer"},
		"failed":            {func(c *testCall) { c.legStatus("1", event.StatusFailed) }, call.ReasonFailed, "could not be reached"},
		"late busy":         {func(c *testCall) { c.wait(31 * time.Second); c.legStatus("1", event.StatusBusy) }, call.ReasonBusy, "was busy"},
		"refused":           {func(c *testCall) { c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Refused}) }, call.ReasonBadNumber, "could not be dialed"},
		"hangs up":          {func(c *testCall) { c.answered("1"); c.legStatus("1", event.StatusCompleted) }, call.ReasonHungUp, "hung up"},
		"every signal late": {func(c *testCall) { c.legStatus("1", event.StatusRinging); c.wait(time.Minute); c.hold() }, call.ReasonNoAnswer, "did not answer"},
		"no key": {func(c *testCall) {
			c.answered("1")
			c.press("1", "")
			c.press("1", "5")
			same(c.t, c.press("1", ""), reply.Reply(reply.Hangup{Say: say(reply.PromptNoKey)}))
		}, call.ReasonNoKey, "answered but pressed no key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, config.Defaults()).holding()
			c.ack("a1", "alice")
			tc.act(c)
			c.leg("1", call.LegUnreached, tc.reason)
			c.wait(30 * time.Second).hold()
			c.logged("Alice Example (" + alicePhone + ") " + tc.text)
			same(t, len(commands(c.all, integration.AlertReopen)), 1)
			same(t, len(commands(c.all, integration.AlertEscalate)), 1)
			c.phase(call.PhaseHolding)
			// A snapshot from before our commands changes nothing.
			c.facts.Alert.LastCommand--
			c.facts.Alert.Status = integration.AlertDropped
			c.do(event.Event{Kind: event.Alert})
			c.phase(call.PhaseHolding)
			// The next one acknowledges.
			c.alert(integration.AlertAcknowledged, 2, integration.Acknowledgement{ID: "a2", User: "bob", At: c.now})
			same(t, dials(c.effects), []string{bobPhone})
		})
	}
}

func TestPT54_PassedIsDeclined(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone, "+12025550149"}}
	c.ack("a1", "alice")
	c.answered("1")
	same(t, c.press("1", "2"), reply.Reply(reply.Hangup{Say: say(reply.PromptPassed)}))
	c.leg("1", call.LegDeclined, call.ReasonPassed)
	same(t, len(c.state.Legs), 1) // a pass holds for all phones of the person
}

// TestPT54_AcknowledgedBeforeAnyLayer: the first layer was never paged, so it is its turn, not the
// second's.
func TestPT54_AcknowledgedBeforeAnyLayer(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachBoth
	c := newCall(t, conf)
	c.facts.Destinations = []integration.Destination{devops, support}
	c.arrive()
	ack := integration.Acknowledgement{ID: "a1", User: "bob", At: c.now}
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertAcknowledged, Acknowledgements: []integration.Acknowledgement{ack}, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	c.do(event.Event{Kind: event.Alert}) // while the caller still chooses
	same(t, len(c.state.Legs), 0)
	c.keys("2")
	c.hold()
	same(t, dials(c.all), []string{bobPhone})
	c.wait(26*time.Second).legStatus("1", event.StatusNoAnswer)
	same(t, commands(c.effects, integration.AlertReopen)[0].Ack, "a1")
	same(t, len(commands(c.all, integration.AlertEscalate)), 0)
	same(t, c.state.Alert.Decisive, commands(c.effects, integration.AlertReopen)[0].Number)
	// A snapshot from before the alert was opened again is old news.
	c.facts.Alert.LastCommand = c.state.Alert.Decisive - 1
	c.do(event.Event{Kind: event.Alert})
	same(t, len(c.state.Legs), 1)
	// The platform pages the first layer, whose people are rung, and then the second.
	c.alert(integration.AlertOpen, 1)
	same(t, dials(c.effects), []string{alicePhone})
	c.wait(25*time.Second).legStatus("2", event.StatusBusy)
	same(t, commands(c.all, integration.AlertEscalate)[0].Layer, 1)
	c.alert(integration.AlertOpen, 2)
	c.wait(25 * time.Second).hold() // Bob's phone rang a minute ago
	same(t, dials(c.effects), []string{bobPhone})
}

func TestPhonesInOrder(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.users["alice"] = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone, "+12025550149"}}
	c.ack("a1", "alice")
	p := newPhones(c)
	c.effects = c.all
	p.run(45 * time.Second)
	same(t, p.rung, []ringing{{alicePhone, time.Second}, {"+12025550149", 26 * time.Second}})
	same(t, len(commands(c.all, integration.AlertReopen)), 0)
	p.run(52 * time.Second)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
}

// TestBusyWithAcknowledgingIsDialedAgain: the line that acknowledged by telephone is busy for a
// moment.
func TestBusyWithAcknowledgingIsDialedAgain(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	p := newPhones(c)
	p.does[alicePhone] = reaction{time.Second, event.StatusBusy, ""}
	c.ack("a1", "alice")
	p.run(5 * time.Second)
	delete(p.does, alicePhone)
	p.run(30 * time.Second)
	same(t, p.of(alicePhone), []time.Duration{time.Second, 12 * time.Second})
	same(t, len(commands(c.all, integration.AlertReopen)), 0)
	p.run(50 * time.Second)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
}

func TestPT57_AcknowledgedByAnAutomation(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.ack("a1", "")
	same(t, len(of[effect.DialLeg](c.all)), 0)
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	c.phase(call.PhaseHolding)

	// On a platform that does not say who acknowledged, whoever is on call is rung.
	c = newCall(t, config.Defaults())
	c.facts.Instance.Capabilities.AcknowledgedByUser = false
	c.holding()
	c.ack("a1", "")
	same(t, dials(c.all), []string{alicePhone})
}

func TestReachRing(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Reach = config.ReachRing
	c := newCall(t, conf)
	carol := integration.User{ID: "carol", Name: "Carol Example", Phones: []string{"+12025550145"}}
	c.onCall[1] = []integration.User{alice, carol}
	c.holding()
	same(t, len(dials(c.all)), 0)
	c.alert(integration.AlertOpen, 1)
	same(t, dials(c.all), []string{alicePhone, "+12025550145"})
	c.alert(integration.AlertOpen, 1)
	same(t, len(dials(c.all)), 2)
	// Acknowledged by somebody being rung: a line in the log.
	c.ack("a1", "alice")
	same(t, len(dials(c.all)), 2)
	c.logged("phones are rung by layer only")
	c.alert(integration.AlertOpen, 1)
	c.wait(25*time.Second).legStatus("1", event.StatusNoAnswer)
	same(t, len(commands(c.all, integration.AlertEscalate)), 0)
	c.legStatus("2", event.StatusNoAnswer)
	same(t, len(commands(c.all, integration.AlertEscalate)), 1)
	c.hold()
	c.hold()
	same(t, len(commands(c.all, integration.AlertEscalate)), 1)
	c.alert(integration.AlertOpen, 2)
	same(t, dials(c.effects), []string{bobPhone})
	c.alert(integration.AlertDropped, 2)
	c.phase(call.PhaseHolding) // Bob may still take it
	c.legStatus("3", event.StatusNoAnswer)
	c.phase(call.PhaseLeavingMessage)
}

func TestReachRingEscalatesOncePerLayer(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf).holding()
	c.alert(integration.AlertOpen, 1)
	c.wait(25*time.Second).legStatus("1", event.StatusNoAnswer)
	e := commands(c.effects, integration.AlertEscalate)
	same(t, len(e), 1)
	same(t, []int{e[0].Layer, e[0].Round}, []int{1, 1})
	c.alert(integration.AlertOpen, 1) // still there
	same(t, len(commands(c.all, integration.AlertEscalate)), 1)
}

func TestReachAuto(t *testing.T) {
	t.Parallel()
	for pages, want := range map[bool]int{true: 0, false: 1} {
		c := newCall(t, config.Defaults())
		c.facts.Instance.Capabilities.PagesByItself = pages
		c.holding()
		c.alert(integration.AlertOpen, 1)
		same(t, len(dials(c.all)), want)
	}
}

func TestSomebodyOnAnotherCallIsNotRung(t *testing.T) {
	t.Parallel()
	busy := alice
	busy.OccupiedBy = "CA2"
	conf := withVoicemail()
	conf.MaxWait = 2 * time.Minute
	setup := func(t *testing.T) *testCall {
		c := newCall(t, conf)
		c.users["alice"] = busy
		c.holding()
		c.ack("a1", "alice")
		same(t, len(dials(c.all)), 0)
		same(t, len(call.Occupies(c.state)), 0)
		c.wait(15 * time.Second).hold()
		same(t, len(dials(c.all)), 0)
		same(t, len(commands(c.all, integration.AlertReopen)), 0)
		return c
	}
	t.Run("rung when the other call ends", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		c.users["alice"] = alice
		c.wait(15 * time.Second).timer("ring")
		same(t, dials(c.all), []string{alicePhone})
	})
	t.Run("max wait does not wait for it", func(t *testing.T) {
		t.Parallel()
		c := setup(t)
		c.wait(2 * time.Minute).timer("max-wait")
		c.phase(call.PhaseLeavingMessage)
		same(t, len(dials(c.all)), 0)
	})
}

func TestHandoffFollowsTheNewTeam(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf).holding()
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertOpen, Layer: 1, Round: 1, Teams: []string{"support"}, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	c.facts.Destinations = []integration.Destination{devops, support}
	c.do(event.Event{Kind: event.Alert})
	same(t, *c.state.Team, call.Team{ID: "support", Name: "Customer Support"})
	c.logged("handed to Customer Support")
}

func TestAcknowledgedWhileChoosingIsReadAtTheHold(t *testing.T) {
	t.Parallel()
	c := menuCall(t, config.Defaults(), 2)
	c.ack("a1", "alice")
	same(t, len(dials(c.all)), 0)
	c.facts.Alert.LastCommand += 10
	c.keys("1")
	same(t, dials(c.all), []string{alicePhone})
}

// TestAHugeLayerIsCalledUpToALimit: each decision looks at everybody who was brought in, and
// thousands would take longer than a request has.
func TestAHugeLayerIsCalledUpToALimit(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf)
	c.onCall[1] = nil
	for i := range 5000 {
		id := "user" + strconv.Itoa(i)
		u := integration.User{ID: id, Name: id, Phones: []string{"+1202" + strconv.Itoa(2_000_000+i)}}
		c.users[id], c.onCall[1] = u, append(c.onCall[1], u)
	}
	c.holding()
	c.alert(integration.AlertOpen, 1)
	c.alert(integration.AlertOpen, 1)
	same(t, len(c.state.People), maxOnCall)
	same(t, len(dials(c.all)), maxOnCall)
	c.logged("5001 people are on call; the first 200 are called.")
}

// Who was on call a while ago is rung while the platform cannot say who is, and the story says so
// once each time that begins. A minute is no while.
func TestTheStorySaysAsOfWhenPeopleAreOnCall(t *testing.T) {
	t.Parallel()
	conf := config.Defaults()
	conf.Reach = config.ReachRing
	c := newCall(t, conf).holding()
	for layer := 3; layer <= 5; layer++ {
		c.onCall[layer] = []integration.User{bob}
	}
	since := c.now
	c.asOf = since
	c.alert(integration.AlertOpen, 1)
	same(t, dials(c.all), []string{alicePhone})
	if contains(c.story(), "as of") {
		t.Errorf("the story makes much of a moment:\n%s", c.story())
	}
	told := func(layer, want int) {
		t.Helper()
		c.wait(time.Minute + time.Second)
		c.alert(integration.AlertOpen, layer)
		if n := strings.Count(c.story(), "as of "+since.UTC().Format("15:04 UTC")+" are rung."); n != want {
			t.Errorf("told %d times, want %d:\n%s", n, want, c.story())
		}
	}
	told(2, 1)
	told(3, 1)
	c.asOf = time.Time{}
	told(4, 1)
	c.asOf = since
	told(5, 2)
}
