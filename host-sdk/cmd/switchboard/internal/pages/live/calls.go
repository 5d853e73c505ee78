package live

import (
	"fmt"
	"net/http"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// callsBody is what the list of calls shows.
type callsBody struct {
	Live, Over []callRow
	Summary    string
}

// ListCalls shows the calls in progress and those that have ended, the newest first.
func (l *Live) ListCalls(w http.ResponseWriter, r *http.Request) error {
	var body callsBody
	// Two lists, as the limit counts sessions: calls that ended must not push one in progress out.
	live, err := l.store.ListSessions(r.Context(), store.SessionFilter{CallsOnly: true, LiveOnly: true, Limit: listLimit})
	if err != nil {
		return err
	}
	all, err := l.store.ListSessions(r.Context(), store.SessionFilter{CallsOnly: true, Limit: listLimit})
	if err != nil {
		return err
	}
	for _, s := range live {
		if s.Call != nil {
			body.Live = append(body.Live, newCallRow(s))
		}
	}
	for _, s := range all {
		if s.Call != nil && !s.Live {
			body.Over = append(body.Over, newCallRow(s))
		}
	}
	body.Summary = fmt.Sprintf("%d active calls", len(body.Live))
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "Calls", Template: "calls", Nav: "calls", Live: true, Body: body})
	return nil
}

// callBody is what the page of a call shows.
type callBody struct {
	callRow
	Integration   string
	IntegrationID string
	Story         []storyLine
	Summary       string
}

// ShowCall shows one call with its legs and the log of its alert.
func (l *Live) ShowCall(w http.ResponseWriter, r *http.Request) error {
	sessions, err := l.store.SessionsByKey(r.Context(), r.PathValue("sid"))
	if err != nil {
		return err
	}
	for _, s := range sessions {
		if s.Call == nil {
			continue
		}
		body := callBody{callRow: newCallRow(s)}
		if in, err := l.store.Integration(r.Context(), s.Integration); err == nil {
			body.Integration, body.IntegrationID = in.Name, in.ID
		}
		if err := l.addAlert(r, s, &body); err != nil {
			return err
		}
		body.Summary = callBadge(body.CallView).Text
		l.site.Show(w, r, http.StatusOK, layout.Page{Title: "Call from " + layout.Phone(s.Call.From), Template: "call", Nav: "calls", Live: true, Body: body})
		return nil
	}
	return &layout.Refusal{Status: http.StatusNotFound, Title: "No such call", Message: "There is no call with this id, or it is older than the call history."}
}

// addAlert adds the log of the call's alert. A call may have no alert.
func (l *Live) addAlert(r *http.Request, s store.Session, body *callBody) error {
	if s.AlertKey == "" {
		return nil
	}
	snapshot, err := l.site.Platform.Alert(r.Context(), l.site.Scope(s.Integration), s.AlertKey)
	switch integration.KindOf(err) {
	case "":
	case integration.KindNotFound:
		return nil // it is still on its way, or it was deleted
	default:
		return err
	}
	body.AlertPage = layout.WebAddress(snapshot.URL)
	if l.browser == nil {
		return nil
	}
	rec, err := l.browser.GetAlert(r.Context(), snapshot.ID)
	if err != nil {
		return err
	}
	body.AlertID = rec.ID
	n := l.site.Names(r)
	for _, l := range rec.Log {
		body.Story = append(body.Story, storyLine{l, n.User(l.Actor)})
	}
	return nil
}

// callRow is a call on a page.
type callRow struct {
	integration.CallView
	Live      bool
	AlertID   string // page of its alert here; "" if there is none
	AlertPage string // page of its alert at the platform; "" if there is none
}

// newCallRow is the row of a session that has a call.
func newCallRow(s store.Session) callRow { return callRow{CallView: *s.Call, Live: s.Live} }
