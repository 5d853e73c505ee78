package integrationtests

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/renderers"
	"github.com/livecallrouting/livecall/internal/testmail"
)

// TestStoryOfPeople logs people in by mail, takes a call by the link in a page, and looks at the
// pages of accounts, tokens and the audit.
func TestStoryOfPeople(t *testing.T) {
	t.Parallel()
	box := openInbox(t, testmail.Options{})
	s := &story{time: leaderFrom(time.Now(), 1), axe: renderers.Axe(t), desk: browser.Open(t), own: looks{deskWidth, deskHeight, "light"}}
	s.looks = []looks{s.own, {handWidth, handHeight, "dark"}, {deskWidth, deskHeight, "dark"}, {320, handHeight, "light"}}
	text, err := os.ReadFile("testdata/story.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	people := strings.NewReplacer("email: alice@example.com", "email: alice@example.com, role: admin",
		"email: dave@example.com", "email: "+strings.Repeat("long", 12)+"@example.com, role: viewer").Replace(string(text))
	if err := os.WriteFile(file, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hotline = start(t, options{"voicemail": true}, func(c *demo.Config) { c.File, c.Clock = file, s.time.Followers() }, box.use)
	s.desk.Look(s.own.width, s.own.height, s.own.scheme)
	s.desk.IgnoreStatus(401, 403, 410, 422)

	s.logsInByMail(box, "alice@example.com")
	s.looksAtPeople()
	s.takesACallByTheLinkInAPage(box)
	s.logsInByMail(box, "alice@example.com")
	s.desk.Go(s.URL + "/settings/audit")
	s.desk.WaitText("#audit", "Logged in")
	s.judge(s.desk, "audit")
}

// mailTo waits for a mail to somebody whose text has a link of this kind, and returns the newest
// link.
func (s *story) mailTo(box inbox, to string, link *regexp.Regexp) (found string) {
	s.t.Helper()
	s.eventually("a mail to "+to, func() bool {
		for _, m := range box.Mails() {
			if one := link.FindString(strings.ReplaceAll(m.Text, "=\r\n", "")); one != "" && m.To[0] == to {
				found = one
			}
		}
		return found != ""
	})
	box.Forget()
	return found
}

// logsInByMail asks for a link and opens it.
func (s *story) logsInByMail(box inbox, email string) {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/login")
	s.judge(p, "login-by-mail")
	p.Type("#email", email)
	p.Click("#ask-link")
	p.WaitText("#sent", email)
	s.judge(p, "link-sent")
	p.Go(s.mailTo(box, email, regexp.MustCompile(`http://[^\s]+/login/mail/[A-Z0-9]+`)))
	p.WaitText("h1", "Log in")
	s.judge(p, "link")
	p.Click("#use-link")
	p.WaitText("#who", "Alice Example")
}

// looksAtPeople goes through the pages of accounts and tokens.
func (s *story) looksAtPeople() {
	s.t.Helper()
	p := s.desk
	p.Click("#who summary")
	s.judge(p, "menu")
	p.Click("#nav-me")
	p.WaitText("h1", "Me")
	s.judge(p, "me")
	p.Click("#who summary")
	p.Click("#nav-people")
	p.WaitText("h1", "People and tokens")
	s.judge(p, "people")
	p.Type("#token-name", "Wall display")
	p.Click("#make-token")
	p.WaitText("#made", "it is not shown again")
	s.judge(p, "token-made")
	p.Click(`button[aria-label="Revoke the token Wall display"]`)
	p.WaitText(".notice", "The token was revoked.")
	s.judge(p, "token-revoked")
	p.Click("#who summary")
	p.Click("#logout")
	p.WaitText(".notice", "You are logged out.")
}

// takesACallByTheLinkInAPage acknowledges a caller's alert without a log-in.
func (s *story) takesACallByTheLinkInAPage(box inbox) {
	s.t.Helper()
	p := s.desk
	caller := s.onHold()
	p.Go(s.mailTo(box, "alice@example.com", regexp.MustCompile(`http://[^\s]+/page/[A-Za-z0-9_-]+`)))
	p.WaitText("h1", "needs you")
	if text := p.Text("main"); strings.Contains(text, caller.From[2:5]) {
		s.t.Errorf("the page behind the link shows something of the caller: %s", text)
	}
	s.judge(p, "page-link")
	p.Click("#open-alert")
	p.WaitFor("#act-acknowledge")
	s.judge(p, "alert-of-page")
	p.Click("#act-acknowledge")
	p.WaitText(".notice", "You acknowledged this alert.")
	s.alert("acknowledged", func(a alert) bool { return a.Status == "acknowledged" })
	p.Go(s.URL + "/alerts")
	p.WaitText(".notice", "For everything else, log in.")
	s.judge(p, "login-limited")
}
