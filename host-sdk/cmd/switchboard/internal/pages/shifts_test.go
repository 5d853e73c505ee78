package pages_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestShiftsAreChangedOnThePage takes a shift, gives it back, and is away, as forms do.
func TestShiftsAreChangedOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	b.get("/oncall").is(200).has(`href="/oncall/devops"`)
	b.get("/oncall/devops").is(200).has("The month ahead", "Today", "Nobody has changed anything", "Alice Example (me)")
	b.get("/oncall/nobody").is(404).has("No such team")

	at := time.Now().In(mustZone(t)).Add(72 * time.Hour)
	form := url.Values{"user": {"bob"}, "layer": {"1"}, "from": {at.Format("2006-01-02T15:04")}, "to": {at.Add(2 * time.Hour).Format("2006-01-02T15:04")}, "note": {"<b>dentist</b>"}}
	b.post("/oncall/devops", form).is(200).has("The shift was changed.", "has layer 1", "&lt;b&gt;dentist&lt;/b&gt;", "by Alice Example", "<span class=\"soft\">changed</span>")
	if got := s.Platform.File().Team("devops").Schedule.OnCallAt(1, at.Add(time.Hour)); len(got) != 1 || got[0] != "bob" {
		t.Errorf("%v is on call, want bob, who was given the shift", got)
	}
	wrong := url.Values{"user": {"bob"}, "layer": {"1"}, "from": {"2026-13-01T00:00"}, "to": {"soon"}, "note": {"kept as typed"}}
	b.post("/oncall/devops", wrong).is(422).has("Nothing was changed: From: give a date and a time", `value="kept as typed"`)
	wrong.Set("layer", "9")
	wrong.Set("from", form.Get("from"))
	wrong.Set("to", form.Get("to"))
	b.post("/oncall/devops", wrong).is(422).has("DevOps has no layer 9")

	form.Set("away", "1")
	b.post("/oncall/devops", form).is(200).has("The absence was entered.", "is away", `<span class="soft">away</span>`)
	page := b.get("/oncall/devops").is(200)
	for strings.Contains(page.body, "/remove") {
		action := page.body[strings.Index(page.body, "/oncall/devops/changes/"):]
		page = b.post(action[:strings.Index(action, `"`)], nil).is(200).has("The change was removed")
	}
	page.has("Nobody has changed anything")
	b.post("/oncall/devops/changes/gone/remove", nil).is(422).has("it may have been removed already")
}
