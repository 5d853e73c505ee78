package integrationtests

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver, for the database of a host that runs

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestStoryWithoutScripts does by forms and links alone what people do, in a browser that runs no
// script, with a name that is written from right to left, and among hundreds of alerts and calls.
func TestStoryWithoutScripts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/story.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "name: Alice Example", "name: "+arabicName, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &story{time: leaderFrom(time.Now(), 1), desk: browser.Open(t), own: looks{320, handHeight, "light"}}
	s.hotline = start(t, nil, func(c *demo.Config) {
		c.File, c.NoSetUp, c.Clock = file, true, s.time.Followers()
		c.Sim.Numbers = []twiliosim.Number{{PhoneNumber: demo.Number, FriendlyName: "Hotline"}}
	})
	s.desk.IgnoreStatus(403, 422) // the browser notes refused forms in its console
	s.desk.Look(s.own.width, s.own.height, s.own.scheme)
	s.desk.NoScripts()
	s.logsInWithoutScripts()
	s.makesAnIntegrationWithoutScripts()
	c := s.onHold()
	s.takesACallWithoutScripts()
	c.Presses("*")
	s.leavesMessage(c)
	s.hotline.call(c, "delivering", func(k call) bool { return k.State == "delivering" })
	s.looksAroundWithoutScripts()
	s.looksAtManyAlertsAndCalls()
}

// plain checks the page as it is without scripts: it says something, is no wider than the window,
// and no button waits for a script.
func (s *story) plain(name string) {
	s.t.Helper()
	p := s.desk
	var page struct {
		Main    string
		Width   int
		Buttons []string
	}
	p.Eval(`({
		main: document.querySelector("main").innerText.trim(),
		width: document.documentElement.scrollWidth,
		buttons: [...document.querySelectorAll("button")].filter(b => b.checkVisibility() && (!b.form || b.type !== "submit")).map(b => b.outerHTML.slice(0, 100)),
	})`, &page)
	if len(page.Main) < 20 || strings.Contains(page.Main, "Loading") {
		s.t.Errorf("%s says without scripts: %q", name, page.Main)
	}
	if page.Width > s.own.width {
		s.t.Errorf("%s is %d pixels wide in a window of %d", name, page.Width, s.own.width)
	}
	if len(page.Buttons) > 0 {
		s.t.Errorf("%s has buttons that do nothing without scripts: %q", name, page.Buttons)
	}
	if artifacts() {
		for _, l := range []looks{{deskWidth, deskHeight, "light"}, {deskWidth, deskHeight, "dark"}, {s.own.width, s.own.height, "dark"}, s.own} {
			p.Look(l.width, l.height, l.scheme)
			s.write(filepath.Join(s.t.ArtifactDir(), fmt.Sprintf("%s-%s.png", name, l)), p.Screenshot())
		}
	}
	s.quiet(p, name)
	s.examined++
}

// logsInWithoutScripts logs in, wrongly at first, and chooses who acts.
func (s *story) logsInWithoutScripts() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/settings/integrations")
	p.Type("#token", "wrong")
	p.Press("\r")
	p.WaitFor("main [role=alert]")
	s.plain("login-refused")
	p.Type("#token", s.Token)
	p.Press("\r")
	p.WaitText("h1", "Who are you?")
	s.plain("who")
	p.Click("input[name=user][value=alice]")
	p.Click("#choose")
	p.WaitText("main", "No integrations yet")
	s.plain("integrations-none")
}

// makesAnIntegrationWithoutScripts fills the form, wrongly at first, and connects the number.
func (s *story) makesAnIntegrationWithoutScripts() {
	s.t.Helper()
	p := s.desk
	p.Click("#new-integration")
	p.WaitFor("#form-integration")
	s.plain("form")
	s.fill("Hotline")
	p.Click(`[name=destination][value="team:devops"]`)
	p.Click(`[name=destination][value="team:support"]`)
	p.Click("#option-voicemail")
	p.Paste("#option-account_sid", "AC12345")
	p.Click("#save")
	p.WaitText("#problems", "1 error")
	s.plain("form-refused")
	p.Paste("#option-account_sid", twiliosim.DefaultAccountSid)
	s.secrets()
	p.Click("#save")
	s.connectNumber()
	s.plain("integration")
}

// takesACallWithoutScripts acknowledges the alert of a caller on hold, and writes a note.
func (s *story) takesACallWithoutScripts() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/alerts")
	p.WaitText("#alerts", arabicName)
	s.plain("alerts")
	p.Click("a.row-link")
	p.WaitText("#alert-head .badge", "Open")
	s.plain("alert-open")
	p.Click("#act-acknowledge")
	p.WaitText("main", "You acknowledged this alert.")
	s.Sim.Phone(alice).RingsNext(s.t)
	p.WaitText("#alert-call", "Ringing") // the page reloads by itself
	s.plain("alert-acknowledged")
	p.Follow("#write-note")
	p.Type("#note-text", "They call again at nine.")
	s.still("an alert on which a note is written")
	p.Click("#add-note")
	p.WaitText("#notes", "They call again at nine.")
	s.plain("alert-note")
}

// still checks that the page does not reload, which would take away what is written on it.
func (s *story) still(what string) {
	s.t.Helper()
	var reloads bool
	if s.desk.Eval(`!!document.querySelector("meta[http-equiv=refresh]")`, &reloads); reloads {
		s.t.Errorf("%s reloads", what)
	}
}

// looksAroundWithoutScripts visits each family of pages, and searches.
func (s *story) looksAroundWithoutScripts() {
	s.t.Helper()
	p := s.desk
	p.IgnoreStatus(404)
	for _, page := range []struct{ path, says string }{
		{"/calls", "Calls"}, {"/oncall", arabicName}, {"/oncall/devops", arabicName}, {"/statistics", "Statistics"}, {"/settings/integrations", "Hotline"},
		{"/settings/people", "API tokens"}, {"/settings/audit", "Created an integration"}, {"/settings/deletion", "Forget a number"}, {"/me", arabicName}, {"/nowhere", "no page"},
	} {
		p.Go(s.URL + page.path)
		p.WaitText("main", page.says)
		s.plain("page" + strings.ReplaceAll(page.path, "/", "-"))
	}
	p.Go(s.URL + "/calls")
	p.Follow("#open-search")
	p.Select("#search-ended", "message_left")
	s.still("a list that is searched")
	s.plain("calls-search")
	p.Follow("#search-go")
	p.Follow("a.row-link")
	p.WaitText("main", "I have heard it")
	s.plain("call")
}

// crowd is how many alerts and calls there are of an installation that has been in use for a while.
const crowd = 500

// looksAtManyAlertsAndCalls puts alerts and calls like the story's own into the database, and goes
// through them page by page.
func (s *story) looksAtManyAlertsAndCalls() {
	s.t.Helper()
	if os.Getenv("LIVECALL_TEST_DATABASE") != "" {
		return // another database than the file that is filled here
	}
	s.manyAlertsAndCalls()
	p := s.desk
	p.Go(s.URL + "/alerts")
	p.WaitText("#alerts", "All resolved alerts")
	s.plain("alerts-many")
	p.FollowText("#alerts a", "All resolved alerts")
	s.pagesThrough("alerts", crowd/2)
	p.Go(s.URL + "/alerts?status=dropped")
	s.pagesThrough("alerts", crowd/2)
	p.Go(s.URL + "/calls?still=1")
	s.pagesThrough("calls", crowd)
}

// manyAlertsAndCalls copies the alert and the call that there are, half of the alerts as ones that
// nobody took.
func (s *story) manyAlertsAndCalls() {
	s.t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.DataDir, "switchboard.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, insert := range []string{
		`insert into embedded_alerts (id, tenant, integration, alert_key, version, status, title, spoken_title, description, urgency,
			fields, attachments, teams, layer, round, paged, rejected, acks, deadline, last_command, entries, created_at, updated_at)
		select substr(id, 1, 20) || printf('%06d', n), tenant, integration, 'CAold' || n, 5, iif(n % 2, 'resolved', 'dropped'), title || ' ' || n, spoken_title, description, urgency,
			fields, attachments, teams, layer, round, '[]', '[]', '[]', null, 5, 0, created_at - n * 60000, updated_at - n * 60000`,
		`insert into calls (integration, integration_name, key, live, started_at, ended_at, updated_at, caller, team, ended, alert_key, alert_id, alert_url, alert_title, view)
		select integration, integration_name, 'CAold' || n, 0, started_at - n * 60000, started_at - n * 60000 + 50000, updated_at - n * 60000, caller, team,
			'connected', 'CAold' || n, substr(alert, 1, 20) || printf('%06d', n), '', title || ' ' || n, view`,
	} {
		table := "embedded_alerts"
		if strings.Contains(insert, "into calls") {
			table = "calls, (select id alert, title from embedded_alerts limit 1)"
		}
		insert = "with recursive i(n) as (select 1 union all select n + 1 from i where n < ?) " + insert + " from i, " + table + " where n <= ?"
		if _, err := db.ExecContext(s.t.Context(), insert, crowd, crowd); err != nil {
			s.t.Fatal(err)
		}
	}
}

// pagesThrough follows the links to older rows to their end, and finds at least so many rows, each
// once.
func (s *story) pagesThrough(list string, least int) {
	s.t.Helper()
	p := s.desk
	seen := map[string]bool{}
	for n := 1; ; n++ {
		var here struct {
			Rows []string
			More bool
		}
		for len(here.Rows) == 0 { // a page that reloads by itself may have none for a moment
			p.WaitFor("#" + list + " a.row-link")
			p.Eval(`({rows: [...document.querySelectorAll("#`+list+` a.row-link")].map(a => a.pathname), more: !!document.querySelector("#older")})`, &here)
		}
		for _, row := range here.Rows {
			if seen[row] {
				s.t.Errorf("page %d of %s shows %s once more", n, list, row)
			}
			seen[row] = true
		}
		if n == 1 || !here.More {
			s.plain(fmt.Sprintf("%s-page-%d", list, n))
		}
		if n > 1 {
			s.still("a page of older " + list)
		}
		if !here.More {
			break
		}
		p.Follow("#older")
	}
	if len(seen) < least {
		s.t.Errorf("%d %s could be reached, of %d", len(seen), list, least)
	}
}
