package pages_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/notify"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	chromium "github.com/livecallrouting/livecall/integration-tests/browser"
)

// drawn looks at a page in a narrow window, and tells what is wider than it. With -artifacts it
// leaves pictures in every width, for judging by eye.
func drawn(t *testing.T, p *chromium.Page, name string) {
	t.Helper()
	pictures := flag.Lookup("test.artifacts").Value.String() == "true"
	for _, look := range []struct {
		width  int
		scheme string
	}{{1280, "light"}, {390, "dark"}, {320, "light"}} {
		if look.width > 320 && !pictures {
			continue
		}
		p.Look(look.width, 900, look.scheme)
		var over []string
		p.Eval(`(() => {
			const width = document.documentElement.clientWidth;
			if (document.documentElement.scrollWidth <= width) return [];
			return [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > width + 1)
				.slice(0, 5).map(e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "." + e.className) + " to " + Math.round(e.getBoundingClientRect().right));
		})()`, &over)
		if len(over) > 0 {
			t.Errorf("%s at %d: wider than the window: %s", name, look.width, strings.Join(over, ", "))
		}
		if pictures {
			if err := os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("%s-%d.png", name, look.width)), p.Screenshot(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Nothing that somebody meets on the way in, or while something is away, is wider than a telephone,
// with names and words that are.
func TestTheWayInFitsATelephone(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long", 10)
	text := strings.NewReplacer("name: Alice Example", "name: "+long, "email: alice@example.com", `email: `+long+`@example.com, notify: ["ntfy://`+long+`.example.com/topic"]`,
		"name: DevOps", "name: "+long+" team").Replace(peopleFile)
	file, problems := switchboardfile.Parse("switchboard.yaml", []byte(text))
	if file == nil {
		t.Fatal(problems)
	}
	h := hosttest.New(t)
	gone := &leaving{everything: h.Store.(everything)}
	h.Store = gone
	s, sent, hands := &site{h, t}, make(mails, 10), clock.NewManual(time.Now())
	var pages *people.PageLinks
	h.Serve(s.handler(options{
		clock: hands,
		ways: ways.New(ways.Config{File: func() *switchboardfile.File { return file }, Mailer: make(mails, 10), Clock: clock.System(),
			Send: func(context.Context, string, notify.Address, notify.Message) error { return nil }}),
		people: func(c *people.Config) {
			c.Mailer, pages = sent, c.Pages
			c.OpenID = people.OpenID{Issuer: closed(t), ClientID: "switchboard", Secret: canary}
		},
	}))
	s.change(text)
	email := long + "@example.com"
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	link := func() string {
		t.Helper()
		s.browser().post("/login/mail", url.Values{"email": {email}}).is(200)
		return s.URL + sent.link(t, email)
	}

	p := chromium.Open(t)
	p.IgnoreStatus(401, 403, 404, 410, 422, 429, 502, 503)
	sees := func(name, path, selector, words string) {
		t.Helper()
		if path != "" {
			p.Go(s.URL + path)
		}
		p.WaitText(selector, words)
		drawn(t, p, name)
	}
	sees("login", "/login", "h1", "Log in")
	p.Eval(`document.getElementById("email").value = "`+email+`"`, nil)
	p.Click("#ask-link")
	sees("link-sent", "", "#sent", long)
	sent.link(t, email)
	sees("login-next", "/alerts/"+alert, "h1", "Log in")
	sees("openid-down", "/login/openid", "#login-problem", "")
	sees("openid-lost", "/login/openid/callback?code=x&state=y", "#login-problem", "")
	sees("openid-refused", "/login/openid/callback?error=access_denied&error_description="+long+"&state=y", "#login-problem", "")
	sees("link-unknown", "/login/mail/"+strings.Repeat("A", 26), "#login-problem", "")
	old := link()
	hands.Advance(16 * time.Minute)
	p.Go(old)
	sees("link-expired", "", "#login-problem", "15 minutes")
	p.Go(s.URL + "/login")
	p.Click("details summary")
	p.Type("#token", "wrong")
	p.Click("#login")
	sees("token-wrong", "", "#token-error", "not the API token")

	once := link()
	p.Go(once)
	sees("link", "", "h1", "Log in")
	p.Click("#use-link")
	p.WaitText("#who", long)
	p.Click("#who summary")
	sees("menu", "", "#nav-me", "Me")
	sees("me", "/me", "h1", "Me")
	p.Click("#test-ways")
	sees("me-tested", "", ".notice", "The service has taken it.")
	sees("me-not-found", "/"+long, "h1", "Not found")

	s.change(peopleFile)
	sees("gone", "/calls", ".notice", "your account left the switchboard file")
	s.change(text)
	p.Go(link())
	p.Click("#use-link")
	p.WaitText("#who", long)

	gone.away.Store(true)
	sees("away", "/calls/"+long, "h1", "Temporarily unavailable")
	gone.people.Store(true)
	sees("away-unknown", "/calls/"+long, "h1", "Temporarily unavailable")
	gone.away.Store(false)
	p.Go(s.URL + "/me")
	p.Click("#who summary")
	p.Click("#logout")
	sees("logged-out", "", ".notice", "You are logged out.")
	p.Go(once)
	sees("link-used", "", "#login-problem", "used already")
	p.Go(s.URL + strings.TrimPrefix(pages.URL("alice", alert), s.URL))
	sees("page-link", "", "h1", "needs you")
	p.Click("#open-alert")
	p.WaitFor("#act-acknowledge")
	sees("page-limited", "/calls", ".notice", "For everything else, log in.")
}

// closed is an issuer that nobody listens at.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}
