package callflow

import (
	"fmt"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

// soundFiles are fields whose files are at addresses of their own.
func soundFiles(keys ...PromptKey) map[PromptKey]Sound {
	out := map[PromptKey]Sound{}
	for _, k := range keys {
		out[k] = Sound{Title: "Field " + string(k), URLs: []string{fileOf(k)}}
	}
	return out
}

func fileOf(k PromptKey) string { return "https://x.example.com/" + string(k) }

// soundFindings lists the findings about sound files, as "severity field".
func soundFindings(effects []Effect) []string {
	var out []string
	for _, f := range of[integration.Finding](effects) {
		if len(f.Code) > len(FindingSound) && f.Code[:len(FindingSound)] == FindingSound {
			out = append(out, string(f.Severity)+" "+f.Field)
		}
	}
	return out
}

func withFiles(keys ...PromptKey) Config {
	c := withVoicemail()
	c.Sounds = soundFiles(keys...)
	return c
}

// allFiles is a form whose every recording field holds a file.
func allFiles() Config {
	return withFiles(PromptWelcome, PromptPleaseWait, PromptMusic, PromptBeforeConnect, PromptGreeting, PromptAfterMessage, PromptNoAnswer)
}

func TestADeadFileIsReplacedAtTheFirstFailureOfItsDocument(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key   PromptKey
		reach func(c *call) // brings the call to the document that plays it
	}{
		"welcome before the hold": {PromptWelcome, func(c *call) { c.arrive() }},
		"welcome before the menu": {PromptWelcome, func(c *call) {
			c.facts.Destinations = []integration.Destination{devops, support}
			c.arrive()
		}},
		"greeting": {PromptGreeting, func(c *call) {
			c.holding()
			c.do(Event{Kind: EventHoldKey, Digits: "*"})
			c.do(Event{Kind: EventLeft, QueueResult: "leave"})
		}},
		"thanks": {PromptAfterMessage, func(c *call) {
			c.holding()
			c.do(Event{Kind: EventHoldKey, Digits: "*"})
			c.do(Event{Kind: EventLeft, QueueResult: "leave"})
			c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Digits: "#"})
		}},
		"goodbye": {PromptNoAnswer, func(c *call) {
			c.c.Voicemail = false
			c.holding()
			c.alert(integration.AlertDropped, 0)
			c.do(Event{Kind: EventLeft, QueueResult: "leave"})
		}},
	} {
		for said, at := range map[string]Event{
			"Twilio names the file":     {Kind: EventArrival, Fallback: true, Code: "11200", ErrorURL: fileOf(tc.key)},
			"Twilio names the document": {Kind: EventArrival, Fallback: true, Code: "11200", ErrorURL: "https://calls.example.com/", FailedRequest: EventArrival},
			"Twilio names nothing":      {Kind: EventResume, Fallback: true},
		} {
			t.Run(name+", "+said, func(t *testing.T) {
				t.Parallel()
				c := newCall(t, allFiles())
				tc.reach(c)
				c.do(at)
				same(t, c.state.Dead, []PromptKey{tc.key})
				want := "warning "
				if at.ErrorURL == fileOf(tc.key) {
					want = "error "
				}
				same(t, soundFindings(c.all), []string{want + string(tc.key)})
				c.logged("Field " + string(tc.key) + " (" + fileOf(tc.key) + ") was replaced by our own sound for this call")
				c.do(at) // told once
				same(t, len(soundFindings(c.all)), 1)
				if c.state.Phase == PhaseEnded && c.state.End != EndToldGoodbye {
					t.Errorf("the call is over: %s", c.state.Reason)
				}
			})
		}
	}
}

func TestARequestThatFailedIsNoDeadFile(t *testing.T) {
	t.Parallel()
	c := newCall(t, allFiles())
	// The first that comes.
	c.do(Event{Kind: EventArrival, Fallback: true, Code: "11205", ErrorURL: "https://calls.example.com/", FailedRequest: EventArrival})
	c.facts.Destinations = []integration.Destination{devops, support}
	same(t, len(c.state.Dead), 0)
	c = newCall(t, allFiles())
	c.facts.Destinations = []integration.Destination{devops, support}
	c.arrive()
	c.do(Event{Kind: EventArrival, Fallback: true, Code: "11200", ErrorURL: "https://calls.example.com/menu", FailedRequest: EventMenuKeys})
	c.do(Event{Kind: EventArrival}) // the same request come twice
	same(t, len(c.state.Dead), 0)
	c = newCall(t, allFiles()).holding()
	c.do(Event{Kind: EventResume, Fallback: true}) // a document without files
	same(t, len(c.state.Dead), 0)
	// The caller is on the way to voicemail, and was given nothing yet.
	c = newCall(t, allFiles()).holding()
	c.alert(integration.AlertDropped, 0)
	c.do(Event{Kind: EventResume, Fallback: true})
	same(t, len(c.state.Dead), 0)
}

func TestTheAnswerAtTheFallbackAddressPlaysNoFileThatMayBeDead(t *testing.T) {
	t.Parallel()
	conf := allFiles()
	conf.StraightToVoicemail = true
	c := newCall(t, conf)
	c.arrive() // welcome and greeting in one document
	c.do(Event{Kind: EventArrival, Fallback: true, Code: "11200", ErrorURL: fileOf(PromptWelcome)})
	same(t, c.state.Dead, []PromptKey{PromptWelcome, PromptGreeting})
	same(t, soundFindings(c.all), []string{"error welcome"})
}

func TestDeadHoldMusicKeepsTheCallerAndThePhonesThatRing(t *testing.T) {
	t.Parallel()
	c := newCall(t, withFiles(PromptMusic)).holding()
	c.wait(5 * time.Minute)
	c.ack("a1", "alice")
	c.do(Event{Kind: EventDialed, Leg: "1", Result: Done, CallSid: legSid("1")})
	if r, ok := c.do(Event{Kind: EventLeft, QueueResult: "error", QueueTime: 5 * time.Minute}).(EnqueueReply); !ok || r.Step != c.state.Step {
		t.Fatalf("reply = %T", c.reply)
	}
	same(t, c.state.Dead, []PromptKey{PromptMusic})
	same(t, soundFindings(c.all), []string{"error wait_music"})
	same(t, c.state.Hold.Errors, 0)
	same(t, ends(c.all), []string(nil))
	for range holdRetries {
		c.hold()
		c.do(Event{Kind: EventLeft, QueueResult: "error"})
		c.phase(PhaseHolding)
	}
	c.do(Event{Kind: EventLeft, QueueResult: "error"}) // not the file's fault any more
	c.phase(PhaseLeavingMessage)
}

func TestADeadWordBeforeTheMusicIsSaidInOurOwnWords(t *testing.T) {
	t.Parallel()
	c := newCall(t, withFiles(PromptPleaseWait)).holding()
	c.do(Event{Kind: EventLeft, QueueResult: "error", QueueTime: time.Second})
	same(t, c.state.Dead, []PromptKey{PromptPleaseWait})
	r, _ := c.hold().(HoldReply)
	same(t, r.Say, say(PromptPleaseWait))
	// Later in the hold the music alone is played.
	c = newCall(t, withFiles(PromptPleaseWait, PromptMusic)).holding()
	c.wait(5 * time.Minute)
	c.do(Event{Kind: EventLeft, QueueResult: "error", QueueTime: 5 * time.Minute})
	same(t, c.state.Dead, []PromptKey{PromptMusic})
}

func TestDeadHoldMusicDoesNotLoseTheResponderWhoIsBeingConnected(t *testing.T) {
	t.Parallel()
	c := newCall(t, withFiles(PromptMusic)).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	if _, ok := c.do(Event{Kind: EventLeft, QueueResult: "error"}).(EnqueueReply); !ok {
		t.Fatalf("reply = %T, want EnqueueReply", c.reply)
	}
	c.phase(PhaseConnecting)
	same(t, ends(c.all), []string(nil))
	c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
	c.phase(PhaseTalking)
}

func TestADeadAnnouncementConnectsTheTwoOnceMore(t *testing.T) {
	t.Parallel()
	// Twilio may try a file for longer than the shortest conversation before it gives it up.
	for _, tried := range []time.Duration{0, shortBridge - time.Second, shortBridge + time.Second, 3 * shortBridge} {
		t.Run(fmt.Sprintf("the queue ends with an error after %s", tried), func(t *testing.T) {
			t.Parallel()
			c := newCall(t, withFiles(PromptBeforeConnect)).talking()
			left := Event{Kind: EventLeft, QueueResult: "error", Step: c.state.Step}
			c.wait(tried)
			if _, ok := c.do(left).(EnqueueReply); !ok {
				t.Fatalf("reply = %T, want EnqueueReply", c.reply)
			}
			if _, ok := c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeNo}).(DialQueueReply); !ok {
				t.Fatalf("reply = %T, want DialQueueReply", c.reply)
			}
			c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
			c.wait(time.Minute)
			c.do(Event{Kind: EventLeft, QueueResult: "bridged", Step: left.Step})
			same(t, c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeYes, Seconds: 60}), Reply(HangupReply{}))
			c.ended(EndConnected)
		})
		t.Run(fmt.Sprintf("the leg's end comes before the queue's, after %s", tried), func(t *testing.T) {
			t.Parallel()
			c := newCall(t, withFiles(PromptBeforeConnect)).talking()
			left := Event{Kind: EventLeft, QueueResult: "error", Step: c.state.Step}
			c.wait(tried)
			if _, ok := c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeNo}).(DialQueueReply); !ok {
				t.Fatalf("reply = %T, want DialQueueReply", c.reply)
			}
			if _, ok := c.do(left).(EnqueueReply); !ok {
				t.Fatalf("reply = %T, want EnqueueReply", c.reply)
			}
			c.phase(PhaseConnecting)
			same(t, len(of[EndLeg](c.all)), 0)
		})
	}
	for name, resume := range map[string]bool{"the caller's request comes first": true, "the leg's end comes first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, withFiles(PromptBeforeConnect)).talking()
			c.wait(3 * shortBridge)
			fallback := Event{Kind: EventArrival, Fallback: true, Code: "11200", ErrorURL: fileOf(PromptBeforeConnect)}
			if resume {
				if _, ok := c.do(fallback).(EnqueueReply); !ok {
					t.Fatalf("reply = %T, want EnqueueReply", c.reply)
				}
			}
			ended := Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1"), Bridged: BridgeNo}
			if !resume {
				if _, ok := c.do(ended).(DialQueueReply); !ok {
					t.Fatalf("reply = %T, want DialQueueReply", c.reply)
				}
				c.phase(PhaseConnecting)
				c.do(fallback)
				c.do(Event{Kind: EventAnnounce, DequeuedBy: legSid("1")})
				c.phase(PhaseTalking)
				// It was not the file: this time the caller goes on waiting.
				c.do(ended)
				c.phase(PhaseHolding)
				return
			}
			// Twilio named the file, so it is not suspected at the leg's end: the two are kept
			// apart once.
			c.do(ended)
			same(t, soundFindings(c.all), []string{"error before_connect"})
			c.phase(PhaseConnecting)
		})
	}
}

func TestTwiliosWordOnTheCallersNumberIsAFieldOfTheAlert(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"TN-Validation-Passed-A": "verified: the caller may use this number", "TN-Validation-Passed-C": "verified in part: the carrier knows the call, not the right to the number",
		"TN-Validation-Failed-A": "failed: the number may be forged", "No-TN-Validation": "none: the carrier says nothing of the number", "New-Word": "New-Word",
	} {
		d := NewDraft(Caller{Number: callerNum, Attest: word})
		if f := d.Fields[len(d.Fields)-1]; f.Label != "Caller ID Verification" || f.Value != want {
			t.Errorf("%s: %+v", word, f)
		}
	}
}
