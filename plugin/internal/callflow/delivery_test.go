package callflow

import (
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// messageLeft is a call whose message is there to be heard: nobody took the call, and the audio has
// been fetched.
func messageLeft(t *testing.T, change func(*call)) *call {
	t.Helper()
	conf := withVoicemail()
	conf.Reach = ReachBoth
	c := newCall(t, conf)
	c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
	if change != nil {
		change(c)
	}
	c.holding()
	c.do(Event{Kind: EventHoldKey, QueueSid: queueSid, Digits: "*"})
	c.do(Event{Kind: EventLeft, QueueResult: "leave"})
	c.message("RE1", audio)
	c.phase(PhaseDelivering)
	c.alert(integration.AlertOpen, 1)
	c.wait(deliverPause).timer("ring")
	return c
}

// message has a recording reported and fetched.
func (c *call) message(sid string, media integration.MediaRef) {
	c.t.Helper()
	c.do(Event{Kind: EventRecorded, RecordingSid: sid, Seconds: 23})
	c.do(Event{Kind: EventRecording, RecordingSid: sid, RecordingStatus: "completed", Seconds: 23})
	media.Duration = 23 * time.Second
	c.do(Event{Kind: EventFetched, Result: Done, RecordingSid: sid, Media: &media, Seconds: 23})
	if c.facts.MediaURLs == nil {
		c.facts.MediaURLs = map[string]string{}
	}
	c.facts.MediaURLs[media.Ref] = "https://host.example.com/call-media/" + media.Ref
}

// rings waits for the next phone to be dialed and says whose it is.
func (c *call) rings(want string) string {
	c.t.Helper()
	for range 20 {
		for _, l := range c.state.Legs {
			if l.State == LegPlanned && l.Message {
				if l.User != want {
					c.t.Fatalf("%s is rung, want %s", l.User, want)
				}
				return l.ID
			}
		}
		name, at := Deadline(c.state)
		if name == "" {
			break
		}
		c.now = at
		c.timer(name)
	}
	c.t.Fatalf("%s is not rung; phase %s, story:\n%s", want, c.state.Phase, c.story())
	return ""
}

func (c *call) heard() []string {
	var out []string
	for _, h := range of[integration.Heard](c.all) {
		out = append(out, h.User+" "+h.Ref)
	}
	return out
}

func (c *call) finding(code string) integration.FindingSeverity {
	var last integration.FindingSeverity
	for _, f := range of[integration.Finding](c.all) {
		if f.Code == code {
			last = f.Severity
		}
	}
	return last
}

func TestAMessageIsPlayedToWhoIsOnCall(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	same(t, PlayedMedia(c.state), []string{audio.Ref})
	same(t, View(c.state).Ended, string(EndMessageLeft))
	id := c.rings("alice")
	same(t, c.answered(id), Reply(AskReply{Leg: id, Step: 1, Timeout: keyTimeout, Say: []Prompt{
		{Key: PromptMessage, Team: "DevOps", Number: callerNum, Seconds: 23, Count: 1}, {Key: PromptMessageKeys},
	}}))
	after := []Prompt{{Key: PromptMessageAfter, Number: callerNum}}
	same(t, c.press(id, "1"), Reply(PlayReply{Leg: id, Step: 2, Timeout: keyTimeout, Media: []string{audio.Ref}, Between: say(PromptMessageNext), Say: after}))
	// To its end, then once more.
	c.wait(31 * time.Second)
	same(t, c.press(id, ""), Reply(AskReply{Leg: id, Step: 3, Timeout: keyTimeout, Say: after}))
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.phase(PhaseDelivering)
	if r, ok := c.press(id, "1").(PlayReply); !ok || len(r.Media) != 1 {
		t.Fatalf("pressing 1 again: %#v", c.reply)
	}
	same(t, c.press(id, "2"), Reply(HangupReply{Say: []Prompt{{Key: PromptMessageTaken, Number: callerNum}}}))
	acks := commands(c.all, integration.AlertAcknowledge)
	if len(acks) != 1 || acks[0].User != "alice" {
		t.Errorf("acknowledged: %+v", acks)
	}
	c.ended(EndMessageLeft)
	c.leg(id, LegEnded, ReasonHeard)
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.logged("Alice Example (" + alicePhone + ") heard the message.")
	same(t, c.finding(FindingUnheard), integration.FindingSeverity(""))
}

// Whoever presses 2 while it plays has heard as much as they wanted.
func TestAcknowledgingInTheMiddleCountsAsHeard(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	c.wait(3 * time.Second)
	c.press(id, "2")
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.ended(EndMessageLeft)
}

func TestHangingUpCountsAsHeardAtTheEndAlone(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration][]string{5 * time.Second: nil, 24 * time.Second: {"alice " + audio.Ref}} {
		c := messageLeft(t, nil)
		c.onCall = map[int][]integration.User{1: {alice}}
		id := c.rings("alice")
		c.answered(id)
		c.press(id, "1")
		c.wait(after)
		c.legStatus(id, StatusCompleted)
		same(t, c.heard(), want)
		for c.state.Phase == PhaseDelivering {
			name, at := Deadline(c.state)
			c.now = at
			c.timer(name)
		}
		c.ended(EndMessageLeft)
		if unheard := c.finding(FindingUnheard) == integration.FindingError; unheard != (want == nil) {
			t.Errorf("after %s: finding %q", after, c.finding(FindingUnheard))
		}
	}
}

func TestWhoPassesAMessageIsNotRungAgainAndTheNextLayerIs(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	same(t, c.press(id, "2"), Reply(HangupReply{Say: []Prompt{{Key: PromptPassed, Number: callerNum}}}))
	if n := len(commands(c.all, integration.AlertDecline)) + len(commands(c.all, integration.AlertEscalate)); n > 0 {
		t.Errorf("%d commands to decline or escalate: delivery follows the platform", n)
	}
	c.wait(5 * time.Minute).timer("ring")
	same(t, c.state.Phase, PhaseDelivering) // the platform has not reached Bob yet
	c.alert(integration.AlertOpen, 2)
	id = c.rings("bob")
	c.answered(id)
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"bob " + audio.Ref})
	c.ended(EndMessageLeft)
}

// A phone that two people share, such as that of a control room, rings once for a message: who has passed it
// is not asked again in somebody else's name.
func TestASharedPhoneRingsOnceForAMessage(t *testing.T) {
	t.Parallel()
	sharing := integration.User{ID: "bob", Name: "Bob Example", Phones: []string{alicePhone}}
	c := messageLeft(t, func(c *call) {
		c.users["bob"] = sharing
		c.onCall[2] = []integration.User{sharing}
	})
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "2")
	c.alert(integration.AlertOpen, 2)
	c.pass()
	same(t, len(c.phonesOf("bob")), 0)
	c.ended(EndMessageLeft)
}

// Each person is rung once for a message, whatever becomes of the alert: not after an acknowledgement
// that was taken back, nor when they acknowledge the alert after they have passed.
func TestWhoPassedAMessageIsNotRungForItAgain(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(c *call){
		"an acknowledgement is taken back": func(c *call) {
			c.ack("ack-1", "bob")
			id := c.rings("bob")
			c.answered(id)
			c.press(id, "2")
			c.alert(integration.AlertOpen, 2)
		},
		"they acknowledge": func(c *call) { c.ack("ack-1", "alice") },
	} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.answered(id)
		c.press(id, "2")
		then(c)
		for i := 0; c.state.Phase == PhaseDelivering && i < 20; i++ {
			timer, at := Deadline(c.state)
			c.now = at
			c.timer(timer)
		}
		rung := 0
		for _, l := range c.state.Legs {
			if l.User == "alice" {
				rung++
			}
		}
		if rung != 1 {
			t.Errorf("%s: Alice was rung %d times, want once", name, rung)
		}
		c.ended(EndMessageLeft)
		c.logged("Nobody has heard the message")
	}
}

func TestThePhonesOfAPersonRingOneAfterTheOtherAboutAMessage(t *testing.T) {
	t.Parallel()
	second := "+12025550148"
	two := bob
	two.Phones = append(slices.Clone(bob.Phones), second)
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "2")
	c.users["bob"] = two
	c.alert(integration.AlertOpen, 2)
	id = c.rings("bob")
	c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
	c.legStatus(id, StatusBusy)
	id = c.rings("bob")
	if l := c.state.Legs[len(c.state.Legs)-1]; l.Phone != second || c.now.Sub(c.state.Legs[1].EndedAt) > time.Second {
		t.Errorf("%s rings %s after the first phone, want %s at once", l.Phone, c.now.Sub(c.state.Legs[1].EndedAt), second)
	}
	c.answered(id)
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"bob " + audio.Ref})
}

func TestNobodyHearsAMessageAndPeopleAreToldOnce(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	for layer, user := range []string{"alice", "bob"} {
		c.alert(integration.AlertOpen, layer+1)
		id := c.rings(user)
		c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
		c.legStatus(id, StatusRinging)
		c.wait(25 * time.Second)
		c.legStatus(id, StatusNoAnswer)
	}
	c.ended(EndMessageLeft)
	same(t, c.heard(), []string(nil))
	c.logged("Alice Example (" + alicePhone + ") did not answer (rang for 25s).")
	c.logged("Nobody has heard the message: everybody on call was rung once. Call back " + callerNum + ".")
	same(t, c.finding(FindingUnheard), integration.FindingError)
	told := 0
	for _, l := range commands(c.all, integration.AlertLog) {
		if l.Event == integration.EventUnheard {
			told++
		}
	}
	same(t, told, 1)
	reopened := commands(c.effects, integration.AlertReopen)
	if len(reopened) > 0 {
		t.Errorf("reopened: %+v", reopened)
	}
}

func TestAMessageIsNoLongerDeliveredWhenTheAlertIsClosed(t *testing.T) {
	t.Parallel()
	for status, why := range map[integration.AlertStatus]string{
		integration.AlertResolved: "the alert was resolved", integration.AlertDeleted: "the alert was deleted",
	} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
		c.alert(status, 1)
		c.ended(EndMessageLeft)
		c.leg(id, LegUnreached, ReasonNotNeeded)
		if ends := of[EndLeg](c.effects); len(ends) != 1 || ends[0].Tell {
			t.Errorf("%s: %+v, want the phone to stop ringing", status, ends)
		}
		c.logged("Nobody has heard the message: " + why)
		// Who picks up at that moment hears why.
		same(t, c.do(Event{Kind: EventLegAnswer, Leg: id, CallSid: legSid(id)}), Reply(HangupReply{Say: []Prompt{{Key: PromptMessageDone, Number: callerNum}}}))
	}
}

// A drop says that nobody answered, not that nobody need hear the message.
func TestWhoIsRungAboutAMessageWhenTheAlertIsDroppedMayStillHearIt(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]bool{"hears it": true, "does not answer": false} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
		c.alert(integration.AlertDropped, 0)
		c.phase(PhaseDelivering)
		if ends := of[EndLeg](c.effects); len(ends) > 0 {
			t.Errorf("%s: the phone stops ringing: %+v", name, ends)
		}
		if answers {
			c.answered(id)
			c.press(id, "1")
			c.press(id, "2")
			same(t, c.heard(), []string{"alice " + audio.Ref})
		} else {
			c.wait(25*time.Second).legStatus(id, StatusNoAnswer)
			c.logged("Nobody has heard the message: the alert was dropped. Call back " + callerNum + ".")
		}
		c.ended(EndMessageLeft)
		// The platform did not reach Bob.
		if len(c.state.Legs) != 1 {
			t.Errorf("%s: %d phones rang, want one", name, len(c.state.Legs))
		}
	}
}

// Who had their turn before the drop is not waited for: it ends the delivery.
func TestADropEndsTheDeliveryOfAMessageThatEverybodyReachedHasPassed(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "2")
	c.phase(PhaseDelivering)
	c.alert(integration.AlertDropped, 0)
	c.ended(EndMessageLeft)
	c.logged("Nobody has heard the message: the alert was dropped.")
}

// The round is over when the platform begins another one.
func TestAnotherRoundOfThePlatformEndsTheDelivery(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
	c.wait(25*time.Second).legStatus(id, StatusNoAnswer)
	c.phase(PhaseDelivering)
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertOpen, Layer: 1, Round: 2, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	c.do(Event{Kind: EventAlert})
	c.ended(EndMessageLeft)
}

func TestWhoAcknowledgedHearsTheMessageAlone(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
	c.ack("ack-1", "bob")
	c.leg(id, LegUnreached, ReasonNotNeeded)
	id = c.rings("bob")
	c.answered(id)
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"bob " + audio.Ref})
	if n := len(commands(c.all, integration.AlertAcknowledge)); n > 0 {
		t.Errorf("%d acknowledgements of ours, though Bob has acknowledged", n)
	}
	c.ended(EndMessageLeft)
}

// One leg reads all that waits; a message that comes later makes the phone ring once more.
func TestOneLegReadsAllMessages(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	second := audio
	second.Ref = "media:01"
	id := c.rings("alice")
	c.message("RE2", second)
	ask, _ := c.answered(id).(AskReply)
	same(t, ask.Say[0], Prompt{Key: PromptMessages, Team: "DevOps", Number: callerNum, Seconds: 46, Count: 2})
	play, _ := c.press(id, "1").(PlayReply)
	same(t, play.Media, []string{audio.Ref, second.Ref})
	third := audio
	third.Ref = "media:02"
	c.message("RE3", third)
	c.press(id, "2")
	same(t, c.heard(), []string{"alice " + audio.Ref, "alice " + second.Ref})
	c.phase(PhaseDelivering)
	id = c.rings("alice")
	c.answered(id)
	play, _ = c.press(id, "1").(PlayReply)
	same(t, play.Media, []string{third.Ref})
	c.press(id, "2")
	c.ended(EndMessageLeft)
}

// Who hangs up between two messages has heard the first.
func TestHangingUpBetweenTwoMessagesLeavesTheSecondUnheard(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	second := audio
	second.Ref = "media:01"
	id := c.rings("alice")
	c.message("RE2", second)
	c.answered(id)
	c.press(id, "1")
	c.wait(30 * time.Second)
	c.legStatus(id, StatusCompleted)
	same(t, c.heard(), []string{"alice " + audio.Ref})
	same(t, len(c.state.Voicemail.unheard()), 1)
}

func (c *call) wanted(user string, by, how string) {
	u := c.users[user]
	u.OccupiedBy, u.OccupiedHow = by, how
	c.users[user] = u
}

func TestACallerComesBeforeAMessage(t *testing.T) {
	t.Parallel()
	// Nobody is rung for a message while a call waits for them.
	c := messageLeft(t, func(c *call) { c.onCall = map[int][]integration.User{1: {alice}} })
	id := c.rings("alice")
	c.do(Event{Kind: EventDialed, Leg: id, Result: Done, CallSid: legSid(id)})
	c.legStatus(id, StatusRinging)
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	c.timer(integration.TimerPersonWanted)
	c.leg(id, LegUnreached, ReasonYielded)
	if ends := of[EndLeg](c.effects); len(ends) != 1 {
		t.Errorf("the phone rings on: %+v", c.effects)
	}
	same(t, WaitsFor(c.state), []string{"alice"})
	same(t, Occupies(c.state), []string(nil))
	c.wait(5 * time.Minute).timer("ring")
	c.phase(PhaseDelivering)
	same(t, len(Occupies(c.state)), 0)
	// The call is over: it was no ring for the message.
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	id = c.rings("alice")
	// Whoever picks up while a caller waits hears so.
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	same(t, c.answered(id), Reply(HangupReply{Say: []Prompt{{Key: PromptMessageLater, Number: callerNum}}}))
	c.phase(PhaseDelivering)
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	id = c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	c.timer(integration.TimerPersonWanted)
	// Who listens is left alone; at the next key they are let go.
	if ends := of[EndLeg](c.effects); len(ends) != 0 {
		t.Errorf("whoever listens is cut off: %+v", ends)
	}
	c.leg(id, LegHearing, "")
	c.wait(time.Second)
	same(t, c.press(id, "7"), Reply(HangupReply{Say: []Prompt{{Key: PromptMessageLater, Number: callerNum}}}))
	// Another message is no caller.
	c.wanted("alice", "", "")
	c.timer(integration.TimerPersonFree)
	id = c.rings("alice")
	c.wanted("alice", "CA-of-a-message", integration.OccupiedTelling)
	c.answered(id)
	c.leg(id, LegAsked, "")
}

// Nobody is rung while a caller waits for them, and who has heard the message to its end is free for the
// caller at once.
func TestWhoHasHeardAMessageIsLetGoForACaller(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	c.wanted("alice", "CA-of-a-caller", integration.OccupiedWaiting)
	c.timer(integration.TimerPersonWanted)
	c.leg(id, LegHearing, "")
	c.wait(31 * time.Second)
	same(t, c.press(id, ""), Reply(HangupReply{Say: []Prompt{{Key: PromptMessageTaken, Number: callerNum}}}))
	c.leg(id, LegEnded, ReasonHeard)
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.ended(EndMessageLeft)
}

func TestADeletedRecordingIsSaidToBeGone(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	delete(c.facts.MediaURLs, audio.Ref)
	same(t, c.press(id, "1"), Reply(HangupReply{Say: []Prompt{{Key: PromptMessageGone, Number: callerNum}}}))
	c.ended(EndMessageLeft)
	same(t, c.heard(), []string(nil))
	c.logged("cannot be played: its audio was deleted")
	same(t, c.finding(FindingUnheard), integration.FindingError)
	// In the middle: Twilio asks at the fallback address, with the address of the file.
	c = messageLeft(t, nil)
	id = c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	same(t, c.do(Event{Kind: EventLegAnswer, Leg: id, CallSid: legSid(id), ErrorURL: "https://host.example.com/call-media/1", Code: "11200"}),
		Reply(HangupReply{Say: []Prompt{{Key: PromptMessageGone, Number: callerNum}}}))
	c.ended(EndMessageLeft)
	c.logged("Twilio could not fetch its audio (error 11200)")
}

func TestMessagesAreDeliveredByOptionAndPlatform(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		deliver      Deliver
		pages, plays bool
		format       int // that is to be written
		delivered    bool
	}{
		{DeliverAuto, false, true, 0, true},
		{DeliverAuto, true, true, 0, false},
		{DeliverAuto, false, false, 0, false},
		{DeliverOn, true, true, 0, true},
		{DeliverOn, true, false, 0, false},
		{DeliverOff, false, true, 0, false},
		{"", false, true, 0, true},
		{DeliverOn, false, true, FormatDelivery, true},
		{DeliverOn, false, true, FormatDelivery - 1, false}, // a host of the release before may have to read it
	} {
		conf := withVoicemail()
		conf.Deliver = x.deliver
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.PagesByItself, c.facts.Instance.Capabilities.CallMedia = x.pages, x.plays
		c.facts.WriteFormats.State = x.format
		c.holding()
		c.do(Event{Kind: EventHoldKey, QueueSid: queueSid, Digits: "*"})
		c.do(Event{Kind: EventLeft, QueueResult: "leave"})
		c.message("RE1", audio)
		if got := c.state.Phase == PhaseDelivering; got != x.delivered {
			t.Errorf("%+v: delivered %v", x, got)
		}
		// What has begun is written as what it is, whatever is asked for.
		if _, format, err := Write(c.state, FormatDelivery-1); err != nil || (format == FormatDelivery) != x.delivered {
			t.Errorf("%+v: written in format %d, %v", x, format, err)
		}
	}
}

// A message whose audio comes hours later is delivered then.
func TestAudioThatComesLateIsDelivered(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	c := newCall(t, conf)
	c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
	c.holding()
	c.do(Event{Kind: EventHoldKey, QueueSid: queueSid, Digits: "*"})
	c.do(Event{Kind: EventLeft, QueueResult: "leave"})
	c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 23})
	c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 23})
	c.wait(fetchPatience).timer("recording")
	c.ended(EndMessageLeft)
	c.wait(2 * time.Hour)
	c.do(Event{Kind: EventFetched, Result: Done, RecordingSid: "RE1", Media: &audio})
	c.phase(PhaseDelivering)
	same(t, c.state.End, EndMessageLeft)
}

// Whoever has heard one call's message goes on to another's that waits for them, on the same leg.
func TestOneLegGoesOnToTheMessagesOfAnotherCall(t *testing.T) {
	t.Parallel()
	const other = "CA00000000000000000000000000000009"
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "1")
	u := c.users["alice"]
	u.AwaitedBy = []string{other}
	c.users["alice"] = u
	same(t, c.press(id, "2"), Reply(JoinReply{Say: say(PromptMessageNext), Call: other, Leg: 1}))
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.phase(PhaseDelivering) // the leg is this call's until it is over
	same(t, Occupies(c.state), []string{"alice"})

	// The other call, for which she could not be rung meanwhile.
	o := messageLeft(t, func(c *call) {
		c.wanted("alice", callerSid, integration.OccupiedTelling)
		c.onCall = map[int][]integration.User{1: {alice}}
	})
	same(t, WaitsFor(o.state), []string{"alice"})
	joins := Event{Kind: EventLegJoins, CallSid: legSid(id), Phone: alicePhone, Step: 1, CallStatus: StatusInProgress}
	stranger := joins
	stranger.Phone = bobPhone
	same(t, o.do(stranger), Reply(HangupReply{Say: say(PromptGoodbye)}))
	ask, ok := o.do(joins).(AskReply)
	if !ok || ask.Say[0].Key != PromptMessage {
		t.Fatalf("who joins hears %#v", o.reply)
	}
	same(t, o.do(joins), Reply(ask)) // the request came twice
	guest := ask.Leg
	o.do(Event{Kind: EventLegKey, Leg: guest, CallSid: legSid(id), Digits: "1", Step: 1})
	acknowledged := *o
	same(t, acknowledged.do(Event{Kind: EventLegKey, Leg: guest, CallSid: legSid(id), Digits: "2", Step: 2}), Reply(JoinReply{Call: callerSid, Leg: 1, Back: true}))
	acknowledged.ended(EndMessageLeft)
	back := *c
	same(t, back.do(Event{Kind: EventLegAnswer, Leg: id, CallSid: legSid(id)}), Reply(HangupReply{Say: []Prompt{{Key: PromptGoodbye, Number: callerNum}}}))
	back.ended(EndMessageLeft)
	o.wait(24 * time.Second)
	// She hangs up instead. Twilio says so to the first call, which lets her go; this one is told by the
	// host.
	c.wait(24 * time.Second)
	c.legStatus(id, StatusCompleted)
	c.ended(EndMessageLeft)
	same(t, WaitsFor(o.state), []string{"alice"})
	o.wanted("alice", "", "")
	o.timer(integration.TimerPersonFree)
	if looks := of[LookLeg](o.effects); len(looks) != 1 || looks[0].CallSid != legSid(id) {
		t.Fatalf("Twilio is not asked for her leg: %+v", o.effects)
	}
	o.do(Event{Kind: EventLookedAtLeg, Leg: guest, Result: Done, CallSid: legSid(id), CallStatus: StatusCompleted})
	same(t, o.heard(), []string{"alice " + audio.Ref})
	o.ended(EndMessageLeft)
	if n := len(of[DialLeg](o.all)); n > 0 {
		t.Errorf("her phone rang %d times more", n)
	}
}
