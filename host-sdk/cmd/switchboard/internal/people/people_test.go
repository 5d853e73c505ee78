package people_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// Each role may do what the one before it may, and more; a role or an action that is none, nothing.
func TestRoles(t *testing.T) {
	t.Parallel()
	allowed := map[people.Role]string{
		people.Viewer: "look, see alert, self", people.Responder: "look, see alert, self, take, hear, respond",
		people.Admin: "look, see alert, self, take, hear, respond, configure, manage", "king": "", "": "",
	}
	for role, want := range allowed {
		var got []string
		for _, a := range []people.Action{people.Look, people.SeeAlert, people.Self, people.TakeAlert, people.Hear, people.Respond, people.Configure, people.Manage, "rule", ""} {
			if role.May(a) {
				got = append(got, string(a))
			}
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%q may %s, want %s", role, text, want)
		}
	}
	// Of whatever role.
	page := people.Identity{Role: people.Admin, How: store.LoginByPage, User: "alice", Alert: "1"}
	for action, want := range map[people.Action]bool{people.SeeAlert: true, people.TakeAlert: true, people.Hear: true, people.Look: false, people.Respond: false, people.Configure: false, people.Manage: false, people.Self: false} {
		if got := page.May(action, "1"); got != want {
			t.Errorf("the link in a page: %s its alert: %v, want %v", action, got, want)
		}
		if page.May(action, "2") && action != people.Hear {
			t.Errorf("the link in a page: %s another alert", action)
		}
	}
}

// The audit keeps lines as long as it is told.
func TestTheAuditKeepsLinesForTheirTime(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	kept := h.Store.(store.People)
	now := time.Now()
	for days, who := range map[int]string{41: "old", 39: "new"} {
		if err := kept.AddAudit(t.Context(), store.AuditLine{At: now.AddDate(0, 0, -days), Who: who, Action: "login"}); err != nil {
			t.Fatal(err)
		}
	}
	h.People(func(c *people.Config) { c.KeepAudit, c.Clock = 40*24*time.Hour, clock.NewManual(now) })
	hosttest.Eventually(t, "the old line is gone", func() bool {
		lines, _, err := kept.ListAudit(t.Context(), store.AuditFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(lines) == 1 && lines[0].Who == "new"
	})
}

// Wrong tokens are counted by where they come from, and the right one is let in whatever came
// before.
func TestTheAPILetsTheRightTokenInAfterAnyNumberOfWrongOnes(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	api := h.People(nil).API(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	try := func(authorization string) int {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = "192.0.2.1:1000"
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Code
	}
	counts := map[int]int{}
	for range 40 {
		counts[try("Bearer swb_WRONG")]++
		if got := try("bearer " + hosttest.Token); got != 204 {
			t.Fatalf("the right token: %d", got)
		}
	}
	if counts[401] < 10 || counts[401]+counts[429] != 40 || counts[429] == 0 {
		t.Errorf("wrong tokens were answered %v", counts)
	}
	for _, none := range []string{"", "Bearer ", "Bearer", hosttest.Token, "Basic " + hosttest.Token} {
		if got := try(none); got != 401 && got != 429 {
			t.Errorf("%q is let in: %d", none, got)
		}
	}
}

// A provider that has moved its addresses is asked for them again, without a restart.
func TestAProviderThatMovedIsAskedAgain(t *testing.T) {
	t.Parallel()
	var issuer *httptest.Server
	asked := 0
	issuer = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			http.NotFound(w, r) // where its tokens were before it moved
			return
		}
		asked++
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"issuer": issuer.URL, "authorization_endpoint": issuer.URL + "/auth", "token_endpoint": issuer.URL + "/token", "jwks_uri": issuer.URL + "/keys"})
	}))
	t.Cleanup(issuer.Close)
	now := clock.NewManual(time.Now())
	h := hosttest.New(t)
	p := h.People(func(c *people.Config) {
		c.OpenID, c.Clock = people.OpenID{Issuer: issuer.URL, ClientID: "switchboard"}, now
	})
	for try := range 2 {
		w := httptest.NewRecorder()
		if err := p.BeginOpenID(w, httptest.NewRequestWithContext(t.Context(), "GET", "/login/openid", nil), "/"); err != nil {
			t.Fatal(err)
		}
		to, err := w.Result().Location()
		if err != nil || asked != try+1 {
			t.Fatalf("log-in %d: the provider was asked %d times; %v", try+1, asked, err)
		}
		back := httptest.NewRequestWithContext(t.Context(), "GET", "/login/openid/callback?code=x&state="+url.QueryEscape(to.Query().Get("state")), nil)
		for _, c := range w.Result().Cookies() {
			back.AddCookie(c)
		}
		if _, err := p.FinishOpenID(httptest.NewRecorder(), back); err == nil {
			t.Fatal("somebody is logged in without a token")
		}
		now.Advance(time.Minute)
	}
}

// mailServer is what a mail server does with a mail.
type mailServer func(mail engine.OutgoingMail) error

// Send implements engine.Mailer.
func (m mailServer) Send(_ context.Context, mail engine.OutgoingMail) error { return m(mail) }

// fileWithAddresses is the switchboard file of h in which Bob has an address, too, and Eve.
func fileWithAddresses(t *testing.T, h *hosttest.Host) *switchboardfile.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	text := strings.Replace(hosttest.File, "teams:", "  - {id: eve, name: Eve Example, email: eve@example.com}\nteams:", 1)
	if err := os.WriteFile(path, []byte(strings.Replace(text, "name: Bob Example", "name: Bob Example, email: bob@example.com", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := switchboardfile.Open(t.Context(), switchboardfile.SourceConfig{Path: path, Clock: h.Clock, Logger: h.Logger})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// Links to mailboxes that take no mail keep nobody else from theirs, nor, once they are given up,
// their people from the next one.
func TestAMailboxThatTakesNoMailStopsNoLinks(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	now := clock.NewManual(time.Now())
	var full atomic.Bool
	full.Store(true)
	sent, tried := make(chan string, 100), make(chan string, 100)
	p := h.People(func(c *people.Config) {
		c.File = fileWithAddresses(t, h)
		c.Clock = now
		c.Mailer = mailServer(func(mail engine.OutgoingMail) error {
			if mail.To != "eve@example.com" && full.Load() {
				tried <- mail.To
				return integration.Errorf(integration.KindUnavailable, "try again later")
			}
			sent <- mail.To
			return nil
		})
	})
	next := func(c <-chan string) string {
		t.Helper()
		select {
		case to := <-c:
			return to
		case <-time.After(time.Minute):
			t.Fatal("no mail is sent")
			return ""
		}
	}
	received := func(want string) {
		t.Helper()
		if to := next(sent); to != want {
			t.Fatalf("a mail goes to %s, want %s", to, want)
		}
	}
	ask := func(email string, times int) {
		for range times {
			p.AskLink(email)
		}
	}
	ask("alice@example.com", 5)
	ask("bob@example.com", 5)
	for range 6 { // three of each can be open
		next(tried)
	}
	ask("eve@example.com", 1)
	received("eve@example.com")

	for range 3 {
		hosttest.Eventually(t, "all six wait", func() bool { return now.Waiting() == 6 })
		now.Advance(20 * time.Second)
		for range 6 {
			next(tried)
		}
	}
	hosttest.Eventually(t, "all six are given up", func() bool { return strings.Count(h.Log.String(), "a link to log in was not sent") == 6 })
	full.Store(false)
	ask("alice@example.com", 1)
	received("alice@example.com")

	// Links that are over no longer make up for open ones.
	now.Advance(14*time.Minute + 30*time.Second)
	ask("alice@example.com", 5)
	ask("eve@example.com", 1)
	for next(sent) != "eve@example.com" {
	}
	if open, err := h.Store.(store.People).OpenOneTimes(t.Context(), "alice@example.com", now.Now()); err != nil || open != 3 {
		t.Errorf("%d links are open (error %v), want 3", open, err)
	}
}

// A link that the mail server refuses for good was not sent, either.
func TestARefusedLinkDoesNotKeepTheNextFromBeingSent(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	var asked atomic.Int32
	p := h.People(func(c *people.Config) {
		c.File = fileWithAddresses(t, h)
		c.Mailer = mailServer(func(engine.OutgoingMail) error {
			asked.Add(1)
			return integration.Errorf(integration.KindInvalid, "the password is wrong")
		})
	})
	refused := func() int { return strings.Count(h.Log.String(), "a link to log in was not sent") }
	const most = 23 // 20 that were not sent, and 3 links
	for n := range most {
		p.AskLink("alice@example.com")
		hosttest.Eventually(t, "the link is refused", func() bool { return refused() > n })
	}
	// Whoever goes on asking, however, does not keep the mail server busy for ever.
	p.AskLink("alice@example.com")
	p.AskLink("bob@example.com")
	hosttest.Eventually(t, "the next account's link is refused", func() bool { return refused() > most })
	if n := asked.Load(); n != most+1 {
		t.Errorf("the mail server was asked %d times, want %d of Alice's and one", n, most)
	}
}
