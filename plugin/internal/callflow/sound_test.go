package callflow

import (
	"fmt"
	"maps"
	"slices"
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

// soundFiles are fields whose files are at addresses of their own.
func soundFiles(keys ...reply.PromptKey) map[reply.PromptKey]config.Sound {
	out := map[reply.PromptKey]config.Sound{}
	for _, k := range keys {
		out[k] = config.Sound{Title: "Field " + string(k), URLs: []string{fileOf(k)}}
	}
	return out
}

func fileOf(k reply.PromptKey) string { return "https://x.example.com/" + string(k) }

// soundFindings lists the findings about sound files, as "severity field".
func soundFindings(effects []effect.Effect) []string {
	var out []string
	for _, f := range of[integration.Finding](effects) {
		if len(f.Code) > len(effect.FindingSound) && f.Code[:len(effect.FindingSound)] == effect.FindingSound {
			out = append(out, string(f.Severity)+" "+f.Field)
		}
	}
	return out
}

func withFiles(keys ...reply.PromptKey) config.Config {
	c := withVoicemail()
	c.Sounds = soundFiles(keys...)
	return c
}

// allFiles is a form whose every recording field holds a file.
func allFiles() config.Config {
	return withFiles(reply.PromptWelcome, reply.PromptPleaseWait, reply.PromptMusic, reply.PromptBeforeConnect, reply.PromptGreeting, reply.PromptAfterMessage, reply.PromptNoAnswer)
}

func TestADeadFileIsReplacedAtTheFirstFailureOfItsDocument(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key   reply.PromptKey
		reach func(c *testCall) // brings the call to the document that plays it
	}{
		"welcome before the hold": {reply.PromptWelcome, func(c *testCall) { c.arrive() }},
		"welcome before the menu": {reply.PromptWelcome, func(c *testCall) {
			c.facts.Destinations = []integration.Destination{devops, support}
			c.arrive()
		}},
		"greeting": {reply.PromptGreeting, func(c *testCall) {
			c.holding()
			c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
			c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
		}},
		"thanks": {reply.PromptAfterMessage, func(c *testCall) {
			c.holding()
			c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
			c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
			c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Digits: "#"})
		}},
		"goodbye": {reply.PromptNoAnswer, func(c *testCall) {
			c.c.Voicemail = false
			c.holding()
			c.alert(integration.AlertDropped, 0)
			c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
		}},
	} {
		for said, at := range map[string]event.Event{
			"Twilio names the file":     {Kind: event.Arrival, Fallback: true, Code: "11200", ErrorURL: fileOf(tc.key)},
			"Twilio names the document": {Kind: event.Arrival, Fallback: true, Code: "11200", ErrorURL: "https://calls.example.com/", FailedRequest: event.Arrival},
			"Twilio names nothing":      {Kind: event.Resume, Fallback: true},
		} {
			t.Run(name+", "+said, func(t *testing.T) {
				t.Parallel()
				c := newCall(t, allFiles())
				tc.reach(c)
				c.do(at)
				same(t, c.state.Dead, []reply.PromptKey{tc.key})
				want := "warning "
				if at.ErrorURL == fileOf(tc.key) {
					want = "error "
				}
				same(t, soundFindings(c.all), []string{want + string(tc.key)})
				c.logged("Field " + string(tc.key) + " (" + fileOf(tc.key) + ") was replaced by our own sound for this call")
				c.do(at) // told once
				same(t, len(soundFindings(c.all)), 1)
				if c.state.Phase == call.PhaseEnded && c.state.End != call.EndToldGoodbye {
					t.Errorf("the call is over: %s", c.state.Reason)
				}
			})
		}
	}
}

// TestFieldsWithOneAddressAreReplacedTogether holds that it does not matter which of them a
// document was to play, and that a step decides the same each time.
func TestFieldsWithOneAddressAreReplacedTogether(t *testing.T) {
	t.Parallel()
	for range 20 { // a map has another order each time
		conf := allFiles()
		for k, s := range conf.Sounds {
			s.URLs = []string{fileOf(reply.PromptWelcome)}
			conf.Sounds[k] = s
		}
		c := newCall(t, conf)
		c.arrive()
		c.do(event.Event{Kind: event.Arrival, Fallback: true, Code: "11200", ErrorURL: fileOf(reply.PromptWelcome)})
		same(t, c.state.Dead, slices.Sorted(maps.Keys(conf.Sounds)))
		same(t, len(soundFindings(c.all)), len(conf.Sounds))
	}
}

func TestARequestThatFailedIsNoDeadFile(t *testing.T) {
	t.Parallel()
	c := newCall(t, allFiles())
	// The first that comes.
	c.do(event.Event{Kind: event.Arrival, Fallback: true, Code: "11205", ErrorURL: "https://calls.example.com/", FailedRequest: event.Arrival})
	c.facts.Destinations = []integration.Destination{devops, support}
	same(t, len(c.state.Dead), 0)
	c = newCall(t, allFiles())
	c.facts.Destinations = []integration.Destination{devops, support}
	c.arrive()
	c.do(event.Event{Kind: event.Arrival, Fallback: true, Code: "11200", ErrorURL: "https://calls.example.com/menu", FailedRequest: event.MenuKeys})
	c.do(event.Event{Kind: event.Arrival}) // the same request come twice
	same(t, len(c.state.Dead), 0)
	c = newCall(t, allFiles()).holding()
	c.do(event.Event{Kind: event.Resume, Fallback: true}) // a document without files
	same(t, len(c.state.Dead), 0)
	// The caller is on the way to voicemail, and was given nothing yet.
	c = newCall(t, allFiles()).holding()
	c.alert(integration.AlertDropped, 0)
	c.do(event.Event{Kind: event.Resume, Fallback: true})
	same(t, len(c.state.Dead), 0)
}

func TestTheAnswerAtTheFallbackAddressPlaysNoFileThatMayBeDead(t *testing.T) {
	t.Parallel()
	conf := allFiles()
	conf.StraightToVoicemail = true
	c := newCall(t, conf)
	c.arrive() // welcome and greeting in one document
	c.do(event.Event{Kind: event.Arrival, Fallback: true, Code: "11200", ErrorURL: fileOf(reply.PromptWelcome)})
	same(t, c.state.Dead, []reply.PromptKey{reply.PromptWelcome, reply.PromptGreeting})
	same(t, soundFindings(c.all), []string{"error welcome"})
}

func TestDeadHoldMusicKeepsTheCallerAndThePhonesThatRing(t *testing.T) {
	t.Parallel()
	c := newCall(t, withFiles(reply.PromptMusic)).holding()
	c.wait(5 * time.Minute)
	c.ack("a1", "alice")
	c.do(event.Event{Kind: event.Dialed, Leg: "1", Result: event.Done, CallSid: legSid("1")})
	if r, ok := c.do(event.Event{Kind: event.Left, QueueResult: "error", QueueTime: 5 * time.Minute}).(reply.Enqueue); !ok || r.Step != c.state.Step {
		t.Fatalf("reply = %T", c.reply)
	}
	same(t, c.state.Dead, []reply.PromptKey{reply.PromptMusic})
	same(t, soundFindings(c.all), []string{"error wait_music"})
	same(t, c.state.Hold.Errors, 0)
	same(t, ends(c.all), []string(nil))
	for range holdRetries {
		c.hold()
		c.do(event.Event{Kind: event.Left, QueueResult: "error"})
		c.phase(call.PhaseHolding)
	}
	c.do(event.Event{Kind: event.Left, QueueResult: "error"}) // not the file's fault any more
	c.phase(call.PhaseLeavingMessage)
}

func TestADeadWordBeforeTheMusicIsSaidInOurOwnWords(t *testing.T) {
	t.Parallel()
	c := newCall(t, withFiles(reply.PromptPleaseWait)).holding()
	c.do(event.Event{Kind: event.Left, QueueResult: "error", QueueTime: time.Second})
	same(t, c.state.Dead, []reply.PromptKey{reply.PromptPleaseWait})
	r, _ := c.hold().(reply.Hold)
	same(t, r.Say, say(reply.PromptPleaseWait))
	// Later in the hold the music alone is played.
	c = newCall(t, withFiles(reply.PromptPleaseWait, reply.PromptMusic)).holding()
	c.wait(5 * time.Minute)
	c.do(event.Event{Kind: event.Left, QueueResult: "error", QueueTime: 5 * time.Minute})
	same(t, c.state.Dead, []reply.PromptKey{reply.PromptMusic})
}

func TestDeadHoldMusicDoesNotLoseTheResponderWhoIsBeingConnected(t *testing.T) {
	t.Parallel()
	c := newCall(t, withFiles(reply.PromptMusic)).holding()
	c.ack("a1", "alice")
	c.answered("1")
	c.press("1", "1")
	if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "error"}).(reply.Enqueue); !ok {
		t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
	}
	c.phase(call.PhaseConnecting)
	same(t, ends(c.all), []string(nil))
	c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
	c.phase(call.PhaseTalking)
}

func TestADeadAnnouncementConnectsTheTwoOnceMore(t *testing.T) {
	t.Parallel()
	// Twilio may try a file for longer than the shortest conversation before it gives it up.
	for _, tried := range []time.Duration{0, shortBridge - time.Second, shortBridge + time.Second, 3 * shortBridge} {
		t.Run(fmt.Sprintf("the queue ends with an error after %s", tried), func(t *testing.T) {
			t.Parallel()
			c := newCall(t, withFiles(reply.PromptBeforeConnect)).talking()
			left := event.Event{Kind: event.Left, QueueResult: "error", Step: c.state.Step}
			c.wait(tried)
			if _, ok := c.do(left).(reply.Enqueue); !ok {
				t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
			}
			if _, ok := c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo}).(reply.DialQueue); !ok {
				t.Fatalf("reply = %T, want reply.DialQueue", c.reply)
			}
			c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
			c.wait(time.Minute)
			c.do(event.Event{Kind: event.Left, QueueResult: "bridged", Step: left.Step})
			same(t, c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeYes, Seconds: 60}), reply.Reply(reply.Hangup{}))
			c.ended(call.EndConnected)
		})
		t.Run(fmt.Sprintf("the leg's end comes before the queue's, after %s", tried), func(t *testing.T) {
			t.Parallel()
			c := newCall(t, withFiles(reply.PromptBeforeConnect)).talking()
			left := event.Event{Kind: event.Left, QueueResult: "error", Step: c.state.Step}
			c.wait(tried)
			if _, ok := c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo}).(reply.DialQueue); !ok {
				t.Fatalf("reply = %T, want reply.DialQueue", c.reply)
			}
			if _, ok := c.do(left).(reply.Enqueue); !ok {
				t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
			}
			c.phase(call.PhaseConnecting)
			same(t, len(of[effect.EndLeg](c.all)), 0)
		})
	}
	for name, resume := range map[string]bool{"the caller's request comes first": true, "the leg's end comes first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, withFiles(reply.PromptBeforeConnect)).talking()
			c.wait(3 * shortBridge)
			fallback := event.Event{Kind: event.Arrival, Fallback: true, Code: "11200", ErrorURL: fileOf(reply.PromptBeforeConnect)}
			if resume {
				if _, ok := c.do(fallback).(reply.Enqueue); !ok {
					t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
				}
			}
			ended := event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1"), Bridged: event.BridgeNo}
			if !resume {
				if _, ok := c.do(ended).(reply.DialQueue); !ok {
					t.Fatalf("reply = %T, want reply.DialQueue", c.reply)
				}
				c.phase(call.PhaseConnecting)
				c.do(fallback)
				c.do(event.Event{Kind: event.Announce, DequeuedBy: legSid("1")})
				c.phase(call.PhaseTalking)
				// It was not the file: this time the caller goes on waiting.
				c.do(ended)
				c.phase(call.PhaseHolding)
				return
			}
			// Twilio named the file, so it is not suspected at the leg's end: the two are kept
			// apart once.
			c.do(ended)
			same(t, soundFindings(c.all), []string{"error before_connect"})
			c.phase(call.PhaseConnecting)
		})
	}
}

func TestTwiliosWordOnTheCallersNumberIsAFieldOfTheAlert(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"TN-Validation-Passed-A": "verified: the caller may use this number", "TN-Validation-Passed-C": "verified in part: the carrier knows the call, not the right to the number",
		"TN-Validation-Failed-A": "failed: the number may be forged", "No-TN-Validation": "none: the carrier says nothing of the number", "New-Word": "New-Word",
	} {
		d := draft.New(call.Caller{Number: callerNum, Attest: word})
		if f := d.Fields[len(d.Fields)-1]; f.Label != "Caller ID Verification" || f.Value != want {
			t.Errorf("%s: %+v", word, f)
		}
	}
}
