package pages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.browser()

	// Whoever asks for a page logs in first, says who they are once, and is back where they wanted
	// to be.
	v := b.get("/alerts?status=open").is(200).has("API token").hasNot("has ended", `id="nav-alerts"`)
	next := v.hidden("next")
	if next != "/alerts?status=open" {
		t.Fatalf("next = %q, want %q", next, "/alerts?status=open")
	}
	v = b.post("/login", url.Values{"token": {"wrong"}, "next": {next}}).is(403).has("That is not the API token", `aria-invalid="true"`)
	if diff := cmp.Diff(next, v.hidden("next")); diff != "" {
		t.Fatalf("v.hidden(next) (-want +got):\n%s", diff)
	}
	v = b.post("/login", url.Values{"token": {" " + hosttest.Token + " "}, "next": {next}}).is(200).has("Who are you?", "Bob Example")
	if diff := cmp.Diff("/me?next="+url.QueryEscape(next), v.path); diff != "" {
		t.Fatalf("v.path (-want +got):\n%s", diff)
	}
	v = b.post("/me", url.Values{"user": {"bob"}, "next": {v.hidden("next")}}).is(200).has(`Acting as </span><span class="who-name">Bob Example`)
	if diff := cmp.Diff(next, v.path); diff != "" {
		t.Fatalf("v.path (-want +got):\n%s", diff)
	}
	if got := b.get("/login?next=/alerts").path; got != "/alerts" {
		t.Fatalf("whoever is logged in is not asked again: got %q, want %q", got, "/alerts")
	}

	// Who one is can be changed, is checked, and outlives a log-out.
	b.post("/me", url.Values{"user": {"mallory"}, "next": {"/calls"}}).is(422).has("There is no such person")
	b.post("/me", url.Values{"user": {"alice"}, "next": {"/calls"}}).is(200).has(`Acting as </span><span class="who-name">Alice Example`)
	b.post("/logout", nil).is(200).has("You are logged out.")
	b.get("/calls").is(200).has("API token").hasNot("Alice Example")
	v = b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}}).is(200).has(`Acting as </span><span class="who-name">Alice Example`)
	if v.path != "/calls" {
		t.Fatalf("v.path = %q, want %q", v.path, "/calls")
	}
	if got := s.Log.String(); strings.Contains(got, hosttest.Token) {
		t.Fatalf("s.Log.String() contains %q:\n%s", hosttest.Token, got)
	}
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	for _, next := range []string{"https://elsewhere.example.com/", "//elsewhere.example.com", `/\elsewhere.example.com`, "/%2Felsewhere.example.com/../..//x", "javascript:alert(1)", "", "/login", "/\t/elsewhere.example.com"} {
		v := b.post("/login", url.Values{"token": {hosttest.Token}, "next": {next}}).is(200)
		if v.path == "/login" {
			t.Fatalf("%v is %v", next, v.path)
		}
		if !(strings.HasPrefix(v.path, "/settings/integrations") || v.status == 404) {
			t.Fatalf("%q led to %s", next, v.path)
		}
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	for name, c := range map[string]struct {
		public, cookie string
		secure         bool
	}{
		"http":                   {"http://127.0.0.1:8080", "switchboard_session", false},
		"https":                  {"https://hotline.example.com", "__Host-switchboard_session", true},
		"https, below some path": {"https://example.com/hotline", "switchboard_session", true},
	} {
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("token="+hosttest.Token))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.handler(options{publicURL: c.public}).ServeHTTP(rec, req)
		cookies := rec.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%v: got %d, want %d: %v", name, len(cookies), 1, cookies)
		}
		got := cookies[0]
		if diff := cmp.Diff(c.cookie, got.Name); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.secure, got.Secure); diff != "" {
			t.Fatalf("%v (-want +got):\n%s", name, diff)
		}
		if !got.HttpOnly {
			t.Fatalf("%v", name)
		}
		if got.SameSite != http.SameSiteLaxMode {
			t.Fatalf("%v: got %v, want %v", name, got.SameSite, http.SameSiteLaxMode)
		}
		if strings.HasSuffix(c.public, "/hotline") {
			if got.Path != "/hotline/" {
				t.Fatalf("got.Path = %q, want %q", got.Path, "/hotline/")
			}
			if !strings.HasPrefix(rec.Header().Get("Location"), "/hotline/") {
				t.Fatalf("%v", rec.Header().Get("Location"))
			}
		}
	}
}

func TestLoginEnds(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	s := newSite(t, options{clock: hands})
	b := s.loggedIn("alice")
	id := b.create()
	form := "/settings/integrations/" + id
	hands.Advance(12*time.Hour - time.Second)
	b.get(form).is(200).has("Hotline")
	if got := b.get("/api/v1/teams").status; got != 200 {
		t.Fatalf("the API takes the log-in too: got %v, want %v", got, 200)
	}
	hands.Advance(2 * time.Second)

	v := b.get(form).is(200).has("Your session has expired")
	if diff := cmp.Diff(form, v.hidden("next")); diff != "" {
		t.Fatalf("v.hidden(next) (-want +got):\n%s", diff)
	}
	if got := b.get("/api/v1/teams").status; got != 401 {
		t.Fatalf(`b.get("/api/v1/teams").status = %v, want %v`, got, 401)
	}

	// The script that reads a page again is told by the status.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+form, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Switchboard-Fragment", "1")
	if got := b.do(req).status; got != 401 {
		t.Fatalf("b.do(req).status = %v, want %v", got, 401)
	}

	// What was sent too late changes nothing and says so; afterwards one is where one was.
	req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+form, strings.NewReader("name=Changed"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Referer", s.URL+form)
	v = b.do(req).is(401).has("nothing was saved or changed")
	if diff := cmp.Diff(form, v.hidden("next")); diff != "" {
		t.Fatalf("v.hidden(next) (-want +got):\n%s", diff)
	}
	v = b.post("/login", url.Values{"token": {hosttest.Token}, "next": {v.hidden("next")}}).is(200).has("Hotline").hasNot("Changed")
	if diff := cmp.Diff(form, v.path); diff != "" {
		t.Fatalf("v.path (-want +got):\n%s", diff)
	}
}

func TestAnotherTokenLogsEverybodyOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	s.Server.Config.Handler = s.handler(options{token: "another-token"})
	b.get("/alerts").is(200).has("Your session has ended", "the API token was changed")
	if got := b.get("/api/v1/teams").status; got != 401 {
		t.Fatalf(`b.get("/api/v1/teams").status = %v, want %v`, got, 401)
	}
}

// session is the value of the browser's cookie.
func (b *browser) session() string {
	b.t.Helper()
	base, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.jar.Cookies(base) {
		if c.Name == "switchboard_session" && c.Value != "" {
			return c.Value
		}
	}
	b.t.Fatal("the browser has no session")
	return ""
}

// stream opens the events of the API with the browser's cookie; the channel is closed when it ends.
func (b *browser) stream() <-chan struct{} {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+"/api/v1/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.client.Do(req)
	if err != nil || resp.StatusCode != 200 {
		b.t.Fatalf("the stream: %v %v", resp, err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, len("retry: 2000\n: connected\n\n"))); err != nil {
		b.t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}()
	return over
}

// A log-out ends the session for every copy of its cookie, and the streams that were opened with
// it; those of others go on.
func TestALogoutEndsTheSessionWhereverItsCookieIs(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b, other := s.loggedIn("alice"), s.loggedIn("bob")
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	thief := s.browser()
	thief.jar.SetCookies(base, []*http.Cookie{{Name: "switchboard_session", Value: b.session()}})
	thief.get("/oncall").is(200).hasNot("API token")
	mine, theirs, others := b.stream(), thief.stream(), other.stream()

	b.post("/logout", nil).is(200).has("You are logged out.")
	thief.get("/oncall").is(200).has("API token", "You or an admin logged this browser out.")
	if got := thief.get("/api/v1/teams").status; got != 401 {
		t.Errorf("the API with the copied cookie: %d, want 401", got)
	}
	for name, stream := range map[string]<-chan struct{}{"own": mine, "copied": theirs} {
		select {
		case <-stream:
		case <-time.After(time.Minute):
			t.Errorf("the stream of the %s cookie goes on", name)
		}
	}
	other.get("/oncall").is(200).hasNot("API token")
	select {
	case <-others:
		t.Error("the stream of somebody else has ended")
	default:
	}
}

// A stream ends with the age of its login.
func TestAStreamEndsWhenItsLoginExpires(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	s := newSite(t, options{clock: hands})
	over := s.loggedIn("alice").stream()
	hands.Advance(12 * time.Hour)
	for deadline := time.Now().Add(time.Minute); ; {
		select {
		case <-over:
			return
		case <-time.After(time.Millisecond):
			hands.Advance(15 * time.Second) // the stream looks at every heartbeat
		}
		if time.Now().After(deadline) {
			t.Fatal("the stream goes on")
		}
	}
}

func TestForgedSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	real := b.session()
	for _, forged := range []string{"x", ".", real[1:], real + "A", strings.ToLower(real), strings.Repeat("A", 5000)} {
		other := s.browser()
		other.jar.SetCookies(base, []*http.Cookie{{Name: "switchboard_session", Value: forged}})
		other.get("/alerts").is(200).has("API token", "Your session has ended")
	}
}

func TestTheRightTokenLogsInWhateverWasTriedBefore(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	s := newSite(t, options{clock: hands})
	h := s.handler(options{clock: hands})
	try := func(from, token string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("token="+token)).WithContext(t.Context())
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.RemoteAddr = from
		h.ServeHTTP(rec, req)
		return rec
	}
	for i := range 40 {
		got := try("192.0.2.1:1000", "wrong")
		if want := map[bool]int{true: 403, false: 429}[i < httpkit.DefaultWrongTokens]; got.Code != want {
			t.Fatalf("wrong token %d: %d, want %d", i+1, got.Code, want)
		}
		if got.Code == 429 && (got.Header().Get("Retry-After") == "" || !strings.Contains(got.Body.String(), "Too many wrong tokens from your address.")) {
			t.Fatalf("the refusal does not say when to try again: %v %s", got.Header(), got.Body)
		}
		if got := try("192.0.2.1:1001", hosttest.Token).Code; got != 303 {
			t.Fatalf("the right token after %d wrong ones from its address: %d, want 303", i+1, got)
		}
	}
	if got := try("192.0.2.2:1000", "wrong").Code; got != 403 {
		t.Fatalf("a wrong token from another address: %d, want 403", got)
	}
	hands.Advance(time.Minute)
	if got := try("192.0.2.1:1000", "wrong").Code; got != 403 {
		t.Fatalf("a wrong token a minute later: %d, want 403", got)
	}
}
