package pages_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// alertOf makes an alert without a call.
func (s *site) alertOf(id, key, title string, teams ...string) {
	s.t.Helper()
	commands := []integration.AlertCommand{{Kind: integration.AlertCreate, Draft: &integration.AlertDraft{Title: title}}}
	if len(teams) > 0 {
		commands = append(commands, integration.AlertCommand{Kind: integration.AlertRoute, Teams: teams})
	}
	for i, c := range commands {
		c.Number, c.AlertKey, c.At = int64(i+1), key, time.Now()
		if err := s.Platform.Apply(s.t.Context(), platformScope(id), c); err != nil {
			s.t.Fatal(err)
		}
	}
}

// shown are the keys of the alerts on a page, whose titles end with them.
func shown(v view) string {
	var keys []string
	for _, m := range regexp.MustCompile(`class="row-link"[^>]*>[^<]* (\S+)</a>`).FindAllStringSubmatch(v.body, -1) {
		keys = append(keys, m[1])
	}
	return strings.Join(keys, " ")
}

// older follows the link to the next page of a list; "": there is none.
func older(v view) string {
	m := regexp.MustCompile(`href="([^"]+)" id="older"`).FindStringSubmatch(v.body)
	if m == nil {
		return ""
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

func TestAlertsAreFoundPageByPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	for i := range 53 {
		s.alertOf(id, fmt.Sprintf("K%02d", i), fmt.Sprintf("Disk %% of \"web_%02d\" is full K%02d", i, i), "devops")
	}
	s.alertOf(id, "QUEUED", "Nobody has QUEUED")
	v := b.get("/alerts").is(200).has("(54) Alerts", "All open alerts", "QUEUED")
	if n := strings.Count(v.body, `<li class="row `); n != 51 {
		t.Errorf("the first page has %d alerts, want 50 open ones and the queued one", n)
	}
	v = b.get("/alerts?team=devops").is(200).has(`value="devops" selected`)
	first, next := shown(v), older(v)
	if v = b.get(next).is(200); !strings.HasPrefix(first, "K52 K51") || shown(v) != "K02 K01 K00" || older(v) != "" {
		t.Errorf("the pages have %s, then %s, and another one at %q", first, shown(v), older(v))
	}
	for query, want := range map[string]string{
		"q=web_07": "K07", "q=DISK+%22web_51%22": "K51", "q=web%2507": "", "status=queued": "QUEUED", "status=queued&team=devops": "",
		"until=2020-01-01": "", "status=queued&since=2020-01-01": "QUEUED", "q=" + url.QueryEscape("مرحبا"): "",
	} {
		if got := shown(b.get("/alerts?" + query).is(200)); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for query, says := range map[string]string{
		"cursor=x": "is not one that a list of alerts returned", "cursor=zzz.1": "is not one that", "team=nobody": "Team &#34;nobody&#34; is unknown: use one of devops.", "integration=nope": "Integration &#34;nope&#34; is unknown: use one of ", "from=%2B1+202": "to find a part of a number, search for it as text",
		"since=2026-03-02&until=2026-03-01": "From is not before To: 2026-03-02 and 2026-03-01; exchange them", "q=" + strings.Repeat("x", 500): "at most 400", "since=yesterday": "a date such as 2026-03-04",
		"unheard=perhaps": "must be true or false", "q=%00": "control characters",
	} {
		b.get("/alerts?"+query).is(400).has(says, `id="form-search"`)
	}
}

// The list says who called and what became of it, and a message is heard in it.
func TestAMessageIsHeardInTheListOfAlerts(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	s.call(id, "CA01")
	s.alertOf(id, "OTHER", "Call OTHER", "devops")
	s.end(id, "CA01")
	v := b.get("/alerts?unheard=true&from=%2B1+202-555-0191").is(200).has("Found", "Not heard yet", "<audio controls", "I have heard it", "Hung up", "waited ", `name="unheard" value="true" checked`).hasNot("OTHER")
	v = b.post("/calls/CA01/heard", url.Values{"ref": {field(v, "ref")}, "list": {"unheard=true"}}).is(200).has("Nothing matches. Search for less, or")
	if v.path != "/alerts?unheard=true" {
		t.Errorf("after hearing it in the list the browser is at %s", v.path)
	}
	b.get("/alerts?from=%2B12025550191").is(200).has("heard by Alice Example").hasNot("Not heard yet", "OTHER")
}

// Notes are the call's, and written on the page of its alert too.
func TestNotesOnAnAlert(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	note := url.Values{"text": {"She calls <again>."}, "alert": {alert}}
	v := b.post("/calls/CA01/notes", note).is(200).has("The note was added.", "She calls &lt;again&gt;.", "Alice Example")
	if v.path != "/alerts/"+alert+"?done=note" {
		t.Errorf("after writing a note the browser is at %s", v.path)
	}
	note.Set("text", strings.Repeat("x", store.MaxNote+1))
	b.post("/calls/CA01/notes", note).is(422).has("at most 8192 can be stored", "xxx</textarea>", `id="act-acknowledge"`)
	b.get("/calls/CA01").is(200).has("She calls &lt;again&gt;.")
	m := regexp.MustCompile(`/calls/CA01/notes/[^/"]+/delete`).FindString(v.body)
	b.post(m, url.Values{"alert": {alert}}).is(200).has("The note was deleted.").hasNot("She calls")
}

// TestAPageWithoutScriptsIsKeptStillForWhoeverAsks: a page of what may still change reloads without
// scripts, unless its address asks for a still one, it answers a form, or it shows older rows.
func TestAPageWithoutScriptsIsKeptStillForWhoeverAsks(t *testing.T) {
	t.Parallel()
	const reloads = `http-equiv="refresh"`
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	page := "/alerts/" + alert
	b.get(page+"?done=note").is(200).has(reloads, `<noscript><p class="soft reloading">This page reloads`, `href="`+page+`?still=1"`, `href="`+page+`?still=1#form-note"`)
	b.get(page+"?still=1").is(200).has(`href="`+page+`" id="let-reload"`, `id="form-note"`).hasNot(reloads, "keep-still", "write-note")
	b.get("/alerts?status=open&q=call").is(200).has(reloads, `href="/alerts?q=call&amp;status=open&amp;still=1#search"`)
	b.get("/calls").is(200).has(reloads, `href="/calls?still=1#search"`)
	b.get("/calls?still=1").is(200).has(`id="search" open`, `href="/calls" id="let-reload"`).hasNot(reloads)
	b.post("/calls/CA01/notes", url.Values{"text": {strings.Repeat("x", store.MaxNote+1)}, "alert": {alert}}).is(422).has("xxx</textarea>").hasNot(reloads, "keep-still", "let-reload")
}

// Whoever opened an alert with the link in a page sees what becomes of it, though the event stream
// is for those who have logged in.
func TestAnAlertOpenedByALinkIsKeptCurrent(t *testing.T) {
	t.Parallel()
	var links *people.PageLinks
	s, _ := peopled(t, options{people: func(c *people.Config) { links = c.Pages }})
	alert := s.call(s.loggedIn("alice").create(), "CA01")
	b := s.browser()
	b.post(strings.TrimPrefix(links.URL("bob", alert), s.URL), nil).is(200).has(`data-poll="5"`, `http-equiv="refresh"`, `id="connection"`).hasNot("data-events", "notify.js", "(1)", `id="form-note"`)
}

func TestTheTitleCountsAlertsThatWait(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	for _, path := range []string{"/alerts", "/calls", "/oncall", "/alerts/" + alert} {
		b.get(path).is(200).has("<title>(1) ")
	}
	b.get("/settings/integrations").is(200).hasNot("<title>(")
	b.post("/alerts/"+alert+"/acknowledge", nil).is(200).hasNot("<title>(")
	hosttest.Eventually(t, "the count is of what waits", func() bool { return strings.Contains(b.get("/alerts").body, "<title>Alerts") })
}
