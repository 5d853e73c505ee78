package account

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/fault"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// Recording statuses. Source: Twilio docs, voice/api/recording, status.
const (
	RecordingInProgress = "in-progress"
	RecordingProcessing = "processing"
	RecordingCompleted  = "completed"
	RecordingAbsent     = "absent"
)

// Only recordings of a length between these are transcribed. Source: Twilio docs,
// voice/twiml/record, transcribe.
const (
	shortestTranscribed = 2 * time.Second
	// LongestTranscribed is also the default of maxLength with transcribe.
	LongestTranscribed = 120 * time.Second
)

// RecordingPlan says what is wanted of a recording.
type RecordingPlan struct {
	Callback       webhook.Target // recordingStatusCallback
	CallbackEvents []string
	Trim           bool // silence at the beginning and the end is cut off
	Transcribe     bool
	Transcription  webhook.Target // transcribeCallback
}

// Recording is a Recording resource and its sound. The account's lock guards it once it is listed.
type Recording struct {
	Sid     string
	Call    *Call
	Started time.Time
	Updated time.Time
	Status  string
	Code    int           // error_code of an absent one
	Length  time.Duration // once it is completed or absent
	Deleted time.Time     // zero: it is not
	// Transcriptions are the SIDs of those that were made and not deleted.
	Transcriptions []string
	plan           RecordingPlan
	stopped        time.Time
	speeches       []Speech // what was said while it ran
}

// IsReady reports whether the recording is completed or absent: nothing more comes of it.
func (r *Recording) IsReady() bool {
	return r.Status == RecordingCompleted || r.Status == RecordingAbsent
}

// StartRecording begins a recording of a call.
func (a *Account) StartRecording(c *Call, plan RecordingPlan) *Recording {
	now := a.Clock.Now()
	r := &Recording{Sid: NewSid("RE"), Call: c, Started: now, Updated: now, Status: RecordingInProgress, plan: plan}
	a.Lock()
	defer a.Unlock()
	a.Recordings = append(a.Recordings, r)
	a.AddEventLocked(c, transcript.Event{Kind: transcript.Recording, Text: r.Status, Note: r.Sid})
	a.sendRecordingCallbackLocked(r)
	return r
}

// RecordingLocked finds a recording; nil if there is none.
func (a *Account) RecordingLocked(sid string) *Recording {
	for _, r := range a.Recordings {
		if r.Sid == sid {
			return r
		}
	}
	return nil
}

// HearLocked notes what the person says, if it is new and within the recording.
func (r *Recording) HearLocked(said Speech) {
	if said.Until.Before(r.Started) || said.From.IsZero() {
		return
	}
	if said.From.Before(r.Started) {
		said.From = r.Started
	}
	if k := len(r.speeches); k > 0 && r.speeches[k-1].From.Equal(said.From) {
		r.speeches[k-1] = said // its end may be known by now
		return
	}
	r.speeches = append(r.speeches, said)
}

// LastSoundLocked returns the end of what was last said, the recording's beginning if nothing was.
func (r *Recording) LastSoundLocked() time.Time {
	at := r.Started
	for _, s := range r.speeches {
		if s.Until.After(at) {
			at = s.Until
		}
	}
	return at
}

// StopRecording ends a recording, which becomes available later. It returns the recording's length
// before silence is cut off.
func (a *Account) StopRecording(r *Recording) time.Duration {
	a.Lock()
	now := a.Clock.Now()
	r.HearLocked(r.Call.Speech)
	r.stopped, r.Updated, r.Status = now, now, RecordingProcessing
	for i := range r.speeches {
		if r.speeches[i].Until.After(now) {
			r.speeches[i].Until = now
		}
	}
	a.AddEventLocked(r.Call, transcript.Event{Kind: transcript.Recording, Text: r.Status, Note: r.Sid})
	a.Unlock()
	a.Go(func() { a.completeRecording(r) })
	return now.Sub(r.Started)
}

// completeRecording makes a recording available, or absent, sends the callback and has it
// transcribed.
func (a *Account) completeRecording(r *Recording) {
	if !a.Sleep(a.Config.Behaviour.RecordingDelay) {
		return
	}
	a.Lock()
	r.Length = r.stopped.Sub(r.Started)
	if r.plan.Trim && len(r.speeches) > 0 {
		r.Length = r.LastSoundLocked().Sub(r.speeches[0].From)
	}
	r.Status = RecordingCompleted
	switch {
	case r.Length < a.Config.Behaviour.ShortestRecording:
		r.Status, r.Code = RecordingAbsent, 16101
	case len(r.speeches) == 0 && !a.Config.Behaviour.KeepSilentRecordings:
		r.Status, r.Code = RecordingAbsent, 16102
	}
	r.Updated = a.Clock.Now()
	a.AddEventLocked(r.Call, transcript.Event{Kind: transcript.Recording, Text: r.Status, Note: r.Sid, Code: r.Code})
	a.sendRecordingCallbackLocked(r)
	kept, length := r.Status == RecordingCompleted, r.Length
	a.Unlock()
	if kept && r.plan.Transcribe {
		a.transcribe(r, length)
	}
}

// transcribe requests the transcribeCallback.
func (a *Account) transcribe(r *Recording, length time.Duration) {
	if length <= shortestTranscribed || length >= LongestTranscribed {
		a.Report(r.Call, &problem.Problem{Code: 13617, Warning: true, Injected: true,
			Text: "recording of " + length.String() + " is too short or too long to be transcribed"})
		return
	}
	if r.plan.Transcription.URL == "" || !a.Sleep(a.Config.Behaviour.TranscriptionDelay) {
		return
	}
	sid := NewSid("TR")
	a.Lock()
	params := r.Call.parametersLocked()
	status, text := "completed", r.WordsLocked()
	r.Transcriptions = append(r.Transcriptions, sid)
	a.Unlock()
	if a.Config.Behaviour.TranscriptionFails {
		status, text = "failed", ""
	}
	for k, v := range map[string]string{
		"TranscriptionSid": sid, "TranscriptionText": text, "TranscriptionStatus": status, "TranscriptionType": "fast",
		"TranscriptionUrl": a.MediaURL(r) + "/Transcriptions/" + sid, "RecordingSid": r.Sid, "RecordingUrl": a.MediaURL(r),
	} {
		params.Set(k, v)
	}
	a.Deliver(r.Call, webhook.Request{On: fault.OnCallback, Target: r.plan.Transcription, Params: params})
}

// WordsLocked is what was said in a recording.
func (r *Recording) WordsLocked() string {
	var words []string
	for _, s := range r.speeches {
		if s.Voice != nil {
			s.Words = s.Voice.Words
		}
		words = append(words, s.Words)
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// sendRecordingCallbackLocked sends the recordingStatusCallback for the present status, if the
// program asked for it. Source: Twilio docs, voice/twiml/record, recordingStatusCallback.
func (a *Account) sendRecordingCallbackLocked(r *Recording) {
	if r.plan.Callback.URL == "" || !slices.Contains(r.plan.CallbackEvents, r.Status) {
		return
	}
	params := webhook.Values("AccountSid", a.Config.AccountSid, "CallSid", r.Call.Sid, "RecordingSid", r.Sid, "RecordingUrl", a.MediaURL(r),
		"RecordingStatus", r.Status, "RecordingDuration", Seconds(r.Length), "RecordingChannels", "1", "RecordingSource", "RecordVerb",
		"RecordingStartTime", Date(r.Started), "RecordingTrack", "inbound", "ErrorCode", strconv.Itoa(r.Code))
	a.Go(func() {
		a.Deliver(r.Call, webhook.Request{On: fault.OnCallback, Target: r.plan.Callback, Params: params})
	})
}
