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
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// messageLeft is a call whose message is there to be heard: nobody took the call, and the audio has
// been fetched.
func messageLeft(t *testing.T, change func(*testCall)) *testCall {
	t.Helper()
	conf := withVoicemail()
	conf.Reach = config.ReachBoth
	c := newCall(t, conf)
	c.facts.Instance.Capabilities.CallMedia, c.facts.Instance.Capabilities.PagesByItself = true, false
	if change != nil {
		change(c)
	}
	c.holding()
	c.do(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
	c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
	c.message("RE1", audio)
	c.phase(call.PhaseDelivering)
	c.alert(integration.AlertOpen, 1)
	c.wait(deliverPause).timer("ring")
	return c
}

// message has a recording reported and fetched.
func (c *testCall) message(sid string, media integration.MediaRef) {
	c.t.Helper()
	c.do(event.Event{Kind: event.Recorded, RecordingSid: sid, Seconds: 23})
	c.do(event.Event{Kind: event.Recording, RecordingSid: sid, RecordingStatus: "completed", Seconds: 23})
	media.Duration = 23 * time.Second
	c.do(event.Event{Kind: event.Fetched, Result: event.Done, RecordingSid: sid, Media: &media, Seconds: 23})
	if c.facts.MediaURLs == nil {
		c.facts.MediaURLs = map[string]string{}
	}
	c.facts.MediaURLs[media.Ref] = "https://host.example.com/call-media/" + media.Ref
}

// rings waits for the next phone to be dialed and says whose it is.
func (c *testCall) rings(want string) string {
	c.t.Helper()
	for range 20 {
		for _, l := range c.state.Legs {
			if l.State == call.LegPlanned && l.Message {
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

func (c *testCall) heard() []string {
	var out []string
	for _, h := range of[integration.Heard](c.all) {
		out = append(out, h.User+" "+h.Ref)
	}
	return out
}

func (c *testCall) finding(code string) integration.FindingSeverity {
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
	same(t, call.PlayedMedia(c.state), []string{audio.Ref})
	same(t, call.View(c.state).Ended, string(call.EndMessageLeft))
	id := c.rings("alice")
	same(t, c.answered(id), reply.Reply(reply.Ask{Leg: id, Step: 1, Timeout: keyTimeout, Say: []reply.Prompt{
		{Key: reply.PromptMessage, Team: "DevOps", Number: callerNum, Seconds: 23, Count: 1}, {Key: reply.PromptMessageKeys},
	}}))
	after := []reply.Prompt{{Key: reply.PromptMessageAfter, Number: callerNum}}
	same(t, c.press(id, "1"), reply.Reply(reply.Play{Leg: id, Step: 2, Timeout: keyTimeout, Media: []string{audio.Ref}, Between: say(reply.PromptMessageNext), Say: after}))
	// To its end, then once more.
	c.wait(31 * time.Second)
	same(t, c.press(id, ""), reply.Reply(reply.Ask{Leg: id, Step: 3, Timeout: keyTimeout, Say: after}))
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.phase(call.PhaseDelivering)
	if r, ok := c.press(id, "1").(reply.Play); !ok || len(r.Media) != 1 {
		t.Fatalf("pressing 1 again: %#v", c.reply)
	}
	same(t, c.press(id, "2"), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptMessageTaken, Number: callerNum}}}))
	acks := commands(c.all, integration.AlertAcknowledge)
	if len(acks) != 1 || acks[0].User != "alice" {
		t.Errorf("acknowledged: %+v", acks)
	}
	c.ended(call.EndMessageLeft)
	c.leg(id, call.LegEnded, call.ReasonHeard)
	same(t, c.heard(), []string{"alice " + audio.Ref})
	c.logged("Alice Example (" + alicePhone + ") heard the message.")
	same(t, c.finding(effect.FindingUnheard), integration.FindingSeverity(""))
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
	c.ended(call.EndMessageLeft)
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
		c.legStatus(id, event.StatusCompleted)
		same(t, c.heard(), want)
		for c.state.Phase == call.PhaseDelivering {
			name, at := Deadline(c.state)
			c.now = at
			c.timer(name)
		}
		c.ended(call.EndMessageLeft)
		if unheard := c.finding(effect.FindingUnheard) == integration.FindingError; unheard != (want == nil) {
			t.Errorf("after %s: finding %q", after, c.finding(effect.FindingUnheard))
		}
	}
}

func TestWhoPassesAMessageIsNotRungAgainAndTheNextLayerIs(t *testing.T) {
	t.Parallel()
	c := messageLeft(t, nil)
	id := c.rings("alice")
	c.answered(id)
	same(t, c.press(id, "2"), reply.Reply(reply.Hangup{Say: []reply.Prompt{{Key: reply.PromptPassed, Number: callerNum}}}))
	if n := len(commands(c.all, integration.AlertDecline)) + len(commands(c.all, integration.AlertEscalate)); n > 0 {
		t.Errorf("%d commands to decline or escalate: delivery follows the platform", n)
	}
	c.wait(5 * time.Minute).timer("ring")
	same(t, c.state.Phase, call.PhaseDelivering) // the platform has not reached Bob yet
	c.alert(integration.AlertOpen, 2)
	id = c.rings("bob")
	c.answered(id)
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"bob " + audio.Ref})
	c.ended(call.EndMessageLeft)
}

// A phone that two people share, such as that of a control room, rings once for a message: who has
// passed it is not asked again in somebody else's name.
func TestASharedPhoneRingsOnceForAMessage(t *testing.T) {
	t.Parallel()
	sharing := integration.User{ID: "bob", Name: "Bob Example", Phones: []string{alicePhone}}
	c := messageLeft(t, func(c *testCall) {
		c.users["bob"] = sharing
		c.onCall[2] = []integration.User{sharing}
	})
	id := c.rings("alice")
	c.answered(id)
	c.press(id, "2")
	c.alert(integration.AlertOpen, 2)
	c.pass()
	same(t, len(c.phonesOf("bob")), 0)
	c.ended(call.EndMessageLeft)
}

// Each person is rung once for a message, whatever becomes of the alert: not after an
// acknowledgement that was taken back, nor when they acknowledge the alert after they have passed.
func TestWhoPassedAMessageIsNotRungForItAgain(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(c *testCall){
		"an acknowledgement is taken back": func(c *testCall) {
			c.ack("ack-1", "bob")
			id := c.rings("bob")
			c.answered(id)
			c.press(id, "2")
			c.alert(integration.AlertOpen, 2)
		},
		"they acknowledge": func(c *testCall) { c.ack("ack-1", "alice") },
	} {
		c := messageLeft(t, nil)
		id := c.rings("alice")
		c.answered(id)
		c.press(id, "2")
		then(c)
		for i := 0; c.state.Phase == call.PhaseDelivering && i < 20; i++ {
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
		c.ended(call.EndMessageLeft)
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
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.legStatus(id, event.StatusBusy)
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
	c.do(event.Event{Kind: event.Dialed, Leg: id, Result: event.Done, CallSid: legSid(id)})
	c.ack("ack-1", "bob")
	c.leg(id, call.LegUnreached, call.ReasonNotNeeded)
	id = c.rings("bob")
	c.answered(id)
	c.press(id, "1")
	c.press(id, "2")
	same(t, c.heard(), []string{"bob " + audio.Ref})
	if n := len(commands(c.all, integration.AlertAcknowledge)); n > 0 {
		t.Errorf("%d acknowledgements of ours, though Bob has acknowledged", n)
	}
	c.ended(call.EndMessageLeft)
}

func TestMessagesAreDeliveredByOptionAndPlatform(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		deliver      config.Deliver
		pages, plays bool
		format       int // that is to be written
		delivered    bool
	}{
		{config.DeliverAuto, false, true, 0, true},
		{config.DeliverAuto, true, true, 0, false},
		{config.DeliverAuto, false, false, 0, false},
		{config.DeliverOn, true, true, 0, true},
		{config.DeliverOn, true, false, 0, false},
		{config.DeliverOff, false, true, 0, false},
		{"", false, true, 0, true},
		{config.DeliverOn, false, true, call.FormatDelivery, true},
		// A host of the release before may have to read it.
		{config.DeliverOn, false, true, call.FormatDelivery - 1, false},
	} {
		conf := withVoicemail()
		conf.Deliver = x.deliver
		c := newCall(t, conf)
		c.facts.Instance.Capabilities.PagesByItself, c.facts.Instance.Capabilities.CallMedia = x.pages, x.plays
		c.facts.WriteFormats.State = x.format
		c.holding()
		c.do(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
		c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
		c.message("RE1", audio)
		if got := c.state.Phase == call.PhaseDelivering; got != x.delivered {
			t.Errorf("%+v: delivered %v", x, got)
		}
		// What has begun is written as what it is, whatever is asked for.
		if _, format, err := call.Write(c.state, call.FormatDelivery-1); err != nil || (format == call.FormatDelivery) != x.delivered {
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
	c.do(event.Event{Kind: event.HoldKey, QueueSid: queueSid, Digits: "*"})
	c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 23})
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 23})
	c.wait(fetchPatience).timer("recording")
	c.ended(call.EndMessageLeft)
	c.wait(2 * time.Hour)
	c.do(event.Event{Kind: event.Fetched, Result: event.Done, RecordingSid: "RE1", Media: &audio})
	c.phase(call.PhaseDelivering)
	same(t, c.state.End, call.EndMessageLeft)
}
