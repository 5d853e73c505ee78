package executor

import (
	"errors"
	"strings"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/account"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/problem"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/transcript"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/twiml"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/internal/webhook"
)

// beepTime is how long the beep is, by assumption.
const beepTime = 500 * time.Millisecond

// record records the caller. Source: Twilio docs, voice/twiml/record.
func (r runner) record(d *document, n *twiml.Node) (*step, error) {
	a := r.Account
	if _, given := n.Attrs["action"]; !given && (d.liveUpdate || d.base == nil) {
		return nil, &problem.Problem{Code: 11100, Text: "<Record> needs an action in a document that changes a live call"}
	}
	action, err := d.target(n, "action", "method")
	if err != nil {
		return nil, err
	}
	plan, longest, err := r.recordingPlan(d, n)
	if err != nil {
		return nil, err
	}
	if n.Attr("playBeep", "true") == "true" {
		a.AddEvent(r.Call, transcript.Event{Kind: transcript.Beep, Duration: beepTime})
		if err := r.Pause(beepTime, nil); err != nil {
			return nil, err
		}
	}
	// The beep is not recorded, and what the caller says during it is lost.
	recording := a.StartRecording(r.Call, plan)
	key, err := r.listen(recording, n.Attr("finishOnKey", "1234567890*#"), n.Seconds("timeout", 5), longest)
	if errors.Is(err, account.ErrClosed) {
		return nil, err
	}
	length := a.StopRecording(recording)
	params := webhook.Values("RecordingUrl", a.MediaURL(recording), "RecordingSid", recording.Sid, "RecordingDuration", account.Seconds(length), "Digits", key)
	if errors.Is(err, account.ErrEnded) { // a message that ends by hanging up counts like any other
		params.Set("Digits", "hangup")
		r.FetchIgnored(action, params)
	}
	if err != nil {
		return nil, err
	}
	return request(action, params), nil
}

// recordingPlan reads what is wanted of a recording, and how long it may last.
func (r runner) recordingPlan(d *document, n *twiml.Node) (plan account.RecordingPlan, longest time.Duration, err error) {
	plan = account.RecordingPlan{
		CallbackEvents: strings.Fields(n.Attr("recordingStatusCallbackEvent", "completed")),
		Trim:           n.Attr("trim", "trim-silence") == "trim-silence",
		Transcribe:     n.Attrs["transcribe"] == "true",
	}
	if plan.Callback, err = d.optionalTarget(n, "recordingStatusCallback", "recordingStatusCallbackMethod"); err != nil {
		return plan, 0, err
	}
	if plan.Transcription, err = d.optionalTarget(n, "transcribeCallback", ""); err != nil {
		return plan, 0, err
	}
	// Twilio transcribes two minutes at most. A longer maxLength turns transcription off.
	longest = n.Seconds("maxLength", 3600)
	if plan.Transcribe && longest > account.LongestTranscribed {
		if n.Attrs["maxLength"] != "" {
			r.Account.Report(r.Call, &problem.Problem{Code: 13615, Warning: true, Text: "<Record maxLength> is over 120 s with transcribe"})
			plan.Transcribe = false
		} else {
			longest = account.LongestTranscribed
		}
	}
	return plan, longest, nil
}

// listen waits for the end of a recording: a key of finish, which it returns, silence, or the
// longest time.
func (r runner) listen(recording *account.Recording, finish string, silence, longest time.Duration) (string, error) {
	a := r.Account
	a.Lock()
	r.Keys, r.Listening = nil, true
	a.Unlock()
	defer r.stopListening()
	for {
		// Whatever the caller says moves the end of the silence, so it is worked out again each
		// time.
		a.Lock()
		recording.HearLocked(r.Speech)
		deadline := recording.Started.Add(longest)
		if quiet := recording.LastSoundLocked().Add(silence); silence > 0 && quiet.Before(deadline) {
			deadline = quiet
		}
		known := r.Speech
		a.Unlock()
		key := rune(0)
		var why error
		inTime := a.Await(r.Call, deadline, func() bool {
			why, key = r.InterruptLocked(), 0
			if why == nil && len(r.Keys) > 0 {
				key, r.Keys = r.Keys[0], r.Keys[1:]
			}
			return why != nil || key != 0 || r.Speech != known
		})
		switch {
		case why != nil:
			return "", why
		case a.IsClosed():
			return "", account.ErrClosed
		case !inTime:
			return "", nil
		case key != 0 && strings.ContainsRune(finish, key):
			return string(key), nil
		}
	}
}
