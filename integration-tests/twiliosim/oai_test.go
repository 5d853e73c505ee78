package twiliosim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim/oaicheck"
)

// checked wraps the simulator with Twilio's document, if it is there.
func checked(t *testing.T, h http.Handler) http.Handler {
	if c, err := oaicheck.AtHand(); err == nil {
		return c.Handler(h, func(err error) { t.Errorf("OpenAPI: %v", err) })
	}
	return h
}

// TestOpenAPI makes every request that the simulator knows; each, and its answer, must be as
// Twilio's document says.
func TestOpenAPI(t *testing.T) {
	oaicheck.ForTest(t)
	play(t, twiliosim.Config{CallsPerSecond: -1}, func(t *testing.T, w *world) {
		w.silent("/status", "/leg/status")
		w.twiml("/voice", `<Enqueue waitUrl="/hold">support</Enqueue><Record action="/recorded" finishOnKey="#"/>`)
		w.twiml("/hold", `<Pause length="10"/>`)
		w.twiml("/recorded", `<Hangup/>`)
		w.twiml("/next", `<Record action="/recorded" finishOnKey="#"/>`)
		c := w.dial()
		c.Saw(t, "queue", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventQueued })
		ok := func(want int, a restAnswer) restAnswer {
			t.Helper()
			if a.status != want {
				t.Errorf("answer %d %v, want %d", a.status, a.body, want)
			}
			return a
		}
		q := ok(200, w.rest("GET", "/Queues.json", "PageSize", "20")).body["queues"].([]any)[0].(map[string]any)["sid"].(string)
		ok(200, w.rest("GET", "/Queues/"+q+".json"))
		ok(200, w.rest("POST", "/Queues/"+q+".json", "MaxSize", "50"))
		spare := ok(201, w.rest("POST", "/Queues.json", "FriendlyName", "spare", "MaxSize", "5"))
		ok(204, w.rest("DELETE", "/Queues/"+spare.text("sid")+".json"))
		ok(200, w.rest("GET", "/Queues/"+q+"/Members.json"))
		ok(200, w.rest("GET", "/Queues/"+q+"/Members/Front.json"))
		ok(200, w.rest("POST", "/Queues/"+q+"/Members/"+c.Sid+".json", "Url", appURL+"/next", "Method", "POST"))
		c.Saw(t, "beep", func(e twiliosim.Event) bool { return e.Kind == twiliosim.EventBeep })
		time.Sleep(time.Second)
		re := ok(200, w.rest("GET", "/Calls/"+c.Sid+"/Recordings.json")).body["recordings"].([]any)[0].(map[string]any)["sid"].(string)
		ok(200, w.rest("GET", "/Recordings/"+re+".json"))
		c.SpeaksFor("hello", 3*time.Second)
		c.Presses("#")
		c.Ended(t)
		time.Sleep(5 * time.Second)
		ok(200, w.rest("GET", "/Recordings.json", "CallSid", c.Sid))
		ok(200, w.rest("GET", "/Recordings/"+re+".mp3"))
		ok(204, w.rest("DELETE", "/Recordings/"+re+".json"))
		ok(200, w.rest("GET", "/Recordings/"+re+".json", "IncludeSoftDeleted", "true"))
		leg := ok(201, w.rest("POST", "/Calls.json", "From", hotline, "To", alice, "Twiml", "<Response><Pause length=\"60\"/></Response>", "Timeout", "20",
			"StatusCallback", appURL+"/leg/status", "StatusCallbackEvent", "answered", "StatusCallbackEvent", "completed", "MachineDetection", "Enable"))
		w.sim.Phone(alice).RingsNext(t).Answers()
		ok(200, w.rest("GET", "/Calls.json", "To", alice, "Status", "in-progress", "StartTime>", w.sim.Now().Add(-time.Hour).Format(time.RFC3339)))
		ok(200, w.rest("GET", "/Calls/"+leg.text("sid")+".json"))
		ok(200, w.rest("POST", "/Calls/"+leg.text("sid")+".json", "Status", "completed"))
		pn := ok(200, w.rest("GET", "/IncomingPhoneNumbers.json", "PhoneNumber", hotline)).body["incoming_phone_numbers"].([]any)[0].(map[string]any)["sid"].(string)
		ok(200, w.rest("GET", "/IncomingPhoneNumbers/"+pn+".json"))
		ok(200, w.rest("POST", "/IncomingPhoneNumbers/"+pn+".json", "VoiceUrl", appURL+"/voice", "StatusCallback", appURL+"/status"))
	})
}

// TestOpenAPIRefuses makes sure that the check can fail.
func TestOpenAPIRefuses(t *testing.T) {
	c := oaicheck.ForTest(t)
	root := "https://api.twilio.com/2010-04-01/Accounts/" + twiliosim.DefaultAccountSid
	json := http.Header{"Content-Type": {"application/json"}}
	for name, x := range map[string]struct{ method, path, form, answer string }{
		"misspelt parameter": {"POST", "/Calls.json", "To=%2B12025550143&From=%2B12025550100&Uri=https%3A%2F%2Fx.example.com", "{}"},
		"missing To":         {"POST", "/Calls.json", "From=%2B12025550100", "{}"},
		"bad Status":         {"POST", "/Calls/CA00000000000000000000000000000001.json", "Status=ended", "{}"},
		"bad SID":            {"GET", "/Calls/CAxyz.json", "", "{}"},
		"unknown path":       {"GET", "/Phones.json", "", "{}"},
		"bad answer":         {"GET", "/Calls/CA00000000000000000000000000000001.json", "", `{"status":"ended"}`},
		"bad answer SID":     {"GET", "/Calls/CA00000000000000000000000000000001.json", "", `{"sid":"CA1"}`},
	} {
		r, err := http.NewRequest(x.method, root+x.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if x.form != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		status := 200
		if x.path == "/Calls.json" {
			status = 201
		}
		if err := c.Check(r, []byte(x.form), status, json, []byte(x.answer)); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
