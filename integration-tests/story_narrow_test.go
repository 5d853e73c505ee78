package integrationtests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/integration-tests/browser"
	"github.com/livecallrouting/livecall/integration-tests/demo"
	"github.com/livecallrouting/livecall/integration-tests/renderers"
	"github.com/livecallrouting/livecall/integration-tests/twiliosim"
)

// Names that are wider than a telephone, and some that are written from right to left.
const (
	longName   = "Donaudampfschifffahrtsgesellschaftskapit"
	longTeam   = "Customer Supportabteilungsleitungsvertretungsbereitschaft"
	arabicName = "ليلى العربي"
	arabicTeam = "صيانة DevOps"
)

// TestStoryOfLongNames looks at the pages that show names of people and teams, in windows that are
// narrower than these.
func TestStoryOfLongNames(t *testing.T) {
	t.Parallel()
	s := &story{time: leaderFrom(time.Now(), 1), axe: renderers.Axe(t), desk: browser.Open(t), own: looks{deskWidth, deskHeight, "light"}}
	s.looks = []looks{s.own, {390, handHeight, "dark"}, {320, handHeight, "light"}}
	text, err := os.ReadFile("testdata/story.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "switchboard.yaml")
	names := strings.NewReplacer("name: Alice Example", "name: "+longName, "name: Carol Example", "name: "+arabicName,
		"name: Customer Support", "name: "+longTeam, "name: DevOps", "name: "+arabicTeam).Replace(string(text))
	if err := os.WriteFile(file, []byte(names), 0o600); err != nil {
		t.Fatal(err)
	}
	s.hotline = start(t, options{"voicemail": true}, func(c *demo.Config) { c.File, c.Clock = file, s.time.Followers() })
	s.desk.Look(s.own.width, s.own.height, s.own.scheme)
	s.logIn("/settings/integrations", "alice")
	s.desk.WaitText("#first-steps", "Your first integration in five steps")
	s.judge(s.desk, "first-visit")
	s.leavesAMessageForTheLongName()
	s.looksAtCallsOfLongNames()
	s.looksAtTeamsOfLongNames()
	s.looksAtAdministration()
	s.looksAtFullLists()
}

// looksAtAdministration visits what admins see, with a token and an integration of long names.
func (s *story) looksAtAdministration() {
	s.t.Helper()
	p := s.desk
	p.IgnoreStatus(404)
	s.change(map[string]any{"name": longName})
	p.Go(s.URL + "/settings/people")
	p.Type("#token-name", longName)
	p.Click("#make-token")
	p.WaitText("#made", "it is not shown again")
	for _, page := range []struct{ path, heading, name string }{
		{"/settings/people", "People and tokens", "people"}, {"/settings/audit", "Audit", "audit"},
		{"/settings/integrations", "Integrations", "integrations"}, {"/settings/integrations/" + s.ID, longName, "integration-long"},
		{"/settings/integrations/" + s.ID + "/delete", "Delete", "delete-integration"},
		{"/settings/integrations/new?plugin=livecall", "New integration", "form-new"}, {"/alerts/" + longName, "No such", "not-found"},
	} {
		p.Go(s.URL + page.path)
		p.WaitText("h1", page.heading)
		s.fits(p, page.name)
	}
}

// looksAtFullLists fills the first page of alerts and of calls, and begins a second.
func (s *story) looksAtFullLists() {
	s.t.Helper()
	p := s.desk
	var calls []*twiliosim.Call
	for _, area := range areas[:52] {
		calls = append(calls, s.dialFrom("+1"+area+"5550170"))
	}
	for _, c := range calls {
		c.Hears(s.t, "Press")
		c.HangsUp()
	}
	s.cleanedUp()
	p.Go(s.URL + "/calls")
	p.WaitText("#calls", "No active calls")
	for name, path := range map[string]string{"alerts-full": "/alerts?status=resolved", "calls-full": "/calls"} {
		p.Go(s.URL + path)
		var rows int
		if p.Eval(`document.querySelectorAll("li.row").length`, &rows); rows != 50 {
			s.t.Errorf("%s: %d rows, want a full page of 50", name, rows)
		}
		s.fits(p, name)
		// The rules once, as fifty rows take their time.
		resume := pacer.Hold(s.time)
		for _, v := range p.Accessibility(s.axe) {
			s.t.Errorf("%s: %s", name, v)
		}
		resume()
		s.quiet(p, name)
	}
}

// leavesAMessageForTheLongName is a call that rings, and ends with a message.
func (s *story) leavesAMessageForTheLongName() {
	s.t.Helper()
	p := s.desk
	c := s.dial()
	c.Hears(s.t, "Press 2 for "+arabicTeam)
	c.Presses("2")
	c.Hears(s.t, "music-")
	s.Sim.Phone("+12025550143").RingsNext(s.t)
	p.Go(s.URL + "/alerts")
	p.WaitText("#alerts", longName)
	s.keyboard(p, "alerts")
	p.Click("#search summary")
	s.judge(p, "alerts-search")
	p.Follow("a.row-link")
	p.WaitText("#alert-call", longName)
	p.Type("#note-text", "The caller has "+strings.Repeat("long", 12)+" words: see https://status.example.com/.")
	p.Click("#add-note")
	p.WaitText("#notes", "The caller has")
	s.judge(p, "alert-note")
	s.keyboard(p, "alert-note")
	s.chooses("") // who acts is asked on the page then
	s.judge(p, "alert-asked")
	s.chooses("alice")
	p.Go(s.URL + "/calls")
	p.WaitText("#calls", longName)
	s.judge(p, "calls-live")
	c.Presses("*")
	s.leavesMessage(c)
	s.hotline.call(c, "delivering", func(k call) bool { return k.State == "delivering" })
	if err := s.act(s.hotline.alerts()[0].ID, "resolve", "alice"); err != nil {
		s.t.Fatal(err)
	}
	s.hotline.call(c, "ended", func(k call) bool { return k.State == "ended" })
}

// looksAtCallsOfLongNames visits what there is of calls that are over, and the pages that delete
// it.
func (s *story) looksAtCallsOfLongNames() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/calls")
	p.WaitText("#calls", "No active calls")
	p.Click("#search summary")
	s.judge(p, "calls-search")
	p.Follow("a.row-link")
	p.WaitText("#notes", "The caller has")
	s.judge(p, "call-note")
	var deletions []string
	p.Eval(`[...document.querySelectorAll("a[href$='/delete']")].map(a => a.href)`, &deletions)
	if len(deletions) != 2 {
		s.t.Fatalf("links to delete: %q, want those of the recording and of the call", deletions)
	}
	for i, link := range deletions {
		p.Go(link)
		p.WaitText("h1", "Delete")
		s.judge(p, []string{"delete-recording", "delete-call"}[i])
	}
	s.looksAtForgetting()
	p.Go(s.URL + "/statistics?team=support")
	p.WaitText("h1", "Statistics")
	s.judge(p, "statistics-team")
	p.Go(s.URL + "/statistics")
	p.WaitText(".figures", "DevOps")
	p.Click("main summary")
	s.judge(p, "statistics")
	s.keyboard(p, "statistics")
}

// chooses says who acts in the browser, "" nobody, and comes back to the page.
func (s *story) chooses(user string) {
	s.t.Helper()
	p := s.desk
	var path string
	p.Eval("location.pathname", &path)
	p.Go(s.URL + "/me?next=" + path)
	p.Click(fmt.Sprintf("input[name=user][value=%q]", user))
	p.Click("#choose")
	p.Wait("document.querySelector('h1')?.innerText !== 'Who are you?'")
}

// looksAtForgetting visits the pages that delete an alert and forget a number.
func (s *story) looksAtForgetting() {
	s.t.Helper()
	p := s.desk
	p.IgnoreStatus(422) // the browser notes a refused form in its console
	p.Go(s.URL + "/alerts/" + s.hotline.alerts()[0].ID)
	p.Follow("#delete-alert")
	p.WaitText("h1", "Delete the alert")
	s.judge(p, "delete-alert")
	p.Go(s.URL + "/settings/deletion")
	p.Type("#number", "12345")
	p.Click("#ask-forget")
	p.WaitText("#number-error", "12345")
	s.judge(p, "deletion")
	p.Type("#number", "+1 202-555-0199")
	p.Click("#ask-forget")
	p.WaitText("h1", "Forget +1 202-555-0199?")
	s.judge(p, "forget")
}

// looksAtTeamsOfLongNames visits the pages of teams and of their integration.
func (s *story) looksAtTeamsOfLongNames() {
	s.t.Helper()
	p := s.desk
	p.Go(s.URL + "/settings/integrations")
	p.Follow("a.row-link")
	p.WaitFor("#endpoint-url")
	s.judge(p, "integration")
	s.keyboard(p, "integration")
	p.Go(s.URL + "/me")
	p.WaitText("h1", "Who are you?")
	s.judge(p, "who")
	from := time.Now().Add(time.Hour)
	if err := s.API(s.t.Context(), "POST", "/api/v1/overrides", map[string]any{"team": "support", "layer": 1, "user": "alice", "from": from, "to": from.Add(100 * time.Hour)}, nil); err != nil {
		s.t.Fatal(err)
	}
	p.Go(s.URL + "/oncall")
	p.WaitText("#oncall", longName)
	s.judge(p, "oncall")
	p.Go(s.URL + "/oncall/support")
	p.WaitText(".calendar", arabicName)
	s.judge(p, "team")
	s.keyboard(p, "team")
	// The times behind a name from right to left keep their order.
	var turned []string
	p.Eval(`[...document.querySelectorAll(".day li > span:last-child")].filter(e => {
		const time = e.querySelector(".soft")?.firstChild;
		if (!time || !/^\d\d:\d\d–\d\d:\d\d$/.test(time.data)) return false;
		const left = (from, to) => { const r = new Range(); r.setStart(time, from); r.setEnd(time, to); return r.getBoundingClientRect(); };
		const [from, to] = [left(0, 5), left(6, 11)];
		return from.top === to.top && from.left > to.left;
	}).map(e => e.innerText)`, &turned)
	if len(turned) > 0 {
		s.t.Errorf("times that end before they begin: %q", turned)
	}
}
