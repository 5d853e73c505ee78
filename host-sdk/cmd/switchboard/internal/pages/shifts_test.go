package pages_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/ways"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// TestShiftsAreChangedOnThePage takes a shift, gives it back, and is away, as forms do.
func TestShiftsAreChangedOnThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	b.get("/oncall").is(200).has(`href="/oncall/devops"`)
	b.get("/oncall/devops").is(200).has("The month ahead", "Today", "Nobody has changed anything", "Alice Example (me)")
	// Errors leave the menu there.
	b.get("/oncall/nobody").is(404).has("No such team", `id="nav-oncall"`)

	at := time.Now().In(mustZone(t)).Add(72 * time.Hour)
	form := url.Values{"user": {"bob"}, "layer": {"1"}, "from": {at.Format("2006-01-02T15:04")}, "to": {at.Add(2 * time.Hour).Format("2006-01-02T15:04")}, "note": {"<b>dentist</b>"}}
	b.post("/oncall/devops", form).is(200).has("The shift was changed.", "has layer 1", "&lt;b&gt;dentist&lt;/b&gt;", "by <bdi>Alice Example", "<span class=\"soft\">changed</span>")
	if got := s.Platform.File().Team("devops").Schedule.OnCallAt(1, at.Add(time.Hour)); len(got) != 1 || got[0] != "bob" {
		t.Errorf("%v is on call, want bob, who was given the shift", got)
	}
	wrong := url.Values{"user": {"bob"}, "layer": {"1"}, "from": {"2026-13-01T00:00"}, "to": {"soon"}, "note": {"kept as typed"}}
	b.post("/oncall/devops", wrong).is(422).has("Nothing was changed. From: give a date and a time", `value="kept as typed"`, `<input id="shift-from" name="from" type="datetime-local" required aria-invalid="true" aria-describedby="shift-error" autofocus`)
	wrong.Set("layer", "9")
	wrong.Set("from", form.Get("from"))
	wrong.Set("to", form.Get("to"))
	b.post("/oncall/devops", wrong).is(422).has("DevOps has no layer 9")

	skipped := url.Values{"user": {"bob"}, "layer": {"1"}, "from": {"2027-03-14T02:10"}, "to": {"2027-03-14T02:50"}}
	b.post("/oncall/devops", skipped).is(422).has("To: clocks in America/New_York are put forward over all the time from 2027-03-14 02:10 to 2027-03-14 02:50, so it never comes")

	form.Set("away", "1")
	gone := url.Values{"user": {"bob"}, "away": {"1"}, "from": {"2020-01-01T00:00"}, "to": {"2020-01-02T00:00"}}
	b.post("/oncall/devops", gone).is(422).has(`<input id="away-to" name="to" type="datetime-local" required aria-invalid="true"`).hasNot(`<input id="shift-to" name="to" type="datetime-local" required aria-invalid`)
	b.post("/oncall/devops", form).is(200).has("The absence was entered.", "is away", `<span class="soft">away</span>`)
	page := b.get("/oncall/devops").is(200)
	for strings.Contains(page.body, "/remove") {
		action := page.body[strings.Index(page.body, "/oncall/devops/changes/"):]
		page = b.post(action[:strings.Index(action, `"`)], nil).is(200).has("The change was removed")
	}
	page.has("Nobody has changed anything")
	b.post("/oncall/devops/changes/gone/remove", nil).is(422).has("it may have been removed already")
}

// TestAShiftOfSomebodyWhoLeftIsMarked holds that page and API say which changes count for nobody.
func TestAShiftOfSomebodyWhoLeftIsMarked(t *testing.T) {
	t.Parallel()
	s, _ := peopled(t, options{})
	b := s.loggedIn("alice")
	at := time.Now().In(mustZone(t)).Add(72 * time.Hour)
	form := url.Values{"user": {"vera"}, "layer": {"2"}, "from": {at.Format("2006-01-02T15:04")}, "to": {at.Add(2 * time.Hour).Format("2006-01-02T15:04")}}
	b.post("/oncall/devops", form).is(200).has("has layer 2: the person has no phone")
	form.Set("away", "1")
	form.Set("user", "bob")
	b.post("/oncall/devops", form).is(200).has("is away</p>")
	s.change(hosttest.File) // Vera has left
	b.get("/oncall/devops").is(200).has("<bdi>vera</bdi></strong> has layer 2, which does not count: the person has left the switchboard file</p>", "is away</p>", "/remove")
	var list []map[string]any
	s.Want(200, "GET", "/api/v1/overrides", nil).JSON(t, &list)
	if len(list) != 2 || list[0]["idle"] != "the person has left the switchboard file" || list[1]["idle"] != nil {
		t.Errorf("the API lists %v", list)
	}
	one := strings.Replace(peopleFile, "        - users: [bob]\n", "", 1)
	s.change(strings.Replace(one, "{layers: [{timeout: 5m}, {timeout: 10m}]}", "{layers: [{timeout: 5m}]}", 1))
	b.get("/oncall/devops").is(200).has("which does not count: the team has no such layer any more</p>")
	s.change(peopleFile)
	b.get("/oncall/devops").is(200).has("has layer 2: the person has no phone")
}

// Who gives a shift to somebody who cannot be told of it hears so, as nobody else would tell them.
func TestWhoCannotBeToldOfAShiftIsNamed(t *testing.T) {
	t.Parallel()
	var file func() *switchboardfile.File
	told := ways.New(ways.Config{File: func() *switchboardfile.File { return file() }, Clock: clock.System()})
	s := newSite(t, options{ways: told})
	file = s.File.File
	b := s.loggedIn("alice")
	at := time.Now().In(mustZone(t)).Add(72 * time.Hour)
	form := url.Values{"user": {"bob"}, "layer": {"1"}, "from": {at.Format("2006-01-02T15:04")}, "to": {at.Add(2 * time.Hour).Format("2006-01-02T15:04")}}
	const untold = "The person has no way by which they could be told of it: tell them yourself."
	b.post("/oncall/devops", form).is(200).has("The shift was changed. "+untold, `class="notice warn"`)
	var made struct{ ID, Untold string }
	s.Want(201, "POST", "/api/v1/overrides", map[string]any{"user": "bob", "from": at, "to": at.Add(time.Minute)}).JSON(t, &made)
	if made.Untold != "Bob Example has no way by which they could be told: tell them yourself" {
		t.Errorf("the API says %q", made.Untold)
	}
	s.Want(204, "DELETE", "/api/v1/overrides/"+made.ID, nil)
	form.Set("user", "alice") // herself
	b.post("/oncall/devops", form).is(200).has("The shift was changed.").hasNot(untold)
	form.Set("user", "bob")
	form.Set("away", "1")
	b.post("/oncall/devops", form).is(200).has("The absence was entered. " + untold)
	s.change(strings.Replace(hosttest.File, "id: bob,", `id: bob, notify: ["ntfy://ntfy.example.com/t"],`, 1))
	b.post("/oncall/devops", form).is(200).has("The absence was entered.").hasNot(untold)
}

// Callers reach nobody in a shift of somebody without a phone, who may be told of it all the same:
// whoever gives it hears so, as whoever writes the file does.
func TestAShiftOfSomebodyWithoutAPhoneSaysThatNoneRings(t *testing.T) {
	t.Parallel()
	var file func() *switchboardfile.File
	told := ways.New(ways.Config{File: func() *switchboardfile.File { return file() }, Clock: clock.System()})
	s := newSite(t, options{ways: told})
	file = s.File.File
	s.change(strings.Replace(hosttest.File, "users:\n", "users:\n  - {id: frank, name: Frank Example, notify: [\"ntfy://ntfy.example.com/t\"]}\n  - {id: gina, name: Gina Example}\n", 1))
	b := s.loggedIn("alice")
	at := time.Now().In(mustZone(t)).Add(72 * time.Hour)
	form := url.Values{"user": {"frank"}, "layer": {"1"}, "from": {at.Format("2006-01-02T15:04")}, "to": {at.Add(2 * time.Hour).Format("2006-01-02T15:04")}}
	const unrung = "no caller can be connected with them"
	b.post("/oncall/devops", form).is(200).has("The shift was changed. The person has no phone, so "+unrung+".", `class="notice warn"`, "has layer 1: the person has no phone, so "+unrung)
	form.Set("user", "gina")
	b.post("/oncall/devops", form).is(200).has(unrung + ", and no way by which they could be told of it: tell them yourself.")
	var list []map[string]any
	s.Want(200, "GET", "/api/v1/overrides", nil).JSON(t, &list)
	if len(list) != 2 || list[0]["unrung"] != "the person has no phone, so "+unrung {
		t.Errorf("the API lists %v", list)
	}
	form.Set("away", "1")
	b.post("/oncall/devops", form).is(200).hasNot("The absence was entered. The person has no phone", "is away: ")
	form.Del("away")
	form.Set("user", "bob")
	b.post("/oncall/devops", form).is(200).hasNot("Bob Example</bdi></strong> has layer 1: ")
}

// TestWhoMayChangeShifts holds that responders change their own, and that the audit says who did
// what.
func TestWhoMayChangeShifts(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	vera, bob, alice := s.as(sent, "vera@example.com"), s.as(sent, "Bob@example.com"), s.as(sent, "alice@example.com")
	at := time.Now().In(mustZone(t)).Add(72 * time.Hour)
	form := url.Values{"user": {"alice"}, "away": {"1"}, "from": {at.Format("2006-01-02T15:04")}, "to": {at.Add(2 * time.Hour).Format("2006-01-02T15:04")}}
	vera.get("/oncall/devops").is(200).has("The month ahead").hasNot("form-shift", "form-away")
	vera.post("/oncall/devops", form).is(403)
	bob.get("/oncall/devops").is(200).has("form-shift", "form-away").hasNot("Who is away")
	bob.post("/oncall/devops", form).is(422).has("nly Alice Example, or an admin, may say when Alice Example is away")
	form.Del("user")
	bob.post("/oncall/devops", form).is(200).has("The absence was entered.", "by <bdi>Bob Example")
	page := alice.get("/oncall/devops").is(200).has("Who is away", "/remove").body
	vera.get("/oncall/devops").is(200).hasNot("/remove")
	action := page[strings.Index(page, "/oncall/devops/changes/"):]
	alice.post(action[:strings.Index(action, `"`)], nil).is(200).has("The change was removed")
	alice.get("/settings/audit").is(200).has("Changed a shift", "Removed a changed shift", "bob away")
}
