package twiliosim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// recording answers /voice by a <Record>; /recorded and /recording get callbacks.
func (w *world) recording(attrs string) {
	w.silent("/status", "/recording", "/words")
	w.twiml("/voice", `<Record action="/recorded" recordingStatusCallback="/recording" recordingStatusCallbackEvent="in-progress completed absent" `+attrs+`/>`)
	w.twiml("/recorded", `<Say>Thank you.</Say>`)
}

func beep(t *testing.T, c *twiliosim.Call) {
	t.Helper()
	c.Saw(t, "a beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
	c.Saw(t, "a recording", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventRecording })
}

func TestS44_HowARecordingEnds(t *testing.T) {
	for name, x := range map[string]struct {
		attrs           string
		do              func(c *twiliosim.Call)
		digits          string
		length, trimmed string
	}{
		"#": {`finishOnKey="#"`, func(c *twiliosim.Call) {
			c.SpeaksFor("hello", 6*time.Second)
			c.Presses("1") // not a finish key
			time.Sleep(time.Second)
			c.Presses("#")
		}, "#", "7", "6"},
		"any key": {"", func(c *twiliosim.Call) {
			c.SpeaksFor("hello", 6*time.Second)
			c.Presses("5")
		}, "5", "6", "6"},
		"silence": {`timeout="4"`, func(c *twiliosim.Call) {
			time.Sleep(2 * time.Second)
			c.SpeaksFor("hello", 6*time.Second)
		}, "", "12", "6"},
		"not trimmed": {`timeout="4" trim="do-not-trim"`, func(c *twiliosim.Call) {
			c.SpeaksFor("hello", 6*time.Second)
		}, "", "10", "10"},
		"maxLength": {`maxLength="8"`, func(c *twiliosim.Call) { c.SpeaksFor("hello", 20*time.Second) }, "", "8", "8"},
		"no silence limit": {`timeout="0" maxLength="30"`, func(c *twiliosim.Call) {
			c.SpeaksFor("hello", 6*time.Second)
		}, "", "30", "6"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.recording(x.attrs)
				c := w.dial()
				beep(t, c)
				x.do(c)
				c.Hears(t, "thank you")
				c.Ended(t)
				time.Sleep(5 * time.Second)
				r := w.one("/recorded")
				sid := r.form.Get("RecordingSid")
				params(t, r, "Digits", x.digits, "RecordingDuration", x.length, "CallStatus", "in-progress",
					"RecordingUrl", "https://api.twilio.com/2010-04-01/Accounts/"+twiliosim.DefaultAccountSid+"/Recordings/"+sid)
				callbacks := w.got("/recording")
				if len(callbacks) != 2 {
					t.Fatalf("%d callbacks, want in-progress and completed", len(callbacks))
				}
				params(t, callbacks[0], "RecordingStatus", "in-progress", "RecordingSid", sid)
				params(t, callbacks[1], "RecordingStatus", "completed", "RecordingSid", sid, "RecordingDuration", x.trimmed, "RecordingSource", "RecordVerb",
					"RecordingChannels", "1", "From", "-", "To", "-", "CallSid", c.Sid)
			})
		})
	}
}

func TestS45_HangUpEndsARecording(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.recording("")
		c := w.dial()
		beep(t, c)
		c.SpeaksFor("hello", 6*time.Second)
		c.HangsUp()
		c.Ended(t)
		time.Sleep(5 * time.Second)
		params(t, w.one("/recorded"), "Digits", "hangup", "CallStatus", "completed", "RecordingDuration", "6")
		c.HeardNothingLike(t, "thank you")
		callbacks := w.got("/recording")
		params(t, callbacks[len(callbacks)-1], "RecordingStatus", "completed")
	})
}

func TestS46_RecordWithoutActionPostsToTheCurrentDocument(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.on("/voice", func(rw http.ResponseWriter, r *http.Request) {
			if r.PostForm.Get("RecordingSid") != "" {
				writeTwiML(rw, `<Hangup/>`)
				return
			}
			writeTwiML(rw, `<Record/>`)
		})
		c := w.dial()
		beep(t, c)
		c.SpeaksFor("hello", 2*time.Second)
		c.Ended(t)
		if n := len(w.got("/voice")); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

func TestS47_Media(t *testing.T) {
	play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{RecordingDelay: 30 * time.Second}}, func(t *testing.T, w *world) {
		w.recording("")
		c := w.dial()
		beep(t, c)
		c.SpeaksFor("hello", 3*time.Second)
		c.Presses("#")
		c.Ended(t)
		path := "/Recordings/" + w.one("/recorded").form.Get("RecordingSid")
		if got := w.rest("GET", path+".wav"); got.status != 404 {
			t.Errorf("media before it is completed: %d", got.status)
		}
		if got := w.rest("GET", path+".json"); got.text("status") != "processing" {
			t.Errorf("resource %v", got.body)
		}
		time.Sleep(31 * time.Second)
		for ext, x := range map[string]struct {
			kind string
			size int
		}{"": {"audio/x-wav", 44 + 3*16000}, ".wav": {"audio/x-wav", 44 + 3*16000}, ".mp3": {"audio/mpeg", 84 * 144}} {
			got := w.rest("GET", path+ext)
			if got.status != 200 || got.raw.Header().Get("Content-Type") != x.kind || got.raw.Body.Len() != x.size {
				t.Errorf("%s: %d %s, %d bytes, want %s, %d bytes", ext, got.status, got.raw.Header().Get("Content-Type"), got.raw.Body.Len(), x.kind, x.size)
			}
		}
		refused(t, w.rest("GET", path+".wav", "RequestedChannels", "2"), 400, 16113)
		if got := w.restAs("", "", "api.twilio.com", "GET", path+".wav"); got.status != 401 {
			t.Errorf("media without credentials: %d", got.status)
		}
		if got := w.rest("DELETE", path+".json"); got.status != 204 {
			t.Errorf("delete: %d", got.status)
		}
		for _, gone := range []string{path + ".wav", path + ".json"} {
			if got := w.rest("GET", gone); got.status != 404 {
				t.Errorf("%s after delete: %d", gone, got.status)
			}
		}
		if got := w.rest("GET", path+".json", "IncludeSoftDeleted", "true"); got.text("status") != "deleted" {
			t.Errorf("soft deleted: %v", got.body)
		}
	})
}

func TestS48_Transcription(t *testing.T) {
	for name, x := range map[string]struct {
		length time.Duration
		fails  bool
		status string // "": no callback
		text   string
	}{
		"1 s":           {length: time.Second},
		"3 s":           {length: 3 * time.Second, status: "completed", text: "The disk is full."},
		"119 s":         {length: 119 * time.Second, status: "completed", text: "The disk is full."},
		"120 s":         {length: 130 * time.Second},
		"switch: fails": {length: 10 * time.Second, fails: true, status: "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{TranscriptionFails: x.fails}}, func(t *testing.T, w *world) {
				w.recording(`transcribe="true" transcribeCallback="/words"`)
				c := w.dial()
				beep(t, c)
				c.SpeaksFor("The disk is full.", x.length)
				c.Ended(t)
				time.Sleep(20 * time.Second)
				if x.status == "" {
					if len(w.got("/words")) > 0 {
						t.Error("a transcription came")
					}
					return
				}
				params(t, w.one("/words"), "TranscriptionStatus", x.status, "TranscriptionText", x.text,
					"RecordingSid", w.one("/recorded").form.Get("RecordingSid"), "CallSid", c.Sid, "From", caller)
			})
		})
	}
	t.Run("longer than allowed", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.recording(`transcribe="true" transcribeCallback="/words" maxLength="150"`)
			c := w.dial()
			beep(t, c)
			c.SpeaksFor("x", 20*time.Second)
			c.Ended(t)
			time.Sleep(20 * time.Second)
			if len(w.got("/words")) > 0 {
				t.Error("a transcription came")
			}
			w.violated(13615)
		})
	})
}

func TestS49_AbsentRecordings(t *testing.T) {
	for name, x := range map[string]struct {
		b      twiliosim.Behaviour
		do     func(*twiliosim.Call)
		status string
		code   string
	}{
		"silent":                {do: func(*twiliosim.Call) {}, status: "absent", code: "16102"},
		"too short":             {do: func(c *twiliosim.Call) { c.SpeaksFor("h", 300*time.Millisecond); c.HangsUp() }, status: "absent", code: "16101"},
		"switch: silent kept":   {b: twiliosim.Behaviour{KeepSilentRecordings: true}, do: func(*twiliosim.Call) {}, status: "completed", code: "0"},
		"switch: shorter limit": {b: twiliosim.Behaviour{ShortestRecording: 100 * time.Millisecond}, do: func(c *twiliosim.Call) { c.SpeaksFor("h", 300*time.Millisecond); c.HangsUp() }, status: "completed", code: "0"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: x.b}, func(t *testing.T, w *world) {
				w.recording("")
				c := w.dial()
				beep(t, c)
				x.do(c)
				c.Ended(t)
				time.Sleep(5 * time.Second)
				callbacks := w.got("/recording")
				last := callbacks[len(callbacks)-1]
				params(t, last, "RecordingStatus", x.status, "ErrorCode", x.code)
				got := w.rest("GET", "/Recordings/"+last.form.Get("RecordingSid")+".json")
				if got.text("status") != x.status {
					t.Errorf("resource %v", got.body)
				}
			})
		})
	}
	t.Run("not subscribed", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/status", "/recording")
			w.twiml("/voice", `<Record action="/recorded" recordingStatusCallback="/recording"/>`)
			w.twiml("/recorded", `<Hangup/>`)
			w.dial().Ended(t)
			time.Sleep(5 * time.Second)
			if len(w.got("/recording")) > 0 {
				t.Error("absent was reported although only completed is subscribed")
			}
		})
	})
}
