package integrationtests

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// send makes a request to a public address of switchboard.
func (h *hotline) send(method, target, contentType, body string, sign bool) (int, string) {
	h.t.Helper()
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if sign {
		form, _ := url.ParseQuery(body)
		req.Header.Set("X-Twilio-Signature", twiliosim.Sign(twiliosim.DefaultAuthToken, target, form))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

const formType = "application/x-www-form-urlencoded"

// voiceForm is the form that Twilio sends when a call arrives.
func voiceForm(sid string, more ...string) string {
	v := url.Values{"CallSid": {sid}, "AccountSid": {twiliosim.DefaultAccountSid}, "From": {caller}, "To": {demo.Number}, "CallStatus": {"ringing"}, "Direction": {"inbound"}, "ApiVersion": {"2010-04-01"}}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v.Encode()
}

const strangeCall = "CA00000000000000000000000000000bad"

// TestBadRequestsAreAnsweredAndChangeNothing sends requests that Twilio would not send. Those in
// Twilio's shape are answered with 200 and one fixed sentence, the others with 4xx.
func TestBadRequestsAreAnsweredAndChangeNothing(t *testing.T) {
	t.Parallel()
	h := start(t, acknowledgeFirst)
	// Once a valid signature has been seen, unsigned requests are refused.
	first := h.onHold()
	first.HangsUp()
	first.Ended(t)
	h.cleanedUp()
	before := fmt.Sprint(h.alert("resolved", func(a alert) bool { return a.Status == "resolved" && strings.Contains(a.story(), "Resolved") }))
	var calls []call
	h.get("/api/v1/calls", &calls)
	nCalls := len(calls)

	under := func(sub string) string { return h.Endpoint + "/c/" + strangeCall + sub }
	for _, tc := range []struct {
		name, method, url, contentType, body string
		sign                                 bool
		status                               int    // 0: any 4xx
		says                                 string // part of the answer
	}{
		{"garbage form", "POST", h.Endpoint, formType, "%zz&&&=;;\x00\xff", false, 200, "<Response>"},
		{"wrong content type", "POST", h.Endpoint, "application/json", `{"CallSid":"x"}`, false, 200, "<Response>"},
		{"empty body", "POST", h.Endpoint, formType, "", false, 200, "<Response>"},
		{"oversize body", "POST", h.Endpoint, formType, "CallSid=" + strings.Repeat("A", 70<<10), false, 0, ""},
		{"malformed CallSid", "POST", h.Endpoint, formType, voiceForm("CA../../etc"), true, 200, "<Response>"},
		{"another account", "POST", h.Endpoint, formType, voiceForm(strangeCall, "AccountSid", "AC99999999999999999999999999999999"), false, 200, "<Response>"},
		{"unknown CallSid, no token", "POST", under("/menu"), formType, voiceForm(strangeCall, "Digits", "1"), true, 200, "<Response>"},
		{"unknown CallSid, wrong token", "POST", under("/menu?v=1&s=1&t=AAAAAAAAAAAAAAAAAAAAAA"), formType, voiceForm(strangeCall, "Digits", "1"), true, 200, "<Response>"},
		{"known CallSid, wrong token", "POST", h.Endpoint + "/c/" + first.Sid + "/hold/key?v=1&s=2&t=AAAAAAAAAAAAAAAAAAAAAA", formType, voiceForm(first.Sid, "Digits", "*"), true, 200, "<Response>"},
		{"unknown sub-path", "POST", h.Endpoint + "/nowhere", formType, voiceForm(strangeCall), true, 200, "<Response>"},
		{"unknown sub-path of a call", "POST", under("/nowhere/at/all"), formType, voiceForm(strangeCall), true, 200, "<Response>"},
		{"other method", "DELETE", h.Endpoint, "", "", false, 405, ""},
		{"unknown integration, Twilio's shape", "POST", h.URL + "/integrations/int_unknown", formType, voiceForm(strangeCall), false, 200, "not in service"},
		{"unknown integration, anything else", "POST", h.URL + "/integrations/int_unknown", formType, "hello=world", false, 404, ""},
		{"unknown integration, GET of Twilio's shape", "GET", h.URL + "/integrations/int_unknown?" + voiceForm(strangeCall), "", "", false, 200, "not in service"},
		{"a path that climbs", "POST", h.URL + "/integrations/../api/v1/alerts", formType, "", false, 0, ""},
	} {
		status, body := h.send(tc.method, tc.url, tc.contentType, tc.body, tc.sign)
		if tc.status == 0 && (status < 400 || status > 499) || tc.status != 0 && status != tc.status {
			t.Errorf("%s: status %d, want %d: %.200s", tc.name, status, tc.status, body)
		}
		h.get("/api/v1/calls", &calls)
		if len(calls) != nCalls {
			t.Errorf("%s: %d calls became %d: %.300s", tc.name, nCalls, len(calls), body)
			nCalls = len(calls)
		}
		if !strings.Contains(body, tc.says) {
			t.Errorf("%s: the answer lacks %q: %.300s", tc.name, tc.says, body)
		}
		if status == 200 && strings.Contains(body, "<Response>") {
			if problems := twiliosim.ValidateTwiML([]byte(body)); len(problems) > 0 {
				t.Errorf("%s: %v: %s", tc.name, problems, body)
			}
		}
	}
	// Without a right signature a caller is served, since the token may be mistyped; but as long as
	// Twilio does not know the call there is no alert, and nobody is rung.
	for _, contentType := range []string{"", formType} {
		if status, body := h.send("POST", h.Endpoint, contentType, voiceForm(strangeCall), false); status != 200 || !strings.Contains(body, "<Say") {
			t.Errorf("an unsigned call with content type %q: status %d: %.300s", contentType, status, body)
		}
	}
	h.eventually("Twilio was asked for the unsigned call", func() bool {
		return slices.ContainsFunc(h.Sim.Events(0), func(e twiliosim.Event) bool {
			return e.Kind == twiliosim.EventREST && strings.Contains(e.URL, strangeCall)
		})
	})
	if n := h.rang(alice) + h.rang(dave); n != 0 {
		t.Errorf("%d phones rang", n)
	}
	if after := fmt.Sprint(h.alerts()); after != "["+before+"]" {
		t.Errorf("alerts changed:\n%s\n%s", before, after)
	}
}

func TestInvalidOptionsAreRefusedFieldByField(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	const canary = "canarysecret0123456789"
	for _, tc := range []struct {
		name string
		opts options
		want []string
	}{
		{"nothing", options{}, []string{"account_sid", "api_key", "api_secret"}},
		{"everything wrong", options{"account_sid": "AC" + canary, "api_key": canary, "api_secret": []string{canary}, "auth_token": map[string]string{"x": canary}, "api_region": "mars", "max_wait_time": 5, "ring_timeout": "long",
			"voicemail": "maybe", "voicemail_emails": []string{"nobody"}, "banned_phones": []string{"12"}, "reach": "shout", "welcome": "http://insecure.example.com/a.mp3", "caller_id": "555"},
			[]string{"account_sid", "api_secret", "auth_token", "api_region", "max_wait_time", "ring_timeout", "voicemail", "voicemail_emails/0", "banned_phones/0", "reach", "welcome", "caller_id"}},
	} {
		err := h.API(context.Background(), "POST", "/api/v1/integrations", map[string]any{
			"plugin": "livecall", "name": "Refused", "enabled": true, "destinations": []map[string]string{{"kind": "team", "id": "devops"}}, "options": tc.opts,
		}, nil)
		if err == nil || !strings.Contains(err.Error(), "422") {
			t.Errorf("%s: %v, want 422", tc.name, err)
			continue
		}
		for _, path := range tc.want {
			if !strings.Contains(err.Error(), `"path":"`+path+`"`) {
				t.Errorf("%s: no problem at %s: %v", tc.name, path, err)
			}
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the answer echoes a secret: %v", tc.name, err)
		}
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("a secret reached the log")
	}
}
