package twiliosim_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// hangupAll answers /voice by hanging up, and /status.
func (w *world) hangupAll() {
	w.silent("/status")
	w.twiml("/voice", `<Hangup/>`)
}

func TestS01_InboundCallPostsStandardParameters(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.hangupAll()
		c := w.dial()
		c.Ended(t)
		r := w.one("/voice")
		params(t, r, "CallSid", c.Sid, "AccountSid", twiliosim.DefaultAccountSid, "From", caller, "To", hotline, "Caller", caller, "Called", hotline,
			"CallStatus", "ringing", "ApiVersion", "2010-04-01", "Direction", "inbound", "FromCity", "WASHINGTON", "CallerState", "DC",
			"ToZip", "20001", "CalledCountry", "US", "ParentCallSid", "-")
		if r.method != http.MethodPost || !strings.HasPrefix(r.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			t.Errorf("%s %s, want a form POST", r.method, r.header.Get("Content-Type"))
		}
		if r.header.Get("User-Agent") != "TwilioProxy/1.1" || r.header.Get("X-Twilio-Signature") == "" {
			t.Errorf("headers %v", r.header)
		}
	})
}

func TestS02_ApplicationOrTrunkHidesVoiceURL(t *testing.T) {
	for name, n := range map[string]twiliosim.Number{
		"application": {VoiceApplicationSid: "AP00000000000000000000000000000001"},
		"trunk":       {TrunkSid: "TK00000000000000000000000000000001"},
	} {
		t.Run(name, func(t *testing.T) {
			n.PhoneNumber, n.VoiceURL = hotline, appURL+"/voice"
			play(t, twiliosim.Config{Numbers: []twiliosim.Number{n}}, func(t *testing.T, w *world) {
				w.hangupAll()
				c := w.dial()
				c.Ended(t)
				if len(w.got("/voice")) > 0 {
					t.Error("VoiceUrl was requested")
				}
			})
		})
	}
}

func fallbackNumber() []twiliosim.Number {
	return []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: appURL + "/voice", VoiceFallbackURL: appURL + "/fallback", StatusCallback: appURL + "/status"}}
}

func TestS03_FailureGoesToFallbackElseApologyAndEnd(t *testing.T) {
	tests := map[string]struct {
		answer http.HandlerFunc
		refuse int
		code   string
		after  time.Duration
	}{
		"500":               {answer: func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, code: "11200"},
		"404":               {answer: http.NotFound, code: "11200"},
		"no answer in 15 s": {answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, code: "11205", after: 15 * time.Second},
		"no connection":     {answer: http.NotFound, refuse: 2, code: "11205"},
	}
	for name, x := range tests {
		t.Run(name+", fallback", func(t *testing.T) {
			play(t, twiliosim.Config{Numbers: fallbackNumber()}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.on("/voice", x.answer)
				w.twiml("/fallback", `<Say>One moment.</Say>`)
				w.refuse = x.refuse
				start := time.Now()
				c := w.dial()
				c.Hears(t, "one moment")
				near(t, "time to the fallback", time.Since(start), x.after)
				c.Ended(t)
				params(t, w.one("/fallback"), "ErrorCode", x.code, "ErrorUrl", appURL+"/voice", "CallSid", c.Sid)
				w.sim.Allow(11200, 11205)
			})
		})
		t.Run(name+", none", func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.on("/voice", x.answer)
				w.refuse = x.refuse
				c := w.dial()
				c.Hears(t, "application error")
				start := time.Now()
				if got := c.Ended(t); got != twiliosim.StatusCompleted {
					t.Errorf("status %s", got)
				}
				near(t, "length of the apology", time.Since(start), 4*time.Second)
				w.sim.Allow(11200, 11205)
			})
		})
	}
}

func TestS03_FallbackThatFailsTooApologises(t *testing.T) {
	play(t, twiliosim.Config{Numbers: fallbackNumber()}, func(t *testing.T, w *world) {
		w.silent("/status")
		c := w.dial() // neither /voice nor /fallback is there
		c.Hears(t, "application error")
		c.Ended(t)
		w.violated(11200, 11200)
	})
}

func TestS04_OneRetryOfAConnectionNoneOfA500(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.hangupAll()
		w.refuse = 1
		w.dial().Ended(t)
		w.one("/voice")
		w.violated()
	})
	notRepeated := func(name string, answer http.HandlerFunc) {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.on("/voice", answer)
				w.dial().Ended(t)
				w.one("/voice")
				w.sim.Allow(11200, 11205)
			})
		})
	}
	notRepeated("500", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
	notRepeated("read time-out", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

func TestS05_FragmentOverridesAreNotSentAndRetry(t *testing.T) {
	number := []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: appURL + "/voice?x=1#rc=2&rp=5xx"}}
	play(t, twiliosim.Config{Numbers: number}, func(t *testing.T, w *world) {
		tries := 0
		w.on("/voice", func(rw http.ResponseWriter, r *http.Request) {
			if tries++; tries <= 2 {
				rw.WriteHeader(503)
				return
			}
			writeTwiML(rw, `<Hangup/>`)
		})
		w.dial().Ended(t)
		got := w.got("/voice")
		if len(got) != 3 {
			t.Fatalf("%d requests, want 3", len(got))
		}
		token := got[0].header.Get("I-Twilio-Idempotency-Token")
		for _, r := range got {
			if r.query.Encode() != "x=1" || r.header.Get("I-Twilio-Idempotency-Token") != token || token == "" {
				t.Errorf("query %v, token %q", r.query, r.header.Get("I-Twilio-Idempotency-Token"))
			}
		}
	})
	for fragment, code := range map[string]int{"rc=9": 11243, "rp=never": 11243, "zz=1": 11243, "rt=99999": 11243} {
		t.Run(fragment, func(t *testing.T) {
			number := []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: appURL + "/voice#" + fragment}}
			play(t, twiliosim.Config{Numbers: number}, func(t *testing.T, w *world) {
				w.dial().Ended(t)
				w.violated(code)
			})
		})
	}
}

func TestS05_ReadTimeoutRetriesOnlyInsideTheTotal(t *testing.T) {
	number := []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: appURL + "/voice#rt=4000&rc=5&rp=rt"}}
	play(t, twiliosim.Config{Numbers: number, PatienceFloor: time.Millisecond}, func(t *testing.T, w *world) {
		w.on("/voice", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		start := time.Now()
		c := w.dial()
		c.Hears(t, "application error")
		if took := time.Since(start); took > 16*time.Second {
			t.Errorf("took %v, want at most 15s", took)
		}
		if n := len(w.got("/voice")); n != 4 {
			t.Errorf("%d requests, want 4 of 4 s each, cut at 15 s", n)
		}
		c.Ended(t)
		w.violated(11205)
	})
}

func TestS06_RedirectTurnsPOSTIntoGETAndLosesDigits(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Gather action="/key" numDigits="1"><Say>Press 1.</Say></Gather>`)
		w.on("/key", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/elsewhere", http.StatusFound) })
		w.twiml("/elsewhere", `<Hangup/>`)
		c := w.dial()
		c.Hears(t, "press 1")
		c.Presses("1")
		c.Ended(t)
		params(t, w.one("/key"), "Digits", "1")
		if r := w.one("/elsewhere"); r.method != http.MethodGet || r.form.Has("Digits") {
			t.Errorf("%s %v, want a GET without Digits", r.method, r.form)
		}
	})
	t.Run("too many", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/status")
			w.on("/voice", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/voice", http.StatusFound) })
			c := w.dial()
			c.Hears(t, "application error")
			c.Ended(t)
			if n := len(w.got("/voice")); n != 11 {
				t.Errorf("%d requests, want the first and ten redirects", n)
			}
			w.violated(11215)
		})
	})
}

func TestS07_ContentTypes(t *testing.T) {
	tests := map[string]struct {
		kind, body string
		hears      string
		code       int
	}{
		"none":            {"", `<Response><Say>TwiML</Say></Response>`, "application error", 12300},
		"text/plain":      {"text/plain", "Just words", "just words", 0},
		"plain TwiML":     {"text/plain; charset=utf-8", `<Response><Say>TwiML</Say></Response>`, "twiml", 0},
		"text/html":       {"text/html", `<Response><Say>TwiML</Say></Response>`, "twiml", 0},
		"application/xml": {"application/xml", `<Response><Say>TwiML</Say></Response>`, "twiml", 0},
		"audio":           {"audio/mpeg", "xx", appURL + "/voice", 0},
		"json":            {"application/json", "{}", "application error", 12300},
	}
	for name, x := range tests {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.on("/voice", func(rw http.ResponseWriter, _ *http.Request) {
					rw.Header()["Content-Type"] = nil
					if x.kind != "" {
						rw.Header().Set("Content-Type", x.kind)
					}
					rw.WriteHeader(200)
					_, _ = rw.Write([]byte(x.body))
				})
				c := w.dial()
				c.Hears(t, x.hears)
				c.Ended(t)
				if x.code != 0 {
					w.violated(x.code)
				}
			})
		})
	}
}

func (w *world) raw(path, body string) {
	w.on(path, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/xml")
		_, _ = rw.Write([]byte(body))
	})
}

func TestS08_MalformedDocumentIs12100AndFallsBack(t *testing.T) {
	for name, body := range map[string]string{
		"blank line":    "\n<?xml version=\"1.0\"?><Response><Hangup/></Response>",
		"wrong root":    `<Reply><Hangup/></Reply>`,
		"unescaped &":   `<Response><Say>R & D</Say></Response>`,
		"not closed":    `<Response><Hangup></Response>`,
		"two roots":     `<Response/><Response/>`,
		"text after":    `<Response/>x`,
		"twice":         `<Response><Say loop="1" loop="2">x</Say></Response>`,
		"other charset": `<?xml version="1.0" encoding="latin1"?><Response/>`,
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Numbers: fallbackNumber()}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.raw("/voice", body)
				w.twiml("/fallback", `<Hangup/>`)
				w.dial().Ended(t)
				params(t, w.one("/fallback"), "ErrorCode", "12100")
				w.violated(12100)
			})
		})
	}
}

func TestS09_UnknownVerbOrAttributeIsAWarningAndSkipped(t *testing.T) {
	tests := map[string]struct {
		verbs string
		code  int
	}{
		"verb":            {`<Speak>forbidden</Speak>`, 12200},
		"case":            {`<say>forbidden</say>`, 12200},
		"attribute":       {`<Say pitch="high">yes</Say>`, 12200},
		"attribute case":  {`<Pause Length="1"/>`, 12200},
		"nested":          {`<Gather timeout="1"><Hangup/></Gather>`, 13320},
		"text":            {`<Pause>5</Pause>`, 12200},
		"wrong value":     {`<Pause length="soon"/>`, 13910},
		"numDigits":       {`<Gather timeout="1" numDigits="0"/>`, 13314},
		"finishOnKey":     {`<Gather timeout="1" finishOnKey="12"/>`, 13310},
		"voice":           {`<Say voice="robot">x</Say>`, 13511},
		"language":        {`<Say language="english!">x</Say>`, 13512},
		"loop":            {`<Say loop="-1">x</Say>`, 13510},
		"empty say":       {`<Say/>`, 13520},
		"long say":        {`<Say>` + strings.Repeat("a", 4097) + `</Say>`, 13521},
		"gather timeout":  {`<Gather timeout="0"/>`, 13313},
		"redirect method": {`<Redirect method="PUT">/next</Redirect>`, 13710},
	}
	for name, x := range tests {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{SpeechPerCharacter: time.Millisecond}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", x.verbs+`<Say>Still here.</Say>`)
				w.twiml("/next", `<Say>Still here.</Say>`)
				c := w.dial()
				c.Hears(t, "still here")
				c.HeardNothingLike(t, "forbidden")
				c.HeardNothingLike(t, "application error")
				c.Ended(t)
				w.violated(x.code)
			})
		})
	}
}

func TestS10_DocumentOver64KiBIs11750(t *testing.T) {
	for size, code := range map[int]int{64 << 10: 0, 64<<10 + 1: 11750} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				frame := `<Response><!----><Hangup/></Response>`
				w.raw("/voice", strings.Replace(frame, "<!---->", "<!--"+strings.Repeat("x", size-len(frame))+"-->", 1))
				w.dial().Ended(t)
				if code == 0 {
					w.violated()
				} else {
					w.violated(code)
				}
			})
		})
	}
}

func TestS11_DocumentEndHangsUpAndTellsTheNumber(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Pause length="1"/><Pause length="7"/>`)
		c := w.dial()
		if got := c.Ended(t); got != twiliosim.StatusCompleted {
			t.Errorf("status %s", got)
		}
		params(t, w.one("/status"), "CallStatus", "completed", "CallDuration", "7")
	})
}

func TestS12_CookiesComeBack(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.on("/voice", func(rw http.ResponseWriter, _ *http.Request) {
			http.SetCookie(rw, &http.Cookie{Name: "session", Value: "abc", Path: "/"})
			writeTwiML(rw, `<Redirect>/next</Redirect>`)
		})
		w.twiml("/next", `<Hangup/>`)
		w.dial().Ended(t)
		if got := w.one("/voice").header.Get("Cookie"); got != "" {
			t.Errorf("first request has Cookie %q", got)
		}
		if got := w.one("/next").header.Get("Cookie"); got != "session=abc" {
			t.Errorf("Cookie %q, want session=abc", got)
		}
		other := w.dial()
		other.Ended(t)
		if got := w.got("/voice")[1].header.Get("Cookie"); got != "" {
			t.Errorf("another call has Cookie %q", got)
		}
	})
}

func TestBasicAuthIsSentOnlyWhenAskedFor(t *testing.T) {
	number := []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: strings.Replace(appURL, "https://", "https://user:pass@", 1) + "/voice"}}
	t.Parallel()
	seenAuth := []string{}
	sim, err := twiliosim.New(twiliosim.Config{Numbers: number, Transport: roundTrip(func(r *http.Request) *http.Response {
		seenAuth = append(seenAuth, r.Header.Get("Authorization"))
		res := &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: body(`<Response><Reject/></Response>`), Request: r}
		if r.Header.Get("Authorization") == "" {
			res.StatusCode = 401
			res.Header.Set("WWW-Authenticate", `Basic realm="app"`)
		}
		return res
	})})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	c, err := sim.Call(caller, hotline)
	if err != nil {
		t.Fatal(err)
	}
	c.Ended(t)
	sim.Check(t)
	if len(seenAuth) != 2 || seenAuth[0] != "" || seenAuth[1] != "Basic dXNlcjpwYXNz" {
		t.Errorf("Authorization %q, want none and then user:pass", seenAuth)
	}
}
