package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
)

func platformScope(integrationID string) platform.Scope {
	return platform.Scope{Integration: integrationID}
}

func TestEveryPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")

	b.get("/").is(200).has("No integrations yet.")
	id := b.create()
	b.get("/alerts").is(200).has("All quiet.")
	b.get("/calls").is(200).has("No active calls.")
	alert := s.call(id, "CA01")

	rec, err := s.Platform.GetAlert(t.Context(), alert)
	if err != nil || len(rec.Paged) != 1 {
		t.Fatalf("paged are %v (%v), want one of both, by the week", rec.Paged, err)
	}
	v := b.get("/").is(200).has("Not acknowledged yet", "Call from +1 202-555-0191", "DevOps", "on call: "+s.File.File().User(rec.Paged[0]).Name)
	if v.path != "/alerts" {
		t.Fatalf("v.path = %q, want %q", v.path, "/alerts")
	}
	b.get("/alerts?status=open").is(200).has("Call from +1 202-555-0191")
	b.get("/alerts?status=resolved").is(200).has("None.").hasNot("Call from")
	b.get("/alerts?status=nonsense").is(400).has("is unknown: use one of open, ")

	b.get("/alerts/"+alert).is(200).has(
		// Phone numbers are links.
		"Call from +1 202-555-0191", "A caller waits.", "tel:+12025550191", "+1 202-555-0191",
		"Routed to DevOps", "Voicemail", "<audio controls", "/api/v1/media/media:", "download=true",
		`id="act-acknowledge"`, `id="act-escalate"`, `id="act-resolve"`, `href="/calls/CA01"`, "high urgency", "Hotline")
	b.get("/calls").is(200).has("+1 202-555-0191", "On hold", "Talking", "1</span>")
	b.get("/calls/CA01").is(200).has("On hold", "The alert was routed to DevOps.", "/alerts/"+alert, "Hotline")
	b.get("/oncall").is(200).has("DevOps", "America/New_York", "Bob Example", "tel:+12025550144", "Until ", "your time")
	b.get("/settings/integrations").is(200).has("Hotline", "DevOps", "On<", "testline")
	b.get("/settings/integrations/"+id).is(200).has(s.URL+"/integrations/"+id, "Good morning", "Greet", "A first call came in.",
		`value="team:devops" checked`, `id="save"`, "/delete", `<span class="state">set</span>`)
	b.get("/settings/integrations/"+id+"/delete").is(200).has("Delete Hotline?", "not in service")
	b.get("/me?next=/alerts").is(200).has("Alice Example", "Bob Example", `value="alice" checked`)

	// The end of a call shows.
	resp, err := s.Server.Client().PostForm(s.URL+"/integrations/"+id, url.Values{"Call": {"CA01"}, "From": {"+12025550191"}, "End": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	b.get("/calls").is(200).has("Hung up", "No active calls.")

	for _, path := range []string{"/nothing", "/alerts/nothing", "/calls/nothing", "/settings/integrations/nothing", "/settings/integrations/nothing/delete"} {
		b.get(path).is(404).has("<h1>No", "Go to start page")
	}
	b.get("/settings/integrations/new?plugin=nothing").is(404).has("not installed")
}

// TestAnErrorHasWaysOut: what passes can be tried again, a refusal leads back to the page of this
// host from which it came, and a form that is lost is not led away from.
func TestAnErrorHasWaysOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{plugins: severalPlugins{}})
	b := s.loggedIn("alice")
	broken := "/settings/integrations/new?plugin=broken"
	b.get(broken).is(503).has(`href="` + broken + `" id="again"`)
	b.post("/settings/integrations/new", url.Values{"plugin": {"broken"}}).is(503).hasNot(`id="again"`, `id="back"`)
	for from, want := range map[string]string{
		s.URL + "/calls?team=devops": `href="/calls?team=devops" id="back"`, "": "", "https://elsewhere.example.com/calls": "", s.URL + "/nothing": "", ":": "",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/nothing", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Referer", from)
		if page := b.do(req).is(404); want != "" {
			page.has(want)
		} else {
			page.hasNot(`id="back"`)
		}
	}
	b.get("/settings/integrations/nothing").is(404).hasNot("What you submitted")
	b.post("/settings/integrations/nothing", nil).is(404).has("What you submitted was not saved.")
}

func TestFieldsOfAnAlert(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	alert := s.call(id, "CA01")
	for i, f := range []integration.AlertField{
		{Label: "Voicemail Transcription", Value: "The printers are <down>.", Format: integration.FieldText},
		{Label: "Ticket", Value: "https://tickets.example.com/7", Format: integration.FieldLink},
		{Label: "Trap", Value: "javascript:alert(1)", Format: integration.FieldLink},
	} {
		if err := s.Platform.Apply(t.Context(), platformScope(id), integration.AlertCommand{
			Number: int64(10 + i), Kind: integration.AlertAddField, AlertKey: "CA01", Field: &f, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	b.get("/alerts/"+alert).is(200).has("<blockquote>The printers are &lt;down&gt;.</blockquote>",
		`href="https://tickets.example.com/7"`, "javascript:alert(1)").hasNot(`href="javascript`, `href="#ZgotmplZ"`)
}

func TestFilesOfThePages(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.browser()
	page := b.get("/login").is(200)
	for _, part := range strings.Split(page.body, `"`) {
		if !strings.HasPrefix(part, "/static/") {
			continue
		}
		v := b.get(part).is(200)
		if got := v.header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
			t.Fatalf("v.header.Get(Cache-Control) does not contain %q:\n%s", "immutable", got)
		}
		if got := len(v.body); got >= 30_000 {
			t.Fatalf("%v = %v, want less than %v", part, got, 30_000)
		}
	}
	b.get("/static/nothing.css").is(404)
	if got := b.get("/favicon.ico").is(200).header.Get("Content-Type"); got != "image/svg+xml" {
		t.Fatalf(`b.get("/favicon.ico").is(200).header.Get("Content-Type") = %q, want %q`, got, "image/svg+xml")
	}
}

func TestGapsAreLoud(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	at := time.Now().In(mustZone(t)).Add(48 * time.Hour)
	override := "      overrides:\n"
	for layer := 1; layer <= 2; layer++ {
		override += "        - {layer: " + string(rune('0'+layer)) + `, from: "` + at.Format("2006-01-02T15:04") + `", to: "` + at.Add(3*time.Hour).Format("2006-01-02T15:04") + `", users: []}` + "\n"
	}
	s.writeFile(strings.Replace(hosttest.File, "    escalation:", override+"    escalation:", 1))
	if err := s.File.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := s.loggedIn("")
	b.get("/oncall").is(200).has("DevOps</bdi>: nobody is on call from "+at.Format("Mon 2 Jan 15:04 MST"), "Gaps in the next 14 days", "Layer 2")

	// A file with a mistake is told of on every page; the one before stays in force.
	s.writeFile("users: [\n")
	if err := s.File.Reload(t.Context()); err == nil {
		t.Fatal("no error")
	}
	b.get("/calls").is(200).has("The changed switchboard file has errors", "(since <time ")
	b.get("/oncall").is(200).has("The switchboard file has errors", "nobody is on call from")
}

// A team that works by day has a gap each night: one notice tells of all of them.
func TestGapsOfEveryNightAreOneNotice(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	s.writeFile(strings.Replace(hosttest.File, "      layers:\n", `      layers:
        - {on: {days: [mon, tue, wed, thu, fri, sat, sun], from: "09:00", to: "17:00"}, users: [bob]}
      overrides: []
  - id: nights
    name: Nights
    admins: [bob]
    members: [bob]
    schedule:
      timezone: America/New_York
      layers:
`, 1))
	if err := s.File.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := s.loggedIn("").get("/oncall").is(200).has("DevOps</bdi>: nobody is on call", "more times in the next 14 days", "Layer 1")
	if n := strings.Count(v.body, `class="notice bad"`); n != 1 {
		t.Errorf("%d notices of one team, want 1", n)
	}
	for _, list := range []string{"uncovered-devops", "gaps-devops"} {
		_, folded, found := strings.Cut(v.body, `<details id="`+list+`">`)
		folded, _, _ = strings.Cut(folded, "</details>")
		if n := strings.Count(folded, "<li>"); !found || n < 10 {
			t.Errorf("%s holds %d gaps, want those of about 14 nights", list, n)
		}
	}
}

// Trouble that takes many words is one line on each page, and the rest is there when asked for.
func TestTroubleOfManyWordsIsOneLine(t *testing.T) {
	t.Parallel()
	const short, long = "The database: cannot be written.", "The platform answers, but there is trouble: Alice Example is not reached by ntfy; Bob Example is not reached by Slack."
	s := newSite(t, options{troubles: []string{short, long}})
	head, rest, _ := strings.Cut(long, ": ")
	s.loggedIn("").get("/calls").is(200).has(`role="status">`+short+"<", "<summary>"+head+"</summary><p>"+rest+"</p>")
}

func mustZone(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestAlertActions(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	alice, bob, looker := s.loggedIn("alice"), s.loggedIn("bob"), s.loggedIn("")
	id := alice.create()
	alert := s.call(id, "CA01")
	path := "/alerts/" + alert

	// Who only looks is asked who they are beside the button, and is remembered.
	looker.get(path).is(200).has(`<select id="act-user" name="user" required>`)
	looker.post(path+"/acknowledge", nil).is(422).has("choose who you are")
	looker.post(path+"/acknowledge", url.Values{"user": {"mallory"}}).is(422).has("Nothing was changed")

	v := alice.post(path+"/acknowledge", nil).is(200).has("You acknowledged this alert", "Alice Example acknowledged").hasNot(`id="act-acknowledge"`, `id="act-escalate"`)
	if diff := cmp.Diff(path+"?done=acknowledge", v.path); diff != "" {
		t.Fatalf("v.path (-want +got):\n%s", diff)
	}
	// A second click changes nothing.
	alice.post(path+"/acknowledge", nil).is(200).has("You acknowledged this alert")

	// Bob's page was a moment old: he hears who has it.
	bob.post(path+"/acknowledge", nil).is(409).has("Nothing was changed. Alice Example acknowledged it at").hasNot(`id="act-acknowledge"`)
	bob.post(path+"/escalate", nil).is(409).has("Alice Example acknowledged it")

	looker.post(path+"/resolve", url.Values{"user": {"bob"}}).is(200).has("Resolved.", "Bob Example resolved it", `Acting as </span><span class="who-name">Bob Example`)
	alice.post(path+"/acknowledge", nil).is(409).has("already resolved", "No further action is possible.")

	alice.post(path+"/dance", nil).is(404)
	alice.post("/alerts/nothing/resolve", nil).is(404)

	rec, err := s.Platform.GetAlert(t.Context(), alert)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Status != integration.AlertResolved {
		t.Fatalf("rec.Status = %v, want %v", rec.Status, integration.AlertResolved)
	}
}

// Whoever is paged may pass; nobody else is offered to.
func TestReject(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	rec, err := s.Platform.GetAlert(t.Context(), alert)
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.Paged) != 1 {
		t.Fatalf("len(rec.Paged) = %d, want %d: %v", len(rec.Paged), 1, rec.Paged)
	}
	paged, other := rec.Paged[0], "alice"
	if paged == other {
		other = "bob"
	}
	s.loggedIn(other).get("/alerts/" + alert).is(200).hasNot(`id="act-reject"`)
	s.loggedIn(other).post("/alerts/"+alert+"/reject", nil).is(409).has("is not being paged")
	s.loggedIn(paged).get("/alerts/" + alert).is(200).has(`id="act-reject"`)
	s.loggedIn(paged).post("/alerts/"+alert+"/reject", nil).is(200).has("You declined.", "cannot take it now")
}

func TestOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	for name, headers := range map[string]http.Header{
		"fetch metadata": {"Sec-Fetch-Site": {"cross-site"}},
		"origin":         {"Origin": {"https://elsewhere.example.com"}},
	} {
		for _, path := range []string{"/settings/integrations/" + id + "/delete", "/login", "/logout", "/me"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(""))
			if err != nil {
				t.Fatalf("%v: %v", name, err)
			}
			req.Header = headers.Clone()
			b.do(req).is(403).has("Another website made your browser send this request.")
		}
	}
	b.get("/settings/integrations/" + id).is(200)
}

// Who looks at the pages at night should not need /readyz to learn that mails do not go out.
func TestEveryPageTellsOfTheHostsTroubles(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{troubles: []string{"The mail server <b>refuses</b> the password."}})
	b := s.loggedIn("alice")
	for _, page := range []string{"/alerts", "/calls", "/oncall", "/settings/integrations"} {
		b.get(page).is(200).has("The mail server &lt;b&gt;refuses&lt;/b&gt; the password.")
	}
	s.browser().get("/login").is(200).hasNot("The mail server")
}
