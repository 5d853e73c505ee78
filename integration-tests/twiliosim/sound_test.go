package twiliosim_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func (w *world) file(path, kind string, data []byte) {
	w.on(path, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", kind)
		rw.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write(data)
	})
}

// mp3Frames is MPEG-1 layer III, 44.1 kHz, 128 kbit/s: frames of 417 bytes and 1152 samples.
func mp3Frames(n int) []byte {
	frame := make([]byte, 417)
	copy(frame, []byte{0xff, 0xfb, 0x90, 0x00})
	return append([]byte("ID3\x03\x00\x00\x00\x00\x00\x05hello"), bytes.Repeat(frame, n)...)
}

func TestPlayTakesTheFilesTime(t *testing.T) {
	pcm := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x00\xfa\x00\x00"), make([]byte, 64000)...)
	for name, x := range map[string]struct {
		kind string
		data []byte
		want time.Duration
	}{
		"wav":     {"audio/wav", pcm, 4 * time.Second},
		"mp3":     {"audio/mpeg", mp3Frames(100), 100 * 1152 * time.Second / 44100},
		"ulaw":    {"audio/ulaw", make([]byte, 24000), 3 * time.Second},
		"unknown": {"audio/aiff", []byte("x"), 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", `<Play loop="2">/sound</Play><Say>Done.</Say>`)
				w.file("/sound", x.kind, x.data)
				c := w.dial()
				start := c.Hears(t, "/sound")
				c.Hears(t, "/sound")
				near(t, "twice the file", c.Hears(t, "done").At.Sub(start.At), 2*x.want)
				c.Ended(t)
				if r := w.one("/sound"); r.method != "GET" || len(r.form) > 0 {
					t.Errorf("%s %v, want a GET without parameters", r.method, r.form)
				}
			})
		})
	}
}

func TestPlayIsCachedByETag(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Play>/sound</Play>`)
		w.file("/sound", "audio/ulaw", make([]byte, 16000))
		for range 2 {
			c := w.dial()
			if e := c.Hears(t, "/sound"); e.Duration != 2*time.Second {
				t.Errorf("length %v", e.Duration)
			}
			c.Ended(t)
		}
		if got := w.got("/sound"); len(got) != 2 || got[1].header.Get("If-None-Match") != `"v1"` {
			t.Errorf("requests %v", got)
		}
	})
}

func TestPlayFailure(t *testing.T) {
	for name, x := range map[string]struct {
		kind  string
		skips bool
		code  int
		hears string
	}{
		"missing":          {"", false, 11200, "application error"},
		"not audio":        {"text/html", false, 12300, "application error"},
		"switch: it skips": {"", true, 11200, "after"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{PlayFailureContinues: x.skips}}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", `<Play>/sound</Play><Say>After.</Say>`)
				if x.kind != "" {
					w.file("/sound", x.kind, []byte("x"))
				}
				c := w.dial()
				c.Hears(t, x.hears)
				c.Ended(t)
				w.violated(x.code)
			})
		})
	}
}

func TestAFailedFileIsNamedAtTheFallbackAddress(t *testing.T) {
	for named, x := range map[string]bool{"/sound": false, "/voice": true} {
		t.Run(named, func(t *testing.T) {
			play(t, twiliosim.Config{Numbers: fallbackNumber(), Behaviour: twiliosim.Behaviour{PlayFailureNamesDocument: x}}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", `<Play>/sound</Play>`)
				w.twiml("/fallback", `<Say>Still here.</Say>`)
				c := w.dial()
				c.Hears(t, "still here")
				c.Ended(t)
				params(t, w.one("/fallback"), "ErrorCode", "11200", "ErrorUrl", appURL+named)
				w.violated(11200)
			})
		})
	}
}

func TestAFailedAnnouncement(t *testing.T) {
	for name, ends := range map[string]bool{"the conversation begins": false, "switch: the queueing ends": true} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{AnnouncementFailureEnds: ends}}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", `<Enqueue action="/left" waitUrl="/hold">support</Enqueue>`)
				w.twiml("/hold", `<Pause length="10"/>`)
				w.twiml("/left", `<Say>Goodbye.</Say>`)
				w.twiml("/leg", `<Dial action="/ended"><Queue url="/announce">support</Queue></Dial>`)
				w.twiml("/announce", `<Play>/sound</Play>`)
				w.twiml("/ended", `<Hangup/>`)
				c := w.dial()
				queued(t, c)
				w.rest(http.MethodPost, "/Calls.json", "From", hotline, "To", alice, "Url", appURL+"/leg")
				leg := w.sim.Phone(alice).RingsNext(t)
				leg.Answers()
				bridged := "false"
				if !ends {
					c.ConnectedTo(t, alice)
					bridged = "true"
					leg.HangsUp()
				}
				c.Hears(t, "goodbye")
				c.Ended(t)
				leg.Ended(t)
				params(t, w.one("/ended"), "DialBridged", bridged)
				params(t, w.one("/left"), "QueueResult", map[bool]string{true: "error", false: "bridged"}[ends])
				w.violated(11200)
			})
		})
	}
}

func TestEndlessLoopsEndByHangUp(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Say loop="0">Again.</Say>`)
		c := w.dial()
		for range 5 {
			c.Hears(t, "again")
		}
		c.HangsUp()
		c.Ended(t)
	})
}

func TestSSMLAndDigits(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Say voice="Polly.Joanna-Neural" language="en-US">Dial <say-as interpret-as="telephone">911</say-as> <break time="1s"/>now</Say><Play digits="1wW#"/>`)
		c := w.dial()
		c.Hears(t, "Dial 911 now")
		e := c.Hears(t, "1wW#")
		start := e.At
		c.Ended(t)
		near(t, "keys", time.Since(start), 1900*time.Millisecond)
	})
}
