package twiliosim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestJourney is one whole hotline call: menu, queue, a responder called by REST who takes the
// call, conversation, and the end on both sides.
func TestJourney(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status", "/leg/status")
		w.twiml("/voice", `<Gather action="/menu" numDigits="1" timeout="5"><Say>Welcome. Press 1 for Support.</Say></Gather><Redirect>/voice</Redirect>`)
		w.on("/menu", func(rw http.ResponseWriter, r *http.Request) {
			if r.Form.Get("Digits") != "1" {
				writeTwiML(rw, `<Redirect>/voice</Redirect>`)
				return
			}
			writeTwiML(rw, `<Enqueue action="/left" waitUrl="/hold">support</Enqueue>`)
		})
		w.twiml("/hold", `<Say>Please wait.</Say><Pause length="10"/>`)
		w.twiml("/left", `<Say>Goodbye.</Say>`)
		w.twiml("/leg", `<Gather action="/leg/key" numDigits="1"><Say>Press 1 to take the call.</Say></Gather><Hangup/>`)
		w.twiml("/leg/key", `<Dial action="/leg/ended"><Queue url="/announce">support</Queue></Dial>`)
		w.twiml("/leg/ended", `<Hangup/>`)
		w.twiml("/announce", `<Say>You are now being connected.</Say>`)

		c := w.dial()
		c.Hears(t, "press 1")
		c.Presses("1")
		c.Hears(t, "please wait")

		made := w.rest(http.MethodPost, "/Calls.json", "From", hotline, "To", alice, "Url", appURL+"/leg",
			"StatusCallback", appURL+"/leg/status", "StatusCallbackEvent", "initiated", "StatusCallbackEvent", "ringing",
			"StatusCallbackEvent", "answered", "StatusCallbackEvent", "completed")
		if made.status != 201 || made.text("status") != "queued" {
			t.Fatalf("create call: %d %v", made.status, made.body)
		}
		leg := w.sim.Phone(alice).RingsNext(t)
		time.Sleep(3 * time.Second)
		if !leg.Answers() {
			t.Fatal("the telephone does not ring")
		}
		leg.Hears(t, "take the call")
		leg.Presses("1")
		c.Hears(t, "being connected")
		if other := c.ConnectedTo(t, alice); other != leg {
			t.Errorf("connected to %s, want %s", other.Sid, leg.Sid)
		}
		leg.Says("Hello, this is Alice.")
		c.Hears(t, "this is alice")
		c.Says("My server is down.")
		leg.Hears(t, "server is down")
		leg.HangsUp()
		c.Hears(t, "Goodbye")
		if got := c.Ended(t); got != twiliosim.StatusCompleted {
			t.Errorf("status %s", got)
		}
		leg.Ended(t)

		params(t, w.one("/left"), "QueueResult", "bridged", "CallStatus", "in-progress", "CallSid", c.Sid)
		params(t, w.one("/leg/ended"), "DialCallStatus", "completed", "DialBridged", "true", "DialCallSid", c.Sid, "CallStatus", "completed")
		params(t, w.one("/announce"), "DequeingCallSid", leg.Sid, "CallSid", c.Sid)
		if n := len(w.got("/leg/status")); n != 4 {
			t.Errorf("%d status callbacks of the leg, want 4", n)
		}
		params(t, w.one("/status"), "CallStatus", "completed", "CallSid", c.Sid)
	})
}

// TestVoicemail is a call that ends in a recording, by hang-up.
func TestVoicemail(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status", "/recording")
		w.twiml("/voice", `<Say>Leave a message.</Say><Record action="/recorded" maxLength="60" finishOnKey="#" timeout="10" recordingStatusCallback="/recording" recordingStatusCallbackEvent="completed absent"/>`)
		w.twiml("/recorded", `<Say>Thanks.</Say>`)
		c := w.dial()
		c.Hears(t, "leave a message")
		c.Saw(t, "beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
		time.Sleep(time.Second)
		c.SpeaksFor("The database is on fire.", 7*time.Second)
		c.HangsUp()
		c.Ended(t)
		time.Sleep(5 * time.Second)
		params(t, w.one("/recorded"), "Digits", "hangup", "CallStatus", "completed")
		done := w.one("/recording")
		params(t, done, "RecordingStatus", "completed", "RecordingDuration", "7", "CallSid", c.Sid)
		media := w.rest(http.MethodGet, "/Recordings/"+done.form.Get("RecordingSid")+".wav")
		if media.status != 200 || media.raw.Header().Get("Content-Type") != "audio/x-wav" || media.raw.Body.Len() != 44+7*16000 {
			t.Errorf("media: %d %s, %d bytes", media.status, media.raw.Header().Get("Content-Type"), media.raw.Body.Len())
		}
	})
}
