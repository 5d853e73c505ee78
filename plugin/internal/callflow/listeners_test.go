package callflow

import (
	"fmt"
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

// pass lets time go by until nobody is rung for the message any more.
func (c *testCall) pass() {
	c.t.Helper()
	for range 20 {
		if c.state.Phase != call.PhaseDelivering {
			return
		}
		name, at := Deadline(c.state)
		c.now = at
		c.timer(name)
	}
	c.t.Fatalf("the message is still being delivered; story:\n%s", c.story())
}

// busy has a phone that is dialed report that it is busy.
func (c *testCall) busy(id string) {
	c.t.Helper()
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.legStatus(id, event.StatusBusy)
}

func (c *testCall) phonesOf(user string) []string {
	var out []string
	for _, l := range c.state.Legs {
		if l.User == user {
			out = append(out, l.Phone)
		}
	}
	return out
}

var aliceWithTwoPhones = integration.User{ID: "alice", Name: "Alice Example", Phones: []string{alicePhone, "+12025550148"}}

// A phone that rang for the caller a moment ago rings for the message as well; one that Twilio
// refused to dial does not.
func TestAPhoneThatRangForTheCallRingsForItsMessage(t *testing.T) {
	t.Parallel()
	for name, refused := range map[string]bool{"did not answer": false, "refused": true} {
		conf := withVoicemail()
		conf.Reach = config.ReachBoth
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
		c.onCall = map[int][]integration.User{1: {alice, bob}}
		c.holding()
		c.alert(integration.AlertOpen, 1)
		if refused {
			c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Refused, Code: "21211", Detail: "Twilio's error 21211."})
		} else {
			c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
			c.legStatus("1", event.StatusNoAnswer)
		}
		c.do(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
		c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
		c.message("RE1", audio)
		c.phase(call.PhaseDelivering)
		c.wait(deliverPause).timer("ring")
		rung := slices.ContainsFunc(c.state.Legs, func(l call.Leg) bool { return l.Message && l.User == "alice" })
		if rung == refused {
			t.Errorf("%s: rung for the message: %v; story:\n%s", name, rung, c.story())
		}
	}
}

// Twilio may dial again by the time that the message is there.
func TestAnAccountThatWasRefusedDuringTheCallIsTriedForItsMessage(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Reach = config.ReachBoth
	c := newCall(t, conf)
	c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
	c.holding()
	c.alert(integration.AlertOpen, 1)
	refused := event.Event{Kind: event.Dialed, Leg: "1", Result: event.AccountError, Code: "20003", Detail: "Twilio's error 20003."}
	c.do(refused)
	c.wait(dialRetry).do(refused) // it is asked once more
	same(t, c.state.AccountRefused, true)
	c.hold()
	c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
	c.message("RE1", audio)
	c.phase(call.PhaseDelivering)
	c.wait(deliverPause).timer("ring")
	c.rings("alice")
}

// While the platform cannot say who is on call nobody new is rung for a message, and it is asked
// again.
func TestAMessageWaitsForAPlatformThatCannotSayWhoIsOnCall(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.users["alice"] = aliceWithTwoPhones })
	id := c.rings("alice")
	c.onCallKnown = false
	c.busy(id)
	if _, at := Deadline(c.state); !at.Equal(c.now.Add(askAgain)) {
		t.Errorf("the platform is asked again at %s, want %s", at, c.now.Add(askAgain))
	}
	c.wait(askAgain).timer("ring")
	same(t, len(c.phonesOf("alice")), 1)
	c.onCallKnown = true
	c.rings("alice")
	same(t, c.phonesOf("alice"), aliceWithTwoPhones.Phones)
}

// The others of the call are rung for its message when one team has left the platform.
func TestATeamThatIsGoneKeepsAMessageFromNoOtherTeam(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail())
	c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
	c.facts.Destinations = []integration.Destination{support, devops}
	c.goneTeams = []string{support.ID}
	c.arrive()
	for range 3 { // no choice: the message is for both teams
		c.keys("")
	}
	c.message("RE1", audio)
	c.alert(integration.AlertOpen, 1)
	c.rings("alice")
	if late := c.now.Sub(start); late > time.Minute {
		t.Errorf("rung after %s", late)
	}
}

// A team that has left the platform has nobody who could hear a message, and people are told soon.
func TestAMessageOfATeamThatIsGoneIsSaidToBeUnheard(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.goneTeams = []string{devops.ID} })
	for c.state.Phase == call.PhaseDelivering && c.now.Before(start.Add(2*time.Minute)) {
		_, at := Deadline(c.state)
		c.now = at
		c.timer("ring")
	}
	c.ended(call.EndMessageLeft)
	c.logged("Nobody has heard the message: the platform no longer has its team. Call back " + callerNum + ".")
	same(t, c.finding(effect.FindingUnheard), integration.FindingError)
}

// That a team is gone is believed only when the platform says so for a while.
func TestALapseOfThePlatformTakesNoMessageFromItsTeam(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.users["alice"] = aliceWithTwoPhones })
	id := c.rings("alice")
	c.wait(5 * time.Minute)
	c.goneTeams = []string{devops.ID}
	c.busy(id)
	c.wait(askAgain).timer("ring")
	c.goneTeams = nil
	c.rings("alice")
	same(t, c.phonesOf("alice"), aliceWithTwoPhones.Phones)
}

func TestAHugeLayerIsRungForAMessageUpToALimit(t *testing.T) {
	t.Parallel()
	var many []integration.User
	for n := range maxOnCall + 50 {
		many = append(many, integration.User{ID: fmt.Sprint("user", n), Name: fmt.Sprint("User ", n), Phones: []string{fmt.Sprintf("+1202556%04d", n)}})
	}
	c := messageLeft(t, func(c *testCall) { c.onCall = map[int][]integration.User{1: many} })
	same(t, len(c.state.Legs), maxOnCall)
}

func TestWhoIsNoLongerOnCallIsNotRungForAMessageAgain(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.users["alice"] = aliceWithTwoPhones })
	id := c.rings("alice")
	c.onCall = map[int][]integration.User{1: {bob}}
	c.busy(id)
	c.rings("bob")
	same(t, c.phonesOf("alice"), []string{alicePhone})
}

func TestTheStorySaysThatAMessageRingsThoseWhoWereOnCallAWhileAgo(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.asOf = start.Add(-time.Hour) })
	c.rings("alice")
	c.logged("The platform cannot say who is on call now; the people on call as of 08:00 UTC are rung.")
}

func TestWhoAcknowledgedIsRungForAMessageOnceThePlatformCanNameThem(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.unknown = []string{"bob"}
	c.ack("ack-1", "bob")
	c.phase(call.PhaseDelivering)
	c.wait(askAgain).timer("ring")
	c.phase(call.PhaseDelivering)
	c.unknown = nil
	c.rings("bob")
}

// A platform may know one person by two names. In a call they go by the one of the acknowledgement.
func TestWhoAcknowledgedByAnotherNameHearsTheMessage(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	c.users["bob@example.com"] = bob
	c.rings("alice")
	c.ack("ack-1", "bob@example.com")
	id := c.rings("bob@example.com")
	c.answered(id)
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"bob@example.com " + audio.Ref})
	c.ended(call.EndMessageLeft)
}

// Who has had their turn is not waited for when a call occupies them later.
func TestWhoDidNotAnswerForAMessageIsNotWaitedForWhenTheyAreOnACallLater(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.wait(25*time.Second).legStatus(id, event.StatusNoAnswer)
	c.phase(call.PhaseDelivering)
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedTalking)
	c.alert(integration.AlertOpen, 2)
	same(t, call.WaitsFor(c.state), []string(nil))
	id = c.rings("bob")
	c.answered(id)
	c.press(id, "2")
	c.ended(call.EndMessageLeft)
}

// Who is on another call has not had their turn, however long that lasts and whoever is rung
// meanwhile.
func TestWhoIsOnAnotherCallIsWaitedForUntilItEnds(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.wanted("alice", "CA-of-a-caller", integration.OccupiedTalking) })
	same(t, call.WaitsFor(c.state), []string{"alice"})
	c.wait(5 * time.Minute)
	c.alert(integration.AlertOpen, 2)
	id := c.rings("bob")
	same(t, call.WaitsFor(c.state), []string{"alice"})
	c.answered(id)
	c.press(id, "2")
	c.wait(time.Minute).timer("ring")
	same(t, c.phonesOf("alice"), []string(nil))
	c.phase(call.PhaseDelivering)
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	c.rings("alice")
}

// For another message a turn begins anew, also for somebody who is on a call when it comes.
func TestWhoDidNotAnswerForAMessageIsWaitedForWhenAnotherComesDuringTheirCall(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, func(c *testCall) { c.onCall = map[int][]integration.User{1: {alice, bob}} })
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	other := c.rings("bob")
	c.do(event.Event{Kind: event.Dialed, Leg: other, Result: event.Done, CallSid: legSid(other)})
	c.wait(25*time.Second).legStatus(id, event.StatusNoAnswer)
	c.phase(call.PhaseDelivering)
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedTalking)
	second := audio
	second.Ref = "media:01"
	c.message("RE2", second)
	c.wait(deliverPause).timer("ring")
	c.legStatus(other, event.StatusNoAnswer)
	same(t, call.WaitsFor(c.state), []string{"alice"})
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	for range 5 {
		if len(c.phonesOf("alice")) > 1 {
			return
		}
		name, at := Deadline(c.state)
		c.now = at
		c.timer(name)
	}
	t.Errorf("alice is not rung for the other message; phase %s, story:\n%s", c.state.Phase, c.story())
}

func TestWhoPicksUpForAMessageWhileACallerWaitsIsLetGo(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.legStatus(id, event.StatusRinging)
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	same(t, c.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id), CallStatus: event.StatusInProgress}),
		reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageLater, Number: callerNum}}}))
	c.leg(id, call.LegUnreached, call.ReasonYielded)
	same(t, call.WaitsFor(c.state), []string{"alice"})
}

// Whoever listens hears the message to its end, whatever is decided meanwhile. How they went
// decides then whether anybody else is expected.
func TestAListenerWhoLeavesLastEndsTheDelivery(t *testing.T) {
	t.Parallel()
	for name, leaves := range map[string]func(c *testCall, id string){
		"hangs up": func(c *testCall, id string) { c.legStatus(id, event.StatusCompleted) },
		"a caller": func(c *testCall, id string) {
			c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
			c.press(id, "7")
		},
	} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.answered(id)
		c.press(id, "1")
		c.ack("ack-1", "bob")
		second := c.rings("bob")
		c.answered(second)
		c.press(second, "2")
		c.phase(call.PhaseDelivering)
		c.leg(id, call.LegHearing, "")
		c.wait(time.Second)
		leaves(c, id)
		if c.state.Phase != call.PhaseEnded {
			t.Errorf("%s: the phase is %s, want %s; story:\n%s", name, c.state.Phase, call.PhaseEnded, c.story())
		}
		c.logged("Nobody has heard the message: whoever acknowledged was rung once.")
	}
}

// Twilio may report that nobody answered a moment before somebody does.
func TestWhoPicksUpLateForAMessageIsAskedAlsoWhenTheAlertIsDroppedMeanwhile(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.wait(25*time.Second).legStatus(id, event.StatusNoAnswer)
	c.phase(call.PhaseDelivering)
	if _, ok := c.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id), CallStatus: event.StatusInProgress}).(reply.Ask); !ok {
		t.Fatalf("who picks up late hears %#v", c.reply)
	}
	c.alert(integration.AlertDropped, 0)
	c.phase(call.PhaseDelivering)
	c.leg(id, call.LegAsked, "")
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.ended(call.EndMessageLeft)
}

// Whose phone is being stopped may pick up all the same: they hear why it rang.
func TestWhoPicksUpAPhoneThatStopsRingingForAMessageIsNotAsked(t *testing.T) {
	t.Parallel()
	for want, stops := range map[reply.PromptKey]func(c *testCall){
		reply.PromptMessageDone: func(c *testCall) { c.ack("ack-1", "bob") },
		reply.PromptMessageLater: func(c *testCall) {
			c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
			c.timer(integration.TimerPersonWanted)
		},
	} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
		stops(c)
		c.phase(call.PhaseDelivering)
		same(t, c.do(event.Event{Kind: event.LegAnswer, Leg: id, CallSid: legSid(id), CallStatus: event.StatusInProgress}),
			reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: want, Number: callerNum}}}))
	}
}

// A phone that rang for the caller and is picked up after they have left a message is not asked
// about the message: its leg is none that plays one.
func TestWhoPicksUpForACallerWhoHasLeftAMessageIsNotAskedAboutIt(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(c *testCall){
		"still ringing":  func(*testCall) {},
		"did not answer": func(c *testCall) { c.legStatus("1", event.StatusNoAnswer) },
	} {
		conf := withVoicemail()
		conf.Reach = config.ReachBoth
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
		c.holding()
		c.alert(integration.AlertOpen, 1)
		c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
		before(c)
		c.do(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
		c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
		c.message("RE1", audio)
		c.phase(call.PhaseDelivering)
		if _, ok := c.do(event.Event{Kind: event.LegAnswer, Leg: "1", CallSid: legSid("1"), CallStatus: event.StatusInProgress}).(reply.Hangup); !ok {
			t.Errorf("%s: who picks up hears %#v", name, c.reply)
		}
	}
}

// Twilio repeats a request whose answer was lost.
func TestARepeatedKeySendsAListenerToTheNextCallOnce(t *testing.T) {
	t.Parallel()
	const other = "CA00000000000000000000000000000009"
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	u := c.users["alice"]
	u.AwaitedBy = []string{other}
	c.users["alice"] = u
	key := event.Event{Kind: event.LegKey, Leg: id, CallSid: legSid(id), Digits: "2", Step: legOf(c.state, id).Step}
	want := reply.Reply(reply.Join{Say: say(reply.PromptMessageNext), Call: other, Leg: 1})
	same(t, c.do(key), want)
	same(t, c.do(key), want)
	c.phase(call.PhaseDelivering)
}

// Coming from another call's message counts as being rung for this one.
func TestWhoJoinedToHearAMessageIsNotRungForIt(t *testing.T) {
	t.Parallel()
	sid := legSid("1")
	c := messageLeft(t, func(c *testCall) {
		c.wanted("alice", callerSid, integration.OccupiedTelling)
		c.onCall = map[int][]integration.User{1: {alice}}
	})
	c.do(event.Event{Kind: event.LegJoins, CallSid: sid, Phone: alicePhone, Step: 1, CallStatus: event.StatusInProgress})
	guest := c.state.Legs[0].ID
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	c.do(event.Event{Kind: event.LookedAtLeg, Leg: guest, Result: event.Done, CallSid: sid, CallStatus: event.StatusCompleted})
	c.pass()
	same(t, len(of[effect.DialLeg](c.all)), 0)
	c.logged("Nobody has heard the message")
}

// A message that came while the phone rang is read by the same leg, and does not ring again.
func TestAMessageThatWasReadWithAnotherDoesNotRingAgain(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	c.onCall = map[int][]integration.User{1: {alice}}
	second := audio
	second.Ref = "media:01"
	id := c.rings("alice")
	c.message("RE2", second)
	c.answered(id)
	c.press(id, "1")
	c.wait(30 * time.Second)
	c.legStatus(id, event.StatusCompleted)
	c.pass()
	same(t, c.phonesOf("alice"), []string{alicePhone})
	same(t, len(c.state.Voicemail.Unheard()), 1)
}

func TestAMessageIsAsLongAsItsAudioAndElseAsTwilioSays(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		media *call.Media
		want  time.Duration
	}{
		{nil, 23 * time.Second},
		{&call.Media{}, 23 * time.Second},
		{&call.Media{Duration: 24500 * time.Millisecond}, 24500 * time.Millisecond},
	} {
		same(t, (&call.Recording{Media: x.media, Seconds: 23}).Length(), x.want)
	}
}
