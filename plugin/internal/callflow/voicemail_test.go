package callflow

import (
	"slices"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/integration"
)

var audio = integration.MediaRef{Ref: "media:00", Name: "voicemail.mp3", ContentType: "audio/mpeg", Bytes: 100, Duration: 7 * time.Second}

// leaveMessage records a message in a call that was given the recording document, and has it
// fetched.
func leaveMessage(c *call) {
	c.t.Helper()
	c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 8, Digits: "#"})
	c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 7})
	c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
	c.ended(EndMessageLeft)
}

func TestPT47to48_StraightToVoicemail(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail = true
	c := menuCall(t, conf, 2)
	c.phase(PhaseChoosing)
	if _, ok := c.keys("2").(RecordReply); !ok {
		t.Fatalf("reply = %T, want RecordReply", c.reply)
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
	c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	c.phase(PhaseAwaitingRecording)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
	c.wait(time.Minute).timer("recording")
	same(t, len(of[LookRecordings](c.effects)), 1)
	c.do(Event{Kind: EventRecordingsList, Result: NotFound})
	c.ended(EndNoMessage)
	same(t, len(commands(c.all, integration.AlertResolve)), 1)
}

func TestPT50_MissedCallIsRouted(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.StraightToVoicemail, conf.SkipResolveOnHangup = true, true
	c := newCall(t, conf)
	c.arrive()
	c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "absent"})
	c.ended(EndNoMessage)
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
	c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
	same(t, c.do(Event{Kind: EventRecorded, CallStatus: StatusCompleted, Digits: "hangup", RecordingSid: "RE1", Seconds: 4}), Reply(EmptyReply{}))
	c.phase(PhaseAwaitingRecording)
	c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 4})
	c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
	c.ended(EndMessageLeft)
	same(t, len(commands(c.all, integration.AlertRoute)), 1)
	same(t, len(commands(c.all, integration.AlertResolve)), 0)
}

func TestPT59_AcknowledgedWhileAMessageIsLeft(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.do(Event{Kind: EventHoldKey, Digits: "*"})
	c.do(Event{Kind: EventLeft, QueueResult: "leave"})
	c.ack("a1", "alice")
	same(t, len(of[DialLeg](c.all)), 0)
	c.phase(PhaseLeavingMessage)
	c.logged("nobody is rung")
	leaveMessage(c)
}

func TestPT60to62_DroppedThenVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.alert(integration.AlertDropped, 0)
	c.phase(PhaseLeavingMessage)
	same(t, of[Dequeue](c.effects)[0].QueueSid, queueSid)
	// The caller is taken out by REST, or leaves at a tick: both lead to the same document.
	same(t, c.hold(), Reply(LeaveQueueReply{}))
	r, _ := c.do(Event{Kind: EventVoicemail}).(RecordReply)
	same(t, r, RecordReply{Step: c.state.Step, Say: say(PromptGreeting), MaxLength: time.Minute, Silence: 10 * time.Second, FinishOnKey: "#"})
	same(t, c.do(Event{Kind: EventLeft, QueueResult: "redirected"}), Reply(EmptyReply{}))
	same(t, c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Digits: "#"}), Reply(HangupReply{Say: say(PromptAfterMessage)}))
	leaveMessage(c)
	same(t, *commands(c.all, integration.AlertAttach)[0].Media, audio)
	// Nobody looks at a dropped alert: it is opened and routed once more.
	same(t, len(commands(c.all, integration.AlertReopen)), 1)
	same(t, len(commands(c.all, integration.AlertRoute)), 2)
}

func TestPT63_NoVoicemail(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding()
	c.alert(integration.AlertDropped, 0)
	same(t, c.hold(), Reply(LeaveQueueReply{}))
	same(t, c.do(Event{Kind: EventLeft, QueueResult: "leave"}), Reply(HangupReply{Say: say(PromptNoAnswer)}))
	c.ended(EndToldGoodbye)
	same(t, c.do(Event{Kind: EventLeft, QueueResult: "leave"}), Reply(HangupReply{Say: say(PromptNoAnswer)}))
	c.logged("Call back " + callerNum)
}

func TestPT65_RecordingCountsWhenComplete(t *testing.T) {
	t.Parallel()
	voicemail := func(t *testing.T) *call {
		c := newCall(t, withVoicemail()).holding()
		c.alert(integration.AlertDropped, 0)
		c.do(Event{Kind: EventVoicemail})
		return c
	}
	t.Run("mailed once, however often it is told", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		leaveMessage(c)
		c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed"})
		c.do(Event{Kind: EventRecorded, RecordingSid: "RE1"})
		c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
		same(t, len(of[Mail](c.all)), 1)
		same(t, len(commands(c.all, integration.AlertAttach)), 1)
		same(t, len(of[FetchRecording](c.all)), 1)
	})
	t.Run("absent", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(Event{Kind: EventRecorded, RecordingSid: "RE1"})
		c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "absent"})
		c.ended(EndNoMessage)
		same(t, len(of[Mail](c.all)), 0)
	})
	t.Run("absent, as the fetch finds", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed"})
		c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: NotFound, RecordingStatus: "absent"})
		c.ended(EndNoMessage)
		same(t, len(of[Mail](c.all)), 0)
	})
	t.Run("no callback: looked up 60 s after", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 4})
		_, at := Deadline(c.state)
		same(t, at, c.now.Add(time.Minute))
		c.wait(time.Minute).timer("recording")
		c.do(Event{Kind: EventRecordingsList, Result: Done, Recordings: []ListedRecording{{Sid: "RE1", Status: "processing"}}})
		c.wait(30 * time.Second).timer("recording")
		c.do(Event{Kind: EventRecordingsList, Result: Done, Recordings: []ListedRecording{{Sid: "RE1", Status: "completed", Seconds: 4}}})
		same(t, len(of[FetchRecording](c.all)), 1)
	})
	t.Run("not fetched in five minutes: delivered without audio, which follows", func(t *testing.T) {
		t.Parallel()
		conf := withVoicemail()
		conf.DeleteRecording = true
		c := newCall(t, conf).holding()
		c.alert(integration.AlertDropped, 0)
		c.do(Event{Kind: EventVoicemail})
		c.do(Event{Kind: EventRecorded, RecordingSid: "RE1", Seconds: 4})
		c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 4})
		c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: NotFound})
		same(t, len(of[FetchRecording](c.effects)), 1)
		c.wait(5 * time.Minute).timer("recording")
		c.ended(EndMessageLeft)
		same(t, of[Mail](c.effects)[0].Media, (*integration.MediaRef)(nil))
		same(t, len(of[FetchRecording](c.effects)), 1)
		c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
		same(t, len(commands(c.effects, integration.AlertAttach)), 1)
		same(t, len(of[Mail](c.all)), 1)
		same(t, len(of[DeleteRecording](c.all)), 1)
	})
	t.Run("a message that comes to light after the end", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
		c.wait(time.Minute).timer("recording")
		c.do(Event{Kind: EventRecordingsList, Result: NotFound})
		c.ended(EndNoMessage)
		same(t, len(commands(c.all, integration.AlertResolve)), 1)
		c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed", Seconds: 4})
		c.do(Event{Kind: EventFetched, RecordingSid: "RE1", Result: Done, Media: &audio})
		c.ended(EndNoMessage)
		same(t, len(of[Mail](c.all)), 1)
		same(t, len(commands(c.all, integration.AlertReopen)), 1)
		same(t, len(commands(c.all, integration.AlertRoute)), 2)
	})
	t.Run("what was recorded cannot be found out", func(t *testing.T) {
		t.Parallel()
		c := voicemail(t)
		c.do(Event{Kind: EventCallStatus, CallStatus: StatusCompleted})
		for range 20 {
			c.wait(30 * time.Second).timer("recording")
			c.do(Event{Kind: EventRecordingsList, Result: Failed})
		}
		c.ended(EndNoMessage)
		same(t, len(commands(c.all, integration.AlertResolve)), 0)
	})
}

func TestARecordingThatWasNotAskedForIsNoMessage(t *testing.T) {
	t.Parallel()
	c := newCall(t, Defaults()).holding() // no voicemail
	c.alert(integration.AlertDropped, 0)
	same(t, c.do(Event{Kind: EventRecorded, RecordingSid: "RE1"}), Reply(HangupReply{Say: say(PromptNoAnswer)}))
	c.do(Event{Kind: EventRecording, RecordingSid: "RE1", RecordingStatus: "completed"})
	c.ended(EndToldGoodbye)
	same(t, len(of[FetchRecording](c.all)), 0)
}

func TestTranscriptionIsAddedOnce(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Transcribe = true
	c := newCall(t, conf).holding()
	c.alert(integration.AlertDropped, 0)
	r, _ := c.do(Event{Kind: EventVoicemail}).(RecordReply)
	same(t, r.Transcribe, true)
	leaveMessage(c)
	for range 2 {
		c.do(Event{Kind: EventTranscription, RecordingSid: "RE1", Text: "please call back"})
		c.do(Event{Kind: EventTranscription, RecordingSid: "RE2", Text: "forged"})
	}
	same(t, len(commands(c.all, integration.AlertAddField)), 1)
}

func TestPT66_MailSaysWhoForWhomAndWhen(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.Transcribe = true
	for name, tc := range map[string]struct {
		caller Caller
		text   string // of the transcript; "" = it comes later
		want   Mail
	}{
		"everything known": {Caller{Number: callerNum, Called: calledNum, Name: "EXAMPLE INC", City: "WASHINGTON", State: "DC", Country: "US"}, "please call back", Mail{
			Subject: "Voicemail from " + callerNum + " for DevOps", Lead: callerNum + " left a voicemail message of 7 s. Call back " + callerNum + ".", Transcript: "please call back",
			Fields: []integration.AlertField{
				phoneField("Caller", callerNum), textField("Caller's name", "EXAMPLE INC"), textField("From", "WASHINGTON, DC, US"), phoneField("Called", calledNum),
				textField("Team", "DevOps"), textField("Time", "Mon 5 Jan 2026 09:00 UTC"), textField("Length", "7 s"),
			},
		}},
		"withheld": {Caller{Called: calledNum}, "", Mail{
			Subject: "Voicemail from a withheld number for DevOps", Lead: "A caller with a withheld number left a voicemail message of 7 s. The caller's number was withheld.",
			Fields: []integration.AlertField{textField("Caller", "withheld"), phoneField("Called", calledNum), textField("Team", "DevOps"), textField("Time", "Mon 5 Jan 2026 09:00 UTC"), textField("Length", "7 s")},
		}},
		"SIP": {Caller{Address: "sip:alice@example.com"}, "", Mail{
			Subject: "Voicemail from sip:alice@example.com for DevOps", Lead: "sip:alice@example.com left a voicemail message of 7 s. The caller's address is sip:alice@example.com; it is no number to call back.",
			Fields: []integration.AlertField{textField("Caller", "sip:alice@example.com"), textField("Team", "DevOps"), textField("Time", "Mon 5 Jan 2026 09:00 UTC"), textField("Length", "7 s")},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCall(t, conf)
			caller := tc.caller
			caller.Sid = callerSid
			c.do(Event{Kind: EventArrival, Caller: &caller})
			c.alert(integration.AlertDropped, 0)
			c.do(Event{Kind: EventLeft, QueueResult: "leave"})
			if tc.text != "" {
				c.do(Event{Kind: EventTranscription, RecordingSid: "RE1", Text: tc.text})
			}
			leaveMessage(c)
			c.do(Event{Kind: EventTranscription, RecordingSid: "RE1", Text: "late"})
			tc.want.Key, tc.want.Teams, tc.want.Media, tc.want.At = "voicemail", []string{"devops"}, &audio, c.now
			same(t, of[Mail](c.all), []Mail{tc.want})
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
	for status, exit := range map[integration.AlertStatus]Exit{integration.AlertResolved: ExitResolved, integration.AlertDeleted: ExitDeleted, integration.AlertDropped: ExitDropped} {
		c := newCall(t, withVoicemail()).holding()
		c.alert(status, 1)
		c.phase(PhaseLeavingMessage)
		same(t, c.state.Exit, exit)
	}
}

func TestPT67_ReadAtATickWhenTheHintWasLost(t *testing.T) {
	t.Parallel()
	c := newCall(t, withVoicemail()).holding()
	c.wait(15 * time.Second)
	c.facts.Alert = &integration.AlertSnapshot{Status: integration.AlertResolved, LastCommand: c.state.Alert.Commands, ReadAt: c.now}
	same(t, c.hold(), Reply(LeaveQueueReply{}))
}

func TestPT68_UnknownCallsAreAnswered(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		if Request(kind) {
			// Do fails without a reply.
			newCall(t, Defaults()).do(Event{Kind: kind, Leg: "1", Auth: AuthNoToken})
		}
	}
	// A caller in the queue whose session is gone is served like a new one.
	c := newCall(t, Defaults())
	same(t, c.hold(), Reply(LeaveQueueReply{}))
	if _, ok := c.do(Event{Kind: EventLeft, QueueResult: "leave"}).(EnqueueReply); !ok {
		t.Fatalf("reply = %T, want EnqueueReply", c.reply)
	}
}

func TestPT69to71_MaxWait(t *testing.T) {
	t.Parallel()
	conf := withVoicemail()
	conf.MaxWait = 30 * time.Second
	t.Run("by timer", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		timers := of[StartTimer](c.all)
		if !slices.ContainsFunc(timers, func(x StartTimer) bool { return x.Task.Name == "max-wait" && x.At.Equal(start.Add(conf.MaxWait)) }) {
			t.Fatalf("no max-wait timer in %v", timers)
		}
		c.wait(30 * time.Second).timer("max-wait")
		c.phase(PhaseLeavingMessage)
	})
	t.Run("by tick, the timer being lost", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		c.wait(31 * time.Second)
		same(t, c.hold(), Reply(LeaveQueueReply{}))
		same(t, len(of[Dequeue](c.effects)), 0)
	})
	t.Run("waits for legs, and an accept wins", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		c.ack("a1", "alice")
		c.answered("1")
		c.wait(31 * time.Second)
		c.hold()
		c.phase(PhaseHolding)
		same(t, c.state.Exit, ExitMaxWait)
		c.ack("a2", "bob")
		same(t, len(of[DialLeg](c.all)), 1)
		c.press("1", "1")
		c.phase(PhaseConnecting)
		// Not connected after all: the exit is taken at once.
		c.do(Event{Kind: EventLegEnded, Leg: "1", CallSid: legSid("1")})
		c.phase(PhaseLeavingMessage)
	})
	t.Run("before the first tick the exit waits for it", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf)
		c.arrive()
		c.wait(31 * time.Second).timer("max-wait")
		c.phase(PhaseLeavingMessage)
		same(t, len(of[Dequeue](c.all)), 0)
		same(t, c.hold(), Reply(LeaveQueueReply{}))
	})
	t.Run("a timer that goes off too early is started again", func(t *testing.T) {
		t.Parallel()
		c := newCall(t, conf).holding()
		c.wait(time.Second).timer("max-wait")
		c.phase(PhaseHolding)
		same(t, of[StartTimer](c.effects)[0].At, start.Add(30*time.Second))
	})
}
