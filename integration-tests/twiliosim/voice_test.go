package twiliosim

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// loud is a sound of one value, easy to find again.
func loud(d time.Duration, v int16) Sound {
	s := make(Sound, samples(d))
	for i := range s {
		s[i] = v
	}
	return s
}

func TestWAVRoundTrip(t *testing.T) {
	want := Sound{0, 1, -1, 32767, -32768, 12}
	got, err := ParseWAV(want.WAV())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if wavLength(loud(3*time.Second, 1).WAV()) != 3*time.Second {
		t.Error("the file's length is not the sound's")
	}
}

func TestParseWAV(t *testing.T) {
	// 16 kHz stereo: two channels are mixed, two samples become one.
	stereo := loud(time.Second, 0).WAV()[:44]
	binary.LittleEndian.PutUint16(stereo[22:], 2)
	binary.LittleEndian.PutUint32(stereo[24:], 16000)
	binary.LittleEndian.PutUint32(stereo[40:], 0xfffffff0) // as written to a pipe
	for _, v := range []int16{100, 300, 200, 400, -5, -5, -5, -5} {
		stereo = binary.LittleEndian.AppendUint16(stereo, uint16(v)) //nolint:gosec // the bits
	}
	got, err := ParseWAV(stereo)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Sound{250, -5}, got); diff != "" {
		t.Error(diff)
	}
	eightBit := append([]byte{}, stereo...)
	binary.LittleEndian.PutUint16(eightBit[34:], 8)
	noRate := append([]byte{}, stereo...)
	binary.LittleEndian.PutUint32(noRate[24:], 0)
	for name, bad := range map[string][]byte{
		"empty": nil, "text": []byte("hello, this is not sound at all"), "cut off": stereo[:30], "no data": stereo[:36],
		"8 bit": eightBit, "no rate": noRate, "data first": append([]byte("RIFF....WAVEdata\x02\x00\x00\x00"), 1, 2),
	} {
		if s, err := ParseWAV(bad); err == nil {
			t.Errorf("%s: taken, %d samples", name, len(s))
		}
	}
}

func TestResampleUp(t *testing.T) {
	data := []byte{1, 0, 2, 0, 3, 0}
	if diff := cmp.Diff(Sound{1, 1, 2, 2, 3, 3}, resample(data, 1, 4000)); diff != "" {
		t.Error(diff)
	}
}

// recorderApp records at once.
func recorderApp(attributes string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if r.URL.Path == "/voice" {
			_, _ = io.WriteString(w, `<Response><Record action="/done" playBeep="false" finishOnKey="#" timeout="10" `+attributes+`/></Response>`)
			return
		}
		_, _ = io.WriteString(w, `<Response><Hangup/></Response>`)
	})
}

// recordingOf plays do on a call that is being recorded, and returns its recording.
func recordingOf(t *testing.T, attributes string, do func(s *Sim, c *Call)) (*Sim, *recording) {
	t.Helper()
	under := httptest.NewServer(recorderApp(attributes))
	t.Cleanup(under.Close)
	sim, err := New(Config{Numbers: []Number{{PhoneNumber: "+12025550100", VoiceURL: under.URL + "/voice"}}, Lenient: true,
		Behaviour: Behaviour{RecordingDelay: time.Millisecond, ShortestRecording: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	c, err := sim.Call("+12025550199", "+12025550100")
	if err != nil {
		t.Fatal(err)
	}
	find := func(status string) *recording {
		deadline := time.Now().Add(20 * time.Second)
		for after := int64(0); time.Now().Before(deadline); {
			for _, e := range sim.WaitEvents(t.Context(), after) {
				after = e.Seq
				if e.Kind == EventRecording && e.Text == status {
					sim.mu.Lock()
					defer sim.mu.Unlock()
					return sim.recordingLocked(e.Note)
				}
			}
		}
		t.Fatalf("no recording is %s", status)
		return nil
	}
	find(StatusInProgress)
	do(sim, c)
	return sim, find(StatusCompleted)
}

func count(s Sound, v int16) time.Duration {
	n := 0
	for _, x := range s {
		if x == v {
			n++
		}
	}
	return time.Duration(n) * time.Second / SoundRate
}

func TestRecordingHoldsTheVoice(t *testing.T) {
	t.Parallel()
	sim, r := recordingOf(t, `trim="do-not-trim"`, func(s *Sim, c *Call) {
		c.SpeaksSound("hello", loud(300*time.Millisecond, 1234))
		c.Presses("#")
	})
	got, ok := sim.RecordingSound(r.sid)
	if !ok {
		t.Fatal("the recording has no sound")
	}
	if d := count(got, 1234); d != 300*time.Millisecond {
		t.Errorf("the recording holds %v of the voice, want 300ms of %v", d, got.Length())
	}
	if _, ok := sim.RecordingSound("RE00000000000000000000000000000000"); ok {
		t.Error("an unknown recording has sound")
	}

	get := func(ext string) (int, []byte) {
		req := httptest.NewRequest(http.MethodGet, apiRoot+sim.AccountSid()+"/Recordings/"+r.sid+ext, nil)
		req.Host = "api.twilio.com"
		req.SetBasicAuth(DefaultAPIKey, DefaultAPISecret)
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, req)
		return w.Code, w.Body.Bytes()
	}
	if code, body := get(".wav"); code != http.StatusOK || !bytes.Equal(body, got.WAV()) {
		t.Errorf(".wav: %d, %d bytes, want the voice", code, len(body))
	}
	if code, body := get(".mp3"); code != http.StatusBadRequest || !strings.Contains(string(body), "16109") {
		t.Errorf(".mp3: %d %s, want 400 with 16109", code, body)
	}
}

func TestVoiceThatComesLater(t *testing.T) {
	t.Parallel()
	sim, r := recordingOf(t, "", func(s *Sim, c *Call) {
		c.BeginsToSpeak()
		if err := c.pause(400*time.Millisecond, nil); err != nil {
			t.Error(err)
		}
		if !c.StopsSpeaking("", loud(200*time.Millisecond, 77)) {
			t.Error("it does not know that somebody spoke")
		}
		if c.StopsSpeaking("", loud(time.Second, 78)) {
			t.Error("one speech ends twice")
		}
		c.Presses("#")
	})
	got, _ := sim.RecordingSound(r.sid)
	if d := count(got, 77); d != 200*time.Millisecond || got[0] != 77 {
		t.Errorf("the recording holds %v of the voice, begins with %d", d, got[0])
	}
	sim.mu.Lock()
	defer sim.mu.Unlock()
	if r.length < 400*time.Millisecond || r.length > time.Minute {
		t.Errorf("the recording is %v long, want what was spoken", r.length)
	}
	if w := r.wordsLocked(); w != "(voice)" {
		t.Errorf("words %q", w)
	}
}

func TestSpeechByControlAPI(t *testing.T) {
	t.Parallel()
	var sim *Sim
	ask := func(method, path string, body []byte) int {
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(body)))
		return w.Code
	}
	s, r := recordingOf(t, "", func(s *Sim, c *Call) {
		sim = s
		path := "/sim/calls/" + c.Sid + "/speech"
		begun := ask(http.MethodPost, path, nil)
		if err := c.pause(150*time.Millisecond, nil); err != nil {
			t.Error(err)
		}
		for what, got := range map[string][2]int{
			"begin": {http.StatusOK, begun},
			"end":   {http.StatusOK, ask(http.MethodPut, path, loud(100*time.Millisecond, 5).WAV())},
			// Not begun, so it is spoken now.
			"whole":       {http.StatusOK, ask(http.MethodPut, path+"?words=good+day", loud(100*time.Millisecond, 6).WAV())},
			"no WAV file": {http.StatusUnsupportedMediaType, ask(http.MethodPut, path, []byte("hello"))},
			"too large":   {http.StatusRequestEntityTooLarge, ask(http.MethodPut, path, make([]byte, largestSpeech+1))},
			"unknown":     {http.StatusNotFound, ask(http.MethodPut, "/sim/calls/CA0/speech", nil)},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: HTTP %d, want %d", what, got[1], got[0])
			}
		}
		c.Presses("#")
	})
	got, _ := s.RecordingSound(r.sid)
	if count(got, 5) != 100*time.Millisecond || count(got, 6) != 100*time.Millisecond {
		t.Errorf("the recording holds %v and %v, want 100ms each", count(got, 5), count(got, 6))
	}
}

func TestClearOneFault(t *testing.T) {
	sim, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	for range 3 {
		if _, err := sim.AddFault(Fault{On: OnREST, Do: FaultStatus, Status: 500}); err != nil {
			t.Fatal(err)
		}
	}
	for want, path := range map[int]string{200: "/sim/faults/2", 404: "/sim/faults/9"} {
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, httptest.NewRequest(http.MethodDelete, path, nil))
		if w.Code != want {
			t.Errorf("DELETE %s: %d, want %d", path, w.Code, want)
		}
	}
	if left := sim.Faults(); len(left) != 2 || left[0].ID != 1 || left[1].ID != 3 {
		t.Errorf("faults left: %+v", left)
	}
}
