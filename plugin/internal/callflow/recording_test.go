package callflow

import (
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/call"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/config"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/effect"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/event"
	"github.com/livecallrouting/livecall/plugin/internal/callflow/reply"
)

// voicemailOffered is a call that was given the recording document.
func voicemailOffered(t failer) *testCall {
	t.Helper()
	c := newCall(t, withVoicemail()).holding()
	c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
	c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
	c.phase(call.PhaseLeavingMessage)
	return c
}

// fetches lists the recordings whose audio was asked for, in order.
func fetches(effects []effect.Effect) []string {
	var out []string
	for _, f := range of[effect.FetchRecording](effects) {
		out = append(out, f.RecordingSid)
	}
	return out
}

func kept(ref string) *integration.MediaRef {
	m := audio
	m.Ref = ref
	return &m
}

func TestARecordingThatARequestNamedIsFetchedThoughTwilioListsNone(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 9, Digits: "#"})
	c.wait(time.Minute).timer("recording")
	same(t, fetches(c.effects), []string{"RE1"})
	c.do(event.Event{Kind: event.RecordingsList, Result: event.NotFound})
	c.phase(call.PhaseAwaitingRecording)
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	c.ended(call.EndMessageLeft)
	same(t, len(of[effect.Mail](c.all)), 1)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestARecordingIsAbsentOnlyWhenTwilioSaysSoOfIt(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 9})
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE2", RecordingStatus: "absent"})
	c.phase(call.PhaseAwaitingRecording)
	// A finished message that is in no list yet is looked for again, and in the end told of.
	c = voicemailOffered(t)
	c.do(event.Event{Kind: event.Recorded, Digits: "#"})
	for range 12 {
		c.wait(30 * time.Second).timer("recording")
		c.do(event.Event{Kind: event.RecordingsList, Result: event.NotFound})
	}
	c.ended(call.EndNoMessage)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	c.logged("could not be found out. Call back " + callerNum)
}

func TestEveryCompletedRecordingIsAttachedAndMailedOnce(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.c.Unmailed = "this host has no mail server"
	// The request that ended the first recording was lost, and the caller spoke again.
	if _, ok := c.do(event.Event{Kind: event.Resume}).(reply.Record); !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE2", Seconds: 2, Digits: "#"})
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE2", RecordingStatus: "absent"})
	c.phase(call.PhaseAwaitingRecording) // the first may hold the message
	c.wait(time.Minute).timer("recording")
	list := []event.ListedRecording{{Sid: "RE1", Status: "completed", Seconds: 20}, {Sid: "RE2", Status: "absent"}, {Sid: "RE3", Status: "completed", Seconds: 4}}
	c.do(event.Event{Kind: event.RecordingsList, Result: event.Done, Recordings: list})
	same(t, fetches(c.effects), []string{"RE1", "RE3"})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: kept("media:01")})
	c.ended(call.EndMessageLeft)
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE3", Result: event.Done, Media: kept("media:03")})
	// Told again in every way.
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
	c.do(event.Event{Kind: event.RecordingsList, Result: event.Done, Recordings: list})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE3", Result: event.Done, Media: kept("media:03")})
	same(t, fetches(c.all), []string{"RE1", "RE3"})
	var refs, keys []string
	for _, a := range commands(c.all, integration.AlertAttach) {
		refs = append(refs, a.Media.Ref+" "+a.Label)
	}
	for _, m := range of[effect.Mail](c.all) {
		keys = append(keys, m.Key)
	}
	same(t, refs, []string{"media:01 Voicemail", "media:03 Voicemail 2"})
	same(t, keys, []string{"voicemail", "voicemail-2"})
	c.logged("left a further voicemail message of 4 s")
	c.logged("Nobody was mailed about the message, because this host has no mail server")
	c.logged("Nobody was mailed about the further message, because this host has no mail server")
	if name, at := Deadline(c.state); !at.IsZero() {
		t.Errorf("%s is still due at %v", name, at)
	}
}

func TestALostRequestAboutARecordingIsLookedUpAfterAMessageWasDelivered(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.do(event.Event{Kind: event.Resume})
	leaveMessage(c) // the second one
	c.wait(time.Minute).timer("recording")
	same(t, len(of[effect.LookRecordings](c.effects)), 1)
	c.do(event.Event{Kind: event.RecordingsList, Result: event.Done, Recordings: []event.ListedRecording{{Sid: "RE0", Status: "completed"}, {Sid: "RE1", Status: "completed"}}})
	same(t, fetches(c.effects), []string{"RE0"})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE0", Result: event.Done, Media: kept("media:01")})
	same(t, len(of[effect.Mail](c.all)), 2)
}

func TestACallerWhoFinishedAMessageIsThanked(t *testing.T) {
	t.Parallel()
	thanks := reply.Reply(reply.Hangup{Say: say(reply.PromptAfterMessage)})
	for name, request := range map[string]event.Event{
		"at the fallback address": {Kind: event.Arrival}, "resumed": {Kind: event.Resume}, "sent to voicemail again": {Kind: event.Voicemail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := voicemailOffered(t)
			c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 5})
			same(t, c.do(request), thanks)
			c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
			c.ended(call.EndMessageLeft)
			same(t, c.do(request), thanks)
			// Twilio names the request that failed: the one that ends a recording.
			c = voicemailOffered(t)
			request.FailedRequest = event.Recorded
			same(t, c.do(request), thanks)
			c.phase(call.PhaseAwaitingRecording)
		})
	}
}

func TestAFailedRecordingKeepsTheAlertOpen(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1"})
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "failed", Code: "13618"})
	c.ended(call.EndNoMessage)
	c.logged("Twilio could not record the caller's message. (Twilio error 13618)")
	c.logged("Call back " + callerNum)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestAMessageWhoseAudioWasDeletedIsStillTold(t *testing.T) {
	t.Parallel()
	c := voicemailOffered(t)
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 5})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.NotFound, RecordingStatus: "deleted"})
	c.ended(call.EndMessageLeft)
	c.logged("left a voicemail message of 5 s. Its audio was deleted at Twilio before it could be fetched.")
	same(t, len(of[effect.Mail](c.all)), 1)
}

func TestAMessageOnACallWithoutATeamGoesToSomebody(t *testing.T) {
	t.Parallel()
	without := func(t *testing.T, conf config.Config) *testCall {
		c := newCall(t, conf)
		c.facts.Destinations = nil
		if _, ok := c.arrive().(reply.Record); !ok {
			t.Fatalf("reply = %T, want reply.Record", c.reply)
		}
		return c
	}
	t.Run("the destinations' teams", func(t *testing.T) {
		t.Parallel()
		c := without(t, withVoicemail())
		c.facts.Destinations = []integration.Destination{devops}
		leaveMessage(c)
		same(t, commands(c.all, integration.AlertRoute)[0].Teams, []string{"devops"})
		same(t, of[effect.Mail](c.all)[0].Teams, []string{"devops"})
	})
	t.Run("the teams of a router", func(t *testing.T) {
		t.Parallel()
		c := without(t, withVoicemail())
		c.facts.Destinations = []integration.Destination{{Kind: integration.DestinationRouter, ID: "r1"}}
		c.routes["r1"] = integration.RouteVerdict{Default: []integration.Destination{support}}
		leaveMessage(c)
		same(t, of[effect.Mail](c.all)[0].Teams, []string{"support"})
	})
	for want, addresses := range map[string]bool{"nobody was told of it": false, "only the addresses in voicemail_emails were told of it": true} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			conf := withVoicemail()
			conf.MailsAddresses = addresses
			c := without(t, conf)
			leaveMessage(c)
			c.logged(want)
			found := of[integration.Finding](c.effects)
			if len(found) != 1 || found[0].Code != effect.FindingNoTeam || !contains(found[0].Message, want) {
				t.Errorf("findings %+v", found)
			}
		})
	}
}

func TestALookThatFindsNothingTearsNoConversationAndNoRecording(t *testing.T) {
	t.Parallel()
	looks := []event.Event{
		{Kind: event.LookedAtCall, Result: event.NotFound}, {Kind: event.LookedAtCall, Result: event.Failed}, {Kind: event.LookedAtCall, Result: event.Unknown},
		{Kind: event.LookedAtLeg, Leg: "1", Result: event.NotFound}, {Kind: event.LookedAtLeg, Leg: "1", Result: event.Failed},
		// Anybody may have sent it.
		{Kind: event.CallStatus, Auth: event.AuthNoToken, CallStatus: event.StatusCompleted},
	}
	for _, look := range looks {
		c := newCall(t, withVoicemail()).talking()
		c.wait(11 * time.Minute).timer("present")
		c.do(look)
		c.phase(call.PhaseTalking)
		same(t, ends(c.all), []string(nil))

		c = voicemailOffered(t)
		c.wait(2 * time.Minute).timer("present")
		c.do(look)
		c.phase(call.PhaseLeavingMessage)
		c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Digits: "#"})
		c.do(look)
		c.phase(call.PhaseAwaitingRecording)
	}
}
