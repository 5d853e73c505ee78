package attacks

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

const (
	refused      = "This call cannot be served"
	notInService = "not in service"
	stranger     = "CA00000000000000000000000000000bad" // a call that Twilio does not know
	noToken      = "AAAAAAAAAAAAAAAAAAAAAA"
)

// want is what must hold after an attack.
type want struct {
	status int    // 0: any from 400 to 499
	says   string // part of the answer
	// knocked accepts a session: somebody who cannot be told from a caller yet hears the menu, but
	// there is no alert, and nobody is rung.
	knocked bool
}

// attack is a row: what is tried, and what must hold.
type attack struct {
	name string
	request
	want
}

// holds tries an attack and checks the answer, that nothing has changed, and that no log line is
// long.
func (h *hotline) holds(t *testing.T, a attack) {
	t.Helper()
	before, logged := h.look(t), len(h.log.String())
	got := h.send(t, a.request)
	if got.err != nil && a.status == 413 {
		// Cut off while it was still being sent, which is as good.
		got = answer{status: 413, body: a.says}
	}
	if got.err != nil {
		t.Fatal(got.err)
	}
	if ok := got.status == a.status || a.status == 0 && got.status >= 400 && got.status <= 499; !ok || !strings.Contains(got.body, a.says) {
		t.Errorf("answered %d %.300s; want %d with %q", got.status, got.body, a.status, a.says)
	}
	if strings.Contains(got.body, "<Response>") {
		if problems := twiliosim.ValidateTwiML([]byte(got.body)); len(problems) > 0 {
			t.Errorf("the document is invalid: %v: %s", problems, got.body)
		}
	}
	after := h.look(t)
	if a.knocked && after.Calls == before.Calls+1 {
		after.Calls = before.Calls
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("it has changed something (-before +after):\n%s", diff)
	}
	for _, line := range h.linesSince(logged) {
		if len(line) > 2500 {
			t.Errorf("a log line of %d bytes: %.200s…", len(line), line)
		}
	}
}

// below are all paths below a call, and whether Twilio ignores the answer.
var below = []string{
	"resume", "menu", "hold", "hold/key", "left", "voicemail", "recorded", "announce", "recording", "transcription",
	"leg/1", "leg/1/key", "leg/1/ended", "leg/1/status",
}

func TestAddressesOfACallAreWorthNothingWithoutTheirToken(t *testing.T) {
	other := target.issuedEverywhere(t)
	alerts := target.look(t).Alerts
	victim := target.arrive(t)
	eventually(t, "the caller's alert", func() bool { return target.look(t).Alerts == alerts+1 })
	base := target.path(target.Endpoint) + "/c/" + victim.sid + "/"
	own := token(victim.address["menu"])
	form := voice(victim.sid, "Digits", "1", "RecordingUrl", "https://api.twilio.com/x", "TranscriptionText", "come to the door", "TranscriptionStatus", "completed")
	var table []attack
	for _, path := range below {
		add := func(name, query string, signed bool) {
			table = append(table, attack{path + ", " + name, request{target: base + path + query, form: form, signed: signed}, want{status: 200, says: refused}})
		}
		add("no token", "", true)
		add("an invented token", "?v=1&s=1&t="+noToken, true)
		add("unsigned, an invented token", "?v=1&s=1&t="+noToken, false)
		if stolen := token(other[path]); stolen != "" {
			add("the token of another call", "?v=1&s=1&t="+stolen, true)
		} else if path != "menu" {
			add("the token of another path", "?v=1&s=1&t="+own, true)
		}
	}
	harvested := 0
	for _, path := range below {
		if other[path] != "" {
			harvested++
		}
	}
	if harvested < 9 {
		t.Fatalf("only %d addresses were issued: %v", harvested, other)
	}
	table = append(table,
		attack{"a token cut short", request{target: base + "menu?v=1&s=1&t=" + own[:10], form: form, signed: true}, want{status: 200, says: refused}},
		attack{"a token and more", request{target: base + "menu?v=1&s=1&t=" + own + "A", form: form, signed: true}, want{status: 200, says: refused}},
		attack{"an empty token", request{target: base + "menu?v=1&s=1&t=", form: form, signed: true}, want{status: 200, says: refused}},
		attack{"the token in another case", request{target: base + "menu?v=1&s=1&t=" + strings.ToUpper(own), form: form, signed: true}, want{status: 200, says: refused}},
		attack{"a token in the form", request{target: base + "menu", form: with(form, "t", noToken), signed: true}, want{status: 200, says: refused}},
		attack{"another format", request{target: base + "menu?v=99&s=1&t=" + noToken, form: form, signed: true}, want{status: 200, says: refused}},
		attack{"another call's SID in the form", request{target: target.path(victim.address["menu"]), form: voice(stranger, "Digits", "1"), signed: true}, want{status: 200, says: refused}},
		attack{"another account in the form", request{target: target.path(victim.address["menu"]), form: with(form, "AccountSid", "AC99999999999999999999999999999999"), signed: true}, want{status: 200, says: refused}},
	)
	for _, a := range table {
		t.Run(a.name, func(t *testing.T) {
			target.holds(t, a)
			if legs := target.legsOf(victim.sid); legs != 0 {
				t.Errorf("%d telephones were called", legs)
			}
		})
	}
	// The victim's call goes on as if nothing had happened.
	if document := victim.follow(t, "menu", "Digits", "2"); !strings.Contains(document, "<Enqueue") {
		t.Errorf("the call does not go on: %s", document)
	}
	victim.over(t)
}

// with is a copy of a form with one field changed.
func with(form url.Values, key, value string) url.Values {
	changed := url.Values{}
	for k, v := range form {
		changed[k] = v
	}
	changed[key] = []string{value}
	return changed
}

func TestRequestsThatAreNotTwilios(t *testing.T) {
	endpoint := target.path(target.Endpoint)
	sign := func(path string, form url.Values) string {
		return twiliosim.Sign(twiliosim.DefaultAuthToken, target.URL+path, form)
	}
	sid := func(n int) string { return fmt.Sprintf("CA%031xf", n) }
	signedFor := func(path string, signed, sent url.Values) request {
		return request{target: path, form: sent, header: map[string]string{"X-Twilio-Signature": sign(path, signed)}}
	}
	knocks := want{status: 200, says: "<Say", knocked: true}
	is := func(status int, says string) want { return want{status: status, says: says} }
	before := target.look(t)
	for _, a := range []attack{
		// Signatures. Without a right one somebody may hear the menu, as the token may be mistyped;
		// there is no alert, and nobody is rung, as Twilio does not know the call.
		{"no signature", request{target: endpoint, form: voice(sid(1))}, knocks},
		{"an empty signature", request{target: endpoint, form: voice(sid(2)), header: map[string]string{"X-Twilio-Signature": ""}}, knocks},
		{"an invented signature", request{target: endpoint, form: voice(sid(3)), header: map[string]string{"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}, knocks},
		{"a signature that is no base64", request{target: endpoint, form: voice(sid(4)), header: map[string]string{"X-Twilio-Signature": "%%%"}}, knocks},
		{"a signature of another token", request{target: endpoint, form: voice(sid(5)), header: map[string]string{"X-Twilio-Signature": twiliosim.Sign("anothertoken00000000000000000001", target.URL+endpoint, voice(sid(5)))}}, knocks},
		{"a signature of another address", request{target: endpoint, form: voice(sid(6)), header: map[string]string{"X-Twilio-Signature": sign(endpoint+"/status", voice(sid(6)))}}, knocks},
		{"replayed with another number", signedFor(endpoint, voice(sid(7)), voice(sid(7), "From", "+12025550111")), knocks},
		{"replayed with another call", signedFor(endpoint, voice(sid(8)), voice(sid(9))), knocks},
		{"replayed with a field more", signedFor(endpoint, voice(sid(10)), voice(sid(10), "Digits", "2")), knocks},
		{"replayed with the query changed", signedFor(endpoint, voice(sid(11)), voice(sid(11))), want{status: 200, says: "<Say", knocked: true}},
		{"a GET with the fields in the address", request{method: "GET", target: endpoint + "?" + voice(sid(12)).Encode()}, knocks},

		// Other accounts, other calls.
		{"another account, signed", request{target: endpoint, form: voice(stranger, "AccountSid", "AC99999999999999999999999999999999"), signed: true}, is(200, refused)},
		{"another account, unsigned", request{target: endpoint, form: voice(stranger, "AccountSid", "AC99999999999999999999999999999999")}, is(200, refused)},
		{"no account", request{target: endpoint, form: with(voice(stranger), "AccountSid", ""), signed: true}, is(200, refused)},
		{"no call", request{target: endpoint, form: with(voice(stranger), "CallSid", ""), signed: true}, is(200, refused)},
		{"a CallSid that climbs", request{target: endpoint, form: voice("CA../../../../etc/passwd"), signed: true}, is(200, refused)},
		{"a CallSid with a line break", request{target: endpoint, form: voice("CA0000\r\nSet-Cookie: a=b"), signed: true}, is(200, refused)},
		{"a CallSid of 4,000 characters", request{target: endpoint, form: voice("CA" + strings.Repeat("0", 4000)), signed: true}, is(200, refused)},
		{"the name of the integration's own session", request{target: endpoint, form: voice("integration"), signed: true}, is(200, refused)},
		{"the status of a call that never came", request{target: endpoint + "/status", form: voice(sid(13), "CallStatus", "completed")}, is(200, "<Response")},

		// Integrations that do not exist.
		{"an unknown integration", request{target: "/integrations/int_unknown", form: voice(stranger)}, is(200, notInService)},
		{"an unknown integration, signed", request{target: "/integrations/int_unknown", form: voice(stranger), signed: true}, is(200, notInService)},
		{"an unknown integration, anything else", request{target: "/integrations/int_unknown", form: url.Values{"hello": {"world"}}}, is(404, "")},
		{"an unknown integration's call", request{target: "/integrations/int_unknown/c/" + stranger + "/menu?t=" + noToken, form: voice(stranger)}, is(200, notInService)},
		{"no integration", request{target: "/integrations/", form: voice(stranger)}, is(404, "")},
		{"an integration with a quote", request{target: "/integrations/int_%27%20OR%201=1--", form: voice(stranger)}, is(200, notInService)},
		{"an integration with a NUL", request{target: "/integrations/int_%00", form: voice(stranger)}, is(200, notInService)},

		// Methods and bodies.
		{"DELETE", request{method: "DELETE", target: endpoint}, is(405, "")},
		{"PUT", request{method: "PUT", target: endpoint, form: voice(stranger)}, is(405, "")},
		{"TRACE", request{method: "TRACE", target: endpoint, header: map[string]string{"Cookie": "a=b"}}, is(405, "")},
		{"an invented method", request{method: "BREW", target: endpoint}, is(405, "")},
		{"JSON", request{target: endpoint, body: `{"CallSid":"` + stranger + `"}`, header: map[string]string{"Content-Type": "application/json"}}, is(200, refused)},
		{"XML with an entity", request{target: endpoint, body: `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`, header: map[string]string{"Content-Type": "text/xml"}}, is(200, refused)},
		{"multipart", request{target: endpoint, body: "--b\r\nContent-Disposition: form-data; name=\"CallSid\"\r\n\r\n" + stranger + "\r\n--b--", header: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}}, is(200, refused)},
		{"an empty body", request{method: "POST", target: endpoint}, is(200, refused)},
		{"a body that is no form", request{target: endpoint, body: "%zz&&&=;;\x00\xff", header: map[string]string{"Content-Type": formType}}, is(200, refused)},
		{"a body of 70 KiB", request{target: endpoint, body: "CallSid=" + strings.Repeat("A", 70<<10), header: map[string]string{"Content-Type": formType}}, is(413, "64 KiB")},
		{"9,000 fields", request{target: endpoint, body: "CallSid=" + stranger + strings.Repeat("&a=1", 9000), header: map[string]string{"Content-Type": formType, "X-Twilio-Signature": noToken}}, is(200, refused)},
		{"300 fields, signed", request{target: endpoint, form: many(300), signed: true}, is(200, refused)},
		{"one field 300 times", request{target: endpoint, body: voice(stranger).Encode() + strings.Repeat("&From=x", 300), header: map[string]string{"Content-Type": formType}}, is(200, refused)},

		// Paths.
		{"a path that is none", request{target: endpoint + "/nowhere", form: voice(stranger), signed: true}, is(200, refused)},
		{"a call's path that is none", request{target: endpoint + "/c/" + stranger + "/nowhere", form: voice(stranger), signed: true}, is(200, refused)},
		{"a leg that is none", request{target: endpoint + "/c/" + stranger + "/leg/999999999999", form: voice(stranger), signed: true}, is(200, refused)},
		{"a leg called ../..", request{target: endpoint + "/c/" + stranger + "/leg/%2e%2e%2f", form: voice(stranger), signed: true}, is(200, refused)},
		{"up to the API", request{target: endpoint + "/../../api/v1/alerts", header: map[string]string{"Accept": "application/json"}}, want{status: 307}},
		{"up to the API, encoded", request{target: endpoint + "/%2e%2e/%2e%2e/api/v1/alerts", form: voice(stranger), signed: true}, is(200, refused)},
		{"up to the API, encoded slashes", request{target: endpoint + "/..%2f..%2fapi%2fv1%2falerts", form: voice(stranger), signed: true}, is(200, refused)},
		{"a file of the machine", request{target: "/media/..%2f..%2f..%2fetc%2fpasswd/x"}, is(404, "")},
		{"a file of the machine as a static one", request{target: "/static/..%2f..%2f..%2fetc%2fpasswd"}, is(404, "")},
		{"a path of 30,000 bytes", request{target: endpoint + "/" + strings.Repeat("a", 30_000), form: voice(stranger)}, is(200, refused)},
		{"a query of 30,000 bytes", request{target: endpoint + "/nowhere?" + strings.Repeat("a", 30_000), form: voice(stranger)}, is(200, refused)},
		{"a log line in the path", request{target: endpoint + "/x%0atime=2026-01-01T00:00:00Z%20level=ERROR%20msg=forged", form: voice(stranger)}, is(200, refused)},

		// Media.
		{"a guessed recording", request{target: "/call-media/" + strings.Repeat("0", 64) + "/9999999999/" + strings.Repeat("0", 64)}, is(404, "")},
		{"a recording without signature", request{target: "/call-media/" + strings.Repeat("0", 64)}, is(404, "")},
		{"a guessed upload", request{target: "/media/" + strings.Repeat("a", 22) + "/welcome.mp3"}, is(404, "")},
		{"a recording through the API", request{target: "/api/v1/media/media:" + strings.Repeat("0", 64)}, is(401, "")},
		{"the plugin's own files", request{target: endpoint + "/media/../../manifest.json"}, want{status: 307}},

		// Headers that proxies set.
		{"another Host", request{target: endpoint, form: voice(sid(14)), signed: true, header: map[string]string{"Host": "evil.example.com", "X-Twilio-Signature": twiliosim.Sign(twiliosim.DefaultAuthToken, "http://evil.example.com"+endpoint, voice(sid(14)))}}, knocks},
		{"X-Forwarded-Host", request{target: endpoint, form: voice(sid(15)), header: map[string]string{"X-Forwarded-Host": "evil.example.com", "X-Forwarded-Proto": "https", "X-Twilio-Signature": twiliosim.Sign(twiliosim.DefaultAuthToken, "https://evil.example.com"+endpoint, voice(sid(15)))}}, knocks},
		{"X-Original-URL", request{target: endpoint + "/nowhere", form: voice(stranger), signed: true, header: map[string]string{"X-Original-URL": "/api/v1/alerts", "X-Rewrite-URL": "/api/v1/alerts"}}, is(200, refused)},
		{"X-HTTP-Method-Override", request{target: endpoint + "/nowhere", form: voice(stranger), signed: true, header: map[string]string{"X-HTTP-Method-Override": "DELETE"}}, is(200, refused)},
	} {
		t.Run(a.name, func(t *testing.T) {
			if a.name == "replayed with the query changed" {
				a.target += "?x=1"
			}
			target.holds(t, a)
			got := target.send(t, a.request)
			for _, evil := range []string{"evil.example.com", "root:", "/etc/passwd"} {
				if strings.Contains(got.body, evil) || strings.Contains(got.header.Get("Location"), evil) {
					t.Errorf("the answer has %q: %s %s", evil, got.header, got.body)
				}
			}
		})
	}
	// Twilio is asked about who knocked, and does not know them: nothing comes of it, then or
	// later.
	eventually(t, "Twilio is asked about a call without signature", func() bool { return target.lookUps(sid(1)) > 0 })
	for n := range 16 {
		if asked := target.lookUps(sid(n)); asked > 6 {
			t.Errorf("Twilio was asked %d times about one request", asked)
		}
	}
	if after := target.look(t); after.Alerts != before.Alerts || after.Legs != before.Legs {
		t.Errorf("%d alerts became %d, %d calls to responders became %d", before.Alerts, after.Alerts, before.Legs, after.Legs)
	}
	for _, line := range strings.Split(target.log.String(), "\n") {
		if strings.HasPrefix(line, "time=2026-01-01T00:00:00Z") {
			t.Errorf("a line of the log was forged: %s", line)
		}
	}
}

// many is a form with n fields more than Twilio's.
func many(n int) url.Values {
	v := voice(stranger)
	for i := range n {
		v.Set(fmt.Sprint("Field", i), "x")
	}
	return v
}
