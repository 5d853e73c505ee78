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

// A phone that two people share, such as that of a control room, rings once for a message: who has
// passed it is not asked again in somebody else's name.
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

// Each person is rung once for a message, whatever becomes of the alert: not after an
// acknowledgement that was taken back, nor when they acknowledge the alert after they have passed.
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
		// A host of the release before may have to read it.
		{DeliverOn, false, true, FormatDelivery - 1, false},
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
