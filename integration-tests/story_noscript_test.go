package integrationtests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// TestStoryWithoutScripts does by forms and links alone what people do, in a browser that runs no script,
// with a name that is written from right to left.
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
}

// plain checks the page as it is without scripts: it says something, is no wider than the window, and no
// button waits for a script.
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
		s.write(filepath.Join(s.t.ArtifactDir(), name+".png"), p.Screenshot())
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
	s.plain("alert-acknowledged")
	var address string
	p.Eval("location.pathname", &address)
	p.Go(s.URL + address + "?write=1#form-note") // the page does not reload then
	p.Type("#note-text", "They call again at nine.")
	p.Click("#add-note")
	p.WaitText("#notes", "They call again at nine.")
	s.plain("alert-note")
}

// looksAroundWithoutScripts visits each family of pages.
func (s *story) looksAroundWithoutScripts() {
	s.t.Helper()
	p := s.desk
	for _, page := range []struct{ path, says string }{
		{"/calls", "Calls"}, {"/oncall", arabicName}, {"/oncall/devops", arabicName}, {"/statistics", "Statistics"}, {"/settings/integrations", "Hotline"},
		{"/settings/people", "API tokens"}, {"/settings/audit", "Created an integration"}, {"/settings/deletion", "Forget a number"}, {"/me", arabicName}, {"/nowhere", "no page"},
	} {
		p.IgnoreStatus(404)
		p.Go(s.URL + page.path)
		p.WaitText("main", page.says)
		s.plain("page" + strings.ReplaceAll(page.path, "/", "-"))
	}
}
