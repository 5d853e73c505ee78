package pages_test

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// end lets a call end.
func (s *site) end(id, call string) {
	s.t.Helper()
	resp, err := s.Server.Client().PostForm(s.URL+"/integrations/"+id, url.Values{"Call": {call}, "From": {"+12025550191"}, "End": {"1"}})
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// field is the value of a hidden control.
func field(v view, name string) string {
	v.t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]+)"`).FindStringSubmatch(v.body)
	if m == nil {
		v.t.Fatalf("no control %s on %s:\n%s", name, v.path, v.body)
	}
	return m[1]
}

// A recording says who has heard it, on the call and on its alert, and so does the list of calls
// that nobody has.
func TestRecordingOfACallIsHeard(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	alice, looker := s.loggedIn("alice"), s.loggedIn("")
	id := alice.create()
	alert := s.call(id, "CA01")

	alice.get("/calls").is(200).has("Not heard yet")
	looker.get("/calls/CA01").is(200).has("Not heard yet", "<audio controls").hasNot("I have heard it")
	v := alice.get("/calls/CA01").is(200).has("I have heard it", `data-heard="heard-0"`)
	ref := url.Values{"ref": {field(v, "ref")}}
	alice.post("/calls/CA01/heard", ref).is(200).has("Marked as heard.", "Heard by Alice Example").hasNot("Not heard yet", "I have heard it")
	alice.post("/calls/CA01/heard", ref).is(200) // a second click
	alice.get("/calls").is(200).hasNot("Not heard yet")

	// The alert shows the same recording; who hears it there comes back there.
	bob := s.loggedIn("bob")
	v = bob.get("/alerts/"+alert).is(200).has("Heard by Alice Example", "I have heard it")
	v = bob.post("/calls/CA01/heard", url.Values{"ref": {field(v, "ref")}, "alert": {field(v, "alert")}}).is(200).has("Heard by Alice Example", "Bob Example")
	if v.path != "/alerts/"+alert {
		t.Errorf("after hearing it on the alert the browser is at %s", v.path)
	}
	looker.post("/calls/CA01/heard", ref).is(422).has("choose who you are")
	looker.post("/calls/CA01/heard", url.Values{"ref": ref["ref"], "user": {"mallory"}}).is(422).has("is not known")
	alice.post("/calls/CA01/heard", url.Values{"ref": {"media:0"}}).is(404)
}

func TestNotesOfACall(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	alice, looker := s.loggedIn("alice"), s.loggedIn("")
	s.call(alice.create(), "CA01")
	v := alice.post("/calls/CA01/notes", url.Values{"text": {"She calls <again> at nine."}}).is(200).has("The note was added.", "She calls &lt;again&gt; at nine.", "Alice Example")
	m := regexp.MustCompile(`/calls/CA01/notes/([^/"]+)/delete`).FindStringSubmatch(v.body)
	if m == nil {
		t.Fatalf("no way to delete the note:\n%s", v.body)
	}
	alice.post("/calls/CA01/notes", url.Values{"text": {" "}}).is(422).has("The note is empty")
	// What was written is not lost when something is wrong.
	looker.get("/calls/CA01").is(200).has(`<select id="note-user" name="user" required>`)
	looker.post("/calls/CA01/notes", url.Values{"text": {"By whom?"}}).is(422).has("choose who you are", "By whom?</textarea>")
	looker.post("/calls/CA01/notes", url.Values{"text": {"By Bob."}, "user": {"bob"}}).is(200).has("By Bob.", `Acting as </span><span class="who-name">Bob Example`)
	for range 2 { // twice: a second click, which deletes nothing
		alice.post(m[0], nil).is(200).has("The note was deleted.", "By Bob.").hasNot("She calls")
	}
	alice.post("/calls/nothing/notes", url.Values{"text": {"x"}}).is(404)
	// Who wrote and who deleted is in the audit, not what: it outlives what is deleted. What was
	// refused is not.
	if added, deleted := s.audited(t, "note.add"), s.audited(t, "note.delete"); len(added) != 2 || added[0].About != "CA01" || added[0].Detail != "" || len(deleted) != 1 {
		t.Errorf("the audit has %+v and %+v", added, deleted)
	}
	if v := alice.get("/calls/CA01/notes"); v.path != "/calls/CA01" {
		t.Errorf("the address of the form leads to %s", v.path)
	}
}

func TestDeletingACall(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	alert := s.call(id, "CA01")
	b.get("/calls/CA01").is(200).hasNot(`id="delete-call"`)
	b.post("/calls/CA01/delete", nil).is(409).has("Nothing was deleted", "The call is still in progress")
	s.end(id, "CA01")
	b.get("/calls/CA01").is(200).has(`id="delete-call"`)
	b.get("/calls/CA01/delete").is(200).has("Delete the call from +1 202-555-0191?", "cannot be recovered")
	b.post("/calls/CA01/delete", nil).is(200).has("The call was deleted.").hasNot("+1 202-555-0191")
	b.post("/calls/CA01/delete", nil).is(404)
	b.get("/calls/CA01").is(404)
	// Its alert is the platform's, and stays.
	b.get("/alerts/" + alert).is(200).has("This recording has been deleted.").hasNot("<audio")
}

// A recording is deleted after a question, and the call, its alert and whoever plays it then say
// so.
func TestDeletingARecording(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	alert := s.call(id, "CA01")
	v := b.get("/calls/CA01").is(200).hasNot(`id="delete-recording-0"`)
	ref := field(v, "ref")
	b.post("/recordings/"+ref+"/delete", nil).is(409).has("Nothing was deleted", "The call is still in progress")
	s.end(id, "CA01")
	b.get("/calls/CA01").is(200).has(`id="delete-recording-0"`)
	b.get("/recordings/"+ref+"/delete").is(200).has("Delete this recording?", "cannot be recovered")
	b.post("/recordings/"+ref+"/delete", nil).is(200).has("The recording was deleted.", "Deleted by").hasNot("<audio")
	b.post("/recordings/"+ref+"/delete", nil).is(200).has("Deleted by") // a second click
	b.get("/recordings/"+ref+"/delete").is(200).has("<h1>This recording is deleted</h1>", "It was deleted").hasNot(`id="delete"`)
	b.get("/api/v1/media/" + ref).is(410).has("the recording was deleted on")
	b.get("/alerts/"+alert).is(200).has("Deleted by", "A recording was deleted").hasNot("<audio")
	hosttest.Eventually(t, "the story says that it is deleted at the telephone service too", func() bool {
		return strings.Contains(b.get("/calls/CA01").is(200).body, "It was deleted at the telephone service.")
	})
	b.get("/recordings/media:unknown/delete").is(404).has("No such recording")
}

func TestListOfCallsIsSearchedAndPaged(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	id := b.create()
	for i := range 55 {
		key := fmt.Sprintf("CA%02d", i)
		view := &integration.CallView{ID: key, From: "+12025550100", To: "+12025550199", Ended: "hung_up", Team: "devops", TeamName: "DevOps", StartedAt: s.Clock.Now(), EndedAt: s.Clock.Now()}
		if i == 0 {
			view.From, view.Ended = "+12025550177", "message_left"
		}
		_, err := s.Store.Commit(t.Context(), store.Commit{Integration: id, Key: key, Now: s.Clock.Now(), Call: &store.CallUpdate{New: true, IntegrationName: "Hotline", View: view}})
		if err != nil {
			t.Fatal(err)
		}
	}
	v := b.get("/calls").is(200).has(`id="call-CA54"`, `id="call-CA05"`, `id="older"`, "No active calls.").hasNot(`id="call-CA04"`, "· Hotline")
	m := regexp.MustCompile(`href="(/calls\?[^"]+)" id="older"`).FindStringSubmatch(v.body)
	b.get(strings.ReplaceAll(m[1], "&amp;", "&")).is(200).has(`id="call-CA04"`, `id="call-CA00"`).hasNot(`id="call-CA05"`, `id="older"`, "No active calls.")
	for query, finds := range map[string]bool{
		"from=%2B1+202-555-0177": true, "from=%2B1+202-555-0178": false, "ended=message_left": true, "ended=connected": false, "team=devops&ended=message_left": true,
		"team=devops&from=%2B12025550199": false, "q=0177": true, "q=nobody": false, "until=2020-01-01": false, "unheard=true": false, "integration=" + id + "&from=%2B12025550177": true, "since=2999-01-01": false, "since=2020-01-01&ended=message_left": true,
	} {
		if v := b.get("/calls?" + query).is(200).has("Show all"); strings.Contains(v.body, `id="call-CA00"`) != finds {
			t.Errorf("%s: found %v, want %v", query, !finds, finds)
		}
	}
	b.get("/calls?since=yesterday").is(400).has("From must be a time such as", "yesterday").hasNot(`id="call-CA00"`)
	b.get("/calls?cursor=x").is(400).has("is not one that a list of calls returned")
	for query, says := range map[string]string{
		"team=support": "Team &#34;support&#34; is unknown: use one of devops.", "integration=gone": "Integration &#34;gone&#34; is unknown", "ended=foo": "Ended &#34;foo&#34; is unknown: use one of connected, ",
		"from=%2B1": "to find a part of a number",
	} {
		b.get("/calls?"+query).is(400).has(says, `id="form-search"`).hasNot(`id="call-CA00"`)
	}
	m = regexp.MustCompile(`href="(/api/v1/calls.csv\?[^"]+)" id="export"`).FindStringSubmatch(b.get("/calls?ended=message_left").body)
	if m == nil {
		t.Fatal("the page has no export of what it shows")
	}
	if rows := strings.Split(strings.TrimSpace(b.get(m[1]).body), "\r\n"); len(rows) != 2 || !strings.HasPrefix(rows[1], "CA00,Hotline,'+12025550177,") {
		t.Errorf("the export has %q", rows)
	}
}

// What is known of a call is the host's own: it is shown while the platform is down, after the
// integration was deleted, and on a platform that keeps nothing about its alerts.
func TestACallIsShownWithoutItsPlatformAndIntegration(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	var down atomic.Bool
	h.Serve(s.handler(options{platform: downPlatform{h.Platform, &down}}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}})
	id := b.create()
	s.call(id, "CA01")
	s.end(id, "CA01")
	down.Store(true)
	if err := h.Engine.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.get("/calls").is(200).has("+1 202-555-0191", "Not heard yet")
	b.get("/calls/CA01").is(200).has("The alert was routed to DevOps.", "<audio controls", "Hotline", "(deleted)", "Call back +1 202-555-0191")
}

// downPlatform answers nothing while it is down, and has no alerts to show.
type downPlatform struct {
	platform.Platform
	down *atomic.Bool
}

var errDown = integration.Errorf(integration.KindUnavailable, "down")

func (d downPlatform) Teams(ctx context.Context, scope platform.Scope) ([]integration.Destination, error) {
	if d.down.Load() {
		return nil, errDown
	}
	return d.Platform.Teams(ctx, scope)
}

func (d downPlatform) User(ctx context.Context, scope platform.Scope, id string) (integration.User, error) {
	if d.down.Load() {
		return integration.User{}, errDown
	}
	return d.Platform.User(ctx, scope, id)
}

func (d downPlatform) Alert(ctx context.Context, scope platform.Scope, key string) (integration.AlertSnapshot, error) {
	if d.down.Load() {
		return integration.AlertSnapshot{}, errDown
	}
	return d.Platform.Alert(ctx, scope, key)
}
