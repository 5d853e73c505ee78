package twiliosim_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func TestS50_NumberStatusCallbacks(t *testing.T) {
	callbacks := func(w *world) (out []string) {
		for _, r := range w.got("/leg/status") {
			out = append(out, r.form.Get("SequenceNumber")+" "+r.form.Get("CallStatus"))
			params(w.t, r, "CallbackSource", "call-progress-events")
			if _, err := time.Parse(time.RFC1123Z, r.form.Get("Timestamp")); err != nil {
				w.t.Errorf("Timestamp: %v", err)
			}
		}
		return out
	}
	want := []string{"0 initiated", "1 ringing", "2 in-progress", "3 completed"}
	for _, shuffle := range []bool{false, true} {
		name := "in order"
		if shuffle {
			name = "switch: any order"
		}
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{ShuffleStatusCallbacks: shuffle}}, func(t *testing.T, w *world) {
				w.dialing("", `<Number statusCallback="/leg/status" statusCallbackEvent="initiated ringing answered completed">`+alice+`</Number>`)
				w.sim.Phone(alice).AnswersAfter(time.Second, "", "")
				c := w.dial()
				leg := c.ConnectedTo(t, alice)
				leg.HangsUp()
				leg.Ended(t)
				c.Ended(t)
				time.Sleep(3 * time.Second)
				got := callbacks(w)
				if shuffle {
					slices.Sort(got)
				}
				if !slices.Equal(got, want) {
					t.Errorf("callbacks %v, want %v", got, want)
				}
			})
		})
	}
	t.Run("events in one REST parameter: none at all", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/leg/status")
			made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response/>",
				"StatusCallback", appURL+"/leg/status", "StatusCallbackEvent", "initiated ringing")
			if made.status != 201 {
				t.Errorf("answer %d", made.status)
			}
			w.sim.Phone(alice).RingsNext(t).Answers()
			w.sim.CallBySid(made.text("sid")).Ended(t)
			if len(w.got("/leg/status")) > 0 {
				t.Error("callbacks came")
			}
			w.violated(21626)
		})
	})
	t.Run("default: completed", func(t *testing.T) {
		play(t, twiliosim.Config{CallsPerSecond: -1}, func(t *testing.T, w *world) {
			w.silent("/leg/status")
			for _, status := range []string{"busy", "completed"} {
				made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response/>", "StatusCallback", appURL+"/leg/status")
				leg := w.sim.Phone(alice).RingsNext(t)
				if status == "busy" {
					leg.Declines()
				} else {
					leg.Answers()
				}
				w.sim.CallBySid(made.text("sid")).Ended(t)
			}
			if got := callbacks(w); !slices.Equal(got, []string{"0 busy", "0 completed"}) {
				t.Errorf("callbacks %v", got)
			}
		})
	})
	t.Run("canceled while queued: none", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/leg/status")
			w.sim.Phone(alice).Busy()
			w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response/>")
			made := w.rest("POST", "/Calls.json", "From", hotline, "To", bob, "Twiml", "<Response/>", "StatusCallback", appURL+"/leg/status")
			w.rest("POST", "/Calls/"+made.text("sid")+".json", "Status", "canceled")
			w.sim.CallBySid(made.text("sid")).Ended(t)
			if len(w.got("/leg/status")) > 0 {
				t.Error("callbacks came")
			}
		})
	})
}

func TestS51_EndOfAnInboundCall(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Say>x</Say><Pause length="12"/>`)
		c := w.dial()
		c.Ended(t)
		r := w.one("/status")
		params(t, r, "CallStatus", "completed", "CallDuration", "12", "SequenceNumber", "0", "Direction", "inbound", "From", caller)
		if at, err := time.Parse(time.RFC1123Z, r.form.Get("Timestamp")); err != nil || time.Since(at) > 2*time.Second {
			t.Errorf("Timestamp %q", r.form.Get("Timestamp"))
		}
		got := w.rest("GET", "/Calls/"+c.Sid+".json")
		if got.text("status") != "completed" || got.text("duration") != "12" || got.body["end_time"] == nil {
			t.Errorf("resource %v", got.body)
		}
	})
	t.Run("given up before the answer", func(t *testing.T) {
		for _, status := range []string{"", "canceled"} {
			t.Run("switch "+status, func(t *testing.T) {
				play(t, twiliosim.Config{Behaviour: twiliosim.Behaviour{InboundAbandonStatus: status}}, func(t *testing.T, w *world) {
					w.silent("/status")
					w.twiml("/voice", `<Pause length="10"/><Say>Hello.</Say>`)
					c := w.dial()
					time.Sleep(3 * time.Second)
					c.HangsUp()
					c.Ended(t)
					want := status
					if want == "" {
						want = "no-answer"
					}
					params(t, w.one("/status"), "CallStatus", want)
					c.HeardNothingLike(t, "hello")
				})
			})
		}
	})
}

func TestS52_Reject(t *testing.T) {
	for reason, status := range map[string]string{"": "no-answer", ` reason="rejected"`: "no-answer", ` reason="busy"`: "busy"} {
		t.Run(status+reason, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/status")
				w.twiml("/voice", `<Reject`+reason+`/>`)
				c := w.dial()
				if got := c.Ended(t); got != status {
					t.Errorf("status %s, want %s", got, status)
				}
				params(t, w.one("/status"), "CallStatus", status, "CallDuration", "0")
				for _, e := range c.Transcript() {
					if e.Kind == twiliosim.EventStatus && e.Text == twiliosim.StatusInProgress {
						t.Error("the call was answered")
					}
				}
			})
		})
	}
	t.Run("not the first verb", func(t *testing.T) {
		play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
			w.silent("/status")
			w.twiml("/voice", `<Say>Hello.</Say><Reject/>`)
			if got := w.dial().Ended(t); got != twiliosim.StatusCompleted {
				t.Errorf("status %s", got)
			}
			w.violated(12200)
		})
	})
}

func TestS55_Credentials(t *testing.T) {
	const sid, token, key, secret = twiliosim.DefaultAccountSid, twiliosim.DefaultAuthToken, twiliosim.DefaultAPIKey, twiliosim.DefaultAPISecret
	play(t, twiliosim.Config{Credentials: map[string]string{"SK00000000000000000000000000000002": "another"}}, func(t *testing.T, w *world) {
		for name, x := range map[string]struct {
			user, password, path string
			status               int
		}{
			"auth token":              {sid, token, "/Queues.json", 200},
			"API key":                 {key, secret, "/Queues.json", 200},
			"another key":             {"SK00000000000000000000000000000002", "another", "/Queues.json", 200},
			"wrong secret":            {key, "wrong", "/Queues.json", 401},
			"wrong key":               {"SK000000000000000000000000000000ff", secret, "/Queues.json", 401},
			"none":                    {"", "", "/Queues.json", 401},
			"auth token on Accounts":  {sid, token, ".json", 200},
			"Standard key on Account": {key, secret, ".json", 401},
			"Standard key on Keys":    {key, secret, "/Keys.json", 401},
		} {
			got := w.restAs(x.user, x.password, "api.twilio.com", "GET", x.path)
			if x.status == 401 {
				refused(t, got, 401, 20003)
			} else if got.status != x.status {
				t.Errorf("%s: %d, want %d", name, got.status, x.status)
			}
		}
	})
	t.Run("main key", func(t *testing.T) {
		play(t, twiliosim.Config{MainAPIKey: true}, func(t *testing.T, w *world) {
			if got := w.restAs(key, secret, "api.twilio.com", "GET", ".json"); got.status != 200 {
				t.Errorf("answer %d", got.status)
			}
		})
	})
	t.Run("any", func(t *testing.T) {
		play(t, twiliosim.Config{AnyCredentials: true}, func(t *testing.T, w *world) {
			if got := w.restAs("somebody", "whatever", "api.twilio.com", "GET", "/Queues.json"); got.status != 200 {
				t.Errorf("answer %d", got.status)
			}
		})
	})
}

func TestS56_TooManyRequests(t *testing.T) {
	play(t, twiliosim.Config{MaxConcurrentREST: 2}, func(t *testing.T, w *world) {
		// A body that arrives slowly keeps a request under way.
		statuses := make(chan int, 3)
		release := make(chan struct{})
		for range 2 {
			go func() { statuses <- w.hold(release) }()
		}
		time.Sleep(time.Second)
		refused(t, w.rest("POST", "/Queues.json", "FriendlyName", "refused"), 429, 20429)
		close(release)
		for range 2 {
			if got := <-statuses; got != 200 {
				t.Errorf("answer %d", got)
			}
		}
		if qs := w.listQueues(); len(qs) != 0 {
			t.Errorf("the refused request was done: %v", qs)
		}
	})
}

// hold makes a REST request whose answer is written only when release is closed.
func (w *world) hold(release chan struct{}) int {
	r := httptest.NewRequest("GET", "https://api.twilio.com/2010-04-01/Accounts/"+twiliosim.DefaultAccountSid+"/Queues.json", nil)
	r.SetBasicAuth(twiliosim.DefaultAccountSid, twiliosim.DefaultAuthToken)
	rec := &slowWriter{ResponseRecorder: httptest.NewRecorder(), release: release}
	w.sim.ServeHTTP(rec, r)
	return rec.Code
}

type slowWriter struct {
	*httptest.ResponseRecorder
	release chan struct{}
}

func (s *slowWriter) Write(b []byte) (int, error) {
	<-s.release
	return s.ResponseRecorder.Write(b)
}

func TestS57_RegionHosts(t *testing.T) {
	const sid, token = twiliosim.DefaultAccountSid, twiliosim.DefaultAuthToken
	for region, x := range map[string]map[string]int{
		"us1": {"api.twilio.com": 200, "api.ashburn.us1.twilio.com": 200, "api.dublin.ie1.twilio.com": 401, "127.0.0.1:8090": 200},
		"ie1": {"api.twilio.com": 401, "api.dublin.ie1.twilio.com": 200, "api.sydney.au1.twilio.com": 401},
	} {
		t.Run(region, func(t *testing.T) {
			play(t, twiliosim.Config{Region: region}, func(t *testing.T, w *world) {
				for host, status := range x {
					got := w.restAs(sid, token, host, "GET", "/Queues.json")
					if got.status != status {
						t.Errorf("%s: %d, want %d", host, got.status, status)
					}
				}
			})
		})
	}
	t.Run("dead hosts", func(t *testing.T) {
		sim, err := twiliosim.New(twiliosim.Config{Region: "ie1"})
		if err != nil {
			t.Fatal(err)
		}
		defer sim.Close()
		server := httptest.NewServer(sim)
		defer server.Close()
		for _, host := range []string{"api.ie1.twilio.com", "api.dublin.mars.twilio.com"} {
			r, err := http.NewRequest("GET", server.URL+"/2010-04-01/Accounts/"+sid+"/Queues.json", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			r.SetBasicAuth(sid, token)
			if res, err := http.DefaultClient.Do(r); err == nil {
				_ = res.Body.Close()
				t.Errorf("%s answers %d", host, res.StatusCode)
			}
		}
	})
}

func TestS58_SignatureAndPort(t *testing.T) {
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	if got := twiliosim.Sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form); got != "RSOYDt4T1cUTdK1PDd93/VVr8B8=" {
		t.Errorf("signature %s differs from Twilio's published vector", got)
	}
	for name, x := range map[string]struct {
		base   string
		keeps  bool
		signed string
	}{
		"https drops the port":            {"https://app.example.com:8443", false, "https://app.example.com"},
		"switch: https keeps it":          {"https://app.example.com:8443", true, "https://app.example.com:8443"},
		"http keeps it":                   {"http://app.example.com:8080", false, "http://app.example.com:8080"},
		"http without":                    {"http://app.example.com", false, "http://app.example.com"},
		"https without":                   {"https://app.example.com", false, "https://app.example.com"},
		"switch does nothing without one": {"https://app.example.com", true, "https://app.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			var sent string
			sim, err := twiliosim.New(twiliosim.Config{
				Behaviour: twiliosim.Behaviour{SignHTTPSPort: x.keeps},
				Numbers:   []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: x.base + "/voice?a=b#rc=1"}},
				Transport: roundTrip(func(r *http.Request) *http.Response {
					got, sent = r, readAll(t, r)
					return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/xml"}}, Body: body(`<Response><Reject/></Response>`), Request: r}
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			c, err := sim.Call(caller, hotline)
			if err != nil {
				t.Fatal(err)
			}
			c.Ended(t)
			values, err := url.ParseQuery(sent)
			if err != nil {
				t.Fatal(err)
			}
			if got.URL.Host != strings.SplitN(x.base, "://", 2)[1] {
				t.Errorf("sent to %s", got.URL.Host)
			}
			if want := twiliosim.Sign(twiliosim.DefaultAuthToken, x.signed+"/voice?a=b", values); got.Header.Get("X-Twilio-Signature") != want {
				t.Errorf("not signed as %s", x.signed)
			}
		})
	}
}

func TestS59_GETWebhook(t *testing.T) {
	number := []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: appURL + "/voice?team=a%20b", VoiceMethod: "GET"}}
	play(t, twiliosim.Config{Numbers: number}, func(t *testing.T, w *world) {
		w.twiml("/voice", `<Hangup/>`)
		c := w.dial()
		c.Ended(t)
		r := w.one("/voice") // the harness has checked the signature over the URL alone
		if r.method != "GET" || r.query.Get("team") != "a b" {
			t.Errorf("%s %v", r.method, r.query)
		}
		params(t, r, "CallSid", c.Sid, "CallStatus", "ringing")
	})
}

func TestS60_AnonymousCaller(t *testing.T) {
	for _, from := range []string{"anonymous", "+266696687", "+7378742833"} {
		t.Run(from, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.hangupAll()
				w.dialFrom(from).Ended(t)
				params(t, w.one("/voice"), "From", from, "Caller", from, "FromCity", "-", "FromState", "-", "FromZip", "-", "FromCountry", "-", "CallerCountry", "-", "ToCountry", "US")
			})
		})
	}
}

// TestTwilioGoAgrees checks that twilio-go's validator finds the fault in a tampered request.
func TestTwilioGoAgrees(t *testing.T) {
	v := client.NewRequestValidator("token")
	u := "https://app.example.com/voice?x=1"
	sig := twiliosim.Sign("token", u, url.Values{"A": {"1"}, "B": {"ä & ö"}})
	if !v.Validate(u, map[string]string{"A": "1", "B": "ä & ö"}, sig) || v.Validate(u, map[string]string{"A": "2", "B": "ä & ö"}, sig) {
		t.Error("signatures differ")
	}
}
