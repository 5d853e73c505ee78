package access

import (
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// auditLimit is how many lines one page shows. Older ones are reached by a cursor, which stays
// right while lines are added.
const auditLimit = 50

// auditBody is what the page of the audit shows.
type auditBody struct {
	Who, Action string // what the list is narrowed to
	Actions     []string
	Lines       []store.AuditLine
	Older       string // address of the next page; "": there is none
}

// actionWords are what the actions of the audit are called, in the order in which they are offered.
// An action that is missing here is still shown, by its own word, but cannot be chosen.
var actionWords = []struct{ action, words string }{
	{"login", "Logged in"}, {"logout", "Logged out"}, {"login.end", "Ended a login"},
	{"integration.create", "Created an integration"}, {"integration.change", "Changed an integration"}, {"integration.delete", "Deleted an integration"}, {"integration.action", "Ran an action"},
	{"recording.hear", "Heard a recording"}, {"recording.delete", "Deleted a recording"}, {"call.delete", "Deleted a call and its recordings"}, {"alert.delete", "Deleted an alert"}, {"caller.forget", "Forgot a number"}, {"note.add", "Wrote a note"}, {"note.delete", "Deleted a note"},
	{"shift.change", "Changed a shift"}, {"shift.remove", "Removed a changed shift"},
	{"token.create", "Created a token"}, {"token.revoke", "Revoked a token"}, {"user.test", "Sent a person a test"}, {"host.examine", "Examined a host"}, {"file.push", "Put a switchboard file into force"},
	{"plugin.switch", "Took a version of a plugin into use"}, {"plugin.remove", "Removed a plugin"},
}

// Words are what an action of the audit is called; the word for programs, where there is no other.
func Words(action string) string {
	for _, a := range actionWords {
		if a.action == action {
			return a.words
		}
	}
	return layout.PlainWord(action)
}

// ShowAudit shows who did what, the newest first. Looking at it is not audited itself.
func (a *Access) ShowAudit(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	body := auditBody{Who: q.Get("who"), Action: q.Get("action")}
	lines, next, err := a.people.ListAudit(r.Context(), store.AuditFilter{Who: body.Who, Action: body.Action, After: q.Get("cursor"), Limit: auditLimit})
	// A cursor or a filter that was edited in the address, not a defect of ours.
	if integration.KindOf(err) == integration.KindInvalid {
		return &layout.Refusal{Status: http.StatusBadRequest, Title: "Not possible", Message: httpkit.Message(err)}
	}
	if err != nil {
		return err
	}
	body.Lines = lines
	for _, one := range actionWords {
		body.Actions = append(body.Actions, one.action)
	}
	if next != "" {
		older := url.Values{"cursor": {next}}
		// The narrowing goes on with the next page; url.Values sorts, so the address does not
		// depend on the map's order.
		for name, value := range map[string]string{"who": body.Who, "action": body.Action} {
			if value != "" {
				older.Set(name, value)
			}
		}
		body.Older = "/settings/audit?" + older.Encode()
	}
	a.site.Show(w, r, http.StatusOK, layout.Page{Title: "Audit", Template: "audit", Nav: "audit", Body: body})
	return nil
}
