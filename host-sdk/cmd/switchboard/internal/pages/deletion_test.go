package pages_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/hosttest"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// An alert is deleted after a question that says what goes and what stays, and not before it is
// over.
func TestDeletingAnAlert(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	id := s.loggedIn("alice").create()
	alert := s.call(id, "CA01")
	b := s.as(sent, "alice@example.com")
	b.get("/alerts/" + alert).is(200).hasNot(`id="delete-alert"`)
	b.post("/alerts/"+alert+"/delete", nil).is(409).has("Nothing was deleted", "call is still in progress")
	s.end(id, "CA01")
	b.post("/alerts/"+alert+"/delete", nil).is(409).has("The alert is open: resolve it first")
	b.post("/alerts/"+alert+"/resolve", nil).is(200).has(`id="delete-alert"`)
	s.as(sent, "Bob@example.com").get("/alerts/" + alert).is(200).hasNot(`id="delete-alert"`)
	b.get("/alerts/"+alert+"/delete").is(200).has("Delete the alert", "cannot be recovered", "The record of its call stays", `href="/calls/CA01"`)
	b.post("/alerts/"+alert+"/delete", nil).is(200).has("The alert was deleted.").hasNot(alert)
	b.post("/alerts/"+alert+"/delete", nil).is(404).has("it has been deleted")
	b.get("/alerts/" + alert).is(404)
	b.get("/calls/CA01").is(200).has("+1 202-555-0191")
	b.get("/settings/audit?action=alert.delete").is(200).has("<strong>Deleted an alert", alert)
}

// A number is forgotten after a page that says what would go. The page afterwards says what went.
func TestForgettingANumber(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	id := s.loggedIn("alice").create()
	alert := s.call(id, "CA01")
	b := s.as(sent, "alice@example.com")
	number := url.Values{"number": {" +1 202-555-0191 "}}
	sure := url.Values{"number": {"+12025550191"}, "sure": {"yes"}}

	b.get("/settings/audit").is(200).has(`id="to-deletion"`, `id="nav-deletion"`)
	b.post("/settings/deletion/forget", url.Values{"number": {"555-0191"}}).is(422).has("555-0191", `id="number-error"`)
	b.post("/settings/deletion/forget", number).is(200).has("in progress", "nothing was forgotten").hasNot(`id="forget"`)
	b.post("/settings/deletion/forget", sure).is(409).has("Nothing was forgotten", "in progress")
	s.end(id, "CA01")
	b.post("/alerts/"+alert+"/resolve", nil).is(200)

	b.post("/settings/deletion/forget", number).is(200).has("Forget +1 202-555-0191?", "1 call from this number", "1 alert of these calls", `href="/calls/CA01"`, `id="forget"`)
	b.get("/calls/CA01").is(200)
	if lines := s.audited(t, "caller.forget"); len(lines) != 0 {
		t.Errorf("asking is in the audit: %+v", lines)
	}
	b.post("/settings/deletion/forget", sure).is(200).has("The number is forgotten", "<dt>Calls</dt><dd>1</dd>", "<dt>Recordings</dt><dd>1</dd>", "<dt>Alerts</dt><dd>1</dd>", "The telephone service keeps nothing", "Backups").hasNot("0191")
	b.get("/calls/CA01").is(404)
	b.get("/alerts/" + alert).is(404)
	lines := s.audited(t, "caller.forget")
	if len(lines) != 1 || lines[0].Who != "alice@example.com" || lines[0].Detail != "1 call" || lines[0].About != "" {
		t.Errorf("the audit has %+v", lines)
	}
	b.post("/settings/deletion/forget", number).is(200).has("no call: none from this number is kept")
	b.post("/settings/deletion/forget", sure).is(200).has("Nothing was known of this number.")
}

// audited lists the lines of the audit about an action.
func (s *site) audited(t *testing.T, action string) []store.AuditLine {
	t.Helper()
	lines, _, err := s.Store.(store.People).ListAudit(t.Context(), store.AuditFilter{Action: action})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// What cannot be deleted at the telephone service is listed with the reason and what to do.
func TestWhatIsNotDeletedYetIsListed(t *testing.T) {
	t.Parallel()
	s := newSite(t, options{})
	b := s.loggedIn("alice")
	b.get("/settings/deletion").is(200).has("Nothing: what was deleted here is deleted there too.")
	id := b.create()
	s.call(id, hosttest.KeptCall)
	s.end(id, hosttest.KeptCall)
	b.post("/calls/"+hosttest.KeptCall+"/delete", nil).is(200)
	hosttest.Eventually(t, "the page says why it is not deleted", func() bool {
		return strings.Contains(b.get("/settings/deletion").is(200).body, "the service keeps this call")
	})
	b.get("/settings/deletion").is(200).has(`id="waiting"`, hosttest.KeptCall, "Hotline", "somebody deleted it", "not tried again: delete it at the telephone service").hasNot("it was not tried yet")
}

func TestAnAlertOfAnotherPlatformIsNotDeletedHere(t *testing.T) {
	t.Parallel()
	h := hosttest.New(t)
	s := &site{h, t}
	h.Serve(s.handler(options{platform: foreignPlatform{h.Platform}}))
	b := s.browser()
	b.post("/login", url.Values{"token": {hosttest.Token}, "next": {"/calls"}})
	b.get("/alerts/1/delete").is(404).has("delete them there")
	b.post("/alerts/1/delete", nil).is(404).has("delete them there")
}

// Of several who delete one thing at the same time, the one who did is in the audit. The others are
// shown that it is gone.
func TestOneOfSeveralWhoDeleteIsInTheAudit(t *testing.T) {
	t.Parallel()
	s, sent := peopled(t, options{})
	id := s.loggedIn("alice").create()
	alert := s.call(id, "CA01")
	s.end(id, "CA01")
	b := s.as(sent, "alice@example.com")
	b.post("/alerts/"+alert+"/resolve", nil).is(200)
	rec, err := s.Platform.GetAlert(t.Context(), alert)
	if err != nil {
		t.Fatal(err)
	}
	note, err := s.Store.AddNote(t.Context(), id, "CA01", store.Note{By: "alice", Text: "A note", At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	kept := s.Store.(store.People)
	token := store.Token{ID: "tok_1", Hash: "h", Name: "Wall", Role: "viewer", MadeAt: time.Now()}
	if err := kept.AddToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	login := store.Login{ID: "other", How: store.LoginByMail, Email: "vera@example.com", Since: time.Now(), Ends: time.Now().Add(time.Hour)}
	if err := kept.BeginLogin(t.Context(), login); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct{ path, action string }{
		{"/calls/CA01/notes/" + note.ID + "/delete", "note.delete"},
		{"/recordings/" + strings.TrimPrefix(rec.Attachments[0].Media.Ref, "media:") + "/delete", "recording.delete"},
		{"/calls/CA01/delete", "call.delete"},
		{"/alerts/" + alert + "/delete", "alert.delete"},
		{"/settings/people/tokens/tok_1/revoke", "token.revoke"},
		{"/settings/people/logins/other/end", "login.end"},
		{"/settings/integrations/" + id + "/delete", "integration.delete"},
	} {
		var clicks sync.WaitGroup
		for range 3 {
			clicks.Go(func() { b.post(one.path, nil) })
		}
		clicks.Wait()
		if lines := s.audited(t, one.action); len(lines) != 1 {
			t.Errorf("%s: %d lines in the audit, want one: %+v", one.path, len(lines), lines)
		}
	}
}
