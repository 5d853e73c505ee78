package twiliosim_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// loud is a sound of one value, easy to find again.
func loud(d time.Duration, v int16) twiliosim.Sound {
	s := make(twiliosim.Sound, d*twiliosim.SoundRate/time.Second)
	for i := range s {
		s[i] = v
	}
	return s
}

// count returns how long a sound has a value.
func count(s twiliosim.Sound, v int16) time.Duration {
	n := 0
	for _, x := range s {
		if x == v {
			n++
		}
	}
	return time.Duration(n) * time.Second / twiliosim.SoundRate
}

// recordingOf plays do on a call that is being recorded, with the keypad's # as the end, and
// returns the recording's SID once it is completed.
func (w *world) recordingOf(attributes string, do func(c *twiliosim.Call)) string {
	w.t.Helper()
	w.silent("/status")
	w.twiml("/voice", `<Record action="/done" playBeep="false" finishOnKey="#" timeout="10" `+attributes+`/>`)
	w.twiml("/done", `<Hangup/>`)
	is := func(status string) func(twiliosim.Event) bool {
		return func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventRecording && e.Text == status }
	}
	c := w.dial()
	c.Saw(w.t, "a recording", is("in-progress"))
	do(c)
	c.Presses("#")
	return c.Saw(w.t, "a completed recording", is("completed")).Note
}

func TestRecordingHoldsTheVoice(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		sid := w.recordingOf(`trim="do-not-trim"`, func(c *twiliosim.Call) { c.SpeaksSound("hello", loud(3*time.Second, 1234)) })
		got, ok := w.sim.RecordingSound(sid)
		if !ok {
			t.Fatal("the recording has no sound")
		}
		if d := count(got, 1234); d != 3*time.Second {
			t.Errorf("the recording holds %v of the voice, want 3s of %v", d, got.Length())
		}
		if _, ok := w.sim.RecordingSound("RE00000000000000000000000000000000"); ok {
			t.Error("an unknown recording has sound")
		}
		if a := w.rest(http.MethodGet, "/Recordings/"+sid+".wav"); a.status != http.StatusOK || !bytes.Equal(a.raw.Body.Bytes(), got.WAV()) {
			t.Errorf(".wav: %d, %d bytes, want the voice", a.status, a.raw.Body.Len())
		}
		refused(t, w.rest(http.MethodGet, "/Recordings/"+sid+".mp3"), http.StatusBadRequest, 16109)
	})
}

func TestVoiceThatComesLater(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		sid := w.recordingOf(`transcribe="true" transcribeCallback="/words"`, func(c *twiliosim.Call) {
			w.silent("/words")
			c.BeginsToSpeak()
			time.Sleep(4 * time.Second)
			if !c.StopsSpeaking("", loud(2*time.Second, 77)) {
				t.Error("it does not know that somebody spoke")
			}
			if c.StopsSpeaking("", loud(time.Second, 78)) {
				t.Error("one speech ends twice")
			}
		})
		got, _ := w.sim.RecordingSound(sid)
		if d := count(got, 77); d != 2*time.Second || got[0] != 77 {
			t.Errorf("the recording holds %v of the voice, begins with %d", d, got[0])
		}
		near(t, "length of the recording", got.Length(), 4*time.Second)
		time.Sleep(10 * time.Second)
		params(t, w.one("/words"), "TranscriptionText", "(voice)")
	})
}

func TestSpeechByControlAPI(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		ask := func(method, path string, body []byte) int {
			rec := httptest.NewRecorder()
			w.sim.ServeHTTP(rec, httptest.NewRequest(method, path, bytes.NewReader(body)))
			return rec.Code
		}
		sid := w.recordingOf("", func(c *twiliosim.Call) {
			path := "/sim/calls/" + c.Sid + "/speech"
			for _, x := range []struct {
				what, method, path string
				body               []byte
				want               int
			}{
				{"begin", http.MethodPost, path, nil, http.StatusOK},
				{"end", http.MethodPut, path, loud(time.Second, 5).WAV(), http.StatusOK},
				// Not begun, so it is spoken now.
				{"whole", http.MethodPut, path + "?words=good+day", loud(time.Second, 6).WAV(), http.StatusOK},
				{"no WAV file", http.MethodPut, path, []byte("hello"), http.StatusUnsupportedMediaType},
				{"too large", http.MethodPut, path, make([]byte, 8<<20+1), http.StatusRequestEntityTooLarge},
				{"unknown", http.MethodPut, "/sim/calls/CA0/speech", nil, http.StatusNotFound},
			} {
				if got := ask(x.method, x.path, x.body); got != x.want {
					t.Errorf("%s: HTTP %d, want %d", x.what, got, x.want)
				}
				time.Sleep(time.Second)
			}
		})
		got, _ := w.sim.RecordingSound(sid)
		if count(got, 5) != time.Second || count(got, 6) != time.Second {
			t.Errorf("the recording holds %v and %v, want 1s each", count(got, 5), count(got, 6))
		}
	})
}

func TestClearOneFault(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		for range 3 {
			w.fault(twiliosim.Fault{On: twiliosim.OnREST, Do: twiliosim.FaultStatus, Status: 500})
		}
		for want, path := range map[int]string{200: "/sim/faults/2", 404: "/sim/faults/9"} {
			rec := httptest.NewRecorder()
			w.sim.ServeHTTP(rec, httptest.NewRequest(http.MethodDelete, path, nil))
			if rec.Code != want {
				t.Errorf("DELETE %s: %d, want %d", path, rec.Code, want)
			}
		}
		if left := w.sim.Faults(); len(left) != 2 || left[0].ID != 1 || left[1].ID != 3 {
			t.Errorf("faults left: %+v", left)
		}
	})
}

// TestOldEventsAreDropped: a simulator that runs for long keeps the newest events, of calls as
// well, and their numbers go on.
func TestOldEventsAreDropped(t *testing.T) {
	play(t, twiliosim.Config{EventLimit: 10}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", strings.Repeat("<Say>More.</Say>", 20)+"<Say>Last.</Say>")
		c := w.dial()
		c.Hears(t, "last")
		c.Ended(t)
		all := w.sim.Events(0)
		if len(all) != 10 || all[0].Seq <= 10 || all[9].Seq != all[0].Seq+9 {
			t.Fatalf("%d events, the first numbered %d, want the newest 10:\n%s", len(all), all[0].Seq, twiliosim.FormatTranscript(all))
		}
		if got := w.sim.Events(all[7].Seq); len(got) != 2 || got[0].Seq != all[8].Seq {
			t.Errorf("events after the third but last: %v", got)
		}
		if own := c.Transcript(); len(own) > 10 || own[0].Seq < all[0].Seq {
			t.Errorf("the call keeps %d events, from number %d", len(own), own[0].Seq)
		}
	})
}
