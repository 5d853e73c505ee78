package twiliosim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

func TestCreateCallIsChecked(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		for name, x := range map[string]struct {
			pairs []string
			code  int
		}{
			"no To":          {[]string{"From", hotline, "Url", appURL}, 21201},
			"no From":        {[]string{"To", alice, "Url", appURL}, 21213},
			"bad To":         {[]string{"From", hotline, "To", "alice", "Url", appURL}, 21211},
			"bad From":       {[]string{"From", "hotline", "To", alice, "Url", appURL}, 21212},
			"foreign From":   {[]string{"From", bob, "To", alice, "Url", appURL}, 21210},
			"no document":    {[]string{"From", hotline, "To", alice}, 21205},
			"relative Url":   {[]string{"From", hotline, "To", alice, "Url", "/leg"}, 21205},
			"bad Method":     {[]string{"From", hotline, "To", alice, "Url", appURL, "Method", "PUT"}, 21209},
			"bad Timeout":    {[]string{"From", hotline, "To", alice, "Url", appURL, "Timeout", "601"}, 21208},
			"bad callback":   {[]string{"From", hotline, "To", alice, "Url", appURL, "StatusCallback", "leg"}, 21205},
			"bad detection":  {[]string{"From", hotline, "To", alice, "Url", appURL, "MachineDetection", "On"}, 20001},
			"underscore URL": {[]string{"From", hotline, "To", alice, "Url", "https://my_host.example.com/"}, 21205},
		} {
			got := w.rest("POST", "/Calls.json", x.pairs...)
			if got.status != 400 || got.number("code") != x.code {
				t.Errorf("%s: %d %v, want 400 with code %d", name, got.status, got.body, x.code)
			}
		}
		if got := w.rest("PUT", "/Calls.json"); got.status != 405 || got.number("code") != 20004 {
			t.Errorf("PUT: %d %v", got.status, got.body)
		}
		refused(t, w.rest("GET", "/Phones.json"), 404, 20404)
	})
}

func TestCallsStartOneASecond(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		start := time.Now()
		var legs []*twiliosim.Call
		for range 3 {
			made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response/>", "Timeout", "5")
			legs = append(legs, w.sim.CallBySid(made.text("sid")))
		}
		for i, leg := range legs {
			e := leg.Saw(t, "ringing", func(e twiliosim.Event) bool { return e.Text == twiliosim.StatusRinging })
			near(t, "ringing", e.At.Sub(start), time.Duration(i)*time.Second+500*time.Millisecond)
			if got := leg.Ended(t); got != twiliosim.StatusNoAnswer {
				t.Errorf("status %s", got)
			}
		}
		near(t, "Timeout and five seconds", time.Since(start), 2*time.Second+500*time.Millisecond+10*time.Second)
	})
}

func TestListCalls(t *testing.T) {
	play(t, twiliosim.Config{CallsPerSecond: -1}, func(t *testing.T, w *world) {
		for _, to := range []string{alice, bob, alice} {
			w.rest("POST", "/Calls.json", "From", hotline, "To", to, "Twiml", "<Response/>")
			time.Sleep(time.Minute)
		}
		w.sim.Phone(bob).Busy()
		w.sim.CallBySid(w.rest("POST", "/Calls.json", "From", hotline, "To", bob, "Twiml", "<Response/>").text("sid")).Ended(t)
		now := w.sim.Now().UTC()
		for name, x := range map[string]struct {
			pairs []string
			want  int
		}{
			"all":      {nil, 4},
			"To":       {[]string{"To", alice}, 2},
			"Status":   {[]string{"Status", "busy"}, 1},
			"both":     {[]string{"To", alice, "Status", "busy"}, 0},
			"since":    {[]string{"StartTime>", now.Add(-90 * time.Second).Format(time.RFC3339)}, 2},
			"before":   {[]string{"StartTime<", now.Add(-90 * time.Second).Format(time.RFC3339)}, 2},
			"tomorrow": {[]string{"StartTime>", now.Add(24 * time.Hour).Format(time.RFC3339)}, 0},
		} {
			got, _ := w.rest("GET", "/Calls.json", x.pairs...).body["calls"].([]any)
			if len(got) != x.want {
				t.Errorf("%s: %d calls, want %d", name, len(got), x.want)
			}
		}
		first := w.rest("GET", "/Calls.json", "PageSize", "3")
		next := first.text("next_page_uri")
		u, err := url.Parse(next)
		if err != nil || next == "" {
			t.Fatalf("next_page_uri %q: %v", next, err)
		}
		var pairs []string
		for k, v := range u.Query() {
			pairs = append(pairs, k, v[0])
		}
		second := w.rest("GET", "/Calls.json", pairs...)
		if rows, _ := second.body["calls"].([]any); len(rows) != 1 || second.body["next_page_uri"] != nil || second.number("page") != 1 {
			t.Errorf("second page %v", second.body)
		}
	})
}

func TestMachineDetection(t *testing.T) {
	for name, x := range map[string]struct {
		machine bool
		mode    string
		async   bool
		want    string
	}{
		"human":       {false, "Enable", false, "human"},
		"machine":     {true, "Enable", false, "machine_start"},
		"message end": {true, "DetectMessageEnd", false, "machine_end_beep"},
		"async":       {true, "Enable", true, "machine_start"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
				w.silent("/amd")
				w.twiml("/leg", `<Pause length="10"/>`)
				if x.machine {
					w.sim.Phone(alice).Mailbox(time.Second, "Please leave a message.")
				} else {
					w.sim.Phone(alice).AnswersAfter(time.Second, "", "")
				}
				pairs := []string{"From", hotline, "To", alice, "Url", appURL + "/leg", "MachineDetection", x.mode}
				if x.async {
					pairs = append(pairs, "AsyncAmd", "true", "AsyncAmdStatusCallback", appURL+"/amd")
				}
				made := w.rest("POST", "/Calls.json", pairs...)
				leg := w.sim.CallBySid(made.text("sid"))
				leg.Reaches(t, twiliosim.StatusInProgress)
				answered := time.Now()
				leg.Ended(t)
				r := w.one("/leg")
				if x.async {
					near(t, "document", r.at.Sub(answered), 0)
					params(t, r, "AnsweredBy", "-")
					params(t, w.one("/amd"), "AnsweredBy", x.want, "CallSid", leg.Sid)
				} else {
					near(t, "document", r.at.Sub(answered), 4*time.Second)
					params(t, r, "AnsweredBy", x.want)
				}
				if got := w.rest("GET", "/Calls/"+leg.Sid+".json"); got.text("answered_by") != x.want {
					t.Errorf("resource %v", got.body)
				}
			})
		})
	}
}

func TestMailboxSpeaksAndNeverPresses(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.twiml("/leg", `<Gather action="/key" numDigits="1" timeout="20"><Say>Press 1.</Say></Gather>`)
		w.sim.Phone(alice).Mailbox(time.Second, "This is a mailbox.")
		w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Url", appURL+"/leg")
		leg := w.sim.Phone(alice).Calls()[0]
		leg.Saw(t, "greeting", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventSpoke })
		leg.Ended(t)
		if len(w.got("/key")) > 0 {
			t.Error("a key was pressed")
		}
	})
}

func TestTimeLimit(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.twiml("/leg", `<Pause length="100"/>`)
		w.sim.Phone(alice).AnswersAfter(0, "", "")
		made := w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Url", appURL+"/leg", "TimeLimit", "20")
		w.sim.CallBySid(made.text("sid")).Ended(t)
		if got := w.rest("GET", "/Calls/"+made.text("sid")+".json"); got.text("duration") != "20" {
			t.Errorf("resource %v", got.body)
		}
	})
}

func TestPhoneScripts(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing("", `<Number url="/whisper">`+alice+`</Number>`)
		if err := w.sim.Phone(alice).Follows("wait 2s; answer; hear 'a call for you'\nconnected +12025550199\n# a comment; hangup\nsay 'I am on it; really' for 3s; hangup"); err != nil {
			t.Fatal(err)
		}
		c := w.dial()
		c.Hears(t, "i am on it; really")
		c.Hears(t, "dial is over")
		c.Ended(t)
		for _, e := range w.sim.Phone(alice).Calls()[0].Transcript() {
			if e.Kind == twiliosim.EventScript && e.Note == "failed" {
				t.Error(e.Text)
			}
		}
	})
	for _, bad := range []string{"", "dance", "hear words", "hear 'x", "hear 'x' soon", "press", "press x", "wait", "wait -1s", "hangup now", "say 'x' for ever"} {
		if _, err := twiliosim.ParseScript(bad); err == nil {
			t.Errorf("script %q is accepted", bad)
		}
	}
}

func TestNumbers(t *testing.T) {
	numbers := []twiliosim.Number{{PhoneNumber: hotline}, {PhoneNumber: "+12025550101"}}
	play(t, twiliosim.Config{Numbers: numbers}, func(t *testing.T, w *world) {
		find := func(filter string) []any {
			rows, _ := w.rest("GET", "/IncomingPhoneNumbers.json", "PhoneNumber", filter).body["incoming_phone_numbers"].([]any)
			return rows
		}
		for filter, want := range map[string]int{"+1202555010": 2, hotline: 1, "+120255501**": 2, "+44": 0} {
			if got := len(find(filter)); got != want {
				t.Errorf("%s: %d numbers, want %d", filter, got, want)
			}
		}
		row, _ := find(hotline)[0].(map[string]any)
		path := "/IncomingPhoneNumbers/" + row["sid"].(string) + ".json"
		refused(t, w.rest("POST", path, "VoiceUrl", "nonsense"), 400, 21402)
		refused(t, w.rest("POST", path, "VoiceMethod", "PUT"), 400, 21403)
		w.twiml("/new", `<Say>The new document.</Say>`)
		got := w.rest("POST", path, "VoiceUrl", appURL+"/new", "VoiceMethod", "GET", "VoiceApplicationSid", "")
		if got.text("voice_url") != appURL+"/new" || got.text("voice_method") != "GET" {
			t.Errorf("number %v", got.body)
		}
		c := w.dial()
		c.Hears(t, "new document")
		c.Ended(t)
		if _, err := w.sim.Call(caller, bob); err == nil {
			t.Error("a number that the account does not have can be called")
		}
	})
}

func TestNewRefusesWhatTwilioClientsRefuse(t *testing.T) {
	for name, cfg := range map[string]twiliosim.Config{
		"account": {AccountSid: "AC1"}, "token": {AuthToken: "with-dash"}, "key": {APIKey: "SK 1"}, "region": {Region: "moon"},
		"number": {Numbers: []twiliosim.Number{{PhoneNumber: "0123"}}},
	} {
		if _, err := twiliosim.New(cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// redirectTo sends Twilio's requests to another address and keeps the host, as a program with
// another base URL does.
type redirectTo struct{ base *url.URL }

func (r redirectTo) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.Host = req.URL.Host
	out.URL.Scheme, out.URL.Host = r.base.Scheme, r.base.Host
	return http.DefaultTransport.RoundTrip(out)
}

// TestTwilioGo drives the simulator by Twilio's own client over a real connection, on a clock that
// runs 40 times as fast, while a program under test answers on another.
func TestTwilioGo(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/voice":
			writeTwiML(rw, `<Enqueue waitUrl="/hold">support</Enqueue>`)
		case "/hold":
			writeTwiML(rw, `<Say>Please wait.</Say><Pause length="5"/>`)
		default:
			rw.WriteHeader(http.StatusNoContent)
		}
	}))
	defer app.Close()
	// A minute of real time for each webhook: 15 seconds of the fast clock are too few under load.
	sim, err := twiliosim.New(twiliosim.Config{Clock: clock.Scaled(time.Now(), 40), PatienceFloor: time.Minute,
		Numbers: []twiliosim.Number{{PhoneNumber: hotline, VoiceURL: app.URL + "/voice"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(checked(t, sim))
	defer server.Close()
	defer sim.Check(t)
	defer sim.Close()
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &client.Client{Credentials: client.NewCredentials(twiliosim.DefaultAPIKey, twiliosim.DefaultAPISecret),
		HTTPClient: &http.Client{Transport: redirectTo{base}}}
	c.SetAccountSid(twiliosim.DefaultAccountSid)
	api := openapi.NewApiService(&client.RequestHandler{Client: c, Edge: "ashburn", Region: "us1"})

	waiting, err := sim.Call(caller, hotline)
	if err != nil {
		t.Fatal(err)
	}
	waiting.Hears(t, "please wait")
	fetched, err := api.FetchCall(waiting.Sid, &openapi.FetchCallParams{})
	if err != nil || *fetched.Status != "in-progress" || *fetched.From != caller {
		t.Fatalf("fetch: %+v, %v", fetched, err)
	}
	sim.Phone(alice).AnswersAfter(2*time.Second, "", "")
	params := (&openapi.CreateCallParams{}).SetTo(alice).SetFrom(hotline).SetTimeout(600).
		SetTwiml(`<Response><Dial><Queue>support</Queue></Dial></Response>`).SetStatusCallback(app.URL + "/status").
		SetStatusCallbackEvent([]string{"initiated", "answered", "completed"})
	made, err := api.CreateCall(params)
	if err != nil {
		t.Fatal(err)
	}
	waiting.ConnectedTo(t, alice)
	queues, err := api.ListQueue(&openapi.ListQueueParams{})
	if err != nil || len(queues) != 1 || *queues[0].FriendlyName != "support" {
		t.Errorf("queues %v, %v", queues, err)
	}
	if _, err := api.UpdateCall(*made.Sid, (&openapi.UpdateCallParams{}).SetStatus("completed")); err != nil {
		t.Error(err)
	}
	waiting.Ended(t)
	_, err = api.UpdateCall(*made.Sid, (&openapi.UpdateCallParams{}).SetStatus("completed"))
	if rest, ok := err.(*client.TwilioRestError); !ok || rest.Code != 21220 || rest.Status != 400 { //nolint:errorlint // twilio-go returns it bare
		t.Errorf("second end: %v, want 21220", err)
	}
	sim.CallBySid(*made.Sid).Ended(t)
	callbacks := 0
	for _, e := range sim.CallBySid(*made.Sid).Transcript() {
		if e.Kind == twiliosim.EventCallback {
			callbacks++
		}
	}
	if callbacks != 3 {
		t.Errorf("%d status callbacks, want 3", callbacks)
	}
}

func TestControlAPI(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.dialing(`callerId="`+hotline+`"`, alice)
		control := func(method, path, in string, want int) map[string]any {
			t.Helper()
			r := httptest.NewRequest(method, "http://sim.example.com"+path, strings.NewReader(in))
			rec := httptest.NewRecorder()
			w.sim.ServeHTTP(rec, r)
			if rec.Code != want {
				t.Errorf("%s %s: %d %s, want %d", method, path, rec.Code, rec.Body, want)
			}
			var out map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
				t.Errorf("%s %s: %v", method, path, err)
			}
			return out
		}
		control("POST", "/sim/calls", `{"from":"`+caller+`","to":"`+bob+`"}`, 422)
		control("POST", "/sim/calls", `{"from":"`+caller+`","to":"`+hotline+`","script":"dance"}`, 422)
		control("POST", "/sim/calls", `{"frm":"x"}`, 400)
		control("GET", "/sim/calls/CA1", "", 404)
		placed := control("POST", "/sim/calls", `{"from":"`+caller+`","to":"`+hotline+`"}`, 200)
		sid := placed["sid"].(string)
		leg := w.sim.Phone(alice).RingsNext(t)
		phones := fmt.Sprint(control("GET", "/sim/phones", "", 200))
		if !strings.Contains(phones, leg.Sid) {
			t.Errorf("phones %s lack the ringing call", phones)
		}
		control("POST", "/sim/calls/"+leg.Sid+"/answer", "", 200)
		control("POST", "/sim/calls/"+leg.Sid+"/answer", "", 409)
		w.sim.CallBySid(sid).ConnectedTo(t, alice)
		control("POST", "/sim/calls/"+leg.Sid+"/say", `{"words":"Good morning"}`, 200)
		w.sim.CallBySid(sid).Hears(t, "good morning")
		control("POST", "/sim/calls/"+sid+"/press", `{"keys":"7"}`, 200)
		leg.Hears(t, "7")
		if got := control("GET", "/sim/calls/"+sid, "", 200); got["talks_to"] != leg.Sid || len(got["events"].([]any)) < 4 {
			t.Errorf("call %v", got)
		}
		control("POST", "/sim/calls/"+leg.Sid+"/hangup", "", 200)
		w.sim.CallBySid(sid).Ended(t)

		control("PUT", "/sim/phones/"+alice, `{"behaviour":"sing"}`, 422)
		for _, set := range []string{`{"behaviour":"ring"}`, `{"behaviour":"busy"}`, `{"behaviour":"unreachable"}`, `{"behaviour":"mailbox","after_ms":500}`,
			`{"behaviour":"answer","keys":"1"}`, `{"behaviour":"script","script":"decline"}`} {
			control("PUT", "/sim/phones/"+alice, set, 200)
		}
		scripted := control("POST", "/sim/calls", `{"from":"`+caller+`","to":"`+hotline+`","script":"hear 'dial is over'; ended"}`, 200)
		again := w.sim.CallBySid(scripted["sid"].(string))
		again.Saw(t, "the script's end", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventScript && e.Note == "completed" })
		again.Ended(t)

		control("POST", "/sim/faults", `{"on":"rest","do":"status","status":503}`, 200)
		control("POST", "/sim/faults", `{"on":"rest","do":"explode"}`, 422)
		if got := w.rest("GET", "/Queues.json"); got.status != 503 {
			t.Errorf("the fault does nothing: %d", got.status)
		}
		control("DELETE", "/sim/faults", "", 200)
		if got := w.rest("GET", "/Queues.json"); got.status != 200 {
			t.Errorf("the fault is still there: %d", got.status)
		}
		control("GET", "/sim/numbers", "", 200)
		control("GET", "/sim/time", "", 200)
		if got := control("DELETE", "/sim/violations", "", 200); len(got["violations"].([]any)) != 0 {
			t.Errorf("violations %v", got)
		}
		events := control("GET", "/sim/events?after=0", "", 200)["events"].([]any)
		if len(events) < 20 {
			t.Errorf("%d events", len(events))
		}
		start := time.Now()
		control("GET", fmt.Sprintf("/sim/events?after=%d&wait_ms=2000", len(w.sim.Events(0))), "", 200)
		near(t, "long poll", time.Since(start), 2*time.Second)

		r := httptest.NewRequest("POST", "http://sim.example.com/sim/calls", strings.NewReader("{}"))
		r.Header.Set("Origin", "https://evil.example.com")
		rec := httptest.NewRecorder()
		w.sim.ServeHTTP(rec, r)
		if rec.Code != http.StatusForbidden {
			t.Errorf("a foreign page gets %d", rec.Code)
		}
		rec = httptest.NewRecorder()
		w.sim.ServeHTTP(rec, httptest.NewRequest("GET", "http://sim.example.com/", nil))
		if rec.Code != 200 || !strings.Contains(html.UnescapeString(rec.Body.String()), hotline) {
			t.Errorf("page: %d", rec.Code)
		}
	})
}

func TestEventStream(t *testing.T) {
	t.Parallel()
	sim, err := twiliosim.New(twiliosim.Config{Numbers: []twiliosim.Number{{PhoneNumber: hotline}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	defer sim.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/sim/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	c, err := sim.Call(caller, hotline) // without a VoiceUrl it fails at once
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		var e twiliosim.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			t.Fatal(err)
		}
		if e.Call == c.Sid && e.Kind == twiliosim.EventStatus && e.Text == twiliosim.StatusFailed {
			return
		}
	}
	t.Errorf("the stream ended before the call did: %v", lines.Err())
}

// TestCheckFailsTheTest makes sure that a violation is not overlooked, and that transcripts come
// with it.
func TestCheckFailsTheTest(t *testing.T) {
	play(t, twiliosim.Config{}, func(t *testing.T, w *world) {
		w.silent("/status")
		w.twiml("/voice", `<Speak>hello</Speak>`)
		w.dial().Ended(t)
		probe := &probe{}
		w.sim.Check(probe)
		if len(probe.lines) != 2 || !strings.Contains(probe.lines[0], "12200") || !strings.Contains(probe.lines[1], "/voice") {
			t.Errorf("check says %q", probe.lines)
		}
		w.sim.Allow(12200)
		probe.lines = nil
		w.sim.Check(probe)
		if len(probe.lines) != 0 {
			t.Errorf("check says %q although it is allowed", probe.lines)
		}
	})
}

type probe struct{ lines []string }

func (p *probe) Helper()                   {}
func (p *probe) Errorf(f string, a ...any) { p.lines = append(p.lines, fmt.Sprintf(f, a...)) }
func (p *probe) Fatalf(f string, a ...any) { p.Errorf(f, a...) }
