package pages_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/clock"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/platform/embedded/switchboardfile"
)

// foreignPlatform is a platform that shows its alerts itself, and lists neither people nor routers
// nor handoffs.
type foreignPlatform struct{ platform.Platform }

// Alert implements platform.Platform.
func (f foreignPlatform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	s, err := f.Platform.Alert(ctx, scope, key)
	s.URL = "https://alerts.example.com/" + s.ID
	return s, err
}

const foreignFile = `platform: {kind: remote, url: "https://alerts.example.com", token: {env: X}}
`

// fileOf is a switchboard file.
func fileOf(t *testing.T, text string) *switchboardfile.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := switchboardfile.Open(t.Context(), switchboardfile.SourceConfig{Path: path, Clock: clock.System()})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestAccountsAreThePeopleWhoMayBeChosen(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	const accounts = "accounts:\n  - {email: alice@example.com, user: alice}\n  - {email: visitor@example.com}\n"
	file := fileOf(t, foreignFile+accounts)
	h.Serve(s.handler(options{platform: foreignPlatform{h.Platform}, file: file}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}}).is(200).has("Who are you?", `value="alice@example.com"`, `value="visitor@example.com"`).hasNot("Your user id")
	b.post("/me", url.Values{"user": {"bob"}, "next": {"/calls"}}).is(422).has("There is no such person")
	b.post("/me", url.Values{"user": {"Alice@example.com"}, "next": {"/calls"}}).is(200).has(`Acting as </span><span class="who-name">Alice Example`)
	if err := os.WriteFile(file.Status().Path, []byte(foreignFile+strings.Replace(accounts, "alice@", "alicia@", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := file.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.get("/calls").is(200).has("Who are you?").hasNot(`Acting as </span><span class="who-name">`)
	b.post("/me", url.Values{"user": {"visitor@example.com"}, "next": {"/calls"}}).is(200).has(`Acting as </span><span class="who-name">visitor@example.com`)
}

// findingPlatform finds people by e-mail.
type findingPlatform struct {
	foreignPlatform
	h *hosttest.Host
}

// UserByEmail implements platform.UserByEmail.
func (f findingPlatform) UserByEmail(ctx context.Context, scope platform.Scope, email string) (integration.User, error) {
	return f.h.Platform.UserByEmail(ctx, scope, email)
}

// An account may go without the platform's id where the platform finds people by e-mail.
func TestAnAccountIsThePlatformsUserWithItsEMail(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	h.Serve(s.handler(options{platform: findingPlatform{foreignPlatform{h.Platform}, h}, file: fileOf(t, foreignFile+"accounts: [{email: ALICE@example.com}]\n")}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}}).is(200)
	b.post("/me", url.Values{"user": {"alice@example.com"}, "next": {"/calls"}}).is(200).has(`Acting as </span><span class="who-name">Alice Example`)
}

func TestAViewerChangesNoAlert(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	s.writeFile(hosttest.File + "accounts: [{email: alice@example.com, role: viewer, user: alice}]\n")
	if err := s.File.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.get("/alerts/"+alert).is(200).has("You can look at this alert.").hasNot(`id="act-acknowledge"`, `id="act-escalate"`, `id="act-resolve"`)
	b.post("/alerts/"+alert+"/acknowledge", url.Values{}).is(403).has("lets you look only").hasNot(`id="act-acknowledge"`)
	b.post("/alerts/"+alert+"/acknowledge", url.Values{"user": {"bob"}}).is(200).has("You acknowledged this alert.")
}

// Nor does a viewer with the API token write or delete a note, or count as having heard a message.
// An account need not name its user, and whoever has two may do what either of them may.
func TestAViewerWithTheAPITokenIsOnNoRecord(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	alert := s.call(b.create(), "CA01")
	b.post("/calls/CA01/notes", url.Values{"text": {"Kept."}}).is(200).has(`id="form-note"`)
	remove := regexp.MustCompile(`/calls/CA01/notes/[^/"]+/delete`).FindString(b.get("/calls/CA01").body)
	for _, accounts := range []string{"[{email: alice@example.com, role: viewer, user: alice}]", "[{email: Alice@example.com, role: viewer}]"} {
		s.change(hosttest.File + "accounts: " + accounts + "\n")
		for _, page := range []string{"/calls/CA01", "/alerts/" + alert} {
			b.get(page).is(200).has("Kept.").hasNot(`id="form-note"`, "Delete the note")
		}
		b.post("/calls/CA01/notes", url.Values{"text": {"Written."}, "alert": {alert}}).is(403).has("lets you look only", `id="alert-story"`)
		b.post("/calls/CA01/notes", url.Values{"text": {"Written."}}).is(403).has("lets you look only").hasNot("Written.</p>")
		b.post(remove, url.Values{}).is(403).has("needs responder")
		b.post("/calls/CA01/heard", url.Values{"ref": {"x"}}).is(403).has("lets you look only")
		s.Want(403, "POST", "/api/v1/calls/CA01/notes", map[string]any{"user": "alice", "text": "Written."})
		s.Want(403, "POST", "/api/v1/alerts/"+alert+"/acknowledge", map[string]any{"user": "alice"})
	}
	b.get("/calls/CA01").is(200).has("Kept.")
	s.change(hosttest.File + "accounts: [{email: alice@example.com, role: viewer}, {email: boss@example.com, role: responder, user: alice}]\n")
	b.post("/calls/CA01/notes", url.Values{"text": {"Written."}}).is(200).has("The note was added.", "Delete the note")
}

func TestPlatformThatShowsItsAlertsItself(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t, func(p platform.Platform) platform.Platform { return foreignPlatform{p} })
	s := &site{h, t}
	h.Serve(s.handler(options{platform: foreignPlatform{h.Platform}, page: "https://alerts.example.com", file: fileOf(t, foreignFile)}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/oncall"}}).is(200).has("DevOps", "Bob Example").hasNot(`id="nav-alerts"`, "Until ")
	alert := s.call(b.create(), "CA01")
	if got := b.get("/").path; got != "/calls" {
		t.Fatalf(`b.get("/").path = %q, want %q`, got, "/calls")
	}
	b.get("/calls/CA01").is(200).has("https://alerts.example.com/" + alert)
	b.get("/alerts").is(404).has("shows its alerts itself at https://alerts.example.com")
	b.get("/oncall").is(200).has("The platform keeps teams and schedules", `href="https://alerts.example.com"`)
	b.get("/alerts/" + alert).is(404)
	b.post("/alerts/"+alert+"/resolve", url.Values{"user": {"alice"}}).is(404)
	b.get("/me").is(200).has("Your user id")
	b.post("/me", url.Values{"user": {"bob"}, "next": {"/calls"}}).is(200).has(`Acting as </span><span class="who-name">Bob Example`)
}

// brokenPlugin does not answer.
type brokenPlugin struct{ hosttest.Plugin }

// Describe implements integration.Integration.
func (brokenPlugin) Describe(context.Context, integration.DescribeRequest) (integration.Description, error) {
	return integration.Description{}, integration.ErrPluginGone
}

type severalPlugins struct{}

func (severalPlugins) Plugin(id string) (integration.Integration, bool) {
	if id == "broken" {
		return brokenPlugin{}, true
	}
	return hosttest.Plugin{}, id == hosttest.PluginID
}

func (severalPlugins) PluginIDs() []string { return []string{hosttest.PluginID, "broken"} }

func TestSeveralPlugins(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{plugins: severalPlugins{}})
	b := s.loggedIn("alice")
	b.get("/settings/integrations/new").is(200).has("Which plugin should answer the phone?", "Test line", "?plugin=broken", "?plugin="+hosttest.PluginID)
	b.get("/settings/integrations/new?plugin=" + hosttest.PluginID).is(200).has("Greeting")
	b.get("/settings/integrations/new?plugin=broken").is(503).has("Temporarily unavailable")
}

type noPlugins struct{}

func (noPlugins) Plugin(string) (integration.Integration, bool) { return nil, false }
func (noPlugins) PluginIDs() []string                           { return nil }

func TestNoPlugin(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{plugins: noPlugins{}})
	b := s.loggedIn("alice")
	b.get("/settings/integrations").is(200).has("No plugin is installed: put one").hasNot(`id="new-integration"`)
	b.get("/settings/integrations/new").is(409).has("No plugin is installed")
}

// awayPlatform is a platform on a machine that does not answer.
type awayPlatform struct{ foreignPlatform }

var errAway = platform.Away(integration.KindUnavailable, "the platform cannot be connected to: dial tcp: lookup canary-platform.internal: no such host")

func (awayPlatform) Teams(context.Context, platform.Scope) ([]integration.Destination, error) {
	return nil, errAway
}

func (awayPlatform) OnCall(context.Context, platform.Scope, string, int, time.Time) ([]integration.OnCallEntry, error) {
	return nil, errAway
}

// While the platform is away pages say so in a sentence, with what to do, and not where it is; the
// log says that.
func TestThePlatformIsAway(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	h.Serve(s.handler(options{platform: awayPlatform{foreignPlatform{h.Platform}}, file: fileOf(t, foreignFile)}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/oncall"}}).has("The platform cannot be used at the moment. Try again in a moment. If it stays away, the log of switchboard says why.").hasNot("canary-platform")
	if log := h.Log.String(); !strings.Contains(log, "canary-platform.internal") {
		t.Error("the log does not say what failed")
	}
}
