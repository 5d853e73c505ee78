package callflow

import (
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

var audio = integration.MediaRef{Ref: "media:00", Name: "voicemail.mp3", ContentType: "audio/mpeg", Bytes: 100, Duration: 7 * time.Second}

// leaveMessage records a message in a call that was given the recording document, and has it
// fetched.
func leaveMessage(c *testCall) {
	c.t.Helper()
	c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 8, Digits: "#"})
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	c.ended(call.EndMessageLeft)
}

func TestPT47to48_StraightToVoicemail(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := menuCall(t, conf, 2)
	c.phase(call.PhaseChoosing)
	if _, ok := c.keys("2").(reply.Record); !ok {
		t.Fatalf("reply = %T, want reply.Record", c.reply)
	}
	same(t, len(commands(c.all, integration.AlertRoute)), 0)
	leaveMessage(c)
	same(t, commands(c.all, integration.AlertRoute)[0].Teams, []string{"t02"})
}

func TestPT49_StraightToVoicemailWithoutMessage(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := newCall(t, conf)
	c.arrive()
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.phase(call.PhaseAwaitingRecording)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	c.wait(time.Minute).timer("recording")
	same(t, len(of[effect.LookRecordings](c.effects)), 1)
	c.do(event.Event{Kind: event.RecordingsList, Result: event.NotFound})
	c.ended(call.EndNoMessage)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
}

func TestPT50_MissedCallIsRouted(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail, conf.SkipResolveOnHangup = true, true
	c := newCall(t, conf)
	c.arrive()
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "absent"})
	c.ended(call.EndNoMessage)
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	c.logged("Call back " + callerNum)
}

func TestPT51_CallOverBeforeTheRecordAction(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := newCall(t, conf)
	c.arrive()
	c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
	same(t, c.do(event.Event{Kind: event.Recorded, CallStatus: event.StatusCompleted, Digits: "hangup", RecordingSid: "RE1", Seconds: 4}), reply.Reply(reply.Empty{}))
	c.phase(call.PhaseAwaitingRecording)
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 4})
	c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
	c.ended(call.EndMessageLeft)
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestPT59_AcknowledgedWhileAMessageIsLeft(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.do(event.Event{Kind: event.HoldKey, Digits: "*"})
	c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
	c.ack("a1", "alice")
	same(t, len(of[effect.DialLeg](c.all)), 0)
	c.phase(call.PhaseLeavingMessage)
	c.logged("nobody is rung")
	leaveMessage(c)
}

func TestPT60to62_DroppedThenVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	c.phase(call.PhaseLeavingMessage)
	same(t, of[effect.Dequeue](c.effects)[0].QueueSid, queueSid)
	// The caller is taken out by REST, or leaves at a tick: both lead to the same document.
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	r, _ := c.do(event.Event{Kind: event.Voicemail}).(reply.Record)
	same(t, r, reply.Record{Step: c.state.Step, Say: say(reply.PromptGreeting), MaxLength: time.Minute, Silence: 10 * time.Second, FinishOnKey: "#"})
	same(t, c.do(event.Event{Kind: event.Left, QueueResult: "redirected"}), reply.Reply(reply.Empty{}))
	same(t, c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Digits: "#"}), reply.Reply(reply.Hangup{Say: say(reply.PromptAfterMessage)}))
	leaveMessage(c)
	same(t, *commands(c.all, integration.AlertAttach)[0].Media, audio)
	// Nobody looks at a dropped alert: it is opened and routed once more.
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 2)
}

func TestPT63_NoVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding()
	c.alert(integration.AlertDropped, 0)
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	same(t, c.do(event.Event{Kind: event.Left, QueueResult: "leave"}), reply.Reply(reply.Hangup{Say: say(reply.PromptNoAnswer)}))
	c.ended(call.EndToldGoodbye)
	same(t, c.do(event.Event{Kind: event.Left, QueueResult: "leave"}), reply.Reply(reply.Hangup{Say: say(reply.PromptNoAnswer)}))
	c.logged("Call back " + callerNum)
}

func TestPT65_RecordingCountsWhenComplete(t *testing.T) {
	t.Parallel()
	voicemail := func(t *testing.T) *testCall {
		c := newCall(t, withVoicemail()).holding()
		c.alert(integration.AlertDropped, 0)
		c.do(event.Event{Kind: event.Voicemail})
		return c
	}
	t.Run("mailed once, however often it is told", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		leaveMessage(c)
		c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
		c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1"})
		c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
		same(t, len(of[effect.Mail](c.all)), 1)
		same(t, len(commands(c.all, integration.AlertAttach)), 1)
		same(t, len(of[effect.FetchRecording](c.all)), 1)
	})
	t.Run("absent", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1"})
		c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "absent"})
		c.ended(call.EndNoMessage)
		same(t, len(of[effect.Mail](c.all)), 0)
	})
	t.Run("absent, as the fetch finds", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
		c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.NotFound, RecordingStatus: "absent"})
		c.ended(call.EndNoMessage)
		same(t, len(of[effect.Mail](c.all)), 0)
	})
	t.Run("no callback: looked up 60 s after", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 4})
		_, at := Deadline(c.state)
		same(t, at, c.now.Add(time.Minute))
		c.wait(time.Minute).timer("recording")
		c.do(event.Event{Kind: event.RecordingsList, Result: event.Done, Recordings: []event.ListedRecording{{Sid: "RE1", Status: "processing"}}})
		c.wait(30 * time.Second).timer("recording")
		c.do(event.Event{Kind: event.RecordingsList, Result: event.Done, Recordings: []event.ListedRecording{{Sid: "RE1", Status: "completed", Seconds: 4}}})
		same(t, len(of[effect.FetchRecording](c.all)), 1)
	})
	t.Run("not fetched in five minutes: delivered without audio, which follows", func(t *testing.T) {
		t.Parallel()
		conf := withVoicemail()
		conf.DeleteRecording = true
		c := newCall(t, conf).holding()
		c.alert(integration.AlertDropped, 0)
		c.do(event.Event{Kind: event.Voicemail})
		c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1", Seconds: 4})
		c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 4})
		c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.NotFound})
		same(t, len(of[effect.FetchRecording](c.effects)), 1)
		c.wait(5 * time.Minute).timer("recording")
		c.ended(call.EndMessageLeft)
		same(t, of[effect.Mail](c.effects)[0].Media, (*integration.MediaRef)(nil))
		same(t, len(of[effect.FetchRecording](c.effects)), 1)
		c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
		same(t, len(commands(c.effects, integration.AlertAttach)), 1)
		same(t, len(of[effect.Mail](c.all)), 1)
		same(t, len(of[effect.DeleteRecording](c.all)), 1)
	})
	t.Run("a message that comes to light after the end", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
		c.wait(time.Minute).timer("recording")
		c.do(event.Event{Kind: event.RecordingsList, Result: event.NotFound})
		c.ended(call.EndNoMessage)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
		c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 4})
		c.do(event.Event{Kind: event.Fetched, RecordingSid: "RE1", Result: event.Done, Media: &audio})
		c.ended(call.EndNoMessage)
		same(t, len(of[effect.Mail](c.all)), 1)
		same(t, len(commands(c.all, integration.AlertReopen)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 2)
	})
	t.Run("what was recorded cannot be found out", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(event.Event{Kind: event.CallStatus, CallStatus: event.StatusCompleted})
		for range 20 {
			c.wait(30 * time.Second).timer("recording")
			c.do(event.Event{Kind: event.RecordingsList, Result: event.Failed})
		}
		c.ended(call.EndNoMessage)
		same(t, len(commands(c.all, integration.AlertResolve)), 0)
	})
}

func TestARecordingThatWasNotAskedForIsNoMessage(t *testing.T) {
	t.Parallel()
	c := newCall(t, config.Defaults()).holding() // no voicemail
	c.alert(integration.AlertDropped, 0)
	same(t, c.do(event.Event{Kind: event.Recorded, RecordingSid: "RE1"}), reply.Reply(reply.Hangup{Say: say(reply.PromptNoAnswer)}))
	c.do(event.Event{Kind: event.Recording, RecordingSid: "RE1", RecordingStatus: "completed"})
	c.ended(call.EndToldGoodbye)
	same(t, len(of[effect.FetchRecording](c.all)), 0)
}

func TestTranscriptionIsAddedOnce(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Transcribe = true
	c := newCall(t, conf).holding()
	c.alert(integration.AlertDropped, 0)
	r, _ := c.do(event.Event{Kind: event.Voicemail}).(reply.Record)
	same(t, r.Transcribe, true)
	leaveMessage(c)
	for range 2 {
		c.do(event.Event{Kind: event.Transcription, RecordingSid: "RE1", Text: "please call back"})
		c.do(event.Event{Kind: event.Transcription, RecordingSid: "RE2", Text: "forged"})
	}
	same(t, len(commands(c.all, integration.AlertAddField)), 1)
}

func TestPT66_MailSaysWhoForWhomAndWhen(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Transcribe = true
	for name, tc := range map[string]struct {
		caller call.Caller
		text   string // of the transcript; "" = it comes later
		want   effect.Mail
	}{
		"everything known": {call.Caller{Number: callerNum, Called: calledNum, Name: "EXAMPLE INC", City: "WASHINGTON", State: "DC", Country: "US"}, "please call back", effect.Mail{
			Subject: "Voicemail from " + callerNum + " for DevOps", Lead: callerNum + " left a voicemail message of 7 s. Call back " + callerNum + ".", Transcript: "please call back",
			Fields: []integration.AlertField{
				draft.PhoneField("Caller", callerNum), draft.TextField("Caller's name", "EXAMPLE INC"), draft.TextField("From", "WASHINGTON, DC, US"), draft.PhoneField("Called", calledNum),
				draft.TextField("Team", "DevOps"), draft.TextField("Time", "Mon 5 Jan 2026 09:00 UTC"), draft.TextField("Length", "7 s"),
			},
		}},
		"withheld": {call.Caller{Called: calledNum}, "", effect.Mail{
			Subject: "Voicemail from a withheld number for DevOps", Lead: "A caller with a withheld number left a voicemail message of 7 s. The caller's number was withheld.",
			Fields: []integration.AlertField{draft.TextField("Caller", "withheld"), draft.PhoneField("Called", calledNum), draft.TextField("Team", "DevOps"), draft.TextField("Time", "Mon 5 Jan 2026 09:00 UTC"), draft.TextField("Length", "7 s")},
		}},
		"SIP": {call.Caller{Address: "sip:alice@example.com"}, "", effect.Mail{
			Subject: "Voicemail from sip:alice@example.com for DevOps", Lead: "sip:alice@example.com left a voicemail message of 7 s. The caller's address is sip:alice@example.com; it is no number to call back.",
			Fields: []integration.AlertField{draft.TextField("Caller", "sip:alice@example.com"), draft.TextField("Team", "DevOps"), draft.TextField("Time", "Mon 5 Jan 2026 09:00 UTC"), draft.TextField("Length", "7 s")},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, conf)
			caller := tc.caller
			caller.Sid = callerSid
			c.do(event.Event{Kind: event.Arrival, Caller: &caller})
			c.alert(integration.AlertDropped, 0)
			c.do(event.Event{Kind: event.Left, QueueResult: "leave"})
			if tc.text != "" {
				c.do(event.Event{Kind: event.Transcription, RecordingSid: "RE1", Text: tc.text})
			}
			leaveMessage(c)
			c.do(event.Event{Kind: event.Transcription, RecordingSid: "RE1", Text: "late"})
			tc.want.Key, tc.want.Teams, tc.want.Media, tc.want.At = "voicemail", []string{"devops"}, &audio, c.now
			same(t, of[effect.Mail](c.all), []effect.Mail{tc.want})
			fields := commands(c.all, integration.AlertAddField)
			same(t, len(fields), 1)
			want := tc.text
			if want == "" {
				want = "late"
			}
			same(t, *fields[0].Field, integration.AlertField{Label: "Voicemail Transcription", Value: want, Format: integration.FieldText})
			same(t, c.state.Voicemail.Recordings[0].Transcript, "")
		})
	}
}

func TestPT67_ResolvedOrDeletedWhileHolding(t *testing.T) {
	t.Parallel()
	for status, exit := range map[integration.AlertStatus]call.Exit{integration.AlertResolved: call.ExitResolved, integration.AlertDeleted: call.ExitDeleted, integration.AlertDropped: call.ExitDropped} {
		c := newCall(t, withVoicemail()).holding()
		c.alert(status, 1)
		c.phase(call.PhaseLeavingMessage)
		same(t, c.state.Exit, exit)
	}
}

func TestPT67_ReadAtATickWhenTheHintWasLost(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.wait(15 * time.Second)
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertResolved, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
}

func TestPT68_UnknownCallsAreAnswered(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		if Request(kind) {
			// Do fails without a reply.
			newCall(t, config.Defaults()).do(event.Event{Kind: kind, Leg: "1", Auth: event.AuthNoToken})
		}
	}
	// A caller in the queue whose session is gone is served like a new one.
	c := newCall(t, config.Defaults())
	same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	if _, ok := c.do(event.Event{Kind: event.Left, QueueResult: "leave"}).(reply.Enqueue); !ok {
		t.Fatalf("reply = %T, want reply.Enqueue", c.reply)
	}
}

func TestPT69to71_MaxWait(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.MaxWait = 30 * time.Second
	t.Run("by timer", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		timers := of[effect.StartTimer](c.all)
		if !slices.ContainsFunc(timers, func(x effect.StartTimer) bool {
			return x.Task.Name == "max-wait" && x.At.Equal(start.Add(conf.MaxWait))
		}) {
			t.Fatalf("no max-wait timer in %v", timers)
		}
		c.wait(30 * time.Second).timer("max-wait")
		c.phase(call.PhaseLeavingMessage)
	})
	t.Run("by tick, the timer being lost", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		c.wait(31 * time.Second)
		same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
		same(t, len(of[effect.Dequeue](c.effects)), 0)
	})
	t.Run("waits for legs, and an accept wins", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		c.ack("a1", "alice")
		c.answered("1")
		c.wait(31 * time.Second)
		c.hold()
		c.phase(call.PhaseHolding)
		same(t, c.state.Exit, call.ExitMaxWait)
		c.ack("a2", "bob")
		same(t, len(of[effect.DialLeg](c.all)), 1)
		c.press("1", "1")
		c.phase(call.PhaseConnecting)
		// Not connected after all: the exit is taken at once.
		c.do(event.Event{Kind: event.LegEnded, Leg: "1", CallSid: legSid("1")})
		c.phase(call.PhaseLeavingMessage)
	})
	t.Run("before the first tick the exit waits for it", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf)
		c.arrive()
		c.wait(31 * time.Second).timer("max-wait")
		c.phase(call.PhaseLeavingMessage)
		same(t, len(of[effect.Dequeue](c.all)), 0)
		same(t, c.hold(), reply.Reply(reply.LeaveQueue{}))
	})
	t.Run("a timer that goes off too early is started again", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		c.wait(time.Second).timer("max-wait")
		c.phase(call.PhaseHolding)
		same(t, of[effect.StartTimer](c.effects)[0].At, start.Add(30*time.Second))
	})
}
