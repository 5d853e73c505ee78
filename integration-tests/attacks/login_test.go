package attacks

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// loggedOut reports whether an answer is the log-in page, or the way to it.
func loggedOut(a answer) bool {
	return a.status == 401 || a.status == 303 && strings.Contains(a.header.Get("Location"), "/login")
}

func TestPagesAndAPIWithoutLogIn(t *testing.T) {
	id := target.ID
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
	for _, a := range []struct {
		name string
		request
		page bool // leads to the log-in; else 401
	}{
		{"alerts", request{target: "/alerts"}, true},
		{"calls", request{target: "/calls"}, true},
		{"on call", request{target: "/oncall"}, true},
		{"integrations", request{target: "/settings/integrations"}, true},
		{"an integration", request{target: "/settings/integrations/" + id}, true},
		{"a new integration", request{target: "/settings/integrations/new", form: url.Values{"name": {"x"}}}, true},
		{"saving an integration", request{target: "/settings/integrations/" + id, form: url.Values{"name": {"x"}}}, true},
		{"deleting an integration", request{target: "/settings/integrations/" + id + "/delete", form: url.Values{"x": {"y"}}}, true},
		{"an action", request{target: "/settings/integrations/" + id + "/do/check", form: url.Values{"x": {"y"}}}, true},
		{"acting on an alert", request{target: "/alerts/x/resolve", form: url.Values{"x": {"y"}}}, true},
		{"who I am", request{target: "/me", form: url.Values{"user": {"alice"}}}, true},
		{"a page that is none", request{target: "/nowhere"}, true},
		{"a page through another path", request{target: "/login/../alerts"}, false},
		{"a forged cookie", request{target: "/alerts", header: map[string]string{"Cookie": "switchboard_session=AAAA.BBBB"}}, true},
		{"an empty cookie", request{target: "/alerts", header: map[string]string{"Cookie": "switchboard_session="}}, true},
		{"a cookie of 5,000 bytes", request{target: "/alerts", header: map[string]string{"Cookie": "switchboard_session=" + strings.Repeat("A", 5000)}}, true},
		{"the token as a cookie", request{target: "/alerts", header: map[string]string{"Cookie": "switchboard_session=" + target.Token}}, true},
		{"the token in the address", request{target: "/api/v1/alerts?token=" + target.Token + "&access_token=" + target.Token}, false},
		{"API without token", request{target: "/api/v1/alerts"}, false},
		{"API with an empty token", request{target: "/api/v1/alerts", header: bearer("")}, false},
		{"API with a wrong token", request{target: "/api/v1/alerts", header: bearer("wrong"), from: "127.0.0.3"}, false},
		{"API with the token cut short", request{target: "/api/v1/alerts", header: bearer(target.Token[:20]), from: "127.0.0.3"}, false},
		{"API with the token and more", request{target: "/api/v1/alerts", header: bearer(target.Token + "x"), from: "127.0.0.3"}, false},
		{"API with the token as basic authentication", request{target: "/api/v1/alerts", header: map[string]string{"Authorization": "Basic " + target.Token}}, false},
		{"API: making an integration", request{method: "POST", target: "/api/v1/integrations", body: `{"plugin":"livecall"}`}, false},
		{"API: deleting an integration", request{method: "DELETE", target: "/api/v1/integrations/" + id}, false},
		{"API: an action", request{method: "POST", target: "/api/v1/integrations/" + id + "/actions/check", body: `{}`}, false},
		{"API: events", request{target: "/api/v1/events"}, false},
		{"API: its description", request{target: "/api/v1/openapi.json"}, false},
		{"API: an upload", request{method: "POST", target: "/api/v1/media", body: "x"}, false},
	} {
		t.Run(a.name, func(t *testing.T) {
			before := target.look(t)
			got := target.send(t, a.request)
			switch {
			case a.name == "a page through another path":
				if got.status != 307 && !loggedOut(got) {
					t.Errorf("answered %d", got.status)
				}
			case a.page && !loggedOut(got), !a.page && got.status != 401:
				t.Errorf("answered %d %v %.200s", got.status, got.header, got.body)
			}
			for _, private := range []string{caller, "Alice Example", "account_sid"} {
				if strings.Contains(got.body, private) {
					t.Errorf("the answer shows %q", private)
				}
			}
			if diff := cmp.Diff(before, target.look(t)); diff != "" {
				t.Errorf("it has changed something (-before +after):\n%s", diff)
			}
		})
	}
}

func TestTheRightTokenAfterManyWrongOnes(t *testing.T) {
	login := func(from, token string) answer {
		return target.send(t, request{target: "/login", form: url.Values{"token": {token}}, from: from})
	}
	api := func(from, token string, header ...string) answer {
		h := map[string]string{"Authorization": "Bearer " + token}
		for i := 0; i+1 < len(header); i += 2 {
			h[header[i]] = header[i+1]
		}
		return target.send(t, request{target: "/api/v1/teams", header: h, from: from})
	}
	t.Run("API: 150 wrong tokens cost", func(t *testing.T) {
		counts := map[int]int{}
		for i := range 150 {
			got := api("127.0.0.10", fmt.Sprint("wrong", i))
			counts[got.status]++
			if got.status == 429 && got.header.Get("Retry-After") == "" {
				t.Error("429 without Retry-After")
			}
		}
		if counts[429] < 130 || counts[401]+counts[429] != 150 {
			t.Errorf("answered %v", counts)
		}
		if got := api("127.0.0.10", target.Token); got.status != 200 {
			t.Errorf("the right token from there: %d", got.status)
		}
		if got := api("127.0.0.11", "wrong"); got.status != 401 {
			t.Errorf("a wrong token from elsewhere: %d", got.status)
		}
	})
	t.Run("log-in: twelve connections trying, then the right token", func(t *testing.T) {
		done := make(chan int, 12)
		for range 12 {
			go func() {
				limited := 0
				for range 5 {
					if login("127.0.0.12", "wrong").status == 429 {
						limited++
					}
				}
				done <- limited
			}()
		}
		limited := 0
		for range 12 {
			limited += <-done
		}
		if limited < 40 {
			t.Errorf("only %d of 60 wrong tokens were refused with 429", limited)
		}
		if got := login("127.0.0.12", target.Token); got.status != 303 {
			t.Errorf("the right token: %d", got.status)
		}
	})
	t.Run("X-Forwarded-For from a stranger changes nothing", func(t *testing.T) {
		limited := 0
		for i := range 30 {
			if api("127.0.0.13", "wrong", "X-Forwarded-For", fmt.Sprint("198.51.100.", i)).status == 429 {
				limited++
			}
		}
		if limited < 15 {
			t.Errorf("only %d of 30 were limited: the header was believed", limited)
		}
	})
	t.Run("a trusted proxy's clients count each for themselves", func(t *testing.T) {
		for range 30 {
			api("127.0.0.2", "wrong", "X-Forwarded-For", "198.51.100.7")
		}
		if got := api("127.0.0.2", "wrong", "X-Forwarded-For", "198.51.100.7"); got.status != 429 {
			t.Errorf("the one who tries: %d", got.status)
		}
		if got := api("127.0.0.2", "wrong", "X-Forwarded-For", "198.51.100.8"); got.status != 401 {
			t.Errorf("somebody else: %d", got.status)
		}
		if got := api("127.0.0.2", "wrong", "X-Forwarded-For", "203.0.113.9, 198.51.100.7"); got.status != 429 {
			t.Errorf("an invented address before one's own: %d", got.status)
		}
	})
}

func TestOtherWebsites(t *testing.T) {
	alerts := target.alertOf(t, target.arrive(t))
	b := target.loggedIn(t)
	id := target.ID
	before := target.look(t)
	for _, form := range []struct{ name, path string }{
		{"log out", "/logout"},
		{"who I am", "/me"},
		{"acknowledge an alert", "/alerts/" + alerts.ID + "/acknowledge"},
		{"resolve an alert", "/alerts/" + alerts.ID + "/resolve"},
		{"make an integration", "/settings/integrations/new"},
		{"save an integration", "/settings/integrations/" + id},
		{"delete an integration", "/settings/integrations/" + id + "/delete"},
		{"run an action", "/settings/integrations/" + id + "/do/check"},
		{"the API, with the cookie", "/api/v1/alerts/" + alerts.ID + "/resolve"},
		{"log in", "/login"},
	} {
		for _, from := range []struct {
			name   string
			header map[string]string
		}{
			{"cross-site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"}},
			{"same-site", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://other." + strings.TrimPrefix(target.URL, "http://")}},
			{"an old browser", map[string]string{"Origin": "https://evil.example.com"}},
			{"no origin", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "null"}},
		} {
			t.Run(form.name+", "+from.name, func(t *testing.T) {
				got := b.post(t, form.path, url.Values{"user": {"alice"}, "name": {"taken over"}, "token": {target.Token}}, from.header)
				if got.status != 403 {
					t.Errorf("answered %d: %.200s", got.status, got.body)
				}
			})
		}
	}
	if diff := cmp.Diff(before, target.look(t)); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
	if got := b.get(t, "/alerts"); got.status != 200 {
		t.Errorf("another website has logged somebody out: %d", got.status)
	}
	for _, path := range []string{"/alerts", "/login", "/settings/integrations/" + id} {
		t.Run("frames and scripts of others, "+path, func(t *testing.T) {
			got := b.get(t, path)
			policy := got.header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "object-src 'none'"} {
				if got.status == 200 && !strings.Contains(policy, part) {
					t.Errorf("the policy %q lacks %q", policy, part)
				}
			}
			if strings.Contains(policy, "unsafe") || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
	for _, next := range []string{"https://evil.example.com/", "//evil.example.com", `/\evil.example.com`, "/%2F%2Fevil.example.com", "javascript:alert(1)", "/\r\nSet-Cookie: a=b"} {
		t.Run("led elsewhere after the log-in: "+next, func(t *testing.T) {
			got := target.browser(t).post(t, "/login", url.Values{"token": {target.Token}, "next": {next}}, nil)
			to, err := url.Parse(got.header.Get("Location"))
			if err != nil || to.Host != "" || to.Scheme != "" || got.header.Get("Set-Cookie") == "a=b" || strings.HasPrefix(to.Query().Get("next"), "//evil") {
				t.Errorf("leads to %q", got.header.Get("Location"))
			}
		})
	}
}

func TestSessions(t *testing.T) {
	t.Run("the cookie is for this host, and for no script", func(t *testing.T) {
		got := target.send(t, request{target: "/login", form: url.Values{"token": {target.Token}}})
		cookie := got.header.Get("Set-Cookie")
		for _, part := range []string{"HttpOnly", "SameSite=", "Path=/"} {
			if !strings.Contains(cookie, part) {
				t.Errorf("the cookie %q lacks %s", cookie, part)
			}
		}
		if strings.Contains(cookie, target.Token) {
			t.Error("the cookie has the token")
		}
	})
	t.Run("a cookie copied before the log-out", func(t *testing.T) {
		b := target.loggedIn(t)
		copied := b.cookies()
		if got := b.post(t, "/logout", url.Values{}, nil); got.status != 303 {
			t.Fatalf("log-out: %d", got.status)
		}
		thief := target.browser(t)
		u, _ := url.Parse(target.URL)
		thief.c.Jar.SetCookies(u, copied)
		if got := thief.get(t, "/alerts"); !loggedOut(got) {
			t.Errorf("it still works: %d", got.status)
		}
		if got := thief.get(t, "/api/v1/alerts"); got.status != 401 {
			t.Errorf("it still works for the API: %d", got.status)
		}
	})
	t.Run("an open event stream after the log-out", func(t *testing.T) {
		b := target.loggedIn(t)
		req, err := http.NewRequestWithContext(t.Context(), "GET", target.URL+"/api/v1/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		lines := bufio.NewScanner(resp.Body)
		if !lines.Scan() {
			t.Fatal("the stream did not begin")
		}
		b.post(t, "/logout", url.Values{}, nil)
		ended := make(chan struct{})
		go func() {
			for lines.Scan() { // to the end of the stream
			}
			close(ended)
		}()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("the stream goes on")
		}
	})
	t.Run("a cookie with one letter changed", func(t *testing.T) {
		b := target.loggedIn(t)
		for _, c := range b.cookies() {
			if !strings.Contains(c.Name, "session") {
				continue
			}
			for i := range 5 {
				at := i * (len(c.Value) - 1) / 4
				changed := c.Value[:at] + string("AB"[map[bool]int{true: 1}[c.Value[at] == 'A']]) + c.Value[at+1:]
				got := target.send(t, request{target: "/alerts", header: map[string]string{"Cookie": c.Name + "=" + changed}})
				if at == len(c.Value)-1 {
					continue // the last letter of base64 has bits that say nothing
				}
				if !loggedOut(got) {
					t.Errorf("letter %d changed: %d", at, got.status)
				}
			}
		}
	})
}

// alert is an alert as the API shows it.
type alert struct {
	ID, Key, Status, Title string
	raw                    string
}

// alertOf waits for the alert of a call.
func (h *hotline) alertOf(t *testing.T, c *handCall) alert {
	t.Helper()
	var found alert
	eventually(t, "the alert of "+c.sid, func() bool {
		var all []json.RawMessage
		h.get(t, "/api/v1/alerts?limit=1000", &all)
		for _, raw := range all {
			var a alert
			if json.Unmarshal(raw, &a) == nil && strings.Contains(string(raw), c.sid) || strings.Contains(string(raw), c.from) {
				a.raw = string(raw)
				found = a
				return true
			}
		}
		return false
	})
	return found
}
