package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/api/apikit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/engine"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// peopleFile is a switchboard file with an account of each role.
var peopleFile = strings.NewReplacer(
	"email: alice@example.com", "email: alice@example.com, role: admin",
	"name: Bob Example", "name: Bob Example, email: Bob@example.com",
	"teams:", "  - {id: vera, name: Vera Example, email: vera@example.com, role: viewer}\nteams:",
).Replace(hosttest.File)

// mails are those that a site sends.
type mails chan engine.OutgoingMail

// Send implements engine.Mailer.
func (m mails) Send(_ context.Context, mail engine.OutgoingMail) error {
	m <- mail
	return nil
}

// peopled is a site with accounts and a mail server.
func peopled(t *testing.T, o options) (*site, mails) {
	t.Helper()
	sent := make(mails, 10)
	before := o.people
	o.people = func(c *people.Config) {
		c.Mailer = sent
		if before != nil {
			before(c)
		}
	}
	s := newSite(t, o)
	s.change(peopleFile)
	return s, sent
}

// change puts another switchboard file into force.
func (s *site) change(text string) {
	s.t.Helper()
	s.writeFile(text)
	if err := s.File.Reload(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// link waits for a mail and returns the path of the address in it.
func (m mails) link(t *testing.T, to string) string {
	t.Helper()
	select {
	case mail := <-m:
		if mail.To != to {
			t.Fatalf("the mail goes to %s, want %s", mail.To, to)
		}
		found := regexp.MustCompile(`https?://[^/\s]+(/\S+)`).FindAllStringSubmatch(mail.Text, -1)
		if len(found) == 0 {
			t.Fatalf("the mail has no address:\n%s", mail.Text)
		}
		return found[len(found)-1][1]
	case <-time.After(time.Minute):
		t.Fatal("no mail was sent")
		return ""
	}
}

// as is a browser that somebody has logged in with by mail.
func (s *site) as(sent mails, email string) *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/login/mail", url.Values{"email": {email}}).is(200)
	b.post(sent.link(s.t, email), nil).is(200)
	return b
}

// A link by mail logs in once, whoever looks at it before, and an account is asked for in the same
// way as an address that is none.
func TestALinkByMailLogsInOnce(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	b := s.browser()
	b.get("/login").is(200).has("Send me a link", "API token")
	known := b.post("/login/mail", url.Values{"email": {"ALICE@example.com"}}).is(200).has("a mail with a link is on its way")
	unknown := b.post("/login/mail", url.Values{"email": {"mallory@example.com"}}).is(200)
	if got, want := strings.ReplaceAll(unknown.body, "mallory@", "ALICE@"), known.body; got != want {
		t.Errorf("an unknown address is answered otherwise:\n%s\nand a known one:\n%s", got, want)
	}
	b.post("/login/mail", url.Values{"email": {"nobody"}}).is(422).has("That is no e-mail address")
	link := sent.link(t, "alice@example.com")

	for range 3 { // a program that looks into mails
		s.browser().get(link).is(200).has("Press the button").hasNot("alice")
	}
	b.post(link, nil).is(200).has(`Logged in as </span><span class="who-name">Alice Example`, `id="nav-people"`, `id="nav-integrations"`)
	for _, v := range []view{s.browser().get(link), s.browser().post(link, nil)} {
		v.is(410).has("This link was used already", "Ask for a new one.")
	}
	// Who opens the mail once more in the same browser is where they wanted to be.
	for _, v := range []view{b.get(link), b.post(link, nil)} {
		v.is(200).has(`id="nav-calls"`, `class="who-name">Alice Example`)
	}
	s.browser().post(people.LinkPath+"UNKNOWN", nil).is(410).has("This link is not complete")
	select {
	case mail := <-sent:
		t.Errorf("a mail was sent to %s", mail.To)
	default:
	}
}

func TestALinkByMailWorksFor15Minutes(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	s, sent := peopled(t, options{clock: hands})
	b := s.browser()
	ask := func() string {
		t.Helper()
		b.post("/login/mail", url.Values{"email": {"vera@example.com"}})
		return sent.link(t, "vera@example.com")
	}
	old := ask()
	hands.Advance(15 * time.Minute)
	b.post(old, nil).is(410).has("older than 15 minutes")

	// Whoever asks again and again fills nobody's mailbox, and what was sent works.
	links := []string{ask(), ask(), ask()}
	b.post("/login/mail", url.Values{"email": {"vera@example.com"}}).is(200).has("on its way")
	b.post("/login/mail", url.Values{"email": {"alice@example.com"}})
	sent.link(t, "alice@example.com") // which would come after a fourth one for Vera
	b.post(links[0], nil).is(200).has("Vera Example")

	// Who has left meanwhile is told so before the button is pressed, and logged in by none.
	s.change(strings.Replace(peopleFile, "  - {id: vera, name: Vera Example, email: vera@example.com, role: viewer}\n", "", 1))
	for _, v := range []view{s.browser().get(links[1]), s.browser().post(links[1], nil)} {
		v.is(410).has("The account of this link is no longer in the switchboard file").hasNot("Vera Example")
	}
}

// The role of an account in the switchboard file as it is now decides, and whoever leaves the file
// is logged out: pages, API and streams.
func TestWhoeverLeavesTheFileIsLoggedOut(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	b := s.as(sent, "alice@example.com")
	b.get("/settings/people").is(200)
	over := b.stream()
	s.change(strings.Replace(peopleFile, ", role: admin", "", 1))
	b.get("/settings/people").is(403).has("Your role is responder, and this needs admin.")
	b.get("/oncall").is(200)

	s.change(strings.Replace(peopleFile, "email: alice@example.com, role: admin, ", "", 1))
	b.get("/oncall").is(200).has("your account left the switchboard file")
	if got := b.get("/api/v1/teams").status; got != 401 {
		t.Errorf("the API answers %d, want 401", got)
	}
	select {
	case <-over:
	case <-time.After(time.Minute):
		t.Error("the stream goes on")
	}
	// The login has ended for good.
	kept := s.Store.(store.People)
	hosttest.Eventually(t, "no login is left", func() bool {
		list, err := kept.ListLogins(t.Context(), "", time.Now())
		return err == nil && len(list) == 0
	})
	s.change(peopleFile)
	b.get("/oncall").is(200).has("your account left the switchboard file")
}

// Whoever was logged out reads why, as long as that is known, also of a form that was not saved.
func TestTheLogInPageSaysWhatEndedALogin(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	kept := s.Store.(store.People)
	for _, c := range []struct{ why, notice, unsaved string }{
		{store.LoggedOut, "You or an admin logged this browser out.", "This browser had been logged out, so"},
		{store.AccountGone, "This browser was logged out, as your account left the switchboard file.", "Your account had left the switchboard file, so"},
		{store.NotLetIn, "This browser was logged out, as the settings no longer let you in this way.", "The settings no longer let you in, so"},
	} {
		b := s.as(sent, "Bob@example.com")
		list, err := kept.ListLogins(t.Context(), "bob@example.com", time.Now())
		if err != nil || len(list) != 1 {
			t.Fatalf("logins: %v (%v), want one", list, err)
		}
		if err := kept.EndLogin(t.Context(), list[0].ID, c.why, time.Now()); err != nil {
			t.Fatal(err)
		}
		b.get("/oncall").is(200).has(c.notice).hasNot("Your session")
		b.post("/me", url.Values{"user": {"bob"}}).is(401).has(c.unsaved)
	}
}

// People act in their own name, whatever a form says; a viewer looks, and hears nothing.
func TestPeopleActInTheirOwnName(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	id := s.loggedIn("alice").create()
	alert := s.call(id, "CA01")
	bob, vera := s.as(sent, "Bob@example.com"), s.as(sent, "vera@example.com")

	vera.get("/alerts/"+alert).is(200).has("You can look at this alert. Responders can act on it.").hasNot("No further action", "<audio", "download=true", `id="act-`)
	vera.get("/calls/CA01").is(200).hasNot("<audio", `id="form-note"`)
	vera.post("/alerts/"+alert+"/acknowledge", url.Values{"user": {"bob"}}).is(403).has("Your role is viewer, and this needs responder.")
	rec, err := s.Platform.GetAlert(t.Context(), alert)
	if err != nil || len(rec.Attachments) == 0 || rec.Status != integration.AlertOpen {
		t.Fatalf("the alert: %+v (%v)", rec, err)
	}
	medium := "/api/v1/media/" + rec.Attachments[0].Media.Ref
	if v := vera.get(medium); v.status != 403 || !strings.Contains(v.body, "does not include hearing") {
		t.Errorf("a viewer hears: %d %s", v.status, v.body)
	}

	bob.get("/alerts/"+alert).is(200).has(`id="act-acknowledge"`, "<audio").hasNot("You are</label>", `id="nav-people"`, `id="nav-integrations"`)
	bob.post("/me", url.Values{"user": {"alice"}}).is(409).has("You are logged in as yourself")
	bob.post("/alerts/"+alert+"/acknowledge", url.Values{"user": {"alice"}}).is(200).has("You acknowledged this alert.")
	rec, err = s.Platform.GetAlert(t.Context(), alert)
	if err != nil || len(rec.Acknowledgements) != 1 || rec.Acknowledgements[0].User != "bob" {
		t.Errorf("acknowledged by %+v (%v), want bob", rec.Acknowledgements, err)
	}
	bob.post("/calls/CA01/notes", url.Values{"text": {"A note"}, "user": {"alice"}}).is(200).has("A note", "Bob Example</span>")

	// Whoever fetches a recording is in the audit, once however many pieces a player asks for.
	for range 2 {
		bob.get(medium).is(200)
	}
	lines, _, err := s.Store.(store.People).ListAudit(t.Context(), store.AuditFilter{Action: "recording.hear"})
	if err != nil || len(lines) != 1 || lines[0].Who != "Bob@example.com" || lines[0].About != rec.Attachments[0].Media.Ref {
		t.Errorf("the audit has %+v (%v)", lines, err)
	}
}

// The link in a page opens one alert, for one person.
func TestTheLinkInAPageOpensOneAlert(t *testing.T) {
	t.Parallel()
	hands := clock.NewManual(time.Now())
	var links *people.PageLinks
	s, sent := peopled(t, options{clock: hands, people: func(c *people.Config) { links = c.Pages }})
	id := s.loggedIn("alice").create()
	alert, other := s.call(id, "CA01"), s.call(id, "CA02")
	path := func(user, alert string) string { return strings.TrimPrefix(links.URL(user, alert), s.URL) }
	rec, err := s.Platform.GetAlert(t.Context(), alert)
	if err != nil {
		t.Fatal(err)
	}

	b := s.browser()
	for range 2 { // a program that looks into mails
		b.get(path("bob", alert)).is(200).has("DevOps needs you").hasNot("2025550191", "202-555", "Bob")
	}
	b.get("/alerts/" + alert).is(200).has("Log in").hasNot("2025550191")
	v := b.post(path("bob", alert), nil).is(200).has("Call from +1 202-555-0191", "Bob Example", `id="act-acknowledge"`, "<audio").
		hasNot(`id="act-resolve"`, `id="act-escalate"`, `id="nav-alerts"`, `href="/calls`)
	if v.path != "/alerts/"+alert {
		t.Errorf("the link leads to %s", v.path)
	}
	if got := b.get("/api/v1/media/" + rec.Attachments[0].Media.Ref).status; got != 200 {
		t.Errorf("the recording: %d", got)
	}
	strange, err := s.Store.PutMedium(t.Context(), store.Medium{MediaRef: integration.MediaRef{Name: "x.wav", ContentType: "audio/wav"}, Data: []byte("of another call")})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/media/" + strange.Ref, "/api/v1/alerts", "/api/v1/alerts/" + other, "/api/v1/calls", "/api/v1/events"} {
		if got := b.get(path).status; got != 403 {
			t.Errorf("%s: %d, want 403", path, got)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/calls/CA02/recordings/"+strange.Ref+"/heard", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := b.do(req).status; got != 403 {
		t.Errorf("a recording of another call can be marked: %d", got)
	}
	for _, path := range []string{"/alerts", "/calls", "/calls/CA01", "/alerts/" + other, "/me", "/oncall"} {
		b.get(path).is(200).has("The link in your page opens one alert. For everything else, log in.")
	}
	b.post("/alerts/"+alert+"/resolve", nil).is(401).has("nothing was saved or changed")
	b.post("/alerts/"+other+"/acknowledge", nil).is(401)
	b.post("/alerts/"+alert+"/acknowledge", url.Values{"user": {"alice"}}).is(200).has("You acknowledged this alert.", "Log in to do more with this alert.")
	if rec, err = s.Platform.GetAlert(t.Context(), alert); err != nil || rec.Acknowledgements[0].User != "bob" {
		t.Errorf("acknowledged by %+v (%v), want bob", rec.Acknowledgements, err)
	}

	// Whoever is logged in stays who they are.
	vera := s.as(sent, "vera@example.com")
	vera.post(path("bob", alert), nil).is(200).has("Vera Example", `id="nav-alerts"`)

	// A link that does not work says why, to those who have one that did.
	old := path("bob", other)
	dead := func(link, why string) {
		t.Helper()
		for _, v := range []view{s.browser().get(link), s.browser().post(link, nil)} {
			v.is(410).has(why).hasNot("Call from", "202-555")
		}
	}
	dead(path("bob", alert)[:30]+"A"+path("bob", alert)[31:], "This link is not complete")
	dead(people.PagePath+"AAAA", "This link is not complete")
	dead(path("mallory", alert), "has left the switchboard file")
	dead(path("bob", "01JNONE"), "its alert was deleted")
	if _, err := s.Platform.Act(t.Context(), alert, platform.ActResolve, "bob"); err != nil {
		t.Fatal(err)
	}
	hands.Advance(23 * time.Hour)
	s.browser().get(path("bob", alert)).is(200)
	hands.Advance(2 * time.Hour)
	dead(path("bob", alert), "its alert was resolved more than a day ago")
	s.browser().get(old).is(200)
	hands.Advance(6 * 24 * time.Hour)
	dead(old, "it is more than 7 days old")
	hands.Advance(-7 * 24 * time.Hour)
	b = s.browser()
	b.post(old, nil).is(200).has("Call from")
	s.change(strings.NewReplacer(`  - {id: bob, name: Bob Example, email: Bob@example.com, phones: ["+12025550144"]}`+"\n", "", "[alice, bob]", "[alice]", "[bob]", "[alice]").Replace(peopleFile))
	b.get("/alerts/" + other).is(200).has("your account left the switchboard file").hasNot("opens one alert")
	dead(old, "the person whom it was sent to has left the switchboard file")
}

// Tokens are shown once, have a role, and are refused from the moment they are revoked.
func TestTokensOfPrograms(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	b := s.as(sent, "alice@example.com")
	v := b.post("/settings/people/tokens", url.Values{"name": {"Wall <display>"}, "role": {"viewer"}}).is(201).has("Copy it now", "Wall &lt;display&gt;", "made by alice@example.com")
	secret := regexp.MustCompile(`swb_[A-Z0-9]+`).FindString(v.body)
	if len(secret) < 40 {
		t.Fatalf("no token is shown: %q", secret)
	}
	b.post("/settings/people/tokens", url.Values{"name": {"Wall <display>"}, "role": {"viewer"}}).is(422).has("There is a token")
	b.post("/settings/people/tokens", url.Values{"name": {"x"}, "role": {"king"}}).is(422).has("Role &#34;king&#34; is unknown")
	b.get("/settings/people").is(200).hasNot(secret)

	program := func(method, path, body string) hosttest.Answer {
		t.Helper()
		r := s.Request(method, path, body)
		r.Header.Set("Authorization", "Bearer "+secret)
		return s.Send(r)
	}
	if a := program("GET", "/api/v1/teams", ""); a.Status != 200 {
		t.Errorf("the token: %d %s", a.Status, a.Body)
	}
	if a := program("GET", "/api/v1/me", ""); a.Status != 200 || !strings.Contains(string(a.Body), `"token":"Wall <display>","user":"","role":"viewer"`) {
		t.Errorf("who it is: %d %s", a.Status, a.Body)
	}
	if a := program("GET", "/api/v1/tokens", ""); a.Status != 403 || !strings.Contains(string(a.Body), "The token Wall <display> has the role viewer, and this needs admin: make a token with that role.") {
		t.Errorf("what it may not: %d %s", a.Status, a.Body)
	}
	list, err := s.Store.(store.People).ListTokens(t.Context())
	if err != nil || len(list) != 1 || list[0].LastUsed.IsZero() || strings.Contains(fmt.Sprint(list), secret) {
		t.Fatalf("stored: %+v (%v)", list, err)
	}
	b.post("/settings/people/tokens/"+list[0].ID+"/revoke", nil).is(200).has("The token was revoked.", "1 revoked token")
	b.post("/settings/people/tokens/"+list[0].ID+"/revoke", nil).is(200)
	if a := program("GET", "/api/v1/teams", ""); a.Status != 401 {
		t.Errorf("the revoked token: %d", a.Status)
	}
	if got := s.Log.String(); strings.Contains(got, secret) {
		t.Error("the log has the token")
	}

	b.get("/settings/audit").is(200).has("Created a token", "Revoked a token", "Logged in", "alice@example.com")
	b.get("/settings/audit?action=token.create").is(200).has("Wall &lt;display&gt;, viewer").hasNot("<strong>Logged in")
	b.get("/settings/audit?cursor=%3F").is(400).has("cursor", `id="form-audit"`)
	b.get("/settings/audit?who=token+Wall+%3Cdisplay%3E").is(200).has("No such lines.")
	b.get("/settings/audit?who=tokn&action=login").is(400).has("Who &#34;tokn&#34; is unknown: give an e-mail address", `value="tokn"`).hasNot("No such lines.")
}

// One's own logins can be ended by oneself, everybody's by an admin; streams end too.
func TestLoginsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	b, phone, vera := s.as(sent, "Bob@example.com"), s.as(sent, "Bob@example.com"), s.as(sent, "vera@example.com")
	b.get("/me").is(200).has("Where you are logged in", ">2</span>", "This browser", "link by mail")
	logins, err := s.Store.(store.People).ListLogins(t.Context(), "", time.Now())
	if err != nil || len(logins) != 3 {
		t.Fatalf("logins: %+v (%v)", logins, err)
	}
	over := phone.stream()
	b.post("/me/logins/"+logins[0].ID+"/end", nil).is(200) // Vera's: nothing happens
	vera.get("/me").is(200).has(">1</span>")
	if lines, _, err := s.Store.(store.People).ListAudit(t.Context(), store.AuditFilter{Action: "login.end"}); err != nil || len(lines) > 0 {
		t.Errorf("nothing has ended, and the audit says: %+v (%v)", lines, err)
	}
	b.post("/me/logins/"+logins[1].ID+"/end", nil).is(200).has("That browser is logged out.", ">1</span>")
	phone.get("/me").is(200).has("You or an admin logged this browser out.")
	select {
	case <-over:
	case <-time.After(time.Minute):
		t.Error("the stream goes on")
	}
	alice := s.as(sent, "alice@example.com")
	alice.get("/settings/people").is(200).has("<bdi>Vera Example</bdi></strong><span class=\"row-sub\">vera@example.com · vera · logged in 1 time", "<bdi>Bob Example</bdi>", "Bob@example.com")
	alice.post("/settings/people/logins/"+logins[0].ID+"/end", nil).is(200)
	vera.get("/oncall").is(200).has("You or an admin logged this browser out.")
	b.get("/settings/people").is(403)
}

// A login that ends on one host is over on the others, streams included.
func TestALogoutEndsTheStreamsOnOtherHosts(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	b := s.as(sent, "Bob@example.com")
	other := httptest.NewServer(s.handler(options{}))
	t.Cleanup(other.Close)
	there := &browser{t, other.URL, b.client, b.jar} // a load balancer has one name for both
	over := there.stream()
	b.post("/logout", nil).is(200)
	select {
	case <-over:
	case <-time.After(time.Minute):
		t.Error("the stream on the other host goes on")
	}
}

// The API token can be switched off; then neither a form, nor a program, nor an old cookie is let
// in with it.
func TestTheAPITokenCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	b := s.loggedIn("alice")
	s.Server.Config.Handler = s.handler(options{people: func(c *people.Config) { c.TokenOff, c.Mailer = true, sent }})
	b.get("/oncall").is(200).has("Send me a link").hasNot("API token</label>")
	b.post("/login", url.Values{"token": {hosttest.Token}}).is(403).has("The API token is switched off here.")
	s.Want(401, "GET", "/api/v1/teams", nil)
	s.as(sent, "alice@example.com").get("/settings/people").is(200)
}

// routeRoles are the least roles of every route: "-" anybody, "page" whoever has opened the link in
// a page about this very alert, else responders and above or viewers and above.
var routeRoles = map[string]string{
	"GET /login": "-", "POST /login": "-", "POST /login/mail": "-", "GET /login/mail": "-", "GET /login/mail/{token}": "-", "POST /login/mail/{token}": "-",
	"GET /login/openid": "-", "GET /login/openid/callback": "-", "GET /page/{token}": "-", "POST /page/{token}": "-", "POST /logout": "-",
	"GET /{$}": "viewer", "GET /me": "viewer", "POST /me": "viewer", "POST /me/logins/{id}/end": "viewer", "POST /me/test": "viewer", "GET /me/test": "viewer",
	"POST /settings/people/users/{user}/test": "admin", "GET /settings/people/users/{user}/test": "admin", "POST /api/v1/users/{id}/test": "viewer", "POST /api/v1/doctor": "admin",
	"GET /alerts": "viewer", "GET /alerts/{id}": "viewer page", "GET /alerts/{id}/{action}": "viewer page",
	"POST /alerts/{id}/acknowledge": "responder page", "POST /alerts/{id}/reject": "responder page", "POST /alerts/{id}/escalate": "responder", "POST /alerts/{id}/resolve": "responder",
	"GET /alerts/{id}/delete": "admin", "POST /alerts/{id}/delete": "admin", "GET /settings/deletion": "admin", "POST /settings/deletion/forget": "admin", "GET /settings/deletion/forget": "admin",
	"GET /statistics": "viewer", "GET /api/v1/statistics": "viewer",
	"GET /calls": "viewer", "GET /calls/{sid}": "viewer", "GET /calls/{sid}/{action}": "viewer", "POST /calls/{sid}/notes": "responder", "POST /calls/{sid}/notes/{note}/delete": "responder",
	"POST /calls/{sid}/heard": "responder page", "GET /calls/{sid}/delete": "admin", "POST /calls/{sid}/delete": "admin", "GET /recordings/{ref}/delete": "admin", "POST /recordings/{ref}/delete": "admin", "GET /oncall": "viewer", "/": "viewer",
	"GET /oncall/{team}": "viewer", "POST /oncall/{team}": "responder", "POST /oncall/{team}/changes/{shift}/remove": "responder",
	"GET /settings/integrations": "admin", "GET /settings/integrations/new": "admin", "POST /settings/integrations/new": "admin", "GET /settings/integrations/{id}": "admin",
	"POST /settings/integrations/{id}": "admin", "GET /settings/integrations/{id}/delete": "admin", "POST /settings/integrations/{id}/delete": "admin", "POST /settings/integrations/{id}/do/{name}": "admin",
	"GET /settings/people": "admin", "POST /settings/people/logins/{id}/end": "admin", "POST /settings/people/tokens": "admin", "GET /settings/people/tokens": "admin",
	"POST /settings/people/tokens/{id}/revoke": "admin", "GET /settings/audit": "admin",

	"GET /api/v1/integrations": "admin", "POST /api/v1/integrations": "admin", "GET /api/v1/integrations/{id}": "admin", "PUT /api/v1/integrations/{id}": "admin", "DELETE /api/v1/integrations/{id}": "admin",
	"POST /api/v1/integrations/{id}/actions/{name}": "admin", "GET /api/v1/integrations/{id}/form": "admin", "POST /api/v1/integrations/{id}/form": "admin", "GET /api/v1/integrations/{id}/form/schema": "admin",
	"GET /api/v1/plugins": "admin", "DELETE /api/v1/plugins/{id}": "admin", "POST /api/v1/plugins/{id}/switch": "admin", "GET /api/v1/plugins/{id}/options-schema": "admin", "GET /api/v1/plugins/{id}/form": "admin", "POST /api/v1/plugins/{id}/form": "admin", "GET /api/v1/plugins/{id}/form/schema": "admin",
	"POST /api/v1/media": "admin", "GET /api/v1/media/{ref}": "responder page", "PUT /api/v1/switchboard-file": "admin",
	"GET /api/v1/alerts": "viewer", "GET /api/v1/alerts/{id}": "viewer page", "POST /api/v1/alerts/{id}/acknowledge": "responder page", "POST /api/v1/alerts/{id}/reject": "responder page",
	"POST /api/v1/alerts/{id}/escalate": "responder", "POST /api/v1/alerts/{id}/resolve": "responder",
	"GET /api/v1/calls": "viewer", "GET /api/v1/calls.csv": "viewer", "GET /api/v1/calls/{sid}": "viewer", "DELETE /api/v1/calls/{sid}": "admin", "DELETE /api/v1/recordings/{ref}": "admin", "GET /api/v1/erasures": "admin", "DELETE /api/v1/alerts/{id}": "admin", "POST /api/v1/forget": "admin", "POST /api/v1/calls/{sid}/notes": "responder", "DELETE /api/v1/calls/{sid}/notes/{note}": "responder",
	"POST /api/v1/calls/{sid}/recordings/{ref}/heard": "responder page", "GET /api/v1/teams": "viewer", "GET /api/v1/teams/{id}/oncall": "viewer", "GET /api/v1/teams/{id}/schedule": "viewer",
	"GET /api/v1/overrides": "viewer", "POST /api/v1/overrides": "responder", "DELETE /api/v1/overrides/{id}": "responder", "GET /api/v1/status": "viewer", "GET /api/v1/hosts": "viewer", "GET /api/v1/events": "viewer",
	"GET /api/v1/openapi.json": "viewer", "GET /api/v1/me": "viewer", "GET /api/v1/logins": "viewer", "DELETE /api/v1/logins/{id}": "viewer",
	"GET /api/v1/tokens": "admin", "POST /api/v1/tokens": "admin", "DELETE /api/v1/tokens/{id}": "admin", "GET /api/v1/audit": "admin",
}

// Every route of pages and API lets those in who may use it, and nobody else. A new route needs a
// line above.
func TestEveryRouteAsksForItsRole(t *testing.T) {
	t.Parallel()
	var links *people.PageLinks
	s, sent := peopled(t, options{people: func(c *people.Config) { links = c.Pages }})
	id := s.loggedIn("alice").create()
	alert := s.call(id, "CA01")
	page := s.browser()
	page.post(strings.TrimPrefix(links.URL("bob", alert), s.URL), nil)
	visitors := map[string]*browser{
		"nobody": s.browser(), "page": page, "viewer": s.as(sent, "vera@example.com"), "responder": s.as(sent, "Bob@example.com"), "admin": s.as(sent, "alice@example.com"),
	}
	var patterns []string
	for _, r := range (&pages.Pages{}).Routes() {
		patterns = append(patterns, r.Pattern)
	}
	for _, r := range api.New(api.Config{}).Routes() {
		patterns = append(patterns, r.Method+" "+apikit.Prefix+r.Path)
	}
	if len(patterns) != len(routeRoles) {
		t.Errorf("there are %d routes, and roles of %d", len(patterns), len(routeRoles))
	}
	rank := map[string]int{"nobody": 0, "viewer": 1, "responder": 2, "admin": 3}
	for _, pattern := range patterns {
		need, known := routeRoles[pattern]
		if !known {
			t.Errorf("%s has no line in routeRoles", pattern)
			continue
		}
		least, ofPage, _ := strings.Cut(need, " ")
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			method, path = "GET", "/nowhere"
		}
		path = strings.NewReplacer("{$}", "", "/alerts/{id}", "/alerts/"+alert).Replace(path)
		path = regexp.MustCompile(`\{\w+\}`).ReplaceAllString(path, "media:0")
		for who, b := range visitors {
			if pattern == "POST /logout" { // ends what the others need
				continue
			}
			may := rank[who] >= rank[least] || least == "-"
			if who == "page" {
				may = ofPage == "page" || least == "-"
			}
			if got := b.letIn(t, method, path); got != may {
				t.Errorf("%s %s: let in %v, want %v", who, pattern, got, may)
			}
		}
	}
}

// letIn reports whether a request is let in: neither sent to the log-in nor refused.
func (b *browser) letIn(t *testing.T, method, path string) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // an event stream
	r, err := http.NewRequestWithContext(ctx, method, b.base+path, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Jar: b.jar, Transport: b.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	toLogin := strings.HasPrefix(resp.Header.Get("Location"), "/login")
	return resp.StatusCode != 403 && resp.StatusCode != 401 && !toLogin || strings.HasPrefix(path, "/login") && resp.StatusCode != 401
}
