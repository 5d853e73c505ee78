package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.browser()

	// Whoever asks for a page logs in first, says who they are once, and is back where they wanted to be.
	v := b.get("/alerts?status=open").is(200).has("API token").hasNot("has ended", `id="nav-alerts"`)
	next := v.hidden("next")
	require.Equal(t, "/alerts?status=open", next)
	v = b.post("/login", url.Values{"token": {"wrong"}, "next": {next}}).is(403).has("That is not the API token", `aria-invalid="true"`)
	require.Equal(t, next, v.hidden("next"))
	v = b.post("/login", url.Values{"token": {" " + hosttest.Token + " "}, "next": {next}}).is(200).has("Who are you?", "Bob Example")
	require.Equal(t, "/me?next="+url.QueryEscape(next), v.path)
	v = b.post("/me", url.Values{"user": {"bob"}, "next": {v.hidden("next")}}).is(200).has("Acting as </span>Bob Example")
	require.Equal(t, next, v.path)
	require.Equal(t, "/alerts", b.get("/login?next=/alerts").path, "whoever is logged in is not asked again")

	// Who one is can be changed, is checked, and outlives a log-out.
	b.post("/me", url.Values{"user": {"mallory"}, "next": {"/calls"}}).is(422).has("There is no person with this id")
	b.post("/me", url.Values{"user": {"alice"}, "next": {"/calls"}}).is(200).has("Acting as </span>Alice Example")
	b.post("/logout", nil).is(200).has("You are logged out.")
	b.get("/calls").is(200).has("API token").hasNot("Alice Example")
	v = b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}}).is(200).has("Acting as </span>Alice Example")
	require.Equal(t, "/calls", v.path)
	require.NotContains(t, s.Log.String(), hosttest.Token)
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	for _, next := range []string{"https://elsewhere.example.com/", "//elsewhere.example.com", `/\elsewhere.example.com`, "/%2Felsewhere.example.com/../..//x", "javascript:alert(1)", "", "/login", "/\t/elsewhere.example.com"} {
		v := b.post("/login", url.Values{"token": {hosttest.Token}, "next": {next}}).is(200)
		require.NotEqual(t, "/login", v.path, next)
		require.True(t, strings.HasPrefix(v.path, "/settings/integrations") || v.status == 404, "%q led to %s", next, v.path)
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
		require.Len(t, cookies, 1, name)
		got := cookies[0]
		require.Equal(t, c.cookie, got.Name, name)
		require.Equal(t, c.secure, got.Secure, name)
		require.True(t, got.HttpOnly, name)
		require.Equal(t, http.SameSiteLaxMode, got.SameSite, name)
		if strings.HasSuffix(c.public, "/hotline") {
			require.Equal(t, "/hotline/", got.Path)
			require.True(t, strings.HasPrefix(rec.Header().Get("Location"), "/hotline/"), rec.Header().Get("Location"))
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
	require.Equal(t, 200, b.get("/api/v1/teams").status, "the API takes the log-in too")
	hands.Advance(2 * time.Second)

	v := b.get(form).is(200).has("Your session has expired")
	require.Equal(t, form, v.hidden("next"))
	require.Equal(t, 401, b.get("/api/v1/teams").status)

	// The script that reads a page again is told by the status.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+form, nil)
	require.NoError(t, err)
	req.Header.Set("Switchboard-Fragment", "1")
	require.Equal(t, 401, b.do(req).status)

	// What was sent too late changes nothing and says so; afterwards one is where one was.
	req, err = http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+form, strings.NewReader("name=Changed"))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Referer", s.URL+form)
	v = b.do(req).is(401).has("nothing was saved or changed")
	require.Equal(t, form, v.hidden("next"))
	v = b.post("/login", url.Values{"token": {hosttest.Token}, "next": {v.hidden("next")}}).is(200).has("Hotline").hasNot("Changed")
	require.Equal(t, form, v.path)
}

func TestAnotherTokenLogsEverybodyOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	s.Server.Config.Handler = s.handler(options{token: "another-token"})
	b.get("/alerts").is(200).has("Your session has expired")
	require.Equal(t, 401, b.get("/api/v1/teams").status)
}

func TestForgedSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	base, err := url.Parse(s.URL)
	require.NoError(t, err)
	var real string
	for _, c := range b.jar.Cookies(base) {
		if c.Name == "switchboard_session" {
			real = c.Value
		}
	}
	require.NotEmpty(t, real)
	body, mac, _ := strings.Cut(real, ".")
	later := "_" + body[1:] // another end
	for _, forged := range []string{"x", ".", body, body + ".", later + "." + mac, body + ".AAAA", "." + mac, strings.Repeat("A", 5000)} {
		other := s.browser()
		other.jar.SetCookies(base, []*http.Cookie{{Name: "switchboard_session", Value: forged}})
		other.get("/alerts").is(200).has("API token", "Your session has expired")
	}
}

func TestTriesAreSlowedDown(t *testing.T) {
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
	for range 3 {
		require.Equal(t, 403, try("192.0.2.1:1000", "wrong").Code)
	}
	// The fourth waits, whatever its token; another address does not.
	answer := make(chan *httptest.ResponseRecorder, 1)
	go func() { answer <- try("192.0.2.1:1001", hosttest.Token) }()
	require.Equal(t, 303, try("192.0.2.2:1000", hosttest.Token).Code)
	select {
	case got := <-answer:
		t.Fatalf("answered at once: %d", got.Code)
	case <-time.After(50 * time.Millisecond):
	}
	hosttest.Eventually(t, "the right token is let in once its turn comes", func() bool {
		hands.Advance(time.Second)
		select {
		case got := <-answer:
			require.Equal(t, 303, got.Code)
			return true
		default:
			return false
		}
	})
	// The right token wipes the slate clean.
	require.Equal(t, 403, try("192.0.2.1:1002", "wrong").Code)

	// Addresses of one IPv6 network count as one; too many waiting tries are refused, with the time to wait.
	for i := range 3 {
		require.Equal(t, 403, try("[2001:db8::"+string(rune('1'+i))+"]:1000", "wrong").Code)
	}
	waiting := make(chan int, 40)
	for range 40 {
		go func() { waiting <- try("[2001:db8::9]:1000", "wrong").Code }()
	}
	refused := 0
	hosttest.Eventually(t, "most are refused", func() bool {
		select {
		case code := <-waiting:
			require.Equal(t, 429, code)
			refused++
		default:
		}
		return refused >= 15
	})
	got := try("[2001:db8::9]:1000", "wrong")
	require.Equal(t, 429, got.Code)
	require.NotEmpty(t, got.Header().Get("Retry-After"))
	require.Contains(t, got.Body.String(), "Too many wrong tokens from your address.")
	hosttest.Eventually(t, "those who wait are answered", func() bool {
		hands.Advance(time.Second)
		for {
			select {
			case <-waiting:
				refused++
			default:
				return refused == 40
			}
		}
	})
}
