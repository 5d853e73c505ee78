package live

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/names"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/pages/layout"
	"github.com/livecallrouting/livecall/host-sdk/cmd/switchboard/internal/people"
	"github.com/livecallrouting/livecall/host-sdk/integration"
	"github.com/livecallrouting/livecall/host-sdk/platform"
	"github.com/livecallrouting/livecall/host-sdk/store"
)

// alertRow is an alert in a list.
type alertRow struct {
	platform.AlertRecord
	Teams string
	Who   string // who has it, or who is being paged
}

// alertGroup is a part of the list under one heading.
type alertGroup struct {
	ID, Title string
	Rows      []alertRow
	More      string // address of the whole list; "": these are all
}

// alertsBody is what the list of alerts shows.
type alertsBody struct {
	Status  integration.AlertStatus // "" = all
	Filters []filter
	Groups  []alertGroup
	Summary string // read out by screen readers when it changes
}

// filter is a link that narrows the list.
type filter struct {
	Label, Address string
	Current        bool
}

// Lengths of the lists. Beyond them a person filters.
const (
	listLimit = 200 // of one status
	oldLimit  = 20  // resolved ones below the others
)

// listedStatuses are the statuses in the list, the most urgent first.
var listedStatuses = []integration.AlertStatus{
	integration.AlertOpen, integration.AlertDropped, integration.AlertQueued, integration.AlertAcknowledged, integration.AlertResolved,
}

// ListAlerts shows the alerts: all by what is to be done with them, or those of one status.
func (l *Live) ListAlerts(w http.ResponseWriter, r *http.Request) error {
	if l.browser == nil {
		return &layout.Refusal{Status: http.StatusNotFound, Title: "Alerts are shown elsewhere", Message: "The platform behind this switchboard shows its alerts itself" + at(l.site.PlatformPage) + ". Open a call to find the link to its alert."}
	}
	body := alertsBody{Status: integration.AlertStatus(r.URL.Query().Get("status"))}
	if body.Status != "" && !slices.Contains(listedStatuses, body.Status) {
		body.Status = ""
	}
	body.Filters = append(body.Filters, filter{"All", "/alerts", body.Status == ""})
	for _, s := range listedStatuses {
		body.Filters = append(body.Filters, filter{alertBadge(s).Text, "/alerts?status=" + string(s), body.Status == s})
	}
	// The statuses are read one by one, each with its limit: many resolved alerts must not push an
	// open one out of the list.
	n := l.site.Names(r)
	read := func(status integration.AlertStatus, limit int) ([]alertRow, error) {
		records, _, err := l.browser.ListAlerts(r.Context(), platform.AlertFilter{Status: status, Limit: limit})
		rows := make([]alertRow, 0, len(records))
		for _, rec := range records {
			rows = append(rows, alertRow{rec, strings.Join(n.Teams(rec.Teams), ", "), whoHas(n, rec)})
		}
		return rows, err
	}
	if body.Status != "" {
		rows, err := read(body.Status, listLimit)
		if err != nil {
			return err
		}
		body.Groups = []alertGroup{{ID: string(body.Status), Title: alertBadge(body.Status).Text, Rows: rows}}
		body.Summary = fmt.Sprintf("%d %s", len(rows), body.Status)
	} else {
		waiting, taken, over := alertGroup{ID: "waiting", Title: "Not acknowledged yet"}, alertGroup{ID: "taken", Title: "Acknowledged"}, alertGroup{ID: "over", Title: "Resolved"}
		for _, s := range listedStatuses {
			limit, group := listLimit, &waiting
			switch s {
			case integration.AlertAcknowledged:
				group = &taken
			case integration.AlertResolved:
				limit, group = oldLimit+1, &over
			case integration.AlertQueued, integration.AlertOpen, integration.AlertDropped, integration.AlertDeleted:
			}
			rows, err := read(s, limit)
			if err != nil {
				return err
			}
			group.Rows = append(group.Rows, rows...)
		}
		if len(over.Rows) > oldLimit {
			over.Rows, over.More = over.Rows[:oldLimit], "/alerts?status=resolved"
		}
		for _, g := range []alertGroup{waiting, taken, over} {
			if len(g.Rows) > 0 {
				body.Groups = append(body.Groups, g)
			}
		}
		body.Summary = fmt.Sprintf("%d waiting, %d acknowledged", len(waiting.Rows), len(taken.Rows))
	}
	l.site.Show(w, r, http.StatusOK, layout.Page{Title: "Alerts", Template: "alerts", Nav: "alerts", Live: true, Body: body})
	return nil
}

// at is where people find the platform, for a sentence.
func at(page string) string {
	if page == "" {
		return ""
	}
	return " at " + page
}

// whoHas says who took an alert, or who is asked to.
func whoHas(n *names.Lookup, rec platform.AlertRecord) string {
	switch rec.Status {
	case integration.AlertAcknowledged:
		var who []string
		for _, k := range rec.Acknowledgements {
			if k.User == "" {
				who = append(who, "an automation")
			} else {
				who = append(who, n.User(k.User))
			}
		}
		return strings.Join(who, ", ")
	case integration.AlertOpen:
		if len(rec.Paged) > 0 {
			return "paging " + strings.Join(n.Users(rec.Paged), ", ")
		}
		return "nobody is being paged"
	case integration.AlertDropped:
		return "nobody acknowledged it"
	case integration.AlertQueued:
		return "the caller has not chosen a team yet"
	case integration.AlertResolved, integration.AlertDeleted:
	}
	return ""
}

// storyLine is a line of an alert's log with the name of the person.
type storyLine struct {
	platform.LogEntry
	Who string
}

// By is who did it, unless the line says so itself.
func (l storyLine) By() string {
	if strings.Contains(l.Message, l.Who) {
		return ""
	}
	return l.Who
}

// alertBody is what the page of an alert shows.
type alertBody struct {
	alertRow
	Call          *store.Call     // nil: none is known
	Recordings    recordings      // of the call; none: the alert shows its attachments
	Deleted       map[string]bool // references of attachments that are gone, as with the record of their call
	Story         []storyLine
	Transcript    []integration.AlertField
	Facts         []integration.AlertField // the other fields
	Integration   string                   // its name
	IntegrationID string
	Can           map[string]bool
	Summary       string
}

// ShowAlert shows one alert.
func (l *Live) ShowAlert(w http.ResponseWriter, r *http.Request) error {
	var notices []layout.Notice
	if text := doneNotices[platform.AlertAction(r.URL.Query().Get("done"))]; text != "" {
		notices = append(notices, layout.Notice{Tone: "ok", Text: text})
	}
	return l.drawAlert(w, r, http.StatusOK, l.site.Me(r).ID, notices)
}

// drawAlert shows an alert to the person me, below the notices: after an action that was refused
// the page shows what the alert has become.
func (l *Live) drawAlert(w http.ResponseWriter, r *http.Request, status int, me string, notices []layout.Notice) error {
	if l.browser == nil {
		return layout.NothingHere(w, r)
	}
	rec, err := l.browser.GetAlert(r.Context(), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		return &layout.Refusal{Status: http.StatusNotFound, Title: "No such alert", Message: "There is no alert with this id, or it was deleted."}
	}
	if err != nil {
		return err
	}
	n := l.site.Names(r)
	body := alertBody{alertRow: alertRow{rec, strings.Join(n.Teams(rec.Teams), ", "), whoHas(n, rec)}}
	for _, l := range rec.Log {
		body.Story = append(body.Story, storyLine{l, n.User(l.Actor)})
	}
	// A transcript is shown below the recording it belongs to, which people play first.
	body.Facts = rec.Fields
	if len(rec.Attachments) > 0 {
		body.Transcript, body.Facts = transcripts(rec.Fields)
	}
	// The integration and the call add to the page; an alert outlives both.
	if in, err := l.store.Integration(r.Context(), rec.Integration); err == nil {
		body.Integration, body.IntegrationID = in.Name, in.ID
	}
	if c, err := l.store.CallByAlert(r.Context(), rec.Integration, rec.Key); err == nil {
		body.Call, body.Recordings = &c, newRecordings(c, n, me, people.From(r.Context()))
		body.Recordings.Alert, body.Recordings.Transcript = rec.ID, body.Transcript
	}
	if len(body.Recordings.List) == 0 {
		body.Deleted = l.deleted(r, rec.Attachments)
	}
	body.Can = possible(rec, me, people.From(r.Context()))
	body.Summary = alertBadge(rec.Status).Text + " " + body.Who
	l.site.Show(w, r, status, layout.Page{Title: rec.Title, Template: "alert", Nav: "alerts", Live: true, Notices: notices, Body: body})
	return nil
}

// deleted finds the attachments whose media are no longer stored.
func (l *Live) deleted(r *http.Request, attachments []platform.Attachment) map[string]bool {
	gone := map[string]bool{}
	for _, a := range attachments {
		_, err := l.store.MediumInfo(r.Context(), a.Media.Ref)
		gone[a.Media.Ref] = integration.KindOf(err) == integration.KindNotFound
	}
	return gone
}
