//go:build unix

package calls_test

import (
	"strings"
	"testing"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/cli"
)

// Logins are listed with whose they are, and ended by their ids.
func TestLoginsAreListedAndEnded(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const logins = `[
		{"id": "l1", "account": "alice@example.com", "how": "mail", "since": "2026-01-05T09:00:00Z", "last_used": "2026-01-05T10:00:00Z", "remote": "192.0.2.1", "agent": "Fire\u001bfox"},
		{"id": "l2", "account": "", "user": "bob", "alert": "A1", "how": "page", "since": "2026-01-05T08:00:00Z", "last_used": "2026-01-05T08:00:00Z"},
		{"id": "l3", "account": "", "how": "token", "since": "2026-01-05T07:00:00Z", "last_used": "2026-01-05T07:00:00Z"}]`
	r.prints(logins, "GET /api/v1/logins", `ID WHO BY SINCE LAST USED FROM BROWSER
l1 alice@example.com mail `+local(9, 0)+` `+local(10, 0)+` 192.0.2.1 Firefox
l2 bob (alert A1 alone) page `+local(8, 0)+` `+local(8, 0)+`
l3 - token `+local(7, 0)+` `+local(7, 0), "login", "list")
	r.prints(`[]`, "GET /api/v1/logins?account=a%2Bb%40example.com", "Nobody is logged in.", "login", "list", "--account", "a+b@example.com")
	r.prints(`[]`, "GET /api/v1/logins", "[]", "login", "list", "--json")
	r.prints(none, "DELETE /api/v1/logins/l%2F1", "l/1 has ended", "login", "end", "l/1")
	r.prints(none, "DELETE /api/v1/logins/l1", "{\n\"id\": \"l1\"\n}", "login", "end", "l1", "--json")
	r.refuses(`{"error": {"kind": "not_found", "message": "there is no such login"}}`, "there is no such login: switchboard login list shows all", "login", "end", "l1")
	r.refuses("", "<id> is empty: switchboard login list shows all", "login", "end", "")
}

// The audit is listed with its filters, which the API checks.
func TestTheAuditIsListed(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const lines = `[{"time": "2026-01-05T09:00:07Z", "who": "alice@example.com", "action": "note.add", "about": "CA1", "detail": "", "remote": "192.0.2.1"},
		{"time": "2026-01-05T09:00:00Z", "who": "token Wall\u0007", "action": "login", "about": "", "detail": "by mail", "remote": ""}]`
	want := `TIME WHO ACTION ABOUT DETAIL FROM
` + exact(9, 0, 7) + ` alice@example.com note.add CA1 - 192.0.2.1
` + exact(9, 0, 0) + ` token Wall login - by mail -`
	if notes := r.prints(lines, "GET /api/v1/audit?limit=50", want, "audit", "list"); notes != "" {
		t.Errorf("a list that was not cut off says %q", notes)
	}
	if notes := r.prints(lines, "GET /api/v1/audit?about=CA1&action=note.add&limit=2&who=the+API+token", want,
		"audit", "list", "--who", "the API token", "--action", "note.add", "--about", "CA1", "--limit", "2"); !strings.Contains(notes, "newest 2") {
		t.Errorf("a list that may be cut off says %q", notes)
	}
	r.prints(`[]`, "GET /api/v1/audit?limit=50", "The audit has no such line.", "audit", "list")
	r.prints(`[]`, "GET /api/v1/audit?limit=50", "[]", "audit", "list", "--json")
	r.refuses(`{"error": {"kind": "invalid", "message": "action \"x\" is unknown: use one of login, logout"}}`, `action "x" is unknown: use one of login, logout`, "audit", "list", "--action", "x")
}

// Notes of a call are added in somebody's name, listed with their ids, and deleted.
func TestNotesAreAddedListedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	const one = `{"id": "n1", "time": "2026-01-05T09:00:00Z", "user": "bob", "user_name": "Bob", "text": "Call +12025550191\nback"}`
	r.prints(one, `POST /api/v1/calls/CA%2F1/notes {"text":"Called back","user":"bob"}`, "n1: noted by Bob", "note", "add", "CA/1", "Called back", "--user", "bob")
	r.prints(`{"sid": "CA1", "notes": [`+one+`]}`, "GET /api/v1/calls/CA1", "ID TIME BY NOTE\nn1 "+local(9, 0)+" Bob Call +1 202-555-0191 back", "note", "list", "CA1")
	r.prints(`{"sid": "CA1", "notes": []}`, "GET /api/v1/calls/CA1", "[]", "note", "list", "CA1", "--json")
	r.prints(`{"sid": "CA1", "notes": []}`, "GET /api/v1/calls/CA1", "The call has no note.", "note", "list", "CA1")
	r.prints(none, "DELETE /api/v1/calls/CA1/notes/n1", "n1 is deleted", "note", "delete", "CA1", "n1")
	r.refuses(`{"error": {"kind": "not_found", "message": "there is no such note on this call"}}`, "there is no such note on this call: switchboard note list CA1 shows all", "note", "delete", "CA1", "n2")
	r.refuses("", "<call> is empty: switchboard call list shows all", "note", "list", "")
	r.refuses("", "missing flags: --user=ID: see switchboard note add --help", "note", "add", "CA1", "text")
}

// An alert is declined in the name of somebody who was paged.
func TestAnAlertIsDeclined(t *testing.T) {
	t.Parallel()
	r := newRunning(t)
	r.prints(`{"id": "A1", "status": "open", "title": "Call", "call": {"sid": "CA1", "from": ""}}`, `POST /api/v1/alerts/A1/reject {"user":"bob"}`,
		"A1: open, Call\ncaller withheld\ncall id CA1", "alert", "decline", "A1", "--user", "bob")
	r.refuses(`{"error": {"kind": "conflict", "message": "Bob is not being paged: there is nothing to decline"}}`, "Bob is not being paged", "alert", "decline", "A1", "--user", "bob")
}

// refuses runs a command that the host answers with an error, or that does not ask it where answer
// is "", and looks for the line that says why.
func (r *running) refuses(answer, want string, args ...string) {
	r.t.Helper()
	r.answer, r.asked = answer, ""
	var out, errs strings.Builder
	status := cli.Run(r.t.Context(), append(args, "--data-dir", r.dir), &out, &errs, cli.Binary{})
	if status != 1 || out.String() != "" || !strings.Contains(errs.String(), want) || strings.Count(errs.String(), "\n") != 1 {
		r.t.Errorf("%q: status %d, prints %q and %q, want 1 and a line with %q", args, status, out.String(), errs.String(), want)
	}
	if answer == "" && r.asked != "" {
		r.t.Errorf("%q asks for %s", args, r.asked)
	}
}
