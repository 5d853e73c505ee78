package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

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

type alertGroup struct {
	ID, Title string
	Rows      []alertRow
	More      string // address of the whole list; "": these are all
}

type alertsBody struct {
	Status  integration.AlertStatus // "" = all
	Filters []filter
	Groups  []alertGroup
	Summary string // told to screen readers when it changes
}

type filter struct {
	Label, Address string
	Current        bool
}

const (
	listLimit = 200 // of one status
	oldLimit  = 20  // resolved ones below the others
)

var listedStatuses = []integration.AlertStatus{
	integration.AlertOpen, integration.AlertDropped, integration.AlertQueued, integration.AlertAcknowledged, integration.AlertResolved,
}

func (p *Pages) listAlerts(w http.ResponseWriter, r *http.Request) error {
	if p.browser == nil {
		return &refusal{http.StatusNotFound, "Alerts are shown elsewhere", "The platform behind this switchboard shows its alerts itself. Open a call to find the link to its alert."}
	}
	body := alertsBody{Status: integration.AlertStatus(r.URL.Query().Get("status"))}
	if body.Status != "" && !slices.Contains(listedStatuses, body.Status) {
		body.Status = ""
	}
	body.Filters = append(body.Filters, filter{"All", "/alerts", body.Status == ""})
	for _, s := range listedStatuses {
		body.Filters = append(body.Filters, filter{alertBadge(s).Text, "/alerts?status=" + string(s), body.Status == s})
	}
	n := p.newNames(r.Context())
	read := func(status integration.AlertStatus, limit int) ([]alertRow, error) {
		records, err := p.browser.ListAlerts(r.Context(), platform.AlertFilter{Status: status, Limit: limit})
		rows := make([]alertRow, 0, len(records))
		for _, rec := range records {
			rows = append(rows, alertRow{rec, strings.Join(n.teamList(rec.Teams), ", "), whoHas(n, rec)})
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
	p.show(w, r, http.StatusOK, page{Title: "Alerts", Template: "alerts", Nav: "alerts", Live: true, Body: body})
	return nil
}

// whoHas says who took an alert, or who is asked to.
func whoHas(n *names, rec platform.AlertRecord) string {
	switch rec.Status {
	case integration.AlertAcknowledged:
		var who []string
		for _, k := range rec.Acknowledgements {
			if k.User == "" {
				who = append(who, "an automation")
			} else {
				who = append(who, n.user(k.User))
			}
		}
		return strings.Join(who, ", ")
	case integration.AlertOpen:
		if len(rec.Paged) > 0 {
			return "paging " + strings.Join(n.userList(rec.Paged), ", ")
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

type alertBody struct {
	alertRow
	Call          *callRow // nil: none is known
	Story         []storyLine
	Transcript    []integration.AlertField
	Facts         []integration.AlertField // the other fields
	Integration   string                   // its name
	IntegrationID string
	Can           map[string]bool
	Summary       string
}

// Deeds as they are told afterwards.
var doneNotices = map[platform.AlertAction]string{
	platform.ActAcknowledge: "You acknowledged this alert.",
	platform.ActReject:      "You declined. The other people on call are still being paged.",
	platform.ActEscalate:    "Escalated to the next layer.",
	platform.ActResolve:     "Resolved.",
}

func (p *Pages) showAlert(w http.ResponseWriter, r *http.Request) error {
	var notices []notice
	if text := doneNotices[platform.AlertAction(r.URL.Query().Get("done"))]; text != "" {
		notices = append(notices, notice{"ok", text})
	}
	return p.drawAlert(w, r, http.StatusOK, p.me(r).ID, notices)
}

func (p *Pages) drawAlert(w http.ResponseWriter, r *http.Request, status int, me string, notices []notice) error {
	if p.browser == nil {
		return p.nothingHere(w, r)
	}
	rec, err := p.browser.GetAlert(r.Context(), r.PathValue("id"))
	if integration.KindOf(err) == integration.KindNotFound {
		return &refusal{http.StatusNotFound, "No such alert", "There is no alert with this id, or it was deleted."}
	}
	if err != nil {
		return err
	}
	n := p.newNames(r.Context())
	body := alertBody{alertRow: alertRow{rec, strings.Join(n.teamList(rec.Teams), ", "), whoHas(n, rec)}}
	for _, l := range rec.Log {
		body.Story = append(body.Story, storyLine{l, n.user(l.Actor)})
	}
	for _, f := range rec.Fields {
		if len(rec.Attachments) > 0 && strings.Contains(strings.ToLower(f.Label), "transcript") {
			body.Transcript = append(body.Transcript, f)
		} else {
			body.Facts = append(body.Facts, f)
		}
	}
	if in, err := p.cfg.Store.Integration(r.Context(), rec.Integration); err == nil {
		body.Integration, body.IntegrationID = in.Name, in.ID
	}
	if s, err := p.cfg.Store.SessionByAlert(r.Context(), rec.Integration, rec.Key); err == nil && s.Call != nil {
		body.Call = &callRow{CallView: *s.Call, Live: s.Live}
	}
	body.Can = possible(rec, me)
	body.Summary = alertBadge(rec.Status).Text + " " + body.Who
	p.show(w, r, status, page{Title: rec.Title, Template: "alert", Nav: "alerts", Live: true, Notices: notices, Body: body})
	return nil
}

// possible says what can be done with an alert by a person (of whom "" is any).
func possible(rec platform.AlertRecord, me string) map[string]bool {
	open := rec.Status == integration.AlertOpen
	return map[string]bool{
		string(platform.ActAcknowledge): open || rec.Status == integration.AlertQueued || rec.Status == integration.AlertDropped,
		string(platform.ActReject):      open && len(rec.Paged) > 0 && (me == "" || slices.Contains(rec.Paged, me)),
		string(platform.ActEscalate):    open,
		string(platform.ActResolve):     rec.Status != integration.AlertResolved && rec.Status != integration.AlertDeleted,
	}
}

func (p *Pages) actOnAlert(w http.ResponseWriter, r *http.Request) error {
	if p.browser == nil {
		return p.nothingHere(w, r)
	}
	action := platform.AlertAction(r.PathValue("action"))
	if doneNotices[action] == "" {
		return p.nothingHere(w, r)
	}
	if err := readSmallForm(w, r); err != nil {
		return err
	}
	user := r.PostFormValue("user")
	if user == "" {
		user = p.me(r).ID
	}
	if user == "" {
		return p.drawAlert(w, r, http.StatusUnprocessableEntity, "", []notice{{"bad", "Nothing was changed: choose who you are and press the button again."}})
	}
	_, err := p.browser.Act(r.Context(), r.PathValue("id"), action, user)
	switch {
	case err == nil:
		if p.me(r).ID == "" {
			p.remember(w, user)
		}
		p.redirect(w, r, "/alerts/"+url.PathEscape(r.PathValue("id"))+"?done="+string(action))
		return nil
	case integration.KindOf(err) == integration.KindConflict:
		return p.drawAlert(w, r, http.StatusConflict, user, []notice{{"warn", "Nothing was changed. " + messageOf(err)}})
	case integration.KindOf(err) == integration.KindNotFound:
		if _, gone := p.browser.GetAlert(r.Context(), r.PathValue("id")); gone == nil {
			return p.drawAlert(w, r, http.StatusUnprocessableEntity, "", []notice{{"bad", "Nothing was changed: the person you are acting as is no longer known. Choose who you are and press the button again."}})
		}
	}
	return err
}

// backToAlert leads on from the address of something that was done: where it was refused the alert is shown there, and that
// page is loaded again, kept current and found in the history like any other.
func (p *Pages) backToAlert(w http.ResponseWriter, r *http.Request) error {
	p.redirect(w, r, "/alerts/"+url.PathEscape(r.PathValue("id")))
	return nil
}

// callRow is a call on a page.
type callRow struct {
	integration.CallView
	Live      bool
	AlertID   string // page of its alert here; ""
	AlertPage string // page of its alert at the platform; ""
}

func newCallRow(s store.Session) callRow { return callRow{CallView: *s.Call, Live: s.Live} }
