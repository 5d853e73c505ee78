package live

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/httpkit"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/lists"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/wording"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/oneline"
)

// alertRow is an alert in a list. Everything in it is ready to be shown: templates decide nothing.
type alertRow struct {
	lists.Alert
	Teams      string
	Who        string // who has it, or who is being paged
	Caller     lists.Caller
	Waited     string // how long the caller has waited for a person, in words; "": not known
	Recordings recordings
}

// alertGroup is a part of the list under one heading. Its id is what the page's script knows it by
// when it exchanges live parts.
type alertGroup struct {
	ID, Title string
	Rows      []alertRow
	More      []filter // lists that go on where this one ends
}

// alertsBody is what the list of alerts shows. The list has either one group, of what was asked
// for, or one for each kind of work that is left.
type alertsBody struct {
	Search  search
	Filters []filter
	Groups  []alertGroup
	Quiet   bool   // there is no alert at all
	Nothing bool   // nor an integration that could bring one
	Older   string // address of the next page; "": there is none
	List    string // the query of this page, to come back to
	Summary string // read out by screen readers when it changes
}

// filter is a link that narrows the list.
type filter struct {
	Label, Address string
	Current        bool
}

// oldLimit is how many resolved alerts there are below the others.
const oldLimit = 20

// ListAlerts shows the alerts: all by what is to be done with them, or those that are asked for. A
// query that cannot be read is shown with a notice and no list, with status 400.
func (l *Live) ListAlerts(w http.ResponseWriter, r *http.Request) error {
	if l.browser == nil {
		return &layout.Refusal{Status: http.StatusNotFound, Title: "Alerts are shown elsewhere", Message: "The platform behind this switchboard shows its alerts itself" + at(l.site.PlatformPage) + ". Open a call to find the link to its alert."}
	}
	search, err := l.search(r, "/alerts")
	if err != nil {
		return err
	}
	body := alertsBody{Search: search, List: r.URL.RawQuery}
	body.Filters = append(body.Filters, filter{"All", "/alerts" + search.query("status", ""), search.Status == ""})
	for _, s := range lists.Statuses {
		body.Filters = append(body.Filters, filter{alertBadge(s).Text, "/alerts" + search.query("status", string(s)), search.Status == s})
	}
	status, notices := search.problem()
	if r.URL.Query().Get("deleted") != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: "The alert was deleted."})
	}
	// Not after a problem with the query: a list of something else would be taken for the answer.
	if status == http.StatusOK {
		if search.Narrowed() || search.Cursor != "" {
			err = l.findAlerts(r, &body)
		} else {
			err = l.groupAlerts(r, &body)
		}
		// A cursor of another list, or a team that nobody knows.
		if integration.KindOf(err) == integration.KindInvalid {
			status, notices = http.StatusBadRequest, []layout.Notice{{Tone: "bad", Text: httpkit.Message(err)}}
		} else if err != nil {
			return err
		}
	}
	l.site.Show(w, r, status, layout.Page{Title: "Alerts", Template: "alerts", Nav: "alerts", Live: true, Still: search.Cursor != "", Notices: notices, Body: body})
	return nil
}

// findAlerts reads one page of the alerts that are asked for. More than one page is reached by
// Older.
func (l *Live) findAlerts(r *http.Request, body *alertsBody) error {
	alerts, next, err := l.lists().Alerts(r.Context(), body.Search.Query)
	if err != nil {
		return err
	}
	group := alertGroup{ID: "found", Title: "Found", Rows: l.alertRows(r, alerts)}
	if s := body.Search.Status; s != "" {
		group.ID, group.Title = string(s), alertBadge(s).Text
	}
	body.Groups, body.Older = []alertGroup{group}, body.Search.older(next)
	body.Summary = wording.Count(len(group.Rows), "alert", "alerts")
	return nil
}

// groupAlerts reads all statuses one by one, each with its limit: many resolved alerts must not
// push an open one out of the list.
func (l *Live) groupAlerts(r *http.Request, body *alertsBody) error {
	waiting, taken, over := alertGroup{ID: "waiting", Title: "Not acknowledged yet"}, alertGroup{ID: "taken", Title: "Acknowledged"}, alertGroup{ID: "over", Title: "Resolved"}
	for _, s := range lists.Statuses {
		limit, group := pageRows, &waiting
		switch s {
		case integration.AlertAcknowledged:
			group = &taken
		case integration.AlertResolved:
			limit, group = oldLimit, &over
		// They share the first group: somebody must do something about each of them.
		case integration.AlertQueued, integration.AlertOpen, integration.AlertDropped, integration.AlertDeleted:
		}
		alerts, next, err := l.lists().Alerts(r.Context(), lists.Query{Status: s, Limit: limit})
		if err != nil {
			return err
		}
		group.Rows = append(group.Rows, l.alertRows(r, alerts)...)
		if next != "" {
			group.More = append(group.More, filter{Label: "All " + strings.ToLower(alertBadge(s).Text) + " alerts", Address: "/alerts?status=" + string(s)})
		}
	}
	// A heading without alerts below it would only take room.
	for _, g := range []alertGroup{waiting, taken, over} {
		if len(g.Rows) > 0 {
			body.Groups = append(body.Groups, g)
		}
	}
	body.Quiet = len(body.Groups) == 0
	body.Nothing = body.Quiet && len(body.Search.Integrations) == 0
	body.Summary = fmt.Sprintf("%d waiting, %d acknowledged", len(waiting.Rows), len(taken.Rows))
	return nil
}

// alertRows says in words what is known of alerts. The person whose browser it is matters to
// recordings: their own hearing is marked.
func (l *Live) alertRows(r *http.Request, alerts []lists.Alert) []alertRow {
	n, me, now := l.site.Names(r), l.onRecord(r), l.site.Clock.Now()
	list := make([]alertRow, len(alerts))
	for i, a := range alerts {
		row := alertRow{Alert: a, Teams: strings.Join(n.Teams(a.Teams), ", "), Who: whoHas(n, a.AlertRecord), Caller: lists.CallerOf(a.AlertRecord, a.Call)}
		if waited, known := lists.Waited(a.Call, now); known {
			// The tense tells whether the caller is still there.
			row.Waited = "waited " + oneline.Lasting(waited)
			if lists.Present(*a.Call) && !lists.Spoke(a.Call.View) {
				row.Waited = "waiting for " + oneline.Lasting(waited)
			}
		}
		if a.Call != nil {
			row.Recordings = newRecordings(*a.Call, n, me, people.From(r.Context()))
		}
		list[i] = row
	}
	return list
}
