package access

import (
	"net/http"
	"net/url"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
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

// Words are what an action of the audit is called; the word for programs, where there is no other.
func Words(action string) string {
	for _, a := range people.Actions {
		if a.Action == action {
			return a.Words
		}
	}
	return layout.PlainWord(action)
}

// ShowAudit shows who did what, the newest first. Looking at it is not audited itself.
func (a *Access) ShowAudit(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	body := auditBody{Who: q.Get("who"), Action: q.Get("action")}
	lines, next, err := a.people.ListAudit(r.Context(), store.AuditFilter{Who: body.Who, Action: body.Action, After: q.Get("cursor"), Limit: auditLimit})
	status, notices := http.StatusOK, []layout.Notice(nil)
	// A cursor or a filter that nobody knows, not a defect of ours.
	if integration.KindOf(err) == integration.KindInvalid {
		status, notices = http.StatusBadRequest, []layout.Notice{{Tone: "bad", Text: httpkit.Message(err)}}
	} else if err != nil {
		return err
	}
	body.Lines = lines
	for _, one := range people.Actions {
		body.Actions = append(body.Actions, one.Action)
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
	a.site.Show(w, r, status, layout.Page{Title: "Audit", Template: "audit", Nav: "audit", Notices: notices, Body: body})
	return nil
}
